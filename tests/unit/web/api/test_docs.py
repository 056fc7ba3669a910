from __future__ import annotations

import html
import re

from flask import Flask

from tests.unit.web.api.program import Program
from tests.unit.web.browser import Browser
from webapp.api.operation import OPERATIONS
from webapp.api.problems import KINDS


def test_the_documentation_has_every_operation_schema_and_problem(app: Flask, owner: Browser) -> None:
    front = owner.get("/api/docs").text
    assert {f"problem-{name}" for name in KINDS} <= set(re.findall(r' id="([^"]+)"', front))
    described = set()
    for path in sorted(set(re.findall(r'href="(/api/docs/\w+)"', front))):
        page = owner.get(path).text
        anchors = set(re.findall(r' id="([^"]+)"', page))
        links = set(re.findall(r'href="#([^"]+)"', page))
        assert links - {"main"} <= anchors, path
        assert "`" not in re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL)
        described |= anchors & set(OPERATIONS)
    assert described == set(OPERATIONS)
    assert owner.get("/api/docs/nothing").status_code == 404


def test_it_is_for_the_owner_alone(visitor: Browser) -> None:
    assert visitor.get("/api/docs").status_code == 303


def test_each_example_is_one_that_the_api_takes(app: Flask, owner: Browser, program: Program) -> None:
    jobs = html.unescape(owner.get("/api/docs/jobs").text)
    assert "curl --get http://localhost:5000/api/v1/jobs " in jobs
    assert """--json '{"to": "new"}'""" in jobs
    described = program.get("/openapi.json").get_json()
    assert described["openapi"].startswith("3.1")
    for item in described["paths"].values():
        for operation in item.values():
            assert operation["summary"].endswith(".")
            assert operation["security"]
            assert {"401", "429", "500", "503"} <= set(operation["responses"])
            for field in operation.get("parameters", []):
                assert "$ref" in field or field["description"], (operation["operationId"], field["name"])

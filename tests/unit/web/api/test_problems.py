"""What is refused is refused in words, as problem details, and leaks nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from scout import jobs
from tests.unit.web.api.program import Program
from webapp.api.problems import KINDS

JSON = "application/json"


def kind(answer: Any) -> str:
    return str(json.loads(answer.data)["type"]).partition("#problem-")[2]


@pytest.mark.parametrize(
    ("method", "path", "options", "refused"),
    [
        ("GET", "/nothing", {}, (404, "not-found")),
        ("GET", "/jobs/x", {}, (404, "not-found")),
        ("GET", "/jobs/0", {}, (404, "not-found")),
        ("GET", "/jobs/99999999999999999999", {}, (404, "not-found")),
        ("GET", "/sources/" + "x" * 100, {}, (404, "not-found")),
        ("DELETE", "/jobs", {}, (405, "method-not-allowed")),
        ("GET", "/jobs?q=a&q=b", {}, (422, "invalid")),
        ("GET", "/jobs?limit=0", {}, (422, "invalid")),
        ("GET", "/jobs?limit=x", {}, (422, "invalid")),
        ("GET", "/jobs?colour=red", {}, (422, "invalid")),
        ("GET", "/jobs/1?colour=red", {}, (422, "invalid")),
        ("GET", "/jobs?q=" + "x" * 501, {}, (422, "invalid")),
        ("POST", "/jobs/seen", {}, (415, "not-json")),
        ("POST", "/jobs/seen", {"data": {"jobs": "1"}}, (415, "not-json")),
        ("POST", "/jobs/seen", {"data": "{}", "content_type": "text/plain"}, (415, "not-json")),
        ("POST", "/jobs/seen", {"data": "{", "content_type": JSON}, (400, "malformed")),
        ("POST", "/jobs/seen", {"data": b"\xff", "content_type": JSON}, (400, "malformed")),
        ("POST", "/jobs/seen", {"data": "", "content_type": JSON}, (400, "malformed")),
        ("POST", "/jobs/seen", {"data": '["\\ud800"]', "content_type": JSON}, (400, "malformed")),
        ("POST", "/jobs/seen", {"data": "[" * 100_000, "content_type": JSON}, (400, "malformed")),
        ("POST", "/jobs/seen", {"json": []}, (422, "invalid")),
        ("POST", "/jobs/seen", {"json": '{"jobs": []}'}, (422, "invalid")),
        ("POST", "/jobs/seen", {"json": {"jobs": ["1"]}}, (422, "invalid")),
        ("POST", "/jobs/seen", {"json": {"jobs": [True]}}, (422, "invalid")),
        ("POST", "/jobs/seen", {"json": {"jobs": [1.5]}}, (422, "invalid")),
        ("POST", "/jobs/seen", {"json": {"jobs": [1] * 1001}}, (422, "invalid")),
        ("POST", "/jobs/seen", {"json": {"jobs": [], "and": 1}}, (422, "invalid")),
        ("POST", "/jobs/seen", {"json": {"jobs": [], "x": "y" * 300_000}}, (413, "too-large")),
        ("PUT", "/jobs/1/status", {"json": {"to": "elsewhere"}}, (422, "invalid")),
        ("PUT", "/jobs/1/plan", {"json": {"on": "soon"}}, (422, "invalid")),
        ("PUT", "/jobs/1/plan", {"json": {"action": "x" * 501}}, (422, "invalid")),
        ("POST", "/jobs/bulk", {"json": {"to": "saved"}}, (422, "invalid")),
        ("POST", "/jobs/bulk", {"json": {"to": "saved", "jobs": [], "query": {}}}, (422, "invalid")),
        ("POST", "/jobs/1/undo", {"headers": {"Idempotency-Key": ""}}, (400, "malformed")),
        ("POST", "/jobs/1/undo", {"headers": {"Idempotency-Key": "x" * 256}}, (400, "malformed")),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(
    program: Program, method: str, path: str, options: dict[str, Any], refused: tuple[int, str]
) -> None:
    answer = program.ask(method, path, **options)
    assert (answer.status_code, kind(answer)) == refused
    name = refused[1]
    told = json.loads(answer.data)
    assert told["title"] == KINDS[name].title
    assert told["detail"]
    assert "pydantic" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    if name == "method-not-allowed":
        assert "GET" in answer.headers["Allow"]


def test_each_wrong_field_is_pointed_at(program: Program) -> None:
    body = {"to": "x", "jobs": [{"id": 1, "verzion": 2}], "and/or": 1}
    errors = json.loads(program.post("/jobs/bulk", body).data)["errors"]
    assert {(each["in"], each["pointer"]) for each in errors} == {
        ("body", "/to"),
        ("body", "/jobs/0/verzion"),
        ("body", "/and~1or"),
    }
    assert "There is no such field." in {each["detail"] for each in errors}
    errors = json.loads(program.get("/jobs", sort="colour").data)["errors"]
    assert errors[0]["in"] == "query"
    assert "'newest'" in errors[0]["detail"]


def test_a_fault_of_ours_tells_nothing_of_itself(
    program: Program, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret is 12345")

    monkeypatch.setattr(jobs, "find", broken)
    answer = program.get("/jobs")
    assert (answer.status_code, kind(answer)) == (500, "fault")
    assert "12345" not in answer.text
    answer = program.post("/jobs/bulk", {"to": "saved", "query": {}}, Idempotency_Key="a")
    assert answer.status_code == 200


def test_a_database_that_does_not_answer_is_told(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT secret", {}, Exception("gone"))

    monkeypatch.setattr(jobs, "find", away)
    answer = program.get("/jobs")
    assert (answer.status_code, kind(answer)) == (503, "unavailable")
    assert "SELECT" not in answer.text


def test_head_is_get_without_a_body(program: Program, add_job: Callable[..., int]) -> None:
    path = f"/jobs/{add_job()}"
    head, get = program.ask("HEAD", path), program.get(path)
    assert head.data == b""
    assert head.headers["ETag"] == get.headers["ETag"]
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert program.ask("HEAD", "/jobs/99").status_code == 404

"""Nobody gets to an operation who may not: all of them are swept over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from metrics import catalogue
from metrics.testing import captured
from scout.database import Database
from scout.tokens import Scope
from tests.unit.web.api.program import Program, make_token
from tests.unit.web.browser import Browser
from webapp.api.document import document
from webapp.api.operation import OPERATIONS

VALUES = {"slug": "acme", "batch": "x", "handle": "x", "prefix": "x"}


def every_operation(app: Flask) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, address and description of each."""
    with app.app_context():
        paths = document()["paths"]
    for path, item in paths.items():
        for method, operation in item.items():
            yield method.upper(), re.sub(r"\{(\w+)\}", lambda m: VALUES.get(m[1], "1"), path), operation


def test_every_route_of_the_api_is_described(app: Flask) -> None:
    described = {operation["operationId"] for _, _, operation in every_operation(app)}
    routed = {rule.endpoint.partition(".")[2] for rule in app.url_map.iter_rules() if "/api/v1" in rule.rule}
    assert described == routed == set(OPERATIONS)
    assert len(described) > 50


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer x"},
        {"Authorization": "Bearer scout_abcdefgh_" + "x" * 43},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "scout_abcdefgh_" + "x" * 43},
    ],
    ids=str,
)
def test_nobody_else_gets_in(app: Flask, headers: dict[str, str]) -> None:
    for method, path, _ in every_operation(app):
        answer = Program(app).ask(method, path, headers=headers)
        assert answer.status_code == 401, (method, path)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_token_beside_a_cookie_is_all_that_counts(app: Flask, owner: Browser) -> None:
    headers = {"Authorization": "Bearer wrong"}
    assert owner.ask("GET", "/api/v1/jobs", headers=headers).status_code == 401
    assert owner.get("/api/v1/jobs").status_code == 200


def test_each_operation_needs_its_scope_and_no_other(app: Flask, db: Database) -> None:
    tokens = {scope: make_token(db, scope) for scope in Scope}
    for method, path, operation in every_operation(app):
        needed = OPERATIONS[operation["operationId"]].scope
        for scope, token in tokens.items():
            fits = needed is None or scope in {needed, needed.replace(":read", ":write")}
            if fits:
                continue
            answer = Program(app, token).ask(method, path)
            assert answer.status_code == 403, (method, path, scope)
            assert f"`{needed}`" in answer.get_json()["detail"]
            assert f'scope="{needed}"' in answer.headers["WWW-Authenticate"]


def test_what_a_token_may_read_it_may_not_write(app: Flask) -> None:
    for method, path, operation in every_operation(app):
        scope = OPERATIONS[operation["operationId"]].scope
        if method != "GET" and scope is not Scope.ACCOUNT and "profile/" not in path:
            assert str(scope).endswith(":write"), (method, path)


def test_a_browser_needs_its_sessions_token_for_every_write(app: Flask, owner: Browser) -> None:
    for method, path, _ in every_operation(app):
        if method == "GET":
            continue
        for headers in ({}, {"X-CSRFToken": ""}, {"X-CSRFToken": "x" + owner.token}):
            with captured() as emitted:
                answer = owner.ask(method, path, headers=headers)
            assert answer.status_code == 403, (method, path)
            assert json.loads(answer.data)["type"] == "/api/docs#problem-foreign-request"
            emitted.assert_incremented(catalogue.CSRF_REJECTED, reason="token")
        foreign = {"X-CSRFToken": owner.token, "Origin": "https://evil.example"}
        with captured() as emitted:
            assert owner.ask(method, path, headers=foreign).status_code == 403
        emitted.assert_incremented(catalogue.CSRF_REJECTED, reason="origin")


def test_with_it_a_browser_may_do_everything(owner: Browser) -> None:
    headers = {"X-CSRFToken": owner.token}
    answer = owner.ask(
        "POST", "/api/v1/sources", headers=headers, json={"url": "https://jobs.lever.co/a", "scan": False}
    )
    assert answer.status_code == 201


def test_a_program_needs_no_origin(program: Program) -> None:
    answer = program.send("POST", "/jobs/seen", {"jobs": []}, headers={"Origin": "https://other.example"})
    assert answer.status_code == 200


def test_no_other_sites_script_may_ask(program: Program) -> None:
    answer = program.ask("OPTIONS", "/jobs", headers={"Origin": "https://other.example"})
    assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "HEAD", "OPTIONS"]
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def test_what_is_done_is_told_in_words(app: Flask) -> None:
    quiet = {
        "look_at_job", "mark_jobs_seen", "mark_jobs_unseen",  # no more than reading leaves
        "discover_sources", "try_source", "check_profile", "try_profile", "preview_profile",  # change nothing
    }  # fmt: skip
    silent = {
        operation["operationId"]
        for method, _, operation in every_operation(app)
        if method != "GET" and not OPERATIONS[operation["operationId"]].does
    }
    assert silent == quiet

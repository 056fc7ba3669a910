from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from metrics import catalogue
from metrics.testing import captured
from scout import clock
from scout.database import Database
from scout.models import Base
from tests.unit.web.browser import Browser
from webapp.security import PUBLIC, SAFE_METHODS

VALUES = {
    "job_id": 1, "listing_id": 1, "note_id": 1, "run_id": 1, "slug": "acme", "filename": "app.css",
    "token": "x", "name": "jobs", "appointment_id": 1, "handle": "0" * 16, "prefix": "x",
}  # fmt: skip


def every_request(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and address of every route."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/"):
            continue  # tests/unit/web/api/ sweeps over these
        values = {name: VALUES[name] for name in rule.arguments}
        for method in sorted((rule.methods or set()) | {"OPTIONS"}):
            yield rule.endpoint, method, adapter.build(rule.endpoint, values, method=None)


def test_the_public_endpoints_are_exactly_these() -> None:
    assert {
        "static",
        "sign_in.form",
        "sign_in.enter",
        "sign_in.code_form",
        "sign_in.enter_code",
        "probes.healthz",
        "probes.readyz",
        "probes.metrics",
        "feeds.atom",
        "feeds.json",
        "installing.manifest",
        "installing.worker",
        "installing.offline",
        "calendars.whole",
    } == PUBLIC


def test_everything_else_is_refused_to_who_is_not_signed_in(app: Flask) -> None:
    swept = 0
    for endpoint, method, address in every_request(app):
        if endpoint in PUBLIC:
            continue
        program = app.test_client().open(address, method=method, buffered=True)
        assert program.status_code == 401, (method, address)
        person = Browser(app).ask(method, address)
        assert person.status_code == 303, (method, address)
        assert person.location.startswith("/sign-in"), (method, address)
        htmx = Browser(app).ask(method, address, headers={"HX-Request": "true"})
        assert htmx.status_code == 401, (method, address)
        swept += 1
    assert swept > 40


@pytest.mark.parametrize(
    "path", ["/nothing", "/static/../app.py", "/jobs/x", "/sign-in/", "/healthz/x", "//x"]
)
def test_an_unknown_address_is_refused_as_any_other(visitor: Browser, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code in {303, 308, 404}
    assert "<nav" not in answer.text


def unsafe(app: Flask) -> Iterator[tuple[str, str]]:
    for _, method, address in every_request(app):
        if method not in SAFE_METHODS:
            yield method, address


def test_every_unsafe_request_needs_the_sessions_token(app: Flask, owner: Browser) -> None:
    for method, address in unsafe(app):
        for data in ({}, {"csrf_token": ""}, {"csrf_token": "x" + owner.token}):
            with captured() as emitted:
                answer = owner.ask(method, address, data=data)
            assert answer.status_code == 400, (method, address, data)
            assert "reload" in answer.text
            emitted.assert_incremented(catalogue.CSRF_REJECTED, reason="token")


def test_another_sessions_token_does_not_do(app: Flask, owner: Browser) -> None:
    other = Browser(app)
    other.sign_in()
    owner.token = other.token
    assert owner.post("/sign-out").status_code == 400
    assert owner.get("/sources").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
    ids=str,
)
def test_every_unsafe_request_from_elsewhere_is_refused(
    app: Flask, owner: Browser, headers: dict[str, str]
) -> None:
    for method, address in unsafe(app):
        with captured() as emitted:
            answer = owner.ask(method, address, headers=headers, data={"csrf_token": owner.token})
        assert answer.status_code == 403, (method, address)
        emitted.assert_incremented(catalogue.CSRF_REJECTED, reason="origin")
    assert owner.get("/sources").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "https://localhost"}],
    ids=str,
)
def test_our_own_pages_and_programs_with_a_token_pass(owner: Browser, headers: dict[str, str]) -> None:
    assert owner.post("/theme", headers, theme="dark").status_code == 303


def test_the_owner_gets_an_answer_everywhere(app: Flask, owner: Browser, add_job: Callable[..., int]) -> None:
    """A page, a redirect, or a plain word that there is nothing: no route breaks."""
    add_job()
    for endpoint, method, address in every_request(app):
        if method in SAFE_METHODS and endpoint != "probes.readyz":  # it is not ready: no Redis
            assert owner.ask(method, address).status_code in {200, 303, 404}, (method, address)
    assert owner.get("/sources").status_code == 200


def rows(db: Database) -> dict[str, list[Any]]:
    with db.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table)).all()))
            for table in Base.metadata.sorted_tables
        }


def test_nothing_changes_by_asking(
    app: Flask, owner: Browser, db: Database, add_job: Callable[..., int]
) -> None:
    # That a job was looked at for the first time is all that is noted.
    add_job(looked_at=clock.now())
    owner.get("/")
    before = rows(db)
    for _, method, address in every_request(app):
        if method in SAFE_METHODS:
            owner.ask(method, address)
    assert rows(db) == before

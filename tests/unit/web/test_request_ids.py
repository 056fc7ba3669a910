"""A request's id: in its answer, on the pages that tell of errors, in the lines that it causes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import NoReturn

import pytest
from flask import Flask, request

from scout import traces
from scout.logs import ids
from scout.settings import Settings
from tests.unit.web.browser import Browser
from webapp import create_app, request_ids
from webapp.logger import ServerLogger

TOLD = "proxy-1234.5678"


@pytest.fixture
def behind(settings: Settings, proxies: int) -> Iterator[Flask]:
    """The application behind as many proxies as the test says."""
    app = create_app(dataclasses.replace(settings, trusted_proxies=proxies))
    yield app
    app.extensions["scout"].close()


def test_each_request_gets_an_id_of_its_own(visitor: Browser) -> None:
    given = [visitor.get(path).headers["X-Request-ID"] for path in ("/healthz", "/", "/nothing", "/sign-in")]
    assert len(set(given)) == 4
    assert all(ids.is_request_id(each) for each in given)


@pytest.mark.parametrize("proxies", [0])
def test_without_a_proxy_nobody_gives_a_request_its_id(behind: Flask) -> None:
    assert Browser(behind).get("/", headers={"X-Request-ID": TOLD}).headers["X-Request-ID"] != TOLD


@pytest.mark.parametrize("proxies", [1])
def test_a_proxys_id_is_taken_over_if_it_is_one(behind: Flask) -> None:
    assert Browser(behind).get("/", headers={"X-Request-ID": TOLD}).headers["X-Request-ID"] == TOLD
    for bad in ("short", "x" * 65, "with space", "semi;colon"):
        assert Browser(behind).get("/", headers={"X-Request-ID": bad}).headers["X-Request-ID"] != bad


def test_a_page_and_a_problem_that_tell_of_an_error_name_the_request(app: Flask, owner: Browser) -> None:
    page = owner.get("/nothing", headers={"Accept": "text/html"})
    assert f"request_id={page.headers['X-Request-ID']}" in page.text
    problem = app.test_client().get("/api/v1/jobs")
    assert json.loads(problem.data)["request_id"] == problem.headers["X-Request-ID"]


def test_what_is_logged_meanwhile_has_the_id_and_an_uncaught_error_the_route(
    app: Flask, owner: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    seen = []

    def fail(token: str) -> NoReturn:
        seen.append(dict(ids.bound()))
        raise ZeroDivisionError(token)

    app.view_functions["feeds.atom"] = fail
    answer = owner.get("/feeds/very-secret.atom")
    assert answer.status_code == 500
    assert seen == [{"request_id": answer.headers["X-Request-ID"]}]
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.getMessage() == "An error ended a request"
    assert (vars(record)["method"], vars(record)["endpoint"]) == ("GET", "/feeds/{token}.atom")


def test_a_request_begins_with_nothing_of_the_threads_last_one(app: Flask, owner: Browser) -> None:
    with ids.binding(request_id="left-over", run_id=7):
        seen = []

        def healthz() -> str:
            seen.append(dict(ids.bound()))
            return "ok"

        app.view_functions["probes.healthz"] = healthz
        answer = owner.get("/healthz")
        assert seen == [{"request_id": answer.headers["X-Request-ID"]}]


def test_the_servers_log_knows_the_request_by_its_environment(app: Flask) -> None:
    with app.test_client() as client:
        answer = client.get("/jobs/12")
        assert request.environ[request_ids.ENDPOINT] == "/jobs/{job_id}"
        assert request_ids.of(request.environ) == {"request_id": answer.headers["X-Request-ID"]}
    assert request_ids.of({}) == {}


@pytest.mark.parametrize(("proxies", "taken"), [(0, False), (1, True)])
def test_a_trace_that_began_elsewhere_goes_on_here_only_where_a_proxy_is_believed(
    settings: Settings, proxies: int, *, taken: bool
) -> None:
    told = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
    chosen = dataclasses.replace(settings, trusted_proxies=proxies, otlp_endpoint="http://127.0.0.1:1")
    traces.prepare(chosen)
    traces.start("web")
    app = create_app(chosen)
    seen = []

    def form() -> str:
        seen.append(traces.ids())
        return "ok"

    app.view_functions["sign_in.form"] = form
    try:
        Browser(app).get("/sign-in", headers=told)
    finally:
        assert traces._tracing is not None
        assert traces._tracing._provider is not None
        traces._tracing._provider.shutdown()
        traces.prepare(settings)
        app.extensions["scout"].close()
    assert (seen[0]["trace_id"] == "ab" * 16) is taken


@pytest.mark.parametrize(
    ("status", "endpoint", "form", "level"),
    [
        ("200 OK", "/", "json", logging.INFO),
        ("200 OK", "/healthz", "json", logging.DEBUG),
        ("503 Away", "/readyz", "json", logging.INFO),
        ("200 OK", "/", "console", logging.DEBUG),
        ("404 Not Found", "/", "console", logging.DEBUG),
        ("500 Broken", "/", "console", logging.INFO),
        (None, "/", "console", logging.INFO),
    ],
)
def test_people_are_told_of_the_requests_that_failed_and_programs_of_all_but_probes(
    status: str | None, endpoint: str, form: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    log = ServerLogger.__new__(ServerLogger)
    log._for_people = form == "console"
    caplog.set_level(logging.DEBUG)
    answer = SimpleNamespace(status=status, sent=12)
    environ = {"REQUEST_METHOD": "GET", request_ids.ENDPOINT: endpoint, "PATH_INFO": "/secret"}
    log.access(answer, None, environ, dt.timedelta(seconds=0.25))
    (record,) = caplog.records
    assert record.levelno == level
    assert record.getMessage() == f"GET {endpoint} {(status or '500')[:3]}"
    assert (vars(record)["seconds"], vars(record)["bytes"]) == (0.25, 12)
    assert "secret" not in str(vars(record))

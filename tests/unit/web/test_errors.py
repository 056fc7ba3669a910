"""Errors that the pages meet and deal with are counted, by type."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest
from flask import Flask
from redis import ConnectionError as RedisAway
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from metrics import catalogue
from metrics.testing import captured
from scout import sessions
from scout.database import Database, DatabaseUnusable
from scout.models import Source
from tests.unit.web.browser import Browser
from webapp import probes

DATABASE_AWAY = OperationalError("SELECT 1", {}, Exception("connection refused"))


def raising(error: Exception) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DATABASE_AWAY, 503),
        (PoolTimeout(), 503),
        (DatabaseUnusable("It cannot be used."), 503),
        (RedisAway("connection refused"), 503),
        (ZeroDivisionError(), 500),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_an_error_of_a_page_is_counted_once_by_its_type(
    app: Flask, owner: Browser, error: Exception, status: int, accept: str
) -> None:
    app.view_functions["jobs.index"] = raising(error)
    with captured() as emitted:
        assert owner.get("/", headers={"Accept": accept}).status_code == status
    emitted.assert_incremented(catalogue.APP_ERRORS, type=type(error).__name__, place="web")
    emitted.assert_incremented(catalogue.APP_ERRORS)


def test_what_a_visitor_does_wrong_is_no_error_of_ours(owner: Browser) -> None:
    with captured() as emitted:
        assert owner.get("/nothing").status_code == 404
        assert owner.ask("DELETE", "/sources").status_code in {400, 403, 405}
        assert owner.get("/jobs/999").status_code == 404
    emitted.assert_no_metrics(catalogue.APP_ERRORS)


def test_a_session_that_cannot_be_read_is_counted(owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "find", raising(DATABASE_AWAY))
    with captured() as emitted:
        assert owner.get("/").status_code == 503
    emitted.assert_incremented(catalogue.APP_ERRORS, type="OperationalError", place="web")


def test_a_probe_counts_what_does_not_answer(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "is_current", raising(DATABASE_AWAY))
    with captured() as emitted:
        assert app.test_client().get("/readyz").status_code == 503
    emitted.assert_incremented(catalogue.APP_ERRORS, type="OperationalError", place="web")
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ConnectionError", place="web")


def test_signing_in_without_redis_works_and_is_counted(visitor: Browser) -> None:
    with captured() as emitted:
        assert visitor.sign_in().status_code == 303
    emitted.assert_incremented(catalogue.APP_ERRORS, 2, type="ConnectionError", place="web")


def test_a_scan_that_waits_for_the_queue_is_counted(owner: Browser, source: Source) -> None:
    with captured() as emitted:
        assert owner.post("/scans").status_code == 303
    emitted.assert_incremented(catalogue.APP_ERRORS, type="QueueAway", place="web")
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ConnectionError", place="queue")
    emitted.assert_no_metrics(catalogue.RQ_JOBS_ENQUEUED)


def test_exporters_that_cannot_be_read_are_counted(owner: Browser) -> None:
    with captured() as emitted:
        assert owner.get("/metrics").status_code == 200
    emitted.assert_incremented(catalogue.APP_ERRORS, 2, type="Unreachable", place="web")


def test_a_request_waits_for_its_connection_measurably(owner: Browser, db: Database) -> None:
    with captured() as emitted:
        owner.get("/")
    emitted.assert_observed(catalogue.DB_POOL_WAIT, None)
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, None, operation="begin", table="none")

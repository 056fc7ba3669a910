"""What the API meets and deals with is counted, and what it removes is forgotten by the gateway."""

from __future__ import annotations

import pytest
from flask import Flask

import metrics.push
from metrics import catalogue
from metrics.testing import Captured
from scout.database import Database
from scout.models import Source
from tests.unit.web.api.program import Program, make_token
from tests.unit.web.test_errors import raising


def test_a_token_without_the_scope_is_counted(app: Flask, db: Database, emitted: Captured) -> None:
    assert Program(app, make_token(db, "boards:read")).get("/jobs").status_code == 403
    emitted.assert_incremented(catalogue.API_TOKENS_PRESENTED, outcome="scope")


def test_limits_that_nobody_can_count_are_an_error_that_is_counted(
    program: Program, emitted: Captured
) -> None:
    assert program.get("/jobs").status_code == 200
    emitted.assert_incremented(catalogue.APP_ERRORS, place="web")


def test_an_error_of_an_operation_is_counted_by_its_type(
    app: Flask, program: Program, emitted: Captured
) -> None:
    program.get("/jobs")  # from here on nobody asks the Redis that is away
    app.view_functions["api_jobs.list_jobs"] = raising(ZeroDivisionError())
    assert program.get("/jobs").status_code == 500
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ZeroDivisionError", place="web")


@pytest.mark.parametrize("way", ["one", "many"])
def test_the_gateway_forgets_boards_that_are_removed(
    program: Program, source: Source, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(metrics.push, "forget_source", lambda _url, slug: forgotten.append(slug))
    if way == "one":
        assert program.send("DELETE", f"/sources/{source.slug}").status_code == 204
    else:
        assert program.post("/sources/bulk", {"what": "remove", "sources": [source.slug]}).status_code == 200
    assert forgotten == [source.slug]

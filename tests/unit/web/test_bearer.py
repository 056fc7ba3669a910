from __future__ import annotations

import pytest
from flask import Flask

from metrics import catalogue
from metrics.testing import Captured
from scout import tokens
from scout.database import Database
from scout.models import ApiToken


def token(db: Database, *scopes: str) -> str:
    with db.session() as session:
        return tokens.create(session, "prometheus", scopes)[1]


def metrics(app: Flask, presented: str, *, address: str = "192.0.2.1", **headers: str) -> tuple[int, str]:
    answer = app.test_client().get(
        "/metrics",
        headers={"Authorization": presented, **headers},
        environ_base={"REMOTE_ADDR": address},
        buffered=True,
    )
    return answer.status_code, answer.headers.get("WWW-Authenticate", "")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_reads_the_metrics_from_anywhere(app: Flask, db: Database, scheme: str) -> None:
    made = token(db, "metrics:read")
    assert metrics(app, f"{scheme} {made}") == (200, "")
    assert metrics(app, f"{scheme} {made}", **{"X-Forwarded-For": "198.51.100.1"}) == (200, "")
    with db.reading() as session:
        assert session.query(ApiToken).one().last_used_at is not None


def test_one_that_will_not_do_is_told_so(app: Flask, db: Database, emitted: Captured) -> None:
    made = token(db, "jobs:read", "account")
    assert metrics(app, f"Bearer {made}") == (403, 'Bearer error="insufficient_scope"')
    emitted.assert_incremented(catalogue.API_TOKENS_PRESENTED, outcome="scope")
    for wrong in (made[:-1], "", "scout", made + " x"):
        assert metrics(app, f"Bearer {wrong}") == (401, 'Bearer error="invalid_token"')
    assert metrics(app, "Basic dXNlcjpwYXNz") == (404, "")
    assert metrics(app, made) == (404, "")


def test_a_token_opens_no_page(app: Flask, db: Database) -> None:
    made = token(db, *tokens.Scope)
    answer = app.test_client().get("/sources", headers={"Authorization": f"Bearer {made}"})
    assert answer.status_code == 401

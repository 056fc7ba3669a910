from __future__ import annotations

import datetime as dt
import re

import pytest

from metrics import catalogue
from metrics.testing import Captured
from scout import clock, tokens
from scout.database import Database
from scout.models import ApiToken
from scout.tokens import BadToken, Scope, TokenNotFound
from tests import kept


@pytest.fixture
def made(any_database: Database) -> str:
    with any_database.session() as session:
        return tokens.create(session, " backup\n script ", ["jobs:read", "metrics:read"])[1]


def test_a_token_is_found_by_its_text_alone(any_database: Database, made: str, emitted: Captured) -> None:
    with any_database.reading() as session:
        token = tokens.find(session, made)
        assert token is not None
        assert (token.name, token.scopes) == ("backup script", ["jobs:read", "metrics:read"])
        emitted.assert_incremented(catalogue.API_TOKENS_PRESENTED, outcome="accepted")
        for wrong in (
            "",
            made[:-1],
            made + "x",
            made.upper(),
            f"scout_{token.prefix}_{'x' * 43}",
            "\x00",
            "ä",
        ):
            assert tokens.find(session, wrong) is None
    emitted.assert_incremented(catalogue.API_TOKENS_PRESENTED, 7, outcome="unknown")


def test_its_secret_is_kept_nowhere(any_database: Database, made: str) -> None:
    match = re.fullmatch(r"scout_([a-z0-9]{8})_([A-Za-z0-9_-]{43})", made)
    assert match
    with any_database.reading() as session:
        row = session.query(ApiToken).one()
        held = {column.name: getattr(row, column.name) for column in ApiToken.__table__.columns}
    assert held["prefix"] == match[1]
    assert match[2] not in repr(held)


def test_a_revoked_and_an_expired_one_open_nothing(
    any_database: Database, made: str, emitted: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    tomorrow = clock.now() + dt.timedelta(days=1)
    with any_database.session() as session:
        _, short = tokens.create(session, "short", ["jobs:read"], tomorrow)
        assert tokens.find(session, short) is not None
        revoked = tokens.revoke(session, made.split("_")[1])
        assert tokens.state_of(revoked) == "revoked"
        assert tokens.find(session, made) is None
        emitted.assert_incremented(catalogue.API_TOKENS_PRESENTED, outcome="revoked")
        monkeypatch.setattr("scout.clock.now", lambda: tomorrow)
        assert tokens.find(session, short) is None
        emitted.assert_incremented(catalogue.API_TOKENS_PRESENTED, outcome="expired")
        for prefix in (made.split("_")[1], short.split("_")[1], "nothing"):
            with pytest.raises(TokenNotFound, match="No valid token"):
                tokens.revoke(session, prefix)


def test_who_may_write_may_read_the_same_and_nothing_else() -> None:
    token = ApiToken(scopes=["jobs:write"])
    assert {each for each in Scope if tokens.allows(token, each)} == {Scope.JOBS_READ, Scope.JOBS_WRITE}
    reader = ApiToken(scopes=["jobs:read"])
    assert {each for each in Scope if tokens.allows(reader, each)} == {Scope.JOBS_READ}
    assert set(tokens.MEANINGS) == set(Scope)


@pytest.mark.parametrize(
    ("name", "scopes", "expires_at", "why"),
    [
        ("", ["jobs:read"], None, "name"),
        (" \n", ["jobs:read"], None, "name"),
        ("x" * 101, ["jobs:read"], None, "name"),
        ("x", [], None, "at least one scope"),
        ("x", ["jobs:all"], None, "the scopes are jobs:read, jobs:write"),
        ("x", ["jobs:read"], kept.DAY - dt.timedelta(days=9999), "expired already"),
    ],
)
def test_what_cannot_be_made_is_said(
    database: Database, name: str, scopes: list[str], expires_at: dt.datetime | None, why: str
) -> None:
    with database.session() as session, pytest.raises(BadToken, match=why):
        tokens.create(session, name, scopes, expires_at)


def test_there_are_only_so_many_and_those_that_ended_are_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session() as session:
        for number in range(tokens.MOST):
            last, _ = tokens.create(session, f"{number}", ["jobs:read"])
        with pytest.raises(BadToken, match="100 tokens already"):
            tokens.create(session, "one more", ["jobs:read"])
        tokens.revoke(session, last.prefix)
        tokens.create(session, "one more", ["jobs:read"])
        assert [each.name for each in (tokens.every(session)[0], tokens.every(session)[-1])] == [
            "one more",
            "99",
        ]
        later = clock.now() + dt.timedelta(days=91)
        monkeypatch.setattr("scout.clock.now", lambda: later)
        tokens.revoke(session, tokens.every(session)[0].prefix)
        tokens.create(session, "another", ["jobs:read"])
        assert "99" not in {each.name for each in tokens.every(session)}


def test_its_use_is_noted_once_a_minute(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.session() as session:
        token, _ = tokens.create(session, "x", ["jobs:read"])
        assert tokens.needs_touch(token)
        now = clock.now()
        tokens.touch(session, token.id)
        session.refresh(token)
        assert not tokens.needs_touch(token)
        monkeypatch.setattr("scout.clock.now", lambda: now + dt.timedelta(seconds=62))
        assert tokens.needs_touch(token)

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from scout import clock, sessions
from scout.database import Database
from scout.models import Session
from scout.sessions import SessionNotFound
from tests import kept


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = kept.DAY

    def __call__(self) -> dt.datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += dt.timedelta(**by)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(clock, "now", found)
    return found


def test_a_token_finds_its_session_and_is_not_kept(any_database: Database) -> None:
    with any_database.session() as session:
        token = sessions.begin(session, "Firefox")
    assert len(token) >= 43  # 256 bits in base 64
    with any_database.reading() as session:
        found = sessions.find(session, token)
        assert found is not None
        assert found.browser == "Firefox"
        assert token not in str([vars(row) for row in session.scalars(select(Session))])
        assert sessions.find(session, token + "x") is None
        assert sessions.find(session, "") is None
        assert sessions.find(session, "é\ud800") is None


def test_a_session_ends_thirty_days_after_the_last_request(database: Database, now: Clock) -> None:
    with database.session() as session:
        token = sessions.begin(session, "")
        now.forward(days=29)
        assert sessions.touch(session, token) is not None
        now.forward(days=29)
        assert sessions.find(session, token) is not None
        now.forward(days=1)
        assert sessions.find(session, token) is None
        assert sessions.touch(session, token) is None


def test_a_session_is_not_written_at_every_request(database: Database, now: Clock) -> None:
    with database.session() as session:
        token = sessions.begin(session, "")
        found = sessions.find(session, token)
        assert found is not None
        now.forward(minutes=4)
        assert not sessions.needs_touch(found)
        sessions.touch(session, token)
        assert found.last_seen_at == kept.DAY
        now.forward(minutes=1)
        assert sessions.needs_touch(found)
        sessions.touch(session, token)
        assert found.last_seen_at == now()


def test_sessions_end_one_by_one_or_all(any_database: Database) -> None:
    with any_database.session() as session:
        tokens = [sessions.begin(session, "") for _ in range(4)]
        sessions.end(session, tokens[0])
        sessions.end(session, "nobody's")
        assert sessions.active(session) == 3
        assert sessions.end_all(session, keep=tokens[1]) == 2
        assert sessions.find(session, tokens[1]) is not None
        assert sessions.end_all(session) == 1
        assert sessions.active(session) == 0


def test_expired_sessions_are_not_active_and_are_purged(any_database: Database, now: Clock) -> None:
    with any_database.session() as session:
        sessions.begin(session, "")
        now.forward(days=20)
        sessions.begin(session, "")
        now.forward(days=11)
        assert sessions.active(session) == 1
        assert sessions.purge(session) == 1
        assert sessions.purge(session) == 0


def test_whoever_signs_in_lets_expired_sessions_be_forgotten(database: Database, now: Clock) -> None:
    with database.session() as session:
        sessions.begin(session, "")
        now.forward(days=31)
        sessions.begin(session, "")
        assert session.scalar(select(func.count()).select_from(Session)) == 1


def test_no_session_lives_longer_than_90_days(any_database: Database, now: Clock) -> None:
    with any_database.session() as session:
        token = sessions.begin(session, "")
        for _ in range(8):
            now.forward(days=11)
            assert sessions.touch(session, token) is not None
        now.forward(days=2)
        assert sessions.find(session, token) is None


def test_a_session_is_told_and_ended_by_its_handle(any_database: Database, now: Clock) -> None:
    with any_database.session() as session:
        first, second = sessions.begin(session, "one", "192.0.2.1"), sessions.begin(session, "two", "x" * 99)
        now.forward(minutes=10)
        sessions.touch(session, first)
        found = sessions.living(session)
        assert [(each.browser, len(each.address)) for each in found] == [("one", 9), ("two", 45)]
        assert sessions.is_of(found[0], first)
        assert not sessions.is_of(found[0], second)
        assert not sessions.is_of(found[0], None)
        for wrong in ("", "0" * 16, found[0].token_hash):
            with pytest.raises(SessionNotFound):
                sessions.end_one(session, wrong)
        assert sessions.end_one(session, sessions.handle(found[0])).browser == "one"
        assert sessions.find(session, first) is None
        assert sessions.find(session, second) is not None


def test_a_browsers_name_may_be_anything(any_database: Database) -> None:
    with any_database.session() as session:
        token = sessions.begin(session, "\x00" + "x" * 5000)
        found = sessions.find(session, token)
        assert found is not None
        assert found.browser == "x" * 200

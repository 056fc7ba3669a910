from __future__ import annotations

import datetime as dt

import pytest

from scout import audit, clock
from scout.audit import AuditQuery
from scout.database import Database


def note(database: Database, words: str, **more: str) -> None:
    with database.session() as session:
        audit.record(session, "x.y", words, **{"by": "browser: Firefox on Linux", **more})


def told(database: Database, **query: object) -> list[str]:
    with database.reading() as session:
        return [each.words for each in audit.find(session, AuditQuery(**query)).events]  # type: ignore[arg-type]


def test_events_are_listed_newest_first_by_page(any_database: Database) -> None:
    for number in range(5):
        note(any_database, f"{number}")
    assert told(any_database, per_page=2) == ["4", "3"]
    assert told(any_database, per_page=2, page=3) == ["0"]
    assert told(any_database, per_page=2, page=4) == []
    with any_database.reading() as session:
        assert audit.find(session, AuditQuery(per_page=2)).total == 5


def test_they_are_found_by_words_and_by_who(any_database: Database) -> None:
    note(any_database, "Moved a job", subject="Identity Engineer, Okta", address="192.0.2.1")
    note(any_database, "Added a board", subject="100% Remote_Co", by="token: backup")
    note(any_database, "Changed the password", by=audit.COMMAND)
    assert told(any_database, text="OKTA moved") == ["Moved a job"]
    assert told(any_database, text="192.0.2.1") == ["Moved a job"]
    assert told(any_database, text="100%") == ["Added a board"]
    assert told(any_database, text="e_C") == ["Added a board"]
    assert told(any_database, text="h_n") == []
    assert told(any_database, who="token") == ["Added a board"]
    assert told(any_database, who="command") == ["Changed the password"]
    assert told(any_database, who="browser", text="board") == []


def test_failed_tries_are_told_in_sums(any_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(address: str = "192.0.2.1", subject: str = "wrong password") -> None:
        with any_database.session() as session:
            audit.failed_sign_in(session, address=address, subject=subject)

    for _ in range(3):
        fail()
    fail(address="192.0.2.2")
    fail(subject="right password, wrong code")
    later = clock.now() + dt.timedelta(minutes=61)
    monkeypatch.setattr("scout.clock.now", lambda: later)
    fail()
    with any_database.reading() as session:
        events = audit.find(session, AuditQuery(who="nobody")).events
        assert [each.times for each in events] == [1, 1, 1, 3]
        assert audit.last_sign_in(session) is None
        assert audit.failed_since(session, events[-1]) == 3


def test_only_so_many_are_kept_and_for_so_long(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST", 150)
    with database.session() as session:
        for number in range(300):
            audit.record(session, "x.y", f"{number}", by=audit.COMMAND)
        assert audit.find(session, AuditQuery()).total == 150
    assert told(database, per_page=1) == ["299"]
    later = clock.now() + audit.KEPT + dt.timedelta(days=1)
    monkeypatch.setattr("scout.clock.now", lambda: later)
    with database.session() as session:
        audit.record(session, "x.y", "newest", by=audit.COMMAND)
        audit.purge(session)
    assert told(database) == ["newest"]


def test_a_subject_is_one_line_of_bounded_length(database: Database) -> None:
    note(database, "x", subject="a\x00b\n c" + "d" * 1000, address="x" * 100)
    with database.reading() as session:
        event = audit.find(session, AuditQuery()).events[0]
    assert event.subject.startswith("ab c")
    assert len(event.subject) == 300
    assert len(event.address) == 45

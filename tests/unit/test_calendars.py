"""The calendar as RFC 5545 wants it, whatever the titles hold, and the secret of its address."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from icalendar import Calendar, Event

from scout import account, appointments, calendars, clock, jobs
from scout.appointments import Wish
from scout.database import Database
from scout.models import Account, Job, Status
from tests import kept

NOON = dt.datetime(2026, 6, 10, 12, 0, 0, 123456, tzinfo=dt.UTC)
PAGES = "https://scout.example"
KEY = "k" * 64
#: What boards and owners may write into a line.
HOSTILE = 'Lead; IAM, \\n "keys"\r\nBEGIN:VALARM\nATTACH:x 🗝️ مهندس \u202eevil\x00 ' + "ü" * 90


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def job_id(database: Database) -> int:
    with database.session() as session:
        account.ensure(session, "correct horse battery staple")
        return kept.job(session, first_seen_at=kept.DAY).id


def meet(database: Database, job_id: int, **changes: object) -> int:
    usual = {"what": "Interview", "begins": dt.datetime(2026, 6, 12, 10, 30), "timezone": "Europe/Zurich"}  # noqa: DTZ001 - the clock on the wall
    with database.session() as session:
        return appointments.add(session, job_id, Wish(**{**usual, **changes})).id  # type: ignore[arg-type]


def whole(database: Database) -> bytes:
    with database.reading() as session:
        return calendars.whole(session, PAGES)


def events(body: bytes) -> list[Event]:
    return [each for each in Calendar.from_ical(body).walk("VEVENT") if isinstance(each, Event)]


def keeps_to_the_form(body: bytes) -> bool:
    """Lines end by CRLF and have 75 octets, letters are not cut in two, and each line is a property."""
    assert body.endswith(b"\r\n")
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert b"\r" not in body.replace(b"\r\n", b"")
    for line in body.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    unfolded = re.sub(rb"\r\n[ \t]", b"", body).decode()
    for text in unfolded.removesuffix("\r\n").split("\r\n"):
        assert re.match(r"[A-Z-]+(;[A-Z-]+=[^:;]+)*:", text), text
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text)
    return True


def test_an_appointment_is_an_event_with_an_alarm(database: Database, job_id: int) -> None:
    number = meet(database, job_id, place="Room 5", note="Bring the keys\nand the map")
    body = whole(database)
    assert keeps_to_the_form(body)
    (event,) = events(body)
    assert event["SUMMARY"] == "Interview: IAM Engineer, Acme"
    assert event.decoded("DTSTART") == dt.datetime(2026, 6, 12, 8, 30, tzinfo=dt.UTC)
    assert event.decoded("DTEND") == dt.datetime(2026, 6, 12, 9, 30, tzinfo=dt.UTC)
    assert event.decoded("DTSTAMP") == event.decoded("LAST-MODIFIED") == NOON.replace(microsecond=0)
    assert (event["LOCATION"], event["SEQUENCE"]) == ("Room 5", 0)
    assert event["DESCRIPTION"] == f"Bring the keys\nand the map\n\n{PAGES}/jobs/{job_id}"
    (alarm,) = event.walk("VALARM")
    assert (alarm["ACTION"], alarm.decoded("TRIGGER")) == ("DISPLAY", dt.timedelta(hours=-1))
    with database.session() as session:
        found = appointments.get(session, job_id, number)
        wish = Wish(what="Call", begins=dt.datetime(2026, 6, 13, 9), timezone="UTC")  # noqa: DTZ001 - see above
        appointments.change(session, job_id, number, wish)
        uid = found.uid
    (changed,) = events(whole(database))
    assert (changed["UID"], changed["SEQUENCE"]) == (f"{uid}@scout.invalid", 1)
    assert event["UID"] == changed["UID"]


def test_a_next_action_is_a_whole_day_and_moves_as_one_event(database: Database, job_id: int) -> None:
    with database.session() as session:
        jobs.plan(session, job_id, dt.date(2026, 6, 12), "Call Dana")
    (event,) = events(whole(database))
    assert event["SUMMARY"] == "Call Dana: IAM Engineer, Acme"
    assert event["DTSTART"].params["VALUE"] == "DATE"
    assert event.decoded("DTSTART") == dt.date(2026, 6, 12)
    assert event.decoded("DTEND") == dt.date(2026, 6, 13)
    assert event.decoded("DTSTAMP") == NOON.replace(microsecond=0)
    assert event["TRANSP"] == "TRANSPARENT"
    with database.session() as session:
        jobs.plan(session, job_id, dt.date(2026, 6, 19), "Write")
    (moved,) = events(whole(database))
    assert moved["UID"] == event["UID"]
    assert moved.decoded("DTSTART") == dt.date(2026, 6, 19)


def test_hostile_texts_stay_texts(database: Database, job_id: int) -> None:
    with database.session() as session:
        session.get_one(Job, job_id).title = HOSTILE
        jobs.plan(session, job_id, dt.date(2026, 6, 12), HOSTILE)
    meet(database, job_id, what="x;y,z\\n:\"'", place=HOSTILE, note=HOSTILE)
    body = whole(database)
    assert keeps_to_the_form(body)
    meeting, action = events(body)
    assert str(meeting["SUMMARY"]).startswith(
        'x;y,z\\n:"\': Lead; IAM, \\n "keys" BEGIN:VALARM ATTACH:x 🗝️ مهندس evil'
    )
    assert str(meeting["LOCATION"]).startswith("Lead; IAM,")
    assert 'keys"\nBEGIN:VALARM\nATTACH:x 🗝️' in str(meeting["DESCRIPTION"])
    assert [len(each.walk("VALARM")) for each in (meeting, action)] == [1, 1]
    assert "\u202e" not in body.decode()


def test_the_same_calendar_is_the_same_bytes(database: Database, job_id: int) -> None:
    for hour in (9, 11, 15):
        meet(database, job_id, begins=dt.datetime(2026, 6, 12, hour))  # noqa: DTZ001 - see above
    assert whole(database) == whole(database)


def test_what_is_over_long_ago_or_given_up_is_not_in_it(database: Database, job_id: int) -> None:
    meet(database, job_id, begins=dt.datetime(2025, 6, 1, 9))  # noqa: DTZ001 - see above
    assert events(whole(database)) == []
    meet(database, job_id)
    with database.session() as session:
        jobs.plan(session, job_id, dt.date(2026, 6, 12), "Call")
    assert len(events(whole(database))) == 2
    with database.session() as session:
        jobs.change_status(session, job_id, Status.DISMISSED, "owner")
    assert events(whole(database)) == []
    assert keeps_to_the_form(whole(database))


def test_single_events_are_whole_calendars(database: Database, job_id: int) -> None:
    number = meet(database, job_id)
    with database.reading() as session:
        body = calendars.one(appointments.get(session, job_id, number), PAGES)
        assert calendars.next_action(jobs.get(session, job_id), PAGES) is None
    assert keeps_to_the_form(body)
    assert len(events(body)) == 1
    with database.session() as session:
        jobs.plan(session, job_id, dt.date(2026, 6, 12), "")
    with database.reading() as session:
        planned = calendars.next_action(jobs.get(session, job_id), PAGES)
    assert planned is not None
    assert events(planned)[0]["SUMMARY"] == "Something is planned: IAM Engineer, Acme"


def test_renewing_ends_the_address_before_and_another_key_opens_nothing(
    database: Database, job_id: int
) -> None:
    with database.session() as session:
        before = calendars.token(session.get_one(Account, 1), KEY)
        assert calendars.opens(session.get_one(Account, 1), before, KEY)
        calendars.renew(session)
    with database.reading() as session:
        owner = session.get_one(Account, 1)
        after = calendars.token(owner, KEY)
        assert after != before
        assert not calendars.opens(owner, before, KEY)
        assert not calendars.opens(owner, after, "another key")
        assert not calendars.opens(owner, "é", KEY)
        owner.created_at += dt.timedelta(seconds=1)
        # An account that was made anew, as on another machine, has another address.
        assert not calendars.opens(owner, after, KEY)
        session.expunge(owner)


def test_a_change_is_noted_once_with_its_time(
    database: Database, job_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session() as session:
        assert calendars.changed(session.get_one(Account, 1), b"a")
        assert calendars.note_change(session, b"a") == NOON
    monkeypatch.setattr(clock, "now", lambda: NOON + dt.timedelta(hours=1))
    with database.session() as session:
        assert not calendars.changed(session.get_one(Account, 1), b"a")
        assert calendars.note_change(session, b"a") == NOON
        assert calendars.note_change(session, b"b") == NOON + dt.timedelta(hours=1)

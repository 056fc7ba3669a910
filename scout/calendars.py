"""The owner's dates for calendar programs: iCalendar (RFC 5545) at a secret address, or one event as a file.

The secret is derived as those of feeds are (`scout.searches`): from the key of this installation, when its
account was made, and the number of times that the address was renewed. A copy of the database does not open
it, and on a new machine it is another.

Times are written in UTC, which needs no zone's rules, and every program shows them by its owner's clock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Sequence

from icalendar import Alarm, Calendar, Event
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from scout import clock
from scout.agenda import OVER
from scout.html import legible
from scout.models import Account, Appointment, Job

MEDIA_TYPE = "text/calendar; charset=utf-8"
#: Days that an appointment stays in the calendar after it was.
KEPT = 365
#: The most events of a calendar, the latest.
MOST = 2000

_LONGEST_LINE = 300
_LONGEST_NOTE = 4000
#: How long before an appointment it is reminded of, and when on the day of a next action.
_BEFORE = dt.timedelta(hours=-1)
_MORNING = dt.timedelta(hours=8)


# --- The address ------------------------------------------------------------------------------------------


def token(account: Account, key: str) -> str:
    """The secret of the calendar's address.

    Args:
        account: The owner's account.
        key: The key of this installation, `scout.account.secret_key`.
    """
    said = f"calendar {account.created_at.isoformat()} {account.calendar_renewals}".encode()
    return hmac.new(key.encode(), said, hashlib.sha256).hexdigest()[:40]


def opens(account: Account, presented: str, key: str) -> bool:
    """Whether this is the secret of the calendar's address."""
    return hmac.compare_digest(token(account, key).encode(), presented.encode())


def renew(session: Session) -> Account:
    """Give the calendar another secret address; the one before ends."""
    account = session.scalars(select(Account).with_for_update()).one()
    account.calendar_renewals += 1
    session.flush()
    return account


def changed(account: Account, body: bytes) -> bool:
    """Whether the calendar differs from what it was when it was last read."""
    return account.calendar_digest != _digest(body)


def note_change(session: Session, body: bytes) -> dt.datetime:
    """Note that the calendar is so from now on, for programs that ask whether it changed since they read it.

    Returns:
        Since when it has been so: before now, where somebody else noted the same.
    """
    account = session.scalars(select(Account).with_for_update()).one()
    if changed(account, body) or account.calendar_changed_at is None:
        account.calendar_digest, account.calendar_changed_at = _digest(body), clock.now()
        session.flush()
    return account.calendar_changed_at


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


# --- What is in it ----------------------------------------------------------------------------------------


def whole(session: Session, pages: str) -> bytes:
    """All appointments, from a year ago on, and all days on which something is to be done next.

    Args:
        session: The session.
        pages: The address of the pages, without a slash at its end.
    """
    appointments = session.scalars(
        select(Appointment)
        .join(Appointment.job)
        .options(contains_eager(Appointment.job))
        .where(
            Appointment.starts_at > clock.now() - dt.timedelta(days=KEPT),
            Job.status.not_in(OVER),
        )
        .order_by(Appointment.starts_at.desc(), Appointment.id)
        .limit(MOST)
    )
    actions = session.scalars(
        select(Job)
        .where(Job.next_action_on.is_not(None), Job.status.not_in(OVER))
        .order_by(Job.next_action_on.desc(), Job.id)
        .limit(MOST)
    )
    return _written([*(_meeting(each, pages) for each in appointments), *_actions(actions, pages)])


def one(appointment: Appointment, pages: str) -> bytes:
    """One appointment as a file. Its job must be loaded."""
    return _written([_meeting(appointment, pages)])


def next_action(job: Job, pages: str) -> bytes | None:
    """What is to be done next about a job as a file; None where that has no day."""
    events = list(_actions([job], pages))
    return _written(events) if events else None


def _written(events: Sequence[Event]) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//IAM Job Scout//Pipeline//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", "IAM Job Scout")
    # How often to look again: RFC 7986, and what came before it.
    calendar.add("refresh-interval", dt.timedelta(hours=1), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for event in events:
        calendar.add_component(event)
    return bytes(calendar.to_ical(sorted=False))


def _meeting(appointment: Appointment, pages: str) -> Event:
    job = appointment.job
    title = _line(f"{appointment.what}: {_named(job)}")
    event = _event(f"{appointment.uid}@scout.invalid", title, appointment.updated_at, job, pages)
    event.add("created", appointment.created_at.replace(microsecond=0))
    event.add("sequence", appointment.sequence)
    event.add("dtstart", appointment.starts_at)
    event.add("dtend", appointment.ends_at)
    if appointment.place:
        event.add("location", _line(appointment.place))
    event.add("description", _long("\n\n".join(filter(None, (appointment.note, _page(job, pages))))))
    event.add_component(_alarm(title, _BEFORE))
    return event


def _actions(jobs: Iterable[Job], pages: str) -> Iterable[Event]:
    for job in jobs:
        if job.next_action_on is None:
            continue
        title = _line(f"{job.next_action or 'Something is planned'}: {_named(job)}")
        # There is one next action of a job at a time: another day or another text moves the same event.
        said = f"{job.id} {job.first_seen_at.isoformat()}"
        uid = f"{hashlib.sha256(said.encode()).hexdigest()[:32]}@scout.invalid"
        event = _event(uid, title, job.planned_at or job.first_seen_at, job, pages)
        event.add("dtstart", job.next_action_on)
        event.add("dtend", job.next_action_on + dt.timedelta(days=1))
        event.add("transp", "TRANSPARENT")
        event.add("description", _page(job, pages))
        event.add_component(_alarm(title, _MORNING))
        yield event


def _event(uid: str, title: str, at: dt.datetime, job: Job, pages: str) -> Event:
    event = Event()
    event.add("uid", uid)
    # Without a METHOD it tells when the event was last changed (RFC 5545, 3.8.7.2).
    event.add("dtstamp", at.replace(microsecond=0))
    event.add("last-modified", at.replace(microsecond=0))
    event.add("summary", title)
    event.add("url", _page(job, pages))
    return event


def _alarm(title: str, trigger: dt.timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", trigger)
    return alarm


def _page(job: Job, pages: str) -> str:
    return f"{pages}/jobs/{job.id}"


def _named(job: Job) -> str:
    return ", ".join(filter(None, (job.title, job.company)))


def _line(text: str) -> str:
    return " ".join(legible(text).split())[:_LONGEST_LINE]


def _long(text: str) -> str:
    return legible(text)[:_LONGEST_NOTE]

"""What is due: appointments, and what the owner means to do next; by the days of the owner's calendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from scout import clock
from scout.models import Appointment, Job, Status
from scout.telling import hours

#: Jobs of which nothing is due any more, whatever was planned.
OVER = (Status.DISMISSED, Status.CLOSED)
#: Days after today that are told as coming.
AHEAD = 7
#: The most that is told of at once; the earliest of them.
MOST = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is due.

    Attributes:
        kind: `appointment`, or `action` for what the owner means to do next.
        job: The job that it is about.
        day: Of the owner's calendar.
        what: What, in the owner's words; empty where a next action has a day alone.
        appointment: The appointment, where it is one.
        timezone: The owner's time zone, in which times are told.
    """

    kind: Literal["action", "appointment"]
    job: Job
    day: dt.date
    what: str
    timezone: str
    appointment: Appointment | None = None

    @property
    def begins(self) -> dt.datetime | None:
        """When an appointment begins, in the owner's time zone."""
        if self.appointment is None:
            return None
        return self.appointment.starts_at.astimezone(hours.zone(self.timezone))

    @property
    def words(self) -> str:
        """What is due in few words: `10:30 Interview`, `Call Dana`, or `Something is planned`."""
        if self.begins is not None:
            return f"{self.begins:%H:%M} {self.what}"
        return self.what or "Something is planned"


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is due, each the earliest first.

    Attributes:
        day: Today, by the owner's calendar.
        overdue: Next actions whose day is over. An appointment that is over is not due any more.
        today: Of today, without appointments that are over.
        soon: Of the `AHEAD` days after.
    """

    day: dt.date
    overdue: Sequence[Entry]
    today: Sequence[Entry]
    soon: Sequence[Entry]

    def __len__(self) -> int:
        """How much is due."""
        return len(self.overdue) + len(self.today) + len(self.soon)


def today(timezone: str) -> dt.date:
    """The day that it is in a time zone."""
    return clock.now().astimezone(hours.zone(timezone)).date()


def due(session: Session, timezone: str) -> Agenda:
    """What is due, by the owner's time zone."""
    day = today(timezone)
    found = entries(session, timezone, until=day + dt.timedelta(days=AHEAD))
    return Agenda(
        day=day,
        overdue=[each for each in found if each.day < day],
        today=[each for each in found if each.day == day],
        soon=[each for each in found if each.day > day],
    )


def entries(session: Session, timezone: str, *, until: dt.date) -> list[Entry]:
    """All that is due up to a day: actions whatever their day, appointments that are not over."""
    now = clock.now()
    actions = session.scalars(
        select(Job)
        .where(Job.next_action_on <= until, Job.status.not_in(OVER))
        .order_by(Job.next_action_on, Job.id)
        .limit(MOST)
    )
    found = [
        Entry("action", job, job.next_action_on, job.next_action, timezone)
        for job in actions
        if job.next_action_on is not None
    ]
    found += [
        Entry("appointment", each.job, on, each.what, timezone, each)
        for each in coming(session, since=now)
        if (on := each.starts_at.astimezone(hours.zone(timezone)).date()) <= until
    ]
    return sorted(found, key=_order)


def coming(session: Session, *, since: dt.datetime) -> Sequence[Appointment]:
    """Appointments that end after a moment, the earliest first, with their jobs."""
    # Which ones are over, each one's length decides: none lasts longer than a day.
    begun = since - dt.timedelta(days=1)
    rows = session.scalars(
        select(Appointment)
        .join(Appointment.job)
        .options(contains_eager(Appointment.job))
        .where(Appointment.starts_at > begun, Job.status.not_in(OVER))
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(MOST)
    )
    return [each for each in rows if each.ends_at > since]


def _order(entry: Entry) -> tuple[dt.date, bool, dt.datetime, int]:
    begins = entry.appointment.starts_at if entry.appointment else None
    return entry.day, begins is None, begins or dt.datetime.min.replace(tzinfo=dt.UTC), entry.job.id


def told(appointment: Appointment) -> dict[str, Any]:
    """An appointment as JSON. `starts_at` and `ends_at` are in UTC; `begins` is the same start as agreed."""
    begins = appointment.starts_at.astimezone(hours.zone(appointment.timezone))
    return {
        "id": appointment.id,
        "job_id": appointment.job_id,
        "uid": appointment.uid,
        "what": appointment.what,
        "starts_at": clock.iso(appointment.starts_at),
        "ends_at": clock.iso(appointment.ends_at),
        "begins": begins.replace(tzinfo=None).isoformat(timespec="minutes"),
        "timezone": appointment.timezone,
        "minutes": appointment.minutes,
        "place": appointment.place,
        "note": appointment.note,
        "sequence": appointment.sequence,
        "created_at": clock.iso(appointment.created_at),
        "updated_at": clock.iso(appointment.updated_at),
    }

"""Appointments: interviews and calls about a job, with their time, place and note."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from metrics import catalogue
from scout import clock, jobs
from scout.database import after_commit
from scout.errors import ScoutError
from scout.html import legible
from scout.models import Appointment
from scout.telling import hours

#: Characters of each part, and the longest that an appointment lasts, in minutes.
LONGEST_WHAT = 200
LONGEST_PLACE = 1000
LONGEST_NOTE = 20_000
LONGEST = 24 * 60
#: Usual length, in minutes.
USUAL = 60
#: Years in which an appointment may be. Others are slips of the keyboard.
_YEARS = range(1970, 2200)


class AppointmentUnusable(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """An appointment that cannot be as it is asked for. The text says what is wrong and what to do."""


class AppointmentNotFound(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The job has no appointment with this id."""

    def __init__(self, job_id: int, appointment_id: int) -> None:
        super().__init__(
            f"Job {job_id} has no appointment {appointment_id}. `scout jobs show {job_id}` shows them."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an appointment is to be.

    Attributes:
        what: In one line, such as `Interview with Dana`.
        begins: When, as the clock on the wall shows it: without a zone.
        timezone: That clock's zone, such as `Europe/Zurich`.
        minutes: How long, 1 to `LONGEST`.
        place: Where, or the address of a call; may be empty.
        note: What to bring, whom to ask for; may be empty.
    """

    what: str
    begins: dt.datetime
    timezone: str
    minutes: int = USUAL
    place: str = ""
    note: str = ""


def add(session: Session, job_id: int, wish: Wish) -> Appointment:
    """Note an appointment.

    Args:
        session: A read-write session.
        job_id: The job that it is about.
        wish: What it is.

    Raises:
        JobNotFound: There is no such job.
        AppointmentUnusable: Something about it cannot be.
        HoursUnusable: There is no such time zone.
    """
    fields = _fields(wish)
    if not jobs.is_kept(session, job_id):
        raise jobs.JobNotFound(job_id)
    made = Appointment(job_id=job_id, uid=secrets.token_hex(16), **fields)
    session.add(made)
    session.flush()
    after_commit(session, lambda: catalogue.APPOINTMENT_CHANGES.inc(change="added"))
    return made


def change(
    session: Session, job_id: int, appointment_id: int, wish: Wish, *, sequence: int | None = None
) -> Appointment:
    """Change an appointment. One that is so already stays as it is, and calendars are told nothing new.

    Args:
        session: A read-write session.
        job_id: The job that it is about.
        appointment_id: The appointment.
        wish: What it is from now on.
        sequence: The `Appointment.sequence` that the caller saw; None where nobody looked at it.

    Raises:
        AppointmentNotFound: The job has no such appointment.
        AppointmentUnusable: Something about it cannot be.
        HoursUnusable: There is no such time zone.
        Edited: It was changed since `sequence`.
    """
    fields = _fields(wish)
    found = get(session, job_id, appointment_id, lock=True)
    if all(getattr(found, name) == value for name, value in fields.items()):
        return found
    if sequence is not None and sequence != found.sequence:
        raise jobs.Edited("The appointment was changed meanwhile. Look at it again, then decide.")
    for name, value in fields.items():
        setattr(found, name, value)
    found.sequence += 1
    found.updated_at = clock.now()
    session.flush()
    after_commit(session, lambda: catalogue.APPOINTMENT_CHANGES.inc(change="changed"))
    return found


def remove(session: Session, job_id: int, appointment_id: int) -> dict[str, Any] | None:
    """Take an appointment away.

    Returns:
        What it was, for `put_back`; None where there was none: one that is gone already is no error.
    """
    try:
        found = get(session, job_id, appointment_id, lock=True)
    except AppointmentNotFound:
        return None
    was = {
        "job_id": found.job_id, "uid": found.uid, "what": found.what, "starts_at": clock.iso(found.starts_at),
        "timezone": found.timezone, "minutes": found.minutes, "place": found.place, "note": found.note,
        "sequence": found.sequence,
    }  # fmt: skip
    session.delete(found)
    session.flush()
    after_commit(session, lambda: catalogue.APPOINTMENT_CHANGES.inc(change="removed"))
    return was


def put_back(session: Session, was: Mapping[str, Any]) -> Appointment:
    """Undo `remove`: calendars take it for the same appointment. One that is back already stays.

    Args:
        session: A read-write session.
        was: What `remove` returned.

    Raises:
        JobNotFound: Its job is gone.
    """
    there = session.scalar(select(Appointment).where(Appointment.uid == was["uid"]))
    if there is not None:
        return there
    if not jobs.is_kept(session, was["job_id"]):
        raise jobs.JobNotFound(was["job_id"])
    fields = dict(was)
    fields["starts_at"] = dt.datetime.fromisoformat(was["starts_at"])
    fields["sequence"] = was["sequence"] + 1
    made = Appointment(**fields)
    session.add(made)
    session.flush()
    after_commit(session, lambda: catalogue.APPOINTMENT_CHANGES.inc(change="added"))
    return made


def get(session: Session, job_id: int, appointment_id: int, *, lock: bool = False) -> Appointment:
    """An appointment of a job; with `lock` nobody else changes it until the commit.

    Raises:
        AppointmentNotFound: The job has none with this id.
    """
    wanted = [each if 0 < each < 2**31 else 0 for each in (appointment_id, job_id)]
    statement = select(Appointment).where(Appointment.id == wanted[0], Appointment.job_id == wanted[1])
    found = session.scalar(statement.with_for_update() if lock else statement)
    if found is None:
        raise AppointmentNotFound(job_id, appointment_id)
    return found


def _fields(wish: Wish) -> dict[str, Any]:
    what, place = _line(wish.what), _line(wish.place)
    note = legible(wish.note.replace("\r\n", "\n")).strip()
    if not what:
        raise AppointmentUnusable("Say what the appointment is, such as “Interview with Dana”.")
    for words, longest, name in (
        (what, LONGEST_WHAT, "What an appointment is"),
        (place, LONGEST_PLACE, "Its place"),
        (note, LONGEST_NOTE, "Its note"),
    ):
        if len(words) > longest:
            raise AppointmentUnusable(f"{name} may have {longest:,} characters, and has {len(words):,}.")
    if not 1 <= wish.minutes <= LONGEST:
        raise AppointmentUnusable(f"An appointment lasts 1 to {LONGEST:,} minutes, not {wish.minutes:,}.")
    if wish.begins.year not in _YEARS:
        raise AppointmentUnusable(f"An appointment in the year {wish.begins.year} cannot be meant.")
    begins = wish.begins.replace(tzinfo=hours.zone(wish.timezone), second=0, microsecond=0)
    return {
        "what": what,
        "starts_at": begins.astimezone(dt.UTC),
        "timezone": wish.timezone,
        "minutes": wish.minutes,
        "place": place,
        "note": note,
    }


def _line(text: str) -> str:
    return " ".join(legible(text).split())

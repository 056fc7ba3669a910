"""Reminders: one message to each channel on the morning of a day on which something is due.

They go through the outbox as what searches find does. A day is told of once: it is written down when its
hour has come, also where nothing was due then, so that what is noted later for the same day tells nobody of
what they have just written. What a message says is looked up when it goes, and after its day it does not go.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from metrics import catalogue
from scout import agenda, clock
from scout.agenda import Entry
from scout.database import Database
from scout.models import Message, MessageState
from scout.settings import Settings
from scout.telling import hours
from scout.telling.outbox import Claim
from scout.telling.words import Item, Story, line

_BATCH = "day "


@dataclass(frozen=True, slots=True)
class Plan:
    """When reminders go, by the owner's clock, and to which channels."""

    at: dt.time
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reminder(Story):
    """A message of what is due; `kinds` are the labels that its dates are counted by."""

    kinds: tuple[str, ...] = ()


def plan(settings: Settings) -> Plan | None:
    """What the setting SCOUT_REMINDERS says; None where the owner wants none."""
    if not settings.reminders:
        return None
    at, _, names = settings.reminders.partition(" ")
    return Plan(dt.time.fromisoformat(at), tuple(names.split(",")))


def wanted(db: Database, settings: Settings) -> bool:
    """Whether today's reminders are to be made now."""
    planned = _due(settings)
    if planned is None:
        return False
    with db.reading() as session:
        made = select(Message.id).where(Message.batch == _batch(agenda.today(settings.time_zone)))
        return session.scalar(made.limit(1)) is None


def put_together(db: Database, settings: Settings) -> int:
    """Make today's reminders if their hour has come and nobody made them; how many have something to say."""
    planned = _due(settings)
    if planned is None or not wanted(db, settings):
        return 0
    day, now = agenda.today(settings.time_zone), clock.now()
    with db.session() as session:
        something = bool(_entries(session, settings, day))
        state = MessageState.WAITING if something else MessageState.EMPTY
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        # Of two tellers, one makes them.
        made = session.execute(
            dialect.insert(Message)
            .on_conflict_do_nothing(index_elements=["batch", "channel"])
            .returning(Message.id),
            [
                {
                    "batch": _batch(day), "channel": name, "state": state, "attempts": 0, "next_try_at": now,
                    "created_at": now, "jobs": 0, "reason": "",
                }
                for name in planned.channels
            ],
        ).all()  # fmt: skip
    return len(made) if something else 0


def is_one(claimed: Claim) -> bool:
    """Whether a message is a reminder."""
    return claimed.batch.startswith(_BATCH)


def story(session: Session, settings: Settings, claimed: Claim) -> Reminder:
    """What a reminder says now: what is overdue and due on its day; nothing once its day is over."""
    day = dt.date.fromisoformat(claimed.batch.removeprefix(_BATCH))
    found = _entries(session, settings, day) if day == agenda.today(settings.time_zone) else []
    return Reminder(
        search="",
        items=[_item(each, day, settings.pages) for each in found],
        pages=settings.pages,
        headline=_headline(found, day),
        kinds=tuple("overdue" if each.day < day else each.kind for each in found),
    )


def count(told: Story) -> None:
    """Count the dates that a message reminded of."""
    for kind in told.kinds if isinstance(told, Reminder) else ():
        catalogue.REMINDERS.inc(kind=kind)


def _due(settings: Settings) -> Plan | None:
    planned = plan(settings)
    if planned is None:
        return None
    here = clock.now().astimezone(hours.zone(settings.time_zone)).time()
    return planned if here >= planned.at else None


def _batch(day: dt.date) -> str:
    return f"{_BATCH}{day.isoformat()}"


def _entries(session: Session, settings: Settings, day: dt.date) -> Sequence[Entry]:
    """What is due on the day, appointments first in their order, then what is overdue."""
    found = agenda.entries(session, settings.time_zone, until=day)
    return [each for each in found if each.day == day] + [each for each in found if each.day < day]


def _headline(found: Sequence[Entry], day: dt.date) -> str:
    today = [each for each in found if each.day == day]
    if len(found) == 1:
        when = "Today" if today else "Overdue"
        return f"{when}: {found[0].words} ({found[0].job.company})"
    late = len(found) - len(today)
    parts = [f"{len(today)} due"] if today else []
    parts += [f"{late} overdue"] if late else []
    return f"Today: {', '.join(parts)}"


def _item(entry: Entry, day: dt.date, pages: str) -> Item:
    facts = [", ".join(filter(None, (entry.job.title, entry.job.company)))]
    if entry.day < day:
        facts.append(f"Overdue since {entry.day.isoformat()}")
    if entry.appointment is not None:
        facts.append(" · ".join(filter(None, (f"{entry.appointment.minutes} min", entry.appointment.place))))
    return Item(
        title=line(entry.words),
        facts=tuple(line(each) for each in facts if each),
        page=f"{pages}/jobs/{entry.job.id}",
        posting="",
    )

"""Allowances: kinds of board that may be asked so many times in any 24 hours, and what is left of that.

Each time that a kind allows is a row, and asking takes one that was not taken for a day: a conditional UPDATE
whose row count says who got it. So restarts, "scan now" and a source that is removed and added again change
nothing about the number, and it never grows.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scout import clock
from scout.fetch import FetchError, Reason
from scout.leases import changed
from scout.models import Asking
from scout.sources.about import about
from scout.sources.board import Kind

#: How long a time stays taken. A request goes out some moments after it took one; no two may come closer.
DAY = dt.timedelta(hours=24, minutes=5)
#: What a time that was given back was taken at.
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def take(session: Session, kind: Kind) -> int | None:
    """Take one of the times that a kind may be asked; its number, or None for a kind that allows any number.

    Raises:
        FetchError: None is left (the reason `daily_limit`). It tells when the next is free.
    """
    daily = about(kind).daily
    if not daily:
        return None
    now = clock.now()
    for number in range(daily):
        this = (Asking.kind == kind.name) & (Asking.number == number)
        free = update(Asking).where(this, Asking.asked_at <= now - DAY).values(asked_at=now)
        if changed(session, free):
            return number
        if session.scalar(select(Asking.number).where(this)) is None and _begun(
            session, kind.name, number, now
        ):
            return number
    free_at = next_free(session, kind) or now
    wait = max(dt.timedelta(seconds=1), free_at - now)
    raise FetchError(
        Reason.DAILY_LIMIT,
        f"{kind.title} allows {daily} readings in 24 hours, and that many were made. The next can be made at "
        f"{free_at:%H:%M} UTC. Its jobs stay as they were.",
        wait.total_seconds(),
    )


def _begun(session: Session, kind: str, number: int, now: dt.datetime) -> bool:
    try:
        with session.begin_nested():
            session.add(Asking(kind=kind, number=number, asked_at=now))
    except IntegrityError:
        return False  # somebody else was a moment faster
    return True


def give_back(session: Session, kind: Kind, number: int) -> None:
    """Give back a time that was taken: the board was not asked after all."""
    this = (Asking.kind == kind.name) & (Asking.number == number)
    changed(session, update(Asking).where(this).values(asked_at=_NEVER))


def next_free(session: Session, kind: Kind) -> dt.datetime | None:
    """When a kind may be asked next, as far as its allowance goes; None if it may be now, or has none."""
    daily = about(kind).daily
    if not daily:
        return None
    taken = session.scalars(
        select(Asking.asked_at).where(Asking.kind == kind.name, Asking.number < daily)
    ).all()
    return min(taken) + DAY if len(taken) >= daily else None

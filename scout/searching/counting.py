"""How many jobs there are in each status, counted anew only when something has changed."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scout.models import Job, Status
from scout.unchanged import kept


def by_status(session: Session) -> dict[Status, int]:
    """How many jobs have each status; every status is there, with 0 where no job has it."""
    return dict(kept(session, "counts by status", _counted))


def _counted(session: Session) -> dict[Status, int]:
    counts = dict.fromkeys(Status, 0)
    for status, number in session.execute(select(Job.status, func.count()).group_by(Job.status)):
        counts[status] = number
    return counts

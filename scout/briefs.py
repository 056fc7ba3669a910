"""Jobs in brief: what a list shows of each, read in one statement as plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from scout.identity import reposts
from scout.models import Earlier, Job, Listing, Status
from scout.postings import Remote


@dataclass(slots=True)
class Brief:
    """A job as a list shows it: some fields of `scout.models.Job`, by the same names.

    Attributes:
        times_listed: How many listings it has, open or closed.
        earlier: What it was before it was posted anew, as `Job.earlier`.
    """

    id: int
    title: str
    company: str
    url: str
    locations: list[Any]
    remote: Remote
    salary: dict[str, Any] | None
    posted_at: dt.datetime | None
    first_seen_at: dt.datetime
    score: int
    reasons: list[Any]
    status: Status
    closed_at: dt.datetime | None
    edit_unseen: bool
    looked_at: dt.datetime | None
    next_action_on: dt.date | None
    next_action: str
    repost_of_id: int | None
    version: int
    times_listed: int
    earlier: Earlier | None = None


_OWN = [field.name for field in fields(Brief) if field.name not in {"times_listed", "earlier"}]
# Put together once: that takes as long as asking.
_SOME = select(
    *(getattr(Job, name) for name in _OWN),
    select(func.count()).where(Listing.job_id == Job.id).correlate(Job).scalar_subquery(),
).where(Job.id.in_(bindparam("job_ids", expanding=True)))


def of(job: Job) -> Brief:
    """A whole job in brief. Its listings must be loaded."""
    values: list[Any] = [*(getattr(job, name) for name in _OWN), len(job.listings), job.earlier]
    return Brief(*values)


def loaded(session: Session, job_ids: Sequence[int]) -> list[Brief]:
    """Some jobs in brief, in the order of their ids here; all of them must be there."""
    if not job_ids:
        return []
    rows: Iterable[Sequence[Any]] = session.execute(_SOME, {"job_ids": job_ids})
    there = {values[0]: Brief(*values) for values in rows}
    found = [there[job_id] for job_id in job_ids]
    reposts.told(session, found)
    return found

"""Jobs that were posted anew after they were gone: what became of them before is told with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import func, literal, select, update
from sqlalchemy.orm import Session, aliased

from metrics import catalogue
from scout.database import after_commit, in_parts
from scout.identity import decision
from scout.identity.contents import facts, of_job
from scout.leases import changed
from scout.models import Earlier, Job, Listing, Separation, Source, Status, StatusChange

if TYPE_CHECKING:
    from scout.briefs import Brief

#: So far back goes a chain of reposts that is told.
_LONGEST = 50
#: A scan takes ten minutes at most, and the last page a little more.
_SCAN_LASTS = dt.timedelta(minutes=15)


def told(session: Session, jobs: Sequence[Job | Brief]) -> None:
    """Give each of some jobs that was posted anew its `earlier`: one statement, and none if none was.

    In a chain of reposts the last thing that the owner decided counts.
    """
    anew = [job.id for job in jobs if job.repost_of_id is not None]
    if not anew:
        return
    start = select(
        Job.id.label("job_id"), Job.repost_of_id.label("earlier_id"), literal(1).label("depth")
    ).where(Job.id.in_(anew))
    chain = start.cte("chain", recursive=True)
    step, before = aliased(Job), aliased(Job)
    chain = chain.union_all(
        select(chain.c.job_id, step.repost_of_id, chain.c.depth + 1)
        .join(step, step.id == chain.c.earlier_id)
        .where(step.repost_of_id.is_not(None), chain.c.depth < _LONGEST)
    )
    last = (
        select(func.max(StatusChange.id))
        .where(StatusChange.job_id == chain.c.earlier_id, StatusChange.by != "scan")
        .correlate(chain)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            chain.c.job_id, chain.c.depth, before.id, before.status, before.first_seen_at,
            StatusChange.to_status, StatusChange.at,
        )
        .select_from(chain)
        .join(before, before.id == chain.c.earlier_id)
        .outerjoin(StatusChange, StatusChange.id == last)
        .order_by(chain.c.job_id, chain.c.depth)
    ).all()  # fmt: skip
    found: dict[int, Earlier] = {}
    for row in rows:
        known = found.get(row.job_id)
        # Taken back to new is nothing decided.
        decided = row.to_status is not None and row.to_status not in {Status.NEW, Status.CLOSED}
        if decided and (known is None or not known.decided or row.at > known.at):
            found[row.job_id] = Earlier(row.id, row.to_status, row.at, decided=True)
        elif known is None:
            found[row.job_id] = Earlier(row.id, row.status, row.first_seen_at, decided=False)
    for job in jobs:
        job.earlier = found.get(job.id)


def counted(session: Session, amount: int) -> None:
    """Count jobs that were posted anew, once the transaction is committed."""
    if amount:
        after_commit(session, lambda: catalogue.REPOSTS.inc(amount))


def link_closed(session: Session, source_id: int, job_ids: Sequence[int]) -> None:
    """Link what was posted anew before its old posting was known to be gone.

    A board takes a posting down and puts it up again at once: the new one is seen one or two scans before the
    old one counts as closed.

    Args:
        session: The transaction.
        source_id: The source whose listings have just been closed; its last scan is the one before this.
        job_ids: Jobs that have just been closed with them.
    """
    last_scan = session.scalar(select(Source.last_scan_at).where(Source.id == source_id))
    if not job_ids or last_scan is None:
        return
    # Seen for the first time when the old one was missed for the first time: those that a board lists side
    # by side are two.
    since = last_scan - _SCAN_LASTS
    old, new = aliased(Listing), aliased(Listing)
    gone, anew = aliased(Job), aliased(Job)
    linked: set[int] = set()
    for some in in_parts(job_ids):
        pairs = session.execute(
            select(old, new, gone, anew)
            .join(new, new.role_key == old.role_key)
            .join(gone, gone.id == old.job_id)
            .join(anew, anew.id == new.job_id)
            .where(
                old.job_id.in_(some),
                old.source_id == source_id,
                gone.closed_at.is_not(None),
                new.job_id != old.job_id,
                new.source_id == old.source_id,
                new.closed_at.is_(None),
                new.first_seen_at > old.first_seen_at,
                new.first_seen_at >= since,
                anew.repost_of_id.is_(None),
            )
            .order_by(old.id, new.id)
        ).all()
        for before, after, was, now_is in pairs:
            if now_is.id in linked or was.id in linked or _told_apart(session, before, after):
                continue
            ours, theirs = _facts(after, now_is), _facts(before, was)
            if decision.by_role(ours, theirs) is not None and was.repost_of_id != now_is.id:
                changed(session, update(Job).where(Job.id == now_is.id).values(repost_of_id=was.id))
                linked |= {now_is.id, was.id}
    counted(session, len(linked) // 2)


def _facts(listing: Listing, job: Job) -> decision.Facts:
    return facts(listing.content or of_job(job), listing.requisition)


def _told_apart(session: Session, one: Listing, other: Listing) -> bool:
    return session.get(Separation, (min(one.id, other.id), max(one.id, other.id))) is not None


_DECIDED = {
    Status.SAVED: "You saved this",
    Status.APPLIED: "You applied for this",
    Status.INTERVIEWING: "You were interviewed for this",
    Status.OFFER: "You had an offer for this",
    Status.REJECTED: "You were rejected for this",
    Status.DISMISSED: "You dismissed this",
}


def words(earlier: Earlier) -> str:
    """What became of a job before, in a sentence: "You dismissed this on 12 May 2026"."""
    day = f"{earlier.at.astimezone(dt.UTC):%d %b %Y}".lstrip("0")
    if earlier.decided:
        return f"{_DECIDED[earlier.status]} on {day}"
    return f"Posted before: first seen on {day}"

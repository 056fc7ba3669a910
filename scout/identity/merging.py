"""Making one job of several listings, and several of one again. Nothing that the owner wrote is lost in it.

A job is more than its row: whatever refers to it (notes, history, and what later tables may add) moves with
a merge, and the record of the merge knows what moved, so that a split brings the other job back as it was,
by its old id. Two listings that were split stay apart: `Separation` keeps that.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, UniqueConstraint, delete, exists, insert, select, update
from sqlalchemy.orm import Session

from metrics import catalogue
from scout import chosen_profile, clock, jobs
from scout.database import after_commit
from scout.errors import ScoutError
from scout.identity import contents
from scout.leases import changed
from scout.models import Base, Job, Listing, Merge, Separation, Status, StatusChange

#: Tables that tell of a job what its content is, rather than what became of it: these do not move.
_OF_CONTENT = frozenset({"jobs", "listings", "descriptions", "marks"})


class CannotMerge(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """Two jobs cannot become one. The text says why."""


class CannotSplit(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A listing cannot be split off. The text says why."""


def attached(session: Session, listings: Sequence[tuple[int, int, str, str]], now: dt.datetime) -> None:
    """Record listings that a scan attached to jobs as it stored them.

    Args:
        session: The transaction.
        listings: Of each the job's id, its own id, the tier and the evidence.
        now: The time of the scan.
    """
    if not listings:
        return
    session.execute(
        insert(Merge),
        [
            {
                "job_id": job_id, "listing_id": listing_id, "tier": tier, "by": "scan", "at": now,
                "evidence": why, "undone_by": "",
            }
            for job_id, listing_id, tier, why in listings
        ],
    )  # fmt: skip
    for told, count in Counter(tier for _, _, tier, _ in listings).items():
        after_commit(session, functools.partial(_count, count, told))


def merge(
    session: Session, kept_id: int, other_id: int, *, by: str, tier: str = "owner", why: str = ""
) -> Job:
    """Make one job of two: the first stays, and the other's listings, notes and history go over to it.

    Its status is what the owner decided last about either.

    Args:
        session: A read-write session.
        kept_id: The job that stays.
        other_id: The job that becomes part of it.
        by: Who: `owner`, `command` or `scan`.
        tier: What told that they are one.
        why: The evidence, in words.

    Raises:
        JobNotFound: There is no such job.
        CannotMerge: They are one already, or one of them is on no board that is watched now.
    """
    if kept_id == other_id:
        raise CannotMerge(f"Job {kept_id} is one job already.")
    found = {job.id: job for job in contents.loaded(session, [kept_id, other_id])}
    for job_id in (kept_id, other_id):
        if job_id not in found:
            raise jobs.JobNotFound(job_id)
        if not found[job_id].listings:
            raise CannotMerge(
                f"Job {job_id} is on no board that is watched now, so nothing of it can be merged."
            )
    kept, other = found[kept_id], found[other_id]
    now = clock.now()
    for job in (kept, other):
        contents.kept_apart(job)
    listing_ids = sorted(listing.id for listing in other.listings)
    decided_there = _decided_at(session, other_id)
    decided_here = _decided_at(session, kept_id)
    absorbed = _snapshot(other) | {"into": _snapshot(kept)}
    session.flush()
    absorbed["moved"] = _move_what_refers(session, other_id, kept_id)
    changed(session, update(Listing).where(Listing.id.in_(listing_ids)).values(job_id=kept_id))
    changed(session, update(Job).where(Job.repost_of_id == other_id).values(repost_of_id=kept_id))
    if kept.repost_of_id == other_id:
        kept.repost_of_id = None
    before = kept.status
    _decide(kept, other, decided_here, decided_there)
    kept.version += kept.status is not before
    kept.first_seen_at = min(kept.first_seen_at, other.first_seen_at)
    kept.edit_unseen = kept.edit_unseen or other.edit_unseen
    kept.looked_at = kept.looked_at or other.looked_at
    if _plan(kept) == _NO_PLAN:
        kept.next_action_on, kept.next_action = _plan(other)
    if other.closed_at is None:
        kept.closed_at = None
    session.flush()
    session.expunge(other)
    changed(session, delete(Job).where(Job.id == other_id))
    session.execute(
        insert(Merge),
        [
            {
                "job_id": kept_id, "listing_id": listing_id, "tier": tier, "by": by, "at": now,
                "evidence": why, "absorbed_id": other_id, "absorbed": absorbed, "undone_by": "",
            }
            for listing_id in listing_ids
        ],
    )  # fmt: skip
    if by != "scan":
        _forget_separations(session, kept_id)
    contents.compose(session, [kept_id])
    after_commit(session, functools.partial(_count, len(listing_ids), tier))
    return kept


def split(session: Session, job_id: int, listing_id: int, *, by: str) -> Job:
    """Take a listing off a job: it is a job of its own again, with what it says itself.

    What was a job before it was merged comes back whole, by its old id, with its listings, status, notes and
    history. What the owner decided since stays with the job that was merged into.

    Args:
        session: A read-write session.
        job_id: The job.
        listing_id: One of its listings.
        by: Who: `owner` or `command`.

    Returns:
        The job that the listing has now.

    Raises:
        JobNotFound: There is no such job.
        CannotSplit: It has no such listing, or no other.
    """
    found = contents.loaded(session, [job_id]) if 0 < job_id < 2**31 else []
    if not found:
        raise jobs.JobNotFound(job_id)
    job = found[0]
    listing = next((each for each in job.listings if each.id == listing_id), None)
    if listing is None:
        has = ", ".join(str(each.id) for each in job.listings) or "none"
        raise CannotSplit(f"Job {job_id} has no listing {listing_id}. Its listings are: {has}.")
    if len(job.listings) < 2:  # noqa: PLR2004 - one to stay, one to go
        raise CannotSplit(f"Job {job_id} has one listing only, so there is nothing to split off.")
    now = clock.now()
    contents.kept_apart(job)
    record = session.scalars(
        select(Merge)
        .where(Merge.listing_id == listing_id, Merge.job_id == job_id, Merge.undone_at.is_(None))
        .order_by(Merge.id.desc())
        .limit(1)
    ).first()
    leaving = [listing]
    if record is not None and record.absorbed_id is not None:
        together = set(
            session.scalars(
                select(Merge.listing_id).where(
                    Merge.job_id == job_id,
                    Merge.absorbed_id == record.absorbed_id,
                    Merge.undone_at.is_(None),
                )
            )
        )
        leaving = [each for each in job.listings if each.id in together]
    staying = [each for each in job.listings if each not in leaving]
    if not staying:
        leaving, staying, record = [listing], [each for each in job.listings if each is not listing], None
    new = _own_job(session, job, leaving, record)
    undone = [each.id for each in leaving]
    changed(
        session,
        update(Merge)
        .where(Merge.listing_id.in_(undone), Merge.job_id == job_id, Merge.undone_at.is_(None))
        .values(undone_at=now, undone_by=by),
    )
    _separate(session, leaving, staying, now, by)
    if record is not None and record.absorbed is not None:
        _as_before(session, job, record)
    _after_split(session, job, staying, now)
    tier = record.tier if record is not None else "owner"
    after_commit(session, lambda: catalogue.SPLITS.inc(tier=tier))
    return new


def kept_instead(session: Session, job_id: int) -> int | None:
    """The job that a job's listings went to when it was merged; None if it was not."""
    seen: set[int] = set()
    found: int | None = None
    here = job_id if 0 < job_id < 2**31 else 0
    while here not in seen:
        seen.add(here)
        there = session.scalar(
            select(Merge.job_id)
            .where(Merge.absorbed_id == here, Merge.undone_at.is_(None))
            .order_by(Merge.id.desc())
            .limit(1)
        )
        if there is None:
            return found
        found = here = there
    return found


# --- Parts of it ------------------------------------------------------------------------------------------


def _count(listings: int, tier: str) -> None:
    catalogue.MERGES.inc(listings, tier=tier)


def _decided_at(session: Session, job_id: int) -> dt.datetime | None:
    """When the owner last decided something about a job."""
    return session.scalar(
        select(StatusChange.at)
        .where(StatusChange.job_id == job_id, StatusChange.by != "scan")
        .order_by(StatusChange.id.desc())
        .limit(1)
    )


def _decide(kept: Job, other: Job, here: dt.datetime | None, there: dt.datetime | None) -> None:
    """Give the job that stays the status that the owner decided last, of either."""
    if there is not None and (here is None or there > here):
        kept.status = other.status
    elif kept.status is Status.CLOSED and other.closed_at is None:
        kept.status = Status.NEW


_NO_PLAN: tuple[dt.date | None, str] = (None, "")


def _plan(job: Job) -> tuple[dt.date | None, str]:
    return job.next_action_on, job.next_action


def _plan_of(snapshot: Mapping[str, Any]) -> tuple[dt.date | None, str]:
    day, action = snapshot.get("plan", (None, ""))
    return dt.date.fromisoformat(day) if day else None, action


def _snapshot(job: Job) -> dict[str, Any]:
    """What of a job is no content and would be lost with its row, for JSON."""
    return {
        "status": job.status.value,
        "first_seen_at": job.first_seen_at.isoformat(),
        "closed_at": job.closed_at.isoformat() if job.closed_at else None,
        "version": job.version,
        "repost_of_id": job.repost_of_id,
        "plan": [job.next_action_on.isoformat() if job.next_action_on else None, job.next_action],
    }


def _referring() -> Iterable[Table]:
    """The tables whose rows belong to a job, with an id of their own."""
    for table in Base.metadata.sorted_tables:
        column = table.c.get("job_id")
        if column is not None and table.name not in _OF_CONTENT and "id" in table.c:
            yield table


def _move_what_refers(session: Session, from_id: int, to_id: int) -> dict[str, list[int]]:
    """Move the rows of a job to another; which they were, by table."""
    moved: dict[str, list[int]] = {}
    for table in _referring():
        wanted = select(table.c.id).where(table.c.job_id == from_id)
        for unique in table.constraints:
            if isinstance(unique, UniqueConstraint) and "job_id" in unique.columns:
                # What the other job has too, such as that a search found it, is there once then.
                there = table.alias()
                others = [there.c[each.name] == each for each in unique.columns if each.name != "job_id"]
                wanted = wanted.where(~exists().where(there.c.job_id == to_id, *others))
        ids = list(session.scalars(wanted))
        if ids:
            session.execute(update(table).where(table.c.id.in_(ids)).values(job_id=to_id))
            moved[table.name] = ids
    return moved


def _own_job(session: Session, job: Job, leaving: Sequence[Listing], record: Merge | None) -> Job:
    """A job for the listings that leave: the one that they had, where they had one."""
    first = min(leaving, key=lambda each: each.id)
    own: dict[str, Any] = {"status": Status.NEW, "first_seen_at": first.first_seen_at, "version": 1}
    before = record.absorbed if record is not None else None
    if before is not None and record is not None:
        own = {
            "id": record.absorbed_id,
            "status": Status(before["status"]),
            "first_seen_at": dt.datetime.fromisoformat(before["first_seen_at"]),
            "version": before["version"] + 1,
        }
        own["next_action_on"], own["next_action"] = _plan_of(before)
        if before["repost_of_id"] is not None and session.get(Job, before["repost_of_id"]) is not None:
            own["repost_of_id"] = before["repost_of_id"]
    content = first.content or contents.of_job(job)
    new = Job(title=content["title"], company=content["company"], url=content["url"], **own)
    session.add(new)
    session.flush()
    if before is not None:
        for table in _referring():
            ids = before["moved"].get(table.name, [])
            if ids:
                session.execute(
                    update(table).where(table.c.id.in_(ids), table.c.job_id == job.id).values(job_id=new.id)
                )
    for listing in leaving:
        listing.job_id = new.id
    session.flush()
    contents.put(new, contents.composed(leaving), chosen_profile.in_use(session))
    if all(listing.closed_at is not None for listing in leaving):
        jobs.close(session, new)
    elif new.status is Status.CLOSED:
        jobs.reopen(session, new)
    if len(leaving) == 1:
        first.content = None
    session.flush()
    return new


def _as_before(session: Session, job: Job, record: Merge) -> None:
    """Give a job back what the undone merge changed of it, unless the owner has decided something since."""
    before = (record.absorbed or {})["into"]
    job.first_seen_at = dt.datetime.fromisoformat(before["first_seen_at"])
    if _plan(job) == _plan_of(record.absorbed or {}):
        job.next_action_on, job.next_action = _plan_of(before)
    decided = _decided_at(session, job.id)
    if (decided is None or decided <= record.at) and job.status is not Status(before["status"]):
        job.status = Status(before["status"])
        job.version += 1
    if job.status is Status.CLOSED and job.closed_at is None:
        jobs.reopen(session, job)


def _after_split(session: Session, job: Job, staying: Sequence[Listing], now: dt.datetime) -> None:
    """Let the job that is left say what its listings say, and close if none of them is open."""
    contents.put(job, contents.composed(staying), chosen_profile.in_use(session))
    if len(staying) == 1:
        staying[0].content = None
    if all(listing.closed_at is not None for listing in staying):
        jobs.close(session, job, now)
    session.flush()
    session.expire(job, ["listings", "history", "notes"])


def _separate(
    session: Session, leaving: Sequence[Listing], staying: Sequence[Listing], now: dt.datetime, by: str
) -> None:
    for one in leaving:
        for other in staying:
            pair = (min(one.id, other.id), max(one.id, other.id))
            if session.get(Separation, pair) is None:
                session.add(Separation(listing_id=pair[0], other_id=pair[1], at=now, by=by))
    session.flush()


def _forget_separations(session: Session, job_id: int) -> None:
    """The owner joins what was told apart before: the last word counts."""
    ids = list(session.scalars(select(Listing.id).where(Listing.job_id == job_id)))
    changed(session, delete(Separation).where(Separation.listing_id.in_(ids), Separation.other_id.in_(ids)))

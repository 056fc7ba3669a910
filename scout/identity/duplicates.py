"""Jobs that look like one and were not merged, for the owner to decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from scout.identity import decision, resemblance
from scout.identity.contents import facts, of_job
from scout.models import Job, Listing, Mark, Separation

#: So many keys that several jobs share, and so many jobs of one key, are looked at.
_MOST_KEYS = 500
_MOST_OF_ONE = 6
_MOST_MARKED = 2000


@dataclass(frozen=True, slots=True)
class Pair:
    """Two jobs that look like one.

    Attributes:
        job: The one first seen.
        other: The other.
        tier: What tells it: `address`, `role` or `text`.
        why: The evidence, in words.
    """

    job: Job
    other: Job
    tier: str
    why: str


def found(session: Session) -> Iterator[Pair]:
    """Pairs of listed jobs that look like one, the surest first; those that the owner told apart are not."""
    seen: set[tuple[int, int]] = set()
    for pairs in (_by_keys(session), _by_texts(session)):
        for pair in pairs:
            ids = (pair.job.id, pair.other.id)
            if ids not in seen:
                seen.add(ids)
                yield pair


def _by_keys(session: Session) -> Iterator[Pair]:
    for column in (Listing.address_key, Listing.role_key):
        shared = session.scalars(
            select(column)
            .where(column.is_not(None), Listing.closed_at.is_(None))
            .group_by(column)
            .having(func.count(Listing.job_id.distinct()) > 1)
            .limit(_MOST_KEYS)
        ).all()
        for key in shared:
            yield from _of_key(session, list(_listed(session, column == key)))


def _listed(session: Session, condition: object) -> Iterator[Listing]:
    yield from session.scalars(
        select(Listing)
        .where(condition, Listing.closed_at.is_(None))  # type: ignore[arg-type]
        .order_by(Listing.job_id, Listing.id)
        .limit(_MOST_OF_ONE)
        .options(
            joinedload(Listing.job).joinedload(Job.description),
            joinedload(Listing.job).selectinload(Job.listings),
        )
    )


def _of_key(session: Session, listings: list[Listing]) -> Iterator[Pair]:
    for at, one in enumerate(listings):
        for other in listings[at + 1 :]:
            if one.job_id == other.job_id or _told_apart(session, one.job, other.job):
                continue
            ours, theirs = (
                facts(each.content or of_job(each.job), each.requisition) for each in (one, other)
            )
            verdict = decision.judge(ours, theirs, one_board=_one_board(one.job, other.job))
            if verdict is not None:
                first, second = sorted((one.job, other.job), key=lambda job: job.id)
                yield Pair(first, second, verdict.tier, verdict.why)


def _one_board(one: Job, other: Job) -> bool:
    boards = ({each.source_id for each in job.listings if each.closed_at is None} for job in (one, other))
    return bool(set.intersection(*boards))


def _told_apart(session: Session, one: Job, other: Job) -> bool:
    ids = [listing.id for job in (one, other) for listing in job.listings]
    return (
        session.scalar(
            select(func.count()).where(Separation.listing_id.in_(ids), Separation.other_id.in_(ids))
        )
        or 0
    ) > 0


def _by_texts(session: Session) -> Iterator[Pair]:
    marked = session.scalars(
        select(Job)
        .where(Job.id.in_(select(Mark.job_id)), Job.closed_at.is_(None))
        .order_by(Job.score.desc(), Job.id)
        .limit(_MOST_MARKED)
        .options(joinedload(Job.description), selectinload(Job.listings))
    ).all()
    for job in marked:
        for like in resemblance.look_alikes(session, job):
            if like.job.closed_at is None and not _told_apart(session, job, like.job):
                first, second = sorted((job, like.job), key=lambda each: each.id)
                share = round(100 * like.share)
                yield Pair(first, second, "text", f"another company, but {share} % of the words")

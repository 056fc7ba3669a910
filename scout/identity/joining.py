"""Finding the job that a posting belongs to, for a batch of postings at once.

A few statements a batch, whatever is stored: each looks a set of keys or ids up in an index.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased, joinedload

from scout.identity import decision, merging
from scout.identity.contents import facts as facts_of_content
from scout.identity.contents import lock, of_job
from scout.identity.decision import Facts, Verdict
from scout.identity.keys import Keys
from scout.models import Description, Job, Listing, Separation
from scout.postings import Place, Posting, Remote

#: A job first seen so long ago that its boards did not name last time counts as gone when it is posted anew.
GONE_AFTER = dt.timedelta(days=14)
#: Texts are compared with so many candidates of a posting at most.
_MOST_TEXTS = 5
#: What was stored so long before a scan began may have been stored by one that was under way with it.
_OVERLAP = dt.timedelta(minutes=15)
_MOST_PAIRS = 1000


@dataclass(frozen=True, slots=True)
class Belongs:
    """Where a posting belongs.

    Attributes:
        job_id: A stored job, or None where it belongs to another posting of the batch.
        entry: That posting's place in the batch, or None.
        verdict: Why.
        anew: Whether the job is gone, and the posting is the same role posted anew: a job of its own.
    """

    job_id: int | None
    entry: int | None
    verdict: Verdict
    anew: bool = False


@dataclass(slots=True)
class Candidate:
    """A stored listing that shares a key with a posting."""

    listing_id: int
    job_id: int
    source_id: int
    address: int | None
    role: int | None
    facts: Facts
    described: bool
    """Whether the text is in the listing's own content; else it is to be loaded from the job's."""
    open: bool
    job_open: bool
    gone: bool
    first_seen_at: dt.datetime


@dataclass(slots=True)
class _Batch:
    """The candidates of a batch by their keys, and what the batch has given away."""

    by_address: dict[int, list[Candidate]] = field(default_factory=dict)
    by_role: dict[int, list[Candidate]] = field(default_factory=dict)
    ours: set[int] = field(default_factory=set)
    """Jobs that the source lists already: none of its other postings is one of them by its role."""


def belonging(
    session: Session, source_id: int, postings: Sequence[Posting], told: Sequence[Keys], now: dt.datetime
) -> list[Belongs | None]:
    """Where each of a source's new postings belongs; None for those that are jobs of their own.

    Args:
        session: The transaction.
        source_id: The source that lists them.
        postings: Postings that are completed, new to their source.
        told: Their keys.
        now: The time of the scan.
    """
    batch = _Batch()
    for each in _candidates(session, _shares_a_key(told), now):
        if each.address is not None:
            batch.by_address.setdefault(each.address, []).append(each)
        if each.role is not None and (each.source_id != source_id or not each.open):
            batch.by_role.setdefault(each.role, []).append(each)
    if batch.by_role:
        batch.ours = _listed_by(session, source_id, batch.by_role.values())
        _load_texts(session, postings, told, batch)
    found: list[Belongs | None] = []
    first: dict[int | None, int] = {}
    for at, (posting, own) in enumerate(zip(postings, told, strict=True)):
        belongs = None
        if own.address in batch.by_address or own.role in batch.by_role or own.address in first:
            ours = decision.facts(posting)
            before = first.get(own.address)
            belongs = _by_address(source_id, ours, own, batch)
            if belongs is None and before is not None:
                verdict = decision.by_address(ours, decision.facts(postings[before]), one_board=True)
                belongs = _beside(found[before], before, verdict) if verdict is not None else None
            belongs = belongs or _by_role(ours, own, batch)
        if belongs is not None and belongs.job_id is not None and not belongs.anew:
            batch.ours.add(belongs.job_id)
        if own.address is not None:
            first.setdefault(own.address, at)
        found.append(belongs)
    return found


def _beside(leader: Belongs | None, entry: int, verdict: Verdict) -> Belongs:
    """Where a posting belongs that is one with an earlier one of its batch: to the same job as that."""
    if leader is None or leader.anew:
        return Belongs(None, entry, verdict)
    return Belongs(leader.job_id, leader.entry, verdict)


def _by_address(source_id: int, ours: Facts, own: Keys, batch: _Batch) -> Belongs | None:
    if own.address is None:
        return None
    for each in sorted(
        batch.by_address.get(own.address, ()), key=lambda each: (not each.job_open, each.job_id)
    ):
        verdict = decision.by_address(ours, each.facts, one_board=each.source_id == source_id)
        if verdict is not None:
            return Belongs(each.job_id, None, verdict)
    return None


def _by_role(ours: Facts, own: Keys, batch: _Batch) -> Belongs | None:
    if own.role is None:
        return None
    fitting: dict[int, tuple[Verdict, Candidate]] = {}
    candidates = batch.by_role.get(own.role, ())
    alive = {each.job_id for each in candidates if not each.gone}
    for each in candidates:
        if each.job_id in alive and (each.gone or each.job_id in batch.ours):
            continue
        verdict = decision.by_role(ours, each.facts)
        if verdict is not None and (each.job_id not in fitting or verdict.certain):
            fitting[each.job_id] = (verdict, each)
    listed = {job_id: fit for job_id, fit in fitting.items() if not fit[1].gone}
    chosen = _chosen(ours, listed)
    if chosen is not None:
        return Belongs(chosen[1].job_id, None, chosen[0])
    gone = sorted((fit for fit in fitting.values() if fit[1].gone), key=lambda fit: fit[1].first_seen_at)
    if listed or not gone:
        return None
    verdict, last = gone[-1]
    return Belongs(last.job_id, None, verdict, anew=True)


def _chosen(ours: Facts, fitting: dict[int, tuple[Verdict, Candidate]]) -> tuple[Verdict, Candidate] | None:
    """The one that fits best; None where none does, or several might and nothing tells them apart."""
    certain = [fit for fit in fitting.values() if fit[0].certain]
    if not certain:
        return next(iter(fitting.values())) if len(fitting) == 1 else None
    if len(certain) == 1:
        return certain[0]
    return max(certain, key=lambda fit: (decision.alike(ours.text, fit[1].facts.text) or 0.0, -fit[1].job_id))


# --- What is asked of the database ------------------------------------------------------------------------


def _shares_a_key(told: Iterable[Keys]) -> Iterator[ColumnElement[bool]]:
    # Two statements: an OR over two columns keeps either database from its indexes.
    told = list(told)
    addresses = sorted({each.address for each in told if each.address is not None})
    roles = sorted({each.role for each in told if each.role is not None})
    if addresses:
        yield Listing.address_key.in_(addresses)
    if roles:
        yield Listing.role_key.in_(roles)


def _candidates(
    session: Session, conditions: Iterable[ColumnElement[bool]], now: dt.datetime
) -> Iterator[Candidate]:
    seen: set[int] = set()
    for condition in conditions:
        for row in session.execute(_CANDIDATES.where(condition)):
            if row.id not in seen:
                seen.add(row.id)
                yield _candidate(row, now)


_CANDIDATES = select(
    Listing.id, Listing.job_id, Listing.source_id, Listing.address_key, Listing.role_key, Listing.requisition,
    Listing.url, Listing.closed_at, Listing.missing, Listing.content, Job.title, Job.company, Job.places,
    Job.remote, Job.level, Job.language, Job.closed_at.label("job_closed_at"), Job.first_seen_at,
).join(Job, Job.id == Listing.job_id)  # fmt: skip


def _candidate(row: Any, now: dt.datetime) -> Candidate:
    if row.content is not None:
        told = facts_of_content(row.content, row.requisition)
    else:
        told = Facts(
            title=row.title,
            company=row.company,
            url=row.url,
            places=tuple(Place(**each) for each in row.places),
            remote=Remote(row.remote),
            level=row.level,
            language=row.language,
            requisition=row.requisition,
        )
    job_open = row.job_closed_at is None
    return Candidate(
        listing_id=row.id,
        job_id=row.job_id,
        source_id=row.source_id,
        address=row.address_key,
        role=row.role_key,
        facts=told,
        described=row.content is not None,
        open=row.closed_at is None and not row.missing,
        job_open=job_open,
        gone=not job_open or (row.missing > 0 and now - row.first_seen_at > GONE_AFTER),
        first_seen_at=row.first_seen_at,
    )


def _listed_by(session: Session, source_id: int, groups: Iterable[list[Candidate]]) -> set[int]:
    job_ids = sorted({each.job_id for group in groups for each in group})
    found: set[int] = set()
    for start in range(0, len(job_ids), 5000):
        found.update(
            session.scalars(
                select(Listing.job_id).where(
                    Listing.job_id.in_(job_ids[start : start + 5000]),
                    Listing.source_id == source_id,
                    Listing.closed_at.is_(None),
                )
            )
        )
    return found


def _load_texts(session: Session, postings: Sequence[Posting], told: Sequence[Keys], batch: _Batch) -> None:
    """Give the candidates that may fit by their role the texts that are compared; no others."""
    wanted: dict[int, list[Candidate]] = {}
    for posting, own in zip(postings, told, strict=True):
        candidates = batch.by_role.get(own.role) if own.role is not None else None
        if not candidates or not posting.description_text:
            continue
        ours = decision.facts(posting)
        fitting = [
            each
            for each in candidates
            if not each.described and decision.overlapping(ours, each.facts)[0] != "none"
        ]
        for each in fitting[:_MOST_TEXTS]:
            wanted.setdefault(each.job_id, []).append(each)
    if not wanted:
        return
    rows = session.execute(
        select(Description.job_id, Description.text).where(Description.job_id.in_(sorted(wanted)))
    )
    for job_id, text in rows:
        for each in wanted[job_id]:
            each.facts = decision.with_text(each.facts, text)
            each.described = True


# --- Postings that two stored at once ---------------------------------------------------------------------


def join_stored_at_once(session: Session, source_id: int, since: dt.datetime) -> None:
    """Make one job of each two that a scan stored while another worker stored its like.

    On SQLite one writes after the other, so each sees what is there and nothing is to be done.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    for kept_id, other_id, verdict in _stored_at_once(session, source_id, since):
        if len(lock(session, (kept_id, other_id))) == 2:  # noqa: PLR2004 - or the other worker has done it
            merging.merge(session, kept_id, other_id, by="scan", tier=verdict.tier, why=verdict.why)


def _stored_at_once(session: Session, source_id: int, since: dt.datetime) -> list[tuple[int, int, Verdict]]:
    """Jobs that two workers stored at once, neither of which saw the other's: pairs to merge, and why.

    Args:
        session: The transaction.
        source_id: The source whose scan ends.
        since: When that scan began: what it stored has been seen since.
    """
    mine, other = aliased(Listing), aliased(Listing)
    found: list[tuple[int, int, Verdict]] = []
    merged: set[int] = set()
    for key in ("address_key", "role_key"):
        pairs = session.execute(
            select(mine.id, other.id)
            .join(other, getattr(other, key) == getattr(mine, key))
            .where(
                mine.source_id == source_id,
                mine.first_seen_at >= since,
                mine.closed_at.is_(None),
                other.source_id != source_id,
                other.job_id != mine.job_id,
                other.first_seen_at >= since - _OVERLAP,
                other.closed_at.is_(None),
            )
            .limit(_MOST_PAIRS)
        ).all()
        for one, two in pairs:
            verdict, jobs = _judged(session, one, two)
            if verdict is not None and verdict.certain and merged.isdisjoint(jobs):
                found.append((min(jobs), max(jobs), verdict))
                merged |= jobs
    return found


def _judged(session: Session, one: int, two: int) -> tuple[Verdict | None, set[int]]:
    """Whether two listings are one job, unless a board lists both jobs or the owner told them apart."""
    listings = session.scalars(
        select(Listing)
        .where(Listing.id.in_((one, two)))
        .options(joinedload(Listing.job))
        .order_by(Listing.id)
    ).all()
    jobs = {each.job_id for each in listings}
    apart = session.get(Separation, (min(one, two), max(one, two)))
    if apart is not None or len(jobs) < 2:  # noqa: PLR2004 - a pair
        return None, jobs
    ours, theirs = (facts_of_content(each.content or of_job(each.job), each.requisition) for each in listings)
    verdict = decision.by_address(ours, theirs, one_board=False)
    if verdict is None and not _one_board_lists_both(session, jobs):
        verdict = decision.by_role(ours, theirs)
    return verdict, jobs


def _one_board_lists_both(session: Session, jobs: set[int]) -> bool:
    rows = session.execute(
        select(Listing.source_id, Listing.job_id).where(
            Listing.job_id.in_(sorted(jobs)), Listing.closed_at.is_(None)
        )
    ).all()
    sources = [source for source, _ in {(row[0], row[1]) for row in rows}]
    return len(sources) != len(set(sources))

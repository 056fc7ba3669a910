"""Texts that are much alike, whatever the company: an agency's copy of an employer's posting. It only warns.

A text has a few marks: some of its runs of three words are hashed, chosen by their first word, and the eight
least hashes are kept. Two texts share as many of their marks, on average, as they share runs of words. Only
jobs that match the profile well have marks, so that a scan pays little; who shares some is looked up by an
index, and then the texts themselves are compared.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, insert, select
from sqlalchemy.orm import Session, joinedload

from scout.identity import decision, keys
from scout.leases import changed
from scout.models import Description, Job, Mark

#: From this share of common words on, two companies' texts are told to be alike.
ALIKE = 0.7
#: Jobs have marks from this score on.
WORTH = 25
_MARKS = 8
_SHARED = 2
#: One in so many runs is hashed.
_EVERY = 4
_FEWEST_WORDS = 40
_MOST_WORDS = 600
_MOST_ALIKE = 20
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A job of another company whose text is much the same: the job, and the share of common words."""

    job: Job
    share: float


def marks(text: str) -> set[int]:
    """The marks of a text; none of one that is too short to be told from others."""
    words = text[: _MOST_WORDS * 12].casefold().encode("utf-8", "replace").split()[:_MOST_WORDS]
    if len(words) < _FEWEST_WORDS:
        return set()
    hashed = list(map(zlib.crc32, words))
    # Numbers, not words, are put together: a quarter of the time. The factors are odd and without a pattern.
    runs = {
        (one * 0x9E3779B1 + two * 0x85EBCA77 + three) & 0xFFFFFFFF
        for one, two, three in zip(hashed, hashed[1:], hashed[2:], strict=False)
        if one % _EVERY == 0
    }
    return set(heapq.nsmallest(_MARKS, runs))


def mark(session: Session, texts: Iterable[tuple[int, str]], *, anew: bool = False) -> None:
    """Keep the marks of jobs' texts.

    Args:
        session: The transaction.
        texts: Jobs' ids and texts.
        anew: Whether the jobs may have marks of an earlier text.
    """
    told = [(job_id, marks(text)) for job_id, text in texts]
    if anew and told:
        changed(session, delete(Mark).where(Mark.job_id.in_([job_id for job_id, _ in told])))
    rows = [{"job_id": job_id, "mark": each} for job_id, own in told for each in sorted(own)]
    if rows:
        session.connection().execute(insert(Mark.__table__), rows)  # type: ignore[arg-type]


def mark_missing(session: Session) -> None:
    """Keep the marks of jobs that came to match only when the profile changed: of a thousand at most."""
    has = exists().where(Mark.job_id == Job.id)
    rows = session.execute(
        select(Job.id, Description.text)
        .join(Description, Description.job_id == Job.id)
        .where(Job.score >= WORTH, ~has, func.length(Description.text) > _FEWEST_WORDS * 4)
        .order_by(Job.score.desc())
        .limit(_AT_ONCE)
    ).all()
    mark(session, [(row[0], row[1]) for row in rows])


def look_alikes(session: Session, job: Job) -> list[LookAlike]:
    """Jobs of other companies whose texts are much like a job's, the most alike first.

    Its description must be loaded.
    """
    own = marks(job.description_text)
    if not own:
        return []
    shared = (
        select(Mark.job_id)
        .where(Mark.mark.in_(own), Mark.job_id != job.id)
        .group_by(Mark.job_id)
        .having(func.count() >= _SHARED)
        .order_by(func.count().desc(), Mark.job_id)
        .limit(_MOST_ALIKE)
    )
    others = session.scalars(select(Job).where(Job.id.in_(shared)).options(joinedload(Job.description))).all()
    return sorted(_alike(job, others), key=lambda found: (-found.share, found.job.id))


def _alike(job: Job, others: Iterable[Job]) -> Iterator[LookAlike]:
    company = keys.company(job.company)
    for other in others:
        if keys.company(other.company) == company:
            continue
        share = decision.alike(job.description_text, other.description_text)
        if share is not None and share >= ALIKE:
            yield LookAlike(other, share)

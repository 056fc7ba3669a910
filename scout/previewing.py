"""What a profile would do to the jobs kept, without changing any: appear, vanish, rise, fall."""

from __future__ import annotations

import enum
import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scout import matching
from scout.matching import Match, Profile
from scout.matching.stored import TERM_COLUMNS, WISH_COLUMNS, posting_of
from scout.models import Description, Job

#: Jobs that are held at once while all are read.
_BATCH = 500


class Change(enum.StrEnum):
    """What would become of a job's score."""

    APPEARS = "appears"
    VANISHES = "vanishes"
    RISES = "rises"
    FALLS = "falls"
    STAYS = "stays"

    @classmethod
    def between(cls, now: int, then: int) -> Change:
        """The change from one score to another."""
        if now == then:
            return cls.STAYS
        if not now or not then:
            return cls.VANISHES if now else cls.APPEARS
        return cls.RISES if then > now else cls.FALLS


@dataclass(frozen=True, slots=True)
class Previewed:
    """A job as it would be.

    Attributes:
        id: The job.
        title: Its title.
        company: Its company.
        now: Its score now.
        match: How it would match.
        change: What that would be.
    """

    id: int
    title: str
    company: str
    now: int
    match: Match
    change: Change


@dataclass(slots=True)
class Preview:
    """What would become of all.

    Attributes:
        counts: How many jobs of each change.
        matching: How many would score above 0.
        best: The best, best first; of those that vanish, those that score most now.
        cut: Whether older jobs were left out.
    """

    counts: Counter[Change] = field(default_factory=Counter)
    matching: int = 0
    best: list[Previewed] = field(default_factory=list)
    cut: bool = False

    @property
    def total(self) -> int:
        """How many jobs there are."""
        return self.counts.total()


def preview(
    session: Session, profile: Profile, *, limit: int, only: Change | None = None, newest: int | None = None
) -> Preview:
    """Score all jobs kept with a profile, reading a few at a time.

    Args:
        session: Where to read.
        profile: The profile to try.
        limit: How many jobs to name.
        only: Name those of one change; None means the best matches.
        newest: Score only so many jobs, the newest; None means all.
    """
    found = Preview()

    def named() -> Iterator[tuple[int, int, Any, Match, Change]]:
        for row in _rows(session, newest, wishes=bool(profile.wishes)):
            match = matching.score(posting_of(row, row.text, wishes=bool(profile.wishes)), profile)
            change = Change.between(row.score, match.score)
            found.counts[change] += 1
            found.matching += match.score > 0
            if change is only or (only is None and match.score):
                # The id makes each unlike any other, so that no rows are compared.
                yield max(match.score, row.score) if only else match.score, -row.id, row, match, change

    found.best = [
        Previewed(row.id, row.title, row.company, row.score, match, change)
        for _, _, row, match, change in heapq.nlargest(limit, named())
    ]
    found.cut = newest is not None and found.total == newest
    return found


def _rows(session: Session, newest: int | None, *, wishes: bool) -> Any:
    columns = (*TERM_COLUMNS, *(WISH_COLUMNS if wishes else ()), Job.score)
    wanted = (
        select(*columns, func.coalesce(Description.text, "").label("text"))
        .outerjoin(Description, Description.job_id == Job.id)
        .order_by(Job.id if newest is None else Job.id.desc())
        .execution_options(yield_per=_BATCH)
    )
    return session.execute(wanted if newest is None else wanted.limit(newest))

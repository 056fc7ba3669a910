"""How far scan runs have come: sums over their boards, those that matter now, how long it may take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, contains_eager

from scout import clock
from scout.models import ScanResult, ScanRun, ScanState, Source
from scout.runs import RunNotFound

#: Boards that must have ended, and how long a run must have gone on, for a guess at the rest to be worth it.
_GUESS_AFTER = 3
_GUESS_FROM = dt.timedelta(seconds=3)

#: Boards of a run that are on a page of it: those that matter now come first.
SHOWN = 50
#: What goes on comes first, then what needs a look.
ORDER = (
    ScanState.RUNNING,
    ScanState.FAILED,
    ScanState.PARTIAL,
    ScanState.CANCELLED,
    ScanState.SUCCEEDED,
    ScanState.QUEUED,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come.

    Attributes:
        run: The run.
        boards: How many of its boards are in each state.
        seen: Postings seen, summed over the boards.
        new: Postings seen for the first time.
        updated: Postings that had changed.
        closed: Postings that were gone.
    """

    run: ScanRun
    boards: dict[ScanState, int]
    seen: int
    new: int
    updated: int
    closed: int

    @property
    def all(self) -> int:
        """How many boards it has."""
        return sum(self.boards.values())

    @property
    def ended(self) -> int:
        """How many of them are done with."""
        return sum(count for state, count in self.boards.items() if state.ended)

    @property
    def failed(self) -> int:
        """How many could not be read."""
        return self.boards.get(ScanState.FAILED, 0)

    @property
    def cancelling(self) -> bool:
        """Whether it was cancelled, and boards that are being read have yet to stop."""
        return self.run.cancel_asked_at is not None and not self.run.state.ended

    @property
    def left(self) -> dt.timedelta | None:
        """How long the rest may take, by what the boards so far took; None where nobody can tell yet."""
        if self.run.state.ended or self.cancelling or self.run.started_at is None:
            return None
        gone = clock.now() - self.run.started_at
        ended = self.ended
        if ended < _GUESS_AFTER or gone < _GUESS_FROM:
            return None
        return gone / ended * (self.all - ended)

    @property
    def quarter(self) -> int:
        """How many quarters of the boards are done with, 0 to 4: what is worth saying aloud."""
        return 4 * self.ended // self.all if self.all else 4


def of(session: Session, run_id: int) -> Progress:
    """How far a run has come.

    Raises:
        RunNotFound: There is none with this id.
    """
    run = session.get(ScanRun, run_id)
    if run is None:
        raise RunNotFound(f"There is no scan run {run_id}.")
    return _summed(session, [run])[0]


def recent(session: Session, limit: int, *, before: int | None = None) -> list[Progress]:
    """The newest runs, newest first.

    Args:
        session: A session.
        limit: How many at the most.
        before: Only those with a lower id than this; None for the newest of all.
    """
    wanted = select(ScanRun).order_by(ScanRun.id.desc()).limit(limit)
    found = session.scalars(wanted if before is None else wanted.where(ScanRun.id < before)).all()
    return _summed(session, found)


def _summed(session: Session, found: Sequence[ScanRun]) -> list[Progress]:
    counted = (ScanResult.seen, ScanResult.new, ScanResult.updated, ScanResult.closed)
    rows: Sequence[Any] = session.execute(
        select(ScanResult.run_id, ScanResult.state, func.count(), *(func.sum(each) for each in counted))
        .where(ScanResult.run_id.in_([run.id for run in found]))
        .group_by(ScanResult.run_id, ScanResult.state)
    ).all()
    summed = []
    for run in found:
        mine = [row for row in rows if row[0] == run.id]
        boards = {row[1]: row[2] for row in mine}
        summed.append(Progress(run, boards, *(_sum(row[place] for row in mine) for place in range(3, 7))))
    return summed


def _sum(numbers: Iterable[int]) -> int:
    return sum(int(number) for number in numbers)  # PostgreSQL sums to a Decimal


def boards(session: Session, run_id: int, *, limit: int, offset: int = 0) -> list[ScanResult]:
    """A run's results with their sources: those that run, those that need a look, the rest, by name."""
    rank = case({state.value: place for place, state in enumerate(ORDER)}, value=ScanResult.state)
    return list(
        session.scalars(
            select(ScanResult)
            .join(ScanResult.source)
            .where(ScanResult.run_id == run_id)
            .options(contains_eager(ScanResult.source))
            .order_by(rank, func.lower(Source.name), ScanResult.id)
            .limit(limit)
            .offset(offset)
        )
    )

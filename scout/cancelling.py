"""Cancelling a scan run: what waits ends at once, what is being read stops at its board's next page.

What was stored stays, and nothing is closed. The wish is written on the run's row first, so it outlives
whoever wished: a worker that takes up a part of the run later finds it there, one that died in the midst is
found by the scheduler (`sweep`), and one that is late writes nothing, as its lease is gone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from metrics import catalogue
from scout import clock, endings
from scout.database import Database
from scout.endings import Ending
from scout.errors import ScoutError
from scout.leases import changed
from scout.models import ScanResult, ScanRun, ScanState, Source
from scout.runs import OPEN, RunNotFound
from scout.settings import Settings


class RunEnded(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """There is nothing to cancel: the run has ended."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What cancelling did.

    Attributes:
        ended: Boards that waited, and end without having been asked.
        running: Boards that are being read, and stop at their next page.
    """

    ended: int
    running: int


def cancel(db: Database, settings: Settings, run_id: int) -> Cancelled:
    """Cancel a run. Asking twice does no harm.

    Args:
        db: The database.
        settings: Say when its boards are due again.
        run_id: The run.

    Raises:
        RunNotFound: There is none with this id.
        RunEnded: It has ended.
    """
    with db.session() as session:
        asked = changed(
            session,
            update(ScanRun)
            .where(ScanRun.id == run_id, ScanRun.state.in_(OPEN))
            .values(cancel_asked_at=clock.now()),
        )
        if not asked:
            state = session.scalar(select(ScanRun.state).where(ScanRun.id == run_id))
            if state is None:
                raise RunNotFound(f"There is no scan run {run_id}.")
            raise RunEnded(f"Scan run {run_id} has ended: it {_HOW[state]}. There is nothing to cancel.")
        ended, final = _end(session, settings, run_id)
        running = len(
            session.scalars(
                select(ScanResult.id).where(
                    ScanResult.run_id == run_id, ScanResult.state == ScanState.RUNNING
                )
            ).all()
        )
    if final is not None:
        catalogue.SCAN_RUNS.inc(status=final.value)
    return Cancelled(ended, running)


def told(done: Cancelled) -> str:
    """What cancelling did, as the rest of a sentence about the run."""
    waited = f"{done.ended} board{'s' if done.ended != 1 else ''} had not begun"
    if not done.running:
        return f"is cancelled: {waited}."
    stop = "one that is being read stops" if done.running == 1 else f"{done.running} being read stop"
    return f"ends early: {waited}, and {stop} at the next page."


_HOW = {
    ScanState.SUCCEEDED: "succeeded",
    ScanState.PARTIAL: "succeeded in part",
    ScanState.FAILED: "failed",
    ScanState.CANCELLED: "was cancelled before",
}


def is_asked(session: Session, run_id: int) -> bool:
    """Whether somebody asked that a run end."""
    return session.scalar(select(ScanRun.cancel_asked_at).where(ScanRun.id == run_id)) is not None


def ending(seen: int) -> Ending:
    """How a board's part ends that was cancelled.

    Args:
        seen: Postings that were read before.
    """
    if not seen:
        return Ending(state=ScanState.CANCELLED, error="The scan was cancelled before the board was read.")
    kept = "1 posting was read, and is kept" if seen == 1 else f"{seen} postings were read, and are kept"
    return Ending(state=ScanState.CANCELLED, error=f"The scan was cancelled. {kept}; nothing was closed.")


def sweep(db: Database, settings: Settings) -> int:
    """End what is left of cancelled runs: parts that were handed back meanwhile, and those whose worker died.

    The scheduler does so each second; it is safe when two do at once.

    Returns:
        How many parts were ended.
    """
    with db.reading() as session:
        due = session.scalars(
            select(ScanRun.id).where(ScanRun.state.in_(OPEN), ScanRun.cancel_asked_at.is_not(None))
        ).all()
    count = 0
    for run_id in due:
        with db.session() as session:
            ended, final = _end(session, settings, run_id)
        count += ended
        if final is not None:
            catalogue.SCAN_RUNS.inc(status=final.value)
    return count


def _end(session: Session, settings: Settings, run_id: int) -> tuple[int, ScanState | None]:
    """End the parts of a run that nobody works on; how many, and the run's state if it ended by that."""
    now = clock.now()
    found = session.execute(
        select(ScanResult.id, ScanResult.source_id, ScanResult.state)
        .where(ScanResult.run_id == run_id, ScanResult.state.in_(OPEN))
        .order_by(ScanResult.id)
    ).all()
    ended = 0
    for row in found:
        if row.state is ScanState.RUNNING and not _abandoned(session, row.source_id, now):
            continue
        # Conditional, as a worker may claim it, or end it, at the same moment.
        mine = changed(
            session,
            update(ScanResult)
            .where(ScanResult.id == row.id, ScanResult.state == row.state)
            .values(state=ScanState.CANCELLED, error=ending(0).error, phase="", finished_at=now),
        )
        if mine:
            ended += 1
            endings.plan_if_due(session, settings, session.get_one(Source, row.source_id), now)
    session.flush()
    return ended, endings.finish_run(session, run_id)


def _abandoned(session: Session, source_id: int, now: dt.datetime) -> bool:
    """Whether nobody holds a source's lease; whoever held it can write nothing more from here on."""
    free = or_(Source.lease_until.is_(None), Source.lease_until < now)
    taken = update(Source).where(Source.id == source_id, free).values(lease_by=None, lease_until=None)
    return bool(changed(session, taken))

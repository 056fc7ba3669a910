"""How a scan of one source ends: what is written of it, when the source is due again, when a run is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from scout import allowance, clock, schedule, sources
from scout.fetch import NOT_ASKED, Reason
from scout.leases import changed
from scout.models import ScanResult, ScanRun, ScanState, Source
from scout.schedule import Due
from scout.settings import Settings

#: How long a board must go on naming suspiciously few postings until they are taken for all there are.
BELIEVED_AFTER = dt.timedelta(days=7)
#: How often in a row, and for how long, a board must answer that there is no such board to be taken for gone.
GONE_AFTER_SCANS = 3
GONE_AFTER = dt.timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one source's scan ended.

    Attributes:
        state: `succeeded`, `partial`, `failed` or `cancelled`.
        reason: Why it is `partial` or `failed`: the name that metrics, pages and the command line show; else
            empty.
        error: The same in a sentence or two for the owner. With `succeeded`, what is left to be known of it.
        retry_after: Seconds that the board asked us to wait, or None.
        validators: What the board said of its version, to be kept; None keeps what is there.
        suspicious: Whether the listing was so short that nothing was closed.
        whole: Whether a listing that names every open posting was read to its end, or is what it was.
        closed: Listings that this ending closes.
    """

    state: ScanState
    reason: str = ""
    error: str = ""
    retry_after: float | None = None
    validators: dict[str, Any] | None = None
    suspicious: bool = False
    whole: bool = False
    closed: int = 0


def record(
    session: Session, settings: Settings, *, result_id: int, ending: Ending
) -> tuple[Source, ScanState | None]:
    """Write down how a result ended, on it, on its source and, if it was the last, on its run.

    Returns:
        The source, and the run's final state when this result ended the run.
    """
    now = clock.now()
    result = session.get_one(ScanResult, result_id)
    source = session.get_one(Source, result.source_id)
    # The run's row is locked before the results are counted: of two sources that end at once on PostgreSQL,
    # the second sees the first.
    changed(session, update(ScanRun).where(ScanRun.id == result.run_id).values(state=ScanRun.state))
    result.state = ending.state
    result.reason = ending.reason
    result.error = ending.error
    result.closed += ending.closed
    result.phase = ""
    result.started_at = result.started_at or now
    result.finished_at = now
    if ending.state is ScanState.FAILED and ending.reason in NOT_ASKED:
        # Nothing was learned of the board: what is known of it stays as it was.
        plan(source, _later(source, settings, ending, now))
        session.flush()
        return source, finish_run(session, result.run_id)
    if ending.state is ScanState.CANCELLED:
        # That its scan was cancelled says nothing of the board.
        plan_if_due(session, settings, source, now)
        session.flush()
        return source, finish_run(session, result.run_id)
    source.last_scan_at = now
    source.last_state = ending.state
    source.last_reason = ending.reason
    source.last_error = ending.error
    source.suspicious = ending.suspicious
    source.failures = source.failures + 1 if ending.state is ScanState.FAILED else 0
    if ending.state is ScanState.SUCCEEDED:
        source.last_success_at = now
    if ending.whole:
        source.listed_at = now
        found = result.new + result.updated + result.reopened + result.closed
        source.changes = schedule.changes_after(source.changes, changed=found > 0)
    if ending.validators is not None:
        source.validators = dict(ending.validators)
    plan(source, next_scan(session, source, settings, now, retry_after=ending.retry_after))
    session.flush()
    return source, finish_run(session, result.run_id)


def finish_run(session: Session, run_id: int) -> ScanState | None:
    """End a run all of whose results have ended; its state then, or None if it goes on or had ended already.

    The update is conditional, so that a run ends, and is counted, exactly once.
    """
    goes_on = (ScanResult.run_id == run_id) & ScanResult.state.in_((ScanState.QUEUED, ScanState.RUNNING))
    if session.scalar(select(ScanResult.id).where(goes_on).limit(1)) is not None:
        return None
    states = set(session.scalars(select(ScanResult.state).where(ScanResult.run_id == run_id).distinct()))
    if states <= {ScanState.SUCCEEDED}:
        final = ScanState.SUCCEEDED  # also a run whose sources were all removed: nothing was left undone
    elif ScanState.CANCELLED in states:
        final = ScanState.CANCELLED
    elif states == {ScanState.FAILED}:
        final = ScanState.FAILED
    else:
        final = ScanState.PARTIAL
    ended = changed(
        session,
        update(ScanRun)
        .where(ScanRun.id == run_id, ScanRun.state.in_((ScanState.QUEUED, ScanState.RUNNING)))
        .values(state=final, finished_at=clock.now()),
    )
    return final if ended else None


def suspicious_since(session: Session, source_id: int) -> dt.datetime | None:
    """Since when every scan of a source ended `vanished`; None if the last one did not."""
    return _since(session, source_id, (Reason.VANISHED,))[0]


def gone_since(session: Session, source_id: int) -> tuple[dt.datetime | None, int]:
    """Since when, and how often, every scan of a source found no such board; None and 0 if the last did."""
    return _since(session, source_id, (Reason.NOT_FOUND, Reason.GONE))


def _since(session: Session, source_id: int, reasons: Sequence[Reason]) -> tuple[dt.datetime | None, int]:
    ended = (
        (ScanResult.source_id == source_id)
        & ScanResult.finished_at.is_not(None)
        & (ScanResult.state != ScanState.CANCELLED)
    )
    last_other = select(func.max(ScanResult.id)).where(ended, ScanResult.reason.not_in(reasons))
    since, count = session.execute(
        select(func.min(ScanResult.finished_at), func.count()).where(
            ended, ScanResult.id > func.coalesce(last_other.scalar_subquery(), 0)
        )
    ).one()
    return since, count


def worker_died(attempts: int) -> Ending:
    """The ending of a scan that is given up because it took its worker with it every time."""
    return Ending(
        state=ScanState.FAILED,
        reason=Reason.WORKER_DIED,
        error=(
            f"The process that scanned this board ended {attempts} times before it was done. "
            "Something in the board's answer, or a lack of memory, may end it; the workers' log says more. "
            "'Scan now' tries again."
        ),
    )


def next_scan(
    session: Session, source: Source, settings: Settings, at: dt.datetime, *, retry_after: float | None = None
) -> Due:
    """When a source is due that was scanned at a time, by its schedule and its failures so far.

    Args:
        session: A session.
        source: The source.
        settings: Say what holds where the source says nothing.
        at: When it was scanned.
        retry_after: Seconds that the board asked us to wait then, or None.
    """
    kind = sources.KINDS.get(source.kind)
    free_at = None if kind is None else allowance.next_free(session, kind)
    habits = schedule.habits(source, settings, kind, free_at=free_at)
    return schedule.due(habits, at, failures=source.failures, retry_after=retry_after)


def plan_if_due(session: Session, settings: Settings, source: Source, now: dt.datetime) -> None:
    """Plan the next scan of a source whose scan was cancelled, or the schedule would ask for it at once."""
    if source.next_scan_at is None or source.next_scan_at <= now:
        planned = next_scan(session, source, settings, now)
        plan(source, Due(planned.at, f"The last scan was cancelled. {planned.why}"))


#: Why a source that was not asked is due when it is.
_LATER = {
    Reason.BUSY: "Other scans ask its host as often as is polite.",
    Reason.HELD: "Its host asked to be left alone until then.",
    Reason.CIRCUIT_OPEN: "Scans of its host kept failing, so it is left alone until then.",
    Reason.DAILY_LIMIT: "It was asked as often as its terms allow in 24 hours.",
}


def _later(source: Source, settings: Settings, ending: Ending, now: dt.datetime) -> Due:
    """When a source is due that was not asked; what was planned for later stays."""
    wait = dt.timedelta(seconds=ending.retry_after or 0.0)
    if source.next_scan_at is not None and source.next_scan_at > now + wait:
        return Due(source.next_scan_at, source.next_scan_why)
    planned = Due(now + wait, _LATER[Reason(ending.reason)])
    return schedule.outside_quiet(planned, schedule.habits(source, settings, sources.KINDS.get(source.kind)))


def plan(source: Source, planned: Due) -> None:
    """Write down when a source is due, and why then."""
    source.next_scan_at, source.next_scan_why = planned.at, planned.why[:200]

"""How a scan of one source ends: what is written of it, when the source is due again, when a run is done."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from scout import clock, sources
from scout.fetch import Overrides, Reason
from scout.leases import changed
from scout.models import ScanResult, ScanRun, ScanState, Source
from scout.settings import Settings
from scout.sources.board import Kind

#: A board that keeps failing is still asked once a day.
LONGEST_PAUSE = dt.timedelta(days=1)
#: No wait that a board asks for is taken for longer than this (`Retry-After`, RFC 9110 section 10.2.3).
LONGEST_RETRY_AFTER = dt.timedelta(days=1)
#: How long a board must go on naming suspiciously few postings until they are taken for all there are.
BELIEVED_AFTER = dt.timedelta(days=7)
#: How often in a row, and for how long, a board must answer that there is no such board to be taken for gone.
GONE_AFTER_SCANS = 3
GONE_AFTER = dt.timedelta(days=3)
#: Scans are spread by up to this part of their interval, so that boards added together do not stay together.
JITTER = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one source's scan ended.

    Attributes:
        state: `succeeded`, `partial` or `failed`.
        reason: Why not `succeeded`: the name that metrics, pages and the command line show; else empty.
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
    validators: dict[str, dict[str, str]] | None = None
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
    if ending.validators is not None:
        source.validators = dict(ending.validators)
    source.next_scan_at, source.next_scan_why = _next_scan(source, settings, ending, now)
    session.flush()
    return source, finish_run(session, result.run_id)


def finish_run(session: Session, run_id: int) -> ScanState | None:
    """End a run all of whose results have ended; its state then, or None if it goes on or had ended already.

    The update is conditional, so that a run ends, and is counted, exactly once.
    """
    states = set(session.scalars(select(ScanResult.state).where(ScanResult.run_id == run_id)))
    if any(not state.ended for state in states):
        return None
    if states <= {ScanState.SUCCEEDED}:
        final = ScanState.SUCCEEDED  # also a run whose sources were all removed: nothing was left undone
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
    ended = (ScanResult.source_id == source_id) & ScanResult.finished_at.is_not(None)
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


def _next_scan(
    source: Source, settings: Settings, ending: Ending, now: dt.datetime
) -> tuple[dt.datetime, str]:
    interval = dt.timedelta(minutes=settings.scan_interval_minutes)
    why = f"Every {_period(interval)}"
    kind = sources.KINDS.get(source.kind)
    if kind is not None and kind.interval > interval and not _played_here(source, kind, settings):
        interval = kind.interval
        why = f"Every {_period(interval)}, as {kind.title} boards are asked no more often"
    if source.failures > 1:
        # Doubled for each further failure; the exponent is capped before the power gets out of hand.
        interval = max(interval, min(interval * 2 ** min(source.failures - 1, 10), LONGEST_PAUSE))
        why = f"{source.failures} scans in a row failed, so the next one waits {_words(interval)}"
    wait = interval * (1 + random.random() * JITTER)  # noqa: S311 - spreading load is no secret
    if ending.retry_after is not None:
        asked = min(dt.timedelta(seconds=max(0.0, ending.retry_after)), LONGEST_RETRY_AFTER)
        if asked > wait:
            wait = asked
            why = f"The board asked us to wait {_words(asked)}"
    return now + wait, f"{why}."


def _played_here(source: Source, kind: Kind, settings: Settings) -> bool:
    """Whether a server on this machine answers for the board, to which no courtesy is owed."""
    # Where each board has a host of its own, or the token is the address, the board's own origin counts.
    shared = [origin for origin in kind.origins if "*" not in origin]
    addresses = shared or [source.url if kind.origins else source.token]
    overrides = Overrides(settings.origin_overrides)
    targets = (overrides.for_url(address) for address in addresses)
    return any(target is not None and target.host in {"127.0.0.1", "::1", "localhost"} for target in targets)


def _period(span: dt.timedelta) -> str:
    return _words(span).removeprefix("1 ")


def _words(span: dt.timedelta) -> str:
    if span < dt.timedelta(minutes=1):
        return f"{span.total_seconds():.0f} seconds"
    minutes = round(span.total_seconds() / 60)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0 or minutes >= 10 * size:
            count = round(minutes / size)
            return f"{count} {unit}s" if count != 1 else f"1 {unit}"
    raise AssertionError  # a whole number of minutes is divisible by one

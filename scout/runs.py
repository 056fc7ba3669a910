"""Scan runs: asking for one, and what became of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from scout import schedule, sources, traces
from scout.database import Database
from scout.errors import ScoutError
from scout.fetch import Reason
from scout.logs import ids
from scout.models import RunTrigger, ScanResult, ScanRun, ScanState, Source
from scout.queue import Scans
from scout.watchlist import UnknownSource

logger = logging.getLogger(__name__)

OPEN = (ScanState.QUEUED, ScanState.RUNNING)

#: What each reason means, in a few words for a list; a result's `error` has the whole sentence.
REASON_TEXT: dict[str, str] = {
    Reason.ADDRESS: "its address is a private one",
    Reason.SCHEME: "its address is not http or https",
    Reason.URL: "its address is malformed",
    Reason.DNS: "its name could not be looked up",
    Reason.CONNECT: "no connection",
    Reason.TLS: "the encrypted connection failed",
    Reason.TIMEOUT: "too slow",
    Reason.TOO_LARGE: "the answer was too large",
    Reason.TRUNCATED: "the answer ended too early",
    Reason.REDIRECTS: "too many redirects",
    Reason.DENIED: "access was denied",
    Reason.NOT_FOUND: "no such board",
    Reason.GONE: "the board is gone",
    Reason.RATE_LIMITED: "asked too often",
    Reason.SERVER_ERROR: "the board's server has a fault",
    Reason.HTTP_STATUS: "an unexpected answer",
    Reason.BOT_CHALLENGE: "a check for bots stands before it",
    Reason.EMPTY: "the answer was empty",
    Reason.NOT_A_LISTING: "the answer was no list of jobs",
    Reason.UNPARSED: "some postings could not be read",
    Reason.VANISHED: "most postings vanished at once",
    Reason.NO_KEY: "a key of your own is needed",
    Reason.ROBOTS: "its robots file asks programs to stay away",
    Reason.BUSY: "waiting for its turn",
    Reason.HELD: "its host asked to be left alone",
    Reason.CIRCUIT_OPEN: "its host kept failing and is left alone",
    Reason.DAILY_LIMIT: "asked as often as it allows in a day",
    Reason.WORKER_DIED: "the scanning process died",
    Reason.INTERNAL: "an error of this program",
}


class RunNotFound(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """There is no run with this id."""


class NothingToScan(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A run was asked for, and there is no source that it could scan."""


def request(db: Database, queue: Scans, *, trigger: RunTrigger, slugs: Sequence[str] | None = None) -> int:
    """Ask for a scan: write the run and its results, commit, then put them on the queue.

    A source that waits or runs in an open run is not asked for twice. Redis being away loses nothing: the
    rows stay, and the scheduler enqueues them when it is back.

    Args:
        db: The database.
        queue: The queue.
        trigger: What asks.
        slugs: The sources; None means all that are not paused. A paused one is scanned when it is named.

    Returns:
        The new run's id; the id of the open run when every source is in one already.

    Raises:
        UnknownSource: A slug is unknown; nothing is scanned.
        NothingToScan: There is no source to scan.
    """
    with db.session() as session:
        wanted = _wanted(session, slugs)
        open_results = (
            select(ScanResult.source_id, ScanResult.run_id)
            .join(ScanRun)
            .where(
                ScanResult.state.in_(OPEN),
                ScanResult.source_id.in_(wanted),
                ScanRun.cancel_asked_at.is_(None),  # what is about to stop is no scan that was asked for
            )
        )
        busy = dict(session.execute(open_results).all())
        free = [source_id for source_id in wanted if source_id not in busy]
        if not free:
            return max(busy.values())
        run = ScanRun(trigger=trigger)
        session.add(run)
        session.flush()
        # In this order they are asked for: those of one host stand apart, so that it blocks no worker.
        free = schedule.interleaved(free, _hosts(session, free).get)
        results = [ScanResult(run_id=run.id, source_id=source_id) for source_id in free]
        session.add_all(results)
        session.flush()
        run_id, result_ids = run.id, [result.id for result in results]
    with (
        ids.binding(run_id=run_id),
        traces.span("scan run", kind="producer", scout__run_id=run_id, scout__trigger=trigger.value),
    ):
        logger.info("A scan of %d boards was asked for", len(free), extra={"trigger": trigger.value})
        queue.enqueue_all(result_ids)  # what Redis does not take now, the scheduler enqueues
    return run_id


def _hosts(session: Session, source_ids: Sequence[int]) -> dict[int, str]:
    """The first origin that each source is asked at."""
    statement = select(Source.id, Source.kind, Source.url, Source.token).where(Source.id.in_(source_ids))
    return {
        row.id: next(iter(sources.asked_at(row.kind, url=row.url, token=row.token)), row.token)
        for row in session.execute(statement)
    }


def _wanted(session: Session, slugs: Sequence[str] | None) -> list[int]:
    # Locked where the database locks rows, so that of two requests the second sees the first one's results.
    statement = select(Source.id, Source.slug).order_by(Source.id).with_for_update()
    if slugs is None:
        wanted = list(session.scalars(statement.where(Source.paused.is_(False))))
        if not wanted:
            raise NothingToScan(
                "There is no source to scan. `scout sources add URL` adds a board by its public address; "
                "paused ones are scanned when they are named."
            )
        return wanted
    found = {slug: source_id for source_id, slug in session.execute(statement.where(Source.slug.in_(slugs)))}
    for slug in slugs:
        if slug not in found:
            raise UnknownSource(slug)
    return sorted(found.values())


def get(session: Session, run_id: int) -> ScanRun:
    """A run with its results and their sources.

    Raises:
        RunNotFound: There is none with this id.
    """
    everything = selectinload(ScanRun.results).joinedload(ScanResult.source)
    run = session.scalar(select(ScanRun).where(ScanRun.id == run_id).options(everything))
    if run is None:
        raise RunNotFound(f"There is no scan run {run_id}.")
    return run


def recent(session: Session, limit: int = 20) -> list[ScanRun]:
    """The newest runs with their results and sources, newest first."""
    everything = selectinload(ScanRun.results).joinedload(ScanResult.source)
    return list(session.scalars(select(ScanRun).order_by(ScanRun.id.desc()).limit(limit).options(everything)))


def last_result(session: Session, source_id: int) -> ScanResult | None:
    """The newest result of a source, with its run."""
    return session.scalar(
        select(ScanResult)
        .where(ScanResult.source_id == source_id)
        .order_by(ScanResult.id.desc())
        .limit(1)
        .options(joinedload(ScanResult.run))
    )


def as_dict(run: ScanRun) -> dict[str, Any]:
    """A run as JSON: what `scout scan --json` and the API give. `get` and `recent` load what it needs.

    `status` is `queued`, `running`, `succeeded`, `partial`, `failed` or `cancelled`; `cancelling` says that
    it is about to be that. `error` is a sentence or null.
    """
    return {
        "run_id": run.id,
        "status": run.state.value,
        "cancelling": run.cancel_asked_at is not None and not run.state.ended,
        "sources": [
            {
                "source": result.source.slug,
                "kind": result.source.kind,
                "status": result.state.value,
                "seen": result.seen,
                "new": result.new,
                "updated": result.updated,
                "closed": result.closed,
                "error": result.error or None,
            }
            for result in run.results
        ],
    }

"""The reaper: brings back what died, was forgotten or left open. Every step is safe to repeat and race."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from sqlalchemy import or_, select, update

from metrics import catalogue
from scout import clock, endings
from scout.database import Database
from scout.leases import ATTEMPTS, changed
from scout.models import ScanResult, ScanRun, ScanState, Source
from scout.queue import Scans
from scout.runs import OPEN
from scout.settings import Settings

logger = logging.getLogger(__name__)

#: Seconds between a job's leaving the queue and its claim, at the most, on a busy machine.
_PICKED_UP = 5.0


def requeue_abandoned(db: Database, settings: Settings, queue: Scans) -> int:
    """Put scans whose lease ended back on the queue, or park them after too many tries; how many."""
    with db.reading() as session:
        found = session.execute(
            select(ScanResult.id)
            .join(Source)
            .where(
                ScanResult.state == ScanState.RUNNING,
                or_(Source.lease_until.is_(None), Source.lease_until < clock.now()),
            )
        ).all()
    return sum(_requeue(db, settings, queue, row.id) for row in found)


def _requeue(db: Database, settings: Settings, queue: Scans, result_id: int) -> bool:
    now = clock.now()
    run = None
    with db.session() as session:
        row = session.execute(
            select(ScanResult.source_id, ScanResult.attempts).where(
                ScanResult.id == result_id, ScanResult.state == ScanState.RUNNING
            )
        ).one_or_none()
        if row is None:
            return False
        # Taking the lease away first means that its late holder can write nothing more.
        free = or_(Source.lease_until.is_(None), Source.lease_until < now)
        statement = update(Source).where(Source.id == row.source_id, free)
        if not changed(session, statement.values(lease_by=None, lease_until=None)):
            return False
        if row.attempts < ATTEMPTS:
            action = "requeued"
            changed(
                session,
                update(ScanResult)
                .where(ScanResult.id == result_id, ScanResult.state == ScanState.RUNNING)
                .values(state=ScanState.QUEUED, phase=""),
            )
            slug = session.scalar(select(Source.slug).where(Source.id == row.source_id))
        else:
            action = "parked"
            ending = endings.worker_died(row.attempts)
            source, run = endings.record(session, settings, result_id=result_id, ending=ending)
            slug, kind = source.slug, source.kind
    logger.warning("%s: its scan's worker died, so it is %s", slug, action)
    catalogue.SCANS_ABANDONED.inc(action=action)
    if action == "requeued":
        queue.enqueue(result_id, again=True)
    else:
        catalogue.SCAN_ERRORS.inc(kind=kind, reason=ending.reason)
    if run is not None:
        catalogue.SCAN_RUNS.inc(status=run.value)
    return True


def finish_runs(db: Database) -> int:
    """End the runs all of whose results ended, or whose sources were removed; how many there were."""
    with db.reading() as session:
        unfinished = select(ScanResult.id).where(ScanResult.run_id == ScanRun.id, ScanResult.state.in_(OPEN))
        due = session.scalars(select(ScanRun.id).where(ScanRun.state.in_(OPEN), ~unfinished.exists())).all()
    count = 0
    for run_id in due:
        with db.session() as session:
            state = endings.finish_run(session, run_id)
        if state is not None:
            catalogue.SCAN_RUNS.inc(status=state.value)
            count += 1
    return count


@dataclass(slots=True)
class Forgotten:
    """Results that wait in the database while no job of theirs waits in Redis.

    A job is between the two for a moment when a worker has just taken it; it counts as forgotten after a few
    seconds, or at once when the scheduler has just started. One job too many does no harm: its claim finds
    nothing to do.
    """

    db: Database
    queue: Scans
    missing_since: dict[int, float] = field(default_factory=dict)
    first_look: bool = True

    def enqueue(self) -> int:
        """Enqueue the forgotten ones whose source is free; how many.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        # Before the database is read: what is enqueued meanwhile is not missed. What a worker takes between
        # the two questions is found by the second.
        waiting = self.queue.waiting() | self.queue.taken()
        with self.db.reading() as session:
            free = or_(Source.lease_until.is_(None), Source.lease_until < clock.now())
            turn_came = or_(ScanResult.not_before.is_(None), ScanResult.not_before <= clock.now())
            queued = session.execute(
                select(ScanResult.id, ScanResult.started_at)
                .join(Source)
                .where(ScanResult.state == ScanState.QUEUED, free, turn_came)
                .order_by(ScanResult.id)
            ).all()
        now = time.monotonic()
        # Those that were begun before were handed back, or Redis lost them after their worker died.
        missing = {row.id: row.started_at is not None for row in queued if row.id not in waiting}
        since = now - _PICKED_UP if self.first_look else now
        self.first_look = False
        self.missing_since = {each: self.missing_since.get(each, since) for each in missing}
        due = [each for each in missing if now - self.missing_since[each] >= _PICKED_UP]
        count = 0
        for result_id in due:
            if not self.queue.enqueue(result_id, again=missing[result_id]):
                break
            del self.missing_since[result_id]
            count += 1
        return count

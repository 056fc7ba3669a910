"""The sampler: every 30 seconds one process says what the database, Redis and the disk hold."""

from __future__ import annotations

import datetime as dt
import shutil

from rq.job import Job
from rq.registry import (
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from rq.utils import as_text
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from metrics import catalogue
from scout import clock, jobs, sessions, watchlist
from scout.database import Database
from scout.models import Job as FoundJob
from scout.models import Source
from scout.queue import NAME, Scans
from scout.settings import Settings

INTERVAL = 30.0

_REGISTRIES = {
    "started": StartedJobRegistry,
    "deferred": DeferredJobRegistry,
    "scheduled": ScheduledJobRegistry,
    "finished": FinishedJobRegistry,
    "failed": FailedJobRegistry,
}
_WORKER_STATES = ("starting", "started", "idle", "busy", "suspended")


def sample_database(db: Database, settings: Settings) -> None:
    """Set the gauges of what is in the database, and of the disk it lies on."""
    with db.reading() as session:
        counts = jobs.counts_by_status(session)
        midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        new_today = session.scalar(select(func.count()).where(FoundJob.first_seen_at >= midnight)) or 0
        last_success = session.scalar(select(func.max(Source.last_success_at)))
        every = watchlist.every(session)
        active = sessions.active(session)
        size = _size(session)
    catalogue.JOBS.set(sum(counts.values()))
    for status, count in counts.items():
        catalogue.JOBS_BY_STATUS.set(count, status=status.value)
    catalogue.JOBS_NEW_TODAY.set(new_today)
    catalogue.LAST_SUCCESSFUL_SCAN.set(last_success.timestamp() if last_success else 0)
    by_health = dict.fromkeys(catalogue.SOURCES_BY_HEALTH.labels[0].values, 0)
    for source in every:
        by_health[watchlist.health(source)] += 1
    for health, count in by_health.items():
        catalogue.SOURCES_BY_HEALTH.set(count, health=health)
    catalogue.SESSIONS_ACTIVE.set(active)
    catalogue.DATABASE_SIZE.set(size)
    # With a PostgreSQL and a Redis of their own nothing may have made the data directory yet.
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.is_dir())
    catalogue.DATA_DISK_FREE.set(shutil.disk_usage(folder).free)


def _size(session: Session) -> int:
    """Bytes of the database, on SQLite without what only waits in the write-ahead log."""
    if session.get_bind().dialect.name == "postgresql":
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    pages = session.scalar(text("PRAGMA page_count")) or 0
    return int(pages) * int(session.scalar(text("PRAGMA page_size")) or 0)


def sample_queue(scans: Scans) -> None:
    """Set the gauges of the queue and its workers.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    queue = scans.queue
    catalogue.RQ_QUEUE_JOBS.set(queue.count, queue=NAME, state="queued")
    for state, registry in _REGISTRIES.items():
        # Without RQ's clean-up on reading: that is the workers' maintenance, under their lock.
        count = registry(queue=queue).get_job_count(cleanup=False)
        catalogue.RQ_QUEUE_JOBS.set(count, queue=NAME, state=state)
    by_state = dict.fromkeys(_WORKER_STATES, 0)
    pipeline = scans.connection.pipeline(transaction=False)
    for key in scans.worker_keys():
        pipeline.hmget(key, "state", "death")
    for state, death in pipeline.execute():
        if state is not None and death is None and state.decode() in by_state:
            by_state[state.decode()] += 1
    for name, count in by_state.items():
        catalogue.RQ_WORKERS.set(count, state=name)
    catalogue.RQ_OLDEST_JOB_AGE.set(_oldest_age(scans), queue=NAME)


def _oldest_age(scans: Scans) -> float:
    head = scans.queue.get_job_ids(0, 1)
    if not head:
        return 0.0
    enqueued = scans.connection.hget(Job.key_for(head[0]), "enqueued_at")
    if not enqueued:
        return 0.0
    at = dt.datetime.fromisoformat(as_text(enqueued))
    return max(0.0, (clock.now() - at).total_seconds())

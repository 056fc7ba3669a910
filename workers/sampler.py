"""The sampler: every 30 seconds one process says what the database, Redis and the disk hold."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter

from rq.job import Job
from rq.registry import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ReadyJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from rq.utils import as_text
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from metrics import catalogue, forms, queries
from metrics.instruments import count_error
from scout import backup, clock, courtesy, matching, rescoring, sessions, sources, watchlist
from scout.courtesy import CircuitState
from scout.database import Database, stored_bytes
from scout.models import Job as FoundJob
from scout.models import ScanRun, ScanState, Source, Status
from scout.neighbours import Unreachable, fetch
from scout.overview import recollection
from scout.queue import NAME, Scans
from scout.runs import OPEN
from scout.settings import Settings
from scout.telling import outbox

INTERVAL = 30.0
#: Seconds for the exporter's whole page: the scheduler has more to do, and its lock ends.
_EXPORTER_PATIENCE = 3.0

_REGISTRIES = {
    "started": StartedJobRegistry,
    "deferred": DeferredJobRegistry,
    "ready": ReadyJobRegistry,
    "scheduled": ScheduledJobRegistry,
    "finished": FinishedJobRegistry,
    "failed": FailedJobRegistry,
    "canceled": CanceledJobRegistry,
}


def sample_database(db: Database, settings: Settings) -> None:
    """Set the gauges of what is in the database, and of the disk it lies on."""
    with db.reading() as session:
        kept = _jobs_kept(session)
        midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        new_today = session.scalar(select(func.count()).where(FoundJob.first_seen_at >= midnight)) or 0
        last_success = session.scalar(select(func.max(Source.last_success_at)))
        every = watchlist.every(session)
        active = sessions.active(session)
        open_runs = _open_runs(session)
        size = stored_bytes(session)
        messages = outbox.figures(session)
        scoring = rescoring.progress(session)
    catalogue.JOBS_TO_RESCORE.set(scoring.left if scoring else 0)
    catalogue.JOBS.set(kept.total())
    for status in Status:
        count = sum(number for (has, _), number in kept.items() if has is status)
        catalogue.JOBS_BY_STATUS.set(count, status=status.value)
    for band in catalogue.BAND.values:
        count = sum(number for (_, has), number in kept.items() if has == band)
        catalogue.JOBS_BY_SCORE_BAND.set(count, band=band)
    catalogue.JOBS_NEW_TODAY.set(new_today)
    catalogue.LAST_SUCCESSFUL_SCAN.set(last_success.timestamp() if last_success else 0)
    by_health = dict.fromkeys(catalogue.SOURCES_BY_HEALTH.labels[0].values, 0)
    for source in every:
        by_health[watchlist.health(source)] += 1
    for health, count in by_health.items():
        catalogue.SOURCES_BY_HEALTH.set(count, health=health)
    catalogue.SESSIONS_ACTIVE.set(active)
    for state, count in open_runs.items():
        catalogue.SCAN_RUNS_OPEN.set(count, status=state.value)
    catalogue.DATABASE_SIZE.set(size)
    catalogue.MESSAGES_IN_OUTBOX.set(messages.waiting, state="waiting")
    catalogue.MESSAGES_IN_OUTBOX.set(messages.parked, state="parked")
    catalogue.OUTBOX_OLDEST_AGE.set(messages.oldest)
    # With a PostgreSQL and a Redis of their own nothing may have made the data directory yet.
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.is_dir())
    catalogue.DATA_DISK_FREE.set(shutil.disk_usage(folder).free)
    catalogue.SAMPLED.set(clock.now().timestamp(), part="database")
    made = backup.last(settings)
    catalogue.LAST_BACKUP.set(made.made_at.timestamp() if made else 0)
    catalogue.LAST_BACKUP_SIZE.set(made.bytes if made else 0)


def _jobs_kept(session: Session) -> Counter[tuple[Status, str]]:
    """How many jobs there are, by status and band: one walk along the index of both."""
    rows = session.execute(
        select(FoundJob.status, FoundJob.score, func.count()).group_by(FoundJob.status, FoundJob.score)
    )
    kept: Counter[tuple[Status, str]] = Counter()
    for status, score, count in rows:
        kept[status, matching.band(score)] += count
    return kept


def _open_runs(session: Session) -> dict[ScanState, int]:
    by_state = select(ScanRun.state, func.count()).where(ScanRun.state.in_(OPEN)).group_by(ScanRun.state)
    return dict.fromkeys(OPEN, 0) | dict(session.execute(by_state).all())


def sample_queue(scans: Scans) -> None:
    """Set the gauges of the queue and its workers.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    queue = scans.queue
    catalogue.RQ_QUEUE_JOBS.set(queue.count, queue=NAME, state="queued")
    between = scans.connection.llen(queue.intermediate_queue_key)
    catalogue.RQ_QUEUE_JOBS.set(between, queue=NAME, state="intermediate")
    for state, registry in _REGISTRIES.items():
        # Without RQ's clean-up on reading: that is the workers' maintenance, under their lock.
        count = registry(queue=queue).get_job_count(cleanup=False)
        catalogue.RQ_QUEUE_JOBS.set(count, queue=NAME, state=state)
    _sample_workers(scans)
    catalogue.RQ_OLDEST_JOB_AGE.set(_oldest_age(scans), queue=NAME)
    catalogue.SAMPLED.set(clock.now().timestamp(), part="queue")


def remember(settings: Settings, scans: Scans) -> None:
    """Keep what the exporter's page says now, for the status page's plots where no Prometheus is.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    page: dict[str, list[tuple[dict[str, str], float]]] | None = None
    try:
        text = fetch(f"{settings.exporter}/metrics", in_all=_EXPORTER_PATIENCE)
        page = forms.read(text.decode("utf-8", "replace"), queries.NEEDED)
        catalogue.SAMPLED.set(clock.now().timestamp(), part="metrics")
    except Unreachable as why:
        count_error(why, "sampler")
    try:
        fetch(f"{settings.pushgateway}/-/ready", patience=1, in_all=1)
        gateway = 1.0
    except Unreachable as why:
        count_error(why, "sampler")
        gateway = 0.0
    up = {"statsd_exporter": float(page is not None), "pushgateway": gateway}
    recollection.keep(scans.connection, page, up, clock.now())


def sample_circuits(db: Database, scans: Scans) -> None:
    """Set the gauge of how the origins of the watched boards stand.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with db.reading() as session:
        rows = session.execute(select(Source.kind, Source.url, Source.token)).all()
    asked = {
        (row.kind, origin)
        for row in rows
        for origin in sources.asked_at(row.kind, url=row.url, token=row.token)
    }
    known = courtesy.standings(scans.connection, sorted({origin for _, origin in asked}))
    counts = Counter((kind, known[origin].circuit) for kind, origin in asked)
    for kind in {kind for kind, _ in asked}:
        for state in CircuitState:
            catalogue.OUTBOUND_CIRCUITS.set(counts[kind, state], kind=kind, state=state)


def _sample_workers(scans: Scans) -> None:
    by_state = dict.fromkeys(catalogue.RQ_WORKERS.labels[0].values, 0)
    oldest = 0.0
    pipeline = scans.connection.pipeline(transaction=False)
    for key in scans.worker_keys():
        pipeline.hmget(key, "state", "death", "last_heartbeat")
    for state, death, heartbeat in pipeline.execute():
        # A worker that was killed stays registered for a while; its heartbeat is what tells.
        if state is None or death is not None:
            continue
        if as_text(state) in by_state:
            by_state[as_text(state)] += 1
        if heartbeat:
            oldest = max(oldest, _age(heartbeat))
    for name, count in by_state.items():
        catalogue.RQ_WORKERS.set(count, state=name)
    catalogue.RQ_WORKER_HEARTBEAT_AGE.set(oldest)


def _oldest_age(scans: Scans) -> float:
    head = scans.queue.get_job_ids(0, 1)
    if not head:
        return 0.0
    enqueued = scans.connection.hget(Job.key_for(head[0]), "enqueued_at")
    return _age(enqueued) if enqueued else 0.0


def _age(moment: bytes | str) -> float:
    """Seconds since a moment as RQ writes it; 0 for one to come, as other machines' clocks may say."""
    return max(0.0, (clock.now() - dt.datetime.fromisoformat(as_text(moment))).total_seconds())

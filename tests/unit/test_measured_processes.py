"""How each process begins to emit, what the scheduler tells: each by a test that misses it."""

from __future__ import annotations

import gc
import importlib.util
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

import metrics
import workers.__main__ as scan_workers
from metrics import catalogue, gunicorn, mapping, process
from metrics.testing import ANY, Captured
from scout import backup, leases, watchlist
from scout.logs import setup
from scout.queue import Scans
from scout.settings import PROJECT, Settings
from tests.boards_in_folders import posting
from tests.redis_server import RedisServer, redis_server
from tests.scan_world import World, world
from workers import janitor, reaper, sampler, schedule, worker
from workers.worker import TrackedJob

__all__ = ["redis_server", "world"]


class Begun(Exception):  # noqa: N818 - no failure
    """Raised in place of the process's work."""


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Where a process begins to send, and as what; it does nothing else, and this one logs as before."""
    asked: list[tuple[str, str]] = []
    undo: list[Callable[[], None]] = []
    configure = setup.configure
    monkeypatch.setattr(setup, "configure", lambda *given: undo.append(configure(*given)))

    def start(url: str, *, role: str) -> None:
        asked.append((url, role))

    def work(*_: object) -> None:
        raise Begun

    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STATSD_URL", "udp://127.0.0.1:9")
    monkeypatch.setattr("metrics.start", start)
    monkeypatch.setattr("metrics.client.start", start)
    monkeypatch.setattr("workers.__main__.run", work)
    monkeypatch.setattr("workers.schedule.Scheduler", work)
    monkeypatch.setattr("workers.schedule.signal.signal", lambda *_: None)
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())  # gunicorn's process settings are not for this one
    yield asked
    for each in reversed(undo):
        each()


def test_scan_workers_send_as_workers(begun: list[tuple[str, str]]) -> None:
    with pytest.raises(Begun):
        scan_workers.main()
    assert begun == [("udp://127.0.0.1:9", "worker")]


def test_a_pool_tells_how_many_workers_it_keeps_and_its_workers_do_not(
    tmp_path: Path, samplers: list[process.Sampler], monkeypatch: pytest.MonkeyPatch, emitted: Captured
) -> None:
    monkeypatch.setattr(worker, "_wait_for_redis", lambda _: None)
    monkeypatch.setattr(worker, "_prepare", lambda: None)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    monkeypatch.setattr(worker.Pool, "start", lambda *_, **__: None)
    worker.run(Settings(data_dir=tmp_path, scan_workers=3))
    (tell,) = samplers
    tell("worker", "0")
    emitted.assert_gauge(catalogue.RQ_WORKERS_KEPT, 3, role="worker", slot="0")
    monkeypatch.setattr(os, "getpid", lambda: -1)
    tell("worker", "1")
    assert emitted.gauge(catalogue.RQ_WORKERS_KEPT, slot="1") is None


@pytest.fixture
def samplers() -> Iterator[list[process.Sampler]]:
    """What is sampled with the process: nothing at first."""
    known = list(process._samplers)
    process._samplers.clear()
    yield process._samplers
    process._samplers[:] = known


def test_the_scheduler_sends_as_the_scheduler(begun: list[tuple[str, str]]) -> None:
    with pytest.raises(Begun):
        schedule.main()
    assert begun == [("udp://127.0.0.1:9", "scheduler")]


def test_the_scheduler_tells_what_waits_at_the_exporters_port(
    begun: list[tuple[str, str]],
    samplers: list[process.Sampler],
    emitted: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        monkeypatch.setenv("STATSD_URL", f"udp://127.0.0.1:{listening.getsockname()[1]}")
        with pytest.raises(Begun):
            schedule.main()
        process.sample("scheduler", "0")
    emitted.assert_gauge(catalogue.RECEIVE_DROPS, 0)
    emitted.assert_gauge(catalogue.RECEIVE_QUEUE, 0)


def test_a_started_process_tells_which_mapping_rules_it_was_built_with(
    samplers: list[process.Sampler], emitted: Captured
) -> None:
    metrics.start("udp://127.0.0.1:9", role="web")
    try:
        process.sample("web", "0")
    finally:
        metrics.stop()
    emitted.assert_gauge(catalogue.CLIENT_MAPPING_VERSION, mapping.version(), role="web")
    emitted.assert_gauge(catalogue.LOADED_MAPPING_VERSION, 1)


def test_each_forked_process_of_the_pages_sends_as_web(
    begun: list[tuple[str, str]], samplers: list[process.Sampler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.streams._leaving", [])
    spec = importlib.util.spec_from_file_location("gunicorn_conf", PROJECT / "webapp/gunicorn.conf.py")
    assert spec is not None
    assert spec.loader is not None
    configuration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(configuration)
    configuration.post_fork(None, None)
    assert begun == [("udp://127.0.0.1:9", "web")]


def test_gunicorns_first_process_sends_as_the_arbiter(begun: list[tuple[str, str]]) -> None:
    gunicorn.when_ready("udp://127.0.0.1:9")
    assert begun == [("udp://127.0.0.1:9", "arbiter")]


def test_a_workers_job_is_measured(
    tmp_path: Path, emitted: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Job, "perform", lambda _: "done")
    nobody = Redis.from_url(f"unix://{tmp_path}/nobody.sock")
    job = TrackedJob.create(
        "workers.jobs.scan_sources", args=(1,), connection=nobody, serializer=JSONSerializer, origin="scans"
    )
    assert job.perform() == "done"
    emitted.assert_incremented(
        catalogue.RQ_JOBS_FINISHED, queue="scans", function="scan_sources", outcome="succeeded"
    )


# --- The scheduler's figures ---


def test_the_queues_gauges_are_set_for_every_state(
    world: World, redis_server: RedisServer, emitted: Captured
) -> None:
    queue = Scans(world.settings, redis_server.client())
    queue.enqueue(7)
    queue.queue.failed_job_registry.add(Job.create("f", connection=queue.connection), -1)
    sampler.sample_queue(queue)
    figures = {"queued": 1, "failed": 1, "started": 0, "deferred": 0, "scheduled": 0, "finished": 0}
    for state, count in figures.items():
        emitted.assert_gauge(catalogue.RQ_QUEUE_JOBS, count, queue="scans", state=state)
    for state in ("started", "idle", "busy", "suspended"):
        emitted.assert_gauge(catalogue.RQ_WORKERS, 0, state=state)
    emitted.assert_gauge(catalogue.RQ_QUEUE_JOBS, 0, queue="scans", state="intermediate")
    emitted.assert_gauge(catalogue.RQ_OLDEST_JOB_AGE, ANY)
    emitted.assert_gauge(catalogue.RQ_WORKER_HEARTBEAT_AGE, 0)
    emitted.assert_gauge(catalogue.SAMPLED, ANY, part="queue")
    queue.connection.close()


def test_the_databases_gauges_are_set(world: World, emitted: Captured) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    sampler.sample_database(world.db, world.settings)
    emitted.assert_gauge(catalogue.JOBS, 2)
    emitted.assert_gauge(catalogue.JOBS_NEW_TODAY, 2)
    for status, count in {"new": 2, "saved": 0, "offer": 0}.items():
        emitted.assert_gauge(catalogue.JOBS_BY_STATUS, count, status=status)
    for health, count in {"ok": 1, "new": 0, "paused": 0}.items():
        emitted.assert_gauge(catalogue.SOURCES_BY_HEALTH, count, health=health)
    emitted.assert_gauge(catalogue.SESSIONS_ACTIVE, 0)
    emitted.assert_gauge(catalogue.LAST_SUCCESSFUL_SCAN, world.time.timestamp())
    emitted.assert_gauge(catalogue.DATABASE_SIZE, lambda size: size > 4096)
    emitted.assert_gauge(catalogue.DATA_DISK_FREE, ANY)
    for band in catalogue.BAND.values:
        emitted.assert_gauge(catalogue.JOBS_BY_SCORE_BAND, ANY, band=band)
    for state in ("queued", "running"):
        emitted.assert_gauge(catalogue.SCAN_RUNS_OPEN, 0, status=state)
    emitted.assert_gauge(catalogue.SAMPLED, world.time.timestamp(), part="database")
    emitted.assert_gauge(catalogue.LAST_BACKUP, 0)
    emitted.assert_gauge(catalogue.LAST_BACKUP_SIZE, 0)


def test_when_the_last_backup_was_made_is_told(world: World, emitted: Captured) -> None:
    path, _ = backup.make(world.db, world.settings)
    sampler.sample_database(world.db, world.settings)
    emitted.assert_gauge(catalogue.LAST_BACKUP, world.time.timestamp())
    emitted.assert_gauge(catalogue.LAST_BACKUP_SIZE, path.stat().st_size)


def test_a_run_that_the_scheduler_ends_is_counted(world: World, emitted: Captured) -> None:
    world.ask(world.slug)
    with world.db.session() as session:
        watchlist.remove(session, world.slug)
    assert reaper.finish_runs(world.db) == 1
    emitted.assert_incremented(catalogue.SCAN_RUNS, status="succeeded")


@pytest.mark.parametrize(
    ("step", "place"), [("schedule.finish_runs", "schedule"), ("sampler.sample_database", "sampler")], ids=str
)
def test_trouble_in_a_step_is_counted_where_it_was(
    world: World, redis_server: RedisServer, emitted: Captured, step: str, place: str
) -> None:
    def away(*_: object) -> None:
        raise ConnectionError

    world.monkeypatch.setattr(f"workers.{step}", away)
    queue = Scans(world.settings, redis_server.client())
    schedule.Scheduler(world.settings, world.db, queue).tick()
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ConnectionError", place=place)
    queue.connection.close()


def test_a_scan_whose_worker_died_is_counted_by_what_became_of_it(
    world: World, redis_server: RedisServer, emitted: Captured
) -> None:
    _, (result_id,) = world.ask(world.slug)
    queue = Scans(world.settings, redis_server.client())
    scheduler = schedule.Scheduler(world.settings, world.db, queue)
    for _ in range(leases.ATTEMPTS):
        assert leases.claim(world.db, result_id, worker="dies", seconds=60)
        world.later(seconds=61)
        scheduler.tick()
    emitted.assert_incremented(catalogue.SCANS_ABANDONED, leases.ATTEMPTS - 1, action="requeued")
    emitted.assert_incremented(catalogue.SCANS_ABANDONED, action="parked")
    emitted.assert_incremented(catalogue.SCAN_ERRORS, kind="folder", reason="worker_died")
    emitted.assert_incremented(catalogue.SCAN_RUNS, status="failed")
    queue.connection.close()


def test_the_gateway_forgets_what_is_watched_no_longer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[tuple[str, str]] = []
    monkeypatch.setattr("metrics.push.pushed_sources", lambda _: {world.slug, "gone"})

    def forget(url: str, slug: str) -> bool:
        forgotten.append((url, slug))
        return True

    monkeypatch.setattr("metrics.push.forget_source", forget)
    assert janitor.forget_unwatched(world.db, "http://gateway") == 1
    assert forgotten == [("http://gateway", "gone")]

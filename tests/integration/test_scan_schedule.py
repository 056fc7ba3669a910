"""The scheduler, a tick at a time, against a real Redis."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis, RedisError
from rq.job import JobStatus
from rq.worker.base import WorkerStatus
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from metrics import catalogue, push
from metrics.model import Gauge
from metrics.push import ScanFigures
from metrics.testing import ANY, captured
from scout import leases, matching, rescoring, runs, scanning, watchlist
from scout.leases import changed
from scout.models import RunTrigger, ScanResult, ScanRun, ScanState, Source
from scout.queue import QueueAway, Scans
from tests.boards_in_folders import KINDS, Folder, posting
from tests.components import find, need
from tests.integration.embedded_programs import GATEWAY, Program, free_port, running, samples
from tests.redis_server import RedisServer, redis_server
from tests.scan_world import World, empty, world
from tests.waiting import wait_until
from workers import janitor, reaper, sampler
from workers.schedule import LOCK, Scheduler

__all__ = ["redis_server", "world"]


@pytest.fixture
def queue(world: World, redis_server: RedisServer) -> Iterator[Scans]:
    queue = Scans(world.settings, redis_server.client())
    yield queue
    queue.connection.close()


@pytest.fixture
def scheduler(world: World, queue: Scans) -> Scheduler:
    # As the first tick of a new stack does: no job that a test stores is of an earlier profile.
    rescoring.ask(world.db, matching.load_profile())
    return Scheduler(world.settings, world.db, queue)


def open_results(world: World) -> list[ScanResult]:
    with world.db.reading() as session:
        return list(session.scalars(select(ScanResult).order_by(ScanResult.id)))


def work(world: World, queue: Scans) -> None:
    """Do what waits on the queue, as a worker would."""
    for result_id in sorted(queue.waiting()):
        scanning.scan(world.db, world.settings, result_id, worker="test")
    empty(queue)


def test_what_was_never_scanned_is_due_at_once_and_what_was_is_due_later(
    world: World, queue: Scans, scheduler: Scheduler
) -> None:
    world.later(seconds=1)
    scheduler.tick()
    scheduler.tick()
    assert len(queue.waiting()) == 1, "asked for once"
    work(world, queue)
    world.later(minutes=59)
    scheduler.tick()
    assert queue.waiting() == set()
    world.later(minutes=8)
    scheduler.tick()
    work(world, queue)
    with world.db.reading() as session:
        found = session.scalars(select(ScanRun).order_by(ScanRun.id)).all()
    assert [(run.trigger, run.state) for run in found] == [
        (RunTrigger.FIRST, ScanState.SUCCEEDED),
        (RunTrigger.SCHEDULE, ScanState.SUCCEEDED),
    ]


def test_a_paused_source_is_not_due(world: World, queue: Scans, scheduler: Scheduler) -> None:
    with world.db.session() as session:
        watchlist.pause(session, world.slug)
    world.later(days=1)
    scheduler.tick()
    assert queue.waiting() == set()


def test_an_abandoned_scan_is_queued_again_and_parked_after_three_tries(
    world: World, queue: Scans, scheduler: Scheduler
) -> None:
    run_id, (result_id,) = world.ask(world.slug)
    with captured() as emitted:
        for attempt in range(1, leases.ATTEMPTS + 1):
            assert leases.claim(world.db, result_id, worker="dies", seconds=60)
            scheduler.tick()
            assert world.result(result_id).state is ScanState.RUNNING, "its lease still runs"
            empty(queue)
            world.later(seconds=61)
            scheduler.tick()
            assert (result_id in queue.waiting()) is (attempt < leases.ATTEMPTS)
        emitted.assert_incremented(catalogue.SCANS_ABANDONED, 2, action="requeued")
        emitted.assert_incremented(catalogue.SCANS_ABANDONED, 1, action="parked")
        emitted.assert_incremented(catalogue.SCAN_ERRORS, 1, kind="folder", reason="worker_died")
        emitted.assert_incremented(catalogue.SCAN_RUNS, 1, status="failed")
        emitted.assert_incremented(catalogue.RQ_JOBS_RETRIED, 2, queue="scans", function="scan_sources")
        emitted.assert_incremented(catalogue.RQ_JOBS_ENQUEUED, 2, queue="scans", function="scan_sources")
    result = world.result(result_id)
    assert (result.state, result.reason) == (ScanState.FAILED, "worker_died")
    assert "ended 3 times" in result.error
    with world.db.reading() as session:
        assert runs.get(session, run_id).state is ScanState.FAILED
    assert world.source().failures == 1


def test_a_result_without_a_job_is_enqueued_and_one_with_a_job_is_not_doubled(
    world: World, queue: Scans, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, (result_id,) = world.ask(world.slug)
    forgotten = reaper.Forgotten(world.db, queue)
    assert forgotten.enqueue() == 1, "a scheduler that has just started does not wait"
    assert forgotten.enqueue() == 0
    assert queue.queue.count == 1
    empty(queue)
    assert forgotten.enqueue() == 0, "a worker may have just taken it"
    monkeypatch.setattr(reaper, "_PICKED_UP", 0.0)
    assert forgotten.enqueue() == 1
    assert queue.waiting() == {result_id}


def test_results_whose_job_a_worker_has_are_not_forgotten_however_long_it_takes(
    world: World, queue: Scans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaper, "_PICKED_UP", 0.0)
    _, (result_id,) = world.ask(world.slug)
    queue.enqueue(7, result_id)
    (job_id,) = queue.queue.get_job_ids()
    empty(queue)
    queue.connection.zadd("rq:wip:scans", {f"{job_id}:an-execution": time.time() + 60})
    assert queue.taken() == {7, result_id}
    assert reaper.Forgotten(world.db, queue).enqueue() == 0
    queue.connection.zadd("rq:wip:scans", {f"{job_id}:an-execution": time.time() - 1})  # its worker died
    assert reaper.Forgotten(world.db, queue).enqueue() == 1


@pytest.mark.parametrize(("results", "jobs", "most"), [(1, 1, 1), (8, 8, 1), (42, 7, 6), (1000, 20, 50)])
def test_many_results_share_jobs_and_few_have_one_each(
    queue: Scans, results: int, jobs: int, most: int
) -> None:
    assert queue.settings.scan_workers == 2
    assert queue.enqueue_all(range(1, results + 1))
    assert queue.waiting() == set(range(1, results + 1))
    sizes = [len(job.args) for job in queue.queue.get_jobs()]
    assert (len(sizes), max(sizes), sum(sizes)) == (jobs, most, results)


def test_a_scan_that_was_handed_back_is_counted_as_another_try_and_a_new_one_is_not(
    world: World, queue: Scans
) -> None:
    _, (result_id,) = world.ask(world.slug)
    with captured() as emitted:
        reaper.Forgotten(world.db, queue).enqueue()
        emitted.assert_incremented(catalogue.RQ_JOBS_ENQUEUED)
        emitted.assert_no_metrics(catalogue.RQ_JOBS_RETRIED)
        lease = leases.claim(world.db, result_id, worker="stops", seconds=60)
        assert lease is not None
        leases.hand_back(world.db, lease)
        empty(queue)
        reaper.Forgotten(world.db, queue).enqueue()
        emitted.assert_incremented(catalogue.RQ_JOBS_RETRIED, queue="scans", function="scan_sources")


def test_a_run_that_ends_for_want_of_sources_is_counted(world: World, scheduler: Scheduler) -> None:
    world.ask(world.slug)
    with world.db.session() as session:
        watchlist.remove(session, world.slug)
    with captured() as emitted:
        scheduler.tick()
        emitted.assert_incremented(catalogue.SCAN_RUNS, status="succeeded")


def test_a_result_waits_while_another_run_scans_its_source(world: World, queue: Scans) -> None:
    _, (result_id,) = world.ask(world.slug)
    with world.db.session() as session:
        later = world.time.replace(year=2030)
        changed(session, update(Source).values(lease_by="another", lease_until=later))
    assert reaper.Forgotten(world.db, queue).enqueue() == 0
    assert scanning.scan(world.db, world.settings, result_id, worker="w") is ScanState.QUEUED
    with world.db.session() as session:
        changed(session, update(Source).values(lease_by=None, lease_until=None))
    assert reaper.Forgotten(world.db, queue).enqueue() == 1


def test_a_run_whose_sources_were_removed_ends(world: World, scheduler: Scheduler) -> None:
    run_id, _ = world.ask(world.slug)
    with world.db.session() as session:
        watchlist.remove(session, world.slug)
    scheduler.tick()
    with world.db.reading() as session:
        assert runs.get(session, run_id).state is ScanState.SUCCEEDED


def test_only_one_of_many_claims_wins(world: World) -> None:
    _, (result_id,) = world.ask(world.slug)
    world.board.show([posting(1)])
    together = threading.Barrier(6)
    won: list[leases.Lease] = []

    def claim() -> None:
        together.wait()
        lease = leases.claim(world.db, result_id, worker="w", seconds=60)
        if lease is not None:
            won.append(lease)

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert world.source().lease_by == won[0].holder


def test_two_scans_of_one_source_at_once_count_one_lost_claim(world: World) -> None:
    _, (result_id,) = world.ask(world.slug)
    world.board.show([posting(1)], [posting(2)])
    world.board.hold(1)
    first = threading.Thread(
        target=scanning.scan, args=(world.db, world.settings, result_id), kwargs={"worker": "one"}
    )
    with captured() as emitted:
        first.start()
        wait_until(lambda: world.board.reached(1), what="the first scan's second page")
        assert scanning.scan(world.db, world.settings, result_id, worker="two") is ScanState.RUNNING
        world.board.release(1)
        first.join()
        emitted.assert_incremented(catalogue.SCAN_CLAIMS_LOST, 1)
        emitted.assert_incremented(catalogue.SCAN_RUNS, 1, status="succeeded")
        emitted.assert_incremented(catalogue.SCAN_LISTINGS, 2, kind="folder", change="new")
        emitted.assert_incremented(catalogue.POSTINGS_PARSED, 2, kind="folder")
        emitted.assert_observed(catalogue.SCAN_DURATION, kind="folder", status="succeeded")
        for phase in ("fetch", "parse", "match", "store"):
            emitted.assert_observed(catalogue.SCAN_PHASE_DURATION, phase=phase)
    assert sorted(world.jobs()) == ["1", "2"]


def test_two_requests_at_once_ask_for_a_source_once(world: World, queue: Scans) -> None:
    together = threading.Barrier(4)
    asked: list[int] = []

    def ask() -> None:
        together.wait()
        asked.append(runs.request(world.db, queue, trigger=RunTrigger.OWNER, slugs=[world.slug]))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(asked)) == 1
    assert len(open_results(world)) == 1


def test_the_lock_is_held_by_one_and_ends_by_itself(world: World, queue: Scans, scheduler: Scheduler) -> None:
    other = Scheduler(world.settings, world.db, queue)
    assert scheduler.lead()
    assert scheduler.lead()
    assert not other.lead()
    assert 0 < queue.connection.pttl(LOCK) <= 10_000
    other.leave()
    assert not other.lead()
    scheduler.leave()
    assert other.lead()


def test_the_sampler_sets_every_gauge_that_is_its_own(
    world: World, queue: Scans, scheduler: Scheduler
) -> None:
    world.monkeypatch.setattr(type(KINDS["folder"]), "origins", ("https://folder.example",))
    world.board.show([posting(1), posting(2)])
    world.scan()
    with world.db.session() as session:
        watchlist.add(session, Folder(world.board.path.parent / "other").board).paused = True
        watchlist.add(session, Folder(world.board.path.parent / "third").board).paused = True
    _, (result_id,) = world.ask("third")
    assert leases.claim(world.db, result_id, worker="busy", seconds=60)
    queue.enqueue(99)
    with captured() as emitted:
        scheduler.tick()
        emitted.assert_gauge(catalogue.JOBS, 2)
        emitted.assert_gauge(catalogue.JOBS_BY_STATUS, 2, status="new")
        emitted.assert_gauge(catalogue.JOBS_BY_STATUS, 0, status="offer")
        emitted.assert_gauge(catalogue.JOBS_NEW_TODAY, 2)
        emitted.assert_gauge(catalogue.LAST_SUCCESSFUL_SCAN, world.time.timestamp())
        emitted.assert_gauge(catalogue.SOURCES_BY_HEALTH, 1, health="ok")
        emitted.assert_gauge(catalogue.SOURCES_BY_HEALTH, 2, health="paused")
        emitted.assert_gauge(catalogue.JOBS_BY_SCORE_BAND, 2, band="70-84")
        emitted.assert_gauge(catalogue.JOBS_BY_SCORE_BAND, 0, band="85-100")
        emitted.assert_gauge(catalogue.SCAN_RUNS_OPEN, 0, status="queued")
        emitted.assert_gauge(catalogue.SCAN_RUNS_OPEN, 1, status="running")
        emitted.assert_gauge(catalogue.SESSIONS_ACTIVE, 0)
        emitted.assert_gauge(catalogue.SAMPLED, world.time.timestamp(), part="database")
        emitted.assert_gauge(catalogue.SAMPLED, world.time.timestamp(), part="queue")
        size = emitted.gauge(catalogue.DATABASE_SIZE)
        assert size is not None
        assert size >= 4096
        emitted.assert_gauge(catalogue.RQ_QUEUE_JOBS, 1, queue="scans", state="queued")
        emitted.assert_gauge(catalogue.RQ_WORKERS, 0, state="idle")
        emitted.assert_gauge(catalogue.OUTBOUND_CIRCUITS, 1, kind="folder", state="closed")
        emitted.assert_gauge(catalogue.OUTBOUND_CIRCUITS, 0, kind="folder", state="open")
        for metric in catalogue.ALL:
            if isinstance(metric, Gauge) and metric.raised_by.startswith("the sampler"):
                emitted.assert_gauge(metric, ANY)
                assert metric is catalogue.SAMPLED or metric.ttl == catalogue.SAMPLED_LIFETIME, metric.name


def test_what_the_sampler_asks_of_the_jobs_is_answered_by_indexes(world: World) -> None:
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(world.db.engine, "before_cursor_execute", listen)
    sampler.sample_database(world.db, world.settings)
    event.remove(world.db.engine, "before_cursor_execute", listen)
    # The sources are few, and read whole.
    large = [each for each in asked if re.search(r"FROM (jobs|scan_runs|sessions)", each[0])]
    assert len(large) == 4
    with world.db.engine.connect() as connection:
        for statement, parameters in large:
            (plan,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            assert "USING COVERING INDEX" in plan.detail, statement


def test_a_sample_that_fails_is_counted_as_the_samplers(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sampler, "sample_database", fails)
    with captured() as emitted:
        scheduler.tick()
        emitted.assert_incremented(catalogue.APP_ERRORS, type="ZeroDivisionError", place="sampler")
        assert emitted.gauge(catalogue.SAMPLED, part="database") is None
        assert emitted.gauge(catalogue.SAMPLED, part="queue") is not None


def test_a_part_that_cannot_be_asked_does_not_count_as_sampled(
    world: World, redis_server: RedisServer, queue: Scans
) -> None:
    redis_server.stop()
    with captured() as emitted:
        with pytest.raises(RedisError):
            sampler.sample_queue(queue)
        sampler.sample_database(world.db, world.settings)
        assert emitted.gauge(catalogue.SAMPLED, part="queue") is None
        emitted.assert_gauge(catalogue.SAMPLED, world.time.timestamp(), part="database")


def test_jobs_are_counted_in_every_registry_of_rq(world: World, queue: Scans) -> None:
    redis = queue.connection
    for number in range(2):
        queue.enqueue(number)
    redis.lpush("rq:queue:scans:intermediate", "a job")
    for registry, count in (
        ("wip", 3), ("deferred", 4), ("ready", 5), ("scheduled", 6), ("finished", 7), ("failed", 8),
        ("canceled", 9),
    ):  # fmt: skip
        redis.zadd(f"rq:{registry}:scans", {f"job {number}": number for number in range(count)})
    with captured() as emitted:
        sampler.sample_queue(queue)
        for state, count in {
            "queued": 2, "intermediate": 1, "started": 3, "deferred": 4, "ready": 5, "scheduled": 6,
            "finished": 7, "failed": 8, "canceled": 9,
        }.items():  # fmt: skip
            emitted.assert_gauge(catalogue.RQ_QUEUE_JOBS, count, queue="scans", state=state)
    assert set(catalogue.RQ_QUEUE_JOBS.labels[1].values) >= {
        each.value for each in JobStatus
    } - {"created", "stopped", "rate_limited", "ready_to_enqueue"}, "RQ has a new state"  # fmt: skip


def test_workers_are_counted_by_state_and_the_oldest_heartbeat_is_told(world: World, queue: Scans) -> None:
    redis = queue.connection

    def worker(name: str, state: str, seconds: int, **more: str) -> None:
        at = (world.time - dt.timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
        for field, told in {"state": state, "last_heartbeat": at, **more}.items():
            redis.hset(f"rq:worker:{name}", field, told)
        redis.sadd("rq:workers:scans", f"rq:worker:{name}")

    with captured() as emitted:
        sampler.sample_queue(queue)
        emitted.assert_gauge(catalogue.RQ_WORKER_HEARTBEAT_AGE, 0)
        worker("a", "busy", 3)
        worker("b", "busy", 40)
        worker("c", "idle", 0)
        worker("d", "idle", 900, death=world.time.isoformat())
        worker("ahead", "suspended", -30)
        redis.sadd("rq:workers:scans", "rq:worker:gone")
        sampler.sample_queue(queue)
        emitted.assert_gauge(catalogue.RQ_WORKER_HEARTBEAT_AGE, 40)
        for state, count in {"busy": 2, "idle": 1, "suspended": 1, "started": 0}.items():
            emitted.assert_gauge(catalogue.RQ_WORKERS, count, state=state)
    assert set(catalogue.RQ_WORKERS.labels[0].values) == {each.value for each in WorkerStatus}


def test_trouble_is_one_line_until_it_is_over(
    world: World, redis_server: RedisServer, scheduler: Scheduler, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, logger="workers.schedule")
    scheduler.tick()
    redis_server.stop()
    for _ in range(3):
        scheduler.tick()
    redis_server.start()
    scheduler.tick()
    assert [record.message.partition(",")[0] for record in caplog.records] == [
        "Trouble with the scheduler's lock",
        "Back again: the scheduler's lock",
    ]
    caplog.clear()

    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    monkeypatch.setattr("workers.schedule.finish_runs", away)
    with captured() as emitted:
        scheduler.tick()
        scheduler.tick()
        emitted.assert_incremented(catalogue.APP_ERRORS, 2, place="schedule")
    assert len(caplog.records) == 1


def test_a_queue_that_does_not_answer_says_what_to_do(world: World, tmp_path: object) -> None:
    queue = Scans(world.settings, Redis.from_url(f"unix://{tmp_path}/nothing.sock"))
    with pytest.raises(QueueAway, match="make run"):
        queue.check()
    with captured() as emitted:
        assert not queue.enqueue(1)
        emitted.assert_incremented(catalogue.APP_ERRORS, type="ConnectionError", place="queue")
        emitted.assert_no_metrics(catalogue.RQ_JOBS_ENQUEUED)


@pytest.fixture(params=["embedded", "real"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    program = (
        GATEWAY if request.param == "embedded" else [find("pushgateway") or need("prometheus-pushgateway")]
    )
    port = free_port()
    # Debian's program keeps its groups in one place for all, unless it is told another.
    flags = [f"--web.listen-address=127.0.0.1:{port}", f"--persistence.file={tmp_path / 'groups'}"]
    with running([*program, *flags], port) as started:
        yield started


FIGURES = ScanFigures(
    state="succeeded", duration=1, finished_at=1, last_success_at=1, seen=1, new=1, updated=0, closed=0,
    listed=1,
)  # fmt: skip


def test_the_gateway_forgets_what_is_watched_no_longer_and_nothing_else(
    world: World, queue: Scans, gateway: Program
) -> None:
    settings = dataclasses.replace(world.settings, pushgateway_url=gateway.url)
    scheduler = Scheduler(settings, world.db, queue)
    assert scheduler.clean_gateway() == 0, "an empty gateway"
    for slug in (world.slug, "removed", "a/b", 'odd "one" \\ here'):
        assert push.push_scan(gateway.url, slug, FIGURES)
    for path in ("/metrics/job/backup/source/removed", "/metrics/job/iam_scan/source/removed/more/1"):
        assert gateway.ask(path, method="PUT", body=b"done 1\n")[0] == 200
    scheduler.clean_at = 0.0
    scheduler.tick()
    wait_until(lambda: push.pushed_sources(gateway.url) == {world.slug}, what="the groups' end")
    kept = {dict(labels).get("job", "") for (name, labels) in samples(gateway.page()) if name == "done"}
    assert kept == {"backup", "iam_scan"}
    assert push.push_scan(gateway.url, "later", FIGURES)
    scheduler.tick()
    assert push.pushed_sources(gateway.url) == {world.slug, "later"}, "not at every tick"


def test_a_gateway_that_is_away_troubles_nothing_else(
    world: World, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler.clean_at = 0.0
    with captured() as emitted:
        scheduler.tick()
        emitted.assert_incremented(catalogue.APP_ERRORS, type="URLError", place="schedule")
        assert emitted.gauge(catalogue.JOBS) == 0
    assert [record.message.partition(",")[0] for record in caplog.records] == [
        "Trouble with the gateway's groups"
    ]


def test_a_gateway_that_goes_away_meanwhile_is_not_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuses(_url: str, slug: str) -> bool:
        asked.append(slug)
        return False

    monkeypatch.setattr(push, "pushed_sources", lambda _url: {"one", "two"})
    monkeypatch.setattr(push, "forget_source", refuses)
    assert janitor.forget_unwatched(world.db, "http://127.0.0.1:1") == 0
    assert asked == ["one"]


def test_the_age_of_the_oldest_job_is_sampled(queue: Scans, world: World) -> None:
    queue.enqueue(7)
    world.monkeypatch.undo()  # RQ dates jobs by the real clock
    with captured() as emitted:
        sampler.sample_queue(queue)
        age = emitted.gauge(catalogue.RQ_OLDEST_JOB_AGE, queue="scans")
    assert age is not None
    assert 0 <= age < 60

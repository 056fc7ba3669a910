"""The database, the queue, the gateway, and what is measured by hand."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import datetime as dt
import gc
import os
import sqlite3
import threading
import weakref
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

import metrics
from metrics import catalogue, client, database, instruments, process, push, queue
from metrics.model import OTHER, Gauge, Label, PushedGauge, Signal
from metrics.push import ScanFigures
from metrics.testing import Captured, captured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator


# --- The database ---


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    made = sa.create_engine("sqlite://")
    database.instrument(made)
    database.instrument(made)
    with made.begin() as connection:
        connection.execute(sa.text("CREATE TABLE jobs (id INTEGER PRIMARY KEY, title TEXT)"))
    yield made
    made.dispose()


def test_every_statement_is_timed_once_by_operation_and_table(engine: sa.Engine, emitted: Captured) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO jobs (title) VALUES (:title)"), [{"title": "a"}, {"title": "b"}]
        )
        connection.execute(sa.text("SELECT * FROM jobs"))
        connection.execute(sa.text("UPDATE jobs SET title = 'c'"))
        connection.execute(sa.text("DELETE FROM jobs"))
        connection.execute(sa.text("PRAGMA user_version"))
    for operation in ("insert", "select", "update", "delete"):
        emitted.assert_observed(catalogue.DB_QUERY_DURATION, operation=operation, table="jobs")
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, operation="other", table="none")
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, operation="commit", table="none")
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, 6)
    emitted.assert_no_metrics(catalogue.DB_ERRORS)


def test_a_failed_statement_is_timed_and_counted(engine: sa.Engine, emitted: Captured) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError):
        connection.execute(sa.text("SELECT * FROM nowhere"))
    emitted.assert_incremented(catalogue.DB_ERRORS, operation="select", type="OperationalError")
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, operation="select", table="nowhere")


@pytest.mark.parametrize(
    ("statement", "operation", "table"),
    [
        ("SELECT jobs.id FROM jobs JOIN sources ON 1", "select", "jobs"),
        ('SELECT a FROM "jobs"', "select", "jobs"),
        ("select 1", "select", "none"),
        ("SELECT count(*) FROM (SELECT id FROM listings) AS anon_1", "select", "listings"),
        ("INSERT INTO public.jobs (a) SELECT b FROM other", "insert", "jobs"),
        ("UPDATE ONLY jobs SET a = 1", "update", "jobs"),
        ("DELETE FROM sessions WHERE 1", "delete", "sessions"),
        ("-- a remark\n/* and another */ DELETE FROM `notes`", "delete", "notes"),
        ("WITH recent AS (SELECT id FROM runs) SELECT * FROM jobs", "select", "jobs"),
        ("WITH a AS (SELECT 1), b AS (SELECT 2) UPDATE jobs SET x = 1", "update", "jobs"),
        ("(SELECT a FROM jobs) UNION (SELECT a FROM notes)", "select", "jobs"),
        ("BEGIN IMMEDIATE", "begin", "none"),
        ("PRAGMA user_version", "other", "none"),
        ("", "other", "none"),
        ("WITH", "other", "none"),
    ],
)
def test_a_statement_tells_what_it_does_and_to_what(statement: str, operation: str, table: str) -> None:
    assert database.what(statement) == (operation, table)


def test_the_memory_for_statements_is_bounded() -> None:
    for number in range(5_000):
        database.what(f"SELECT {number} FROM jobs")  # noqa: S608 - never run
    assert len(database._texts) <= 1_000


def test_a_commit_that_fails_is_timed_and_counted_as_one(tmp_path: Path) -> None:
    made = sa.create_engine(f"sqlite:///{tmp_path}/held", connect_args={"timeout": 0})
    database.instrument(made)
    with made.begin() as connection:
        connection.execute(sa.text("CREATE TABLE jobs (id INTEGER)"))
    reader = sqlite3.connect(tmp_path / "held")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM jobs").fetchall()
    with captured() as emitted, made.connect() as connection:
        connection.execute(sa.text("INSERT INTO jobs VALUES (1)"))
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            connection.commit()  # the reader keeps the lock that it needs
        reader.close()
        connection.rollback()
        with pytest.raises(sa.exc.OperationalError):
            connection.execute(sa.text("SELECT * FROM nowhere"))
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, operation="commit", table="none")
    emitted.assert_incremented(catalogue.DB_ERRORS, operation="commit", type="OperationalError")
    emitted.assert_incremented(catalogue.DB_ERRORS, operation="select", type="OperationalError")
    emitted.assert_incremented(catalogue.DB_ERRORS, 2)
    made.dispose()


def test_a_database_that_cannot_be_reached_is_an_error_of_connecting(tmp_path: Path) -> None:
    made = sa.create_engine(f"sqlite:///{tmp_path}/no/folder")
    database.instrument(made)
    with captured() as emitted, pytest.raises(sa.exc.OperationalError):
        made.connect()
    emitted.assert_incremented(catalogue.DB_ERRORS, operation="connect", type="OperationalError")
    emitted.assert_observed(catalogue.DB_POOL_WAIT)


@pytest.mark.parametrize("pool", [sa.QueuePool, sa.NullPool, sa.StaticPool, sa.pool.SingletonThreadPool])
def test_the_wait_for_a_connection_is_timed_for_every_kind_of_pool(pool: type[sa.Pool]) -> None:
    made = sa.create_engine("sqlite://", poolclass=pool)
    database.instrument(made)
    assert isinstance(made.pool, pool)
    writer = made.execution_options(some="option")
    for _ in range(2):
        with captured() as emitted:
            with made.connect():
                emitted.assert_observed(catalogue.DB_POOL_WAIT)
            with writer.connect():
                emitted.assert_observed(catalogue.DB_POOL_WAIT, 2)
        made.dispose()  # a new pool follows


def pooled(tmp_path: Path, **options: Any) -> sa.Engine:
    made = sa.create_engine(f"sqlite:///{tmp_path}/pooled", poolclass=sa.QueuePool, **options)
    database.instrument(made)
    return made


def test_a_caller_waits_until_another_gives_its_connection_back(tmp_path: Path) -> None:
    made = pooled(tmp_path, pool_size=1, max_overflow=0)
    held = made.connect()
    asks, done = threading.Event(), threading.Event()

    def wait_for_one() -> None:
        asks.set()
        with made.connect():
            done.set()

    with captured() as emitted:
        waiting = threading.Thread(target=wait_for_one)
        waiting.start()
        asks.wait()
        assert not done.wait(0.2)
        held.close()
        waiting.join()
        (waited,) = emitted.durations(catalogue.DB_POOL_WAIT)
    assert waited >= 0.2
    made.dispose()


def test_a_pool_that_gives_none_in_time_is_an_error_of_connecting(tmp_path: Path) -> None:
    made = pooled(tmp_path, pool_size=1, max_overflow=0, pool_timeout=0.01)
    with made.connect(), captured() as emitted, pytest.raises(sa.exc.TimeoutError):
        made.connect()
    emitted.assert_incremented(catalogue.DB_ERRORS, operation="connect", type="TimeoutError")
    emitted.assert_observed(catalogue.DB_POOL_WAIT)
    made.dispose()


def test_the_connections_of_all_pools_of_a_process_are_summed(tmp_path: Path) -> None:
    def told(state: str) -> float:
        with captured() as emitted:
            database.sample_pools("web", "3")
            return emitted.gauge(catalogue.DB_POOL_CONNECTIONS, state=state, role="web", slot="3") or 0

    gc.collect()  # engines of other tests
    before = {state: told(state) for state in ("active", "idle", "overflow")}
    one = pooled(tmp_path, pool_size=1, max_overflow=2)
    other = pooled(tmp_path, pool_size=1)
    with one.connect(), one.connect(), other.connect():
        assert told("active") == before["active"] + 3
        assert told("idle") == before["idle"]
        assert told("overflow") == before["overflow"] + 1
    assert told("active") == before["active"]
    assert told("idle") == before["idle"] + 2
    assert told("overflow") == before["overflow"]
    one.dispose()
    assert told("idle") == before["idle"] + 1
    other.dispose()


def test_an_engine_is_not_kept_alive_and_its_pools_are_sampled_with_the_process(tmp_path: Path) -> None:
    made = pooled(tmp_path)
    with made.connect(), captured() as emitted:
        process.sample("worker", "5")
        active = emitted.gauge(catalogue.DB_POOL_CONNECTIONS, state="active", role="worker", slot="5")
    assert active is not None
    assert active >= 1
    made.dispose()
    gone = weakref.ref(made)
    del made
    gc.collect()
    assert gone() is None


# --- The queue ---


def job(waited: float | None = 2.0, *, aware: bool = True) -> Any:
    enqueued = None if waited is None else dt.datetime.now(dt.UTC) - dt.timedelta(seconds=waited)
    if enqueued is not None and not aware:
        enqueued = enqueued.replace(tzinfo=None)
    return SimpleNamespace(
        origin="scans",
        func_name="workers.jobs.scan_sources",
        enqueued_at=enqueued,
        started_at=None,
        ended_at=None,
    )


@pytest.mark.parametrize("aware", [True, False])
def test_a_job_that_ends_well_is_measured(emitted: Captured, *, aware: bool) -> None:
    with queue.track_job(job(aware=aware)):
        pass
    labels = {"queue": "scans", "function": "scan_sources"}
    emitted.assert_observed(catalogue.RQ_JOB_WAIT, **labels)
    assert emitted.durations(catalogue.RQ_JOB_WAIT)[0] == pytest.approx(2, abs=1)
    emitted.assert_observed(catalogue.RQ_JOB_DURATION, outcome="succeeded", **labels)
    emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED, outcome="succeeded", **labels)


def test_a_job_that_raises_is_measured_as_failed(emitted: Captured) -> None:
    with pytest.raises(KeyError), queue.track_job(job(waited=None)):
        raise KeyError
    emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED, outcome="failed")
    emitted.assert_observed(catalogue.RQ_JOB_DURATION, outcome="failed")
    emitted.assert_no_metrics(catalogue.RQ_JOB_WAIT)


def test_the_wait_is_told_before_the_job_runs(emitted: Captured) -> None:
    with queue.track_job(job()):
        emitted.assert_observed(catalogue.RQ_JOB_WAIT, queue="scans", function="scan_sources")
        emitted.assert_no_metrics(catalogue.RQ_JOBS_FINISHED, catalogue.RQ_JOB_DURATION)


def test_a_job_that_hands_itself_back_is_measured_as_interrupted(emitted: Captured) -> None:
    with queue.track_job(job()) as tracked:
        tracked.outcome = "interrupted"
    emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED, 1, outcome="interrupted")
    emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED, 1)
    emitted.assert_observed(catalogue.RQ_JOB_DURATION, outcome="interrupted")


@pytest.mark.parametrize("aware", [True, False])
@pytest.mark.parametrize("noticed", [True, False])
def test_a_killed_job_is_counted_with_the_time_that_it_ran(
    emitted: Captured, *, aware: bool, noticed: bool
) -> None:
    killed = job()
    now = dt.datetime.now(dt.UTC)
    killed.started_at = now - dt.timedelta(seconds=60)
    killed.ended_at = now if noticed else None
    if not aware:
        killed.started_at = killed.started_at.replace(tzinfo=None)
        killed.ended_at = killed.ended_at and killed.ended_at.replace(tzinfo=None)
    queue.job_killed(killed)
    emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED, queue="scans", outcome="killed")
    (ran,) = emitted.durations(catalogue.RQ_JOB_DURATION, queue="scans", outcome="killed")
    assert ran == pytest.approx(60, abs=5)


def test_a_job_that_was_lost_before_it_began_is_counted_without_a_time(emitted: Captured) -> None:
    queue.job_killed(job())
    emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED, function="scan_sources", outcome="killed")
    emitted.assert_no_metrics(catalogue.RQ_JOB_DURATION)


def test_a_job_that_is_tried_again_is_counted(emitted: Captured) -> None:
    queue.job_retried(job())
    emitted.assert_incremented(catalogue.RQ_JOBS_RETRIED, queue="scans", function="scan_sources")


@pytest.mark.parametrize("fails", [True, False])
def test_what_a_job_emitted_is_sent_at_its_end(monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> None:
    sent: list[bool] = []
    monkeypatch.setattr(client, "flush", lambda: sent.append(True))
    with captured(), contextlib.suppress(KeyError), queue.track_job(job()):
        assert not sent
        if fails:
            raise KeyError
    assert sent == [True]


def test_functions_that_nobody_knows_share_one_name(emitted: Captured) -> None:
    for number in range(3):
        strange = job()
        strange.func_name = f"somebody.elses_{number}"
        queue.job_killed(strange)
    emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED, 3, function="__other__", outcome="killed")


@pytest.mark.emits_wrongly
def test_a_wait_before_the_job_was_queued_is_refused_and_told(emitted: Captured) -> None:
    with queue.track_job(job(waited=-30)):
        pass
    emitted.assert_no_metrics(catalogue.RQ_JOB_WAIT)
    assert len(emitted.mistakes) == 1


# --- By hand ---


def test_track_query_times_and_counts_errors(emitted: Captured) -> None:
    with instruments.track_query("jobs", "select"):
        pass
    with pytest.raises(ValueError, match="no"), instruments.track_query("jobs", "update"):
        raise ValueError("no")
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, table="jobs", operation="select")
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, table="jobs", operation="update")
    emitted.assert_incremented(catalogue.DB_ERRORS, operation="update", type="ValueError")


def test_track_query_is_a_decorator_too(emitted: Captured) -> None:
    @instruments.track_query("jobs", "select")
    def found(number: int, *, twice: bool = False) -> int:
        return number * 2 if twice else number

    @instruments.track_query("jobs", "delete")
    async def removed() -> None:
        raise ConnectionError

    @instruments.track_query("jobs", "insert")
    async def cancelled() -> None:
        raise asyncio.CancelledError

    assert found(2, twice=True) == 4
    assert found.__name__ == "found"
    with pytest.raises(ConnectionError):
        asyncio.run(removed())
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    for operation in ("select", "delete", "insert"):
        emitted.assert_observed(catalogue.DB_QUERY_DURATION, table="jobs", operation=operation)
    emitted.assert_incremented(catalogue.DB_ERRORS, operation="delete", type="ConnectionError")
    emitted.assert_incremented(catalogue.DB_ERRORS)


def test_timed_works_as_a_block_a_decorator_and_on_coroutines(emitted: Captured) -> None:
    timed = instruments.timed(catalogue.SCAN_PHASE_DURATION, phase="parse")

    @timed
    def plain(number: int) -> int:
        return number if number == 0 else plain(number - 1)

    @timed
    async def awaited() -> str:
        await asyncio.sleep(0)
        return "done"

    with timed, timed:
        pass
    assert plain(2) == 0
    assert asyncio.run(awaited()) == "done"
    emitted.assert_observed(catalogue.SCAN_PHASE_DURATION, 6, phase="parse")


def test_a_generator_is_measured_from_its_first_value_to_its_end(emitted: Captured) -> None:
    @instruments.counted(catalogue.SCAN_CLAIMS_LOST)
    def numbers(up_to: int) -> Generator[int, str, str]:
        said = ""
        for number in range(up_to):
            said += (yield number) or "-"
        return said

    waiting = numbers(2)
    emitted.assert_no_metrics()
    assert next(waiting) == 0
    assert waiting.send("a") == 1
    emitted.assert_no_metrics()
    with pytest.raises(StopIteration) as ended:
        waiting.send("b")
    assert ended.value.value == "ab"
    emitted.assert_incremented(catalogue.SCAN_CLAIMS_LOST, 1)
    left = numbers(2)
    next(left)
    left.close()
    emitted.assert_incremented(catalogue.SCAN_CLAIMS_LOST, 2)
    thrown = numbers(2)
    next(thrown)
    with pytest.raises(KeyError):
        thrown.throw(KeyError())
    emitted.assert_incremented(catalogue.SCAN_CLAIMS_LOST, 3)


def test_an_asynchronous_generator_is_refused_when_it_is_defined() -> None:
    with pytest.raises(TypeError, match="numbers is an asynchronous generator"):

        @instruments.counted(catalogue.SCAN_CLAIMS_LOST)
        async def numbers() -> AsyncIterator[int]:
            yield 1


def test_counted_counts_calls_that_raise_too(emitted: Captured) -> None:
    @instruments.counted(catalogue.SCAN_CLAIMS_LOST)
    def fails() -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - any will do
        fails()
    with instruments.counted(catalogue.SCAN_CLAIMS_LOST):
        pass
    emitted.assert_incremented(catalogue.SCAN_CLAIMS_LOST, 2)


# --- In progress ---


def unit_gauge(**options: Any) -> Gauge:
    named = {
        "name": "unit_running",
        "help": "Running.",
        "raised_by": "this test",
        "signal": Signal.SATURATION,
    }
    labels = (Label("work", ("scan", "push")), catalogue.ROLE, catalogue.SLOT)
    return Gauge(**{**named, "labels": labels, "ttl": catalogue.LIFETIME, **options})


@pytest.fixture
def running() -> Iterator[Gauge]:
    known = dict(instruments._all_running)
    yield unit_gauge()
    instruments._all_running.clear()
    instruments._all_running.update(known)
    if not known:
        process.no_longer(instruments._sample)


def test_blocks_and_calls_in_progress_are_told_by_what_they_do(running: Gauge, emitted: Captured) -> None:
    @instruments.in_progress(running, work="scan")
    def scanned(deeper: int) -> None:
        if deeper:
            scanned(deeper - 1)
        else:
            emitted.assert_gauge(running, 3, work="scan")
            raise KeyError

    with instruments.in_progress(running, work="push"), instruments.in_progress(running, work="push"):
        emitted.assert_gauge(running, 2, work="push")
        with pytest.raises(KeyError):
            scanned(2)
    emitted.assert_gauge(running, 0, work="scan")
    emitted.assert_gauge(running, 0, work="push")


def test_what_shares_a_series_is_counted_together(running: Gauge, emitted: Captured) -> None:
    with instruments.in_progress(running, work="odd"), instruments.in_progress(running, work="other"):
        emitted.assert_gauge(running, 2, work=OTHER)


def test_threads_in_progress_are_counted_without_a_lock(running: Gauge, emitted: Captured) -> None:
    inside = threading.Barrier(9)
    done = threading.Event()

    @instruments.in_progress(running, work="scan")
    def work() -> None:
        inside.wait(10)
        assert done.wait(10)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    process.sample("worker", "0")
    emitted.assert_gauge(running, 8, work="scan", role="worker")
    done.set()
    for thread in threads:
        thread.join()
    process.sample("worker", "0")
    emitted.assert_gauge(running, 0, work="scan", role="worker")


def test_what_is_in_progress_is_told_at_once_as_the_process_that_it_is(
    running: Gauge, emitted: Captured
) -> None:
    metrics.start("udp://127.0.0.1:9", role="web")
    try:
        where = client.place()
        assert where is not None
        with instruments.in_progress(running, work="scan"):
            emitted.assert_gauge(running, 1, work="scan", role="web", slot=where[1])
    finally:
        metrics.stop()


def test_a_forked_child_begins_with_nothing_in_progress(running: Gauge, emitted: Captured) -> None:
    with instruments.in_progress(running, work="scan"):
        child = os.fork()
        if not child:
            # pytest's own process is the parent; the child answers by its exit code alone.
            with instruments.in_progress(running, work="scan"):
                emitted.gather()
                os._exit(int(emitted.gauge(running, work="scan") or 0))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        emitted.assert_gauge(running, 1, work="scan")


@pytest.mark.parametrize(
    "options",
    [{"ttl": 0}, {"labels": (Label("work", ("scan",)), catalogue.ROLE)}, {"labels": (catalogue.SLOT,)}],
)
def test_a_gauge_that_could_not_tell_of_one_process_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unit_running needs a role, a slot and a ttl"):
        instruments.in_progress(unit_gauge(**options), work="scan")


def test_a_gauge_follows_what_a_function_returns(emitted: Captured) -> None:
    answers = iter([5, None])

    @instruments.gauged(catalogue.DATABASE_SIZE)
    def size() -> int | None:
        return next(answers)

    @instruments.gauged(catalogue.SESSIONS_ACTIVE)
    async def active() -> int:
        await asyncio.sleep(0)
        return 3

    assert size() == 5
    assert size() is None
    assert asyncio.run(active()) == 3
    emitted.assert_gauge(catalogue.DATABASE_SIZE, 5)
    emitted.assert_gauge(catalogue.SESSIONS_ACTIVE, 3)


def test_count_error_tells_class_and_place(emitted: Captured) -> None:
    instruments.count_error(ConnectionResetError("gone"), "sampler")
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ConnectionResetError", place="sampler")


# --- The gateway ---


class Gateway(BaseHTTPRequestHandler):
    heard: ClassVar[list[tuple[str, str, str]]] = []
    code = 200
    page = b""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.heard.append((self.command, self.path, body))
        self.send_response(self.code)
        self.end_headers()
        self.wfile.write(self.page)

    do_GET = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[str]:
    Gateway.heard.clear()
    Gateway.code = 200
    Gateway.page = b""
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


FIGURES = ScanFigures(
    state="partial", duration=2.5, finished_at=1_700_000_000.0, last_success_at=None,
    seen=9, new=3, updated=2, closed=1, listed=8,
)  # fmt: skip


def test_a_push_replaces_the_group_with_every_declared_gauge(gateway: str, emitted: Captured) -> None:
    assert push.push_scan(gateway, "acme", FIGURES)
    ((method, path, body),) = Gateway.heard
    assert (method, path) == ("PUT", "/metrics/job/iam_scan/source/acme")
    values = {}
    for family in text_string_to_metric_families(body):
        assert family.type == "gauge"
        assert family.documentation == catalogue.BY_NAME[family.name].help
        values[family.name] = family.samples[0].value
    assert set(values) == {metric.name for metric in catalogue.ALL if isinstance(metric, PushedGauge)}
    assert values == {
        "iam_scan_last_success_timestamp_seconds": 0, "iam_scan_last_run_timestamp_seconds": 1_700_000_000,
        "iam_scan_last_duration_seconds": 2.5, "iam_scan_last_succeeded": 1, "iam_scan_last_complete": 0,
        "iam_scan_last_seen": 9, "iam_scan_last_new": 3, "iam_scan_last_updated": 2,
        "iam_scan_last_closed": 1, "iam_scan_listed": 8,
    }  # fmt: skip
    emitted.assert_incremented(catalogue.SCAN_PUSHES, outcome="succeeded")


@pytest.mark.parametrize(
    ("state", "succeeded", "complete"), [("succeeded", 1, 1), ("partial", 1, 0), ("failed", 0, 0)]
)
def test_the_outcome_is_told_by_two_gauges(gateway: str, state: str, succeeded: int, complete: int) -> None:
    figures = ScanFigures(state, 1, 1, 1, 1, 1, 1, 1, 1)
    assert push.push_scan(gateway, "acme", figures)
    assert f"iam_scan_last_succeeded {succeeded}.0" in Gateway.heard[0][2]
    assert f"iam_scan_last_complete {complete}.0" in Gateway.heard[0][2]


def test_a_source_of_any_name_has_its_group(gateway: str) -> None:
    assert push.push_scan(gateway, "a/b", FIGURES)
    assert Gateway.heard[0][1].rpartition("/")[2] == base64.urlsafe_b64encode(b"a/b").decode()


def test_a_removed_source_is_forgotten(gateway: str) -> None:
    assert push.forget_source(gateway, "acme")
    assert Gateway.heard[0][:2] == ("DELETE", "/metrics/job/iam_scan/source/acme")


@pytest.mark.parametrize("code", [400, 500])
def test_a_refused_push_raises_nothing_and_is_counted(gateway: str, emitted: Captured, code: int) -> None:
    Gateway.code = code
    assert not push.push_scan(gateway, "acme", FIGURES)
    assert not push.forget_source(gateway, "acme")
    emitted.assert_incremented(catalogue.SCAN_PUSHES, outcome="refused")
    emitted.assert_incremented(catalogue.SCAN_PUSHES)
    emitted.assert_incremented(catalogue.APP_ERRORS, 2, type="HTTPError", place="push")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid", "", "nonsense", "ftp://x"])
def test_a_gateway_that_is_not_there_raises_nothing_and_is_counted(emitted: Captured, url: str) -> None:
    assert not push.push_scan(url, "acme", FIGURES)
    assert not push.forget_source(url, "acme")
    emitted.assert_incremented(catalogue.SCAN_PUSHES, outcome="unreachable")
    emitted.assert_incremented(catalogue.SCAN_PUSHES)
    emitted.assert_incremented(catalogue.APP_ERRORS, 2, place="push")


def test_figures_that_cannot_be_pushed_raise_nothing_and_are_counted(gateway: str, emitted: Captured) -> None:
    assert not push.push_scan(gateway, "acme", dataclasses.replace(FIGURES, duration=float("nan")))
    assert not Gateway.heard
    emitted.assert_incremented(catalogue.SCAN_PUSHES, outcome="failed")
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ValueError", place="push")


@pytest.mark.parametrize("page", [b'push_time_seconds{job="iam_scan\n', b"push_time_seconds{\xff\n"])
def test_a_page_that_cannot_be_read_is_no_answer(gateway: str, page: bytes) -> None:
    Gateway.page = page
    with pytest.raises(OSError, match="cannot be read"):
        push.pushed_sources(gateway)


def test_a_page_that_takes_too_long_is_no_answer(gateway: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Gateway.page = b"one 1\n"
    monkeypatch.setattr(push, "_PAGE_TIMEOUT", -1.0)
    with pytest.raises(TimeoutError):
        push.pushed_sources(gateway)

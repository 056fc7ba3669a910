from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from rq import Callback, Retry
from sqlalchemy import select, update

from metrics import catalogue
from metrics.testing import captured
from scout.leases import changed
from scout.models import Job, RunTrigger, ScanRun, ScanState, Source
from scout.settings import PROJECT
from tests.boards_in_folders import posting
from tests.redis_server import redis_server
from tests.scan_stack import Stack, stack
from tests.scan_world import empty
from tests.statsd_listener import Listener, statsd
from tests.waiting import wait_until
from workers import jobs
from workers.worker import ScanWorker, TrackedJob, UnknownFunctionError

__all__ = ["redis_server", "stack", "statsd"]


def command(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from scout.cli import main; main()", "scan", *arguments],
        cwd=PROJECT,
        env={**os.environ, **stack.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_run_goes_from_the_queue_through_the_workers_into_the_database(stack: Stack) -> None:
    good = stack.watch("good", [posting(1), posting(2)], [posting(3)])
    stack.watch("bad", then="bot_challenge")
    stack.watch("half", [posting(9)], then="too_large")
    stack.start("worker")
    results = stack.finished(stack.ask("good", "bad", "half"))
    assert {slug: result.state.value for slug, result in results.items()} == {
        "good": "succeeded",
        "bad": "failed",
        "half": "partial",
    }
    assert results["bad"].error == "The board failed: bot_challenge."
    assert (results["good"].seen, results["good"].new) == (3, 3)
    assert len(stack.rows(good)) == 3
    wait_until(
        lambda: stack.queue.queue.count == 0 and not stack.queue.queue.failed_job_registry.get_job_count(),
        what="an empty queue",
    )
    assert not [key for key in stack.queue.connection.keys("rq:job:*") if b"scan_" in key], (
        "no job is left over"
    )


def test_what_is_in_redis_is_json_and_carries_only_a_number(stack: Stack) -> None:
    stack.watch("good", [posting(1)])
    stack.ask("good")
    (job_id,) = stack.queue.queue.get_job_ids()
    (job,) = stack.queue.queue.get_jobs()
    assert job_id.startswith("scan_1_")
    assert json.loads(job._data if isinstance(job._data, bytes) else job.data) == [
        "workers.jobs.scan_sources", None, [1], {},
    ]  # fmt: skip


def test_one_job_scans_several_sources_and_one_that_fails_stops_no_other(stack: Stack) -> None:
    names = [f"board{number}" for number in range(40)]
    for name in names:
        stack.watch(name, [posting(1)], then="crash" if name == "board7" else "")
    run_id = stack.ask(*names)
    assert stack.queue.queue.count == 8
    stack.start("worker")
    results = stack.finished(run_id)
    failed = [name for name in names if results[name].state is not ScanState.SUCCEEDED]
    assert failed == ["board7"]
    assert sum(result.new for result in results.values()) == 40


def test_what_a_job_has_no_time_for_goes_back_to_the_queue(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.watch("slow", [posting(1)])
    stack.watch("other", [posting(1)])
    stack.ask("slow", "other")
    empty(stack.queue)
    monkeypatch.setattr(jobs, "SECONDS", 0.0)
    for name, value in stack.environ.items():
        monkeypatch.setenv(name, value)
    assert ScanState(jobs.scan_sources(1, 2)).ended
    assert stack.queue.waiting() == {2}


def test_the_command_waits_and_tells(stack: Stack) -> None:
    stack.watch("good", [posting(1), posting(2)])
    stack.watch("bad", then="gone")
    stack.start("worker")
    told = command(stack, "--source", "good", "--wait", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == {
        "run_id": 1,
        "status": "succeeded",
        "cancelling": False,
        "sources": [
            {"source": "good", "kind": "folder", "status": "succeeded", "seen": 2, "new": 2, "updated": 0,
             "closed": 0, "error": None}
        ],
    }  # fmt: skip
    told = command(stack, "--source", "good", "--source", "bad", "--wait")
    assert told.returncode == 3
    assert "bad: failed, 0 seen, 0 new, 0 updated, 0 closed. The board failed: gone." in told.stdout
    assert "Scan run 2 partial." in told.stdout
    assert command(stack, "--source", "bad", "--wait").returncode == 1
    told = command(stack, "--source", "good")
    assert (told.returncode, told.stdout) == (0, "4\n")


def test_the_command_says_what_is_missing(stack: Stack) -> None:
    told = command(stack)
    assert told.returncode == 1
    assert "scout sources add" in told.stderr
    told = command(stack, "--source", "nobody")
    assert told.returncode == 1
    assert "'nobody'" in told.stderr
    assert command(stack, "--nonsense").returncode == 2
    stack.redis.stop()
    told = command(stack)
    assert told.returncode == 1
    assert "make run" in told.stderr
    assert "Traceback" not in told.stderr


def test_ctrl_c_leaves_the_run_going(stack: Stack) -> None:
    held = stack.watch("held", [posting(1)])
    held.hold(0)
    stack.start("worker")
    waiting = subprocess.Popen(
        [sys.executable, "-c", "from scout.cli import main; main()", "scan", "--source", "held", "--wait"],
        cwd=PROJECT,
        env={**os.environ, **stack.environ},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: held.reached(0), timeout=20, what="the scan's start")
    waiting.send_signal(signal.SIGINT)
    _, said = waiting.communicate(timeout=20)
    assert waiting.returncode == 1
    assert "Scan run 1 goes on" in said
    held.release(0)
    assert stack.finished(1)["held"].state is ScanState.SUCCEEDED


def test_the_scheduler_asks_for_what_is_due(stack: Stack) -> None:
    for name in ("one", "two", "three"):
        stack.watch(name, [posting(1)])
    with stack.db.session() as session:
        changed(session, update(Source).where(Source.slug != "three").values(paused=False))
    stack.start("schedule")
    stack.start("worker")
    results = stack.finished(1)
    assert sorted(results) == ["one", "two"]
    assert stack.run(1).trigger is RunTrigger.FIRST
    with stack.db.session() as session:
        changed(session, update(Source).where(Source.slug == "two").values(next_scan_at=Source.added_at))
    wait_until(lambda: _runs(stack) == 2, what="the second run")
    assert sorted(stack.finished(2)) == ["two"]
    assert stack.run(2).trigger is RunTrigger.SCHEDULE


def _runs(stack: Stack) -> int:
    with stack.db.reading() as session:
        return len(session.scalars(select(ScanRun.id)).all())


def test_a_second_scheduler_waits_for_the_first_ones_end(stack: Stack) -> None:
    first = stack.start("schedule")
    wait_until(lambda: stack.queue.connection.get("scout:scheduler"), timeout=20, what="the lock")
    holder = stack.queue.connection.get("scout:scheduler")
    stack.start("schedule")
    first.terminate()
    assert first.wait(timeout=10) == 0
    wait_until(
        lambda: stack.queue.connection.get("scout:scheduler") not in {None, holder},
        timeout=20,
        what="the other's lock",
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_workers_stop_when_told_and_hand_their_scan_back(stack: Stack, number: signal.Signals) -> None:
    held = stack.watch("held", [posting(1)], [posting(2)])
    held.hold(1)
    pool = stack.start("worker")
    run_id = stack.ask("held")
    horse = wait_until(lambda: held.reached(1), timeout=20, what="the second page")
    os.killpg(pool.pid, number)
    assert pool.wait(timeout=30) == 0
    wait_until(lambda: not _alive(horse), what="the horse's end")
    (result,) = stack.run(run_id).results
    assert (result.state, result.attempts) == (ScanState.QUEUED, 0)
    held.release(1)
    stack.start("worker")
    stack.start("schedule")
    assert stack.finished(run_id)["held"].state is ScanState.SUCCEEDED
    assert len(stack.rows(held)) == 2


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_jobs_of_two_boards_are_two_jobs_though_their_ids_are_the_same(stack: Stack) -> None:
    stack.watch("one", [posting(1)])
    stack.watch("two", [posting(1, title="Vault Engineer", url="https://other.example/1")])
    stack.start("worker")
    stack.finished(stack.ask("one", "two"))
    with stack.db.reading() as session:
        assert len(session.scalars(select(Job.id)).all()) == 2


# --- What is measured of them -----------------------------------------------------------------------------

JOB = ("scans", "scan_sources")


def test_a_job_is_measured_from_its_wait_to_its_end(stack: Stack, statsd: Listener) -> None:
    held = stack.watch("held", [posting(1)])
    held.hold(0)
    stack.start("worker", STATSD_URL=statsd.url)
    stack.ask("held")
    wait_until(lambda: held.reached(0), timeout=20, what="the scan's start")
    wait_until(lambda: statsd.durations(catalogue.RQ_JOB_WAIT, *JOB) == 1, what="the wait of a job that runs")
    assert statsd.count(catalogue.RQ_JOBS_FINISHED, *JOB, "succeeded") == 0
    held.release(0)
    wait_until(lambda: statsd.count(catalogue.RQ_JOBS_FINISHED, *JOB, "succeeded") == 1, what="its end")
    wait_until(lambda: statsd.durations(catalogue.RQ_JOB_DURATION, *JOB, "succeeded") == 1, what="its time")


def test_a_killed_process_of_a_job_is_counted_by_its_worker(stack: Stack, statsd: Listener) -> None:
    held = stack.watch("held", [posting(1)])
    held.hold(0)
    stack.start("worker", STATSD_URL=statsd.url)
    stack.ask("held")
    horse = wait_until(lambda: held.reached(0), timeout=20, what="the scan's start")
    os.kill(horse, signal.SIGKILL)
    wait_until(lambda: statsd.count(catalogue.RQ_JOBS_FINISHED, *JOB, "killed") == 1, what="the killed job")
    wait_until(lambda: statsd.durations(catalogue.RQ_JOB_DURATION, *JOB, "killed") == 1, what="its time")
    for other in ("succeeded", "failed", "interrupted"):
        assert statsd.count(catalogue.RQ_JOBS_FINISHED, *JOB, other) == 0


def test_a_job_that_is_handed_back_is_counted_as_interrupted_and_put_on_the_queue_again(
    stack: Stack, statsd: Listener
) -> None:
    held = stack.watch("held", [posting(1)])
    held.hold(0)
    pool = stack.start("worker", STATSD_URL=statsd.url)
    stack.ask("held")
    wait_until(lambda: held.reached(0), timeout=20, what="the scan's start")
    os.killpg(pool.pid, signal.SIGTERM)
    assert pool.wait(timeout=30) == 0
    wait_until(lambda: statsd.count(catalogue.RQ_JOBS_FINISHED, *JOB, "interrupted") == 1, what="its end")
    assert statsd.count(catalogue.RQ_JOBS_FINISHED, *JOB, "succeeded") == 0
    stack.start("schedule", STATSD_URL=statsd.url)
    wait_until(
        lambda: statsd.count(catalogue.RQ_JOBS_RETRIED, *JOB) == 1, timeout=20, what="the job's next try"
    )
    wait_until(lambda: statsd.count(catalogue.RQ_JOBS_ENQUEUED, *JOB) == 1, what="the job on the queue")


def the_worker(stack: Stack) -> ScanWorker:
    connection = stack.queue.connection
    return ScanWorker([stack.queue.queue], connection=connection, job_class=TrackedJob)


def a_job(stack: Stack, retry: Retry | None = None) -> TrackedJob:
    job = TrackedJob.create(
        "workers.jobs.scan_sources", args=(1,), connection=stack.queue.connection, origin="scans",
        serializer=stack.queue.queue.serializer, failure_ttl=60, retry=retry,
    )  # fmt: skip
    assert isinstance(job, TrackedJob)
    stack.queue.queue.enqueue_job(job)
    return job


def test_a_job_whose_worker_died_with_it_is_counted_when_rq_finds_it(stack: Stack) -> None:
    worker = the_worker(stack)
    job = a_job(stack)
    stack.queue.queue.remove(job)
    execution = worker.prepare_execution(job)
    worker.prepare_job_execution(job)
    stack.queue.connection.zadd("rq:wip:scans", {execution.composite_key: 1})  # long over
    with captured() as emitted:
        worker.clean_registries()  # type: ignore[no-untyped-call]  # RQ leaves some methods without types
        emitted.assert_incremented(
            catalogue.RQ_JOBS_FINISHED, queue="scans", function="scan_sources", outcome="killed"
        )
        emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED)
    assert job.get_status() == "failed"


called: list[object] = []


def test_a_function_that_is_none_of_ours_is_not_called_for_a_job_nor_at_its_end(stack: Stack) -> None:
    worker = the_worker(stack)
    ours = f"{__name__}.called.append"
    for function, callback in ((ours, None), ("workers.jobs.tell", Callback(ours))):
        job = TrackedJob.create(
            function, args=("for the job",), connection=stack.queue.connection, origin="scans",
            serializer=stack.queue.queue.serializer, failure_ttl=60, on_failure=callback,
        )  # fmt: skip
        job.save()
        read = TrackedJob.fetch(job.id, stack.queue.connection, serializer=job.serializer)
        with captured() as emitted:
            assert not worker.perform_job(read, stack.queue.queue, worker.prepare_execution(read))
            emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED, outcome="failed")
        assert read.get_status() == "failed"
    assert called == []
    with pytest.raises(UnknownFunctionError, match="no part of the scout enqueues"):
        _ = TrackedJob.create("os.mkdir", connection=stack.queue.connection).func


def test_rqs_own_retries_are_counted(stack: Stack) -> None:
    worker = the_worker(stack)
    job = a_job(stack, retry=Retry(max=2))
    with captured() as emitted:
        worker.handle_job_failure(job, stack.queue.queue, exc_string="killed")
        emitted.assert_incremented(catalogue.RQ_JOBS_RETRIED, queue="scans", function="scan_sources")
        emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED, outcome="killed")
    assert (job.get_status(), job.retries_left) == ("queued", 1)


def test_a_job_that_asks_for_another_try_is_counted(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = the_worker(stack)
    monkeypatch.setattr("workers.jobs.scan_sources", lambda _: Retry(max=2))
    job = a_job(stack)
    stack.queue.queue.remove(job)
    with captured() as emitted:
        assert worker.perform_job(job, stack.queue.queue, worker.prepare_execution(job))
        emitted.assert_incremented(catalogue.RQ_JOBS_RETRIED, queue="scans", function="scan_sources")
        emitted.assert_incremented(catalogue.RQ_JOBS_FINISHED, outcome="succeeded")
    assert job.get_status() == "queued"

"""How each process begins to emit, and its jobs are measured: each by a test that misses it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

import workers.__main__ as scan_workers
from metrics import catalogue
from metrics.testing import Captured
from scout.settings import PROJECT
from workers import schedule
from workers.worker import TrackedJob


class Begun(Exception):  # noqa: N818 - no failure
    """Raised in place of the process's work."""


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Where a process begins to send, and as what; it does nothing else."""
    asked: list[tuple[str, str]] = []

    def start(url: str, *, role: str) -> None:
        asked.append((url, role))

    def work(*_: object) -> None:
        raise Begun

    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STATSD_URL", "udp://127.0.0.1:9")
    monkeypatch.setattr("metrics.start", start)
    monkeypatch.setattr("workers.__main__.run", work)
    monkeypatch.setattr("workers.schedule.Scheduler", work)
    monkeypatch.setattr("workers.schedule.signal.signal", lambda *_: None)
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())  # gunicorn's process settings are not for this one
    return asked


def test_scan_workers_send_as_workers(begun: list[tuple[str, str]]) -> None:
    with pytest.raises(Begun):
        scan_workers.main()
    assert begun == [("udp://127.0.0.1:9", "worker")]


def test_the_scheduler_sends_as_the_scheduler(begun: list[tuple[str, str]]) -> None:
    with pytest.raises(Begun):
        schedule.main()
    assert begun == [("udp://127.0.0.1:9", "scheduler")]


def test_each_forked_process_of_the_pages_sends_as_web(begun: list[tuple[str, str]]) -> None:
    spec = importlib.util.spec_from_file_location("gunicorn_conf", PROJECT / "webapp/gunicorn.conf.py")
    assert spec is not None
    assert spec.loader is not None
    configuration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(configuration)
    configuration.post_fork(None, None)
    assert begun == [("udp://127.0.0.1:9", "web")]


def test_a_workers_job_is_measured(
    tmp_path: Path, emitted: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Job, "perform", lambda _: "done")
    nobody = Redis.from_url(f"unix://{tmp_path}/nobody.sock")
    job = TrackedJob.create(
        "workers.jobs.scan_source", args=(1,), connection=nobody, serializer=JSONSerializer, origin="scans"
    )
    assert job.perform() == "done"
    emitted.assert_incremented(
        catalogue.RQ_JOBS_FINISHED, queue="scans", function="scan_source", outcome="succeeded"
    )

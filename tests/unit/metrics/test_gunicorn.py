"""Gunicorn's hooks, in one process; with the real server see tests/integration/test_web_server_metrics.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from metrics import catalogue, client, gunicorn, process
from metrics.testing import Captured, captured


def a_worker(**changes: Any) -> Any:
    given = {"age": 1, "pid": os.getpid(), "aborted": False, "nr": 3, "max_requests": 100}
    return SimpleNamespace(**{**given, **changes})


def ending(worker: Any, how: Callable[[], Any]) -> None:
    """What gunicorn does in a worker at its end."""
    try:
        how()
    except BaseException:  # noqa: BLE001 - as gunicorn does
        gunicorn.worker_exit(worker)


def fail() -> None:
    raise RuntimeError


@pytest.mark.parametrize(
    ("changes", "how", "reason"),
    [
        ({}, lambda: sys.exit(0), "stopped"),
        ({"nr": 100}, lambda: sys.exit(0), "recycled"),
        ({"nr": 100}, lambda: sys.exit(3), "crashed"),
        ({}, fail, "crashed"),
        ({"aborted": True}, lambda: sys.exit(1), "timeout"),
        ({}, lambda: None, "killed"),
        ({"aborted": True}, lambda: None, "timeout"),
    ],
)
def test_the_reason_of_a_workers_end_is_its_last_word(
    changes: dict[str, Any], how: Callable[[], Any], reason: str
) -> None:
    worker = a_worker(**changes)
    with captured() as emitted:
        gunicorn.pre_fork(worker)
        emitted.assert_incremented(catalogue.GUNICORN_WORKERS_STARTED)
        ending(worker, how)
        emitted.assert_no_metrics(catalogue.GUNICORN_WORKER_EXITS)
        gunicorn.child_exit(worker)
        emitted.assert_incremented(catalogue.GUNICORN_WORKER_EXITS, reason=reason)
        gunicorn.child_exit(worker)
        gunicorn.on_exit()
        emitted.assert_incremented(catalogue.GUNICORN_WORKER_EXITS, 1)


def test_a_worker_that_somebody_else_reaped_is_counted_by_the_arbiter() -> None:
    worker = a_worker(pid=os.getpid() + 1)
    with captured() as emitted:
        gunicorn.pre_fork(worker)
        gunicorn.worker_exit(worker)
        emitted.assert_incremented(catalogue.GUNICORN_WORKER_EXITS, reason="killed")


def test_workers_of_which_gunicorn_told_nothing_are_counted_at_its_end() -> None:
    failed, killed = a_worker(age=1), a_worker(age=2)
    with captured() as emitted:
        gunicorn.pre_fork(failed)
        gunicorn.pre_fork(killed)
        ending(failed, lambda: sys.exit(3))
        gunicorn.on_exit()
        emitted.assert_incremented(catalogue.GUNICORN_WORKER_EXITS, reason="crashed")
        emitted.assert_incremented(catalogue.GUNICORN_WORKER_EXITS, reason="killed")


def test_a_worker_says_how_busy_it_is_with_each_sample_of_its_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[tuple[str, str]] = []
    monkeypatch.setattr(client, "start", lambda url, *, role: started.append((url, role)))
    monkeypatch.setattr(process, "_samplers", [])
    worker = a_worker(
        cfg=SimpleNamespace(threads=4), nr_conns=0, keepalived_conns=[], pending_conns=[]
    )  # fmt: skip
    gunicorn.post_fork(worker, "udp://127.0.0.1:9", lambda: 1)
    with captured() as emitted:
        process.sample("web", "0")
        emitted.assert_gauge(catalogue.GUNICORN_WORKERS, 1, state="busy", role="web", slot="0")
    assert started == [("udp://127.0.0.1:9", "web")]


def test_a_worker_that_starts_is_counted(emitted: Captured) -> None:
    worker = a_worker()
    gunicorn.pre_fork(worker)
    emitted.assert_incremented(catalogue.GUNICORN_WORKERS_STARTED)
    gunicorn.child_exit(worker)


def test_what_there_is_is_sent_before_a_worker_is_killed_for_a_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[bool] = []
    monkeypatch.setattr(client, "flush", lambda: sent.append(True))
    gunicorn.worker_abort()
    assert sent == [True]


@pytest.mark.parametrize(
    ("connections", "kept", "pending", "busy", "waiting"),
    [(0, 0, 0, 0, 0), (5, 2, 1, 2, 0), (9, 1, 0, 4, 4), (1, 2, 0, 0, 0)],
)
@pytest.mark.parametrize("in_progress", [0, 1, 3])
def test_the_load_of_a_worker_is_told(
    *, connections: int, kept: int, pending: int, busy: int, waiting: int, in_progress: int
) -> None:
    worker = a_worker(
        cfg=SimpleNamespace(threads=4),
        nr_conns=connections,
        keepalived_conns=[0] * kept,
        pending_conns=[0] * pending,
    )
    with captured() as emitted:
        gunicorn._Load(worker, lambda: in_progress)("web", "2")
        own = {"role": "web", "slot": "2"}
        emitted.assert_gauge(catalogue.GUNICORN_THREADS, busy, state="busy", **own)
        emitted.assert_gauge(catalogue.GUNICORN_THREADS, 4 - busy, state="idle", **own)
        emitted.assert_gauge(catalogue.GUNICORN_WAITING, waiting, **own)
        emitted.assert_gauge(catalogue.GUNICORN_WORKERS, int(in_progress > 0), state="busy", **own)
        emitted.assert_gauge(catalogue.GUNICORN_WORKERS, int(in_progress == 0), state="idle", **own)

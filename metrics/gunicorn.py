"""Gunicorn's processes, measured from its hooks: call each function here from the hook of the same name.

The arbiter counts what starts and what ends, since it alone outlives its workers; it has a client of its own
for that. It is not told why a worker ended, so each worker leaves it a word at its end, in a byte of memory
that both see. A worker without a last word was killed.
"""

from __future__ import annotations

import mmap
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metrics import catalogue, client, process

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS = {1: "recycled", 2: "crashed", 3: "stopped"}
_BYTES = {word: byte for byte, word in _WORDS.items()}

# The arbiter's workers that have not been counted as ended, by their age, which is their number.
_last_words: dict[int, mmap.mmap] = {}


def when_ready(url: str) -> None:
    """In the arbiter, before its first worker: begin emitting."""
    client.start(url, role="arbiter")


def pre_fork(worker: Any) -> None:
    """In the arbiter: count a worker that is about to start."""
    _last_words[worker.age] = mmap.mmap(-1, 1)
    catalogue.GUNICORN_WORKERS_STARTED.inc()


def post_fork(worker: Any, url: str, in_progress: Callable[[], int]) -> None:
    """In a worker of the `gthread` class: begin emitting, and say how busy it is with each sample.

    Args:
        worker: Gunicorn's worker.
        url: Where its metrics go.
        in_progress: How many requests are in progress now.
    """
    client.start(url, role="web")
    process.also(_Load(worker, in_progress))


def worker_abort() -> None:
    """In a worker that gave no sign of life and is about to be killed: send what there is."""
    client.flush()


def worker_exit(worker: Any) -> None:
    """In a worker that ends: leave word why, and send what is pending."""
    if worker.pid != os.getpid():
        child_exit(worker)  # gunicorn calls the hook in the arbiter too, for a worker that is gone already
        return
    error = sys.exc_info()[1]
    if not isinstance(error, SystemExit) or error.code:
        word = "crashed"
    elif worker.nr >= worker.max_requests:
        word = "recycled"
    else:
        word = "stopped"
    _last_words[worker.age][0] = _BYTES[word]
    client.stop()


def child_exit(worker: Any) -> None:
    """In the arbiter: count a worker that has ended."""
    said = _last_words.pop(worker.age, None)
    if said is not None:
        reason = "timeout" if worker.aborted else _WORDS.get(said[0], "killed")
        catalogue.GUNICORN_WORKER_EXITS.inc(reason=reason)
        said.close()


def on_exit() -> None:
    """In the arbiter, at its end: count the workers of which gunicorn told nothing, and send what is pending.

    Those are what could not even start, and what was killed since it did not stop in time.
    """
    while _last_words:
        _, said = _last_words.popitem()
        catalogue.GUNICORN_WORKER_EXITS.inc(reason=_WORDS.get(said[0], "killed"))
        said.close()
    client.stop()


@dataclass(frozen=True, slots=True)
class _Load:
    """How busy one worker is, as a sampler of `metrics.process`."""

    worker: Any
    in_progress: Callable[[], int]

    def __call__(self, role: str, slot: str) -> None:
        worker = self.worker
        threads = worker.cfg.threads
        # The others are kept open between two requests, or have long sent nothing: they hold no thread.
        held = max(0, worker.nr_conns - len(worker.keepalived_conns) - len(worker.pending_conns))
        busy = min(held, threads)
        catalogue.GUNICORN_THREADS.set(busy, state="busy", role=role, slot=slot)
        catalogue.GUNICORN_THREADS.set(threads - busy, state="idle", role=role, slot=slot)
        catalogue.GUNICORN_WAITING.set(held - busy, role=role, slot=slot)
        working = self.in_progress() > 0
        catalogue.GUNICORN_WORKERS.set(int(working), state="busy", role=role, slot=slot)
        catalogue.GUNICORN_WORKERS.set(int(not working), state="idle", role=role, slot=slot)

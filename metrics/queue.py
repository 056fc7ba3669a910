"""Queue jobs, measured by one wrapper around every job and nothing inside it."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from typing import TYPE_CHECKING

from metrics import catalogue, client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rq.job import Job


@contextlib.contextmanager
def track_job(job: Job) -> Iterator[None]:
    """Measure an RQ job while it runs: how long it waited and ran, and how it ended.

    At the end the samples are sent, since RQ's work horse ends by `os._exit` and runs no exit hooks. A job
    whose clock says that it started before it was put on the queue counts as an invalid sample, not as a
    wait.

    Args:
        job: Its queue is the `queue` label, and the last part of its function's dotted name the `function`
            label.
    """
    queue = str(job.origin or "")
    function = str(job.func_name or "").rpartition(".")[2]
    if job.enqueued_at is not None:
        enqueued = job.enqueued_at
        if enqueued.tzinfo is None:  # RQ's own times are UTC
            enqueued = enqueued.replace(tzinfo=dt.UTC)
        catalogue.RQ_JOB_WAIT.observe(time.time() - enqueued.timestamp(), queue=queue, function=function)
    begun = time.perf_counter()
    outcome = "failed"
    try:
        yield
        outcome = "succeeded"
    finally:
        took = time.perf_counter() - begun
        catalogue.RQ_JOB_DURATION.observe(took, queue=queue, function=function, outcome=outcome)
        catalogue.RQ_JOBS_FINISHED.inc(queue=queue, function=function, outcome=outcome)
        client.flush()

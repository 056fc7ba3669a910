"""Queue jobs, measured by one wrapper around every job and nothing inside it."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from typing import TYPE_CHECKING, Literal

from metrics import catalogue, client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rq.job import Job


class Tracked:
    """A job while it is measured.

    Attributes:
        outcome: How it ends; `failed` until its block ends. A job that has handed itself back says
            `interrupted` here.
    """

    outcome: Literal["succeeded", "failed", "interrupted"] = "succeeded"


@contextlib.contextmanager
def track_job(job: Job) -> Iterator[Tracked]:
    """Measure an RQ job while it runs: how long it waited and ran, and how it ended.

    The wait is told at the start, so that the wait of a job that hangs, or is killed, is known too; how it
    ends cannot be said of it. At the end the samples are sent, since RQ's work horse ends by `os._exit` and
    runs no exit hooks. A job whose clock says that it started before it was put on the queue counts as an
    invalid sample, not as a wait.

    Args:
        job: Its queue is the `queue` label, and the last part of its function's dotted name the `function`
            label.
    """
    queue, function = _names(job)
    if job.enqueued_at is not None:
        waited = time.time() - _moment(job.enqueued_at)
        catalogue.RQ_JOB_WAIT.observe(waited, queue=queue, function=function)
    tracked = Tracked()
    begun = time.perf_counter()
    try:
        yield tracked
    except BaseException:
        tracked.outcome = "failed"
        raise
    finally:
        _ended(job, time.perf_counter() - begun, tracked.outcome)
        client.flush()


def job_killed(job: Job) -> None:
    """Count a job whose process ended without a word: killed, or out of memory. For whoever outlived it.

    Its run time is told too, if RQ knows when it began: until now, or until RQ noticed.
    """
    if job.started_at is None:
        _ended(job, None, "killed")
    else:
        ended = time.time() if job.ended_at is None else _moment(job.ended_at)
        _ended(job, ended - _moment(job.started_at), "killed")


def job_retried(job: Job) -> None:
    """Count a job that is put on its queue once more."""
    queue, function = _names(job)
    catalogue.RQ_JOBS_RETRIED.inc(queue=queue, function=function)


def _ended(job: Job, took: float | None, outcome: str) -> None:
    queue, function = _names(job)
    if took is not None:
        catalogue.RQ_JOB_DURATION.observe(took, queue=queue, function=function, outcome=outcome)
    catalogue.RQ_JOBS_FINISHED.inc(queue=queue, function=function, outcome=outcome)


def _names(job: Job) -> tuple[str, str]:
    return str(job.origin or ""), str(job.func_name or "").rpartition(".")[2]


def _moment(at: dt.datetime) -> float:
    # RQ's own times are UTC, whether they say so or not.
    return (at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)).timestamp()

"""The queue: which Redis, and how a scan is put on it. Jobs carry a number; the database holds the rest."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import math
import re
import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Any

import redis
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import as_text

from metrics import catalogue
from metrics.instruments import count_error
from scout import clock
from scout.errors import ScoutError
from scout.logs import ids
from scout.settings import Settings

logger = logging.getLogger(__name__)

NAME = "scans"
#: The job, by name: what enqueues does not import what runs.
SCAN_SOURCES = "workers.jobs.scan_sources"
RESCORE = "workers.jobs.rescore"
#: The key that the scheduler at work holds; it ends by itself some seconds after that process.
SCHEDULER_LOCK = "scout:scheduler"
#: Seconds after which RQ ends a scan that ignores its own time limit (`scout.scanning.TIME_LIMIT`).
JOB_TIMEOUT = 900
#: Seconds without a sign of life after which a job's worker is taken for dead; it gives one every five.
_DEAD_AFTER = 30
#: Seconds that Redis keeps a failed job, for who wants to look; the database keeps what matters.
FAILURE_TTL = 86_400

#: The most results that one job works for: a process forked for each would cost more than a small board does.
MOST_PER_JOB = 50
#: How many jobs each worker is to find on the queue, before jobs work for several results.
_JOBS_PER_WORKER = 4

_ID = re.compile(r"scan_(\d+(?:-\d+)*)_[0-9a-f]+")


class QueueAway(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """Redis does not answer, so nothing can be put on the queue or read from it."""


class ScanQueue(Queue):
    """An RQ queue that only knows JSON: whoever can write to Redis must not be able to run code by it."""

    def __init__(self, name: str = NAME, connection: Redis | None = None, **options: Any) -> None:
        options["serializer"] = JSONSerializer
        super().__init__(name, connection=connection, **options)


def connect(settings: Settings) -> Redis:
    """A client of the queue's Redis. Nothing is sent yet; an answer is waited for at most five seconds."""
    return Redis.from_url(
        settings.redis, socket_connect_timeout=5, socket_timeout=5, retry=Retry(NoBackoff(), retries=1)
    )


class Scans:
    """The queue of scans, and of scoring anew what they stored."""

    def __init__(self, settings: Settings, connection: Redis | None = None) -> None:
        self.settings = settings
        self.connection = connection or connect(settings)
        self.queue = ScanQueue(connection=self.connection)

    def check(self) -> None:
        """See that Redis answers.

        Raises:
            QueueAway: It does not.
        """
        try:
            self.connection.ping()
        except redis.RedisError as error:
            raise QueueAway(
                f"The queue does not answer: {_first_line(error)}. `make run` starts it with all the rest; "
                "if REDIS_URL is set, see that a Redis runs there."
            ) from error

    def enqueue_all(self, result_ids: Sequence[int]) -> bool:
        """Put many sources' scans on the queue, in this order; a job works for several of them if need be.

        Returns:
            Whether Redis took them all; as for `enqueue`.
        """
        fair = math.ceil(len(result_ids) / (_JOBS_PER_WORKER * self.settings.scan_workers))
        size = min(max(fair, 1), MOST_PER_JOB)
        # In the order given, in which neighbours are of different origins: no job asks a single one.
        return all(
            self.enqueue(*result_ids[start : start + size]) for start in range(0, len(result_ids), size)
        )

    def enqueue(self, *result_ids: int, again: bool = False) -> bool:
        """Put a job on the queue that scans sources, one after the other.

        Args:
            result_ids: The `ScanResult`s that it works for.
            again: Whether a try before came to nothing.

        Returns:
            Whether Redis took it. If not, nothing is lost: the scheduler finds the waiting result in the
            database and tries again.
        """
        try:
            self.queue.enqueue_call(
                SCAN_SOURCES,
                args=result_ids,
                # One name per try: RQ takes letters, digits, underscores and hyphens.
                job_id=f"scan_{'-'.join(map(str, result_ids))}_{secrets.token_hex(4)}",
                description=f"scan results {', '.join(map(str, result_ids))}",
                timeout=JOB_TIMEOUT,
                result_ttl=0,
                failure_ttl=FAILURE_TTL,
                meta=ids.for_queue(),
            )
        except redis.RedisError as error:
            logger.warning("Scan results %s wait for the queue: %s", result_ids, _first_line(error))
            count_error(error, "queue")
            return False
        catalogue.RQ_JOBS_ENQUEUED.inc(queue=NAME, function="scan_sources")
        if again:
            catalogue.RQ_JOBS_RETRIED.inc(queue=NAME, function="scan_sources")
        return True

    def rescore(self, scoring_id: int, number: int) -> bool:
        """Put one part of a round of scoring on the queue, unless a job of it waits or runs.

        Returns:
            Whether it was put there now.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        job_id = f"rescore_{scoring_id}_{number}"
        try:
            self._enqueue_rescoring(job_id, scoring_id, number)
        except DuplicateJobError:
            if not self._is_over(job_id):
                return False
            with contextlib.suppress(DuplicateJobError):  # another scheduler was faster
                self._enqueue_rescoring(job_id, scoring_id, number)
        catalogue.RQ_JOBS_ENQUEUED.inc(queue=NAME, function="rescore")
        return True

    def _enqueue_rescoring(self, job_id: str, scoring_id: int, number: int) -> None:
        self.queue.enqueue_call(
            RESCORE,
            args=(scoring_id, number),
            job_id=job_id,
            unique=True,
            description=f"scoring {scoring_id}, part {number}",
            timeout=JOB_TIMEOUT,
            result_ttl=0,
            failure_ttl=FAILURE_TTL,
            meta=ids.for_queue(),
        )

    def _is_over(self, job_id: str) -> bool:
        """Forget a job that ended without success, or whose worker died; whether it did."""
        try:
            job = Job.fetch(job_id, connection=self.connection, serializer=JSONSerializer)
        except NoSuchJobError:
            return True
        status = job.get_status(refresh=False)
        if status is JobStatus.QUEUED:
            return False
        alive = job.last_heartbeat
        if status is JobStatus.STARTED and alive is not None:
            now = clock.now()
            if (now - alive.replace(tzinfo=alive.tzinfo or dt.UTC)).total_seconds() < _DEAD_AFTER:
                return False
        job.delete()
        return True

    def waiting(self) -> set[int]:
        """The results whose jobs wait on the queue now.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        return _results(self.queue.get_job_ids())

    def taken(self) -> set[int]:
        """The results whose jobs a worker has: each is being scanned, was, or will be by the same job.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        # Not by the registry's own method, which would clean it up, and that is the workers' to do. A job's
        # entry ends by itself a minute after its worker did.
        begun: Any = self.connection.zrangebyscore(f"rq:wip:{NAME}", time.time(), "+inf")
        return _results(as_text(entry).partition(":")[0] for entry in begun)

    def has_workers(self) -> bool:
        """Whether any worker serves the queue.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        return bool(self.connection.exists(*keys)) if (keys := self.worker_keys()) else False

    def worker_keys(self) -> list[str]:
        """The Redis keys of the workers that registered for the queue, dead ones perhaps included."""
        return sorted(as_text(key) for key in self.connection.smembers(f"rq:workers:{NAME}"))


def _results(job_ids: Iterable[str]) -> set[int]:
    matches = (_ID.fullmatch(job_id) for job_id in job_ids)
    return {int(number) for match in matches if match for number in match[1].split("-")}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")

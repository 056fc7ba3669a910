"""The queue: which Redis, and how a scan is put on it. Jobs carry a number; the database holds the rest."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import re
import secrets
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
from scout.settings import Settings

logger = logging.getLogger(__name__)

NAME = "scans"
#: The job, by name: what enqueues does not import what runs.
SCAN_SOURCE = "workers.jobs.scan_source"
RESCORE = "workers.jobs.rescore"
#: The key that the scheduler at work holds; it ends by itself some seconds after that process.
SCHEDULER_LOCK = "scout:scheduler"
#: Seconds after which RQ ends a scan that ignores its own time limit (`scout.scanning.TIME_LIMIT`).
JOB_TIMEOUT = 900
#: Seconds without a sign of life after which a job's worker is taken for dead; it gives one every five.
_DEAD_AFTER = 30
#: Seconds that Redis keeps a failed job, for who wants to look; the database keeps what matters.
FAILURE_TTL = 86_400

_ID = re.compile(r"scan_(\d+)_[0-9a-f]+")


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

    def enqueue(self, result_id: int, *, again: bool = False) -> bool:
        """Put one source's scan on the queue.

        Args:
            result_id: The `ScanResult` that it works for.
            again: Whether a try before came to nothing.

        Returns:
            Whether Redis took it. If not, nothing is lost: the scheduler finds the waiting result in the
            database and tries again.
        """
        try:
            self.queue.enqueue_call(
                SCAN_SOURCE,
                args=(result_id,),
                # One name per try: RQ takes letters, digits, underscores and hyphens.
                job_id=f"scan_{result_id}_{secrets.token_hex(4)}",
                description=f"scan result {result_id}",
                timeout=JOB_TIMEOUT,
                result_ttl=0,
                failure_ttl=FAILURE_TTL,
            )
        except redis.RedisError as error:
            logger.warning("Scan result %s waits for the queue: %s", result_id, _first_line(error))
            count_error(error, "queue")
            return False
        catalogue.RQ_JOBS_ENQUEUED.inc(queue=NAME, function="scan_source")
        if again:
            catalogue.RQ_JOBS_RETRIED.inc(queue=NAME, function="scan_source")
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
        matches = (_ID.fullmatch(job_id) for job_id in self.queue.get_job_ids())
        return {int(match[1]) for match in matches if match}

    def has_workers(self) -> bool:
        """Whether any worker serves the queue.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        return bool(self.connection.exists(*keys)) if (keys := self.worker_keys()) else False

    def worker_keys(self) -> list[str]:
        """The Redis keys of the workers that registered for the queue, dead ones perhaps included."""
        return sorted(as_text(key) for key in self.connection.smembers(f"rq:workers:{NAME}"))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")

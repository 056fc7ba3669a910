"""The queue: which Redis, and how a scan is put on it. Jobs carry a number; the database holds the rest."""

from __future__ import annotations

import logging
import re
import secrets
from typing import Any

import redis
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from rq.utils import as_text

from metrics import catalogue
from metrics.instruments import count_error
from scout.errors import ScoutError
from scout.settings import Settings

logger = logging.getLogger(__name__)

NAME = "scans"
#: The job, by name: what enqueues does not import what runs.
SCAN_SOURCE = "workers.jobs.scan_source"
#: The key that the scheduler at work holds; it ends by itself some seconds after that process.
SCHEDULER_LOCK = "scout:scheduler"
#: Seconds after which RQ ends a scan that ignores its own time limit (`scout.scanning.TIME_LIMIT`).
JOB_TIMEOUT = 900
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
    """The queue of scans."""

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

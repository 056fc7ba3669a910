"""Asking for a round of telling: one job on the queue of scans, in front of them."""

from __future__ import annotations

import logging
import time

import redis
from rq.exceptions import DuplicateJobError

from metrics import catalogue
from metrics.instruments import count_error
from scout.logs import ids
from scout.queue import NAME, Scans

logger = logging.getLogger(__name__)

#: The job, by name: what enqueues does not import what runs.
TELL = "workers.jobs.tell"
#: Seconds after which RQ ends a round that ignores its own limit (`scout.telling.teller.ROUND_LIMIT`).
JOB_TIMEOUT = 300
#: Seconds after which a round whose worker was killed keeps no other away.
_SLOT = 60


def ask(scans: Scans) -> bool:
    """Put a round on the queue, unless one is there or runs; whether it was put there.

    A lost one is no loss: what waits is in the database, and is asked for again.
    """
    try:
        scans.queue.enqueue_call(
            TELL,
            # The name of a job whose worker was killed stays taken for a while; the next minute has another.
            job_id=f"tell_{int(time.time()) // _SLOT}",
            unique=True,
            at_front=True,
            description="tell of new matches",
            timeout=JOB_TIMEOUT,
            result_ttl=0,
            failure_ttl=_SLOT,
            meta=ids.for_queue(),
        )
    except DuplicateJobError:
        return False
    except redis.RedisError as error:
        logger.warning("Messages wait for the queue: %s", error)
        count_error(error, "queue")
        return False
    catalogue.RQ_JOBS_ENQUEUED.inc(queue=NAME, function="tell")
    return True

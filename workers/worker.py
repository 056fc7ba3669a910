"""The worker: RQ's, with JSON only, metrics around every job, and an end within seconds."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import threading
import time
from typing import Any

import redis
from redis import Redis
from rq import Worker, worker_registration
from rq.exceptions import AbandonedJobError, StopRequested
from rq.job import Job
from rq.job_lifecycle import call_exception_handlers
from rq.serializers import JSONSerializer
from rq.worker_pool import ForkProcess, WorkerPool

import metrics
from metrics import catalogue, process
from metrics.queue import job_killed, job_retried, track_job
from scout import traces
from scout.errors import ScoutError
from scout.logs import ids
from scout.queue import NAME, RESCORE, SCAN_SOURCES, ScanQueue, connect
from scout.settings import Settings
from scout.telling.asking import TELL
from workers.jobs import INTERRUPTED

logger = logging.getLogger(__name__)

#: What a job may run.
_OURS = frozenset({SCAN_SOURCES, RESCORE, TELL})
#: Seconds a stopping worker gives its scan to hand itself back; the stack kills what is left after five.
GRACE = 3.0
#: Seconds that a worker waits for a job before it looks around; RQ's time to live minus 15.
_WAIT = 5
_WORKER_TTL = _WAIT + 15
#: Seconds between two looks at whether the parent still lives.
_WATCH = 1.0


class UnknownFunctionError(ScoutError):
    """A job names a function that is none of ours."""


class TrackedJob(Job):
    """A job whose wait, run time and outcome are measured, whatever it does.

    Whoever writes to Redis names the function that it runs: it has to be one of ours. RQ would import and
    call whatever is named there, for a job and when it ends.
    """

    #: None of ours has any.
    success_callback = failure_callback = stopped_callback = None

    @property
    def func(self) -> Any:
        """The function.

        Raises:
            UnknownFunctionError: It is none of ours.
        """
        if self.func_name not in _OURS:
            raise UnknownFunctionError(
                f"A job on the queue names {self.func_name!r}, which no part of the scout enqueues: "
                "see who can write to Redis."
            )
        return super().func

    def perform(self) -> Any:
        """Run the job's function."""
        function = str(self.func_name).rpartition(".")[2]
        with (
            ids.binding(job_id=self.id, function=function, **ids.of_queue(self.meta)),
            traces.span(
                f"process {function}",
                kind="consumer",
                carried=traces.of_queue(self.meta),
                messaging__system="rq",
                messaging__destination__name=str(self.origin),
                messaging__operation__type="process",
                messaging__message__id=self.id,
            ),
            track_job(self) as tracked,
        ):
            result = super().perform()
            if result == INTERRUPTED:
                tracked.outcome = "interrupted"
            return result

    def retry(self, queue: Any, pipeline: Any) -> None:
        """Put the job on its queue again after a failure, if it was enqueued with tries to spare."""
        super().retry(queue, pipeline)
        job_retried(self)

    def _handle_retry_result(self, *args: Any, **options: Any) -> None:
        # RQ's way for a job that asks for another try by returning a Retry.
        super()._handle_retry_result(*args, **options)
        job_retried(self)


class ScanWorker(Worker):
    """An RQ worker for scans. It takes no remote commands and reads nothing but JSON from Redis."""

    # A Redis that comes back should be seen soon.
    max_connection_wait_time = 4.0
    log_result_lifespan = False

    def __init__(self, *args: Any, **options: Any) -> None:
        options.update(
            serializer=JSONSerializer,
            worker_ttl=_WORKER_TTL,
            job_monitoring_interval=5,
            maintenance_interval=60,
            log_job_description=False,
            exception_handlers=[_count_abandoned],
        )
        super().__init__(*args, **options)
        self._parent = os.getppid()

    def work(self, *args: Any, **options: Any) -> bool:
        """Work until told to stop. RQ's own scheduler is not needed: ours is `workers.schedule`."""
        options.update(with_scheduler=False, logging_level="WARNING")
        return bool(super().work(*args, **options))

    def subscribe(self) -> None:
        """Listen to no commands from Redis: it takes a thread and a connection, and nobody sends any."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed to."""

    def heartbeat(self, *args: Any, **options: Any) -> None:
        """Say that we live, also to a Redis that was restarted empty; stop if our pool is gone.

        Raises:
            StopRequested: The parent process died.
        """
        if not self._is_horse and not self.horse_pid and os.getppid() != self._parent:
            logger.warning("The worker pool is gone: worker %s stops", self.name)
            raise StopRequested
        super().heartbeat(*args, **options)
        if options.get("pipeline") is None and not self.connection.hexists(self.key, "birth"):
            self.connection.hset(self.key, mapping=self.serialize())
            worker_registration.register(self)

    def handle_warm_shutdown_request(self) -> None:
        """Ask the running scan to hand itself back, and end it after `GRACE` seconds."""
        horse = self.horse_pid
        if horse:
            _signal(horse, signal.SIGTERM)
            timer = threading.Timer(GRACE, _signal, (horse, signal.SIGKILL))
            timer.daemon = True
            timer.start()

    def handle_exception(self, job: Job, *raised: Any) -> None:
        """Say which error ended a job, in one line; RQ's own has the traceback as text of many."""
        with ids.binding(job_id=job.id, **ids.of_queue(job.meta)):
            logger.error("A job failed", exc_info=raised)
        call_exception_handlers(self._exc_handlers, job, *raised)

    def handle_job_failure(self, job: Job, *args: Any, **options: Any) -> None:
        """Mark a job as failed; count it, unless it could do so itself.

        In the worker, RQ fails only jobs whose process ended without a word: it was killed, or RQ killed it
        since it took far too long, or it never began.
        """
        super().handle_job_failure(job, *args, **options)
        if not self.is_horse:
            job_killed(job)

    def main_work_horse(self, job: Job, queue: Any) -> None:
        """The forked process that runs one job; it ends with its worker."""
        traces.start("worker")
        worker = self.pid or os.getppid()
        threading.Thread(target=_end_with, args=(worker,), name="parent watch", daemon=True).start()
        super().main_work_horse(job, queue)

    def perform_job(self, *args: Any, **options: Any) -> bool:
        """Run the job, and send its metrics before RQ ends the process without clean-up (`os._exit`)."""
        try:
            return bool(super().perform_job(*args, **options))
        finally:
            traces.flush()
            metrics.flush()


class Pool(WorkerPool):
    """The workers of this machine, each a process; one that dies is replaced."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._pid = os.getpid()
        super().__init__(
            [NAME],
            connection=connect(settings),
            num_workers=settings.scan_workers,
            worker_class=ScanWorker,
            serializer=JSONSerializer,
            job_class=TrackedJob,
            queue_class=ScanQueue,
        )

    def tell(self, role: str, slot: str) -> None:
        """Say how many workers are kept: a sampler for `metrics.process.also`, silent in those workers."""
        if os.getpid() == self._pid:
            catalogue.RQ_WORKERS_KEPT.set(self.settings.scan_workers, role=role, slot=slot)

    def get_worker_process(self, name: str, burst: bool, _sleep: float = 0, logging_level: str = "") -> Any:  # noqa: FBT001, ARG002 - RQ's signature
        """The process of one worker, not yet started."""
        return ForkProcess(target=_run, args=(self.settings, name, burst), name=f"scan worker {name}")


def run(settings: Settings) -> None:
    """Run the pool until it is told to stop (SIGTERM, SIGINT)."""
    _wait_for_redis(settings)
    _prepare()
    # A job's process lives for seconds and makes a hundred thousand objects for each megabyte that it reads:
    # looked through as seldom as this, they cost a twentieth less.
    gc.set_threshold(50_000, 20, 100)
    gc.collect()
    gc.freeze()
    pool = Pool(settings)
    process.also(pool.tell)
    pool.start(logging_level="WARNING")


def _prepare() -> None:
    """Load what every job needs, once: its pages are shared by all forks, and no fork loads it again.

    Frozen objects are not touched by the garbage collector, and so stay shared.
    """
    from sqlalchemy.orm import configure_mappers  # noqa: PLC0415 - not for those who only import this module

    import scout.sources  # noqa: F401, PLC0415 - likewise
    from scout import matching, normalise  # noqa: PLC0415 - likewise

    configure_mappers()
    normalise.places(("Berlin",))  # reads the gazetteer
    with contextlib.suppress(ScoutError):  # each scan says what is wrong with a profile
        matching.load_profile()


def _run(settings: Settings, name: str, burst: bool) -> None:  # noqa: FBT001 - a process's arguments are positional
    try:
        connection = connect(settings)
        worker = ScanWorker(
            [ScanQueue(connection=connection, job_class=TrackedJob)],
            name=name,
            connection=connection,
            job_class=TrackedJob,
            queue_class=ScanQueue,
        )
        worker.work(burst=burst)
    except redis.RedisError as error:
        logger.warning("A scan worker waits for the queue: %s", error)


def _count_abandoned(job: Job, kind: type[BaseException], *_: object) -> None:
    """RQ's call for each exception of a job, and for a job whose worker died too: that one is counted."""
    if kind is AbandonedJobError:
        job_killed(job)


def _wait_for_redis(settings: Settings) -> None:
    told = False
    while True:
        try:
            Redis.ping(connect(settings))
        except redis.RedisError as error:
            if not told:
                logger.warning("The scan workers wait for the queue: %s", error)
                told = True
            time.sleep(0.5)
        else:
            return


def _end_with(worker: int) -> None:
    while os.getppid() == worker:
        time.sleep(_WATCH)
    logger.warning("The worker of a running scan is gone: the scan is handed back")
    _signal(os.getpid(), signal.SIGTERM)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)

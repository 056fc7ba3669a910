"""The scheduler: asks for scans and messages that are due, brings back what died, samples.

`python -m workers.schedule` runs it.

One process of all does this, whoever holds a lock in Redis that ends by itself. The lock only saves work:
each step is safe when two do it at once. The schedule itself is in the database, so nothing is lost with
Redis.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence

import redis
from sqlalchemy import or_, select, update
from sqlalchemy.exc import SQLAlchemyError

import metrics
from metrics import kernel, process
from metrics.instruments import count_error
from scout import cancelling, clock, rescoring, runs, schedule, sources, traces
from scout import settings as scout_settings
from scout.database import Database
from scout.errors import ScoutError
from scout.leases import changed
from scout.logs import setup
from scout.models import RunTrigger, ScanResult, Source
from scout.queue import SCHEDULER_LOCK, Scans
from scout.schedule import Due
from scout.settings import Settings
from scout.telling import asking, outbox, reminders
from workers import janitor, sampler
from workers.reaper import Forgotten, finish_runs, requeue_abandoned

logger = logging.getLogger(__name__)

#: Seconds between two looks at what is due.
TICK = 1.0
#: Seconds between two looks at whether there is something to tell.
TELL_EVERY = 5.0
LOCK = SCHEDULER_LOCK
#: Seconds after which a dead scheduler's lock ends.
LOCK_SECONDS = 10
# Renews the lock only if it is ours, in one step.
_RENEW = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('pexpire', KEYS[1], ARGV[2]) or 0"
_FREE = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0"


class Scheduler:
    """What the scheduler does, a tick at a time."""

    def __init__(self, settings: Settings, db: Database, queue: Scans) -> None:
        self.settings = settings
        self.db = db
        self.queue = queue
        self.name = secrets.token_hex(8)
        self.forgotten = Forgotten(db, queue)
        self.sampled_at = float("-inf")
        self.told_at = float("-inf")
        self.clean_at = time.monotonic() + janitor.FIRST_AFTER
        self._troubles: dict[str, str] = {}

    def tick(self) -> None:
        """One round. Whatever is away is named in one line, and tried again next time."""
        if not self._attempt("the scheduler's lock", self.lead):
            return
        self._attempt("cancelled scans", lambda: cancelling.sweep(self.db, self.settings))
        self._attempt("abandoned scans", lambda: requeue_abandoned(self.db, self.settings, self.queue))
        self._attempt("the end of runs", lambda: finish_runs(self.db))
        self._attempt("scans that are due", self.ask_for_due)
        self._attempt("scans without a job", self.forgotten.enqueue)
        if time.monotonic() - self.told_at >= TELL_EVERY:
            self.told_at = time.monotonic()
            self._attempt("messages", self.ask_to_tell)
        self._attempt("scoring anew", lambda: rescoring.drive(self.db, self.queue))
        if time.monotonic() - self.sampled_at >= sampler.INTERVAL:
            self.sampled_at = time.monotonic()
            self._attempt("the database's sample", lambda: sampler.sample_database(self.db, self.settings))
            self._attempt("the queue's sample", lambda: sampler.sample_queue(self.queue))
            self._attempt("the circuits' sample", lambda: sampler.sample_circuits(self.db, self.queue))
            self._attempt("the metrics' sample", lambda: sampler.remember(self.settings, self.queue))
        if time.monotonic() >= self.clean_at:
            self.clean_at = time.monotonic() + janitor.INTERVAL
            self._attempt("the gateway's groups", self.clean_gateway)

    def lead(self) -> bool:
        """Whether this scheduler is the one that works; takes the lock if it is free.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        connection = self.queue.connection
        if connection.set(LOCK, self.name, nx=True, ex=LOCK_SECONDS):
            return True
        return bool(connection.eval(_RENEW, 1, LOCK, self.name, str(LOCK_SECONDS * 1000)))

    def ask_for_due(self) -> list[int]:
        """Ask for a run of what was never scanned, and for one of what is due; the runs' ids."""
        now = clock.now()
        with self.db.reading() as session:
            under_way = select(ScanResult.id).where(
                ScanResult.source_id == Source.id, ScanResult.state.in_(runs.OPEN)
            )
            due = session.scalars(
                select(Source).where(
                    Source.paused.is_(False),
                    or_(Source.next_scan_at.is_(None), Source.next_scan_at <= now),
                    ~under_way.exists(),
                )
            ).all()
        first = [source.slug for source in due if source.last_scan_at is None]
        again = self._in_turn([source for source in due if source.last_scan_at is not None], now)
        asked = []
        for trigger, slugs in ((RunTrigger.FIRST, first), (RunTrigger.SCHEDULE, again)):
            if slugs:
                asked.append(runs.request(self.db, self.queue, trigger=trigger, slugs=slugs))
        return asked

    def _in_turn(self, due: Sequence[Source], now: dt.datetime) -> list[str]:
        """Which of the due sources are asked for now; the others are planned for later.

        That is after their quiet hours, or, where many became due while nobody looked, one after another.
        """
        wave = schedule.spread([(source.id, source.next_scan_at) for source in due], now)
        slugs, plans = [], {}
        for source in due:
            at = wave.later.get(source.id, now)
            why = source.next_scan_why if at == now else "Many scans were late, so they are made one by one."
            habits = schedule.habits(source, self.settings, sources.KINDS.get(source.kind))
            planned = schedule.outside_quiet(Due(at, why), habits)
            if planned.at > now:
                plans[source.id] = planned
            else:
                slugs.append(source.slug)
        if plans:
            with self.db.session() as session:
                for source_id, planned in plans.items():
                    statement = update(Source).where(Source.id == source_id)
                    changed(
                        session, statement.values(next_scan_at=planned.at, next_scan_why=planned.why[:200])
                    )
        return slugs

    def ask_to_tell(self) -> bool:
        """Ask for a round of telling, if there may be something to tell; whether it was asked for."""
        wanted = outbox.wanted(self.db) or reminders.wanted(self.db, self.settings)
        return wanted and asking.ask(self.queue)

    def clean_gateway(self) -> int:
        """Have the gateway forget what is watched no longer; how many sources.

        Raises:
            OSError: It does not answer.
        """
        return janitor.forget_unwatched(self.db, self.settings.pushgateway)

    def leave(self) -> None:
        """Free the lock, so that the next scheduler need not wait."""
        try:
            self.queue.connection.eval(_FREE, 1, LOCK, self.name)
        except redis.RedisError as error:
            logger.info("The scheduler's lock ends by itself: %s", error)

    def _attempt(self, what: str, step: Callable[[], object]) -> bool:
        """Do one step; True if it returned something true. The log tells when it begins and stops failing."""
        try:
            answer = step()
        except (redis.RedisError, SQLAlchemyError, ScoutError, OSError) as error:
            self._trouble(what, error, logger.warning)
        except Exception as error:  # noqa: BLE001 - a fault in one step must not stop the others
            self._trouble(what, error, logger.exception)
        else:
            if self._troubles.pop(what, None) is not None:
                logger.info("Back again: %s", what)
            return bool(answer)
        return False

    def _trouble(self, what: str, error: Exception, log: Callable[..., None]) -> None:
        count_error(error, "sampler" if "sample" in what else "schedule")
        line = (str(error).strip().splitlines() or [""])[0]
        if self._troubles.get(what) != type(error).__name__:
            self._troubles[what] = type(error).__name__
            log("Trouble with %s, trying again: %s: %s", what, type(error).__name__, line)


def main() -> int:
    """Run until told to stop; 0, or 1 when a setting cannot be used."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = scout_settings.load()
        setup.configure("scheduler", settings)
        traces.prepare(settings)
        traces.start("scheduler")
        db = Database.open(settings)
    except ScoutError as error:
        print(error, file=sys.stderr)  # noqa: T201 - nobody else would say it
        return 1
    metrics.start(settings.statsd, role="scheduler")
    port = kernel.port_here(settings.statsd)
    if port is not None:
        process.also(kernel.watching(port))
    scheduler = Scheduler(settings, db, Scans(settings))
    while not stop.is_set():
        scheduler.tick()
        stop.wait(TICK)
    scheduler.leave()
    traces.flush()
    metrics.flush()
    db.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())

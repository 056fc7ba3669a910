"""Telling by real processes: the scheduler asks, workers send, some are killed, and nothing is told twice."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from typing import Any

from sqlalchemy import select, update

from metrics import catalogue
from metrics.testing import Captured
from scout import searches
from scout.database import Database
from scout.leases import changed
from scout.models import FoundJob, Message, MessageState, Tells
from scout.queue import Scans
from scout.searches import Wish
from scout.settings import PROJECT, Settings
from scout.telling import asking, outbox, reminders, teller
from tests import kept
from tests.databases import make_tables
from tests.redis_server import RedisServer, redis_server
from tests.scan_stack import Stack, stack
from tests.scan_world import empty
from tests.serving import Asked, reply, serving
from tests.telling_world import Hook, hook
from tests.waiting import wait_until
from workers.schedule import Scheduler

__all__ = ["hook", "redis_server", "stack"]

SEARCHES, JOBS = 8, 20


def prepare(settings: Settings, hook: Hook) -> Database:
    """Eight searches by one channel, and jobs that each of them finds."""
    settings.data_dir.mkdir(exist_ok=True)
    make_tables(settings)
    settings.channels_file.write_text(f"hook = {hook.address}\n")
    settings.channels_file.chmod(0o600)
    db = Database.open(settings)
    with db.session() as session:
        for n in range(SEARCHES):
            wish = Wish(name=f"Search {n}", query={}, tells=Tells.INSTANT, channels=("hook",), timezone="UTC")
            searches.add(session, wish, ["hook"])
        for n in range(JOBS):
            kept.job(session, f"Job {n}", score=n)
    return db


def _tell(settings: Settings, start: Any, answers: Any) -> None:
    db = Database.open(settings)
    start.wait(30)
    try:
        told = teller.tell(db, settings, worker="process")
        answers.put((told.sent, told.failed))
    except BaseException as error:  # noqa: BLE001 - the parent shows it
        answers.put(repr(error))


def test_tellers_at_once_tell_each_job_once(any_settings: Settings, hook: Hook) -> None:
    db = prepare(any_settings, hook)
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Event(), spawn.Queue()
    processes = [spawn.Process(target=_tell, args=(any_settings, start, answers)) for _ in range(3)]
    for process in processes:
        process.start()
    start.set()
    told = [answers.get(timeout=90) for _ in processes]
    for process in processes:
        process.join(30)
    assert all(isinstance(each, tuple) and each[1] == 0 for each in told), told
    teller.tell(db, any_settings, worker="the rest")
    with db.reading() as session:
        states = session.scalars(select(Message.state)).all()
        assert set(states) == {MessageState.SENT}
        # However the tellers shared the work, each pair went into one message, and each message went once.
        assert len(session.scalars(select(FoundJob.id)).all()) == SEARCHES * JOBS
        assert not session.scalars(select(FoundJob.id).where(FoundJob.batch.is_(None))).all()
    keys = Counter(each.headers["idempotency-key"] for each in hook.asked)
    assert set(keys.values()) == {1}
    assert len(keys) == len(states)
    db.dispose()


def test_a_teller_that_is_killed_while_a_channel_answers_is_made_good_with_the_same_key(
    any_settings: Settings,
) -> None:
    asked: list[Asked] = []
    there, silent = threading.Event(), threading.Event()

    def answer(each: Asked) -> bytes:
        asked.append(each)
        if len(asked) == 1:
            there.set()
            silent.wait(30)
        return reply(b"ok")

    with serving(answer) as server:
        hook = Hook()
        hook.server = server
        db = prepare(any_settings, hook)
        with db.session() as session:
            for n in range(1, SEARCHES):
                searches.remove(session, f"search-{n}")
        address = hook.address.replace("rto=1", "rto=30")
        any_settings.channels_file.write_text(f"hook = {address}\n")
        program = (
            "import sys; from pathlib import Path; from scout.settings import Settings;"
            "from scout.database import Database; from scout.telling import teller;"
            "s = Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2]);"
            "teller.tell(Database.open(s), s, worker='dies')"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(any_settings.data_dir), any_settings.database_url],
            cwd=PROJECT,
        )
        try:
            assert there.wait(60)
        finally:
            process.kill()
            process.wait()
            silent.set()
        assert teller.tell(db, any_settings, worker="next").sent == 0, "the claim holds"
        with db.session() as session:
            changed(session, update(Message).values(lease_until=kept.DAY))
        assert teller.tell(db, any_settings, worker="next").sent == 1
    assert len({each.headers["idempotency-key"] for each in asked}) == 1
    assert len(asked) == 2
    db.dispose()


def test_the_scheduler_asks_and_a_worker_tells(stack: Stack, hook: Hook) -> None:
    db = prepare(stack.settings, hook)
    stack.start_module("workers")
    stack.start_module("workers.schedule")
    wait_until(lambda: len(hook.asked) >= SEARCHES, timeout=60, what="the messages")
    wait_until(
        lambda: not stack.queue.queue.count and not stack.queue.connection.keys("rq:job:tell_*"),
        timeout=30,
        what="the end of the round",
    )
    with db.reading() as session:
        assert outbox.figures(session) == outbox.Outbox(0, 0, 0.0)
    assert len(hook.asked) == SEARCHES
    db.dispose()


def test_a_round_is_on_the_queue_once(
    sqlite_settings: Settings, redis_server: RedisServer, hook: Hook, emitted: Captured
) -> None:
    db = prepare(sqlite_settings, hook)
    queue = Scans(sqlite_settings, redis_server.client())
    scheduler = Scheduler(sqlite_settings, db, queue)
    assert scheduler.ask_to_tell()
    assert not scheduler.ask_to_tell()
    assert queue.queue.count == 1
    assert queue.waiting() == set(), "no scan"
    emitted.assert_incremented(catalogue.RQ_JOBS_ENQUEUED, 1, queue="scans", function="tell")
    redis_server.stop()
    assert not asking.ask(queue)
    emitted.assert_incremented(catalogue.APP_ERRORS, 1, place="queue")
    queue.connection.close()
    db.dispose()


def test_a_morning_with_something_due_is_asked_for_though_nothing_is_searched(
    sqlite_settings: Settings, redis_server: RedisServer
) -> None:
    wanting = dataclasses.replace(sqlite_settings, reminders="00:00 hook")
    make_tables(wanting)
    db = Database.open(wanting)
    queue = Scans(wanting, redis_server.client())
    scheduler = Scheduler(wanting, db, queue)
    assert scheduler.ask_to_tell()
    assert reminders.put_together(db, wanting) == 0, "nothing is due"
    empty(queue)
    assert not scheduler.ask_to_tell()
    queue.connection.close()
    db.dispose()


def test_a_worker_that_must_stop_ends_after_the_message_that_it_sends(
    stack: Stack,
) -> None:
    asked: list[Asked] = []
    there, silent = threading.Event(), threading.Event()

    def answer(each: Asked) -> bytes:
        asked.append(each)
        there.set()
        silent.wait(30)
        return reply(b"ok")

    with serving(answer) as server:
        hook = Hook()
        hook.server = server
        db = prepare(stack.settings, hook)
        stack.settings.channels_file.write_text(f"hook = {hook.address.replace('rto=1', 'rto=30')}\n")
        program = "from workers.jobs import tell; tell()"
        process = subprocess.Popen(
            [sys.executable, "-c", program], cwd=PROJECT, env={**os.environ, **stack.environ}
        )
        try:
            assert there.wait(60)
            process.send_signal(signal.SIGTERM)
            silent.set()
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
        with db.reading() as session:
            states = Counter(session.scalars(select(Message.state)))
        assert states == {MessageState.SENT: 1, MessageState.WAITING: SEARCHES - 1}
        assert len(asked) == 1
        db.dispose()

"""The jobs that RQ runs, each a short name for work that lives in `scout`."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from types import FrameType

from scout import rescoring
from scout import settings as scout_settings
from scout.database import Database
from scout.queue import Scans
from scout.scanning import ScanInterrupted, scan
from scout.telling import teller

logger = logging.getLogger(__name__)

#: What a job returns that has handed its work back to the queue.
INTERRUPTED = "interrupted"
#: Seconds after which a job begins with no further result.
SECONDS = 15.0


def scan_sources(*result_ids: int) -> str:
    """Scan sources, one after the other, each for a result of a run.

    SIGTERM hands the scan at work back to the queue: a restart goes on where it can, and no attempt is
    counted. The others are found by the scheduler. Once the job has taken `SECONDS`, what is left of it goes
    back to the queue's end, so that nobody waits long behind a slow board.

    Returns:
        The state that the last result is in, or `INTERRUPTED`.
    """
    settings = scout_settings.load()
    db = Database.open(settings)
    previous = None
    if threading.current_thread() is threading.main_thread():
        previous = signal.signal(signal.SIGTERM, _interrupt)
    until = time.monotonic() + SECONDS
    state = ""
    try:
        for number, result_id in enumerate(result_ids):
            if number and time.monotonic() > until:
                Scans(settings).enqueue_all(result_ids[number:])
                break
            state = scan(db, settings, result_id, worker=_worker()).value
    except ScanInterrupted:
        logger.info("Scan result %s was handed back: this worker stops", result_id)
        return INTERRUPTED
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)
        db.dispose()
    return state


def tell() -> None:
    """Do a round of telling. SIGTERM ends it after the message that is being sent."""
    settings = scout_settings.load()
    db = Database.open(settings)
    stop = threading.Event()
    previous = None
    if threading.current_thread() is threading.main_thread():
        previous = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        teller.tell(db, settings, worker=_worker(), stop=stop)
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)
        db.dispose()


def _worker() -> str:
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


def rescore(scoring_id: int, number: int) -> str:
    """Score one part of what is kept again, for some seconds; the scheduler asks for the rest.

    Between two such jobs scans have their turn. SIGTERM ends it after the batch at hand.

    Returns:
        How it ended, a `scout.rescoring.Outcome`, or `INTERRUPTED`.
    """
    db = Database.open(scout_settings.load())
    stop = threading.Event()
    previous = None
    if threading.current_thread() is threading.main_thread():
        previous = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        outcome = rescoring.score_part(db, scoring_id, number, seconds=rescoring.SLICE, stopped=stop.is_set)
        return INTERRUPTED if stop.is_set() else outcome.value
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)
        db.dispose()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # once is enough; handing back must not be interrupted itself
    raise ScanInterrupted

"""The jobs that RQ runs, each a short name for work that lives in `scout`."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from types import FrameType

from scout import rescoring
from scout import settings as scout_settings
from scout.database import Database
from scout.scanning import ScanInterrupted, scan

logger = logging.getLogger(__name__)

#: What a job returns that has handed its work back to the queue.
INTERRUPTED = "interrupted"


def scan_source(result_id: int) -> str:
    """Scan one source for a result of a run.

    SIGTERM hands the scan back to the queue: a restart goes on where it can, and no attempt is counted.

    Returns:
        The state that the result is in, or `INTERRUPTED`.
    """
    settings = scout_settings.load()
    db = Database.open(settings)
    previous = None
    if threading.current_thread() is threading.main_thread():
        previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return scan(db, settings, result_id, worker=f"{socket.gethostname()[:40]}:{os.getpid()}").value
    except ScanInterrupted:
        logger.info("Scan result %s was handed back: this worker stops", result_id)
        return INTERRUPTED
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)
        db.dispose()


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

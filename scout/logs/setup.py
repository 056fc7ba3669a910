"""Where lines of the log go: one handler at the root, for our modules and for every library.

Each process says once what it is (`configure`). Where no forks follow, loading structlog is left to the first
line: a command that says nothing pays nothing.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from metrics import catalogue
from scout.logs import redacting
from scout.logs.writing import Writer
from scout.settings import Settings

#: Libraries whose ordinary talk is of no use to whoever runs this; they are heard from a warning on, and with
#: SCOUT_LOG_LEVEL=debug altogether.
_TALKATIVE = ("gunicorn", "rq", "alembic", "apprise", "PIL", "asyncio", "opentelemetry")
#: Libraries whose talk repeats addresses with their keys, or what is written to the database: never heard
#: below a warning.
_INDISCREET = ("urllib3", "sqlalchemy", "requests", "smtplib", "redis")
#: Loggers whose name is not that of their library, and what the `logger` label calls them.
_TOPS = {"py": "python"}
#: Roles whose processes fork: what makes lines is loaded before, once for all of them.
_FORK = frozenset({"web", "worker"})
_LEVELS = {logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "critical"}


def configure(role: str, settings: Settings) -> Callable[[], None]:
    """Begin to write the log of this process, in place of what was configured before.

    Args:
        role: `web`, `worker`, `scheduler`, `prepare` or `command`. A command tells its user what it does by
            itself; of its log only warnings are written, and with SCOUT_LOG_LEVEL=debug all.
        settings: The settings: form, level, and which values are secrets.

    Returns:
        What takes it back, for tests and for commands that run within another program.
    """
    handler = Handler(role, settings, Writer(2))
    if role in _FORK:
        handler.prepare()
    root = logging.root
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    root.handlers[:] = [handler]
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    quiet = logging.WARNING if level > logging.DEBUG else logging.DEBUG
    root.setLevel(max(level, quiet) if role == "command" else level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, quiet))
    for name in _INDISCREET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    if role != "command":
        logging.captureWarnings(capture=True)
        sys.excepthook = _uncaught
        threading.excepthook = _uncaught_in_thread

    def undo() -> None:
        root.handlers[:], level_before, sys.excepthook, threading.excepthook = before
        root.setLevel(level_before)
        if role != "command":
            logging.captureWarnings(capture=False)
        for name in (*_TALKATIVE, *_INDISCREET):
            logging.getLogger(name).setLevel(logging.NOTSET)

    return undo


def form(settings: Settings, writer: Writer) -> str:
    """The form that lines have: as it is set, else for people where one sits at the other end."""
    return settings.log_format or ("console" if writer.is_terminal else "json")


class Handler(logging.Handler):
    """Writes each record as a line and counts those that tell of trouble; raises nothing, and never waits.

    Args:
        role: What the process is.
        settings: The settings.
        writer: Where lines go.
    """

    def __init__(self, role: str, settings: Settings, writer: Writer) -> None:
        super().__init__()
        self.form = form(settings, writer)
        self._role = role
        self._settings = settings
        self._writer = writer

    def prepare(self) -> None:
        """Load what makes the lines."""
        if self.formatter is None:
            from scout.logs import lines  # noqa: PLC0415 - a tenth of a second, for a command that may say nothing

            self.formatter = lines.formatter(
                form=self.form,
                role=self._role,
                redactor=redacting.of_settings(self._settings),
                timed=self._writer.is_terminal,
            )

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        if record.levelno >= logging.WARNING:
            top = record.name.partition(".")[0]
            level = _LEVELS.get(record.levelno, "error")
            catalogue.LOG_LINES.inc(level=level, logger=_TOPS.get(top, top))
        try:
            self.prepare()
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 - a line that cannot be made must not fail who wrote it
            line = f"A line of {record.name} could not be written: {type(error).__name__}"
            catalogue.LOG_LINES_LOST.inc(reason="unwritable")
        if not self._writer.write(f"{line}\n".encode("utf-8", "backslashreplace")):
            catalogue.LOG_LINES_LOST.inc(reason="untaken")


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger(__name__).critical("An error ends this process", exc_info=(kind, error, trace))


def _uncaught_in_thread(told: Any) -> None:
    if told.exc_type is not SystemExit and told.exc_value is not None:
        name = told.thread.name if told.thread is not None else "?"
        logging.getLogger(__name__).critical(
            "An error ended the thread %s", name, exc_info=(told.exc_type, told.exc_value, told.exc_traceback)
        )

"""The parts of a running stack: processes that drills end, stop, and bring back."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from scout.settings import PROJECT


@dataclass(slots=True)
class Part:
    """A part: a line of shell as in the Procfile, and the process that runs it.

    Attributes:
        name: What people call it.
        line: The line.
        environ: Its environment.
        log: The file that its words go to.
    """

    name: str
    line: str
    environ: Mapping[str, str]
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self, line: str = "", **environ: str) -> None:
        """Start it: by another line, or with other settings, where a drill says so."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", line or self.line],
                cwd=PROJECT,
                env={**self.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    def children(self) -> list[psutil.Process]:
        """The processes that it started, and those that they started."""
        found: list[psutil.Process] = psutil.Process(self.pid).children(recursive=True)
        return found

    def workers(self) -> list[psutil.Process]:
        """The processes that it started itself."""
        found: list[psutil.Process] = psutil.Process(self.pid).children()
        return found

    def send(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it, and wait until nothing of it is left."""
        if self._process is None:
            return
        family = self.children() if self._process.poll() is None else []
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)
            os.kill(self.pid, number)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(15)
        _, left = psutil.wait_procs(family, timeout=5)
        for each in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self._process = None

    def restart(self, line: str = "", **environ: str) -> None:
        """End it and start it again."""
        self.end()
        self.start(line, **environ)

    @contextlib.contextmanager
    def away(self, number: int = signal.SIGKILL) -> Iterator[None]:
        """Without it, until the end of the block."""
        self.end(number)
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def otherwise(self, line: str = "", **environ: str) -> Iterator[None]:
        """With another line or other settings, until the end of the block."""
        self.restart(line, **environ)
        try:
            yield
        finally:
            self.restart()

"""A PostgreSQL that drills stop and end."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import postgres_server
from tests.drills.parts import Part
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL of a drill's own.

    Attributes:
        folder: Where its socket is.
        part: Its process.
    """

    folder: Path
    part: Part

    @property
    def url(self) -> str:
        """Its address for DATABASE_URL."""
        return f"postgresql://scout@/postgres?host={self.folder}"

    def processes(self) -> list[int]:
        """All of its processes by id, those of connections first: the last one makes more of them."""
        pid = self.part.pid
        # proc(5). To look through all processes of the machine takes seconds when it is busy.
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [*map(int, children.split()), pid]

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.part.start()
        wait_until(lambda: postgres_server.answers(self.folder), timeout=30, what="PostgreSQL's answer")

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Without it, until the end of the block."""
        self.part.end(signal.SIGQUIT)  # its "immediate shutdown"
        try:
            yield
        finally:
            self.start()


@contextlib.contextmanager
def running(log: Path) -> Iterator[Postgres]:
    """A PostgreSQL, until the end of the block."""
    with postgres_server.made() as (folder, command):
        line = f"cd {shlex.quote(str(folder))} && exec {shlex.join(command)}"
        postgres = Postgres(folder, Part("postgres", line, dict(os.environ), log))
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.part.end(signal.SIGINT)

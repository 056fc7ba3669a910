"""A real Redis of a test's own: a process on a Unix socket."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis, RedisError

from tests.components import find, need
from tests.waiting import wait_until


class RedisServer:
    """A `redis-server` that keeps nothing on disk: stopped and started again, it is empty."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        beside = Path(sys.executable).parent / "redis-server"
        program = beside if beside.exists() else find("redis-server") or need("redis-server")
        self._process = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "no"],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers, what="redis-server's answer")

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> Redis:
        """A client of it."""
        return Redis.from_url(self.url)

    def _answers(self) -> bool:
        client = self.client()
        with contextlib.closing(client):
            try:
                return bool(client.ping())
            except RedisError:
                return False


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A running Redis, empty."""
    # A path of its own: pytest's are too long for a socket's 107 bytes (unix(7)).
    with tempfile.TemporaryDirectory(prefix="scout-redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()

"""The exporters of the machine, of Redis and of PostgreSQL, beside what they look at."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.components import need
from tests.integration.embedded_programs import Program, free_port, running


def node() -> contextlib.AbstractContextManager[Program]:
    """The exporter of this machine."""
    return _running("prometheus-node-exporter", ["--path.rootfs=/"])


def redis(socket: Path) -> contextlib.AbstractContextManager[Program]:
    """The exporter of the Redis at a socket."""
    return _running("prometheus-redis-exporter", [f"--redis.addr=unix://{socket}"])


def postgres(folder: Path) -> contextlib.AbstractContextManager[Program]:
    """The exporter of the PostgreSQL whose socket is in a folder (`tests.postgres_server`)."""
    source = f"host={folder} user=scout dbname=postgres sslmode=disable"
    return _running("prometheus-postgres-exporter", [], {"DATA_SOURCE_NAME": source})


@contextlib.contextmanager
def _running(name: str, options: list[str], environ: Mapping[str, str] | None = None) -> Iterator[Program]:
    port = free_port()
    command: list[str | Path] = [need(name), *options, f"--web.listen-address=127.0.0.1:{port}"]
    with running(command, port, ready="/metrics", environ={**os.environ, **(environ or {})}) as program:
        yield program

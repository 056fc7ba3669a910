"""`scout doctor`: every part looked at once: where it is, whether it answers, what to do if not."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import redis
from rq import Worker
from sqlalchemy.exc import SQLAlchemyError

from scout import queue, watchlist
from scout.database import Database, is_current, is_there
from scout.errors import ScoutError
from scout.settings import Settings
from scout.sources import BROKEN, KINDS, mapped
from scout.stack import answers, datadir, start
from scout.stack.parts import without_secret
from scout.telling import channels, outbox

#: Bytes of free disk below which scans may soon fail to be stored.
_LITTLE_DISK = 200 * 1024 * 1024
#: Seconds for one answer, and for a sample to show in the exporter.
_PATIENCE = 3.0
#: A counter of the catalogue (`iam_scan_claims_lost_total`), raised by nothing: it shows the way and changes
#: no figure. The catalogue's own client is not used, as it is made to lose samples rather than to say so.
_PROBE = b"scout.iam_scan_claims_lost_total:0|c"


class Verdict(StrEnum):
    """How a part fares. Only `BAD` makes the examination fail."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part.

    Attributes:
        part: Its name.
        verdict: How it fares.
        where: Where it is, without secrets.
        text: What was found, in a few words.
        advice: What to do; empty when it is well.
    """

    part: str
    verdict: Verdict
    where: str
    text: str
    advice: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at every part, in the order in which they depend on each other; a part's fault is a finding."""
    yield Finding("settings", Verdict.OK, "environment and .env", "all can be used")
    running = datadir.running(settings.data_dir)
    yield _folder(settings, running)
    yield disk(settings)
    advice = "Start everything with `scout up`." if running is None else "See the lines of `scout up`."
    yield _kinds()
    if settings.json_feeds:
        yield _json_feeds(settings)
    yield from _database(settings, advice)
    yield from _queue(settings, advice)
    yield pages(settings, advice)
    yield from _exporter(settings, advice)
    yield _web("gateway", settings.pushgateway, "/metrics", advice, "PUSHGATEWAY_URL")
    if settings.prometheus_url:
        fix = "Start Prometheus, or correct PROMETHEUS_URL."
        yield _web("Prometheus", settings.prometheus_url, "/-/ready", fix, "PROMETHEUS_URL")


def _folder(settings: Settings, running: int | None) -> Finding:
    where = str(settings.data_dir)
    if not settings.data_dir.is_dir():
        text, advice = "is not there yet", "`scout up` makes it, at its first start."
        return Finding("data directory", Verdict.BAD, where, text, advice)
    text = f"a stack runs on it (pid {running})" if running else "no stack runs on it here"
    return Finding("data directory", Verdict.OK, where, text)


def disk(settings: Settings) -> Finding:
    """Whether there is room where the data directory is."""
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 2**30:.1f} GiB free"
    if free < _LITTLE_DISK:
        return Finding(
            "disk", Verdict.BAD, str(folder), text, "Make room: nothing is stored when it is full."
        )
    return Finding("disk", Verdict.OK, str(folder), text)


def _kinds() -> Finding:
    """The kinds of board, and those of other packages that cannot be used."""
    text = f"{len(KINDS)} can be read"
    if not BROKEN:
        return Finding("kinds of board", Verdict.OK, "scout sources kinds", text)
    shown = "; ".join(f"{each.where}: it {each.why}" for each in BROKEN)
    advice = f"Correct or uninstall their packages. {shown}."
    return Finding(
        "kinds of board", Verdict.WARNING, "scout sources kinds", f"{text}, {len(BROKEN)} left out", advice
    )


def _json_feeds(settings: Settings) -> Finding:
    """The owner's file of JSON feeds."""
    try:
        count = len(mapped.load(settings.json_feeds))
    except mapped.BadFeeds as error:
        return Finding("JSON feeds", Verdict.WARNING, settings.json_feeds, "cannot be used", str(error))
    return Finding("JSON feeds", Verdict.OK, settings.json_feeds, f"{count} described")


def _database(settings: Settings, advice: str) -> Iterator[Finding]:
    where = settings.database_url and without_secret(settings.database_url)
    where = where or str(settings.data_dir / "scout.sqlite3")
    if not is_there(settings):
        yield Finding("database", Verdict.BAD, where, "is not there yet", "`scout up` makes it.")
        return
    try:
        database = Database.open(settings)
    except ScoutError as error:
        yield Finding("database", Verdict.BAD, where, "cannot be used", str(error))
        return
    try:
        current = is_current(database)
        yield Finding("database", Verdict.OK, where, "answers")
        if current:
            yield Finding("migrations", Verdict.OK, where, "up to date")
            yield _boards(database, where)
            yield _channels(database, settings)
        else:
            fix = "Run `scout migrate`, or start anew with `scout up`."
            yield Finding("migrations", Verdict.BAD, where, "not up to date", fix)
    except (SQLAlchemyError, ScoutError) as error:
        yield Finding("database", Verdict.BAD, where, "does not answer", _first_line(error) or advice)
    finally:
        database.dispose()


def _boards(database: Database, where: str) -> Finding:
    with database.reading() as session:
        health = [(source.slug, watchlist.health(source)) for source in watchlist.every(session)]
    failing = [slug for slug, state in health if state == "failing"]
    text = f"{len(health)} watched, {len(failing)} failing"
    if failing:
        shown = ", ".join(failing[:5]) + (" and others" if len(failing) > 5 else "")  # noqa: PLR2004
        advice = f"`scout sources test {failing[0]}` tells why; failing: {shown}."
        return Finding("boards", Verdict.WARNING, where, text, advice)
    return Finding("boards", Verdict.OK, where, text)


def _channels(database: Database, settings: Settings) -> Finding:
    """The channels that messages go to: whether their file can be used, and which of them refuse."""
    where = str(settings.channels_file)
    try:
        known = channels.load(settings)
    except channels.ChannelsUnusable as error:
        return Finding("channels", Verdict.WARNING, where, "cannot be used", str(error))
    with database.reading() as session:
        failing = outbox.failing(session)
        parked = outbox.figures(session).parked
    text = f"{len(known)} set up, {len(failing)} failing"
    text += f", {parked} messages given up" if parked else ""
    if failing:
        shown = "; ".join(f"{name}: {' '.join(why.split())}" for name, why in failing[:5])
        advice = f"{shown} `scout searches tell --parked` sends what was given up, once it is mended."
        return Finding("channels", Verdict.WARNING, where, text, advice)
    return Finding("channels", Verdict.OK, where, text)


def _queue(settings: Settings, advice: str) -> Iterator[Finding]:
    where = without_secret(settings.redis_url) if settings.redis_url else str(settings.redis_socket)
    connection = queue.connect(settings)
    try:
        version = connection.info("server")["redis_version"]
        yield Finding("Redis", Verdict.OK, where, f"answers, version {version}")
        workers = len(Worker.all(connection=connection))
        verdict = Verdict.OK if workers else Verdict.BAD
        yield Finding("scan workers", verdict, where, f"{workers} alive", "" if workers else advice)
        scheduler = bool(connection.exists(queue.SCHEDULER_LOCK))
        verdict, text = (Verdict.OK, "alive") if scheduler else (Verdict.BAD, "none is at work")
        yield Finding("scheduler", verdict, where, text, "" if scheduler else advice)
    except redis.RedisError as error:
        fix = "Start it, or correct REDIS_URL." if settings.redis_url else advice
        yield Finding("Redis", Verdict.BAD, where, f"does not answer: {_first_line(error)}", fix)
    finally:
        connection.close()


def pages(settings: Settings, advice: str) -> Finding:
    """Whether the web server answers, and is ready."""
    url = start.address(settings)
    split = urlsplit(url)
    if answers.page(split.hostname or "", settings.port, "/readyz"):
        return Finding("pages", Verdict.OK, url, "ready")
    if answers.port(split.hostname or "", settings.port):
        return Finding(
            "pages", Verdict.BAD, url, "answer, and are not ready", f"Open {url}/readyz for the reason."
        )
    return Finding("pages", Verdict.BAD, url, "do not answer", advice)


def _exporter(settings: Settings, advice: str) -> Iterator[Finding]:
    fix = "Start it, or correct STATSD_EXPORTER_URL." if settings.statsd_url else advice
    found = _web("exporter", settings.exporter, "/metrics", fix, "STATSD_EXPORTER_URL")
    yield found
    if found.verdict is not Verdict.OK:
        return
    where = f"{settings.statsd} to {settings.exporter}"
    try:
        before = _received(settings.exporter)
        _send(settings.statsd)
        arrived = _within(_PATIENCE, lambda: _received(settings.exporter) > before)
    except (OSError, ValueError) as error:
        yield Finding("StatsD path", Verdict.BAD, where, _first_line(error), "Correct STATSD_URL.")
        return
    if arrived:
        yield Finding("StatsD path", Verdict.OK, where, "a sample arrived")
    else:
        fix = "Is STATSD_URL the address at which this exporter listens?"
        yield Finding("StatsD path", Verdict.BAD, where, "a sample was sent and did not arrive", fix)


def _received(exporter: str) -> int:
    with urlopen(f"{exporter}/metrics", timeout=_PATIENCE) as answer:  # noqa: S310 - the setting takes http(s) only
        page = answer.read().decode("utf-8", "replace")
    return sum(
        int(float(number))
        for number in re.findall(r"(?m)^statsd_exporter_(?:udp|unixgram)_packets_total (\S+)$", page)
    )


def _send(url: str) -> None:
    if url.startswith("unixgram://"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(_PROBE, url.removeprefix("unixgram://"))
        return
    split = urlsplit(url)
    found = socket.getaddrinfo(split.hostname, split.port, type=socket.SOCK_DGRAM)
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as sender:
        sender.sendto(_PROBE, address)


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _web(part: str, origin: str, path: str, fix: str, variable: str) -> Finding:
    where = without_secret(origin)
    try:
        with urlopen(f"{origin}{path}", timeout=_PATIENCE):  # noqa: S310 - the settings take http(s) only
            return Finding(part, Verdict.OK, where, "answers")
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return Finding(
            part, Verdict.BAD, where, f"does not answer: {_first_line(reason)}", f"{fix} ({variable})"
        )


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

"""What the list of jobs takes with very many jobs: pages, searches, facets; and our page beside a bare one.

For each size and database in turn: it is filled (`filling`), the application answers through its own WSGI
door, signed in, and each request is made several times. `clock` is what a visitor would wait for at the
server; `processor` is that of the thread that answers, without the database's own where that is a server.
Facets and hits are asked of `scout.jobs`, as pages ask.

Then four gunicorn workers with our page of 50 jobs, set up and measured as they are when people use them, and
four with a bare Flask and SQLAlchemy page of the same jobs, in turns, with the same clients; the median turn
counts. Weights are those of gzip, level 6.
"""

from __future__ import annotations

import contextlib
import gc
import gzip
import http.client
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import event

from benchmarks import filling, programs
from benchmarks.measure import median, table, write
from scout import account, jobs
from scout.database import Database, migrate
from scout.jobs import JobQuery
from scout.models import Status
from scout.settings import Settings
from tests.components import find
from webapp import create_app

SHORT: dict[str, Any] = {"sizes": (300,), "times": 2, "seconds": 0.5, "turns": 1}

_PASSWORD = "a password for the benchmark"  # noqa: S105 - of a database that is thrown away
_PAGE = "text/html"
_CLIENTS = 8
_WORKERS = 4
_SEARCHES = {
    "first page": "",
    "filtered, common": "remote:yes level:senior",
    "filtered, rare": "remote:hybrid level:lead language:fr type:contract",
    "a board": "source:board-7",
    "pay": "salary:>100k-eur",
    "rare word": "zanzibar",
    "common word": "security",
    "two words": "identity security",
    "phrase": '"access management"',
    "prefix": "secur",
    "wide beginning": "conl",
    "word and filter": "security remote:yes level:senior",
    "word and rare filter": "security remote:hybrid level:lead language:fr type:contract",
    "rare phrase": '"identity zanzibar"',
    "not a word": "-security",
}


class _Visitor:
    """A signed-in browser of one application."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def get(self, address: str) -> bytes:
        answer = self._ask(address, headers={"Accept": _PAGE}, buffered=True)
        if answer.status_code != 200:  # noqa: PLR2004 - OK
            raise RuntimeError(f"{address} answered {answer.status}")
        return bytes(answer.data)


def _signed_in(app: Any) -> tuple[_Visitor, str]:
    client = app.test_client()
    page = client.get("/sign-in", headers={"Accept": _PAGE}).text
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    client.post("/sign-in", data={"csrf_token": token, "password": _PASSWORD}, headers={"Accept": _PAGE})
    return _Visitor(client.get), str(client.get_cookie("scout_session").value)


def _figures(work: Callable[[], object], times: int) -> dict[str, float]:
    clock, processor = [], []
    work()
    for _ in range(times):
        begun, used = time.perf_counter(), time.thread_time()
        work()
        clock.append((time.perf_counter() - begun) * 1e3)
        processor.append((time.thread_time() - used) * 1e3)
    late = sorted(clock)[min(int(len(clock) * 0.95), len(clock) - 1)]
    return {
        "p50 ms": round(median(clock), 1),
        "p95 ms": round(late, 1),
        "processor ms": round(median(processor), 1),
    }


def _measured(settings: Settings, times: int) -> dict[str, Any]:
    app = create_app(settings)
    # As webapp/gunicorn.conf.py does: else the collector goes through all that the benchmark holds, too.
    gc.collect()
    gc.freeze()
    database: Database = app.extensions["scout"].database
    statements = [0]
    event.listen(
        database.engine, "before_cursor_execute", lambda *_: statements.__setitem__(0, statements[0] + 1)
    )
    visitor, _ = _signed_in(app)
    found: dict[str, Any] = {}
    for name, text in _SEARCHES.items():
        address = "/?q=" + "".join(f"%{byte:02x}" for byte in text.encode())
        query = JobQuery(text=text, statuses=(Status.NEW,), sort="score")
        page = _figures(lambda address=address: visitor.get(address), times)  # type: ignore[misc]
        statements[0] = 0
        visitor.get(address)
        asked = statements[0]
        with database.reading() as session:
            facets = _figures(
                lambda query=query, session=session: jobs.facets(session, query),  # type: ignore[misc]
                times,
            )
            total = jobs.find(session, query)
        number = f"{total.total:,}{'+' if total.more else ''}"
        found[name] = {"jobs": number, "page": page, "statements": asked, "facets": facets}
    body = visitor.get("/")
    app.extensions["scout"].close()
    return {"requests": found, "page bytes": len(body), "page bytes, gzip": len(gzip.compress(body, 6))}


def _assets() -> dict[str, int]:
    folder = Path(__file__).resolve().parents[1] / "webapp" / "static"
    files = [each for each in folder.rglob("*") if each.suffix in {".css", ".js", ".svg"}]
    packed = sum(len(gzip.compress(each.read_bytes(), 6)) for each in files)
    return {"bytes": sum(each.stat().st_size for each in files), "bytes, gzip": packed}


# --- Throughput ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _served(app: str, settings: Settings, *options: str) -> Iterator[int]:
    port = programs.free_port(socket.SOCK_STREAM)
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "4"]
    command += ["--workers", str(_WORKERS), "--keep-alive", "75", "--preload", "--log-level", "error"]
    command += ["--no-control-socket", "--bind", f"127.0.0.1:{port}", *options, app]
    environment = {**os.environ, "SCOUT_DATA_DIR": str(settings.data_dir), "SCOUT_PASSWORD": _PASSWORD}
    if settings.database_url:
        environment["DATABASE_URL"] = settings.database_url
    # With its log, which is part of what a page costs; nobody wants to read it here.
    with (settings.data_dir / "served.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        if not programs.until(lambda: _listens(port), 60):
            raise RuntimeError(f"{app} does not listen")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _rate(port: int, cookie: str, seconds: float) -> float:
    """Requests per second of some clients with a kept-alive connection each."""
    done = [0] * _CLIENTS
    until = time.monotonic() + seconds

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < until:
            connection.request("GET", "/", headers={"Accept": _PAGE, "Cookie": f"scout_session={cookie}"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or b"<article" not in body:  # noqa: PLR2004 - OK
                raise RuntimeError(f"the page answered {answer.status}")
            done[number] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(_CLIENTS)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.monotonic() - begun)


def _throughput(settings: Settings, seconds: float, turns: int) -> dict[str, float]:
    _, cookie = _signed_in(create_app(settings))
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    with (
        _served("webapp:create_app()", settings, "--config", "webapp/gunicorn.conf.py") as ours,
        _served("benchmarks.bare_page:create_app()", settings) as bare,
    ):
        for port in (ours, bare):
            _rate(port, cookie, seconds / 2)
        for _ in range(turns):
            rates["ours"].append(_rate(ours, cookie, seconds))
            rates["bare"].append(_rate(bare, cookie, seconds))
    share = median([one / other for one, other in zip(rates["ours"], rates["bare"], strict=True)])
    return {
        "ours per second": round(median(rates["ours"]), 1),
        "bare per second": round(median(rates["bare"]), 1),
        "share": round(share, 3),
    }


# --- All of it ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _postgres() -> Iterator[str | None]:
    """The address of a PostgreSQL of our own, or None where it is not installed."""
    if not find("initdb") or not find("postgres"):
        print("PostgreSQL is left out: it is not installed.")
        yield None
        return
    from tests.postgres_server import running  # noqa: PLC0415 - pytest is not needed where PostgreSQL is not

    with running() as folder:
        name = f"bench{secrets.token_hex(4)}"
        with psycopg.connect(host=str(folder), user="scout", dbname="postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        yield f"postgresql://scout@/{name}?host={folder}"


def run(
    sizes: Sequence[int] = (100_000, 1_000_000),
    times: int = 30,
    seconds: float = 8,
    turns: int = 7,
    words: int = 240,
) -> dict[str, Any]:
    """Measure once, print the tables, and write `results/pages.json`.

    Args:
        sizes: How many jobs.
        times: How often each request is made.
        seconds: How long each turn of the throughput takes.
        turns: How many turns there are.
        words: Words of a text, about.
    """
    result: dict[str, Any] = {"assets": _assets(), "words of a text": words, "sizes": {}}
    for size in sizes:
        for kind in ("sqlite", "postgresql"):
            told = _one(kind, size, times, seconds, turns, words)
            if told is not None:
                result["sizes"].setdefault(f"{size:,}", {})[kind] = told
                _show(f"{size:,} on {kind}", told)
    write("pages", result)
    return result


def _one(  # noqa: PLR0917 - as many as `run` has, which asks for one
    kind: str, size: int, times: int, seconds: float, turns: int, words: int
) -> dict[str, Any] | None:
    folder = Path(tempfile.mkdtemp(prefix="scout-bench-"))
    try:
        with _postgres() if kind == "postgresql" else contextlib.nullcontext("") as url:
            if url is None:
                return None
            settings = Settings(data_dir=folder / "data", database_url=url, password=_PASSWORD)
            migrate(settings)
            begun = time.monotonic()
            filling.fill(settings, size, words)
            filled = round(time.monotonic() - begun)
            database = Database.open(settings)
            with database.session() as session:
                account.ensure(session, _PASSWORD)
            database.dispose()
            told = {"load": round(os.getloadavg()[0], 1), **_measured(settings, times)}
            return {"seconds to fill": filled, **told, "throughput": _throughput(settings, seconds, turns)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _show(head: str, told: dict[str, Any]) -> None:
    rows = [
        [
            name,
            each["jobs"],
            *(f"{each['page'][figure]:.1f}" for figure in ("p50 ms", "p95 ms", "processor ms")),
            str(each["statements"]),
            *(f"{each['facets'][figure]:.1f}" for figure in ("p50 ms", "p95 ms", "processor ms")),
        ]
        for name, each in told["requests"].items()
    ]
    columns = ["jobs", "page p50", "p95", "processor", "statements", "facets p50", "p95", "processor"]
    print(table([head, *columns], rows))
    rate = told["throughput"]
    print(
        f"{rate['ours per second']} pages a second, bare {rate['bare per second']}: {rate['share']:.0%};"
        f" a page has {told['page bytes']:,} bytes, {told['page bytes, gzip']:,} packed"
    )

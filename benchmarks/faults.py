"""What a visitor feels of faults in the metrics pipeline: the job list of the real application.

Each condition has a process of its own: `webapp.create_app` over a SQLite database with 400 jobs, asked for
the list by its signed-in owner, in process and without sockets, so that the web server's own noise is not
measured; its client is started as gunicorn's workers start theirs, and flushes each second. The processes
take turns of a few requests, so that whatever else the machine does strikes all of them alike. Per round the
median and the 99th percentile; then the medians of five rounds, and of the differences to the round's
`exporter present`.

A request's time is that on the clock, less what its thread stood ready and had no processor, as the kernel
counts it (schedstat): other programs make that, and on a busy machine it is all that one would see. Waiting
for a lock, for the interpreter, for a socket or a disk stays in. The plain time on the clock is kept too.

- `exporter present`: the real one where it is; and `the same again`, in another process, whose difference is
  that of nothing: no other one says more than it does.
- `exporter absent`: nobody listens at the port.
- `name unknown`: the host of the address does not resolve.
- `resolver hangs`: looking the host up takes for ever.
- `socket closed`: another thread closes the client's socket every 20 ms.
- `labels of any bytes`: each request also emits labels of random bytes, of ten thousand letters, lone
  surrogates, objects that cannot be shown, unhashable ones, unknown names, and values that are no numbers.
- `Unix socket full`: the other end does not read, and its queue is full.

No exception may reach a caller: every answer must be 200.
"""

from __future__ import annotations

import gc
import io
import logging
import multiprocessing
import random
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask

import metrics
from benchmarks import programs
from benchmarks.measure import median, table, write
from metrics import catalogue, client
from scout import account
from scout.database import Database, migrate
from scout.models import Job, Listing, Source
from scout.postings import Remote
from scout.settings import Settings, load
from webapp import create_app
from webapp.parts import Parts

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

ROUNDS = 5
TURNS = 20
#: Requests in one turn.
REQUESTS = 15
SHORT = {"rounds": 1, "turns": 1, "requests": 4, "jobs": 20}
JOBS = 400
_PRESENT = "exporter present"
_PASSWORD = "correct horse battery staple"  # noqa: S105 - of a database that lives as long as the benchmark
_NOWHERE = "nobody.invalid"  # RFC 2606: never resolves
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])
#: Seconds between two sabotages.
_SABOTAGE_EVERY = 0.02


# --- In the process of one condition ---


class _Unshowable:
    """A label value that cannot be turned into text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def _close_its_socket() -> None:
    """Close the client's socket, again and again, as a library that closes what is not its own would."""

    def sabotage() -> None:
        while True:
            time.sleep(_SABOTAGE_EVERY)
            current = client._current  # noqa: SLF001 - a saboteur asks nobody
            opened = current._transport._socket if current else None  # noqa: SLF001 - likewise
            if opened is not None:
                opened.close()

    threading.Thread(target=sabotage, daemon=True).start()


def _hang_look_ups() -> None:
    look_up = socket.getaddrinfo

    def hanging(host: Any, *rest: Any, **options: Any) -> Any:
        if host == _NOWHERE and not options.get("flags"):  # a numeric look-up asks no resolver
            threading.Event().wait()
        return look_up(host, *rest, **options)

    socket.getaddrinfo = hanging


def _emit_anything(app: Flask) -> None:
    chance = random.Random(3)

    def emit() -> None:
        some: Any = chance.choice(
            (
                chance.randbytes(24),
                chance.randbytes(24).decode("latin-1"),
                "x" * 10_000,
                "\ud800|c:1\n#@,[]",
                None,
                _Unshowable(),
                ["unhashable"],
            )
        )
        catalogue.APP_ERRORS.inc(type=some, place="web")
        catalogue.HTTP_REQUESTS.inc(method=some, endpoint=some, status=some)
        catalogue.HTTP_REQUEST_DURATION.observe(some, method="GET", endpoint="/", status="200")
        catalogue.APP_ERRORS.inc(unknown=some)

    app.before_request(emit)


_SABOTAGE: dict[str, Callable[[Flask], None]] = {
    "socket closed": lambda _: _close_its_socket(),
    "resolver hangs": lambda _: _hang_look_ups(),
    "labels of any bytes": _emit_anything,
}


def _environ(cookie: str) -> WSGIEnvironment:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "text/html",
        "HTTP_COOKIE": cookie,
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }


def _serve(asked: Connection, condition: str, folder: Path, statsd: str, cookie: str) -> None:
    app = create_app(_settings(folder))
    if condition in _SABOTAGE:
        _SABOTAGE[condition](app)
    metrics.start(statsd, role="web")
    # As webapp/gunicorn.conf.py does it.
    gc.collect()
    gc.freeze()
    with suppress(EOFError):  # the end of the benchmark
        while True:
            asked.send([_measured(app, cookie) for _ in range(asked.recv())])
    metrics.stop()


def _measured(app: Flask, cookie: str) -> tuple[float, float, bool]:
    """Milliseconds of one request, without and with the wait for a processor, and whether it went well."""
    environ = _environ(cookie)
    waited = _without_processor()
    begun = time.perf_counter_ns()
    well = _ask(app, environ)
    clock = time.perf_counter_ns() - begun
    waited = _without_processor() - waited
    return (clock - waited) / 1e6, clock / 1e6, well


def _written(data: bytes) -> None:
    """What WSGI's old `write` is here: nobody uses it."""
    del data


def _ask(app: Flask, environ: WSGIEnvironment) -> bool:
    said: list[str] = []

    def start(
        status: str, headers: list[tuple[str, str]], trouble: Any = None, /
    ) -> Callable[[bytes], object]:
        del headers, trouble
        said.append(status)
        return _written

    try:
        body = app(environ, start)
        size = sum(len(piece) for piece in body)
        body.close()  # type: ignore[attr-defined]  # the middleware's
    except Exception as error:  # noqa: BLE001 - whatever reaches a caller is what is looked for
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return False
    return said == ["200 OK"] and size > 0


def _without_processor() -> int:
    """Nanoseconds that this thread stood ready and had no processor; 0 where the kernel does not tell."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0


# --- In the process that measures ---


def _settings(folder: Path) -> Settings:
    return load(
        {
            "SCOUT_DATA_DIR": str(folder),
            "SECRET_KEY": "k" * 64,
            "REDIS_URL": f"unix://{folder}/nobody.sock",
            "STATSD_EXPORTER_URL": "http://127.0.0.1:1",
            "PUSHGATEWAY_URL": "http://127.0.0.1:1",
        }
    )


def _fill(folder: Path, jobs: int) -> None:
    """A data directory with an owner and some jobs."""
    settings = _settings(folder)
    migrate(settings)
    database = Database.open(settings)
    with database.session() as session:
        account.ensure(session, _PASSWORD)
        board = Source(slug="acme", kind="lever", token="acme", name="Acme")  # noqa: S106 - its place at Lever
        session.add(board)
        session.flush()
        for number in range(jobs):
            url = f"https://jobs.example/{number}"
            job = Job(
                title=f"Identity Engineer {number}",
                company="Acme",
                url=url,
                locations=["Basel", "Remote"],
                remote=Remote.REMOTE,
                score=number % 100,
                reasons=[{"term": "identity", "where": "title", "points": 50}],
                description_html="<p>Keep the keys.</p>",
                description_text="Keep the keys.",
            )
            session.add(job)
            session.flush()
            session.add(
                Listing(source_id=board.id, source_job_id=str(number), job_id=job.id, url=url, digest="-")
            )
    database.dispose()


def _cookie(folder: Path) -> str:
    """The cookie of the owner, who signs in."""
    app = create_app(_settings(folder))
    visitor = app.test_client()
    page = visitor.get("/sign-in", buffered=True).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    fields = {"csrf_token": token, "password": _PASSWORD}
    # There is no Redis, which the sign-in limit would tell; anything worse than a warning is to be seen.
    logging.disable(logging.WARNING)
    status = visitor.post("/sign-in", data=fields, buffered=True).status_code
    logging.disable(logging.NOTSET)
    found = visitor.get_cookie("scout_session")
    parts: Parts = app.extensions["scout"]
    parts.close()
    if found is None:
        raise ChildProcessError(f"the owner could not sign in: {status}")
    return f"{found.key}={found.value}"


class _Server:
    """The process of one condition. They share what one process loaded, as gunicorn's workers do."""

    def __init__(self, condition: str, folder: Path, statsd: str, cookie: str) -> None:
        self._asking, asked = _PROCESSES.Pipe()
        words = (asked, condition, folder, statsd, cookie)
        self._process = _PROCESSES.Process(target=_serve, args=words)
        self._process.start()
        asked.close()

    def serve(self, requests: int) -> list[tuple[float, float, bool]]:
        """So many requests, one after the other, each as `_measured` gives it."""
        self._asking.send(requests)
        found: list[tuple[float, float, bool]] = self._asking.recv()
        return found

    def close(self) -> None:
        """End it."""
        self._asking.close()
        self._process.join()


@contextmanager
def _full_socket(path: Path) -> Iterator[str]:
    """A Unix socket whose queue is full and that nobody reads; its address."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(path))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            filler.setblocking(False)  # noqa: FBT003 - its only parameter
            filler.connect(str(path))
            try:
                while True:
                    filler.send(b"x" * 1024)
            except BlockingIOError:
                pass  # full, as it shall be
            yield f"unixgram://{path}"


def _servers(stack: ExitStack, jobs: int) -> dict[str, _Server]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scout-bench-")))
    exporter = stack.enter_context(programs.running(programs.kinds()[0]))
    addresses = {
        _PRESENT: exporter.statsd,
        "the same again": exporter.statsd,
        "exporter absent": f"udp://127.0.0.1:{programs.free_port(socket.SOCK_DGRAM)}",
        "name unknown": f"udp://{_NOWHERE}:9125",
        "resolver hangs": f"udp://{_NOWHERE}:9125",
        "socket closed": exporter.statsd,
        "labels of any bytes": exporter.statsd,
        "Unix socket full": stack.enter_context(_full_socket(folder / "full.sock")),
    }
    template = folder / "template"
    template.mkdir()
    _fill(template, jobs)
    cookie = _cookie(template)
    servers = {}
    for condition, statsd in addresses.items():
        own = folder / condition.replace(" ", "-")
        shutil.copytree(template, own)
        servers[condition] = stack.enter_context(closing(_Server(condition, own, statsd, cookie)))
    return servers


def _figures(found: list[tuple[float, float, bool]]) -> dict[str, float]:
    """The percentiles of one round."""
    cuts = statistics.quantiles([each[0] for each in found], n=100)
    clock = statistics.quantiles([each[1] for each in found], n=100)
    return {"p50": cuts[49], "p99": cuts[98], "p50 clock": clock[49], "p99 clock": clock[98]}


def run(
    rounds: int = ROUNDS, turns: int = TURNS, requests: int = REQUESTS, jobs: int = JOBS
) -> dict[str, Any]:
    """Measure, print the table, and write `results/faults.json`; ends the program if a caller felt one."""
    with ExitStack() as stack:
        servers = _servers(stack, jobs)
        felt = dict.fromkeys(servers, 0)
        measured: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
        for server in servers.values():
            server.serve(requests)  # first requests load what later ones have
        for _ in range(rounds):
            taken: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in servers}
            for _ in range(turns):
                for name, server in servers.items():
                    taken[name] += server.serve(requests)
            for name, found in taken.items():
                felt[name] += sum(not well for _, _, well in found)
                measured[name].append(_figures(found))
    result = {
        name: {**_compared(figures, measured[_PRESENT]), "errors felt": felt[name]}
        for name, figures in measured.items()
    }
    _show(result)
    kept: dict[str, Any] = {
        "unit": "ms per request",
        "rounds": rounds,
        "requests": turns * requests,
        "jobs": jobs,
        "conditions": result,
    }
    write("faults", kept)
    if any(felt.values()):
        sys.exit("An exception of the metrics reached a caller.")
    return kept


def _compared(figures: list[dict[str, float]], base: list[dict[str, float]]) -> dict[str, float]:
    """The medians of all rounds, and how far they moved from those of the base."""
    found = {key: round(median([each[key] for each in figures]), 3) for key in figures[0]}
    for key in ("p50", "p99"):
        moved = [each[key] - at[key] for each, at in zip(figures, base, strict=True)]
        found[f"{key} moved"] = round(median(moved), 3)
    return found


def _show(result: dict[str, dict[str, float]]) -> None:
    base = result[_PRESENT]
    rows = [
        [
            name,
            *(f"{at[key]:.2f}" for key in ("p50", "p99")),
            *(f"{at[key] / base[key]:.2f}x" for key in ("p50", "p99")),
            *(f"{at[key]:+.2f}" for key in ("p50 moved", "p99 moved")),
            f"{at['errors felt']:g}",
        ]
        for name, at in result.items()
    ]
    head = [
        "the job list, ms",
        "p50",
        "p99",
        "p50 ratio",
        "p99 ratio",
        "p50 moved",
        "p99 moved",
        "errors felt",
    ]
    print(table(head, rows))

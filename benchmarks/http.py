"""What measuring every request takes from a bare Flask application, beside peers' ways of doing it.

Twice, in one run. In process: each application is called as a server calls it, without sockets, in a process
of its own, so that the interpreter suits its code to that application alone. The processes take turns, a
hundred requests at a time and in a new order each time, and nothing else of them runs meanwhile. Two figures
per round: `request` is processor time of the serving thread in the least disturbed tenth of the turns, which
is what the code costs; `in all` is processor time of the whole process over all turns, so what is sent from
another thread is in it, and what else the machine did too. Behind gunicorn, which is what requests per second
are commonly asked of: one kept-alive connection each, again in turns. `processor` is what all threads of
the worker used in its turns, as the kernel counts it: it bounds the requests per second of a core. `clock` is
what a visitor sees, and mostly waiting. Of both the median turn counts. Each figure is the median of five
rounds, and what is `taken` is compared with the bare application of the same round.

Peers that are not installed (requirements-bench.txt) are left out, and named.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from flask import Flask, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

import metrics
from benchmarks.measure import median, table, write
from metrics import http

#: What `run` takes to see that it runs.
SHORT = {"rounds": 1, "turns": 2}

_REQUESTS = 100
# Before each turn: what another process left in the processor's caches is not to be paid by this one.
_WARM_UP = 20
_BARE = "bare Flask"
_STATSD_PORT = "BENCH_STATSD_PORT"


# --- The applications --------------------------------------------------------------------------------------


def bare() -> Flask:
    """An application of one view."""
    app = Flask("bare")

    @app.get("/jobs/<int:job_id>")
    def job(job_id: int) -> str:
        return f"job {job_id}"

    return app


def ours() -> Flask:
    """Measured as webapp/factory.py measures, with a client that sends each second."""
    metrics.start(f"udp://127.0.0.1:{os.environ[_STATSD_PORT]}", role="web")
    app = bare()
    http.instrument(app, exclude={"/healthz", "/readyz"}, api=("/api/", "/metrics"))
    return app


def hooks() -> Flask:
    """Measured by hand with prometheus_client: count and duration by method, route and status."""
    app = bare()
    registry = CollectorRegistry()
    names = ["method", "endpoint", "status"]
    counter = Counter("requests", "Requests.", names, registry=registry)
    timer = Histogram("duration_seconds", "Durations.", names, registry=registry)

    def before() -> None:
        g.begun = time.perf_counter()

    def after(response: Any) -> Any:
        labels = (request.method, str(request.url_rule), str(response.status_code))
        counter.labels(*labels).inc()
        timer.labels(*labels).observe(time.perf_counter() - g.begun)
        return response

    app.before_request(before)
    app.after_request(after)
    return app


def flask_exporter() -> Flask:
    """Measured by prometheus_flask_exporter, by route; in multiprocess mode if the environment says so."""
    exporter = importlib.import_module("prometheus_flask_exporter")
    app = bare()
    exporter.PrometheusMetrics(app, group_by="url_rule", registry=CollectorRegistry())
    return app


def opentelemetry() -> Flask:
    """Measured by OpenTelemetry's Flask instrumentation with the SDK's metrics, read by nobody; no traces."""
    instrumentation = importlib.import_module("opentelemetry.instrumentation.flask")
    sdk = importlib.import_module("opentelemetry.sdk.metrics")
    export = importlib.import_module("opentelemetry.sdk.metrics.export")
    app = bare()
    provider = sdk.MeterProvider(metric_readers=[export.InMemoryMetricReader()])
    instrumentation.FlaskInstrumentor().instrument_app(app, meter_provider=provider)
    return app


@dataclass(frozen=True)
class Contender:
    """One way to measure.

    Attributes:
        make: Makes the application, in a process of its own.
        needs: The module that must be installed for it.
        multiprocess: Whether prometheus_client is to keep its values in files.
        gunicorn: Options of gunicorn, without which there is nothing to measure in process.
    """

    make: Callable[[], Flask]
    needs: str = "flask"
    multiprocess: bool = False
    gunicorn: tuple[str, ...] = ()


CONTENDERS = {
    _BARE: Contender(bare),
    "scout": Contender(ours),
    "prometheus_client in hooks": Contender(hooks),
    "prometheus_flask_exporter": Contender(flask_exporter, needs="prometheus_flask_exporter"),
    "prometheus_flask_exporter multiprocess": Contender(
        flask_exporter, needs="prometheus_flask_exporter", multiprocess=True
    ),
    "OpenTelemetry": Contender(opentelemetry, needs="opentelemetry.instrumentation.flask"),
    "gunicorn's StatsD": Contender(bare, gunicorn=("--statsd-host",)),
}


def _contenders() -> dict[str, Contender]:
    """Those whose modules are installed."""
    found = {}
    for name, contender in CONTENDERS.items():
        try:
            installed = importlib.util.find_spec(contender.needs) is not None
        except ModuleNotFoundError:  # not even the package that it is in
            installed = False
        if installed:
            found[name] = contender
        else:
            print(f"{name} is left out: {contender.needs} is not installed.")
    return found


def _environment(contender: Contender, statsd: int, folder: str) -> dict[str, str]:
    environment = {**os.environ, _STATSD_PORT: str(statsd)}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    if contender.multiprocess:
        environment["PROMETHEUS_MULTIPROC_DIR"] = folder
    return environment


# --- In process --------------------------------------------------------------------------------------------


def _environ() -> dict[str, Any]:
    """What gunicorn gives for a plain GET."""
    return {
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": io.BytesIO,
        "wsgi.input_terminated": True,
        "wsgi.early_hints": _start_response,
        "SERVER_SOFTWARE": "gunicorn",
        "wsgi.input": io.BytesIO(),
        "gunicorn.socket": None,
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": "",
        "RAW_URI": "/jobs/7",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_USER_AGENT": "benchmark",
        "HTTP_ACCEPT": "*/*",
        "wsgi.url_scheme": "http",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "PATH_INFO": "/jobs/7",
        "SCRIPT_NAME": "",
    }


def _start_response(*_: object) -> Callable[[bytes], None]:
    return lambda _: None


def _serve(app: Callable[..., Iterable[bytes]], requests: int) -> int:
    environs = [_environ() for _ in range(requests)]
    begun = time.thread_time_ns()
    for environ in environs:
        body = app(environ, _start_response)
        for _ in body:
            pass
        body.close()  # type: ignore[attr-defined]
    return time.thread_time_ns() - begun


def serve(name: str) -> None:
    """Run one contender in this process: a turn for each line that comes in, its nanoseconds go out.

    An empty line ends it; then the processor time of the whole process for all turns goes out.
    """
    app = CONTENDERS[name].make()
    _serve(app, 10 * _REQUESTS)
    print("ready", flush=True)
    begun = time.process_time_ns()
    for _ in iter(sys.stdin.readline, "\n"):
        _serve(app, _WARM_UP)
        print(_serve(app, _REQUESTS), flush=True)
    metrics.flush()
    print(time.process_time_ns() - begun, flush=True)
    metrics.stop()


class _Process:
    """One contender in a process of its own."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "benchmarks.http", name]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read()

    def _read(self) -> str:
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise RuntimeError(f"a contender ended with status {self._process.wait()}")
        return line

    def turn(self) -> float:
        """Microseconds per request of one turn."""
        return float(self._ask("go\n")) / _REQUESTS / 1000

    def end(self, turns: int) -> float:
        """Microseconds per request of all turns, the whole process counted."""
        told = float(self._ask("\n"))
        self._process.wait()
        return told / (turns * (_REQUESTS + _WARM_UP)) / 1000

    def _ask(self, line: str) -> str:
        self._process.stdin.write(line)  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        return self._read()


def _in_process(contenders: dict[str, Contender], statsd: int, rounds: int, turns: int) -> dict[str, Any]:
    names = [name for name, each in contenders.items() if not each.gunicorn]
    requests: dict[str, list[float]] = {name: [] for name in names}
    totals: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        folder = tempfile.mkdtemp(prefix="scout-bench-")
        processes = {name: _Process(name, _environment(contenders[name], statsd, folder)) for name in names}
        took: dict[str, list[float]] = {name: [] for name in names}
        order = list(names)
        for _ in range(turns):
            random.shuffle(order)
            for name in order:
                took[name].append(processes[name].turn())
        for name, process in processes.items():
            requests[name].append(sorted(took[name])[len(took[name]) // 10])
            totals[name].append(process.end(turns))
        shutil.rmtree(folder)
    return {"request": _figures(requests), "in all": _figures(totals)}


# --- Behind gunicorn ---------------------------------------------------------------------------------------


class _Server:
    """An application behind gunicorn, and one kept-alive connection to it."""

    def __init__(self, contender: Contender, statsd: int, folder: str) -> None:
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self._port = chosen.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "1"]
        command += ["--keep-alive", "75"]  # past the turns of all others
        command += ["--bind", f"127.0.0.1:{self._port}", "--log-level", "error"]
        for option in contender.gunicorn:
            command += [option, f"127.0.0.1:{statsd}"]
        command.append(f"benchmarks.http:{contender.make.__name__}()")
        self._process = subprocess.Popen(command, env=_environment(contender, statsd, folder))
        self._worker = 0
        deadline = time.monotonic() + 30
        while True:
            try:
                self._connection = socket.create_connection(("127.0.0.1", self._port))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def serve(self, requests: int) -> float:
        """The microseconds that a request takes, of so many, one after the other."""
        asked = b"GET /jobs/7 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        begun = time.perf_counter()
        for _ in range(requests):
            self._connection.sendall(asked)
            answer = b""
            while not answer.endswith(b"job 7"):
                received = self._connection.recv(65_536)
                if not received:
                    raise RuntimeError(f"gunicorn closed the connection after {answer!r}")
                answer += received
        return (time.perf_counter() - begun) / requests * 1e6

    def processor(self) -> float:
        """The microseconds of processor time that the worker's threads used so far (proc(5), schedstat)."""
        if not self._worker:
            (worker,) = psutil.Process(self._process.pid).children()
            self._worker = worker.pid
        tasks = Path(f"/proc/{self._worker}/task").glob("*/schedstat")
        return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / 1000

    def stop(self) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.wait()


def _behind_gunicorn(
    contenders: dict[str, Contender], statsd: int, rounds: int, turns: int
) -> dict[str, Any]:
    folder = tempfile.mkdtemp(prefix="scout-bench-")
    servers: dict[str, _Server] = {}
    took: dict[str, list[float]] = {name: [] for name in contenders}
    used: dict[str, list[float]] = {name: [] for name in contenders}
    try:
        for name, contender in contenders.items():
            servers[name] = _Server(contender, statsd, folder)
            servers[name].serve(_REQUESTS)
        order = list(servers)
        for _ in range(rounds):
            in_round: dict[str, list[float]] = {name: [] for name in servers}
            used_in_round: dict[str, list[float]] = {name: [] for name in servers}
            for _ in range(turns):
                random.shuffle(order)
                for name in order:
                    before = servers[name].processor()
                    in_round[name].append(servers[name].serve(_REQUESTS))
                    used_in_round[name].append((servers[name].processor() - before) / _REQUESTS)
            for name, turns_took in in_round.items():
                took[name].append(median(turns_took))
                used[name].append(median(used_in_round[name]))
    finally:
        for server in servers.values():
            server.stop()
        shutil.rmtree(folder)
    return {"processor": _figures(used), "clock": _figures(took)}


# --- Both --------------------------------------------------------------------------------------------------


def _figures(rounds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    without = rounds[_BARE]

    def compared(took: list[float], how: Callable[[float, float], float]) -> float:
        return median([how(bare, each) for bare, each in zip(without, took, strict=True)])

    return {
        name: {
            "us": round(median(took), 2),
            "more us": round(compared(took, lambda bare, each: each - bare), 2),
            "taken": round(compared(took, lambda bare, each: 1 - bare / each), 4),
        }
        for name, took in rounds.items()
    }


def run(rounds: int = 5, turns: int = 80) -> dict[str, Any]:
    """Measure, print the tables, and write `results/http.json`.

    Args:
        rounds: How many medians are taken.
        turns: How many turns each contender has in a round.
    """
    contenders = _contenders()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        statsd = sink.getsockname()[1]
        inside = _in_process(contenders, statsd, rounds, turns)
        behind = _behind_gunicorn(contenders, statsd, rounds, max(1, turns // 4))
    result = {
        "in process, the request": inside["request"],
        "in process, in all": inside["in all"],
        "behind gunicorn, processor": behind["processor"],
        "behind gunicorn, clock": behind["clock"],
    }
    for where, figures in result.items():
        ours = figures["scout"]["more us"]
        rows = [
            [
                name,
                f"{at['us']:.1f}",
                f"{1e6 / at['us']:,.0f}",
                f"{at['more us']:.1f}",
                f"{at['taken']:.1%}",
                f"{at['more us'] / ours:.1f}x" if ours > 0 and name != _BARE else "",
            ]
            for name, at in figures.items()
        ]
        print(table([where, "us", "per second", "more us", "taken", "to ours"], rows))
    kept: dict[str, Any] = {"unit": "us per request", "rounds": rounds, "medians": result}
    write("http", kept)
    return kept


if __name__ == "__main__":
    serve(sys.argv[1])

"""What measuring every request takes from a bare Flask application, beside a peer's way of doing it.

Twice: called as a server calls them, in one process and without sockets, in processor time, so that nothing
hides the cost; and behind gunicorn over a kept-alive connection, in requests per second, as a visitor sees
it. The applications take turns, so that whatever else the machine does strikes all of them alike.
"""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

import metrics
from benchmarks.measure import median, table, write
from metrics import http

ROUNDS = 5
_TURNS = 60
_REQUESTS = 50


def _bare() -> Flask:
    app = Flask("bare")

    @app.get("/jobs/<int:job_id>")
    def job(job_id: int) -> str:
        return f"job {job_id}"

    return app


def _ours() -> Flask:
    app = _bare()
    http.instrument(app)
    return app


def _peer() -> Flask:
    app = _bare()
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


def _environ() -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/jobs/7",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
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


class _Server:
    """An application behind gunicorn, and one kept-alive connection to it."""

    def __init__(self, factory: str, statsd: int) -> None:
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self._port = chosen.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "1"]
        command += [
            "--bind",
            f"127.0.0.1:{self._port}",
            "--log-level",
            "error",
            f"benchmarks.http:{factory}()",
        ]
        self._process = subprocess.Popen(command, env={**os.environ, "BENCH_STATSD_PORT": str(statsd)})
        deadline = time.monotonic() + 20
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
        """The seconds that so many requests take, one after the other."""
        asked = b"GET /jobs/7 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        begun = time.perf_counter()
        for _ in range(requests):
            self._connection.sendall(asked)
            answer = b""
            while not answer.endswith(b"job 7"):
                answer += self._connection.recv(65_536)
        return time.perf_counter() - begun

    def stop(self) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.wait()


def served_bare() -> Flask:
    """The bare application, for gunicorn."""
    return _bare()


def served_ours() -> Flask:
    """The measured application, for gunicorn, with a client that sends each second."""
    metrics.start(f"udp://127.0.0.1:{os.environ['BENCH_STATSD_PORT']}", role="web")
    return _ours()


def served_peer() -> Flask:
    """The application as a peer measures it, for gunicorn."""
    return _peer()


def _in_process(statsd: int) -> dict[str, dict[str, float]]:
    metrics.start(f"udp://127.0.0.1:{statsd}", role="web")
    apps = {"bare Flask": _bare(), "scout": _ours(), "prometheus_client in hooks": _peer()}
    for app in apps.values():
        _serve(app, _REQUESTS)
    rounds: dict[str, list[float]] = {name: [] for name in apps}
    for _ in range(ROUNDS):
        # The least disturbed turn of each: what is left is what the code costs.
        least = dict.fromkeys(apps, float("inf"))
        for _ in range(_TURNS):
            for name, app in apps.items():
                least[name] = min(least[name], _serve(app, _REQUESTS) / _REQUESTS / 1000)
        for name, took in least.items():
            rounds[name].append(took)
    metrics.stop()
    return _figures(rounds)


def _behind_gunicorn(statsd: int) -> dict[str, dict[str, float]]:
    factories = {
        "bare Flask": "served_bare",
        "scout": "served_ours",
        "prometheus_client in hooks": "served_peer",
    }
    servers = {name: _Server(factory, statsd) for name, factory in factories.items()}
    try:
        rounds: dict[str, list[float]] = {name: [] for name in servers}
        for server in servers.values():
            server.serve(_REQUESTS)
        for _ in range(ROUNDS):
            turns: dict[str, list[float]] = {name: [] for name in servers}
            for _ in range(_TURNS):
                for name, server in servers.items():
                    turns[name].append(server.serve(_REQUESTS) / _REQUESTS * 1e6)
            for name, took in turns.items():
                rounds[name].append(median(took))
    finally:
        for server in servers.values():
            server.stop()
    return _figures(rounds)


def _figures(rounds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    bare = rounds["bare Flask"]
    return {
        name: {
            "us": round(median(took), 2),
            "taken": round(median([1 - without / each for without, each in zip(bare, took, strict=True)]), 4),
        }
        for name, took in rounds.items()
    }


def run() -> dict[str, Any]:
    """Measure, print the tables, and write `results/http.json`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        statsd = sink.getsockname()[1]
        result = {"in process": _in_process(statsd), "behind gunicorn": _behind_gunicorn(statsd)}
    for where, figures in result.items():
        rows = [
            [name, f"{at['us']:.1f}", f"{1e6 / at['us']:,.0f}", f"{at['taken']:.1%}"]
            for name, at in figures.items()
        ]
        print(table([f"a request, {where}", "us", "per second", "taken"], rows))
    kept: dict[str, Any] = {"unit": "us per request", "rounds": ROUNDS, "medians": result}
    write("http", kept)
    return kept

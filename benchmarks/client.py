"""What one labelled counter and one labelled duration cost the code that emits them, beside peers.

Each contender runs in a process of its own, five times, in turn with the others. Two figures per pair of
samples:

- `emit`: processor time of the calling thread until it has control again. It is what a request pays.
- `total`: processor time of the process, sending included. For a Prometheus client, sending is a scrape,
which
  is not in here.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.measure import median, table, write

ROUNDS = 5
_BATCH = 1_000
_BATCHES = 40

#: One pair of samples, and what sends a batch of them.
Contender = tuple[Callable[[], None], Callable[[], None]]


def _nothing() -> None:
    pass


def _sink() -> socket.socket:
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    return sink


def _scout(port: int, *, bound: bool) -> Contender:
    import metrics  # noqa: PLC0415 - each contender loads only itself
    from metrics import catalogue  # noqa: PLC0415 - each contender loads only itself

    metrics.start(f"udp://127.0.0.1:{port}", role="")
    counter, timer = catalogue.HTTP_REQUESTS, catalogue.HTTP_REQUEST_DURATION
    hit = counter.bind("GET", "/jobs/{job_id}", "200").inc
    took = timer.bind("GET", "/jobs/{job_id}", "200").observe

    def by_handle() -> None:
        hit()
        took(0.0123)

    def by_name() -> None:
        counter.inc(method="GET", endpoint="/jobs/{job_id}", status="200")
        timer.observe(0.0123, method="GET", endpoint="/jobs/{job_id}", status="200")

    return (by_handle if bound else by_name), metrics.flush


def _prometheus(*, bound: bool) -> Contender:
    from prometheus_client import Counter, Histogram  # noqa: PLC0415 - after the environment is set

    names = ["method", "endpoint", "status"]
    counter = Counter("http_requests_total", "Requests.", names)
    timer = Histogram("http_request_duration_seconds", "Durations.", names)
    hit = counter.labels("GET", "/jobs/{job_id}", "200")
    took = timer.labels("GET", "/jobs/{job_id}", "200")

    def by_handle() -> None:
        hit.inc()
        took.observe(0.0123)

    def by_name() -> None:
        counter.labels("GET", "/jobs/{job_id}", "200").inc()
        timer.labels("GET", "/jobs/{job_id}", "200").observe(0.0123)

    return (by_handle if bound else by_name), _nothing


def _multiprocess(*, bound: bool) -> Contender:
    folder = tempfile.TemporaryDirectory(prefix="scout-bench-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder.name
    pair, send = _prometheus(bound=bound)
    atexit.register(folder.cleanup)
    return pair, send


def _statsd(port: int) -> Contender:
    from statsd import StatsClient  # noqa: PLC0415 - each contender loads only itself

    client = StatsClient("127.0.0.1", port)

    def emit() -> None:
        client.incr("http_requests_total.GET./jobs/{job_id}.200")
        client.timing("http_request_duration_seconds.GET./jobs/{job_id}.200", 12.3)

    return emit, _nothing


def _pipeline(port: int) -> Contender:
    from statsd import StatsClient  # noqa: PLC0415 - each contender loads only itself

    pipe = StatsClient("127.0.0.1", port, maxudpsize=1432).pipeline()

    def emit() -> None:
        pipe.incr("http_requests_total.GET./jobs/{job_id}.200")
        pipe.timing("http_request_duration_seconds.GET./jobs/{job_id}.200", 12.3)

    return emit, pipe.send


CONTENDERS: dict[str, Callable[[int], Contender]] = {
    "scout, handles": lambda port: _scout(port, bound=True),
    "scout, labels by name": lambda port: _scout(port, bound=False),
    "prometheus_client, handles": lambda _: _prometheus(bound=True),
    "prometheus_client, labels": lambda _: _prometheus(bound=False),
    "prometheus_client multiprocess, handles": lambda _: _multiprocess(bound=True),
    "prometheus_client multiprocess, labels": lambda _: _multiprocess(bound=False),
    "statsd": _statsd,
    "statsd pipeline": _pipeline,
}


def one(name: str) -> dict[str, float]:
    """Run one contender in this process: nanoseconds per pair of samples."""
    sink = _sink()
    emit, send = CONTENDERS[name](sink.getsockname()[1])
    emit()
    send()
    emitted = 0
    cpu = time.process_time_ns()
    for _ in range(_BATCHES):
        begun = time.thread_time_ns()
        for _ in range(_BATCH):
            emit()
        emitted += time.thread_time_ns() - begun
        send()
    cpu = time.process_time_ns() - cpu
    pairs = _BATCH * _BATCHES
    sink.close()
    return {"emit": emitted / pairs, "total": cpu / pairs}


def run() -> dict[str, Any]:
    """Measure all contenders, print the table, and write `results/client.json`."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    for _ in range(ROUNDS):
        for name, figures in measured.items():
            command = [sys.executable, "-m", "benchmarks.client", name]
            figures.append(json.loads(subprocess.check_output(command, text=True)))
    result = {
        name: {key: round(median([each[key] for each in figures]), 1) for key in ("emit", "total")}
        for name, figures in measured.items()
    }
    ours = result["scout, handles"]
    rows = [
        [
            name,
            *(
                cell
                for key in ("emit", "total")
                for cell in (f"{at[key]:,.0f}", f"{at[key] / ours[key]:.1f}x")
            ),
        ]
        for name, at in result.items()
    ]
    print(table(["one counter and one duration", "emit ns", "ratio", "total ns", "ratio"], rows))
    kept: dict[str, Any] = {"unit": "ns per counter and duration", "rounds": ROUNDS, "medians": result}
    write("client", kept)
    return kept


if __name__ == "__main__":
    print(json.dumps(one(sys.argv[1])))

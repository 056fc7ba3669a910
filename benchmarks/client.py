"""What one labelled counter and one labelled duration cost the code that emits them, beside peers.

Each contender runs in a process of its own, five times, in turn with the others.

From one thread, two figures per pair of samples:

- `emit`: processor time of the calling thread until it has control again. It is what a request pays.
- `total`: processor time of the process, sending included. For a Prometheus client, sending is a scrape,
  which is not in here; for OpenTelemetry it is the collection, without any export over the network.

From eight threads at once, as fast as they can: processor time of the process and time on the clock per
pair, and for ours how much of it the embedded exporter counted. No count may be lost. A million durations a
second into one series are more than it holds: the rest is dropped, and counted as that; so `total` contains
less sending than it would at a rate that a process has.

Ours is there three times: by handles; by labels; and with a count that follows the durations, as requests are
measured (`metrics/http.py`): one emission, of which both come.

How the peers are set up, where there is a choice:

- `prometheus_client` in its multiprocess mode writes to files in a folder of the machine's temporary files.
- `statsd` sends a datagram per sample; its pipeline gathers, here up to the same 1,432 bytes as ours.
- `datadog`, buffered: `disable_buffering=False`, so that lines gather up to 1,432 bytes a datagram.
- `datadog`, aggregated: `disable_aggregation=False` as well, so that counters are summed until the flush;
  durations are buffered, as they are by default.
- Both with `disable_telemetry=True`, which is to their advantage (ours sends its figures about itself), and
  with a flush interval of an hour, so that the flush is where the others send.
- OpenTelemetry's SDK: a counter and a histogram with its default buckets and an in-memory reader; the
  attributes are one dictionary made before, its cheapest way, or made anew at each call.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks import programs
from benchmarks.measure import median, table, write

ROUNDS = 5
THREADS = 8
_BATCH = 1_000
_BATCHES = 40
#: Pairs that each of the threads emits.
_PAIRS = 50_000
#: How often a round is repeated whose datagrams the machine lost.
_TRIES = 5

#: One pair of samples, and what sends what has gathered.
Contender = tuple[Callable[[], None], Callable[[], None]]

OURS = "scout, handles"
FOLLOWED = "scout, count follows duration"

_LABELS = {"method": "GET", "endpoint": "/jobs/{job_id}", "status": "200"}
_DOTTED = "GET./jobs/{job_id}.200"
_COUNTER, _TIMER = "http_requests_total", "http_request_duration_seconds"


def _nothing() -> None:
    pass


def _sink() -> socket.socket:
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    return sink


def _scout(port: int, how: str) -> Contender:
    import metrics  # noqa: PLC0415 - each contender loads only itself
    from metrics import catalogue  # noqa: PLC0415 - each contender loads only itself

    metrics.start(f"udp://127.0.0.1:{port}", role="web")
    counter, timer = catalogue.HTTP_REQUESTS, catalogue.HTTP_REQUEST_DURATION
    hit = counter.bind(**_LABELS).inc
    took = timer.bind(**_LABELS).observe
    if how == FOLLOWED:
        counter.bind(**_LABELS).follow(timer.bind(**_LABELS))
        return (lambda: took(0.0123)), metrics.flush

    def by_handle() -> None:
        hit()
        took(0.0123)

    def by_name() -> None:
        counter.inc(method="GET", endpoint="/jobs/{job_id}", status="200")
        timer.observe(0.0123, method="GET", endpoint="/jobs/{job_id}", status="200")

    return (by_handle if how == OURS else by_name), metrics.flush


def _prometheus(*, bound: bool) -> Contender:
    from prometheus_client import Counter, Histogram  # noqa: PLC0415 - after the environment is set

    names = ["method", "endpoint", "status"]
    counter = Counter(_COUNTER, "Requests.", names)
    timer = Histogram(_TIMER, "Durations.", names)
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
        client.incr(f"{_COUNTER}.{_DOTTED}")
        client.timing(f"{_TIMER}.{_DOTTED}", 12.3)

    return emit, _nothing


def _pipeline(port: int) -> Contender:
    from statsd import StatsClient  # noqa: PLC0415 - each contender loads only itself

    pipe = StatsClient("127.0.0.1", port, maxudpsize=1432).pipeline()

    def emit() -> None:
        pipe.incr(f"{_COUNTER}.{_DOTTED}")
        pipe.timing(f"{_TIMER}.{_DOTTED}", 12.3)

    return emit, pipe.send


def _datadog(port: int, *, aggregated: bool) -> Contender:
    from datadog.dogstatsd.base import DogStatsd  # noqa: PLC0415 - each contender loads only itself

    client = DogStatsd(
        host="127.0.0.1",
        port=port,
        flush_interval=3600,
        disable_buffering=False,
        disable_aggregation=not aggregated,
        disable_telemetry=True,
        origin_detection_enabled=False,
    )
    tags = [f"{name}:{value}" for name, value in _LABELS.items()]

    def emit() -> None:
        client.increment(_COUNTER, tags=tags)
        client.timing(_TIMER, 12.3, tags=tags)

    def send() -> None:
        client.flush_aggregated_metrics()
        client.flush_buffered_metrics()

    return emit, send


def _opentelemetry(*, kept: bool) -> Contender:
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - each contender loads only itself
    from opentelemetry.sdk.metrics.export import (  # noqa: PLC0415 - each contender loads only itself
        InMemoryMetricReader,
    )

    reader = InMemoryMetricReader()
    meter = MeterProvider(metric_readers=[reader]).get_meter("bench")
    counter = meter.create_counter(_COUNTER)
    timer = meter.create_histogram(_TIMER, unit="s")
    labels = dict(_LABELS)

    def by_handle() -> None:
        counter.add(1, labels)
        timer.record(0.0123, labels)

    def by_name() -> None:
        counter.add(1, {"method": "GET", "endpoint": "/jobs/{job_id}", "status": "200"})
        timer.record(0.0123, {"method": "GET", "endpoint": "/jobs/{job_id}", "status": "200"})

    def send() -> None:
        reader.get_metrics_data()

    return (by_handle if kept else by_name), send


CONTENDERS: dict[str, Callable[[int], Contender]] = {
    OURS: lambda port: _scout(port, OURS),
    FOLLOWED: lambda port: _scout(port, FOLLOWED),
    "scout, labels by name": lambda port: _scout(port, "by name"),
    "prometheus_client, handles": lambda _: _prometheus(bound=True),
    "prometheus_client, labels": lambda _: _prometheus(bound=False),
    "prometheus_client multiprocess, handles": lambda _: _multiprocess(bound=True),
    "prometheus_client multiprocess, labels": lambda _: _multiprocess(bound=False),
    "statsd": _statsd,
    "statsd pipeline": _pipeline,
    "datadog buffered": lambda port: _datadog(port, aggregated=False),
    "datadog aggregated": lambda port: _datadog(port, aggregated=True),
    "opentelemetry, attributes kept": lambda _: _opentelemetry(kept=True),
    "opentelemetry, attributes made": lambda _: _opentelemetry(kept=False),
}
#: Those that work in several threads: a pipeline belongs to one.
IN_THREADS = tuple(name for name in CONTENDERS if name != "statsd pipeline")
SHORT: dict[str, Any] = {"rounds": 1, "batches": 2, "pairs": 2_000, "in_threads": (OURS, "statsd")}


def one(name: str, batches: int) -> dict[str, float]:
    """Run one contender in this process, from one thread: nanoseconds per pair of samples."""
    with _sink() as sink:
        emit, send = CONTENDERS[name](sink.getsockname()[1])
        emit()
        send()
        emitted = 0
        cpu = time.process_time_ns()
        for _ in range(batches):
            begun = time.thread_time_ns()
            for _ in range(_BATCH):
                emit()
            emitted += time.thread_time_ns() - begun
            send()
        cpu = time.process_time_ns() - cpu
    pairs = _BATCH * batches
    return {"emit": emitted / pairs, "total": cpu / pairs}


def many(name: str, pairs: int, port: int) -> dict[str, float]:
    """Run one contender in this process, from eight threads: nanoseconds per pair of samples."""
    emit, send = CONTENDERS[name](port)
    gate = threading.Barrier(THREADS + 1)

    def work() -> None:
        gate.wait()
        for _ in range(pairs):
            emit()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    cpu = time.process_time_ns()
    begun = time.perf_counter_ns()
    gate.wait()
    for thread in threads:
        thread.join()
    send()
    clock = time.perf_counter_ns() - begun
    cpu = time.process_time_ns() - cpu
    return {"total": cpu / pairs / THREADS, "clock": clock / pairs / THREADS}


def _run(*words: object) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.client", *map(str, words)]
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
        # A folder of its own for the totals of slots, which would go on where the last run ended.
        environment = {**os.environ, "TMPDIR": folder}
        figures: dict[str, float] = json.loads(subprocess.check_output(command, text=True, env=environment))
    return figures


def _many(name: str, pairs: int) -> tuple[dict[str, float], dict[str, int]]:
    """One round from eight threads: what it cost, and for ours what arrived."""
    if not name.startswith("scout"):
        with _sink() as sink:
            return _run("many", name, pairs, sink.getsockname()[1]), {}
    from metrics import catalogue  # noqa: PLC0415 - each contender loads only itself

    for _ in range(_TRIES):
        with programs.running("embedded") as exporter:
            cost = _run("many", name, pairs, exporter.udp)
            programs.until(
                lambda: exporter.total(f"{_COUNTER}", endpoint="/jobs/{job_id}") >= pairs * THREADS, 2
            )
            drops = exporter.drops()
            if drops:
                continue  # the machine was too busy to read; what is asked is what the client loses
            arrived = {
                "counts emitted": pairs * THREADS,
                "counts lost": pairs * THREADS - int(exporter.total(_COUNTER)),
                "durations dropped and counted": int(
                    exporter.total(catalogue.CLIENT_DROPPED.name, reason="full")
                ),
            }
            received = int(exporter.total(f"{_TIMER}_count"))
            arrived["durations lost unseen"] = (
                pairs * THREADS - received - arrived["durations dropped and counted"]
            )
            return cost, arrived
    raise programs.Lost(f"the machine lost datagrams in {_TRIES} tries")


def _medians(
    measured: dict[str, list[dict[str, float]]], keys: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    return {
        name: {key: round(median([each[key] for each in figures]), 1) for key in keys}
        for name, figures in measured.items()
    }


def _show(title: str, medians: dict[str, dict[str, float]]) -> None:
    ours = medians[OURS]
    head = [title]
    for key in ours:
        head += [f"{key} ns", "ratio"]
    rows = [
        [name, *(cell for key in ours for cell in (f"{at[key]:,.0f}", f"{at[key] / ours[key]:.1f}x"))]
        for name, at in medians.items()
    ]
    print(table(head, rows))


def run(
    rounds: int = ROUNDS,
    batches: int = _BATCHES,
    pairs: int = _PAIRS,
    in_threads: tuple[str, ...] = IN_THREADS,
) -> dict[str, Any]:
    """Measure all contenders, print the tables, and write `results/client.json`."""
    single: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    threads: dict[str, list[dict[str, float]]] = {name: [] for name in in_threads}
    arrived: dict[str, list[dict[str, int]]] = {}
    for _ in range(rounds):
        for name, figures in single.items():
            figures.append(_run("one", name, batches))
        for name, figures in threads.items():
            cost, found = _many(name, pairs)
            figures.append(cost)
            if found:
                arrived.setdefault(name, []).append(found)
    medians = _medians(single, ("emit", "total"))
    of_threads = _medians(threads, ("total", "clock"))
    sums = {
        name: {key: sum(each[key] for each in found) for key in found[0]} for name, found in arrived.items()
    }
    _show("one counter and one duration", medians)
    _show(f"the same from {THREADS} threads", of_threads)
    keys = list(next(iter(sums.values())))
    print(
        table(
            [f"from {THREADS} threads", *keys],
            [[name, *(f"{at[key]:,}" for key in keys)] for name, at in sums.items()],
        )
    )
    kept: dict[str, Any] = {
        "unit": "ns per counter and duration",
        "rounds": rounds,
        "medians": medians,
        "threads": of_threads,
        "arrived from threads": sums,
    }
    write("client", kept)
    return kept


def _main() -> None:
    what, name, size, *rest = sys.argv[1:]
    figures = one(name, int(size)) if what == "one" else many(name, int(size), int(rest[0]))
    if "metrics" in sys.modules:
        sys.modules["metrics"].stop()
    print(json.dumps(figures))


if __name__ == "__main__":
    _main()

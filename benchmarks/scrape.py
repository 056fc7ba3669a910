"""What a scrape costs after many generations of workers, beside prometheus_client's multiprocess mode.

A generation is a worker process that emits the same series (30 counters, 30 durations, and what a process
tells of itself) and ends, as gunicorn's `max_requests`, deployments and crashes make them. After 1, 10, 100
and 1,000 of them, five scrapes each:

- `statsd_exporter` and `embedded`: the exporter's page, over HTTP.
- `merged page`: what the web application serves at `/metrics`: the pages of the exporter (the real one where
  it is) and of a gateway with 20 groups, fetched and merged by `webapp.exporters`.
- `prometheus_client multiprocess`: a collector's page from the folder of memory-mapped files, made as its
  documentation says, `mark_process_dead` after each process included; and what the files take on the disk.
  It stops where one scrape takes over 20 seconds.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import metrics
from benchmarks import programs
from benchmarks.measure import median, table, write
from metrics import catalogue
from metrics.push import ScanFigures, push_scan
from scout.settings import Settings
from webapp.exporters import merged_page

ROUNDS = 5
GENERATIONS = (1, 10, 100, 1_000)
SHORT: dict[str, Any] = {"generations": (1, 3), "rounds": 1}
#: The peer stops where one scrape takes longer than so many seconds.
_TOO_LONG = 20.0
_ROUTES = 30
_GROUPS = 20
_PEER = "prometheus_client multiprocess"


def _emit() -> None:
    for number in range(_ROUTES):
        labels = {"method": "GET", "endpoint": f"/route-{number}", "status": "200"}
        catalogue.HTTP_REQUESTS.inc(**labels)
        catalogue.HTTP_REQUEST_DURATION.observe(0.0123, **labels)


def _in_child(work: Callable[[], None]) -> int:
    """Do it in a forked process, and wait for its end; its number."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise ChildProcessError("a generation failed")
    return child


def _generation(statsd: str) -> None:
    metrics.start(statsd, role="web")
    _emit()
    metrics.stop()


class _Ours:
    """What is scraped of ours: one exporter of each kind, a gateway, and their merged page."""

    def __init__(self, stack: ExitStack) -> None:
        self._exporters = [stack.enter_context(programs.running(kind)) for kind in programs.kinds()]
        gateway = stack.enter_context(programs.gateway())
        for number in range(_GROUPS):
            figures = ScanFigures(
                state="succeeded",
                duration=1.5,
                finished_at=time.time(),
                last_success_at=time.time(),
                seen=20,
                new=1,
                updated=2,
                closed=3,
                listed=20,
            )
            if not push_scan(gateway, f"board-{number}", figures):
                raise ChildProcessError("the gateway does not take a group")
        self._settings = Settings(statsd_exporter_url=self._exporters[0].origin, pushgateway_url=gateway)
        self._passed = 0

    def age(self, generations: int) -> None:
        """Let workers come and go until there were so many."""
        while self._passed < generations:
            for exporter in self._exporters:
                _in_child(lambda statsd=exporter.statsd: _generation(statsd))  # type: ignore[misc]
            self._passed += 1
        for exporter in self._exporters:
            if not programs.until(lambda at=exporter: _requests(at) == generations * _ROUTES):  # type: ignore[misc]
                raise programs.Lost(
                    f"{exporter.name} has {_requests(exporter):g} of {generations * _ROUTES} requests"
                )

    def scrape(self) -> dict[str, tuple[float, int]]:
        """Each page once: seconds and bytes."""
        found = {exporter.name: exporter.scrape() for exporter in self._exporters}
        begun = time.perf_counter()
        page = b"".join(merged_page(self._settings))
        found["merged page"] = (time.perf_counter() - begun, len(page))
        if re.search(rb"^# \w+ could not be read: ", page, re.MULTILINE):
            raise ChildProcessError("a part of the merged page is missing")
        return found


def _requests(exporter: programs.Exporter) -> float:
    return exporter.total(f"{catalogue.HTTP_REQUESTS.name}")


# --- The peer, in a process of its own, which knows the folder before it loads the library ---


class _Peer:
    """Speaks with the process that holds the peer."""

    def __init__(self, stack: ExitStack) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scout-bench-")))
        environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(self.folder)}
        command = [sys.executable, "-m", "benchmarks.scrape"]
        pipe = subprocess.PIPE
        self._process = stack.enter_context(
            subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, text=True)
        )
        # Called before the process is waited for: its end is the end of what it reads.
        stack.callback(self._process.stdin.close)  # type: ignore[union-attr]

    def ask(self, *words: object) -> Any:
        """Tell it what to do, and read what came of it."""
        if self._process.stdin is None or self._process.stdout is None:
            raise ChildProcessError("it has no pipes")
        print(*words, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def files(self) -> tuple[int, int]:
        """How many files there are, and how many bytes of the disk they take."""
        found = [path.stat() for path in self.folder.iterdir()]
        return len(found), sum(each.st_blocks * 512 for each in found)


def _peer() -> None:
    from prometheus_client import (  # noqa: PLC0415 - in this process alone, where the folder is set
        CollectorRegistry,
        Counter,
        Gauge,
        Histogram,
        generate_latest,
        multiprocess,
    )

    names = ["method", "endpoint", "status"]
    counter = Counter("http_requests_total", "Requests.", names)
    timer = Histogram(
        "http_request_duration_seconds",
        "Durations.",
        names,
        buckets=catalogue.HTTP_REQUEST_DURATION.buckets,
    )
    gauges = [
        Gauge(name, "Of the process.", multiprocess_mode="livesum")
        for name in ("memory_bytes", "open_files", "threads")
    ]

    def generation() -> None:
        for number in range(_ROUTES):
            counter.labels("GET", f"/route-{number}", "200").inc()
            timer.labels("GET", f"/route-{number}", "200").observe(0.0123)
        for gauge in gauges:
            gauge.set(7)

    for line in sys.stdin:
        what, _, count = line.partition(" ")
        if what == "age":
            for _ in range(int(count)):
                multiprocess.mark_process_dead(_in_child(generation))  # type: ignore[no-untyped-call]
            print(json.dumps(None), flush=True)
        else:
            begun = time.perf_counter()
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            page = generate_latest(registry)
            took = time.perf_counter() - begun
            requests = sum(
                float(text.rpartition(b" ")[2])
                for text in page.splitlines()
                if text.startswith(b"http_requests_total{")
            )
            print(json.dumps([took, len(page), requests]), flush=True)


def run(generations: tuple[int, ...] = GENERATIONS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure, print the table, and write `results/scrape.json`."""
    result: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        ours, peer = _Ours(stack), _Peer(stack)
        passed, slow = 0, False
        for count in generations:
            ours.age(count)
            if not slow:
                peer.ask("age", count - passed)
            passed = count
            taken: dict[str, list[tuple[float, int]]] = {}
            for _ in range(rounds):
                for name, figures in ours.scrape().items():
                    taken.setdefault(name, []).append(figures)
                if not slow:
                    took, size, requests = peer.ask("scrape")
                    if requests != count * _ROUTES:
                        raise programs.Lost(f"{_PEER} has {requests:g} of {count * _ROUTES} requests")
                    taken.setdefault(_PEER, []).append((took, size))
                    slow = took > _TOO_LONG
            result[str(count)] = {
                name: {
                    "ms": round(median([each[0] for each in figures]) * 1000, 2),
                    "page bytes": figures[-1][1],
                }
                for name, figures in taken.items()
            }
            if _PEER in taken:
                files, size = peer.files()
                result[str(count)][_PEER] |= {"files": files, "disk bytes": size}
    _show(result)
    kept: dict[str, Any] = {"unit": "ms per scrape", "rounds": rounds, "generations": result}
    write("scrape", kept)
    return kept


def _show(result: dict[str, dict[str, Any]]) -> None:
    names = list(next(iter(result.values())))
    rows = []
    for count, at in result.items():
        row = [f"{int(count):,}"]
        for name in names:
            if name not in at:
                row += ["over 20 s", ""]
            else:
                row += [f"{at[name]['ms']:,.1f}", f"{at[name]['ms'] / at['merged page']['ms']:.1f}x"]
        row.append(f"{at[_PEER]['disk bytes'] / 1024 / 1024:,.1f}" if _PEER in at else "")
        rows.append(row)
    head = ["generations"]
    for name in names:
        head += [f"{name} ms", "to merged"]
    print(table([*head, "its files MB"], rows))


if __name__ == "__main__":
    _peer()

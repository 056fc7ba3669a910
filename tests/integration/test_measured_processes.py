"""What the workers and the scheduler tell, as processes of their own: each by a test that misses it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from metrics import catalogue
from metrics.model import Metric, wire_name
from tests.boards_in_folders import posting
from tests.redis_server import redis_server
from tests.scan_stack import Stack, stack
from tests.waiting import wait_until

__all__ = ["redis_server", "stack"]


class Statsd:
    """Where the processes send."""

    def __init__(self) -> None:
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)  # noqa: FBT003 - its only parameter
        self.url = f"udp://127.0.0.1:{self.socket.getsockname()[1]}"
        self._lines: list[str] = []

    def waits_for(self, metric: Metric, *labels: str) -> None:
        """Wait until someone tells of a metric with labels that begin like this; a zero tells nothing."""
        begin = wire_name(metric.name, labels)
        wait_until(lambda: any(each.startswith(begin) for each in self.told()), timeout=15, what=begin)

    def told(self) -> list[str]:
        while True:
            try:
                self._lines += self.socket.recv(65_535).decode().split("\n")
            except BlockingIOError:
                return [line for line in self._lines if not line.endswith(":0|c")]


@pytest.fixture
def statsd() -> Iterator[Statsd]:
    listening = Statsd()
    yield listening
    listening.socket.close()


def test_a_job_is_measured_in_the_process_that_runs_it(stack: Stack, statsd: Statsd) -> None:
    stack.watch("good", [posting(1)])
    stack.start("worker", STATSD_URL=statsd.url)
    stack.finished(stack.ask("good"))
    statsd.waits_for(catalogue.RQ_JOBS_FINISHED, "scans", "scan_sources", "succeeded")
    statsd.waits_for(catalogue.RQ_JOB_WAIT, "scans", "scan_sources")
    statsd.waits_for(catalogue.POSTINGS_PARSED, "folder")


@pytest.mark.parametrize(("module", "role"), [("workers", "worker"), ("workers.schedule", "scheduler")])
def test_a_process_tells_of_itself_under_its_role(
    stack: Stack, statsd: Statsd, module: str, role: str
) -> None:
    stack.start_module(module, STATSD_URL=statsd.url)
    statsd.waits_for(catalogue.PROCESS_MEMORY, role)

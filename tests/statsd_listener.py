"""A StatsD address of a test's own: what processes send there, added up."""

from __future__ import annotations

import socket
from collections import Counter as Sums
from collections.abc import Iterator

import pytest

from metrics.model import Counter, Gauge, Timer, wire_name


class Listener:
    """Takes datagrams; each question first reads what has arrived."""

    def __init__(self) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0)
        self.url = f"udp://127.0.0.1:{self._socket.getsockname()[1]}"
        self._counts: dict[str, float] = {}
        self._gauges: dict[str, float] = {}
        self._durations: Sums[str] = Sums()

    def count(self, metric: Counter, *labels: str) -> int:
        """How far a counter rose, with these label values in wire order."""
        self._read()
        return round(self._counts.get(wire_name(metric.name, labels), 0.0))

    def gauge(self, metric: Gauge, *labels: str) -> float | None:
        """A gauge's last value; None when it was never sent."""
        self._read()
        return self._gauges.get(wire_name(metric.name, labels))

    def gauges(self, metric: Gauge) -> dict[str, float]:
        """The last values of a gauge's series, by the wire name's labels."""
        self._read()
        prefix = wire_name(metric.name, ()) + "."
        return {
            name.removeprefix(prefix): value
            for name, value in self._gauges.items()
            if name.startswith(prefix)
        }

    def durations(self, metric: Timer, *labels: str) -> int:
        """How many durations a timer recorded."""
        self._read()
        return self._durations[wire_name(metric.name, labels)]

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                datagram = self._socket.recv(65536).decode()
            except BlockingIOError:
                return
            for line in datagram.splitlines():
                name, _, rest = line.partition(":")
                values, _, kind = rest.partition("|")
                match kind.partition("|")[0]:
                    case "c":
                        self._counts[name] = self._counts.get(name, 0.0) + float(values)
                    case "g":
                        self._gauges[name] = float(values)
                    case "ms":
                        self._durations[name] += values.count(":") + 1


@pytest.fixture
def statsd() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()

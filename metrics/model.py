"""The kinds of metric that the catalogue declares: counters, gauges and timers, with bounded labels."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

#: The value that stands for every label value that is unsafe, not allowed, or past its label's bound.
OTHER = "__other__"

#: Upper bounds in seconds for requests, in and out (OpenTelemetry's `http.server.request.duration` advice).
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
#: Upper bounds in seconds for database calls (OpenTelemetry's `db.client.operation.duration` advice).
DB_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
#: Upper bounds in seconds for whole scans and queue jobs: from an instant to ten minutes.
JOB_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


class Signal(enum.StrEnum):
    """What a metric tells about: one of the four golden signals, the business, or the pipeline itself."""

    LATENCY = "latency"
    TRAFFIC = "traffic"
    ERRORS = "errors"
    SATURATION = "saturation"
    BUSINESS = "business"
    PIPELINE = "pipeline"


class Unit(enum.StrEnum):
    """The unit of a metric's value, as Prometheus names it."""

    NONE = ""
    SECONDS = "seconds"
    BYTES = "bytes"
    TIMESTAMP = "timestamp_seconds"


@dataclass(frozen=True, slots=True)
class Label:
    """A label and the values that it may take.

    Attributes:
        name: The Prometheus label name, two letters or more (the exporter refuses single letters).
        values: All allowed values; empty when they are only known at run time (routes, board kinds).
        bound: How many distinct values may be seen where `values` is empty; the rest become `__other__`.
    """

    name: str
    values: tuple[str, ...] = ()
    bound: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric, declared once.

    Attributes:
        name: The Prometheus name, with its unit and, for counters, `_total`.
        help: One sentence that says what is counted or measured.
        raised_by: What in the program makes it move, for the reader of a dashboard.
        signal: The golden signal it belongs to.
        labels: Its labels in wire order.
        unit: The unit of its value.
    """

    name: str
    help: str
    raised_by: str
    signal: Signal
    labels: tuple[Label, ...] = ()
    unit: Unit = Unit.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter(Metric):
    """A count that only rises."""

    def inc(self, amount: float = 1, /, **labels: str) -> None:
        """Add to the count. Never raises and never blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge(Metric):
    """A value that was true when it was taken.

    Attributes:
        ttl: Seconds after which the exporter forgets a series that nobody refreshed; 0 keeps it.
    """

    ttl: int = 0

    def set(self, value: float, /, **labels: str) -> None:
        """Say what the value is now. Never raises and never blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer(Metric):
    """A distribution of durations in seconds, kept as a histogram.

    Attributes:
        buckets: The histogram's upper bounds in seconds.
    """

    buckets: tuple[float, ...] = HTTP_BUCKETS
    unit: Unit = field(default=Unit.SECONDS)

    def observe(self, seconds: float, /, **labels: str) -> None:
        """Record one duration in seconds. Never raises and never blocks."""

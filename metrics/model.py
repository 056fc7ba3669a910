"""The kinds of metric that the catalogue declares: counters, gauges and timers, with bounded labels."""

from __future__ import annotations

import enum
import itertools
import keyword
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from metrics import losses, series
from metrics.labels import OTHER, Domain, safe
from metrics.series import CounterSeries, GaugeSeries, Series, TimerSeries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = [
    "DB_BUCKETS",
    "HTTP_BUCKETS",
    "JOB_BUCKETS",
    "OTHER",
    "Counter",
    "Gauge",
    "Label",
    "Metric",
    "PushedGauge",
    "Signal",
    "Timer",
    "Unit",
]

#: Upper bounds in seconds for requests, in and out (OpenTelemetry's `http.server.request.duration` advice).
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
#: Upper bounds in seconds for database calls (OpenTelemetry's `db.client.operation.duration` advice).
DB_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
#: Upper bounds in seconds for whole scans and queue jobs: from an instant to ten minutes.
JOB_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)

#: What every name on the wire begins with.
WIRE_PREFIX = "scout"

#: The most series that one metric may have in one process; the rest gather under `__other__`.
MOST_SERIES = 2_000
#: The most combinations of one counter that are sent as 0 to be born.
MOST_BORN = 200

S = TypeVar("S", bound=Series)


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
        bound: How many distinct values one process may send where `values` is empty; the rest become
            `__other__`.
    """

    name: str
    values: tuple[str, ...] = ()
    bound: int = 0

    def __post_init__(self) -> None:
        # The exporter's rule for label names, statsd_exporter pkg/mapper.
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]+", self.name):
            raise ValueError(f"{self.name!r} is no label name that statsd_exporter takes")
        if keyword.iskeyword(self.name):
            raise ValueError(f"{self.name!r} is a word of Python: nobody could give it by name")
        if bool(self.values) == bool(self.bound):
            raise ValueError(f"label {self.name} needs its values, or a bound for them")
        for value in self.values:
            if safe(value) != value:
                raise ValueError(f"label {self.name}: {value!r} would not arrive as it is written")


class _Family(Generic[S]):
    """The series of one metric in this process, and the only place where they are made."""

    __slots__ = ("_claims", "_domains", "_make", "_name", "_names", "known", "series")

    def __init__(
        self, name: str, labels: tuple[Label, ...], make: Callable[[str, tuple[str, ...]], S]
    ) -> None:
        self._name = name
        self._names = tuple(label.name for label in labels)
        self._domains = tuple(Domain(label.values, label.bound) for label in labels)
        self._make = make
        self._claims = itertools.count()
        #: By the label values as they are sent.
        self.series: dict[tuple[str, ...], S] = {}
        #: By the label values as callers give them (one alone, or a tuple): the hot path's only look-up.
        self.known: dict[Any, S] = {}

    def emitter(self, value: str, action: str) -> Any:
        """The function that emits by labels, with the metric's own labels as its parameters.

        It is written out for each metric, as the standard library writes the `__init__` of dataclasses: a
        signature that the interpreter fills in costs half of a dictionary of labels that is taken apart
        again.

        Args:
            value: The parameter that says what is emitted.
            action: What is done with `found`, the series.
        """
        given = "".join(f"{name}=MISSING, " for name in self._names)
        source = _EMITTER.format(
            value=value,
            parameters=f"*, {given}" if given else "",
            key=", ".join(self._names) or "()",
            labels="{" + ", ".join(f"{name!r}: {name}" for name in self._names) + "}",
            action=action,
        )
        space = {
            "MISSING": _MISSING,
            "ONE": 1,
            "SOFT_LIMIT": series.SOFT_LIMIT,
            "known": self.known,
            "resolve": self.resolve,
        }
        exec(source, space)  # noqa: S102 - our own text, and names that Label has checked
        return space["emit"]

    def resolve(self, labels: dict[str, Any]) -> S | None:
        """The series of these labels; None for labels that the metric does not have, which is counted."""
        try:
            labels = {name: value for name, value in labels.items() if value is not _MISSING}
            if labels.keys() != set(self._names):
                losses.mistake(f"{self._name} has the labels {self._names}, not {tuple(labels)}")
                return None
            given = [labels[name] for name in self._names]
            sent = tuple(domain.admit(value) for domain, value in zip(self._domains, given, strict=True))
        except Exception as error:  # noqa: BLE001 - a caller's object may raise anything; its emission must not
            losses.mistake(f"{self._name}: a label cannot be read: {type(error).__name__}")
            return None
        strange = sum(1 for value, asked in zip(sent, given, strict=True) if value == OTHER != asked)
        found = self.series.get(sent)
        if found is None:
            if next(self._claims) >= MOST_SERIES:
                sent = (OTHER,) * len(sent)
                strange = 1
            found = self._made(sent)
        for _ in range(strange):
            losses.overflow(self._name)
        if not strange and len(self.known) < 2 * MOST_SERIES:
            self._remember(given, found)
        return found

    def renew(self) -> None:
        """Let as many label values and series be new from here on as if there were none. For the test kit."""
        self._claims = itertools.count()
        for domain in self._domains:
            domain.renew()
        self.known.clear()

    def _made(self, sent: tuple[str, ...]) -> S:
        new = self._make(wire_name(self._name, sent), sent)
        found = self.series.setdefault(sent, new)
        if found is new:
            series.LIVE.append(new)
        return found

    def _remember(self, given: list[Any], found: S) -> None:
        try:
            self.known[given[0] if len(given) == 1 else tuple(given)] = found
        except TypeError:
            return  # a label value that cannot be a key takes the long way each time

    def bind(self, values: tuple[Any, ...], named: dict[str, Any]) -> S:
        """The series of these labels; one that leads nowhere when the metric does not have them."""
        if values:
            named = {**dict(zip(self._names, values, strict=False)), **named}
            if len(named) != len(values) or len(values) != len(self._names):
                losses.mistake(f"{self._name} has the labels {self._names}, not {len(values)} values")
                return self._make(wire_name(self._name, ()), ())
        return self.resolve(named) or self._make(wire_name(self._name, ()), ())


_MISSING = object()

# A label's value, and what is emitted, may raise anything when it is looked at; the caller never feels it.
_EMITTER = """
def emit({value}, /, {parameters}**others):
    try:
        found = known[{key}]
    except Exception:
        found = None
    if found is None or others:
        found = resolve({{**{labels}, **others}})
        if found is None:
            return
{action}
"""
# The usual case stands here once more, as each call of a function would cost a tenth of the whole.
_INC = """
    if amount is ONE:
        found.one()
    else:
        found.inc(amount)
"""
_OBSERVE = """
    pending = found.pending
    pending.append(seconds)
    if len(pending) > SOFT_LIMIT:
        found.overfull()
"""
_SET = """
    found.set(value)
"""


class Inc(Protocol):
    """Adds to a counter. Never raises and never blocks."""

    def __call__(self, amount: float = 1, /, **labels: str) -> None:
        """Add `amount`, which is not negative; anything else is refused and counted.

        Args:
            amount: What to add.
            **labels: Every label of the metric, by name.
        """


class Set(Protocol):
    """Says what a gauge is now. Never raises and never blocks."""

    def __call__(self, value: float, /, **labels: str) -> None:
        """Say the value, which is not negative (on the wire a sign would make it relative).

        Args:
            value: What the gauge is now; anything that is no such number is refused and counted.
            **labels: Every label of the metric, by name.
        """


class Observe(Protocol):
    """Records a duration. Never raises and never blocks."""

    def __call__(self, seconds: float, /, **labels: str) -> None:
        """Record one duration, which is not negative; anything else is refused and counted.

        Args:
            seconds: How long it took.
            **labels: Every label of the metric, by name.
        """


def wire_name(metric: str, values: tuple[str, ...]) -> str:
    """The dotted StatsD name of one series: `scout.<metric>.<value>.<value>`."""
    return ".".join((WIRE_PREFIX, metric, *values))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Metric:
    """One metric, declared once.

    Attributes:
        name: The Prometheus name, with its unit and, for counters, `_total`.
        help: One sentence that says what is counted or measured.
        raised_by: What in the program makes it move, for the reader of a dashboard.
        signal: The golden signal it belongs to.
        labels: Its labels in wire order.
        unit: The unit of its value.
        internal: Why no dashboard shows it; empty for all others, which one must show.
    """

    name: str
    help: str
    raised_by: str
    signal: Signal
    labels: tuple[Label, ...] = ()
    unit: Unit = Unit.NONE
    internal: str = ""

    #: What the exporter calls this kind in a mapping (`match_metric_type`); empty for what never goes there.
    statsd_type: ClassVar[str] = ""

    def __post_init__(self) -> None:
        # Stricter than Prometheus: capitals and colons are left to recording rules.
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"{self.name!r} is no metric name")
        if len({label.name for label in self.labels}) != len(self.labels):
            raise ValueError(f"{self.name} has a label twice")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counter(Metric):
    """A count that only rises.

    Attributes:
        inc: Adds to it: `metric.inc(route="/")`.
    """

    statsd_type: ClassVar[str] = "counter"

    inc: Inc = field(init=False, repr=False)
    _family: _Family[CounterSeries] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        Metric.__post_init__(self)
        if not self.name.endswith("_total"):
            raise ValueError(f"{self.name}: a counter's name ends in _total")
        family = _Family(self.name, self.labels, CounterSeries)
        object.__setattr__(self, "_family", family)
        object.__setattr__(self, "inc", family.emitter("amount=1", _INC))

    def bind(self, *values: str, **labels: str) -> CounterSeries:
        """The handle of one label combination, for hot places: its `inc` looks nothing up.

        Args:
            *values: The label values in wire order, or
            **labels: the same by name.
        """
        return self._family.bind(values, labels)

    def series(self) -> list[CounterSeries]:
        """What this process has counted so far."""
        return list(self._family.series.values())

    def born(self) -> Iterator[str]:
        """The wire names that are sent as 0, so that a first increase is one: at most `MOST_BORN`.

        They are all combinations of labels with declared values, and what this process has counted.
        """
        names: Iterator[str] = (found.wire for found in list(self._family.series.values()))
        if all(label.values for label in self.labels) and self._declared() <= MOST_BORN:
            every = itertools.product(*(label.values for label in self.labels))
            names = itertools.chain((wire_name(self.name, values) for values in every), names)
        return itertools.islice(dict.fromkeys(names), MOST_BORN)

    def _declared(self) -> int:
        return math.prod(len(label.values) for label in self.labels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gauge(Metric):
    """A value that was true when it was taken.

    Attributes:
        set: Says what it is: `metric.set(7, state="idle")`.
        ttl: Seconds after which the exporter forgets a series that nobody refreshed; 0 keeps it.
    """

    statsd_type: ClassVar[str] = "gauge"

    ttl: int = 0
    set: Set = field(init=False, repr=False)
    _family: _Family[GaugeSeries] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        Metric.__post_init__(self)
        family = _Family(self.name, self.labels, GaugeSeries)
        object.__setattr__(self, "_family", family)
        object.__setattr__(self, "set", family.emitter("value", _SET))

    def bind(self, *values: str, **labels: str) -> GaugeSeries:
        """The handle of one label combination, for hot places: its `set` looks nothing up.

        Args:
            *values: The label values in wire order, or
            **labels: the same by name.
        """
        return self._family.bind(values, labels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timer(Metric):
    """A distribution of durations in seconds, kept as a histogram.

    Attributes:
        observe: Records a duration: `metric.observe(0.2, route="/")`.
        buckets: The histogram's upper bounds in seconds.
    """

    statsd_type: ClassVar[str] = "observer"

    buckets: tuple[float, ...] = HTTP_BUCKETS
    unit: Unit = field(default=Unit.SECONDS)
    observe: Observe = field(init=False, repr=False)
    _family: _Family[TimerSeries] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        Metric.__post_init__(self)
        if list(self.buckets) != sorted(set(self.buckets)) or not self.buckets:
            raise ValueError(f"{self.name}: buckets rise")
        family = _Family(self.name, self.labels, TimerSeries)
        object.__setattr__(self, "_family", family)
        object.__setattr__(self, "observe", family.emitter("seconds", _OBSERVE))

    def bind(self, *values: str, **labels: str) -> TimerSeries:
        """The handle of one label combination, for hot places: its `observe` looks nothing up.

        Args:
            *values: The label values in wire order, or
            **labels: the same by name.
        """
        return self._family.bind(values, labels)

    def time(self, **labels: str) -> AbstractContextManager[None]:
        """A context manager that records how long its block ran, also when the block raises."""
        return self._family.bind((), labels).time()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PushedGauge(Metric):
    """A figure of a batch's result, pushed to the Pushgateway by `metrics.push` and never sent as StatsD.

    Its series carry the labels of their group there: `job` and `source`.
    """

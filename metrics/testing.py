"""The test kit: captures what is emitted, and compares it readably.

    with captured() as emitted:
        client.get("/jobs/7")
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, endpoint="/jobs/{job_id}", status="200")

Labels that an assertion leaves out may have any value.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from metrics import losses, series
from metrics.model import Counter, Gauge, Metric, Timer, wire_name
from metrics.series import CounterSeries, GaugeSeries, TimerSeries

if TYPE_CHECKING:
    from collections.abc import Iterator

V = TypeVar("V")


class Captured:
    """What was emitted since the capture began. Each assertion looks at everything up to its own moment."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[tuple[str, ...], float]] = {}
        self._gauges: dict[str, tuple[tuple[str, ...], float]] = {}
        self._durations: dict[str, tuple[tuple[str, ...], list[float]]] = {}
        #: Emissions that the client would have refused: unknown labels, values that are no numbers.
        self.mistakes: list[str] = []

    def gather(self) -> None:
        """Take in what was emitted meanwhile."""
        for each in list(series.LIVE):
            if isinstance(each, CounterSeries):
                amount = each.take()
                if amount:
                    held = self._counts.get(each.wire, ((), 0.0))[1]
                    self._counts[each.wire] = (each.labels, held + amount)
            elif isinstance(each, GaugeSeries):
                value = each.take()
                if value is not None:
                    self._gauges[each.wire] = (each.labels, value)
            elif isinstance(each, TimerSeries):
                durations = each.take()
                if durations:
                    self._durations.setdefault(each.wire, (each.labels, []))[1].extend(durations)
        while losses.MISTAKES:
            self.mistakes.append(losses.MISTAKES.popleft())

    def count(self, counter: Counter, **labels: str) -> float:
        """How far a counter rose, over all series that have these labels."""
        self.gather()
        return sum(amount for _, amount in _matching(counter, self._counts, labels))

    def durations(self, timer: Timer, **labels: str) -> list[float]:
        """The durations that a timer recorded, over all series that have these labels."""
        self.gather()
        return [value for _, values in _matching(timer, self._durations, labels) for value in values]

    def gauge(self, gauge: Gauge, **labels: str) -> float | None:
        """The last value of a gauge; None when it was not set.

        Raises:
            AssertionError: The labels fit several series.
        """
        self.gather()
        found = _matching(gauge, self._gauges, labels)
        if len(found) > 1:
            raise AssertionError(f"{_asked(gauge, labels)} fits several series.\n{self}")
        return found[0][1] if found else None

    def assert_incremented(self, metric: Counter, amount: float | None = 1, **labels: str) -> None:
        """Fail unless the counter rose by exactly `amount`; by anything, when `amount` is None."""
        rose = self.count(metric, **labels)
        if (amount is None and rose <= 0) or (amount is not None and rose != amount):
            wanted = "more than 0" if amount is None else f"{amount:g}"
            raise AssertionError(f"{_asked(metric, labels)} rose by {rose:g}, not by {wanted}.\n{self}")

    def assert_observed(self, metric: Timer, count: int | None = 1, **labels: str) -> None:
        """Fail unless the timer recorded exactly `count` durations; any number, when `count` is None."""
        found = len(self.durations(metric, **labels))
        if (count is None and not found) or (count is not None and found != count):
            wanted = "at least one" if count is None else str(count)
            raise AssertionError(
                f"{_asked(metric, labels)} recorded {found} durations, not {wanted}.\n{self}"
            )

    def assert_gauge(self, metric: Gauge, value: float, **labels: str) -> None:
        """Fail unless the gauge's last value is `value`."""
        found = self.gauge(metric, **labels)
        if found != value:
            raise AssertionError(f"{_asked(metric, labels)} is {found}, not {value:g}.\n{self}")

    def assert_no_metrics(self, *metrics: Metric) -> None:
        """Fail if anything was emitted; with metrics given, if one of these was."""
        self.gather()
        asked = {metric.name for metric in metrics}
        for wire in (*self._counts, *self._gauges, *self._durations):
            if not asked or wire.split(".")[1] in asked:
                raise AssertionError(f"Nothing was to be emitted.\n{self}")

    def __str__(self) -> str:
        lines = [f"  {_shown(wire)} rose by {amount:g}" for wire, (_, amount) in self._counts.items()]
        lines += [f"  {_shown(wire)} is {value:g}" for wire, (_, value) in self._gauges.items()]
        lines += [f"  {_shown(wire)} recorded {len(some)}" for wire, (_, some) in self._durations.items()]
        lines += [f"  refused: {mistake}" for mistake in self.mistakes]
        return "Emitted:\n" + "\n".join(sorted(lines) or ["  nothing"])


@contextlib.contextmanager
def captured(*, strict: bool = True) -> Iterator[Captured]:
    """Capture what the catalogue's objects emit while the block runs, in all threads of this process.

    A started client sends none of it. Captures do not nest.

    Args:
        strict: Fail at the end of the block when something was emitted wrongly: with unknown labels, or with
            a value that is no finite number of 0 or more.

    Raises:
        AssertionError: Something was emitted wrongly, or a capture is under way already.
    """
    if series.captured:
        raise AssertionError("a capture is under way already")
    kept = series.hurry
    series.captured = True
    series.hurry_through(lambda: True)  # nothing is thrown away while nobody sends
    try:
        Captured().gather()  # what was left from before
        losses.reset()
        emitted = Captured()
        yield emitted
        emitted.gather()
        if strict and emitted.mistakes:
            raise AssertionError(f"Emitted wrongly: {'; '.join(emitted.mistakes)}")
    finally:
        series.captured = False
        series.hurry_through(kept)


def _matching(
    metric: Metric, held: dict[str, tuple[tuple[str, ...], V]], labels: dict[str, str]
) -> list[tuple[tuple[str, ...], V]]:
    names = [label.name for label in metric.labels]
    unknown = set(labels) - set(names)
    if unknown:
        raise AssertionError(f"{metric.name} has the labels {names}, not {sorted(unknown)}")
    asked = [(names.index(name), value) for name, value in labels.items()]
    return [
        entry
        for wire, entry in held.items()
        if wire == wire_name(metric.name, entry[0])
        and all(entry[0][place] == value for place, value in asked)
    ]


def _asked(metric: Metric, labels: dict[str, str]) -> str:
    inside = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{metric.name}{{{inside}}}"


def _shown(wire: str) -> str:
    return wire.split(".", 1)[1].replace(".", " ", 1)

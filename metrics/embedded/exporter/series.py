"""The four kinds of series, each fed by values and written as text."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

from metrics.embedded.floats import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WRAP = 2**64
#: A summary's quantiles are computed from this many of the newest values.
_REMEMBERED = 256


class Series:
    """One set of label values of one metric.

    Attributes:
        labels: The labels as they stand between braces.
        order: What the real program sorts by within a family: the number of labels, then their values.
        ttl: Seconds without a value after which the series is forgotten; 0 keeps it.
        seen: When the last value came, on the registry's clock.
        alive: False once it was forgotten, for those who still hold it.
    """

    __slots__ = ("alive", "labels", "order", "seen", "ttl")

    def __init__(self, labels: str, order: tuple[int | str, ...], ttl: float, now: float) -> None:
        self.labels = labels
        self.order = order
        self.ttl = ttl
        self.seen = now
        self.alive = True

    def lines(self, name: str) -> Iterator[str]:
        """The series as lines of text."""
        raise NotImplementedError

    def _line(self, name: str, value: float) -> str:
        return f"{name}{{{self.labels}}} {render(value)}\n" if self.labels else f"{name} {render(value)}\n"


class CounterSeries(Series):
    """A count. Whole amounts and fractions are added up apart, as in Go's client, to round the same way."""

    __slots__ = ("_fraction", "_whole")

    def __init__(self, labels: str, order: tuple[int | str, ...], ttl: float, now: float) -> None:
        super().__init__(labels, order, ttl, now)
        self._whole = 0
        self._fraction = 0.0

    def add(self, amount: float) -> None:
        """Count up; the amount is not negative."""
        if amount.is_integer() and amount < _WRAP:
            self._whole += int(amount)
        else:
            self._fraction += amount

    @property
    def value(self) -> float:
        """The count. Whole amounts wrap around at 64 bits, as in the real program."""
        return self._fraction + float(self._whole % _WRAP)

    def lines(self, name: str) -> Iterator[str]:
        """The series as a line of text."""
        yield self._line(name, self.value)


class GaugeSeries(Series):
    """A value."""

    __slots__ = ("value",)

    def __init__(self, labels: str, order: tuple[int | str, ...], ttl: float, now: float) -> None:
        super().__init__(labels, order, ttl, now)
        self.value = 0.0

    def lines(self, name: str) -> Iterator[str]:
        """The series as a line of text."""
        yield self._line(name, self.value)


class HistogramSeries(Series):
    """A histogram with classic buckets. The native one that the real program keeps is not in its text."""

    __slots__ = ("_bounds", "_counts", "_sum", "_texts")

    def __init__(
        self,
        labels: str,
        order: tuple[int | str, ...],
        ttl: float,
        now: float,
        *,
        bounds: Sequence[float],
        texts: Sequence[str],
    ) -> None:
        super().__init__(labels, order, ttl, now)
        self._bounds = bounds
        self._texts = texts
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, values: Sequence[float], copies: int, now: float) -> None:
        """Take some values, each counted `copies` times."""
        bounds, counts = self._bounds, self._counts
        total = self._sum
        for value in values:
            place = bisect_left(bounds, value) if value == value else -1  # noqa: PLR0124  # NaN goes last
            counts[place] += copies
            total += value * copies
        self._sum = total
        self.seen = now

    def lines(self, name: str) -> Iterator[str]:
        """The buckets, the sum and the count as lines of text."""
        opening = f"{name}_bucket{{{self.labels}," if self.labels else f"{name}_bucket{{"
        running = 0
        for bound, count in zip(self._texts, self._counts, strict=True):
            running += count
            yield f'{opening}le="{bound}"}} {render(float(running))}\n'
        yield self._line(f"{name}_sum", self._sum)
        yield self._line(f"{name}_count", float(running))


class SummarySeries(Series):
    """A summary: a count, a sum, and quantiles of the newest values.

    The real program keeps a stream of compressed samples over `max_age`, and each of its quantiles may be off
    by its `error`. Here the newest 256 values are kept, no older than `max_age`, and the quantile is exact
    for them.
    """

    __slots__ = ("_count", "_max_age", "_next", "_quantiles", "_sum", "_times", "_values")

    def __init__(
        self,
        labels: str,
        order: tuple[int | str, ...],
        ttl: float,
        now: float,
        *,
        quantiles: Sequence[float],
        max_age: float,
    ) -> None:
        super().__init__(labels, order, ttl, now)
        self._quantiles = quantiles
        self._max_age = max_age
        self._count = 0
        self._sum = 0.0
        self._values = array("d")
        self._times = array("d")
        self._next = 0

    def observe(self, values: Sequence[float], copies: int, now: float) -> None:
        """Take some values, each counted `copies` times."""
        self._count += len(values) * copies
        for value in values:
            self._sum += value * copies
        for value in values[-_REMEMBERED:]:
            for _ in range(min(copies, _REMEMBERED)):
                self._remember(value, now)
        self.seen = now

    def _remember(self, value: float, now: float) -> None:
        if len(self._values) < _REMEMBERED:
            self._values.append(value)
            self._times.append(now)
            return
        self._values[self._next] = value
        self._times[self._next] = now
        self._next = (self._next + 1) % _REMEMBERED

    def quantiles(self, now: float) -> Iterator[tuple[float, float]]:
        """Each quantile with its value; NaN where no value is young enough."""
        oldest = now - self._max_age
        young = sorted(
            value
            for value, time in zip(self._values, self._times, strict=True)
            if time >= oldest and not math.isnan(value)
        )
        for quantile in self._quantiles:
            place = max(math.ceil(quantile * len(young)) - 1, 0)
            yield quantile, young[place] if young else math.nan

    def lines_at(self, name: str, now: float) -> Iterator[str]:
        """The quantiles as they are now, the sum and the count as lines of text."""
        opening = f"{name}{{{self.labels}," if self.labels else f"{name}{{"
        for quantile, value in self.quantiles(now):
            yield f'{opening}quantile="{render(quantile)}"}} {render(value)}\n'
        yield self._line(f"{name}_sum", self._sum)
        yield self._line(f"{name}_count", float(self._count))

"""The series that the exporter keeps, who may have which name, and when a series is forgotten.

Rules E8 to E12 of the real program (`pkg/registry`): a name keeps its type for as long as the process lives,
help and buckets are those of the first series with the same label names, and a series keeps the TTL it was
made with. Where the real program would take a series that breaks its page or ends it, the series is refused
here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from metrics.embedded import text
from metrics.embedded.exporter.series import (
    CounterSeries,
    GaugeSeries,
    HistogramSeries,
    Series,
    SummarySeries,
)
from metrics.embedded.floats import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from metrics.embedded.exporter.counts import Counts

_SUFFIXES = ("_bucket", "_count", "_sum")
#: Labels that a metric's own lines need.
_OWN_LABEL = {"histogram": "le", "summary": "quantile"}


class Shape:
    """How a new series is to look: from its rule, or from the defaults.

    Attributes:
        help: The metric's help.
        ttl: Seconds without a value after which it is forgotten; 0 keeps it.
        buckets: A histogram's upper bounds, without the infinite one.
        quantiles: A summary's quantiles.
        max_age: Seconds for which a summary remembers.
    """

    __slots__ = ("buckets", "help", "max_age", "quantiles", "ttl")

    def __init__(
        self,
        *,
        help: str,  # noqa: A002  # the word of the text format
        ttl: float,
        buckets: tuple[float, ...],
        quantiles: tuple[float, ...],
        max_age: float,
    ) -> None:
        self.help = help
        self.ttl = ttl
        self.buckets = buckets
        self.quantiles = quantiles
        self.max_age = max_age


class _Family:
    __slots__ = ("kind", "series", "vectors")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.series: dict[tuple[tuple[str, str], ...], Series] = {}
        #: By label names: the shape of the first series, and how its bounds are written.
        self.vectors: dict[tuple[str, ...], tuple[Shape, tuple[str, ...]]] = {}


class Taken(Exception):  # noqa: N818  # an answer, not a failure
    """The name belongs to another type."""


class Illegal(Exception):  # noqa: N818  # an answer, not a failure
    """The name or a label cannot stand on a page."""


class Registry:
    """All series, by metric name.

    Args:
        counts: Where made metrics are counted.
        reserved: Names that the exporter uses for itself.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        counts: Counts,
        reserved: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counts = counts
        self._reserved = reserved
        self.clock = clock
        self._families: dict[str, _Family] = {}

    def series(self, kind: str, name: str, labels: Mapping[str, str], shape: Shape, now: float) -> Series:
        """The series of that type with that name and those labels, made if it is not there.

        Raises:
            Taken: The name, or one of those that a histogram or summary adds to it, is another type's.
            Illegal: The page could not be read with it.
        """
        key = tuple(sorted(labels.items()))
        family = self._families.get(name)
        if family is not None and family.kind == kind:
            series = family.series.get(key)
            if series is not None:
                return series
        else:
            self._check_name(kind, name, family)
        names = tuple(label for label, _ in key)
        if name in self._reserved or any(label.startswith("__") for label in names):
            raise Illegal
        if _OWN_LABEL.get(kind) in names:
            raise Illegal
        if family is None:
            family = self._families[name] = _Family(kind)
        vector = family.vectors.get(names)
        if vector is None:
            bounds = (*map(render, shape.buckets), "+Inf") if kind == "histogram" else ()
            vector = family.vectors[names] = (shape, bounds)
            self._counts.metrics[kind] += 1
        series = family.series[key] = _make(kind, key, vector, shape.ttl, now)
        return series

    def _check_name(self, kind: str, name: str, family: _Family | None) -> None:
        if not name:
            raise Illegal
        if family is not None:
            raise Taken
        for suffix in _SUFFIXES:
            base = self._families.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
            if base is None:
                continue
            if kind in ("counter", "gauge"):
                # The real program's rule refuses these beside a gauge too.
                if base.kind != "counter":
                    raise Taken
            elif base.kind == "histogram" or (base.kind == "summary" and suffix != "_bucket"):
                raise Taken
        if kind in ("histogram", "summary"):
            added = _SUFFIXES if kind == "histogram" else ("_count", "_sum")
            if any(name + suffix in self._families for suffix in added):
                raise Taken

    def expire(self) -> None:
        """Forget the series whose time is over."""
        now = self.clock()
        for family in self._families.values():
            over = [
                key for key, series in family.series.items() if series.ttl and series.seen + series.ttl < now
            ]
            for key in over:
                family.series.pop(key).alive = False

    def families(self) -> list[str]:
        """The names that have a series now, unsorted."""
        return [name for name, family in self._families.items() if family.series]

    def family_text(self, name: str) -> Iterator[str]:
        """One family as text; each text is whole lines. Series that come meanwhile wait for the next page."""
        family = self._families[name]
        now = self.clock()
        yield text.head(name, family.kind, next(iter(family.vectors.values()))[0].help)
        for series in sorted(family.series.values(), key=_order):
            if isinstance(series, SummarySeries):
                yield "".join(series.lines_at(name, now))
            else:
                yield "".join(series.lines(name))


def _order(series: Series) -> tuple[int | str, ...]:
    return series.order


def _make(
    kind: str,
    key: tuple[tuple[str, str], ...],
    vector: tuple[Shape, tuple[str, ...]],
    ttl: float,
    now: float,
) -> Series:
    labels = text.labels(key)
    order: tuple[int | str, ...] = (len(key), *(value for _, value in key))
    shape, bounds = vector
    if kind == "counter":
        return CounterSeries(labels, order, ttl, now)
    if kind == "gauge":
        return GaugeSeries(labels, order, ttl, now)
    if kind == "histogram":
        return HistogramSeries(labels, order, ttl, now, bounds=shape.buckets, texts=bounds)
    return SummarySeries(labels, order, ttl, now, quantiles=shape.quantiles, max_age=shape.max_age)

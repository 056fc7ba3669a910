"""From samples to series: the rules E1 to E8 of the real exporter (`pkg/exporter`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics.embedded.exporter.registry import Illegal, Registry, Taken
from metrics.embedded.exporter.series import CounterSeries, GaugeSeries, HistogramSeries, SummarySeries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metrics.embedded.exporter.counts import Counts
    from metrics.embedded.exporter.line import Sample
    from metrics.embedded.exporter.mapper import Mapper, Target
    from metrics.embedded.exporter.series import Series


class Translator:
    """Feeds samples to the series that the mapping names."""

    def __init__(self, mapper: Mapper, registry: Registry, counts: Counts) -> None:
        self._mapper = mapper
        self._registry = registry
        self._counts = counts

    def take(self, samples: Iterable[Sample]) -> None:
        """Work off samples that came in now."""
        now = self._registry.clock()
        for sample in samples:
            self._take(sample, now)

    def _take(  # noqa: C901  # a list of refusals, in the order of the real program
        self, sample: Sample, now: float
    ) -> None:
        counts = self._counts
        events = len(sample.values) * sample.copies
        target = self._mapper.target(sample.name, sample.kind, events)
        if target.drop:
            counts.events_actions["drop"] += events
            return
        if target.nameless:
            counts.events_error["empty_metric_name"] += events
            return
        tagged = bool(sample.labels)
        if target.mapped:
            # The samples of a line share their labels: those of a rule stay for the line's next sample.
            for label, value in target.labels.items():
                if not (target.honor_labels and label in sample.labels):
                    sample.labels[label] = value
            counts.events_actions["map"] += events
        else:
            counts.events_unmapped += events
        values = sample.values
        if target.scale is not None:
            values = [value * target.scale for value in values]
        if target.kind == "counter" and values[0] < 0:
            counts.events_error["illegal_negative_counter"] += events
            return
        series = None if tagged else target.series
        if series is None or not series.alive:
            series = self._series(sample, target, events, now)
            if series is None:
                return
            if not tagged:
                target.series = series
        counts.events[sample.kind] += events
        _feed(series, values, sample, now)

    def _series(self, sample: Sample, target: Target, events: int, now: float) -> Series | None:
        try:
            return self._registry.series(target.kind, target.name, sample.labels, target.shape, now)
        except Taken:
            self._counts.conflicts[sample.kind, target.name] += events
        except Illegal:
            self._counts.events_error["illegal_name"] += events
        return None


def _feed(series: Series, values: list[float], sample: Sample, now: float) -> None:
    if isinstance(series, HistogramSeries | SummarySeries):
        series.observe(values, sample.copies, now)
        return
    series.seen = now
    value = values[0]
    if isinstance(series, CounterSeries):
        series.add(value)
    elif isinstance(series, GaugeSeries):
        series.value = series.value + value if sample.relative else value

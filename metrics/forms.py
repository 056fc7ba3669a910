"""How a question about metrics is put: as PromQL for Prometheus, and as arithmetic on two looks at a page.

Each form says the same in both ways, so that a plot drawn from Prometheus and one drawn from what was
remembered of an exporter's page show the same figures. A look keeps a few sums (`totals`), and two looks give
the figures of the time between them (`between`).
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from metrics.model import Counter, Gauge, Metric, PushedGauge, Timer

#: Stands in PromQL for the time that a rate is taken over; Grafana fills it in by itself under this name.
INTERVAL = "$__rate_interval"
#: Between the label values of a key.
SEPARATOR = "\x1f"

#: Sums, or figures, by the values of the labels that they are split by, joined by SEPARATOR.
Keyed = dict[str, float]
#: A page's samples: by name, the labels and the value of each.
Page = Mapping[str, list[tuple[dict[str, str], float]]]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Foreign:
    """A metric that is not ours: an exporter tells it of itself, or Prometheus of its scrapes.

    Attributes:
        name: Its Prometheus name.
        help: What it counts.
        rises: Whether it is a counter.
    """

    name: str
    help: str
    rises: bool


#: What a question may be about.
Asked = Metric | Foreign
#: Regular expressions that labels match as a whole, by label; simple ones, that Go and Python read alike.
Where = Mapping[str, str]


class Asking(Protocol):
    """One way to ask Prometheus."""

    def promql(self) -> str:
        """The question in PromQL, with INTERVAL where a rate is taken."""

    def about(self) -> tuple[Asked, ...]:
        """The metrics that it asks about."""


class Form(Asking, Protocol):
    """One way to ask, of Prometheus and of an exporter's page."""

    def totals(self, page: Page, now: float) -> Keyed:
        """What to keep of a look at a page, taken at that Unix time."""

    def between(self, before: Keyed, now: Keyed, seconds: float) -> Keyed:
        """The figures of the time between two looks, so many seconds apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast something rises, in a second, or in `times` seconds.

    Attributes:
        metric: A counter, a timer (its runs, or with `spent` their seconds), or a gauge that holds a total.
        where: Which of its series.
        by: The labels to keep apart.
        times: Seconds that it is told for: 3600 makes it "an hour".
        spent: Of a timer, the seconds that it recorded instead of how often.
    """

    metric: Asked
    where: Where = field(default_factory=dict)
    by: tuple[str, ...] = ()
    times: int = 1
    spent: bool = False

    @property
    def name(self) -> str:
        """The name of the series."""
        if isinstance(self.metric, Timer):
            return f"{self.metric.name}_{'sum' if self.spent else 'count'}"
        return self.metric.name

    def promql(self) -> str:
        """The sum of the rates."""
        scale = f"{self.times} * " if self.times != 1 else ""
        return f"{scale}sum{grouped(self.by)}(rate({self.name}{selector(self.where)}[{INTERVAL}]))"

    def about(self) -> tuple[Asked, ...]:
        """Its metric."""
        return (self.metric,)

    def totals(self, page: Page, now: float) -> Keyed:
        """The sums themselves; of totals that gauges tell, each by itself."""
        del now
        if _rises(self.metric):
            return _sums(page, self.name, self.where, self.by)
        labels = {label for each, _ in page.get(self.name, ()) for label in each}
        each_by_itself = (*self.by, *sorted(labels - set(self.by)))
        return _sums(page, self.name, self.where, each_by_itself)

    def between(self, before: Keyed, now: Keyed, seconds: float) -> Keyed:
        """By how much they rose, for each second. What fell began anew.

        Counters are born at 0. A total that a gauge tells is not: one that was not there before may have
        risen long ago, and tells nothing yet.
        """
        counted = _rises(self.metric)
        found: Keyed = {}
        for key, total in now.items():
            split = SEPARATOR.join(key.split(SEPARATOR)[: len(self.by)])
            rose = _risen(before.get(key, 0.0 if counted else total), total)
            found[split] = found.get(split, 0.0) + rose / seconds * self.times
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of a whole a part is, from 0 to 1; nothing while the whole stands still.

    Attributes:
        part: The part: it may have no series yet.
        whole: The whole.
    """

    part: Rate
    whole: Rate

    def promql(self) -> str:
        """The part's rate by that of the whole."""
        whole = self.whole.promql()
        return f"(({self.part.promql()}) or 0 * ({whole})) / ({whole})"

    def about(self) -> tuple[Asked, ...]:
        """The metrics of both."""
        return self.part.metric, self.whole.metric

    def totals(self, page: Page, now: float) -> Keyed:
        """The sums of both."""
        part = self.part.totals(page, now).get("", 0.0)
        return (
            {"whole": whole, "part": part}
            if (whole := self.whole.totals(page, now).get("")) is not None
            else {}
        )

    def between(self, before: Keyed, now: Keyed, seconds: float) -> Keyed:
        """One by the other."""
        del seconds
        if not now:
            return {}
        whole = _risen(before.get("whole", 0.0), now["whole"])
        part = _risen(before.get("part", 0.0), now["part"])
        return {"": part / whole} if whole else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A duration that so many of all are not longer than, guessed from a timer's buckets.

    Attributes:
        rank: The part of all, such as 0.95.
        metric: The timer.
        where: Which of its series.
        by: The labels to keep apart.
    """

    rank: float
    metric: Timer
    where: Where = field(default_factory=dict)
    by: tuple[str, ...] = ()

    def promql(self) -> str:
        """By Prometheus's own `histogram_quantile`."""
        buckets = f"rate({self.metric.name}_bucket{selector(self.where)}[{INTERVAL}])"
        return f"histogram_quantile({self.rank}, sum by ({', '.join((*self.by, 'le'))}) ({buckets}))"

    def about(self) -> tuple[Asked, ...]:
        """Its metric."""
        return (self.metric,)

    def totals(self, page: Page, now: float) -> Keyed:
        """The buckets."""
        del now
        return _sums(page, f"{self.metric.name}_bucket", self.where, (*self.by, "le"))

    def between(self, before: Keyed, now: Keyed, seconds: float) -> Keyed:
        """As `histogram_quantile` reckons: evenly within a bucket; beyond all, the last bound."""
        del seconds
        apart: dict[str, list[tuple[float, float]]] = {}
        for key, total in now.items():
            split, _, bound = key.rpartition(SEPARATOR)
            apart.setdefault(split, []).append((float(bound), _risen(before.get(key, 0.0), total)))
        found = {split: _quantile(self.rank, sorted(buckets)) for split, buckets in apart.items()}
        return {split: value for split, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How much there is now.

    Attributes:
        metric: A gauge.
        where: Which of its series.
        by: The labels to keep apart.
        how: Whether series become their sum or the greatest of them.
    """

    metric: Gauge | PushedGauge | Foreign
    where: Where = field(default_factory=dict)
    by: tuple[str, ...] = ()
    how: Literal["sum", "max"] = "sum"

    def promql(self) -> str:
        """The sum or the greatest."""
        return f"{self.how}{grouped(self.by)}({self.metric.name}{selector(self.where)})"

    def about(self) -> tuple[Asked, ...]:
        """Its metric."""
        return (self.metric,)

    def totals(self, page: Page, now: float) -> Keyed:
        """The figures."""
        del now
        return _sums(page, self.metric.name, self.where, self.by, greatest=self.how == "max")

    def between(self, before: Keyed, now: Keyed, seconds: float) -> Keyed:
        """Those of the later look."""
        del before, seconds
        return now


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """Seconds since the time that a gauge tells.

    Attributes:
        metric: A gauge that holds a Unix time.
        where: Which of its series.
        by: The labels to keep apart.
    """

    metric: Gauge | PushedGauge
    where: Where = field(default_factory=dict)
    by: tuple[str, ...] = ()

    def promql(self) -> str:
        """Now, less the latest time."""
        return f"time() - max{grouped(self.by)}({self.metric.name}{selector(self.where)})"

    def about(self) -> tuple[Asked, ...]:
        """Its metric."""
        return (self.metric,)

    def totals(self, page: Page, now: float) -> Keyed:
        """The ages at the time of the look."""
        times = _sums(page, self.metric.name, self.where, self.by, greatest=True)
        return {key: now - time for key, time in times.items()}

    def between(self, before: Keyed, now: Keyed, seconds: float) -> Keyed:
        """Those of the later look."""
        del before, seconds
        return now


def _quantile(rank: float, buckets: list[tuple[float, float]]) -> float | None:
    """The quantile of buckets with their rising counts; None where nothing was counted."""
    if len(buckets) < 2 or not buckets[-1][1]:  # noqa: PLR2004 - one bound and the infinite one
        return None
    wanted = rank * buckets[-1][1]
    below, seen = 0.0, 0.0
    for bound, count in buckets:
        if count >= wanted:
            if math.isinf(bound):
                return below
            return below + (bound - below) * (wanted - seen) / max(count - seen, 1e-12)
        below, seen = bound, count
    return below


# --- Pages --------------------------------------------------------------------------------------------------


def read(page: str, names: Iterable[str]) -> dict[str, list[tuple[dict[str, str], float]]]:
    """The samples of some names on a page of Prometheus text; what cannot be read is left out.

    Args:
        page: The page.
        names: The names of samples (`x_bucket`, not `x`).
    """
    wanted = frozenset(names)
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for line in page.splitlines():
        name = _NAME.match(line)
        if name is None or name[0] not in wanted:
            continue
        rest = line[name.end() :]
        labels: dict[str, str] = {}
        if rest.startswith("{"):
            inside, _, rest = rest.rpartition("}")
            labels = {match[1]: _unescaped(match[2]) for match in _LABEL.finditer(inside)}
        try:
            value = float(rest.split()[0])
        except (IndexError, ValueError):
            continue
        if math.isfinite(value):
            found.setdefault(name[0], []).append((labels, value))
    return found


def names(forms: Iterable[Form]) -> set[str]:
    """The names of the samples that forms need."""
    found: set[str] = set()
    for metric in itertools.chain.from_iterable(form.about() for form in forms):
        suffixes = ("_bucket", "_sum", "_count") if isinstance(metric, Timer) else ("",)
        found |= {f"{metric.name}{suffix}" for suffix in suffixes}
    return found


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], text) if "\\" in text else text


def _sums(page: Page, name: str, where: Where, by: tuple[str, ...], *, greatest: bool = False) -> Keyed:
    found: Keyed = {}
    for labels, value in page.get(name, ()):
        if all(re.fullmatch(pattern, labels.get(label, "")) for label, pattern in where.items()):
            key = SEPARATOR.join(labels.get(label, "") for label in by)
            if key not in found:
                found[key] = value
            else:
                found[key] = max(found[key], value) if greatest else found[key] + value
    return found


def _risen(before: float, now: float) -> float:
    """By how much a total rose; one that fell began anew, and rose to what it is."""
    return now - before if now >= before else now


def _rises(metric: Asked) -> bool:
    return metric.rises if isinstance(metric, Foreign) else isinstance(metric, (Counter, Timer))


# --- PromQL -------------------------------------------------------------------------------------------------


def grouped(labels: tuple[str, ...]) -> str:
    """The words of an aggregation that keep labels apart."""
    return f" by ({', '.join(labels)}) " if labels else ""


def selector(where: Where) -> str:
    """The words that choose series by their labels."""
    # JSON's strings are PromQL's, for what patterns are made of.
    return (
        "{" + ", ".join(f"{label}=~{json.dumps(each)}" for label, each in where.items()) + "}"
        if where
        else ""
    )

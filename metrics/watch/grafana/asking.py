"""What only Prometheus can be asked: forms of questions beside those that the status page draws too.

`narrowed` makes any form obey a dashboard's variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from metrics.forms import (
    INTERVAL,
    Age,
    Asked,
    Asking,
    Foreign,
    Level,
    Quantile,
    Rate,
    Share,
    Where,
    grouped,
    selector,
)
from metrics.model import Metric, PushedGauge, Timer
from metrics.watch import known

#: The time that a dashboard shows; Grafana fills it in by itself under this name.
RANGE = "$__range"

#: Labels that variables choose by, and the variable's name as it stands in a query (`$kind`).
Chosen = Mapping[str, str]
F = TypeVar("F", bound=Asking)


@dataclass(frozen=True, slots=True, kw_only=True)
class Increase:
    """By how much something rose in the time that is shown.

    Attributes:
        metric: A counter, a timer (its runs), or a gauge that holds a total.
        where: Which of its series.
        by: The labels to keep apart.
    """

    metric: Asked
    where: Where = field(default_factory=dict)
    by: tuple[str, ...] = ()

    def promql(self) -> str:
        """The sum of the increases."""
        name = f"{self.metric.name}_count" if isinstance(self.metric, Timer) else self.metric.name
        return f"sum{grouped(self.by)}(increase({name}{selector(self.where)}[{RANGE}]))"

    def about(self) -> tuple[Asked, ...]:
        """Its metric."""
        return (self.metric,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """How many runs of a timer fell into each of its buckets: a heatmap's cells.

    Attributes:
        metric: The timer.
        where: Which of its series.
    """

    metric: Timer
    where: Where = field(default_factory=dict)

    def promql(self) -> str:
        """The increases of the buckets."""
        return f"sum by (le) (increase({self.metric.name}_bucket{selector(self.where)}[{INTERVAL}]))"

    def about(self) -> tuple[Asked, ...]:
        """Its metric."""
        return (self.metric,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One thing by another, both split by the same labels; nothing where the other is 0 or away."""

    part: Asking
    whole: Asking

    def promql(self) -> str:
        """The quotient."""
        return f"({self.part.promql()}) / ({self.whole.promql()} > 0)"

    def about(self) -> tuple[Asked, ...]:
        """The metrics of both."""
        return *self.part.about(), *self.whole.about()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What a share leaves of 1."""

    of: Asking

    def promql(self) -> str:
        """1 less the share."""
        return f"1 - ({self.of.promql()})"

    def about(self) -> tuple[Asked, ...]:
        """The metrics of the share."""
        return self.of.about()


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """The few greatest of many lines."""

    most: int
    of: Asking

    def promql(self) -> str:
        """By `topk`."""
        return f"topk({self.most}, {self.of.promql()})"

    def about(self) -> tuple[Asked, ...]:
        """The metrics of the lines."""
        return self.of.about()


@dataclass(frozen=True, slots=True, kw_only=True)
class As:
    """Something that is as it is: a recorded series, or one of another program.

    Attributes:
        metric: The series.
        where: Which of them.
    """

    metric: Foreign
    where: Where = field(default_factory=dict)

    def promql(self) -> str:
        """Its name."""
        return f"{self.metric.name}{selector(self.where)}"

    def about(self) -> tuple[Asked, ...]:
        """Its metric."""
        return (self.metric,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cardinality:
    """How many series each metric has.

    Attributes:
        where: By the labels of the target (`job`, `instance`).
    """

    where: Where

    def promql(self) -> str:
        """A count by name."""
        return f"count by (__name__) ({selector(self.where)})"

    def about(self) -> tuple[Asked, ...]:
        """No metric by name: all of them."""
        return ()


def narrowed(form: F, chosen: Chosen) -> F:
    """The same question, of what a dashboard's variables choose.

    Args:
        form: The question.
        chosen: The variables' names by the label that each chooses by. A label that the question asks for by
            itself, or that a metric does not have, stays as it is.
    """
    found: Asking = form
    match form:
        case Rate() | Level() | Age() | Quantile() | Increase() | Buckets() | As():
            found = replace(form, where=_where(form.metric, form.where, chosen))
        case Cardinality():
            found = replace(
                form, where={**{label: f"${chosen[label]}" for label in known.TARGET}, **form.where}
            )
        case Share():
            found = replace(form, part=narrowed(form.part, chosen), whole=narrowed(form.whole, chosen))
        case Ratio():
            found = replace(form, part=narrowed(form.part, chosen), whole=narrowed(form.whole, chosen))
        case Top() | Rest():
            found = replace(form, of=narrowed(form.of, chosen))
    return cast("F", found)


def _where(metric: Asked, where: Where, chosen: Chosen) -> Where:
    has = labels(metric)
    return {
        **{label: f"${name}" for label, name in chosen.items() if label in has and label not in where},
        **where,
    }


def labels(metric: Asked) -> tuple[str, ...]:
    """The labels by which a dashboard's variables may choose of a metric's series."""
    match metric:
        case PushedGauge():
            return ("source",)
        case Metric():
            return (*known.TARGET, *(label.name for label in metric.labels))
        case _ if metric.name.startswith("slo:"):
            return ("slo",)
        case _:
            theirs = known.OTHERS.get(metric.name)
            # What statsd_exporter tells of itself comes from the same target as what it tells of us.
            return known.TARGET if theirs is not None and theirs.program == "statsd_exporter" else ()

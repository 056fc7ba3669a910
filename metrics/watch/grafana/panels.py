"""What a dashboard is made of: rows of panels, each a question in a shape, and the variables above them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from metrics import queries
from metrics.forms import Age, Asked, Asking, Level, Quantile, Rate
from metrics.model import Gauge, Metric, PushedGauge, Timer
from metrics.quantities import Quantity
from metrics.watch.grafana.asking import Buckets, Increase

_HOUR = 3600
#: How the parts of a hundred are said in a legend.
_RANKS = {0.5: "p50", 0.95: "p95", 0.99: "p99"}


class Look(enum.StrEnum):
    """The shape of a panel, by Grafana's name of its plugin."""

    LINES = "timeseries"
    FIGURE = "stat"
    HEAT = "heatmap"
    BARS = "bargauge"
    STATES = "state-timeline"
    TABLE = "table"
    #: Also a table: of the alerts that fire and lead to this dashboard, with the way to their runbooks.
    ALERTS = "alerts"

    @property
    def of_now(self) -> bool:
        """Whether it shows the latest figures alone."""
        return self in {Look.BARS, Look.TABLE, Look.ALERTS}


@dataclass(frozen=True, slots=True)
class Line:
    """One of the lines of a panel, or a column of a table.

    Attributes:
        form: What is asked.
        legend: What it is called; `{{label}}` stands for the value of that label.
        unit: Of a column, what its figures count, where it is not what the panel says.
        truth: Whether 1 is yes and 0 no.
    """

    form: Asking
    legend: str
    unit: Quantity | None = None
    truth: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """The figure past which an alert tells, drawn as a threshold.

    Attributes:
        alert: The alert's name; its severity gives the colour.
        number: Which of the comparisons of its expression, from 0.
    """

    alert: str
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice above a dashboard: of the values of a label.

    Attributes:
        name: Its name, and that of the label.
        title: What it is called.
        source: The series whose values there are: a metric of ours, or the name of a recorded series.
    """

    name: str
    title: str
    source: Metric | str

    @property
    def series(self) -> str:
        """The name of the series that it looks at."""
        if isinstance(self.source, str):
            return self.source
        return f"{self.source.name}_count" if isinstance(self.source, Timer) else self.source.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One thing that people want to know.

    Attributes:
        title: What it shows, in a few plain words; no other panel of the dashboard has it.
        help: How to read it, and what is well. What its metrics mean follows by itself, from the catalogue.
        unit: What its figures count.
        lines: What is asked.
        look: Its shape.
        wide: Columns that it takes, of 24.
        tall: Grid rows that it takes.
        stacked: Whether the lines are parts of a whole.
        signed: Whether figures may fall below 0.
        limits: The alerts whose figures are its thresholds.
        empty: What it says while there is nothing to show.
        split: Of a table, the choice whose values are its rows.
        leads: Of a table, the path of our pages below which each of these values has one.
        question: The name of the status page's question that it shows; empty where no such question is.
    """

    title: str
    help: str
    unit: Quantity
    lines: tuple[Line, ...]
    look: Look = Look.LINES
    wide: int = 8
    tall: int = 8
    stacked: bool = False
    signed: bool = False
    limits: tuple[Limit, ...] = ()
    empty: str = ""
    split: Variable | None = None
    leads: str = ""
    question: str = ""

    def about(self) -> tuple[Asked, ...]:
        """The metrics that it asks about, each once."""
        return tuple(dict.fromkeys(metric for line in self.lines for metric in line.form.about()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels under a heading.

    Attributes:
        title: The heading.
        panels: From left to right, line by line; each line fills the width.
        repeat: The variable for whose values the whole row is repeated.
    """

    title: str
    panels: tuple[Panel, ...]
    repeat: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard.

    Attributes:
        uid: Its uid, one of `metrics.watch.dashboards`.
        rows: Its rows, the golden signals first.
        variables: Its choices, beside those of the job and the instance, which all have.
    """

    uid: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()

    def panels(self) -> list[Panel]:
        """Its panels, in order."""
        return [panel for row in self.rows for panel in row.panels]


def asked(name: str, **shape: object) -> Panel:
    """The panel of a question that the status page asks too: everything but its shape is there.

    Args:
        name: The question's name in `metrics.queries`.
        **shape: Attributes of the panel that are not the question's.
    """
    question = queries.BY_NAME[name]
    return Panel(
        title=question.title,
        help=question.help,
        unit=question.unit,
        lines=tuple(Line(curve.form, curve.legend) for curve in question.curves),
        stacked=question.stacked,
        question=name,
        **shape,  # type: ignore[arg-type]
    )


def alerts(wide: int, tall: int) -> Panel:
    """The alerts that fire and lead to the dashboard; of the overview, all that fire."""
    return Panel(
        title="Alerts that fire",
        help="Those that lead here. A name opens the runbook, which says what to do.",
        unit=Quantity.COUNT,
        lines=(),
        look=Look.ALERTS,
        wide=wide,
        tall=tall,
        empty="None fires.",
    )


# --- Lines, the usual ways ------------------------------------------------------------------------------


def legend(by: tuple[str, ...], otherwise: str) -> str:
    """What lines are called that are split by labels: by their values."""
    return " ".join(f"{{{{{label}}}}}" for label in by) or otherwise


def rate(metric: Asked, *by: str, name: str = "all", where: Mapping[str, str] | None = None) -> Line:
    """How often in a second."""
    return Line(Rate(metric=metric, by=by, where=where or {}), legend(by, name))


def hourly(metric: Asked, *by: str, name: str = "all", where: Mapping[str, str] | None = None) -> Line:
    """How often in an hour."""
    return Line(Rate(metric=metric, by=by, where=where or {}, times=_HOUR), legend(by, name))


def level(
    metric: Gauge, *by: str, name: str = "now", most: bool = False, where: Mapping[str, str] | None = None
) -> Line:
    """How much there is: the sum, or the most of any series."""
    how = "max" if most else "sum"
    return Line(Level(metric=metric, by=by, where=where or {}, how=how), legend(by, name))  # type: ignore[arg-type]


def age(metric: Gauge | PushedGauge, *by: str, name: str = "age") -> Line:
    """How long ago a time is."""
    return Line(Age(metric=metric, by=by), legend(by, name))


def quantile(rank: float, metric: Timer, *by: str, where: Mapping[str, str] | None = None) -> Line:
    """A duration that so many of all are not longer than."""
    return Line(
        Quantile(rank=rank, metric=metric, by=by, where=where or {}),
        f"{legend(by, '')} {_RANKS[rank]}".strip(),
    )


def heat(metric: Timer) -> Line:
    """How durations spread."""
    return Line(Buckets(metric=metric), "{{le}}")


def risen(metric: Asked, *by: str, name: str = "all", where: Mapping[str, str] | None = None) -> Line:
    """How many there were in the time that is shown."""
    return Line(Increase(metric=metric, by=by, where=where or {}), legend(by, name))

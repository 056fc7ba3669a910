"""What a document says of every metric, rule, objective and alert, made from where each is declared.

A document has marks, between which a table stands that is made anew: from `<!-- metrics: latency -->` to
`<!-- end -->`. A mark names a golden signal (`metrics: errors`), `recordings`, `objectives`, or a group of
alerts (`alerts: queue`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from metrics import catalogue, mapping
from metrics.model import Gauge, Label, Metric, PushedGauge, Signal, Timer, Unit
from metrics.watch import slo
from metrics.watch.errors import WatchError
from metrics.watch.rules import Rules

_MARKED = re.compile(
    r"^<!-- (?P<mark>(?!end )[a-z ]+(?:: [a-z]+)?) -->\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL
)
#: More allowed values than this are told as a number; `scout metrics show` has them all.
_MOST_VALUES = 9
#: What is asked of a metric over time is asked over this.
_WINDOW = "5m"


@dataclass(frozen=True, slots=True)
class Told:
    """What the tables are made of.

    Attributes:
        rules: The rules.
        plan: The objectives.
        runbooks: Where the runbooks are, seen from the document.
        metrics: The metrics.
    """

    rules: Rules
    plan: slo.Plan
    runbooks: str = "runbooks"
    metrics: tuple[Metric, ...] = catalogue.ALL


def example(metric: Metric) -> str:
    """A PromQL query that fits the metric's kind."""
    # A process's number says nothing by itself: what all of them have is added up.
    labels = [label.name for label in metric.labels if label.name != catalogue.SLOT.name]
    by = f" by ({', '.join(labels)})" if labels else ""
    if isinstance(metric, Timer):
        by = f"by ({', '.join([*labels, 'le'])})"
        return f"histogram_quantile(0.95, sum {by} (rate({metric.name}_bucket[{_WINDOW}])))"
    if isinstance(metric, PushedGauge):
        return (
            f"time() - {metric.name}" if metric.unit is Unit.TIMESTAMP else f"sum by (source) ({metric.name})"
        )
    if not isinstance(metric, Gauge):
        return f"sum{by} (rate({metric.name}[{_WINDOW}]))"
    if metric.unit is Unit.TIMESTAMP:
        return f"time() - max{by} ({metric.name})"
    return f"sum{by} ({metric.name})" if len(labels) < len(metric.labels) else f"max{by} ({metric.name})"


def filled(document: str, told: Told) -> str:
    """A document with its tables made anew.

    Args:
        document: The text, with marks.
        told: What the tables are made of.

    Raises:
        WatchError: A mark names what there is not, or a signal or group of alerts has no mark.
    """
    tables = _tables(told)
    left = set(tables)

    def table(match: re.Match[str]) -> str:
        mark = match["mark"]
        if mark not in tables:
            raise WatchError(f"There is no table {mark!r}; there are {', '.join(tables)}.")
        left.discard(mark)
        return f"<!-- {mark} -->\n{tables[mark]()}<!-- end -->"

    text = _MARKED.sub(table, document)
    if left:
        raise WatchError(
            f"Nowhere is a place for {', '.join(sorted(left))}: write <!-- NAME --> and <!-- end -->."
        )
    return text


def _tables(told: Told) -> dict[str, Callable[[], str]]:
    """Each table by the mark that it stands under."""
    groups = dict.fromkeys(alert.group for alert in told.rules.alerts)
    signals = [each for each in Signal if any(metric.signal is each for metric in told.metrics)]
    return {
        **{f"metrics: {each.value}": partial(_of_metrics, told.metrics, each) for each in signals},
        "recordings": partial(_of_recordings, told.rules),
        "objectives": partial(_of_objectives, told.plan),
        **{f"alerts: {each}": partial(_of_alerts, told, each) for each in groups},
    }


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (heads, ("---",) * len(heads), *rows)
    # A bar within a cell would end it.
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _of_metrics(declared: Iterable[Metric], signal: Signal) -> str:
    rows = (
        (
            f'<a id="{metric.name}"></a>`{metric.name}`<br>{_kind(metric)}',
            f"{metric.help} Raised by {metric.raised_by}.{_labels(metric.labels)}",
            f"`{example(metric)}`",
        )
        for metric in declared
        if metric.signal is signal
    )
    return _table(("metric", "tells", "asked by"), rows)


def _kind(metric: Metric) -> str:
    """The kind as people say it, with its unit."""
    unit = f", {'a moment' if metric.unit is Unit.TIMESTAMP else metric.unit.value}" if metric.unit else ""
    lifetime = f", ends after {metric.ttl} s" if isinstance(metric, Gauge) and metric.ttl else ""
    pushed = ", Pushgateway" if isinstance(metric, PushedGauge) else ""
    return f"{mapping.kind(metric)}{unit}{pushed}{lifetime}"


def _labels(labels: tuple[Label, ...]) -> str:
    if not labels:
        return ""
    return f"<br>{'; '.join(map(_label, labels))}"


def _label(label: Label) -> str:
    if not label.values:
        return f"`{label.name}`: at most {label.bound}"
    if len(label.values) > _MOST_VALUES:
        return f"`{label.name}`: {len(label.values)} values"
    return f"`{label.name}`: {', '.join(label.values)}"


def _of_recordings(rules: Rules) -> str:
    # An objective records the same names as the others, told apart by a label: the first stands for all.
    first = {each.name: each for each in reversed(rules.recordings)}
    rows = (
        (f"`{each.name}`", f"`{' '.join(each.expression.split())}`", f"`{each.file}`")
        for each in rules.recordings
        if first[each.name] is each
    )
    return _table(("series", "is", "in"), rows)


def _of_objectives(plan: slo.Plan) -> str:
    rows = (
        (each.name, f"{each.objective:g} %", each.says, f'`1 - slo:bad_share:mean3d{{slo="{each.name}"}}`')
        for each in plan.objectives
    )
    return _table(("objective", f"over {plan.window}", "of what", "the share of three days"), rows)


def _of_alerts(told: Told, group: str) -> str:
    rows = (
        (
            f"[{alert.name}]({told.runbooks}/{alert.name}.md)",
            alert.severity,
            _wait(alert.wait),
            alert.annotations.get("summary", ""),
        )
        for alert in told.rules.alerts
        if alert.group == group
    )
    return _table(("alert", "severity", "waits", "says"), rows)


def _wait(seconds: float) -> str:
    """How long an alert waits until it fires."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s" if seconds else "not"


def stale(paths: Iterable[Path], told: Told) -> Iterator[str]:
    """The documents whose tables are not what would be made, one line each that says what to do.

    Args:
        paths: The documents.
        told: What the tables are made of.

    Raises:
        WatchError: A document cannot be read, or its marks are wrong.
    """
    for path in paths:
        if filled(read(path), told) != read(path):
            yield f"{path.name} is not what catalogue and rules say: run `scout metrics docs --write`."


def read(path: Path) -> str:
    """A document's text.

    Raises:
        WatchError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise WatchError(f"{path} cannot be read: {error.strerror}.") from None

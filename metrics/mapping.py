"""`statsd-exporter-mapping.yml`, rendered from the catalogue: one rule per metric.

There is no final rule that drops what is left. It would turn an unknown name from a visible event
(`statsd_exporter_events_unmapped_total`, which an alert watches and the tests hold at 0) into one of many
wanted drops. The client can only send names of the catalogue, so an unmapped one means an exporter with an
old file, or a stranger on the port: both worth seeing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from metrics import catalogue
from metrics.model import WIRE_PREFIX, Gauge, Metric, PushedGauge, Timer

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD = """\
# How statsd_exporter turns our StatsD names into Prometheus metrics.
# Generated from metrics/catalogue.py: change that, then run `scout metrics mapping --write`.
#
# On the wire a series is scout.<metric>.<value of label 1>.<value of label 2>...; a rule gives the values
# their label names back. No rule is a prefix of another that goes on, so their order does not matter. There
# is no rule for the rest on purpose: what no rule knows shows in statsd_exporter_events_unmapped_total.
defaults:
  observer_type: histogram
  glob_disable_ordering: true
mappings:
"""


def render(metrics: Iterable[Metric] = catalogue.ALL) -> str:
    """The text of the mapping file.

    Raises:
        ValueError: The exporter would not serve these metrics as they are declared; the text says why.
    """
    metrics = tuple(metrics)
    wrong = problems(metrics)
    if wrong:
        raise ValueError("; ".join(wrong))
    return _HEAD + "\n".join(_rule(metric) for metric in metrics if metric.statsd_type)


def problems(metrics: Iterable[Metric]) -> list[str]:
    """What would keep the exporter from serving these metrics together, one sentence each."""
    found = []
    names: set[str] = set()
    for metric in metrics:
        if metric.name in names:
            found.append(f"{metric.name} is declared twice")
        names.add(metric.name)
    for metric in metrics:
        if isinstance(metric, Timer):
            # A histogram owns these names; the exporter drops what else claims one (pkg/registry).
            found += [
                f"{taken} clashes with a series of the histogram {metric.name}"
                for taken in (f"{metric.name}{suffix}" for suffix in ("_bucket", "_count", "_sum"))
                if taken in names
            ]
            reserved = "le"
            if any(label.name == reserved for label in metric.labels):
                found.append(f"{metric.name}: the label le belongs to the histogram")
    return found


def _rule(metric: Metric) -> str:
    lines = [
        f"  # {metric.signal.value}; raised by {metric.raised_by}",
        f"  - match: {_quoted('.'.join((WIRE_PREFIX, metric.name, *('*' for _ in metric.labels))))}",
        f"    match_metric_type: {metric.statsd_type}",
        f"    name: {metric.name}",
        f"    help: {_quoted(metric.help)}",
    ]
    if metric.labels:
        lines.append("    labels:")
        lines += [f'      {label.name}: "${{{place}}}"' for place, label in enumerate(metric.labels, start=1)]
    if isinstance(metric, Timer):
        lines.append("    observer_type: histogram")
        lines.append("    histogram_options:")
        lines.append(f"      buckets: [{', '.join(f'{bound:g}' for bound in metric.buckets)}]")
    if isinstance(metric, Gauge) and metric.ttl:
        lines.append(f"    ttl: {metric.ttl}s")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # JSON's strings are YAML's double-quoted ones.
    return json.dumps(text, ensure_ascii=False)


def kind(metric: Metric) -> str:
    """What Prometheus calls the kind of a metric, for lists: `counter`, `gauge` or `histogram`."""
    if isinstance(metric, Timer):
        return "histogram"
    return "gauge" if isinstance(metric, Gauge | PushedGauge) else "counter"

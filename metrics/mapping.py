"""`statsd-exporter-mapping.yml`, rendered from the catalogue: a rule for each metric, and one for the rest.

The last rule drops what no other knows. Deny by default: without it, every name that a stranger sends to the
open port would become a series of its own and grow the exporter's memory. Nothing is hidden by it. It is the
only rule that drops, so `statsd_exporter_events_actions_total{action="drop"}` counts exactly the unknown
names. The client can only send names of the catalogue, so one means an exporter with an old file, or a
stranger.

An old file is seen from outside too: every process says the version of the rules that it was built with, and
the exporter's own file writes its version on a plain 1 (`tell`).
"""

from __future__ import annotations

import functools
import json
import zlib
from typing import TYPE_CHECKING

from metrics import catalogue
from metrics.model import WIRE_PREFIX, Gauge, Metric, PushedGauge, Timer

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What the last rule calls what it drops. The exporter wants a name there, and never shows it.
DROPPED = "dropped"

_HEAD = """\
# How statsd_exporter turns our StatsD names into Prometheus metrics.
# Generated from metrics/catalogue.py: change that, then run `scout metrics mapping --write`.
#
# On the wire a series is scout.<metric>.<value of label 1>.<value of label 2>...; a rule gives the values
# their label names back. Shorter names come first: after a longer one that begins alike, the exporter would
# never find them. The last rule drops what no other knows, and
# statsd_exporter_events_actions_total{action="drop"} counts it. To let names of your own through, put a rule
# for them above it.
"""
_DEFAULTS = """\
defaults:
  observer_type: histogram
  glob_disable_ordering: true
mappings:
"""
_LAST = f"""\
  # Whatever is left. Regexes are tried after all globs.
  - match: "."
    match_type: regex
    action: drop
    name: {DROPPED}
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
    return _HEAD + _body(metrics, checksum(metrics))


@functools.cache
def version() -> int:
    """The number of the rules that this program was built with; another one for every other set of rules."""
    return checksum(catalogue.ALL)


def checksum(metrics: Iterable[Metric]) -> int:
    """The number of these metrics' rules: a CRC-32 of all that the exporter reads of them, comments aside.

    A float holds it exactly, and so does every program on the way. Never 0.
    """
    lines = _body(metrics, 1).splitlines()
    read = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return zlib.crc32(read.encode()) or 1


def tell(role: str, slot: str) -> None:
    """Say which rules this process was built with, and have the exporter say which it has loaded.

    A sampler for `metrics.process.also`.

    Args:
        role: What part of the system the process is.
        slot: The process's number. All processes of a role are built alike, so it is not told.
    """
    del slot
    catalogue.CLIENT_MAPPING_VERSION.set(version(), role=role)
    catalogue.LOADED_MAPPING_VERSION.set(1)


def problems(metrics: Iterable[Metric]) -> list[str]:
    """What would keep the exporter from serving these metrics together, one sentence each."""
    metrics = tuple(metrics)
    found = []
    names: set[str] = set()
    for metric in metrics:
        if metric.name in names:
            found.append(f"{metric.name} is declared twice")
        names.add(metric.name)
    for metric in metrics:
        labels = {label.name for label in metric.labels}
        if kind(metric) != "counter":
            # A histogram owns these names. The exporter keeps them free beside a gauge too, when the gauge
            # comes first (pkg/registry), so that would work on one day and not on the next.
            found += [
                f"{taken} clashes with a series of the {kind(metric)} {metric.name}"
                for taken in (f"{metric.name}{suffix}" for suffix in ("_bucket", "_count", "_sum"))
                if taken in names
            ]
        if isinstance(metric, Timer) and "le" in labels:
            found.append(f"{metric.name}: the label le belongs to the histogram")
        if isinstance(metric, Gauge) and catalogue.SLOT.name in labels and not metric.ttl:
            found.append(f"{metric.name}: a gauge of one process needs a ttl, or a dead process stays")
    return found


def _body(metrics: Iterable[Metric], number: int) -> str:
    sent = [metric for metric in metrics if metric.statsd_type]
    # A stable sort: metrics of one length stay in the catalogue's order.
    sent.sort(key=lambda metric: len(metric.labels))
    return _DEFAULTS + "\n".join([*(_rule(metric, number) for metric in sent), _LAST])


def _rule(metric: Metric, number: int) -> str:
    lines = [
        f"  # {metric.signal.value}; raised by {metric.raised_by}",
        f"  - match: {_quoted('.'.join((WIRE_PREFIX, metric.name, *('*' for _ in metric.labels))))}",
        f"    match_metric_type: {metric.statsd_type}",
        f"    name: {metric.name}",
        f"    help: {_quoted(metric.help)}",
    ]
    if metric is catalogue.LOADED_MAPPING_VERSION:
        lines.append(f"    scale: {number}")
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

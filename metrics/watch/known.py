"""The metrics that rules and runbooks may ask for, with the labels that they have.

Ours are those of the catalogue, so that one that is renamed there is missing in every rule that asks for it.
Those of other programs are listed here, as far as we use them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from metrics import catalogue
from metrics.model import Counter, Metric, PushedGauge, Timer
from metrics.watch.promql import Expression, Selector

#: Labels of every series: who was scraped.
TARGET = ("job", "instance")
#: Functions that need a series that only rises.
_RISING = ("rate", "increase", "irate")
#: Seconds between two scrapes, and how many a window of `rate` must hold: one may be lost.
SCRAPE_INTERVAL = 15.0
LEAST_SCRAPES = 4
#: Labels that every rule's result may have besides.
_OF_ALERTS = ("alertname", "alertstate", "severity", "group", "slo")


@dataclass(frozen=True, slots=True)
class Series:
    """Series of one name.

    Attributes:
        labels: Their labels besides `job` and `instance`, each with its allowed values; none means any.
        rises: Whether they only rise while their program lives, so that `rate` has a meaning.
        program: Who exposes them.
    """

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rises: bool = False
    program: str = "catalogue"


def _theirs(program: str, *lines: str) -> dict[str, Series]:
    """Series of another program, each as `name label label`; those that end in _total rise."""
    found = {}
    for line in lines:
        name, *labels = line.split()
        found[name] = Series(dict.fromkeys(labels, ()), name.endswith(("_total", "_count", "_sum")), program)
    return found


#: `tests/integration/test_rules_delivered.py` looks for them on the pages of the real programs.
OTHERS: Mapping[str, Series] = {
    # What Prometheus makes itself of each scrape and of each alert.
    **_theirs("scrape", "up", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling"),
    **_theirs("scrape", "scrape_duration_seconds", "ALERTS alertname alertstate severity group slo"),
    # The application's /metrics says of which parts it is made.
    **_theirs("scout", "scout_exposition_up part"),
    **_theirs(
        "statsd_exporter",
        "statsd_exporter_lines_total",
        "statsd_exporter_samples_total",
        "statsd_exporter_sample_errors_total reason",
        "statsd_exporter_tag_errors_total",
        "statsd_exporter_events_total type",
        "statsd_exporter_events_unmapped_total",
        "statsd_exporter_events_actions_total action",
        "statsd_exporter_events_error_total reason",
        "statsd_exporter_events_conflict_total type metric_name",
        "statsd_exporter_udp_packets_total",
        "statsd_exporter_udp_packet_drops_total",
        "statsd_exporter_unixgram_packets_total",
        "statsd_exporter_loaded_mappings",
        "statsd_exporter_config_reloads_total outcome",
    ),
    **_theirs(
        "pushgateway",
        "push_time_seconds source",
        "push_failure_time_seconds source",
        "pushgateway_http_requests_total code handler method",
    ),
    **_theirs(
        "prometheus",
        "prometheus_config_last_reload_successful",
        "prometheus_notifications_alertmanagers_discovered",
        "prometheus_notifications_errors_total alertmanager",
        "prometheus_notifications_dropped_total",
        "prometheus_rule_evaluation_failures_total rule_group",
        "prometheus_tsdb_head_series",
    ),
    **_theirs(
        "alertmanager",
        "alertmanager_config_last_reload_successful",
        "alertmanager_notifications_failed_total integration",
        "alertmanager_notifications_total integration",
        "alertmanager_alerts state",
    ),
    **_theirs("node_exporter", "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes"),
    **_theirs("node_exporter", "node_filesystem_avail_bytes mountpoint device fstype", "node_load1"),
    **_theirs("redis_exporter", "redis_up", "redis_memory_used_bytes", "redis_memory_max_bytes"),
    **_theirs("redis_exporter", "redis_connected_clients", "redis_rejected_connections_total"),
    **_theirs("postgres_exporter", "pg_up", "pg_stat_activity_count datname state"),
    **_theirs("postgres_exporter", "pg_settings_max_connections"),
}

#: Gauges by kind that only rise, as counters do: the catalogue says why they are gauges.
_RISING_GAUGES = (
    catalogue.CLIENT_QUEUED,
    catalogue.CLIENT_SENT,
    catalogue.CLIENT_DATAGRAMS,
    catalogue.CLIENT_BYTES,
    catalogue.CLIENT_DROPPED,
    catalogue.CLIENT_UNCLEAN_ENDS,
    catalogue.RECEIVE_DROPS,
)


def ours(declared: tuple[Metric, ...] = catalogue.ALL) -> dict[str, Series]:
    """The series of the catalogue's metrics, by name."""
    found = {}
    for metric in declared:
        labels = {label.name: label.values for label in metric.labels}
        if isinstance(metric, PushedGauge):
            labels["source"] = ()
        if isinstance(metric, Timer):
            found[f"{metric.name}_bucket"] = Series({**labels, "le": ()}, rises=True)
            found[f"{metric.name}_sum"] = Series(labels, rises=True)
            found[f"{metric.name}_count"] = Series(labels, rises=True)
        else:
            rises = isinstance(metric, Counter) or metric in _RISING_GAUGES
            found[metric.name] = Series(labels, rises)
    return found


def mistakes(
    expression: Expression,
    known: Mapping[str, Series],
    buckets: Mapping[str, tuple[float, ...]] | None = None,
) -> Iterator[str]:
    """What is wrong with what an expression asks for; nothing when all is well.

    Args:
        expression: As `promql.read` found it.
        known: Every series that there is.
        buckets: Upper bounds of histograms, by the name of their timer; the catalogue's when not given.
    """
    bounds = _buckets() if buckets is None else buckets
    selected = []
    for selector in expression.selectors:
        if not selector.name and {each.label for each in selector.matchers} <= {*TARGET, "__name__"}:
            continue  # a look at all there is
        series = known.get(selector.name)
        if series is None:
            yield f"there is no metric {selector.name or 'without a name'}"
            continue
        selected.append(series)
        yield from _of_labels(selector, series)
        yield from _of_window(selector, series)
        yield from _of_buckets(selector, bounds)
    has = {label for series in selected for label in series.labels} | {*TARGET, *_OF_ALERTS, "__name__"}
    if expression.selectors:
        yield from (f"no metric here has the label {each}" for each in expression.labels if each not in has)


def _buckets() -> dict[str, tuple[float, ...]]:
    return {metric.name: metric.buckets for metric in catalogue.ALL if isinstance(metric, Timer)}


def _of_labels(selector: Selector, series: Series) -> Iterator[str]:
    for each in selector.matchers:
        if each.label == "__name__" or each.label in TARGET or each.label in _OF_ALERTS:
            continue
        if each.label not in series.labels:
            yield f"{selector.name} has no label {each.label}"
            continue
        values = series.labels[each.label]
        if not values:
            continue
        # A pattern of plain words is taken word by word: one that is no value is a mistake like any other.
        plain = each.operator in {"=", "!="} or re.fullmatch(r"[\w|-]+", each.value)
        asked = each.value.split("|") if plain and each.operator in {"=~", "!~"} else [each.value]
        for one in asked:
            fits = one in values if plain else any(re.fullmatch(one, value) for value in values)
            if not fits:
                yield f"{selector.name} never has {each.label}={one!r}, only {', '.join(values)}"


def _of_window(selector: Selector, series: Series) -> Iterator[str]:
    if selector.function in _RISING:
        if not series.rises:
            yield f"{selector.function} of {selector.name}, which does not only rise"
        if selector.window is not None and selector.window < SCRAPE_INTERVAL * LEAST_SCRAPES:
            yield f"{selector.name}[{selector.window:g}s] holds fewer than {LEAST_SCRAPES} scrapes"
    elif (
        selector.window is None
        and series.rises
        and selector.name.endswith("_total")
        and selector.function not in {"absent", "count"}
    ):
        yield f"{selector.name} is a counter: without rate or increase it says nothing"


def _of_buckets(selector: Selector, bounds: Mapping[str, tuple[float, ...]]) -> Iterator[str]:
    timer = selector.name.removesuffix("_bucket")
    if timer == selector.name or timer not in bounds:
        return
    for each in selector.matchers:
        is_bound = each.value in {"+Inf", *(f"{bound:g}" for bound in bounds[timer])}
        if (each.label, each.operator) == ("le", "=") and not is_bound:
            yield f"{timer} has no bucket up to {each.value}"

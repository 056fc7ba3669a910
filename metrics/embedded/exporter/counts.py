"""What the exporter counts about itself, under the real program's names."""

from __future__ import annotations

from collections import Counter

from metrics.embedded import text
from metrics.embedded.floats import render

_PREFIX = "statsd_exporter_"
_CONFLICTS = "statsd_exporter_events_conflict_total"

#: Name, type, the name of its only label if it has one, help.
_FAMILIES = (
    ("config_reloads_total", "counter", "outcome", "How often the mapping file was read again."),
    ("event_queue_flushed_total", "counter", "", "How often a batch of datagrams was worked off."),
    ("events_actions_total", "counter", "action", "Events that a mapping rule matched, by its action."),
    ("events_error_total", "counter", "reason", "Events given up because of what they say."),
    ("events_total", "counter", "type", "Events that became part of a series."),
    ("events_unmapped_total", "counter", "", "Events that no mapping rule matched."),
    ("lines_total", "counter", "", "StatsD lines received."),
    ("loaded_mappings", "gauge", "", "Mapping rules in force."),
    ("metrics_total", "gauge", "type", "Metrics made so far, each set of label names counted once."),
    ("sample_errors_total", "counter", "reason", "Samples and lines that could not be parsed."),
    ("samples_total", "counter", "", "StatsD samples received."),
    ("tag_errors_total", "counter", "", "Tags that could not be parsed."),
    ("tags_total", "counter", "", "Samples that carried tags."),
    ("tcp_connection_errors_total", "counter", "", "Errors while reading from a TCP connection."),
    ("tcp_connections_total", "counter", "", "TCP connections accepted."),
    ("tcp_too_long_lines_total", "counter", "", "TCP lines given up because they were too long."),
    (
        "udp_packet_drops_total",
        "counter",
        "",
        "UDP packets that the kernel dropped because they came too fast.",
    ),
    ("udp_packets_total", "counter", "", "UDP packets received."),
    ("unixgram_packets_total", "counter", "", "Unix datagrams received."),
)


class Counts:
    """The exporter's figures about itself.

    Attributes:
        lines, samples, tags, ...: Plain figures, one per family without a label.
        sample_errors, events, ...: Figures by the family's label.
        conflicts: Events given up because their name is taken, by (type, metric name).
    """

    __slots__ = (
        "config_reloads",
        "conflicts",
        "event_queue_flushed",
        "events",
        "events_actions",
        "events_error",
        "events_unmapped",
        "lines",
        "loaded_mappings",
        "metrics",
        "sample_errors",
        "samples",
        "tag_errors",
        "tags",
        "tcp_connection_errors",
        "tcp_connections",
        "tcp_too_long_lines",
        "udp_packet_drops",
        "udp_packets",
        "unixgram_packets",
    )

    def __init__(self) -> None:
        self.config_reloads: Counter[str] = Counter()
        self.conflicts: Counter[tuple[str, str]] = Counter()
        self.events: Counter[str] = Counter()
        self.events_actions: Counter[str] = Counter()
        self.events_error: Counter[str] = Counter()
        self.metrics: Counter[str] = Counter()
        self.sample_errors: Counter[str] = Counter()
        self.event_queue_flushed = 0
        self.events_unmapped = 0
        self.lines = 0
        self.loaded_mappings = 0
        self.samples = 0
        self.tag_errors = 0
        self.tags = 0
        self.tcp_connection_errors = 0
        self.tcp_connections = 0
        self.tcp_too_long_lines = 0
        self.udp_packet_drops = 0
        self.udp_packets = 0
        self.unixgram_packets = 0

    def families(self) -> dict[str, str]:
        """Each family as text, by its name; those that have a label and no figure yet are left out."""
        texts = {}
        for suffix, kind, label, help_text in _FAMILIES:
            name = _PREFIX + suffix
            figure = getattr(self, suffix.removesuffix("_total"))
            if not label:
                lines = f"{name} {render(float(figure))}\n"
            else:
                lines = "".join(
                    f'{name}{{{label}="{text.escape(key)}"}} {render(float(count))}\n'
                    for key, count in sorted(figure.items())
                )
            if lines:
                texts[name] = text.head(name, kind, help_text) + lines
        if self.conflicts:
            texts[_CONFLICTS] = text.head(
                _CONFLICTS, "counter", "Events given up because their name is taken."
            )
            for (kind, metric), count in sorted(self.conflicts.items(), key=lambda item: item[0][::-1]):
                texts[_CONFLICTS] += (
                    f'{_CONFLICTS}{{metric_name="{metric}",type="{kind}"}} {render(float(count))}\n'
                )
        return texts


def names() -> frozenset[str]:
    """The names that the exporter uses for itself."""
    return frozenset({_CONFLICTS, *(_PREFIX + suffix for suffix, *_ in _FAMILIES)})

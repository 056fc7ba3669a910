"""What other programs tell, and what rules record, as far as dashboards show it."""

from __future__ import annotations

from metrics.forms import Foreign, Level

EXPORTER_PACKETS = Foreign(
    "statsd_exporter_udp_packets_total", "Datagrams that the exporter read.", rises=True
)
EXPORTER_PACKET_DROPS = Foreign(
    "statsd_exporter_udp_packet_drops_total",
    "Datagrams that the exporter's own queue had no room for.",
    rises=True,
)
EXPORTER_EVENTS = Foreign(
    "statsd_exporter_events_total", "Events that the exporter read, by type.", rises=True
)
EXPORTER_EVENT_ERRORS = Foreign(
    "statsd_exporter_events_error_total", "Events that the exporter could not use, by reason.", rises=True
)
EXPORTER_CONFLICTS = Foreign(
    "statsd_exporter_events_conflict_total", "Events of another type than their metric has.", rises=True
)
GATEWAY_REQUESTS = Foreign(
    "pushgateway_http_requests_total", "Requests that the Pushgateway answered, by status.", rises=True
)
SCRAPE_DURATION = Foreign("scrape_duration_seconds", "How long a scrape took.", rises=False)
SCRAPE_SAMPLES = Foreign(
    "scrape_samples_post_metric_relabeling", "Series that a scrape brought and kept.", rises=False
)
HEAD_SERIES = Foreign("prometheus_tsdb_head_series", "Series that Prometheus has in memory.", rises=False)
RULES_FAILED = Foreign(
    "prometheus_rule_evaluation_failures_total", "Evaluations of rules that failed.", rises=True
)
ALERTMANAGERS = Foreign(
    "prometheus_notifications_alertmanagers_discovered", "Alertmanagers that Prometheus knows.", rises=False
)
NOTIFICATIONS = Foreign(
    "alertmanager_notifications_total", "Notifications that the Alertmanager sent or tried to.", rises=True
)
NOTIFICATIONS_FAILED = Foreign(
    "alertmanager_notifications_failed_total", "Notifications that could not be sent.", rises=True
)
ALERTS = Foreign("ALERTS", "Alerts that fire or are about to.", rises=False)

HOST_MEMORY_FREE = Foreign("node_memory_MemAvailable_bytes", "Memory that the host has left.", rises=False)
HOST_MEMORY = Foreign("node_memory_MemTotal_bytes", "Memory that the host has.", rises=False)
HOST_LOAD = Foreign("node_load1", "Processes of the host that run or wait to, over a minute.", rises=False)
HOST_DISK_FREE = Foreign("node_filesystem_avail_bytes", "Free space of the host's disks.", rises=False)
REDIS_MEMORY = Foreign("redis_memory_used_bytes", "Memory that Redis uses.", rises=False)
REDIS_MEMORY_MOST = Foreign(
    "redis_memory_max_bytes", "Memory that Redis may use; 0 is no limit.", rises=False
)
REDIS_CLIENTS = Foreign("redis_connected_clients", "Connections to Redis.", rises=False)
REDIS_REFUSED = Foreign("redis_rejected_connections_total", "Connections that Redis refused.", rises=True)
POSTGRES_CONNECTIONS = Foreign("pg_stat_activity_count", "Connections to PostgreSQL, by state.", rises=False)
POSTGRES_CONNECTIONS_MOST = Foreign(
    "pg_settings_max_connections", "Connections that PostgreSQL allows.", rises=False
)

SAMPLES_LOST = Foreign(
    "scout:samples_lost:ratio_rate5m",
    "The share of sent samples that the exporter did not take.",
    rises=False,
)
BOARDS_WATCHED = Foreign("scout:boards_watched:count", "Boards whose scans end at all.", rises=False)
BOARDS_STALE = Foreign("scout:boards_stale:count", "Boards without a success for 26 hours.", rises=False)
WORKERS = Foreign("scout:rq_workers:sum", "RQ workers that give a sign of life.", rises=False)

OBJECTIVE = Foreign("slo:objective:ratio", "The share that must be well.", rises=False)
BUDGET_LEFT = Foreign(
    "slo:budget_left:ratio30d", "What is left of an error budget: 1 is all, below 0 overspent.", rises=False
)
BAD = Foreign(
    "slo:bad:mean5m", "What goes wrong, over five minutes: requests in a second, or boards.", rises=False
)
TOTAL = Foreign(
    "slo:total:mean5m", "What there is, over five minutes: requests in a second, or boards.", rises=False
)


def bad_share(window: str) -> Foreign:
    """The share that went wrong over a window that is recorded, such as `1h`."""
    return Foreign(f"slo:bad_share:mean{window}", f"The share that went wrong over {window}.", rises=False)


def summed(metric: Foreign, *by: str) -> Level:
    """The sum of another program's series.

    Args:
        metric: The metric.
        *by: The labels to keep apart.
    """
    return Level(metric=metric, by=by)

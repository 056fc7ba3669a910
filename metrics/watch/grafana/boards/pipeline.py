"""The pipeline: does what is measured arrive, what is lost on the way, and would anybody hear of it?"""

from __future__ import annotations

from metrics import catalogue, queries
from metrics.quantities import Quantity
from metrics.watch.grafana import others
from metrics.watch.grafana.asking import As, Cardinality, Top
from metrics.watch.grafana.panels import (
    Board,
    Limit,
    Line,
    Look,
    Panel,
    Row,
    Variable,
    alerts,
    asked,
    hourly,
    level,
    rate,
)

_GLANCE = Row(
    title="The pipeline",
    panels=(
        alerts(wide=12, tall=8),
        Panel(
            title="Samples lost on the way",
            help="The share of what was sent that the exporter did not take, over five minutes.",
            unit=Quantity.RATIO,
            lines=(Line(As(metric=others.SAMPLES_LOST), "lost"),),
            look=Look.FIGURE,
            wide=4,
            limits=(Limit("ScoutSamplesLost"),),
        ),
        Panel(
            title="Mapping rules",
            help="Their number: what our processes were built with, and what the exporter has loaded.",
            unit=Quantity.COUNT,
            lines=(
                level(catalogue.CLIENT_MAPPING_VERSION, most=True, name="built with"),
                level(catalogue.LOADED_MAPPING_VERSION, most=True, name="loaded"),
            ),
            look=Look.FIGURE,
            wide=4,
        ),
        Panel(
            title="Targets that answer",
            help="Green while the last scrape worked.",
            unit=Quantity.COUNT,
            lines=(Line(As(metric=queries.UP), "{{job}} {{instance}}", truth=True),),
            look=Look.STATES,
            wide=4,
        ),
    ),
)

_SENT = Row(
    title="What our processes send",
    panels=(
        asked("samples"),
        asked("samples_lost"),
        asked("sample_age", limits=(Limit("ScoutSchedulerSilent"),)),
        Panel(
            title="Samples by process",
            help="Packed, sent, and lost before the kernel had them.",
            unit=Quantity.PER_SECOND,
            lines=(
                rate(catalogue.CLIENT_QUEUED, name="packed"),
                rate(catalogue.CLIENT_SENT, "role"),
            ),
        ),
        Panel(
            title="Samples dropped by us",
            help="By why: `send` is an exporter that was away, the others are faults.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.CLIENT_DROPPED, "reason"),),
        ),
        Panel(
            title="Datagrams and bytes",
            help="Bytes that our processes sent; each datagram holds as many samples as fit.",
            unit=Quantity.BYTES_PER_SECOND,
            lines=(rate(catalogue.CLIENT_BYTES, name="sent"),),
        ),
    ),
)

_TAKEN = Row(
    title="What the exporter takes",
    panels=(
        Panel(
            title="Datagrams sent and read",
            help="Where they part, the kernel or the network lost some.",
            unit=Quantity.PER_SECOND,
            lines=(
                rate(catalogue.CLIENT_DATAGRAMS, name="sent"),
                rate(others.EXPORTER_PACKETS, name="read"),
                rate(others.EXPORTER_PACKET_DROPS, name="no room"),
            ),
        ),
        Panel(
            title="The exporter's socket",
            help="Memory of datagrams that wait to be read.",
            unit=Quantity.BYTES,
            lines=(level(catalogue.RECEIVE_QUEUE, most=True, name="waiting"),),
        ),
        Panel(
            title="Dropped at the socket",
            help="By the kernel, as the exporter does not read fast enough. Well is 0.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.RECEIVE_DROPS, name="dropped"),),
        ),
        Panel(
            title="Events by type",
            help="Counters, gauges and observers, as the exporter read them.",
            unit=Quantity.PER_SECOND,
            lines=(rate(others.EXPORTER_EVENTS, "type"),),
        ),
        Panel(
            title="Samples that the exporter refused",
            help="Malformed ones, and those of another type than their metric has. Our client sends none.",
            unit=Quantity.PER_HOUR,
            lines=(
                hourly(queries.EXPORTER_MALFORMED, "reason"),
                hourly(others.EXPORTER_EVENT_ERRORS, "reason"),
                hourly(others.EXPORTER_CONFLICTS, name="conflict"),
            ),
            empty="None so far.",
        ),
        Panel(
            title="The exporter came back",
            help="As our processes noticed, each for itself; and processes that were killed.",
            unit=Quantity.PER_HOUR,
            lines=(
                hourly(catalogue.CLIENT_EXPORTER_RESTARTS, name="exporter came back"),
                hourly(catalogue.CLIENT_UNCLEAN_ENDS, name="process killed"),
            ),
        ),
    ),
)

_LABELS = Row(
    title="Series and labels",
    panels=(
        Panel(
            title="Metrics with the most series",
            help="Those of the exporter. Series cost memory: a label with too many values shows here.",
            unit=Quantity.COUNT,
            lines=(Line(Top(most=15, of=Cardinality(where={})), "{{__name__}}"),),
            look=Look.BARS,
        ),
        Panel(
            title="Label values that became __other__",
            help="By metric: unsafe, not allowed, or past the label's bound.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.CLIENT_LABEL_OVERFLOWS, "metric"),),
            limits=(Limit("ScoutLabelsOverflow"),),
            empty="None so far.",
        ),
        Panel(
            title="Series of each scrape",
            help="A number that keeps rising is a label without a bound.",
            unit=Quantity.COUNT,
            lines=(Line(As(metric=others.SCRAPE_SAMPLES), "{{job}} {{instance}}"),),
            limits=(Limit("ScoutSeriesTooMany"),),
        ),
    ),
)

_PUSHED = Row(
    title="Scan results on the Pushgateway",
    panels=(
        Panel(
            title="Pushes",
            help="Of scan results. Refused: the gateway did not take it. Unreachable: it did not answer.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.SCAN_PUSHES, "outcome"),),
            wide=12,
        ),
        Panel(
            title="What the gateway answered",
            help="By method and status; 2xx is well.",
            unit=Quantity.PER_SECOND,
            lines=(rate(others.GATEWAY_REQUESTS, "method", "code"),),
            wide=12,
        ),
    ),
)

_WATCHERS = Row(
    title="Who watches: Prometheus and Alertmanager",
    panels=(
        asked("exporters_up", wide=6),
        Panel(
            title="How long scrapes take",
            help="Of each target. Near the interval of 15 s they begin to fail.",
            unit=Quantity.SECONDS,
            lines=(Line(As(metric=others.SCRAPE_DURATION), "{{job}} {{instance}}"),),
            wide=6,
        ),
        Panel(
            title="Series in Prometheus",
            help="What it holds in memory.",
            unit=Quantity.COUNT,
            lines=(Line(As(metric=others.HEAD_SERIES), "{{instance}}"),),
            wide=6,
        ),
        Panel(
            title="Alertmanagers known",
            help="Nobody hears of an alert when there is none.",
            unit=Quantity.COUNT,
            lines=(Line(As(metric=others.ALERTMANAGERS), "{{instance}}"),),
            wide=6,
            limits=(Limit("ScoutAlertmanagerMissing"),),
        ),
        Panel(
            title="Rules that failed",
            help="Alerts of such a group sleep. Well is 0.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(others.RULES_FAILED, "rule_group"),),
            wide=12,
        ),
        Panel(
            title="Notifications",
            help="That the Alertmanager sent or tried to send, and those that failed.",
            unit=Quantity.PER_HOUR,
            lines=(
                hourly(others.NOTIFICATIONS, name="tried"),
                hourly(others.NOTIFICATIONS_FAILED, name="failed"),
            ),
            wide=12,
        ),
    ),
)

BOARD = Board(
    uid="scout-pipeline",
    rows=(_GLANCE, _SENT, _TAKEN, _LABELS, _PUSHED, _WATCHERS),
    variables=(Variable(name="role", title="Process", source=catalogue.PROCESS_MEMORY),),
)

"""The scans: what boards answer, what each phase takes, what is found, and how every board fared."""

from __future__ import annotations

from metrics import catalogue
from metrics.forms import Level
from metrics.model import PushedGauge
from metrics.quantities import Quantity
from metrics.watch.grafana import others
from metrics.watch.grafana.asking import As, Ratio
from metrics.watch.grafana.panels import (
    Board,
    Limit,
    Line,
    Look,
    Panel,
    Row,
    Variable,
    age,
    alerts,
    asked,
    heat,
    hourly,
    level,
    quantile,
    rate,
)

_BOARD = Variable(name="source", title="Board", source=catalogue.SCAN_LAST_RUN)


def _column(metric: PushedGauge, title: str, unit: Quantity = Quantity.COUNT, *, truth: bool = False) -> Line:
    return Line(Level(metric=metric, by=("source",), how="max"), title, unit, truth)


def _ago(metric: PushedGauge, title: str) -> Line:
    return Line(age(metric, "source").form, title, Quantity.SECONDS)


#: Also on the overview.
LAST_SUCCESS = Panel(
    title="Since the last successful scan",
    help="Of any board. Over twelve hours means that new jobs are being missed.",
    unit=Quantity.SECONDS,
    lines=(age(catalogue.LAST_SUCCESSFUL_SCAN, name="since then"),),
    look=Look.FIGURE,
    wide=4,
    limits=(Limit("ScoutNoSuccessfulScan"),),
)

_GLANCE = Row(
    title="Scans",
    panels=(
        alerts(wide=12, tall=8),
        LAST_SUCCESS,
        Panel(
            title="Boards that fell behind",
            help="The share of watched boards without a success for 26 hours.",
            unit=Quantity.RATIO,
            lines=(
                Line(
                    Ratio(part=As(metric=others.BOARDS_STALE), whole=As(metric=others.BOARDS_WATCHED)),
                    "stale",
                ),
            ),
            look=Look.FIGURE,
            wide=4,
        ),
        Panel(
            title="Boards by health",
            help="As their last scans left them.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.SOURCES_BY_HEALTH, "health", most=True),),
            look=Look.BARS,
            wide=4,
        ),
    ),
)

_LATENCY = Row(
    title="Latency",
    panels=(
        asked("scan_duration", limits=(Limit("ScoutScansSlow"),)),
        Panel(
            title="How scans' durations spread",
            help="Each column is a moment, each cell a span of durations: the brighter, the more scans.",
            unit=Quantity.SECONDS,
            lines=(heat(catalogue.SCAN_DURATION),),
            look=Look.HEAT,
        ),
        Panel(
            title="Phases of a scan",
            help="Where the time of a scan goes: p95 of each phase.",
            unit=Quantity.SECONDS,
            lines=(quantile(0.95, catalogue.SCAN_PHASE_DURATION, "phase"),),
        ),
        asked("outbound_duration", limits=(Limit("ScoutBoardsAnswerSlowly"),)),
        Panel(
            title="Opening a connection",
            help="Looking up the name, connecting, TLS: p95 of each step.",
            unit=Quantity.SECONDS,
            lines=(quantile(0.95, catalogue.OUTBOUND_CONNECTION, "step"),),
        ),
        Panel(
            title="Waiting for a turn",
            help="Requests to one host wait for each other, out of courtesy: p95.",
            unit=Quantity.SECONDS,
            lines=(quantile(0.95, catalogue.OUTBOUND_TURN_WAIT, "kind"),),
        ),
    ),
)

_TRAFFIC = Row(
    title="Traffic",
    panels=(
        asked("outbound_requests"),
        Panel(
            title="Bytes received",
            help="Decoded, by kind of board.",
            unit=Quantity.BYTES_PER_SECOND,
            lines=(rate(catalogue.OUTBOUND_BYTES, "kind"),),
            stacked=True,
        ),
        Panel(
            title="Postings read",
            help="By kind of board, and those that could not be read.",
            unit=Quantity.PER_HOUR,
            lines=(
                hourly(catalogue.POSTINGS_PARSED, "kind"),
                hourly(catalogue.POSTINGS_UNPARSED, name="could not be read"),
            ),
        ),
    ),
)

_ERRORS = Row(
    title="Errors",
    panels=(
        asked("scan_success_ratio"),
        asked("scan_errors", empty="None so far."),
        Panel(
            title="Requests that failed",
            help="By kind of board and reason, after all tries.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.OUTBOUND_ERRORS, "kind", "reason"),),
            empty="None so far.",
        ),
        Panel(
            title="Repeated tries",
            help="After failures that pass by themselves.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.OUTBOUND_RETRIES, "kind"),),
            empty="None so far.",
        ),
        Panel(
            title="Fetches refused by us",
            help="Before any connection: a private address, a wrong scheme, a malformed URL.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.OUTBOUND_BLOCKED, "reason"),),
            limits=(Limit("ScoutFetchesBlocked"),),
        ),
        Panel(
            title="Scans whose worker died",
            help="Requeued ones are tried again; parked ones were given up.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.SCANS_ABANDONED, "action"),),
        ),
    ),
)

_SATURATION = Row(
    title="Saturation: courtesy to hosts, and workers that meet",
    panels=(
        Panel(
            title="Requests without a turn",
            help="Other scans ask the host, it asked to be left alone, or its circuit is open.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.OUTBOUND_TURNS_REFUSED, "reason"),),
            wide=6,
            empty="None so far.",
        ),
        Panel(
            title="Hosts by circuit",
            help="Closed is well; an open one is left alone for half an hour, and then tried once.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.OUTBOUND_CIRCUITS, "state"),),
            wide=6,
        ),
        Panel(
            title="Circuits opened",
            help="The third failed scan in ten minutes opens one.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.OUTBOUND_CIRCUITS_OPENED, "kind"),),
            wide=6,
            empty="None so far.",
        ),
        Panel(
            title="Scans handed back",
            help="Postponed until there is a turn, or given up as another worker holds the board.",
            unit=Quantity.PER_HOUR,
            lines=(
                hourly(catalogue.SCANS_POSTPONED, "reason"),
                hourly(catalogue.SCAN_CLAIMS_LOST, name="held by another"),
            ),
            wide=6,
        ),
    ),
)

_OUTCOME = Row(
    title="What scans bring",
    panels=(
        asked("scans"),
        asked("new_jobs"),
        Panel(
            title="Listings stored",
            help="By kind of board, whatever had changed.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.SCAN_LISTINGS, "kind"),),
            stacked=True,
        ),
        Panel(
            title="Runs that ended",
            help="A run scans many boards; cancelled ones were stopped by the owner.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.SCAN_RUNS, "status"),),
            wide=12,
        ),
        Panel(
            title="Runs that are open",
            help="Queued and running ones. A number that stands still for hours is a run that hangs.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.SCAN_RUNS_OPEN, "status", most=True),),
            wide=12,
        ),
    ),
)

_BOARDS = Row(
    title="Every board's last scan, as it was pushed",
    panels=(
        Panel(
            title="Boards",
            help="One line for each board. A success of decades ago is none: the board was never read.",
            unit=Quantity.COUNT,
            lines=(
                _ago(catalogue.SCAN_LAST_SUCCESS, "Last success"),
                _ago(catalogue.SCAN_LAST_RUN, "Last scan"),
                _column(catalogue.SCAN_LAST_DURATION, "Took", Quantity.SECONDS),
                _column(catalogue.SCAN_LAST_SUCCEEDED, "Brought jobs", truth=True),
                _column(catalogue.SCAN_LAST_COMPLETE, "Read whole", truth=True),
                _column(catalogue.SCAN_LAST_SEEN, "Seen"),
                _column(catalogue.SCAN_LAST_NEW, "New"),
                _column(catalogue.SCAN_LAST_UPDATED, "Changed"),
                _column(catalogue.SCAN_LAST_CLOSED, "Gone"),
                _column(catalogue.SCAN_LISTED, "Open now"),
            ),
            look=Look.TABLE,
            wide=24,
            tall=12,
            split=_BOARD,
            leads="/sources",
        ),
        Panel(
            title="Since each board's last success",
            help="A line that keeps rising is a board that cannot be read any more.",
            unit=Quantity.SECONDS,
            lines=(age(catalogue.SCAN_LAST_SUCCESS, "source"),),
            wide=12,
            limits=(Limit("ScoutBoardStale"),),
        ),
        Panel(
            title="Postings that each board has open",
            help="As far as we know. A sudden fall is a board that answers with less than it has.",
            unit=Quantity.COUNT,
            lines=(Line(Level(metric=catalogue.SCAN_LISTED, by=("source",), how="max"), "{{source}}"),),
            wide=12,
        ),
    ),
)

BOARD = Board(
    uid="scout-scans",
    rows=(_GLANCE, _LATENCY, _TRAFFIC, _ERRORS, _SATURATION, _OUTCOME, _BOARDS),
    variables=(
        Variable(name="kind", title="Kind of board", source=catalogue.SCAN_DURATION),
        _BOARD,
    ),
)

"""The JSON of a dashboard, made with grafana-foundation-sdk, which must be installed for that.

The same dashboard always gives the same text: nothing in it is of the moment, and a panel's id follows from
its title.
"""

from __future__ import annotations

import json
from typing import Any

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from metrics import catalogue
from metrics.forms import Foreign, Level, Rate
from metrics.watch import known
from metrics.watch.dashboards import APPLICATION, DASHBOARDS, RUNBOOKS
from metrics.watch.grafana import layout, shapes
from metrics.watch.grafana.asking import As, labels, narrowed
from metrics.watch.grafana.panels import Board, Row, Variable
from metrics.watch.rules import Rules

#: By which the dashboards find each other.
TAG = "iam-job-scout"
#: What every dashboard may choose by, beside its own: who was scraped.
TARGETS = (
    Variable(name="job", title="Job", source=catalogue.PROCESS_MEMORY),
    Variable(name="instance", title="Instance", source=catalogue.PROCESS_MEMORY),
)
#: What a variable stands for when all is chosen: series that have the label.
ALL = ".+"

_FIRES, _STARTED, _RUNS = "Alerts that fire", "Processes started", "Scan runs that failed"
#: What annotations of Prometheus say, by name. The SDK has no words for that.
_WORDS: dict[str, dict[str, object]] = {
    _FIRES: {"titleFormat": "{{alertname}}", "textFormat": "{{severity}}", "step": "60s"},
    # The value is the moment, in milliseconds: that of an update or a restart.
    _STARTED: {"titleFormat": "{{role}} started", "textFormat": "", "step": "60s", "useValueForTime": True},
    _RUNS: {"titleFormat": "Scan run {{status}}", "textFormat": "", "step": "60s"},
}


def render(board: Board, rules: Rules) -> str:
    """A dashboard's file.

    Args:
        board: The dashboard.
        rules: The rules, whose alerts give the thresholds and the links.

    Raises:
        WatchError: Its panels do not fit their lines, or a limit is that of no alert.
    """
    return json.dumps(_document(board, rules), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _document(board: Board, rules: Rules) -> dict[str, Any]:
    name, _, what = DASHBOARDS[board.uid].partition(": ")
    made = (
        builders.Dashboard(f"Scout / {name}")
        .uid(board.uid)
        .description(f"{what[0].upper()}{what[1:]} (Made by `scout metrics dashboards --write`.)")
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("30s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(_datasource())
    )
    for variable in (*TARGETS, *board.variables):
        made.with_variable(_variable(variable))
    for link in _links():
        made.link(link)
    for name, colour, expression in _annotations(board, rules):
        made.annotation(
            builders.AnnotationQuery()
            .name(name)
            .datasource(shapes.DATASOURCE)
            .enable(enable=True)
            .icon_color(colour)
            .expr(expression)
        )
    _draw_rows(made, board, rules)
    document: dict[str, Any] = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    for each in document["annotations"]["list"]:
        each.update(_WORDS[each["name"]])
    return document


def _draw_rows(made: builders.Dashboard, board: Board, rules: Rules) -> None:
    chosen = {variable.name: variable.name for variable in (*TARGETS, *board.variables)}
    top = 0
    for row in board.rows:
        made.with_row(_heading(row, top))
        for panel, x, y in layout.placed(row, top + 1):
            drawn = shapes.drawn(panel, board.uid, chosen, rules)
            drawn.id(layout.number(panel.title))
            made.with_panel(drawn.grid_pos(models.GridPos(h=panel.tall, w=panel.wide, x=x, y=y)))
        top += 1 + layout.height(row)


def _heading(row: Row, top: int) -> builders.Row:
    made = (
        builders.Row(row.title)
        .id(layout.number(f"row {row.title}"))
        .grid_pos(models.GridPos(h=1, w=layout.COLUMNS, x=0, y=top))
    )
    return made.repeat(row.repeat) if row.repeat else made


# --- What is above the panels ---------------------------------------------------------------------------


def _datasource() -> builders.DatasourceVariable:
    return (
        builders.DatasourceVariable("datasource")
        .label("Data source")
        .type("prometheus")
        .current(models.VariableOption(text="default", value="default"))
    )


def _variable(variable: Variable) -> builders.QueryVariable:
    source = variable.source
    has = () if isinstance(source, str) else labels(source)
    # A choice narrows those to its right.
    above = known.TARGET[: known.TARGET.index(variable.name)] if variable in TARGETS else known.TARGET
    where = {label: f"${label}" for label in above if label in has}
    series = As(metric=Foreign(variable.series, "", rises=False), where=where).promql()
    return (
        builders.QueryVariable(variable.name)
        .label(variable.title)
        .description(f"By the label {variable.name}.")
        .datasource(shapes.DATASOURCE)
        .query({"query": f"label_values({series}, {variable.name})", "refId": variable.name})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(ALL)
        .current(models.VariableOption(text="All", value="$__all"))
    )


def _links() -> list[builders.DashboardLink]:
    boards = (
        builders.DashboardLink("Dashboards")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(as_dropdown=True)
        .keep_time(keep_time=True)
        .include_vars(include_vars=True)
    )
    outside = (
        ("Status page", "heart-rate", f"{APPLICATION}/status", "How every part is"),
        ("Runbooks", "book", RUNBOOKS, "What to do when an alert fires"),
    )
    return [
        boards,
        *(
            builders.DashboardLink(title)
            .type(models.DashboardLinkType.LINK)
            .icon(icon)
            .tooltip(tooltip)
            .url(url)
            .target_blank(target_blank=True)
            for title, icon, url, tooltip in outside
        ),
    ]


def _annotations(board: Board, rules: Rules) -> list[tuple[str, str, str]]:
    """The name, the colour and the query of each."""
    chosen = dict(zip(known.TARGET, known.TARGET, strict=True))
    started = Level(
        metric=catalogue.PROCESS_START, where={"role": "arbiter|scheduler"}, by=("role",), how="max"
    )
    failed = Rate(metric=catalogue.SCAN_RUNS, where={"status": "failed|partial"}, by=("status",))
    return [
        (_FIRES, "red", shapes.firing(board.uid, rules).promql()),
        (_STARTED, "blue", f"{narrowed(started, chosen).promql()} * 1000"),
        (_RUNS, "orange", f"{narrowed(failed, chosen).promql()} > 0"),
    ]

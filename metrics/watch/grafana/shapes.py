"""A panel as one of Grafana's plugins draws it: its queries, unit, thresholds, words and colours."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence

from grafana_foundation_sdk.builders import (
    bargauge,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog import builder as cog
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from metrics.forms import Asked
from metrics.model import Metric
from metrics.quantities import Quantity
from metrics.watch.dashboards import APPLICATION, RUNBOOKS, dashboard, runbook
from metrics.watch.errors import WatchError
from metrics.watch.grafana import limits, others
from metrics.watch.grafana.asking import As, Chosen, narrowed
from metrics.watch.grafana.limits import Threshold
from metrics.watch.grafana.panels import Line, Look, Panel
from metrics.watch.rules import Rules

#: The variable, so that whoever has several Prometheus chooses.
DATASOURCE = models.DataSourceRef(type_val="prometheus", uid="$datasource")
#: What each quantity is called among Grafana's units.
UNITS = {
    Quantity.COUNT: "short",
    Quantity.PER_SECOND: "suffix:/s",
    Quantity.PER_HOUR: "suffix:/h",
    Quantity.SECONDS: "s",
    Quantity.BYTES: "decbytes",
    Quantity.BYTES_PER_SECOND: "Bps",
    Quantity.RATIO: "percentunit",
}
_SEVERITIES = {"page": "red", "ticket": "orange", "info": "blue"}
#: Lines whose meaning has a colour, whatever the panel.
_TONES = {
    "green": "2xx .*|succeeded|ok|accepted|closed",
    "yellow": "4xx .*|partial|refused|limited|half_open|parked",
    "red": "5xx .*|failed|error|killed|crashed|timeout|open|wrong",
}
#: It fires while all is well.
_WATCHDOG = "ScoutWatchdog"
_OVERVIEW = "scout-overview"

Drawn = timeseries.Panel | stat.Panel | heatmap.Panel | bargauge.Panel | statetimeline.Panel | table.Panel


def drawn(panel: Panel, uid: str, chosen: Chosen, rules: Rules) -> Drawn:
    """A panel, without its place.

    Args:
        panel: The panel.
        uid: The dashboard's.
        chosen: The dashboard's variables, by the label that each chooses by.
        rules: The rules, whose alerts give the thresholds and the links.

    Raises:
        WatchError: A limit is that of no alert.
    """
    found = [limits.threshold(limit, rules) for limit in panel.limits]
    lines = (Line(firing(uid, rules), ""),) if panel.look is Look.ALERTS else panel.lines
    made = _MADE[panel.look](panel)
    made.title(panel.title).description(_described(panel, found)).datasource(DATASOURCE).unit(
        UNITS[panel.unit]
    )
    if found or panel.look in {Look.LINES, Look.FIGURE, Look.BARS}:
        made.thresholds(_thresholds(found))
    if found:
        made.links(_runbooks(found))
    if panel.empty:
        made.no_value(panel.empty)
    for number, line in enumerate(lines):
        made.with_target(_target(line, number, panel.look, chosen))
    return made


def firing(uid: str, rules: Rules) -> As:
    """The alerts that fire and lead to a dashboard; of the overview, all of them."""
    where = {"alertstate": "firing"}
    if uid != _OVERVIEW:
        leading = [
            alert.name
            for alert in rules.alerts
            if alert.annotations.get("dashboard_url") == dashboard(uid) and alert.name != _WATCHDOG
        ]
        return As(metric=others.ALERTS, where={**where, "alertname": "|".join(leading)})
    return As(metric=others.ALERTS, where={**where, "severity": "|".join(_SEVERITIES)})


def _target(line: Line, number: int, look: Look, chosen: Chosen) -> prometheus.Dataquery:
    made = (
        prometheus.Dataquery()
        .ref_id(string.ascii_uppercase[number])
        .datasource(DATASOURCE)
        .expr(narrowed(line.form, chosen).promql())
        .legend_format(line.legend)
    )
    if look in {Look.TABLE, Look.ALERTS}:
        made.format(PromQueryFormat.TABLE)
    elif look is Look.HEAT:
        made.format(PromQueryFormat.HEATMAP)
    return made.instant() if look.of_now else made.range()


# --- Words ----------------------------------------------------------------------------------------------


def _described(panel: Panel, found: Sequence[Threshold]) -> str:
    """How to read it, what its metrics mean, and which alerts watch it."""
    parts = [panel.help]
    parts += ["\n".join(f"- `{metric.name}`: {_meaning(metric)}" for metric in panel.about())]
    parts += ["\n".join(f"- Past the line: [{name}]({runbook(name)})" for name in _names(found))]
    return "\n\n".join(part for part in parts if part)


def _meaning(metric: Asked) -> str:
    return f"{metric.help} From {metric.raised_by}." if isinstance(metric, Metric) else metric.help


def _names(found: Sequence[Threshold]) -> list[str]:
    return list(dict.fromkeys(each.alert.name for each in found))


def _runbooks(found: Sequence[Threshold]) -> list[cog.Builder[models.DashboardLink]]:
    return [
        builders.DashboardLink(f"Runbook: {name}")
        .url(runbook(name))
        .type(models.DashboardLinkType.LINK)
        .target_blank(target_blank=True)
        for name in _names(found)
    ]


def _thresholds(found: Sequence[Threshold]) -> builders.ThresholdsConfig:
    """Well is green, and past an alert's figure is the colour of its severity."""
    below = [each for each in found if not each.above]
    base = _SEVERITIES[below[0].alert.severity] if below else "green"
    steps = [models.Threshold(value=None, color=base)]
    steps += [
        models.Threshold(value=each.value, color=_SEVERITIES[each.alert.severity] if each.above else "green")
        for each in sorted(found, key=lambda each: each.value)
    ]
    return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


_YES_NO: list[models.ValueMapping] = [
    models.ValueMap(
        options={
            "0": models.ValueMappingResult(text="no", color="red", index=0),
            "1": models.ValueMappingResult(text="yes", color="green", index=1),
        }
    )
]


# --- Shapes ---------------------------------------------------------------------------------------------


def _lines(panel: Panel) -> timeseries.Panel:
    legend = (
        common_builders.VizLegendOptions()
        .show_legend(show_legend=True)
        .placement(common.LegendPlacement.BOTTOM)
        .display_mode(common.LegendDisplayMode.LIST)
        .calcs(["lastNotNull"])
    )
    tooltip = common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    made = (
        timeseries.Panel()
        .legend(legend)
        .tooltip(tooltip.sort(common.SortOrder.DESCENDING))
        .line_width(1)
        .show_points(common.VisibilityMode.NEVER)
        .color_scheme(builders.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .fill_opacity(25 if panel.stacked else 8)
    )
    if not panel.signed:
        made.min(0)
    if panel.stacked:
        made.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    if panel.limits:
        style = common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        made.thresholds_style(style)
    legends = [line.legend for line in panel.lines]
    for colour, names in _TONES.items():
        if not any("{{" in each or re.fullmatch(names, each) for each in legends):
            continue
        fixed = {"mode": models.FieldColorModeId.FIXED, "fixedColor": colour}
        made.override_by_regexp(f"/^({names})$/", [models.DynamicConfigValue(id_val="color", value=fixed)])
    return made


def _figure(panel: Panel) -> stat.Panel:
    return (
        stat.Panel()
        .color_mode(common.BigValueColorMode.VALUE if panel.limits else common.BigValueColorMode.NONE)
        .graph_mode(common.BigValueGraphMode.AREA)
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def _heat(panel: Panel) -> heatmap.Panel:
    colours = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64)
    return (
        heatmap.Panel()
        .calculate(calculate=False)
        .color(colours)
        .y_axis(heatmap.YAxisConfig().unit(UNITS[panel.unit]))
        .cell_gap(1)
        .show_value(common.VisibilityMode.NEVER)
        .filter_values(heatmap.FilterValueRange().le(1e-9))
    )


def _bars(_: Panel) -> bargauge.Panel:
    return (
        bargauge.Panel()
        .orientation(common.VizOrientation.HORIZONTAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .min(0)
    )


def _states(_: Panel) -> statetimeline.Panel:
    return (
        statetimeline.Panel()
        .show_value(common.VisibilityMode.NEVER)
        .row_height(0.8)
        .mappings(_YES_NO)
        .merge_values(merge_values=True)
    )


def _table(panel: Panel) -> table.Panel:
    """One row for each value of a label, one column for each line."""
    if panel.split is None:
        raise WatchError(f"{panel.title} is a table, and does not say of what its rows are.")
    values = {f"Value #{string.ascii_uppercase[number]}": line for number, line in enumerate(panel.lines)}
    split = panel.split
    organised: dict[str, object] = {
        "excludeByName": {"Time": True},
        "indexByName": {name: number for number, name in enumerate((split.name, *values))},
        "renameByName": {split.name: split.title, **{name: line.legend for name, line in values.items()}},
    }
    made = (
        table.Panel()
        .filterable(filterable=True)
        .with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(models.DataTransformerConfig(id_val="organize", options=organised))
    )
    if panel.leads:
        made.override_by_name(split.title, [_leading(f"{APPLICATION}{panel.leads}", split.title)])
    for line in panel.lines:
        properties = [models.DynamicConfigValue(id_val="unit", value=UNITS[line.unit or panel.unit])]
        if line.truth:
            properties += [models.DynamicConfigValue(id_val="mappings", value=_YES_NO), _COLOURED]
        made.override_by_name(line.legend, properties)
    return made


def _leading(address: str, title: str) -> models.DynamicConfigValue:
    """A link of each value to the page that is named like it."""
    link = {"title": title, "url": f"{address}/${{__value.text}}", "targetBlank": True}
    return models.DynamicConfigValue(id_val="links", value=[link])


_COLOURED = models.DynamicConfigValue(
    id_val="custom.cellOptions", value={"type": common.TableCellDisplayMode.COLOR_TEXT}
)


def _alerts(_: Panel) -> table.Panel:
    hidden = ("Time", "Value", "__name__", "alertstate", "job", "instance")
    organised: dict[str, object] = {
        "excludeByName": dict.fromkeys(hidden, True),
        "indexByName": {"alertname": 0, "severity": 1, "group": 2},
        "renameByName": {"alertname": "Alert", "severity": "Severity", "group": "Group"},
    }
    colours = models.ValueMap(
        options={
            severity: models.ValueMappingResult(color=colour, text=severity, index=number)
            for number, (severity, colour) in enumerate(_SEVERITIES.items())
        }
    )
    return (
        table.Panel()
        .with_transformation(models.DataTransformerConfig(id_val="organize", options=organised))
        .override_by_name("Alert", [_leading(RUNBOOKS, "Runbook")])
        .override_by_name(
            "Severity",
            [
                models.DynamicConfigValue(id_val="mappings", value=[colours]),
                _COLOURED,
            ],
        )
    )


_MADE: Mapping[Look, Callable[[Panel], Drawn]] = {
    Look.LINES: _lines,
    Look.FIGURE: _figure,
    Look.HEAT: _heat,
    Look.BARS: _bars,
    Look.STATES: _states,
    Look.TABLE: _table,
    Look.ALERTS: _alerts,
}

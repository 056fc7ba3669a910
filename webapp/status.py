"""How everything is: a word on top, what needs a look, figures over time, and every part."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request
from markupsafe import Markup, escape

from metrics import queries
from metrics.model import Signal
from metrics.queries import Question
from metrics.watch.dashboards import DASHBOARDS
from metrics.watch.grafana import boards
from scout import clock
from scout.overview import figures, report
from scout.overview.figures import Figures
from scout.overview.windows import DEFAULT, WINDOWS, Window
from scout.stack.examination import Verdict
from webapp import plots
from webapp.parts import parts

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

pages = Blueprint("status", __name__)

#: The most lines that one plot can hold and still be read.
_MOST_LINES = 8
#: How a verdict is said, and the icon that stands beside the word: the colour alone says nothing.
VERDICTS = {
    Verdict.OK: ("well", "ok"),
    Verdict.WARNING: ("worth a look", "partial"),
    Verdict.BAD: ("broken", "failing"),
}
_HEADINGS = {
    Signal.LATENCY: "Latency",
    Signal.TRAFFIC: "Traffic",
    Signal.ERRORS: "Errors",
    Signal.SATURATION: "Saturation",
    Signal.BUSINESS: "Jobs and scans",
    Signal.PIPELINE: "The metrics themselves",
}
#: Lines whose meaning has a colour elsewhere on the pages.
_TONES = {
    "2xx shown": "good",
    "3xx sent on": "cool",
    "4xx refused": "warn",
    "5xx failed": "bad",
    "succeeded": "good",
    "partial": "warn",
    "failed": "bad",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """A question's plot and its numbers; whether there are any, and how many lines are left out."""

    question: Question
    plot: Markup
    table: Markup
    drawn: bool
    left_out: int


@dataclass(frozen=True, slots=True)
class Group:
    """The plots of a golden signal, and the dashboards in Grafana that look closer, if there is a Grafana."""

    heading: str
    asks: str
    panels: list[Panel]
    dashboards: dict[str, str]


@pages.get("/status")
def index() -> ResponseReturnValue:
    """The page. Figures that Prometheus must be asked for come after it, unless a window was asked for."""
    settings = parts().settings
    made = report.make(parts().database, parts().redis, settings, by_pages=True)
    given = WINDOWS.get(request.args.get("window", ""))
    at_once = given is not None or not settings.prometheus_url
    window = given or DEFAULT
    return render_template(
        "status.html",
        report=made,
        verdicts=VERDICTS,
        windows=list(WINDOWS.values()),
        window=window,
        grafana=settings.grafana_url,
        **(_drawn(window) if at_once else {}),
    )


@pages.get("/status/figures")
def over_time() -> ResponseReturnValue:
    """The part of the page with the figures."""
    window = WINDOWS.get(request.args.get("window", ""), DEFAULT)
    return render_template(
        "_status_figures.html", windows=list(WINDOWS.values()), window=window, **_drawn(window)
    )


@pages.app_template_filter("with_code")
def with_code(words: str) -> Markup:
    """Words in which commands stand between backticks, as the terminal shows them too."""
    return Markup().join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(words.split("`"))
    )


def _drawn(window: Window) -> dict[str, Any]:
    settings = parts().settings
    found = figures.over(window, settings, parts().redis, clock.now())
    return {
        "figures": found,
        "groups": [
            Group(
                heading=_HEADINGS[signal],
                asks=asks,
                panels=[panel(question, found) for question in queries.ALL if question.signal is signal],
                dashboards=_dashboards(signal, settings.grafana_url) if settings.grafana_url else {},
            )
            for signal, asks in queries.SIGNALS.items()
        ],
    }


def _dashboards(signal: Signal, grafana: str) -> dict[str, str]:
    """The dashboards that look closer at a signal's questions: their addresses by name."""
    uids = [boards.showing(question.name) for question in queries.ALL if question.signal is signal]
    return {
        DASHBOARDS[uid].partition(":")[0]: f"{grafana.rstrip('/')}/d/{uid}" for uid in dict.fromkeys(uids)
    }


def panel(question: Question, found: Figures) -> Panel:
    """A question's figures as a plot and a table."""
    lines = found.lines.get(question.name, ())
    series = [
        plots.Series(label=line.name or question.title, points=line.points, tone=_TONES.get(line.name, ""))
        for line in lines[:_MOST_LINES]
    ]
    plot = plots.lines(
        series,
        title=question.title,
        unit=question.unit,
        start=found.start,
        end=found.end,
        stacked=question.stacked,
        zone=dt.UTC,
    )
    table = plots.table_of(series, title=question.title, unit=question.unit, zone=dt.UTC)
    return Panel(question, plot, table, bool(series), max(len(lines) - _MOST_LINES, 0))

"""What Prometheus knows: figures over time, alerts, and its own version."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from metrics.queries import Curve, Question
from scout.neighbours import Unreachable
from scout.overview import asking
from scout.overview.windows import Window

#: Seconds that rates are taken over at least: some scrapes of the usual 15 to 60 seconds.
_SHORTEST_RATE = 120
#: Points of one line.
_POINTS = 120
#: The most lines of a curve, and the most alerts, that are read.
_MOST_LINES, _MOST_ALERTS = 24, 50
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot: its name, and Unix time and figure of each point."""

    name: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that fires.

    Attributes:
        name: Its name.
        severity: What its rule calls it, such as `critical`; may be empty.
        since: When it began, with its pending time.
        summary: What it says; may be empty.
        runbook: Web address of what to do; empty when it has none.
        dashboard: Web address of where to look; empty when it has none.
    """

    name: str
    severity: str
    since: dt.datetime | None
    summary: str
    runbook: str
    dashboard: str


@dataclass(frozen=True, slots=True)
class About:
    """Prometheus itself: its version, and since when it runs."""

    version: str
    since: dt.datetime | None


def lines(
    url: str, questions: Sequence[Question], window: Window, now: dt.datetime
) -> tuple[dict[str, list[Line]], list[str]]:
    """The lines of each question over a window, all asked at once.

    Returns:
        The lines by the questions' names, and what could not be answered, a few words each.

    Raises:
        Unreachable: None of them could be answered.
    """
    curves = {
        f"{question.name}.{number}": curve
        for question in questions
        for number, curve in enumerate(question.curves)
    }
    answers = asking.at_once(
        {name: partial(_curve, url, curve, window, now) for name, curve in curves.items()}
    )
    found: dict[str, list[Line]] = {question.name: [] for question in questions}
    troubles: dict[str, None] = {}
    failed = 0
    for name, answer in answers.items():
        if isinstance(answer, Unreachable):
            failed += 1
            troubles[str(answer)] = None
        elif isinstance(answer, Exception):
            raise answer
        else:
            found[name.rpartition(".")[0]].extend(answer)
    if failed and failed == len(answers):
        raise Unreachable(next(iter(troubles)))
    return found, list(troubles)


def _curve(url: str, curve: Curve, window: Window, now: dt.datetime) -> list[Line]:
    step = max(window.seconds // _POINTS, 15)
    end = math.floor(now.timestamp() / step) * step
    asked = urlencode(
        {
            "query": curve.promql(f"{max(step, _SHORTEST_RATE)}s"),
            "start": end - window.seconds,
            "end": end,
            "step": step,
            "timeout": f"{asking.PATIENCE:g}s",
        }
    )
    result = asking.data(f"{url}/api/v1/query_range?{asked}")
    try:
        return [
            Line(
                curve.named({str(label): str(value) for label, value in each["metric"].items()})[:_LONGEST],
                # Prometheus leaves out what it has no figure for: a step without one is a gap.
                _evenly([(float(at), float(value)) for at, value in each["values"]], step),
            )
            for each in result["result"][:_MOST_LINES]
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unreachable("it does not answer as Prometheus does") from None


def _evenly(points: list[tuple[float, float]], step: int) -> list[tuple[float, float | None]]:
    found: list[tuple[float, float | None]] = []
    for at, value in points:
        if found and at - found[-1][0] > step * 1.5:
            found.append((found[-1][0] + step, None))
        found.append((at, value))
    return found


def alerts(url: str) -> list[Alert]:
    """The alerts that fire now, the gravest first.

    Raises:
        Unreachable: Prometheus did not tell.
    """
    told = asking.data(f"{url}/api/v1/alerts")
    try:
        firing = [each for each in told["alerts"] if each["state"] == "firing"]
        found = [
            _alert(each["labels"], each.get("annotations") or {}, each.get("activeAt")) for each in firing
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unreachable("it does not tell its alerts as Prometheus does") from None
    grave = {"critical": 0, "page": 0, "error": 1, "warning": 2}
    return sorted(found, key=lambda alert: (grave.get(alert.severity, 3), alert.name))[:_MOST_ALERTS]


def _alert(labels: dict[str, Any], annotations: dict[str, Any], since: Any) -> Alert:
    def said(name: str) -> str:
        return str(annotations.get(name, "")).strip()[:_LONGEST]

    return Alert(
        name=str(labels.get("alertname", "an alert without a name"))[:_LONGEST],
        severity=str(labels.get("severity", ""))[:_LONGEST],
        since=_time(since),
        summary=said("summary") or said("description") or said("message"),
        runbook=_web(said("runbook_url")),
        dashboard=_web(said("dashboard_url")),
    )


def about(url: str) -> About:
    """Its version, and since when it runs.

    Raises:
        Unreachable: Prometheus did not tell.
    """
    try:
        version = str(asking.data(f"{url}/api/v1/status/buildinfo")["version"])[:60]
        since = asking.data(f"{url}/api/v1/status/runtimeinfo").get("startTime")
    except (KeyError, TypeError, AttributeError):
        raise Unreachable("it does not answer as Prometheus does") from None
    return About(version, _time(since))


def _time(text: Any) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _web(address: str) -> str:
    """An address that a page may link: one of the web, and no script."""
    try:
        return address if urlsplit(address).scheme in {"http", "https"} else ""
    except ValueError:
        return ""

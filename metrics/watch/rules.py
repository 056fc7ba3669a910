"""The rule files as they are: groups, recording rules, alerts, and what is wrong with them.

`promtool` says whether Prometheus takes them. What is asked here is what it cannot know: that every metric is
one of ours, that every alert says how bad it is, what to do and where to look, and that its labels are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from metrics.watch import known, promql
from metrics.watch.dashboards import DASHBOARDS, dashboard, runbook
from metrics.watch.errors import WatchError
from metrics.watch.known import Series

#: How bad it is. page: somebody must act now. ticket: this week. info: good to know. watchdog: all is well as
#: long as it comes.
SEVERITIES = ("page", "ticket", "info", "watchdog")
#: What an alert must say.
ANNOTATIONS = ("summary", "description", "runbook_url", "dashboard_url")

#: `level:metric:operations` (Prometheus documentation, "Recording rules").
_RECORDED = re.compile(r"[a-z_]+:[a-zA-Z0-9_]+:[a-z0-9_]+")
_ALERT = re.compile(r"Scout(?:[A-Z][a-z0-9]*)+")
_USED = re.compile(r"\$labels\.([a-zA-Z_]\w*)")


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule."""

    name: str
    expression: str
    group: str
    file: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert.

    Attributes:
        name: Its name, and that of its runbook.
        expression: What it asks.
        wait: Seconds for which it must be true (`for`).
        labels: `severity`, `group`, and `slo` for those of an objective.
        annotations: What it says.
        group: The group of rules that it stands in.
        file: The file's name.
    """

    name: str
    expression: str
    wait: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    group: str
    file: str

    @property
    def severity(self) -> str:
        """How bad it is; empty where it does not say."""
        return self.labels.get("severity", "")


@dataclass(slots=True)
class Rules:
    """All rules of a folder, in the order of files and lines."""

    alerts: list[Alert] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)

    def known(self, ours: Mapping[str, Series] | None = None) -> dict[str, Series]:
        """Every series that a rule, dashboard or runbook may ask for: ours, others', recorded ones.

        Args:
            ours: Ours, where they are not those of the catalogue.
        """
        found = {**(known.ours() if ours is None else ours), **known.OTHERS}
        # What a recorded series has for labels is what its rule leaves of those that went in.
        for each in self.recordings:
            went_in = promql.read(each.expression)
            labels = [
                label
                for selector in went_in.selectors
                for label in (found[selector.name].labels if selector.name in found else ())
            ]
            found[each.name] = Series(dict.fromkeys(labels, ()), program="rules")
        return found


def load(folder: Path) -> Rules:
    """The rules of all files of a folder.

    Raises:
        WatchError: A file cannot be read, or is no file of rules.
    """
    found = Rules()
    for path in sorted(folder.glob("*.yml")):
        document = read_yaml(path)
        try:
            for group in document["groups"]:
                for rule in group["rules"]:
                    _add(found, rule, str(group["name"]), path.name)
        except (KeyError, TypeError, AttributeError) as error:
            raise WatchError(f"{path.name} is no file of rules: {error!r} is missing or wrong.") from None
    return found


def _add(found: Rules, rule: dict[str, Any], group: str, file: str) -> None:
    expression = str(rule["expr"])
    if "record" in rule:
        found.recordings.append(Recording(rule["record"], expression, group, file))
        return
    found.alerts.append(
        Alert(
            name=rule["alert"],
            expression=expression,
            wait=promql.seconds(str(rule["for"])) if "for" in rule else 0.0,
            labels=rule.get("labels", {}),
            annotations=rule.get("annotations", {}),
            group=group,
            file=file,
        )
    )


def read_yaml(path: Path) -> Any:
    """What a YAML file says.

    Raises:
        WatchError: It is not there, or no YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WatchError(f"{path} cannot be read: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise WatchError(f"{path} is no YAML: {error}") from None


def mistakes(rules: Rules, ours: Mapping[str, Series] | None = None) -> Iterator[str]:
    """What is wrong with rules, one line each that names the rule; nothing when all is well.

    Args:
        rules: The rules.
        ours: Our series, where they are not those of the catalogue.
    """
    series = rules.known(ours)
    names: set[str] = set()
    for recording in rules.recordings:
        yield from _told(recording.name, recording.file, _of_recording(recording, series))
    for alert in rules.alerts:
        yield from _told(alert.name, alert.file, _of_alert(alert, series))
    # Each objective records the same names, told apart by a label.
    recorded = [(each.name, each.file) for each in rules.recordings if not each.name.startswith("slo:")]
    for name, file in (*((alert.name, alert.file) for alert in rules.alerts), *recorded):
        if name in names:
            yield f"{file}: {name} is there twice"
        names.add(name)


def _told(name: str, file: str, found: Iterator[str]) -> Iterator[str]:
    yield from (f"{file}: {name}: {each}" for each in found)


def _of_recording(recording: Recording, series: Mapping[str, Series]) -> Iterator[str]:
    if not _RECORDED.fullmatch(recording.name):
        yield "a recorded name says level:metric:operations"
    yield from known.mistakes(promql.read(recording.expression), series)


def _of_alert(alert: Alert, series: Mapping[str, Series]) -> Iterator[str]:
    expression = promql.read(alert.expression)
    yield from known.mistakes(expression, series)
    if not _ALERT.fullmatch(alert.name):
        yield "an alert's name begins with Scout and is written LikeThis"
    if alert.severity not in SEVERITIES:
        yield f"its severity is one of {', '.join(SEVERITIES)}, not {alert.severity!r}"
    if alert.labels.get("group") != alert.group:
        yield f"its label group says {alert.labels.get('group')!r}, and it stands in {alert.group!r}"
    yield from (f"it has no {each}" for each in ANNOTATIONS if not alert.annotations.get(each, "").strip())
    summary = alert.annotations.get("summary", "")
    if "{{" in summary or not summary.endswith("."):
        yield "its summary is one sentence without figures: it is the headline of many at once"
    if alert.annotations.get("runbook_url") != runbook(alert.name):
        yield f"its runbook_url is {runbook(alert.name)}"
    if alert.annotations.get("dashboard_url") not in {dashboard(uid) for uid in DASHBOARDS}:
        yield "its dashboard_url leads to no dashboard of metrics/watch/dashboards.py"
    has = {label for each in expression.selectors for label in series.get(each.name, Series()).labels}
    has |= {*known.TARGET, *alert.labels}
    for label in _USED.findall(" ".join(alert.annotations.values())):
        if label not in has:
            yield f"its text says $labels.{label}, which no metric of it has"

"""The dashboards' files as Grafana gets them: their queries, and what is wrong with them.

Nothing of what drew them is asked, so that whatever is in the files is checked, and without the SDK.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metrics import catalogue
from metrics.model import PushedGauge
from metrics.watch import known, promql
from metrics.watch.dashboards import DASHBOARDS
from metrics.watch.errors import WatchError
from metrics.watch.known import Series

#: Grafana's grid has so many columns.
_COLUMNS = 24
_LABEL_VALUES = re.compile(r"label_values\((.*), (\w+)\)", re.DOTALL)
_VARIABLE = re.compile(r"\$(\w+)")
#: What Grafana fills in by itself, and what stands for it in checks: a window, or what is shown.
_FILLED = {"__rate_interval": "1m", "__range": "1h", "__interval": "15s"}
#: The type of a row's heading.
_ROW = "row"
#: `refresh` of a variable: when another time is shown.
_ON_TIME_RANGE = 2
_FIXED_RATE = re.compile(r"\brate\([^\[]*\[(?!\$__rate_interval\])")
#: The series that come from the exporter's target. What is pushed has the labels of who pushed.
CHOSEN = frozenset(
    known.ours(tuple(metric for metric in catalogue.ALL if not isinstance(metric, PushedGauge)))
) | {name for name, series in known.OTHERS.items() if series.program == "statsd_exporter"}


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a dashboard.

    Attributes:
        place: Where it stands: the dashboard, and the panel, variable or annotation.
        text: As it is written, with variables.
        promql: As Prometheus would be asked, with all chosen.
    """

    place: str
    text: str
    promql: str


@dataclass(frozen=True, slots=True)
class Document:
    """A dashboard's file.

    Attributes:
        file: The file's name.
        content: What it holds.
    """

    file: str
    content: Mapping[str, Any]

    @property
    def uid(self) -> str:
        """The dashboard's uid; empty where it has none."""
        return str(self.content.get("uid", ""))

    @property
    def panels(self) -> list[Mapping[str, Any]]:
        """Its panels, without the headings of rows."""
        return [panel for panel in self.content["panels"] if panel["type"] != _ROW]

    @property
    def variables(self) -> list[Mapping[str, Any]]:
        """Its variables."""
        return list(self.content["templating"]["list"])

    def panel_queries(self) -> Iterator[Query]:
        """The queries of its panels."""
        for panel in self.panels:
            for target in panel.get("targets", ()):
                place = f"{self.file}: {panel['title']}, {target['refId']}"
                yield Query(place, target["expr"], filled(target["expr"]))

    def queries(self) -> Iterator[Query]:
        """Every query: of panels, variables and annotations."""
        yield from self.panel_queries()
        for variable in self.variables:
            if variable["type"] == "query":
                place = f"{self.file}: variable {variable['name']}"
                yield Query(place, variable["query"]["query"], filled(variable["query"]["query"]))
        for annotation in self.content["annotations"]["list"]:
            place = f"{self.file}: annotation {annotation['name']}"
            yield Query(place, annotation["expr"], filled(annotation["expr"]))


def filled(text: str, rate_interval: str = _FILLED["__rate_interval"]) -> str:
    """A query as Prometheus is asked it, with everything chosen.

    Args:
        text: The query, with Grafana's variables. `label_values(x, label)` is asked as a count by that label.
        rate_interval: What stands for `$__rate_interval`.
    """
    values = _LABEL_VALUES.fullmatch(text)
    if values:
        text = f"count({values[1]}) by ({values[2]})"
    times = {**_FILLED, "__rate_interval": rate_interval}
    return _VARIABLE.sub(lambda match: times.get(match[1], ".+"), text)


def timed(text: str) -> str:
    """A query as it is written, its choices too, but for the times that Grafana fills in."""
    return text.replace("$__rate_interval", "1m").replace("$__range", "1h")


def load(folder: Path) -> list[Document]:
    """The dashboards of a folder, by name.

    Raises:
        WatchError: A file is no dashboard.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            document = Document(path.name, content)
            list(document.queries())
        except (ValueError, KeyError, TypeError) as error:
            raise WatchError(f"{path.name} is no dashboard: {error!r}") from None
        found.append(document)
    return found


def mistakes(documents: Iterable[Document], series: Mapping[str, Series]) -> Iterator[str]:
    """What is wrong with dashboards, one line each; nothing when all is well.

    Args:
        documents: The dashboards.
        series: Every series that there is (`Rules.known`).
    """
    documents = list(documents)
    for document in documents:
        if document.file != f"{document.uid}.json" or document.uid not in DASHBOARDS:
            yield f"{document.file}: its uid is {document.uid!r}, which is not the file's or no dashboard's"
        for query in document.queries():
            yield from (f"{query.place}: {each}" for each in _of_query(query, series))
        for finding in itertools.chain(_of_whole(document), _of_panels(document), _of_layout(document)):
            yield f"{document.file}: {finding}"
    there = {document.uid for document in documents}
    yield from (f"there is no dashboard {uid}" for uid in DASHBOARDS if uid not in there)
    yield from _unshown(documents)


def shown(documents: Iterable[Document]) -> set[str]:
    """The names of all series that a panel asks for."""
    return {
        selector.name
        for document in documents
        for query in document.panel_queries()
        for selector in promql.read(query.promql).selectors
    }


def _unshown(documents: Iterable[Document]) -> Iterator[str]:
    there = shown(documents)
    for metric in catalogue.ALL:
        on = any(name in there for name in known.ours((metric,)))
        if not on and not metric.internal:
            yield f"{metric.name} is on no panel, and the catalogue does not say why (`internal`)"
        if on and metric.internal:
            yield f"{metric.name} is on a panel, though the catalogue calls it internal"


def _of_query(query: Query, series: Mapping[str, Series]) -> Iterator[str]:
    yield from known.mistakes(promql.read(query.promql), series)
    if _LABEL_VALUES.fullmatch(query.text):
        return
    if _FIXED_RATE.search(query.text):
        yield "a rate is taken over $__rate_interval, which fits what is shown and how often it is scraped"
    for selector in promql.read(timed(query.text)).selectors:
        if selector.name in CHOSEN:
            asked = {matcher.label: matcher.value for matcher in selector.matchers}
            for label in known.TARGET:
                if asked.get(label) != f"${label}":
                    yield f"{selector.name} does not obey the choice of the {label}"


def _of_whole(document: Document) -> Iterator[str]:
    content = document.content
    if content.get("editable") is not False:
        yield "it can be edited in Grafana, where a change would be lost with the next start"
    if not content.get("title") or not content.get("description"):
        yield "it has no title, or does not say what it shows"
    names = [variable["name"] for variable in document.variables]
    texts = [query.text for query in document.queries()]
    obeying = " ".join(text for text in texts if not _LABEL_VALUES.fullmatch(text))
    for needed in ("datasource", *known.TARGET):
        if needed not in names:
            yield f"it has no variable {needed}"
    for variable in document.variables:
        if variable["type"] == "query" and variable.get("refresh") != _ON_TIME_RANGE:
            yield f"the variable {variable['name']} keeps old values when another time is shown"
        if variable["name"] != "datasource" and f"${variable['name']}" not in obeying:
            yield f"nothing obeys the variable {variable['name']}"
    for name in sorted({name for text in texts for name in _VARIABLE.findall(text)} - {*names, *_FILLED}):
        yield f"${name} is no variable of it"
    yield from (f"the title {each!r} is there twice" for each in _twice(p["title"] for p in document.panels))
    yield from (f"the id {each} is there twice" for each in _twice(p["id"] for p in content["panels"]))


def _of_panels(document: Document) -> Iterator[str]:
    for panel in document.panels:
        title = panel.get("title", "")
        if not title or not panel.get("description"):
            yield f"panel {panel['id']} has no title or no description"
        if panel.get("datasource", {}).get("uid") != "$datasource":
            yield f"{title}: it asks a data source of its own instead of the chosen one"
        if not panel["fieldConfig"]["defaults"].get("unit"):
            yield f"{title}: it says no unit"
        targets = panel.get("targets", [])
        if not targets:
            yield f"{title}: it asks for nothing"
        yield from (f"{title}: {each} is there twice" for each in _twice(t["refId"] for t in targets))
        if panel["type"] != "table" and not all(target.get("legendFormat") for target in targets):
            yield f"{title}: a line has no legend"


def _of_layout(document: Document) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    for panel in document.content["panels"]:
        place, title = panel["gridPos"], panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if x >= _COLUMNS:
                    yield f"{title}: it reaches past the page"
                if (other := taken.setdefault((x, y), title)) != title:
                    yield f"{title}: it lies over {other}"
    bottom = max((y for _, y in taken), default=-1) + 1
    gaps = sorted({y for y in range(bottom) for x in range(_COLUMNS) if (x, y) not in taken})
    if gaps:
        yield f"lines {', '.join(map(str, gaps))} of the grid have a gap"


def _twice(values: Iterable[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]

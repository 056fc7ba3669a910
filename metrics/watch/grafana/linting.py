"""What Grafana's dashboard-linter is told to leave alone, each place by itself, with the reason.

It reads `.lint` beside the dashboards (github.com/grafana/dashboard-linter, docs/index.md). Some of its rules
do not know what we have; `reading` holds what they mean:

- panel-units-rule knows the units that Grafana has a name for, but not those written out (`suffix:/h`).
- target-job-rule and target-instance-rule want every query to obey the choices of the job and the instance.
  What rules record has lost those labels, and a choice of our exporters fits no other program.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from metrics.watch import promql
from metrics.watch.grafana.reading import CHOSEN, Document, timed

#: Where the linter looks for it.
FILE = ".lint"
_HEAD = "# Made by `scout metrics dashboards --write`: what Grafana's dashboard-linter leaves alone.\n"
_UNIT = "A unit that is written out: the linter only knows those that Grafana has a name for."
_TARGET = "It asks for what is recorded or comes from another program, which has no such job or instance."


def render(documents: Iterable[Document]) -> str:
    """The linter's configuration for these dashboards."""
    units, targets = [], []
    for document in documents:
        title = document.content["title"]
        for panel in document.panels:
            place = {"dashboard": title, "panel": panel["title"]}
            if panel["fieldConfig"]["defaults"]["unit"].startswith("suffix:"):
                units.append(place)
            targets += [{**place, "targetidx": str(index)} for index in _of_others(panel)]
    told = {
        "panel-units-rule": {"reason": _UNIT, "entries": units},
        "target-job-rule": {"reason": _TARGET, "entries": targets},
        # A copy: YAML would refer to the list above, which is hard to read, and to search.
        "target-instance-rule": {"reason": _TARGET, "entries": copy.deepcopy(targets)},
    }
    return _HEAD + yaml.safe_dump({"exclusions": told}, sort_keys=False, width=110)


def _of_others(panel: Mapping[str, Any]) -> Iterator[int]:
    """The numbers of those queries that ask for more than what comes from the exporters' targets."""
    for index, target in enumerate(panel["targets"]):
        names = {selector.name for selector in promql.read(timed(target["expr"])).selectors}
        if not names <= CHOSEN:
            yield index

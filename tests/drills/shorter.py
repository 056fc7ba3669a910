"""Time made shorter: the files of `prometheus/` as they are, with every duration divided by one number.

A fault that pages after two minutes must be drilled in seconds, and by the very rules that watch in earnest.
So nothing is written twice: the files are read, their durations divided (`FACTOR`: a minute becomes a
second), and everything else stays as it is, labels, thresholds, words and routes.

Durations are windows, `for`, intervals, lifetimes in the exporter, and what an expression says of an age
(`time() - x > 3600`, `..._age_seconds > 900`, the second argument of `predict_linear`). What is not a
duration of ours stays: a page that takes two seconds is slow in a drill too. `quick` divides the pauses of
our processes by the same number.

Nothing gets shorter than what it needs to hold: a window some scrapes, an age the way of a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from metrics.watch import promql
from metrics.watch.known import LEAST_SCRAPES
from metrics.watch.rules import read_yaml

#: A minute becomes a second.
FACTOR = 60.0
#: The least seconds between two scrapes, evaluations, samples and notifications.
LEAST = 1.0
#: The least seconds of a window: it must hold some scrapes.
LEAST_WINDOW = LEAST_SCRAPES * LEAST
#: The least seconds that an age or a lifetime may mean. A sample is taken, sent, scraped and looked at, each
#: once a second at most here, and on a busy machine each may be late once.
LEAST_AGE = 8.0

#: Of the configurations of Prometheus and Alertmanager, those whose values are durations.
_DURATIONS = (
    "scrape_interval", "evaluation_interval", "interval", "group_wait", "group_interval", "repeat_interval"
)  # fmt: skip
_COMPARISONS = frozenset({">", "<", ">=", "<=", "==", "!="})
_BOUNDARIES = frozenset({"and", "or", "unless"})
_AGE = "_age_seconds"


def shortened(seconds: float, least: float = LEAST) -> float:
    """A duration of the drills."""
    return max(seconds / FACTOR, least)


def duration(text: str, least: float = LEAST) -> str:
    """A duration as Prometheus writes it (`1h30m`), shortened.

    Raises:
        PromqlError: It is none.
    """
    return f"{round(shortened(promql.seconds(text), least) * 1000)}ms"


def expression(text: str) -> str:
    """A PromQL expression with its durations shortened; the rest of it stays letter by letter.

    Raises:
        PromqlError: It holds what is no word of PromQL.
    """
    return "".join(_Expression(text).shortened())


class _Expression:
    def __init__(self, text: str) -> None:
        self._pieces = list(promql.pieces(text))
        #: The places of all that is not space.
        self._said = [place for place, (kind, _) in enumerate(self._pieces) if kind != "space"]

    def shortened(self) -> list[str]:
        texts = [text for _, text in self._pieces]
        for index, place in enumerate(self._said):
            kind, text = self._pieces[place]
            if kind == "time":
                texts[place] = duration(text, LEAST_WINDOW)
            elif kind == "word" and text.startswith(":"):  # of a subquery: how often it asks
                texts[place] = f":{duration(text[1:])}"
            elif kind == "number" and (self._bounds_an_age(index) or self._ends_a_prediction(index)):
                texts[place] = f"{shortened(float(text), LEAST_AGE):g}"
        return texts

    def _text(self, index: int) -> str:
        return self._pieces[self._said[index]][1] if 0 <= index < len(self._said) else ""

    def _bounds_an_age(self, index: int) -> bool:
        """Whether a number is what an age is compared with: what stands left of the sign is one."""
        if self._text(index - 1) not in _COMPARISONS or float(self._text(index)) == 0:
            return False
        depth = inside = 0
        for place in range(index - 2, -1, -1):
            text = self._text(place)
            depth += (text == ")") - (text == "(")
            inside += (text == "}") - (text == "{")
            if depth < 0 or (depth == 0 and text in _BOUNDARIES) or (not inside and text in _COMPARISONS):
                return False
            if text.endswith(_AGE) or (text, self._text(place + 1)) == ("time", "("):
                return True
        return False

    def _ends_a_prediction(self, index: int) -> bool:
        """Whether a number is the last one of `predict_linear(..., 3 * 86400)`."""
        if self._text(index + 1) != ")":
            return False
        depth = 0
        for place in range(index - 1, -1, -1):
            text = self._text(place)
            depth += (text == ")") - (text == "(")
            if depth < 0:
                return self._text(place - 1) == "predict_linear"
        return False


def rules(document: Mapping[str, Any]) -> dict[str, Any]:
    """A file of rules."""
    return {**document, "groups": [_group(group) for group in document["groups"]]}


def _group(group: Mapping[str, Any]) -> dict[str, Any]:
    every = {"interval": duration(group["interval"])} if "interval" in group else {}
    return {**group, **every, "rules": [_rule(rule) for rule in group["rules"]]}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    waits = {name: duration(rule[name]) for name in ("for", "keep_firing_for") if name in rule}
    return {**rule, **waits, "expr": expression(rule["expr"])}


def configuration(document: Any) -> Any:
    """The configuration of Prometheus or Alertmanager, wherever its durations stand."""
    if isinstance(document, list):
        return [configuration(each) for each in document]
    if not isinstance(document, dict):
        return document
    return {
        name: duration(value) if name in _DURATIONS else configuration(value)
        for name, value in document.items()
    }


def mapping(document: Mapping[str, Any]) -> dict[str, Any]:
    """The exporter's mapping file: the lifetimes of its gauges. Which rules it holds does not change."""
    shorter = [
        {**rule, "ttl": duration(rule["ttl"], LEAST_AGE)} if "ttl" in rule else rule
        for rule in document["mappings"]
    ]
    return {**document, "mappings": shorter}


def write(document: Any, path: Path) -> None:
    """Write a shortened file."""
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=1000), encoding="utf-8")


def rewrite(path: Path) -> None:
    """Shorten a file of rules or a configuration in its place."""
    document = read_yaml(path)
    write(rules(document) if "groups" in document else configuration(document), path)

"""Metric families: parsed from Prometheus text, and written as it.

The parser takes what the text format 0.0.4 allows (Prometheus documentation, "Exposition formats") and
refuses the rest with the line's number. One family's samples may stand anywhere in the text, as for the real
program.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from metrics.embedded import floats, text

if TYPE_CHECKING:
    from collections.abc import Iterator

Labels = tuple[tuple[str, str], ...]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*')
_VALUE = re.compile(r"([^ \t]+)(?:[ \t]+([+-]?[0-9]{1,18}))?")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"\\": "\\", '"': '"', "n": "\n"}
_COMMENT = re.compile(r"#[ \t]*(HELP|TYPE)[ \t]+([^ \t]+)(?:[ \t]+(.*))?")
_KINDS = ("counter", "gauge", "histogram", "summary", "untyped")
_SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}
_OWN_LABEL = {"histogram": "le", "summary": "quantile"}


class ParseError(Exception):
    """A text is not in the format; says where and why."""


class Metric:
    """One metric of a family: a value, or a distribution.

    Attributes:
        labels: Its labels, sorted by name; neither `le` nor `quantile`.
        value: A counter's, gauge's or untyped metric's value.
        total: A distribution's sum.
        count: A distribution's count.
        points: A histogram's buckets by bound, or a summary's values by quantile, as they were sent.
    """

    __slots__ = ("count", "labels", "points", "total", "value")

    def __init__(self, labels: Labels, value: float = 0.0) -> None:
        self.labels = labels
        self.value = value
        self.total = 0.0
        self.count = 0.0
        self.points: list[tuple[float, float]] = []

    def under(self, grouping: dict[str, str]) -> None:
        """Give the metric its group's labels, which win over its own, and at least an empty `instance`."""
        self.labels = tuple(sorted({"instance": "", **dict(self.labels), **grouping}.items()))


class Family:
    """All metrics of one name in one group.

    Attributes:
        name: The name.
        kind: `counter`, `gauge`, `histogram`, `summary` or `untyped`.
        help: The help, or empty.
        metrics: The metrics in the order they were sent.
        pushed: When it was pushed, in seconds since 1970.
        stamped: Whether one of them came with a timestamp, which a push must not have.
    """

    __slots__ = ("help", "kind", "metrics", "name", "pushed", "stamped")

    def __init__(self, name: str, kind: str = "untyped", help_text: str = "") -> None:
        self.name = name
        self.kind = kind
        self.help = help_text
        self.metrics: list[Metric] = []
        self.pushed = 0.0
        self.stamped = False

    def head(self) -> str:
        """The lines that open the family."""
        if self.help:
            return text.head(self.name, self.kind, self.help)
        return f"# TYPE {self.name} {self.kind}\n"

    def lines(self, metric: Metric) -> str:
        """One of its metrics as lines of text."""
        labels = text.labels(metric.labels)
        braced = f"{{{labels}}}" if labels else ""
        if self.kind not in _SUFFIXES:
            return f"{self.name}{braced} {floats.render(metric.value)}\n"
        own = _OWN_LABEL[self.kind]
        opening = (
            f"{self.name}{'_bucket' if self.kind == 'histogram' else ''}{{{labels}{',' if labels else ''}"
        )
        points = list(metric.points)
        if self.kind == "histogram" and not any(bound == math.inf for bound, _ in points):
            points.append((math.inf, metric.count))
        lines = [
            f'{opening}{own}="{floats.render(bound)}"}} {floats.render(value)}\n' for bound, value in points
        ]
        lines.append(f"{self.name}_sum{braced} {floats.render(metric.total)}\n")
        lines.append(f"{self.name}_count{braced} {floats.render(metric.count)}\n")
        return "".join(lines)

    def text(self) -> Iterator[str]:
        """The family as text."""
        yield self.head()
        for metric in self.metrics:
            yield self.lines(metric)


def parse(body: str) -> dict[str, Family]:
    """The families in a text, by name; those without a sample are left out.

    Raises:
        ParseError: A line is not in the format, or the last line has no end.
    """
    if body and not body.endswith("\n"):
        raise ParseError("the last line does not end in a newline")
    parser = _Parser()
    for number, line in enumerate(body.split("\n")[:-1], start=1):
        try:
            parser.line(line.lstrip(" \t"))
        except ParseError as error:
            raise ParseError(f"line {number}: {error}") from None
    return {name: family for name, family in parser.families.items() if family.metrics}


def is_label_name(name: str) -> bool:
    """Whether a label may have that name; those that begin with `__` are Prometheus's own."""
    return _LABEL_NAME.fullmatch(name) is not None and not name.startswith("__")


class _Parser:
    def __init__(self) -> None:
        self.families: dict[str, Family] = {}
        self._typed: set[str] = set()
        self._helped: set[str] = set()
        #: Distributions by family and labels, because each spreads over several lines.
        self._spread: dict[tuple[str, Labels], Metric] = {}

    def line(self, line: str) -> None:
        if line.startswith("#"):
            self._comment(line)
        elif line:
            self._sample(line)

    def _comment(self, line: str) -> None:
        found = _COMMENT.fullmatch(line)
        if not found:
            return
        word, name, rest = found.groups()
        if not _NAME.fullmatch(name):
            raise ParseError(f"{name!r} is no metric name")
        family = self.families.setdefault(name, Family(name))
        if word == "HELP":
            if name in self._helped:
                raise ParseError(f"{name} has a second HELP")
            self._helped.add(name)
            family.help = re.sub(r"\\([\\n])", lambda escape: _ESCAPED[escape[1]], rest or "")
            return
        if name in self._typed or family.metrics:
            raise ParseError(f"{name} has a second TYPE, or one after its first sample")
        kind = (rest or "").lower()
        if kind not in _KINDS:
            raise ParseError(f"{rest!r} is no type of metric")
        self._typed.add(name)
        family.kind = kind

    def _sample(self, line: str) -> None:
        found = _NAME.match(line)
        if not found:
            raise ParseError("a metric name is missing")
        name = found[0]
        rest = line[found.end() :].lstrip(" \t")
        labels: dict[str, str] = {}
        if rest.startswith("{"):
            rest = self._labels(rest[1:], labels)
        elif rest == line[found.end() :]:
            raise ParseError(f"something that is no name follows {name}")
        value = _VALUE.fullmatch(rest.lstrip(" \t"))
        if not value:
            raise ParseError(f"{name} is not followed by one value, and perhaps a timestamp")
        family = self._family(name)
        family.stamped |= value[2] is not None
        self._add(family, name.removeprefix(family.name), labels, _number(value[1]))

    def _labels(self, rest: str, labels: dict[str, str]) -> str:
        """Read labels up to the closing brace; answers what follows it."""
        while True:
            rest = rest.lstrip(" \t")
            if rest.startswith("}"):
                return rest[1:]
            found = _LABEL.match(rest)
            if not found:
                raise ParseError('a label is not written as name="value"')
            name, value = found.groups()
            if name == "__name__":
                raise ParseError("the label __name__ is Prometheus's own")
            if name in labels:
                raise ParseError(f"the label {name} stands twice")
            labels[name] = _ESCAPE.sub(_unescape, value)
            rest = rest[found.end() :]
            if rest.startswith(","):
                rest = rest[1:]
            elif not rest.startswith("}"):
                raise ParseError("a comma or a closing brace is missing after a label")

    def _family(self, name: str) -> Family:
        if name in self.families:
            return self.families[name]
        for suffix in ("_bucket", "_count", "_sum"):
            family = self.families.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
            if family is not None and suffix in _SUFFIXES.get(family.kind, ()):
                return family
        return self.families.setdefault(name, Family(name))

    def _add(self, family: Family, suffix: str, labels: dict[str, str], value: float) -> None:
        own = _OWN_LABEL.get(family.kind)
        if own is None:
            family.metrics.append(Metric(tuple(sorted(labels.items())), value))
            return
        point = labels.pop(own, None)
        key = tuple(sorted(labels.items()))
        metric = self._spread.get((family.name, key))
        if metric is None:
            metric = self._spread[family.name, key] = Metric(key)
            family.metrics.append(metric)
        if suffix == "_sum":
            metric.total = value
        elif suffix == "_count":
            metric.count = value
        elif (suffix == "_bucket") == (family.kind == "histogram") and point is not None:
            metric.points.append((_number(point), value))
        else:
            raise ParseError(f"a sample of the {family.kind} {family.name} has the wrong name or no {own}")


def _number(word: str) -> float:
    if "_" in word or "p" in word.lower():
        raise ParseError(f"{word!r} is no number in this format")
    try:
        return floats.parse(word)
    except (ValueError, OverflowError):
        raise ParseError(f"{word!r} is no number") from None


def _unescape(escape: re.Match[str]) -> str:
    if escape[1] not in _ESCAPED:
        raise ParseError(f"{escape[0]} is no escape in a label's value")
    return _ESCAPED[escape[1]]

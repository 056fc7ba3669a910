"""What a PromQL expression asks for: its selectors with their labels, and the labels that it groups by.

This reads words, it does not judge grammar: whether an expression is well-formed, `promtool` says. What it
must never do is miss a metric, as a name that is overlooked is one that can be renamed unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from metrics.watch.errors import WatchError

#: Words of the language (Prometheus documentation, "Operators" and "Querying basics").
_OPERATORS = frozenset({"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"})
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})

_TOKEN = re.compile(
    r"""
      (?P<space>   (?: \s+ | \#[^\n]* )+ )
    | (?P<string>  "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `[^`]*` )
    | (?P<time>    (?:\d+(?:ms|[smhdwy]))+ (?![\w.]) )
    | (?P<number>  0[xX][0-9a-fA-F]+ | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? )
    | (?P<word>    [a-zA-Z_:][a-zA-Z0-9_:]* )
    | (?P<sign>    =~ | !~ | != | == | <= | >= | [-+*/%^<>=(){}\[\],:@] )
    """,
    re.VERBOSE,
)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}


class PromqlError(WatchError):
    """An expression holds what is no word of PromQL."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a selector asks of a label: `status=~"5.."`."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric that is asked for.

    Attributes:
        name: Its name; empty where only labels select.
        matchers: What is asked of its labels.
        window: Seconds of its range (`[5m]`); None for the moment alone.
        function: What is called with it, such as `rate`; empty for none.
    """

    name: str
    matchers: tuple[Matcher, ...] = ()
    window: float | None = None
    function: str = ""


@dataclass(slots=True)
class Expression:
    """What an expression asks for.

    Attributes:
        selectors: The metrics, in order.
        labels: The labels that it groups, matches or brings over by.
    """

    selectors: list[Selector] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


def read(text: str) -> Expression:
    """What an expression asks for.

    Raises:
        PromqlError: It holds what is no word of PromQL, or ends in the middle.
    """
    return _Reader(text).read()


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """The words of an expression, each with its kind: together they are the text, spaces and comments too.

    Raises:
        PromqlError: It holds what is no word of PromQL.
    """
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None or token.lastgroup is None:
            raise PromqlError(f"{text[place : place + 20]!r} is no PromQL, in: {text}")
        yield token.lastgroup, token.group()
        place = token.end()


def seconds(text: str) -> float:
    """A duration as Prometheus writes it (`1h30m`), in seconds.

    Raises:
        PromqlError: It is none.
    """
    parts = re.findall(r"(\d+)(ms|[smhdwy])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise PromqlError(f"{text!r} is no duration such as 5m or 1h30m.")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [piece for piece in pieces(text) if piece[0] != "space"]
        self._place = 0
        self._found = Expression()
        #: The function of each open parenthesis.
        self._open: list[str] = []

    def _next(self, ahead: int = 0) -> tuple[str, str]:
        place = self._place + ahead
        return self._tokens[place] if place < len(self._tokens) else ("", "")

    def _take(self, expected: str = "") -> str:
        kind, text = self._next()
        if not kind or (expected and text != expected):
            raise PromqlError(f"Here {expected or 'more'} is missing: {self._text}")
        self._place += 1
        return text

    def read(self) -> Expression:
        while self._place < len(self._tokens):
            kind, text = self._next()
            if kind == "word":
                self._word(text)
            elif text == "{":
                self._selector("")
            elif text == "[":  # of a subquery, as those of selectors are taken with them
                self._until("]")
            else:
                self._take()
                if text == "(":
                    self._open.append("")
                elif text == ")":
                    if not self._open:
                        raise PromqlError(f"A parenthesis closes that none opened: {self._text}")
                    self._open.pop()
        if self._open:
            raise PromqlError(f"A parenthesis does not close: {self._text}")
        return self._found

    def _word(self, text: str) -> None:
        lower, follows = text.lower(), self._next(1)[1]
        if lower in _GROUPING:
            self._take()
            if self._next()[1] == "(":
                self._take()
                self._found.labels += [word for word in self._until(")") if word != ","]
        elif lower in _OPERATORS:
            self._take()
        elif follows == "(":
            self._take()
            self._take()
            self._open.append(text)
        elif follows.lower() in {"by", "without"}:
            # An aggregation that says its labels first: sum by (job) (...)
            self._take()
        else:
            self._take()
            self._selector(text)

    def _selector(self, name: str) -> None:
        matchers = tuple(self._matchers()) if self._next()[1] == "{" else ()
        if not name:
            name = next((m.value for m in matchers if (m.label, m.operator) == ("__name__", "=")), "")
        window = None
        if self._next()[1] == "[":
            inside = self._until("]", opening="[")
            window = seconds(inside[0]) if inside else None
        function = next((each for each in reversed(self._open) if each), "")
        self._found.selectors.append(Selector(name, matchers, window, function))

    def _matchers(self) -> list[Matcher]:
        self._take("{")
        found = []
        while self._next()[1] != "}":
            label, operator, value = self._take(), self._take(), self._take()
            if operator not in {"=", "!=", "=~", "!~"} or value[:1] not in "\"'`":
                raise PromqlError(f"A label is asked for as {label}{operator}{value}: {self._text}")
            found.append(Matcher(label, operator, _unquoted(value)))
            if self._next()[1] == ",":
                self._take()
        self._take("}")
        return found

    def _until(self, closing: str, opening: str = "") -> list[str]:
        """The words up to a closing sign, which is taken too."""
        if opening:
            self._take(opening)
        found = []
        while (word := self._take()) != closing:
            found.append(word)
        return found


def _unquoted(text: str) -> str:
    inside = text[1:-1]
    return inside if text[0] == "`" else re.sub(r"\\(.)", r"\1", inside)

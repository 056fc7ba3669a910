"""Names and label values with captures in them: `$1`, `${1}`; `$0` is all of what was matched.

Two dialects, because the real exporter has two: glob rules use its own (`pkg/mapper/fsm/formatter.go`), regex
rules use Go's `regexp.Expand`. In both, `$1_total` names the capture `1_total`, which there is not, and
becomes empty: write `${1}_total` (rule M6).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_GLOB_CAPTURE = re.compile(r"\$\{?([a-zA-Z0-9_$]+)\}?")
_REGEX_CAPTURE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")
_NUMBER = re.compile(r"[0-9]+", re.ASCII)


class GlobTemplate:
    """A template of a glob rule, with captures counted from 1; 0 stands for the StatsD name.

    Args:
        text: The template.
        captures: How many captures the rule's glob has; a number beyond them becomes empty.

    Raises:
        ValueError: The template holds captures and a percent sign, which the real exporter garbles.
    """

    __slots__ = ("_indexes", "_pieces")

    def __init__(self, text: str, captures: int) -> None:
        self._indexes: list[int] = []
        found = list(_GLOB_CAPTURE.finditer(text))
        if not found:
            self._pieces = [text]
            return
        if "%" in text:
            raise ValueError("a percent sign beside a capture comes out garbled: leave it away")
        slotted = text
        for match in found:
            index = int(match[1]) if _NUMBER.fullmatch(match[1]) else -1
            known = 0 <= index <= captures
            # All places at once, those inside a longer number too: so does the real one (`$1` inside `$12`).
            slotted = slotted.replace(match[0], "%" if known else "")
            if known:
                self._indexes.append(index)
        self._pieces = slotted.split("%")

    def fill(self, name: str, captures: Sequence[str]) -> str:
        """The template's text with a StatsD name and these captures in it."""
        values = [captures[index - 1] if index else name for index in self._indexes]
        slots = len(self._pieces) - 1
        text = self._pieces[0]
        for slot in range(slots):
            value = values[slot] if slot < len(values) else "%!s(MISSING)"
            text += value + self._pieces[slot + 1]
        if len(values) > slots:
            extra = ", ".join(f"string={value}" for value in values[slots:])
            text += f"%!(EXTRA {extra})"
        return text


def expand(template: str, match: re.Match[str]) -> str:
    """The text of a regex rule's template, for what the regex found; unknown captures become empty."""

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        key = found[2] or found[3]
        try:
            return match[int(key) if _NUMBER.fullmatch(key) else key] or ""
        except IndexError:
            return ""

    return _REGEX_CAPTURE.sub(value, template)

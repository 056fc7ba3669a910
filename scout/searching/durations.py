"""Spans of time as they are typed: `12h`, `3d`, `2w`, `1m`."""

from __future__ import annotations

import datetime as dt
import re

_SPAN = re.compile(r"(\d{1,4})(h|d|w|m|y)")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "m": 30 * 24, "y": 365 * 24}
_NAMES = {"h": "hour", "d": "day", "w": "week", "m": "month", "y": "year"}


def read(text: str) -> dt.timedelta | None:
    """The span that a text such as `3d` names; None where it names none. A month has 30 days."""
    match = _SPAN.fullmatch(text.lower())
    return dt.timedelta(hours=int(match[1]) * _HOURS[match[2]]) if match and int(match[1]) else None


def words(text: str) -> str:
    """The same for people: `3 days`."""
    match = _SPAN.fullmatch(text.lower())
    if match is None:
        return text
    number, name = int(match[1]), _NAMES[match[2]]
    return name if number == 1 else f"{number} {name}s"

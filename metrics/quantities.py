"""How a figure is said to people: by what it counts, with as many digits as are read."""

from __future__ import annotations

import enum
import math

from metrics.model import Unit

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_THOUSAND = 1000.0
#: Past this, a figure is a slip or a trick, and is said as a power of ten.
_HUGE = 1e15


class Quantity(enum.StrEnum):
    """What a figure counts, which says how it is written. Grafana's units follow from these too."""

    COUNT = "count"
    PER_SECOND = "per second"
    PER_HOUR = "per hour"
    SECONDS = "seconds"
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes per second"
    RATIO = "ratio"

    @property
    def unit(self) -> Unit:
        """The unit that Prometheus would name it by."""
        return {Quantity.SECONDS: Unit.SECONDS, Quantity.BYTES: Unit.BYTES}.get(self, Unit.NONE)

    @property
    def whole(self) -> bool:
        """Whether there is nothing between two neighbouring whole numbers."""
        return self is Quantity.COUNT


_PER = {Quantity.PER_SECOND: "/s", Quantity.PER_HOUR: "/h", Quantity.BYTES_PER_SECOND: "/s"}


def said(value: float, quantity: Quantity) -> str:
    """A figure in words: `120 ms`, `1.4 MB`, `2.5 %`, `12,300`; `no figure` for what is no finite number."""
    if not math.isfinite(value):
        return "no figure"
    if value < 0:
        return f"-{said(-value, quantity)}"
    if quantity is Quantity.SECONDS:
        return _seconds(value)
    if quantity in {Quantity.BYTES, Quantity.BYTES_PER_SECOND}:
        return _scaled(value, ("B", "kB", "MB", "GB", "TB")) + _PER.get(quantity, "")
    if quantity is Quantity.RATIO:
        return f"{_digits(value * 100)} %"
    return _count(value) + _PER.get(quantity, "")


def _seconds(value: float) -> str:
    if value < 1:
        return f"{_digits(value * 1000)} ms" if value else "0 s"
    for length, word in ((_MINUTE, "s"), (_HOUR, "min"), (2 * _DAY, "h")):
        if value < length:
            return f"{_digits(value / {'s': 1.0, 'min': _MINUTE, 'h': _HOUR}[word])} {word}"
    return f"{_digits(value / _DAY)} days"


def _count(value: float) -> str:
    if value < 100 * _THOUSAND:
        return f"{value:,.0f}" if value == int(value) else _digits(value)
    return _scaled(value, ("", "k", "M", "G", "T"))


def _scaled(value: float, words: tuple[str, ...]) -> str:
    if value >= _HUGE:
        return f"{value:.1e} {words[0]}".rstrip()
    for word in words[:-1]:
        if value < _THOUSAND:
            return f"{_digits(value)} {word}".rstrip()
        value /= _THOUSAND
    return f"{_digits(value)} {words[-1]}"


def _digits(value: float) -> str:
    """Three digits that matter, and no trailing zeros behind the point."""
    if value >= _HUGE:
        return f"{value:.1e}"
    if value >= 100 or value == 0:  # noqa: PLR2004 - three digits are before the point already
        return f"{value:,.0f}"
    places = min(max(2 - math.floor(math.log10(value)), 0), 6)
    return f"{value:.{places}f}".rstrip("0").rstrip(".") or "0"

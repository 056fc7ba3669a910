"""Numbers as Go reads and writes them, because the real programs are written in Go.

`parse` accepts what `strconv.ParseFloat` accepts and nothing else; `render` writes what Prometheus's text
format writes (the shortest digits that read back as the same number).
"""

from __future__ import annotations

import math
import re

_DIGITS = r"[0-9](?:_?[0-9])*"
_HEX_DIGITS = r"[0-9a-f](?:_?[0-9a-f])*"
_DECIMAL = re.compile(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:e[+-]?{_DIGITS})?", re.IGNORECASE)
_HEX = re.compile(
    rf"[+-]?0x(?:_?{_HEX_DIGITS}\.?(?:{_HEX_DIGITS})?|\.{_HEX_DIGITS})p[+-]?{_DIGITS}", re.IGNORECASE
)
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)

#: What nearly every number on the wire is made of. Go and Python agree on numbers of these characters.
PLAIN = "0123456789.:+-eE"

_EXACT_INTEGERS = 1e6


def parse(text: str) -> float:
    """The number that Go's `strconv.ParseFloat` reads.

    Raises:
        OverflowError: The text is a number, but too large for 64 bits; Go answers with an infinity as well.
        ValueError: The text is no number.
    """
    if _DECIMAL.fullmatch(text):
        value = float(text.replace("_", ""))
        if math.isinf(value):
            raise OverflowError(text)
        return value
    if _INFINITE.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    if text.lower() == "nan":
        return math.nan
    if _HEX.fullmatch(text):
        return float.fromhex(text.replace("_", ""))
    raise ValueError(text)


def render(value: float) -> str:
    """The number as the text format writes it: `1`, `0.25`, `1e+06`, `+Inf`, `NaN`."""
    if -_EXACT_INTEGERS < value < _EXACT_INTEGERS and value.is_integer():
        return str(int(value))
    if value != value:  # noqa: PLR0124  # the cheapest test for NaN, on a path taken for every sample
        return "NaN"
    text = repr(value)
    if text.endswith("inf"):
        return "-Inf" if value < 0 else "+Inf"
    mantissa, _, exponent = text.partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    if fraction == "0":
        fraction = ""
    # Where the point stands, counted from the first digit that is not zero.
    digits = (whole + fraction).lstrip("0")
    point = len(whole) - (len(whole + fraction) - len(digits)) + int(exponent or 0)
    digits = digits.rstrip("0")
    power = point - 1
    if not -4 <= power < 6:  # noqa: PLR2004  # Go's bounds for its format 'g'
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{power:+03d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits[:point]}.{digits[point:]}"

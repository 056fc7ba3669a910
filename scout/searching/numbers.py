"""Numbers as they are typed in a search: `>70`, `60..80`, `>=120k`, `€90,000`, `120k-eur`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from scout import digits

_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
_COMPARED = re.compile(r"(>=|<=|>|<|=|)(.+)")
_AMOUNT = re.compile(
    r"(?P<before>[a-z]{3}|[$€£¥₹])?[ -]?"
    r"(?P<digits>\d[\d,.'’_]*)(?P<times>k|m)?"  # noqa: RUF001 - the sign of thousands in Switzerland
    r"[ -]?(?P<after>[a-z]{3}|[$€£¥₹])?"
)
_GROUPED = re.compile(r"\d{1,3}(?:[,.'’_]\d{3})+")  # noqa: RUF001 - likewise
_TIMES = {"k": 1000, "m": 1_000_000, None: 1}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what a number is to be; None is open. Both ends are meant, and whole.

    Attributes:
        least: The least that fits.
        most: The most that fits.
        currency: ISO 4217 code, or empty where none was named.
    """

    least: int | None
    most: int | None
    currency: str = ""


def read(text: str) -> Bounds | None:
    """What a comparison, a range or a number alone asks for; None where it is none.

    A number alone is the least: whoever asks for a score of 70 does not mind 71.
    """
    text = text.strip().lower()
    low, dots, high = text.partition("..")
    if dots:
        return _range(low, high)
    match = _COMPARED.fullmatch(text)
    told = _amount(match[2]) if match else None
    if match is None or told is None:
        return None
    number, currency = told
    from_here, to_here = _whole(math.ceil(number)), _whole(number)
    least, most = {
        ">": (_whole(to_here + 1), None),
        "<": (None, from_here - 1),
        "<=": (None, to_here),
        "=": (from_here, to_here),
    }.get(match[1], (from_here, None))
    return Bounds(least, most, currency)


def _range(low: str, high: str) -> Bounds | None:
    least, most = _amount(low), _amount(high)
    if least is None or most is None:
        return None
    if least[0] < 1000 <= most[0] and low.strip().isdigit():  # noqa: PLR2004 - `60..80k` means thousands twice
        least = least[0] * 1000, least[1]
    first, last = sorted((_whole(least[0]), _whole(most[0])))
    return Bounds(first, last, least[1] or most[1])


def _whole(number: float) -> int:
    return min(int(number), digits.MOST)


def _amount(text: str) -> tuple[float, str] | None:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or (match["before"] and match["after"]):
        return None
    said = match["digits"]
    if _GROUPED.fullmatch(said):
        said = re.sub(r"[^\d]", "", said)
    try:
        number = float(said.replace("_", ""))
    except ValueError:
        return None
    sign = match["before"] or match["after"] or ""
    # Three hundred digits are infinity to `float`, which no integer is.
    return min(number * _TIMES[match["times"]], float(digits.MOST)), _SIGNS.get(sign, sign.upper())

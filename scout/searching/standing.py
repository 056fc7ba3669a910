"""What of a job's places and pay stands in columns of its own, so that filters and orders can compare it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: How many of each period a year has: 2,080 working hours, 260 days (as `scout.matching.wishes` counts).
_PERIODS = {"hour": 2080, "day": 260, "week": 52, "month": 12, "year": 1}
_LONGEST = 200
_MOST = 2**31 - 1


def countries(places: Iterable[Mapping[str, Any]]) -> str:
    """The ISO codes of the countries of some places, each once, in order, parted by spaces."""
    codes = dict.fromkeys(str(each.get("country") or "") for each in places)
    return " ".join(filter(None, codes))[:_LONGEST].strip()


def yearly(salary: Mapping[str, Any] | None) -> int | None:
    """The most that is paid in a year, in the currency as it is stated; None where that cannot be told.

    An amount without a period is taken for a year's.
    """
    if not salary:
        return None
    amounts = [salary.get("maximum"), salary.get("minimum")]
    amount = next((float(each) for each in amounts if isinstance(each, int | float)), None)
    times = _PERIODS.get(str(salary.get("period") or "year"))
    if amount is None or times is None or not 0 < amount * times <= _MOST:
        return None
    return int(amount * times)


def currency(salary: Mapping[str, Any] | None) -> str:
    """The ISO 4217 code of the currency that pay is stated in, or empty."""
    return str((salary or {}).get("currency") or "")[:3]

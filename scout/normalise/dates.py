"""Times as boards write them."""

from __future__ import annotations

import datetime as dt
import email.utils
import math
from typing import Any

from scout import clock

_EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MILLISECONDS = 100_000_000_000


def when(value: Any) -> dt.datetime | None:
    """A board's time, aware, in UTC; None when it cannot be read, is before 2000, or is in the future.

    Reads ISO 8601 with or without zone (UTC is assumed), RFC 822, and seconds or milliseconds since 1970,
    told apart by their size.
    """
    found = _time(value)
    if found is None or not _EARLIEST <= found <= clock.now():
        return None
    return found


def _time(value: Any) -> dt.datetime | None:  # noqa: PLR0911 - one return per form
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        if not math.isfinite(value) or abs(value) > 1e14:  # noqa: PLR2004 - past any date
            return None
        seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
        return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(seconds=max(seconds, 0.0))
    if not isinstance(value, str):
        return None
    text = value.strip()[:64].removesuffix(" UTC")
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        try:
            found = email.utils.parsedate_to_datetime(text)
        except (ValueError, OverflowError, IndexError):
            return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=dt.UTC)
    try:
        return found.astimezone(dt.UTC)
    except OverflowError:
        return None

"""The one clock. Everything that asks for the time asks here, in UTC, so that tests can set it."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """The time now, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def iso(time: dt.datetime | None) -> str | None:
    """A time as JSON tells it: ISO 8601 in UTC, with a Z; None stays None."""
    return None if time is None else time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")

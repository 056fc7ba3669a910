"""Hours as the owner lives them: quiet hours, and when the next digest is due."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from pathlib import Path

from scout.errors import ScoutError

_QUIET = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


class HoursUnusable(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A time zone or quiet hours that mean nothing. The text says what is taken."""


def zone(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of this name, such as `Europe/Zurich`.

    Raises:
        HoursUnusable: There is none.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise HoursUnusable(
            f"There is no time zone {name!r}: write one such as Europe/Zurich, America/New_York or UTC."
        ) from None


def zone_here() -> str:
    """The name of this machine's time zone, or `UTC` where it does not tell."""
    name = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    try:
        zone(name)
    except HoursUnusable:
        return "UTC"
    return name


def check_quiet(quiet: str) -> None:
    """See that quiet hours can be read; empty is none.

    Raises:
        HoursUnusable: They cannot.
    """
    match = _QUIET.fullmatch(quiet)
    if quiet and (match is None or match[1] + match[2] == match[3] + match[4]):
        raise HoursUnusable(f"Quiet hours {quiet!r}: write when they begin and end, such as 22:00-07:00.")


def is_quiet(now: dt.datetime, quiet: str, timezone: str) -> bool:
    """Whether a moment lies within quiet hours; those that end before they begin go over midnight."""
    match = _QUIET.fullmatch(quiet)
    if match is None:
        return False
    here = now.astimezone(zone(timezone)).time()
    begin, end = dt.time(int(match[1]), int(match[2])), dt.time(int(match[3]), int(match[4]))
    return begin <= here < end if begin < end else here >= begin or here < end


def next_digest(after: dt.datetime, *, weekly: bool, weekday: int, hour: int, timezone: str) -> dt.datetime:
    """The first time after a moment at which a digest is due, in UTC.

    On the day on which clocks skip its hour it comes an hour later; where they show it twice, the first time.
    """
    here = zone(timezone)
    day = after.astimezone(here).date()
    while True:
        due = dt.datetime.combine(day, dt.time(hour), here).astimezone(dt.UTC)
        if due > after and (not weekly or day.weekday() == weekday):
            return due
        day += dt.timedelta(days=1)

"""When a board is due again: what follows from its terms, its owner, its habits and how its last scan ended.

Pure functions of what they are given. `scout.endings` asks them when a scan has ended, the scheduler when
one is due, and the command line when its owner changed something.
"""

from __future__ import annotations

import datetime as dt
import random
import re
import zoneinfo
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from scout.fetch import is_here, overrides
from scout.models import Source
from scout.settings import SettingError, Settings
from scout.sources.about import origins
from scout.sources.board import Kind

T = TypeVar("T")

#: A board that keeps failing, or that hardly ever changes, is still asked once a day.
LONGEST_PAUSE = dt.timedelta(days=1)
#: No wait that a board asks for is taken for longer than this (`Retry-After`, RFC 9110 section 10.2.3).
LONGEST_RETRY_AFTER = dt.timedelta(days=1)
#: Scans are spread by up to this part of their interval, so that boards added together do not stay together.
JITTER = 0.1
#: After the end of quiet hours scans are spread by up to this.
MORNING = dt.timedelta(minutes=20)
#: How long a scan may be overdue before the machine is taken to have been off.
LATE = dt.timedelta(minutes=10)
#: So many late scans are asked for at once; the others follow, one each `STEP`, all within `LONGEST_SPREAD`.
AT_ONCE = 4
STEP = dt.timedelta(seconds=20)
LONGEST_SPREAD = dt.timedelta(minutes=30)

#: Of how many scans found something changed, what is believed of a board that was never scanned.
UNKNOWN_CHANGES = 0.5
#: What one more scan counts in that share.
_WEIGHT = 0.2
#: The interval of boards that change in at least so many of their scans, in parts of the usual one.
_PACES = ((0.75, 0.5), (0.25, 1.0), (0.1, 2.0), (0.0, 4.0))

_SPAN = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,2})?)\s*(m|min|h|d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A part of each day in which no scan is begun by the schedule.

    Attributes:
        begin: The time of the day at which it begins.
        end: The time of the day at which it ends; before `begin` when it lasts over midnight.
    """

    begin: dt.time
    end: dt.time

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    def holds(self, moment: dt.datetime, zone: dt.tzinfo) -> bool:
        """Whether a moment lies in it, by the clocks of a time zone."""
        time = moment.astimezone(zone).time()
        if self.begin < self.end:
            return self.begin <= time < self.end
        return time >= self.begin or time < self.end

    def over(self, moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
        """The moment at which it is over; the moment itself if it does not lie in it."""
        if not self.holds(moment, zone):
            return moment
        day = moment.astimezone(zone).date()
        for days in (0, 1):
            # Where clocks are set back the end comes twice: the second one is meant if the first is over.
            for fold in (0, 1):
                end = dt.datetime.combine(day + dt.timedelta(days=days), self.end, zone).replace(fold=fold)
                if end.astimezone(dt.UTC) > moment:
                    return end.astimezone(dt.UTC)
        raise AssertionError("the end of tomorrow's quiet hours lies ahead")


def quiet_hours(text: str) -> QuietHours | None:
    """Quiet hours in the form that `scout.settings.quiet_hours` gives them; None for none."""
    if not text:
        return None
    begin, end = (dt.time.fromisoformat(time) for time in text.split("-"))
    return QuietHours(begin, end)


def span(name: str, text: str) -> dt.timedelta:
    """A length of time as it is written: `30m`, `6h`, `1.5h` or `2d`.

    Raises:
        SettingError: It is none, or shorter than a minute or longer than a week. `name` is what it calls it.
    """
    found = _SPAN.fullmatch(text.strip())
    unit = {"m": "minutes", "h": "hours", "d": "days"}[found[2][0].lower()] if found else ""
    length = dt.timedelta(**{unit: float(found[1])}) if found else dt.timedelta()
    if not dt.timedelta(minutes=1) <= length <= dt.timedelta(days=7):
        raise SettingError(f"{name}={text!r}: write 30m, 6h or 2d; from one minute to seven days.")
    return length


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What a board's schedule follows from, beside how its last scan ended.

    Attributes:
        interval: The usual time between two scans.
        own: The interval that its owner wants for this board; None for the usual one.
        least: The least interval that its kind allows, or zero where none is owed.
        kind: The kind's name for people.
        changes: The share of its scans that found something changed; None where that does not matter.
        quiet: Its quiet hours.
        zone: The time zone of those.
        zone_name: Its name for people.
        free_at: When it may be asked again at all, where its terms allow so many scans a day.
    """

    interval: dt.timedelta
    own: dt.timedelta | None = None
    least: dt.timedelta = dt.timedelta()
    kind: str = ""
    changes: float | None = None
    quiet: QuietHours | None = None
    zone: dt.tzinfo = dt.UTC
    zone_name: str = "UTC"
    free_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """When a board is due, and why then: a sentence for its owner."""

    at: dt.datetime
    why: str


def due(
    habits: Habits,
    now: dt.datetime,
    *,
    failures: int = 0,
    retry_after: float | None = None,
    chance: Callable[[], float] = random.random,
) -> Due:
    """When a board is due that was scanned now.

    Args:
        habits: What its schedule follows from.
        now: The time.
        failures: Scans in a row that failed, this one included.
        retry_after: Seconds that the board asked us to wait, or None.
        chance: A number from 0 to 1, for the jitter.
    """
    interval, why = _interval(habits)
    if failures > 1:
        # Doubled for each further failure; the exponent is capped before the power gets out of hand.
        interval = max(interval, min(interval * 2 ** min(failures - 1, 10), LONGEST_PAUSE))
        why = f"{failures} scans in a row failed, so the next one waits {words(interval)}"
    wait = interval * (1 + chance() * JITTER)
    if retry_after is not None:
        asked = min(dt.timedelta(seconds=max(0.0, retry_after)), LONGEST_RETRY_AFTER)
        if asked > wait:
            wait = asked
            why = f"The board asked us to wait {words(asked)}"
    at = now + wait
    if habits.free_at is not None and habits.free_at > at:
        at = habits.free_at
        why = f"{why}, and at most so many times in 24 hours"
    return outside_quiet(Due(at, f"{why}."), habits, chance=chance)


def _interval(habits: Habits) -> tuple[dt.timedelta, str]:
    if habits.own is not None:
        interval, why = habits.own, f"Every {_period(habits.own)}, as you set it"
    else:
        pace = _pace(habits.changes)
        interval = min(habits.interval * pace, max(LONGEST_PAUSE, habits.interval))
        why = f"Every {_period(interval)}"
        if pace > 1:
            why = f"{why}, as it seldom changes"
        elif pace < 1:
            why = f"{why}, as it often changes"
    if habits.least > interval:
        interval = habits.least
        why = f"Every {_period(interval)}, as {habits.kind} boards are asked no more often"
    return interval, why


def _pace(changes: float | None) -> float:
    if changes is None:
        return 1.0
    return next(pace for least, pace in _PACES if changes >= least)


def changes_after(share: float, *, changed: bool) -> float:
    """The share of scans that found something changed, after one more; recent ones count more."""
    return round(share + _WEIGHT * ((1.0 if changed else 0.0) - share), 4)


def outside_quiet(planned: Due, habits: Habits, *, chance: Callable[[], float] = random.random) -> Due:
    """The same time, or soon after the end of the quiet hours that it lies in."""
    if habits.quiet is None or not habits.quiet.holds(planned.at, habits.zone):
        return planned
    end = habits.quiet.over(planned.at, habits.zone)
    return Due(
        end + MORNING * chance(),
        f"{planned.why} Its quiet hours end at {habits.quiet.end:%H:%M} ({habits.zone_name}).",
    )


@dataclass(frozen=True, slots=True)
class Wave:
    """Boards that are due: which are asked for now, and when the late ones have their turn."""

    now: list[int] = field(default_factory=list)
    later: dict[int, dt.datetime] = field(default_factory=dict)


def spread(
    overdue: Iterable[tuple[int, dt.datetime | None]],
    now: dt.datetime,
    *,
    chance: Callable[[], float] = random.random,
) -> Wave:
    """Spread what became due while nobody scanned, as when the machine was off, instead of a burst.

    Args:
        overdue: Boards that are due, by id and by when they became so; None for one that was never scanned.
        now: The time.
        chance: A number from 0 to 1, for the jitter.
    """
    wave = Wave()
    late = []
    for each, since in overdue:
        if since is not None and now - since > LATE:
            late.append((since, each))
        else:
            wave.now.append(each)
    late.sort()
    wave.now.extend(each for _, each in late[:AT_ONCE])
    rest = late[AT_ONCE:]
    step = min(STEP, LONGEST_SPREAD / max(1, len(rest)))
    for number, (_, each) in enumerate(rest):
        wave.later[each] = now + step * (number + 0.5 + chance())
    return wave


def interleaved(items: Sequence[T], origin: Callable[[T], Hashable]) -> list[T]:
    """The same items, those of one origin as far apart as may be, so that none blocks the workers."""
    lanes: dict[Hashable, list[T]] = {}
    for item in items:
        lanes.setdefault(origin(item), []).append(item)
    # The number of an item in its lane, in parts of the lane: equal parts of all lanes go together.
    placed = [
        ((number + 0.5) / len(lane), order, item)
        for order, lane in enumerate(lanes.values())
        for number, item in enumerate(lane)
    ]
    return [item for _, _, item in sorted(placed, key=lambda each: each[:2])]


# --- What a source's row and the settings say -------------------------------------------------------------


def habits(
    source: Source, settings: Settings, kind: Kind | None, *, free_at: dt.datetime | None = None
) -> Habits:
    """What the schedule of a source follows from.

    Args:
        source: The source.
        settings: Say what holds where the source says nothing.
        kind: Its kind, if this version knows it.
        free_at: When it may be asked again at all, where its terms allow so many scans a day.
    """
    here = kind is not None and played_here(kind, settings, url=source.url, token=source.token)
    zone_name = source.time_zone or settings.time_zone
    return Habits(
        interval=dt.timedelta(minutes=settings.scan_interval_minutes),
        own=None if source.interval_minutes is None else dt.timedelta(minutes=source.interval_minutes),
        least=dt.timedelta() if kind is None or here else kind.interval,
        kind=kind.title if kind is not None else "",
        changes=None if here else source.changes,
        quiet=quiet_hours(settings.quiet_hours if source.quiet_hours is None else source.quiet_hours),
        zone=zoneinfo.ZoneInfo(zone_name),
        zone_name=zone_name,
        free_at=free_at,
    )


def played_here(kind: Kind, settings: Settings, *, url: str, token: str) -> bool:
    """Whether a server on this machine answers for a board, to which no courtesy is owed.

    Args:
        kind: Its kind.
        settings: Say which origins are sent elsewhere.
        url: Its public page.
        token: How the kind names it.
    """
    elsewhere = overrides(settings)
    asked = origins(kind, url=url, token=token)
    targets = (elsewhere.for_url(origin) for origin in asked)
    return any(target is not None and is_here(target) for target in targets)


def _period(length: dt.timedelta) -> str:
    return words(length).removeprefix("1 ")


def words(length: dt.timedelta) -> str:
    """A length of time in words."""
    if length < dt.timedelta(minutes=1):
        return f"{length.total_seconds():.0f} seconds"
    minutes = round(length.total_seconds() / 60)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0 or minutes >= 10 * size:
            count = round(minutes / size)
            return f"{count} {unit}s" if count != 1 else f"1 {unit}"
    raise AssertionError  # a whole number of minutes is divisible by one

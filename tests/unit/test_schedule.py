"""When a board is due: pure functions, so every day and every clock can be tried."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo
from typing import Any

import pytest

import scout.sources
from scout import clock, schedule
from scout import settings as scout_settings
from scout.models import Source
from scout.schedule import Due, Habits, QuietHours
from scout.settings import SettingError, Settings

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(dt.time(22), dt.time(7))


def due(habits: Habits, now: dt.datetime = NOON, *, chance: float = 0.0, **ending: Any) -> Due:
    return schedule.due(habits, now, chance=lambda: chance, **ending)


# --- The interval -------------------------------------------------------------------------------------------


def test_a_board_that_often_changes_is_scanned_more_often_and_a_quiet_one_less() -> None:
    found = [due(Habits(interval=2 * HOUR, changes=share)) for share in (0.9, 0.5, 0.2, 0.02)]
    assert [each.at - NOON for each in found] == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR]
    assert [each.why for each in found] == [
        "Every hour, as it often changes.",
        "Every 2 hours.",
        "Every 4 hours, as it seldom changes.",
        "Every 8 hours, as it seldom changes.",
    ]


def test_no_habit_makes_an_interval_shorter_than_the_kind_allows_or_longer_than_a_day() -> None:
    often = due(Habits(interval=HOUR, changes=1.0, least=HOUR, kind="Acme"))
    assert often.at - NOON == HOUR
    assert often.why == "Every hour, as Acme boards are asked no more often."
    assert due(Habits(interval=12 * HOUR, changes=0.0)).at - NOON == dt.timedelta(days=1)
    assert due(Habits(interval=72 * HOUR, changes=0.0)).at - NOON == 72 * HOUR, "as its owner wants"


def test_what_the_last_scans_found_counts_more_than_what_earlier_ones_did() -> None:
    share = schedule.UNKNOWN_CHANGES
    for _ in range(20):
        share = schedule.changes_after(share, changed=False)
    assert share < 0.02
    for _ in range(10):
        share = schedule.changes_after(share, changed=True)
    assert 0.8 < share <= 1


def test_the_owners_own_interval_is_kept_exactly_but_for_what_the_kind_allows() -> None:
    own = due(Habits(interval=HOUR, own=6 * HOUR, changes=0.0))
    assert (own.at - NOON, own.why) == (6 * HOUR, "Every 6 hours, as you set it.")
    less = due(Habits(interval=HOUR, own=HOUR / 2, least=3 * HOUR, kind="Acme"))
    assert (less.at - NOON, less.why) == (3 * HOUR, "Every 3 hours, as Acme boards are asked no more often.")


def test_failures_in_a_row_wait_longer_up_to_a_day() -> None:
    waits = [due(Habits(interval=HOUR), failures=count).at - NOON for count in (1, 2, 3, 9, 5000)]
    assert waits == [HOUR, 2 * HOUR, 4 * HOUR, 24 * HOUR, 24 * HOUR]


def test_what_the_board_asks_for_is_waited_for_up_to_a_day() -> None:
    asked = due(Habits(interval=HOUR), retry_after=3 * 3600.0)
    assert (asked.at - NOON, asked.why) == (3 * HOUR, "The board asked us to wait 3 hours.")
    assert due(Habits(interval=HOUR), retry_after=60.0).at - NOON == HOUR
    assert due(Habits(interval=HOUR), retry_after=1e9).at - NOON == dt.timedelta(days=1)


def test_chance_spreads_scans_by_a_tenth_of_their_interval_and_never_makes_them_early() -> None:
    assert due(Habits(interval=HOUR), chance=1.0).at - NOON == HOUR * 1.1


def test_a_day_that_is_used_up_is_waited_for() -> None:
    free = NOON + 10 * HOUR
    found = due(Habits(interval=HOUR, free_at=free))
    assert found.at == free
    assert found.why == "Every hour, and at most so many times in 24 hours."


# --- Quiet hours --------------------------------------------------------------------------------------------


def test_a_scan_that_would_begin_in_quiet_hours_begins_after_them() -> None:
    evening = dt.datetime(2026, 6, 1, 21, 30, tzinfo=BERLIN)
    found = due(Habits(interval=HOUR, quiet=NIGHT, zone=BERLIN, zone_name="Europe/Berlin"), evening)
    assert found.at == dt.datetime(2026, 6, 2, 7, tzinfo=BERLIN)
    assert found.why == "Every hour. Its quiet hours end at 07:00 (Europe/Berlin)."
    spread = due(Habits(interval=HOUR, quiet=NIGHT, zone=BERLIN), evening, chance=1.0)
    assert spread.at == dt.datetime(2026, 6, 2, 7, 20, tzinfo=BERLIN), "not all at once in the morning"


def test_quiet_hours_within_one_day_and_over_midnight_hold_from_their_begin_to_before_their_end() -> None:
    noon = QuietHours(dt.time(12), dt.time(13))
    times = [dt.datetime(2026, 3, 1, *time, tzinfo=dt.UTC) for time in ((11, 59), (12, 0), (12, 59), (13, 0))]
    assert [noon.holds(time, dt.UTC) for time in times] == [False, True, True, False]
    times = [dt.datetime(2026, 3, 1, *time, tzinfo=dt.UTC) for time in ((21, 59), (22, 0), (6, 59), (7, 0))]
    assert [NIGHT.holds(time, dt.UTC) for time in times] == [False, True, True, False]


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
@pytest.mark.parametrize("hours", ["22:00-07:00", "00:30-02:30", "02:15-02:45", "01:30-23:30"])
def test_on_every_day_of_two_years_quiet_hours_end_and_the_clocks_being_set_changes_nothing(
    zone: str, hours: str
) -> None:
    quiet = schedule.quiet_hours(hours)
    assert quiet is not None
    clocks = zoneinfo.ZoneInfo(zone)
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    while moment.year < 2028:
        over = quiet.over(moment, clocks)
        if quiet.holds(moment, clocks):
            assert moment < over <= moment + dt.timedelta(hours=25)
            # The end's time of the day, or where clocks leave it out, soon after.
            behind = dt.datetime.combine(dt.date.min, over.astimezone(clocks).time())
            assert behind - dt.datetime.combine(dt.date.min, quiet.end) in (dt.timedelta(), HOUR, HOUR / 2)
        else:
            assert over == moment
        moment += dt.timedelta(minutes=47)


def test_where_clocks_are_set_back_the_second_end_counts_once_the_first_is_over() -> None:
    quiet = QuietHours(dt.time(1), dt.time(2, 30))
    again = dt.datetime(2026, 10, 25, 1, 15, tzinfo=dt.UTC)  # 02:15 for the second time
    assert quiet.over(again, BERLIN) == dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)
    first = dt.datetime(2026, 10, 25, 0, 15, tzinfo=dt.UTC)
    assert quiet.over(first, BERLIN) == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(("text", "read"), [("22:00-07:00", "22:00-07:00"), ("9:00 - 17:30", "09:00-17:30")])
def test_quiet_hours_are_read_as_they_are_written(text: str, read: str) -> None:
    assert str(schedule.quiet_hours(scout_settings.quiet_hours("x", text))) == read
    assert scout_settings.load({"SCOUT_QUIET_HOURS": text}).quiet_hours == read


def test_no_quiet_hours_are_none() -> None:
    assert schedule.quiet_hours(scout_settings.quiet_hours("x", "none")) is None
    assert scout_settings.load({"SCOUT_QUIET_HOURS": "none"}).quiet_hours == ""


@pytest.mark.parametrize("text", ["22-7", "24:00-07:00", "07:00-07:00", "7:00-07:00", "night", "22:00-07:60"])
def test_quiet_hours_that_are_none_are_refused_by_name(text: str) -> None:
    with pytest.raises(SettingError, match=r"SCOUT_QUIET_HOURS=.*22:00-07:00"):
        scout_settings.load({"SCOUT_QUIET_HOURS": text})


@pytest.mark.parametrize("name", ["Berlin", "Europe/Nowhere", "../etc/passwd", "/etc/passwd", "Europe"])
def test_a_time_zone_that_there_is_not_is_refused_by_name(name: str) -> None:
    with pytest.raises(SettingError, match=r"SCOUT_TIME_ZONE=.*Europe/Berlin"):
        scout_settings.load({"SCOUT_TIME_ZONE": name})


@pytest.mark.parametrize(
    ("text", "minutes"), [("30m", 30), ("90 min", 90), ("6h", 360), ("1.5h", 90), ("2d", 2880), ("7D", 10080)]
)
def test_an_interval_is_read_as_it_is_written(text: str, minutes: float) -> None:
    assert schedule.span("--every", text) == dt.timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "6", "h", "0m", "8d", "-6h", "6 hours", "1e9d", "9999d"])
def test_an_interval_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="--every"):
        schedule.span("--every", text)


# --- Many at once -------------------------------------------------------------------------------------------


def test_what_became_due_while_the_machine_was_off_is_spread() -> None:
    yesterday = NOON - dt.timedelta(days=1)
    wave = schedule.spread(
        [(number, yesterday + number * HOUR / 60) for number in range(40)], NOON, chance=lambda: 0.5
    )
    assert wave.now == [0, 1, 2, 3], "those that are latest go first"
    times = [wave.later[number] for number in range(4, 40)]
    assert times == sorted(times)
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {schedule.STEP}
    many = schedule.spread([(number, yesterday) for number in range(5000)], NOON, chance=lambda: 0.5)
    assert max(many.later.values()) - NOON <= dt.timedelta(minutes=31)


def test_what_is_due_in_its_time_or_was_never_scanned_is_not_spread() -> None:
    wave = schedule.spread([(1, NOON), (2, None), *((n, NOON - HOUR / 10) for n in range(3, 30))], NOON)
    assert (len(wave.now), wave.later) == (29, {})


def test_boards_of_one_host_stand_as_far_apart_as_may_be() -> None:
    items = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"]
    found = schedule.interleaved(items, lambda item: item[0])
    assert sorted(found) == items
    assert found == ["a1", "b1", "a2", "c1", "a3", "b2", "a4"]
    assert schedule.interleaved([], str) == []


# --- A source's row and the settings ------------------------------------------------------------------------


def lever(**changes: Any) -> Source:
    given = {"kind": "lever", "token": "acme", "url": "https://jobs.lever.co/acme", "changes": 0.5}
    return Source(**{**given, **changes})


def test_what_a_source_says_goes_before_the_settings() -> None:
    settings = Settings(quiet_hours="20:00-08:00", time_zone="Asia/Tokyo", scan_interval_minutes=120)
    kind = scout.sources.KINDS["lever"]
    usual = schedule.habits(lever(), settings, kind)
    assert (usual.own, usual.interval, str(usual.quiet), usual.zone_name) == (
        None, 2 * HOUR, "20:00-08:00", "Asia/Tokyo",
    )  # fmt: skip
    own = schedule.habits(lever(interval_minutes=360.0, quiet_hours="", time_zone="UTC"), settings, kind)
    assert (own.own, own.quiet, own.zone_name) == (6 * HOUR, None, "UTC")


@pytest.mark.parametrize(
    ("origin", "target", "often"),
    [
        ("https://api.lever.co", "http://127.0.0.1:8800", True),
        ("https://api.lever.co", "https://cache.example", False),
        ("https://api.ashbyhq.com", "http://127.0.0.1:8800", False),
    ],
)
def test_only_a_board_that_this_machine_answers_for_is_asked_more_often_than_its_kind_allows(
    *, origin: str, target: str, often: bool
) -> None:
    settings = Settings(scan_interval_minutes=1, origin_overrides={origin: target})
    kind = scout.sources.KINDS["lever"]
    wait = due(schedule.habits(lever(), settings, kind), clock.now()).at - clock.now()
    assert (wait < kind.interval * 0.9) == often


@pytest.mark.parametrize(
    ("origin", "often"),
    [
        ("https://*.recruitee.com", True),
        ("https://acme.recruitee.com", True),
        ("https://other.recruitee.com", False),
        ("https://*.breezy.hr", False),
    ],
)
def test_a_board_with_a_host_of_its_own_is_played_here_if_its_host_is(*, origin: str, often: bool) -> None:
    settings = Settings(scan_interval_minutes=1, origin_overrides={origin: "http://127.0.0.1:8800"})
    kind = scout.sources.KINDS["recruitee"]
    here = schedule.played_here(kind, settings, url="https://acme.recruitee.com/", token="acme")
    assert here == often

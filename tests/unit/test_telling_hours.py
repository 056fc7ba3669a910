from __future__ import annotations

import datetime as dt

import pytest

from scout.telling import hours
from scout.telling.hours import HoursUnusable


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("quiet", "times"),
    [
        ("22:00-07:00", {"2026-01-10T20:59": False, "2026-01-10T21:00": True, "2026-01-11T05:59": True,
                         "2026-01-11T06:00": False, "2026-01-11T12:00": False}),
        ("12:00-13:30", {"2026-01-10T10:59": False, "2026-01-10T11:00": True, "2026-01-10T12:30": False}),
        ("", {"2026-01-10T03:00": False}),
    ],
    ids=["over midnight", "within a day", "none"],
)  # fmt: skip
def test_quiet_hours_are_those_of_the_place(quiet: str, times: dict[str, bool]) -> None:
    assert {time: hours.is_quiet(at(time), quiet, "Europe/Zurich") for time in times} == times


def test_quiet_hours_move_with_summer_time() -> None:
    assert hours.is_quiet(at("2026-07-01T20:30"), "22:00-07:00", "Europe/Zurich")
    assert not hours.is_quiet(at("2026-07-01T05:30"), "22:00-07:00", "Europe/Zurich")


@pytest.mark.parametrize("quiet", ["22-7", "24:00-07:00", "22:00-07:60", "22:00-22:00", "all night", " "])
def test_quiet_hours_that_mean_nothing_are_refused_with_an_example(quiet: str) -> None:
    with pytest.raises(HoursUnusable, match="22:00-07:00"):
        hours.check_quiet(quiet)


@pytest.mark.parametrize("name", ["Zurich", "../etc/passwd", "", "Europe/Zurich\x00", "/etc/localtime"])
def test_a_time_zone_that_is_none_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(HoursUnusable, match="Europe/Zurich"):
        hours.zone(name)


def test_this_machine_has_a_time_zone_that_can_be_used() -> None:
    assert hours.zone(hours.zone_here()).key == hours.zone_here()


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-01-10T06:59", "2026-01-10T07:00"),
        ("2026-01-10T07:00", "2026-01-11T07:00"),
        ("2026-03-28T07:00", "2026-03-29T06:00"),  # summer time begins that night
        ("2026-10-24T06:00", "2026-10-25T07:00"),  # and ends that one
    ],
)
def test_a_daily_digest_is_due_at_its_hour_of_the_place(after: str, due: str) -> None:
    found = hours.next_digest(at(after), weekly=False, weekday=0, hour=8, timezone="Europe/Zurich")
    assert found == at(due)


def test_a_digest_whose_hour_the_clocks_skip_comes_an_hour_later_on_that_day() -> None:
    found = hours.next_digest(
        at("2026-03-28T12:00"), weekly=False, weekday=0, hour=2, timezone="Europe/Zurich"
    )
    assert found == at("2026-03-29T01:00")


def test_a_weekly_digest_comes_on_its_day() -> None:
    after = at("2026-01-10T12:00")  # a Saturday
    days = []
    for _ in range(3):
        after = hours.next_digest(after, weekly=True, weekday=4, hour=8, timezone="UTC")
        days.append(after)
    assert days == [at("2026-01-16T08:00"), at("2026-01-23T08:00"), at("2026-01-30T08:00")]

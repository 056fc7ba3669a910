"""Reminders: once a morning by each channel, of what is due then, and no more when the day is over."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from metrics import catalogue
from metrics.testing import Captured
from scout import appointments, jobs, settings
from scout.appointments import Wish
from scout.models import MessageState, Status
from scout.settings import SettingError
from scout.telling import outbox, reminders
from scout.telling.teller import Told
from tests.serving import reply
from tests.telling_world import NOON, Hook, Telling, any_telling, hook, telling

__all__ = ["any_telling", "hook", "telling"]

TODAY = NOON.date()


def wanting(world: Telling, hook: Hook, said: str = "07:00 phone", time_zone: str = "") -> Telling:
    world.settings = replace(world.settings, reminders=said, time_zone=time_zone or world.settings.time_zone)
    world.write_channels(phone=hook.address)
    return world


def plan(world: Telling, days: int, action: str = "Call Dana", **fields: Any) -> int:
    number = world.job(**fields)
    with world.db.session() as session:
        jobs.plan(session, number, TODAY + dt.timedelta(days=days), action)
    return number


def test_what_is_due_is_told_once_on_its_morning(any_telling: Telling, hook: Hook, emitted: Captured) -> None:
    world = wanting(any_telling, hook)
    world.later(hours=-6)
    number = plan(world, 0)
    plan(world, -3, "Write again")
    plan(world, 1, "Tomorrow")
    with world.db.session() as session:
        begins = dt.datetime(2026, 3, 2, 14, 30)  # noqa: DTZ001 - the clock on the wall
        wish = Wish(what="Interview", begins=begins, timezone="UTC", place="Room 5")
        appointments.add(session, number, wish)
    assert not reminders.wanted(world.db, world.settings)
    assert world.tell() == Told()
    world.later(hours=1)
    assert reminders.wanted(world.db, world.settings)
    assert world.tell() == Told(reminded=1, sent=1)
    for _ in range(3):
        world.later(hours=2)
        assert not reminders.wanted(world.db, world.settings)
        assert world.tell() == Told()
    (body,) = hook.bodies
    assert body["title"] == "Today: 2 due, 1 overdue"
    said = body["message"]
    assert said.index("14:30 Interview") < said.index("Call Dana") < said.index("Write again")
    assert "60 min · Room 5" in said
    assert "Overdue since 2026-02-27" in said
    assert "Tomorrow" not in said
    assert f"http://localhost:5000/jobs/{number}" in said
    for kind in ("appointment", "action", "overdue"):
        emitted.assert_incremented(catalogue.REMINDERS, kind=kind)
    emitted.assert_incremented(catalogue.MESSAGES, channel="json", outcome="sent")


def test_one_thing_is_told_in_the_subject(telling: Telling, hook: Hook) -> None:
    world = wanting(telling, hook)
    plan(world, 0)
    world.tell()
    world.later(days=1)
    world.tell()
    assert [body["title"] for body in hook.bodies] == ["Today: Call Dana (Acme)", "Overdue: Call Dana (Acme)"]


def test_a_morning_with_nothing_due_is_over_for_that_day(any_telling: Telling, hook: Hook) -> None:
    world = wanting(any_telling, hook)
    assert world.tell() == Told()
    plan(world, 0, "Just written")
    assert world.tell() == Told()
    (message,) = world.messages()
    assert (message.state, message.search_id, message.batch) == (MessageState.EMPTY, None, "day 2026-03-02")


def test_without_the_setting_nobody_is_reminded(telling: Telling, hook: Hook) -> None:
    telling.write_channels(phone=hook.address)
    plan(telling, 0)
    assert reminders.plan(telling.settings) is None
    assert telling.tell() == Told()
    assert telling.messages() == []


def test_the_morning_is_that_of_the_owner_s_time_zone(telling: Telling, hook: Hook) -> None:
    world = wanting(telling, hook, "23:00 phone", time_zone="Asia/Tokyo")
    plan(world, 0)
    world.later(hours=1, minutes=59)
    assert world.tell() == Told()
    world.later(minutes=1)
    assert world.tell().sent == 1


def test_a_reminder_that_cannot_go_on_its_day_does_not_go_later(telling: Telling, hook: Hook) -> None:
    world = wanting(telling, hook)
    plan(world, 0)
    hook.answer = reply(b"no", status=503)
    assert world.tell().failed == 1
    world.later(hours=14)
    hook.answer = reply(b"ok")
    assert world.tell() == Told(empty=1)
    world.later(hours=5)
    assert world.tell() == Told(reminded=1, sent=1)
    assert [body["title"] for body in hook.bodies][-1] == "Overdue: Call Dana (Acme)"


def test_what_was_done_or_given_up_before_the_message_goes_is_not_in_it(telling: Telling, hook: Hook) -> None:
    world = wanting(telling, hook)
    numbers = [plan(world, 0, title=f"{n}") for n in range(3)]
    hook.answer = reply(b"no", status=503)
    world.tell()
    with world.db.session() as session:
        jobs.plan(session, numbers[0], None, "")
        jobs.change_status(session, numbers[1], Status.DISMISSED, "owner")
    hook.answer = reply(b"ok")
    assert not outbox.wanted(world.db)
    world.later(minutes=2)
    assert outbox.wanted(world.db)
    assert world.tell().sent == 1
    assert hook.bodies[-1]["title"] == "Today: Call Dana (Acme)"


def test_each_channel_has_its_own_and_an_unknown_one_is_told_where_to_mend(
    telling: Telling, hook: Hook
) -> None:
    world = wanting(telling, hook, "07:00 phone,nowhere")
    plan(world, 0)
    assert world.tell() == Told(reminded=2, sent=1, failed=1)
    sent, failed = world.messages()
    assert (sent.state, sent.jobs) == (MessageState.SENT, 1)
    assert "There is no channel 'nowhere'" in failed.reason
    assert "take it from SCOUT_REMINDERS" in failed.reason


@pytest.mark.parametrize(
    ("said", "kept"), [("7:05 phone, mail,phone", "07:05 phone,mail"), ("23:59 a", "23:59 a")]
)
def test_the_setting_is_kept_in_its_one_form(said: str, kept: str) -> None:
    assert settings.load({"SCOUT_REMINDERS": said}).reminders == kept


@pytest.mark.parametrize(
    "said", ["phone", "07:00", "24:00 phone", "7 phone", "07:00 Phone", "07:00 ,", "07:00 a b"]
)
def test_a_setting_that_means_nothing_is_refused(said: str) -> None:
    with pytest.raises(SettingError, match=r"SCOUT_REMINDERS=.*such as `07:00 phone,mail`"):
        settings.load({"SCOUT_REMINDERS": said})

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.drills import __main__ as command
from tests.drills import drill as drills
from tests.drills import faults, plan
from tests.drills.drill import Drill, NotAsExpected, Row
from tests.drills.faults import FAULTS
from tests.drills.told import Told


class Watched:
    """Stands for a stack of which only what is told counts."""

    def __init__(self) -> None:
        self.told = Told()
        self.never_told_over = {"ScoutInfo"}
        self.on_the_page: set[str] = set()

    def shown(self) -> set[str]:
        return self.on_the_page

    def says(self, status: str, *alerts: str, **labels: str) -> None:
        told = [{"status": status, "labels": {"alertname": each, **labels}} for each in alerts]
        self.told.take(json.dumps({"alerts": told}), time.monotonic())


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(drills, "PATIENCE", 0.05)
    monkeypatch.setattr(drills, "_QUIET_PATIENCE", 0.05)
    monkeypatch.setattr(drills, "_LOOK", 0.001)
    return Watched()


def run(stack: Any, wanted: Sequence[str], inject: Callable[[Drill], None]) -> dict[str, Row]:
    return {row.alert: row for row in Drill(stack, "a_fault", wanted).run(inject)}


def came_and_went(row: Row) -> bool:
    return row.fired is not None and row.over is not None and not row.why


def test_alerts_that_come_and_go_have_their_times(stack: Watched) -> None:
    def inject(drill: Drill) -> None:
        stack.says("firing", "ScoutOne", "ScoutTwo", instance="a")
        drill.fires("ScoutOne", "ScoutTwo")
        drill.repaired()
        stack.says("resolved", "ScoutOne", "ScoutTwo", instance="a")

    found = run(stack, ["ScoutOne", "ScoutTwo"], inject)
    assert all(map(came_and_went, found.values()))
    assert command.judged(list(found.values())) == 0


def test_an_alert_that_does_not_come_fails_and_what_came_instead_is_named(stack: Watched) -> None:
    def inject(drill: Drill) -> None:
        stack.says("firing", "ScoutOther")
        stack.on_the_page = {"ScoutOther", "ScoutHeld"}
        drill.fires("ScoutOne")

    found = run(stack, ["ScoutOne"], inject)
    assert "ScoutOne did not come; there is ScoutOther, held back ScoutHeld" in found["ScoutOne"].why
    assert command.judged(list(found.values())) == 1


def test_an_alert_that_does_not_go_fails(stack: Watched) -> None:
    def inject(drill: Drill) -> None:
        stack.says("firing", "ScoutOne", source="a")
        stack.says("firing", "ScoutOne", source="b")
        drill.fires("ScoutOne")
        stack.says("resolved", "ScoutOne", source="a")

    found = run(stack, ["ScoutOne"], inject)
    assert "ScoutOne did not end" in found["ScoutOne"].why
    assert found["ScoutOne"].fired is not None
    assert command.judged(list(found.values())) == 1


def test_an_alert_that_was_there_before_the_fault_proves_nothing(stack: Watched) -> None:
    stack.says("firing", "ScoutOne")
    found = run(stack, ["ScoutOne"], lambda drill: drill.fires("ScoutOne"))
    assert "ScoutOne before it" in found["ScoutOne"].why


def test_an_alert_that_its_fault_does_not_wait_for_fails(stack: Watched) -> None:
    found = run(stack, ["ScoutOne"], lambda _: None)
    assert found["ScoutOne"].why == "the drill does not ask for it"


def test_a_fault_that_cannot_be_made_fails(stack: Watched) -> None:
    def inject(_: Drill) -> None:
        raise OSError("no such process")

    assert run(stack, ["ScoutOne"], inject)["ScoutOne"].why == "OSError: no such process"


def test_what_is_never_told_to_be_over_is_so_when_prometheus_shows_it_no_more(stack: Watched) -> None:
    def inject(drill: Drill) -> None:
        stack.says("firing", "ScoutInfo")
        drill.fires("ScoutInfo")

    assert came_and_went(run(stack, ["ScoutInfo"], inject)["ScoutInfo"])
    stack.on_the_page = {"ScoutInfo"}
    assert "did not end" in run(stack, ["ScoutInfo"], inject)["ScoutInfo"].why


def test_what_nobody_can_be_told_is_read_off_prometheus_page(stack: Watched) -> None:
    def inject(drill: Drill) -> None:
        stack.on_the_page = {"ScoutMissing"}
        drill.shows("ScoutMissing")
        stack.on_the_page = set()

    assert came_and_went(run(stack, ["ScoutMissing"], inject)["ScoutMissing"])


def test_the_watchdog_is_drilled_by_its_absence_and_its_return(stack: Watched) -> None:
    def inject(drill: Drill) -> None:
        stack.told.take("04:00:00  SILENCE   no ScoutWatchdog for 0.2 minutes", time.monotonic())
        drill.falls_silent()
        drill.repaired()
        stack.says("firing", "ScoutWatchdog")

    assert came_and_went(run(stack, ["ScoutWatchdog"], inject)["ScoutWatchdog"])
    assert "did not come" in run(stack, ["ScoutWatchdog"], Drill.falls_silent)["ScoutWatchdog"].why


def test_a_short_drill_waits_only_for_what_it_wants(stack: Watched) -> None:
    def inject(drill: Drill) -> None:
        stack.says("firing", "ScoutOne")
        drill.fires("ScoutOne", "ScoutLater")
        stack.says("resolved", "ScoutOne")

    assert set(run(stack, ["ScoutOne"], inject)) == {"ScoutOne"}


def test_each_fault_of_a_kind_is_measured_from_its_own_beginning_and_repair(
    stack: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda _: None)

    def inject(drill: Drill) -> None:
        now[0] += 1
        stack.says("firing", "ScoutOne")
        drill.fires("ScoutOne")
        drill.repaired()
        now[0] += 10
        stack.says("resolved", "ScoutOne")
        drill.begins()
        now[0] += 2
        stack.says("firing", "ScoutTwo")
        drill.fires("ScoutTwo")
        stack.says("resolved", "ScoutTwo")

    found = run(stack, ["ScoutOne", "ScoutTwo"], inject)
    assert [(row.fired, row.over) for row in found.values()] == [(1, 10), (2, 0)]


def test_steps_of_a_fault_are_waited_for(stack: Watched) -> None:
    drill = Drill(stack, "a_fault", [])  # type: ignore[arg-type]
    with pytest.raises(NotAsExpected, match="the scan did not happen"):
        drill.until(lambda: False, "the scan")


def test_the_table_says_fault_alert_and_seconds_and_why_not() -> None:
    rows = [Row("a_fault", "ScoutOne", 1.23, 4.5), Row("b_fault", "ScoutTwo", why="it did not come")]
    assert command.table(rows).splitlines() == [
        "fault               alert                                      fires    over",
        "a_fault             ScoutOne                                   1.2 s   4.5 s",
        "b_fault             ScoutTwo                                       -       -  it did not come",
    ]


def test_nothing_drilled_is_no_success() -> None:
    assert command.judged([]) == 1


def test_what_only_root_can_do_is_told_and_fails_nothing() -> None:
    assert command.judged([Row("disk_nearly_full", "ScoutDiskNearlyFull", why=command._NO_ROOT)]) == 0


def test_there_is_a_fault_and_a_place_in_the_plan_for_each_kind() -> None:
    kinds = set(plan.raised())
    assert set(FAULTS) == kinds
    assert sorted(_faults(plan.FULL)) == sorted(kinds)
    assert sorted(_faults(plan.SHORT)) == sorted(plan.SOON)
    assert all(set(alerts) <= set(plan.raised()[fault]) for fault, alerts in plan.SOON.items())


def test_the_faults_wait_for_what_their_table_says_they_raise() -> None:
    source = Path(faults.__file__).read_text(encoding="utf-8")
    waited_for = set(re.findall(r'"(Scout[A-Z]\w+)"', source))
    assert waited_for == {alert for alerts in plan.raised().values() for alert in alerts}


def _faults(courses: Sequence[plan.Course]) -> list[str]:
    return [fault for course in courses for each in course.rounds for fault in each]


def test_a_course_of_some_faults_has_no_empty_rounds() -> None:
    course = dataclasses.replace(plan.FULL[0], rounds=(("a", "b"), ("c",), ("b",)))
    assert course.only(["b"]).rounds == (("b",), ("b",))


def test_faults_that_there_are_not_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["earthquake"]) == 2
    assert "There is no earthquake. There are exporter_stopped" in capsys.readouterr().err


def test_the_faults_are_listed_with_what_they_do_and_raise(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    out = capsys.readouterr().out
    assert "redis_killed         Kill Redis, and keep it away." in out
    assert "ScoutRedisDown" in out

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from metrics import catalogue
from metrics.testing import Captured
from scout import history, jobs, watchlist
from scout.models import Job, Status
from tests.boards_in_folders import posting
from tests.scan_world import World, world

__all__ = ["world"]


def told(world: World, number: int = 1) -> list[dict[str, Any]]:
    with world.db.reading() as session:
        return jobs.history(session, world.jobs()[str(number)].id)


def whats(world: World) -> list[str]:
    return [each["what"] for each in told(world)]


def test_an_edit_is_kept_with_what_was_there_before(world: World, emitted: Captured) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    assert not world.jobs()["1"].edit_unseen
    changed = posting(1, title="Lead Identity Engineer", description_text="Okta and OIDC, number 1.")
    world.board.show([changed, posting(2)])
    world.scan()
    found, edit = told(world)
    assert (found["what"], edit["what"], edit["by"], edit["source"]) == (
        "found",
        "edited",
        "scan",
        world.slug,
    )
    assert edit["at"] == world.time.isoformat().replace("+00:00", "Z")
    assert [each["words"] for each in edit["changes"]] == [
        "title Identity Engineer 1 became Lead Identity Engineer",
        "level entry became lead",
        "description: 1 word out, 1 word in",
    ]
    assert edit["changes"][-1]["parts"] == [
        ["=", "Okta and"], ["-", "SAML,"], ["+", "OIDC,"], ["=", "number 1."],
    ]  # fmt: skip
    assert world.jobs()["1"].edit_unseen
    assert not world.jobs()["2"].edit_unseen
    emitted.assert_incremented(catalogue.JOB_EDITS, field="title")
    emitted.assert_incremented(catalogue.JOB_EDITS, field="description")
    emitted.assert_incremented(catalogue.JOB_EDITS, 3)


def test_noise_is_stored_and_no_edit(world: World, emitted: Captured) -> None:
    world.board.show([posting(1)])
    world.scan()
    world.board.show([posting(1, locations=("Remote", "Basel"), url="https://jobs.example/1-new")])
    assert world.scan().updated == 1
    assert whats(world) == ["found"]
    assert not world.jobs()["1"].edit_unseen
    emitted.assert_no_metrics(catalogue.JOB_EDITS)


def test_a_mark_goes_when_the_owner_looks_or_decides(world: World) -> None:
    world.board.show([posting(1), posting(2), posting(3)])
    world.scan()
    world.board.show([posting(number, department="Trust") for number in (1, 2, 3)])
    world.scan()
    found = world.jobs()
    with world.db.session() as session:
        jobs.looked(session, found["1"].id)
        jobs.change_status(session, found["2"].id, Status.SAVED, by="owner")
        jobs.change_many(session, [found["3"].id], Status.SAVED, "owner")
    assert [job.edit_unseen for job in world.jobs().values()] == [False] * 3


def test_the_life_of_a_job_is_one_list_oldest_first(world: World) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    job_id = world.jobs()["1"].id
    world.board.show([posting(2)])
    world.scan()
    world.scan()
    world.board.show([posting(1, department="Trust"), posting(2)])
    world.scan()
    world.later(minutes=1)
    with world.db.session() as session:
        jobs.change_status(session, job_id, Status.SAVED, by="owner")
    world.board.show([posting(2)])
    world.scan()
    world.scan()
    world.board.show([posting(1, department="Trust"), posting(2)])
    world.scan()
    world.later(minutes=1)
    with world.db.session() as session:
        jobs.undo(session, job_id, "command")
    assert [(each["what"], each.get("from"), each.get("to")) for each in told(world)] == [
        ("found", None, None),
        ("closed", "new", "closed"),
        ("reopened", "closed", "new"),
        ("edited", None, None),
        ("status", "new", "saved"),
        ("closed", None, None),
        ("reopened", None, None),
        ("status", "saved", "new"),
    ]
    assert [each["at"] for each in told(world)] == sorted(each["at"] for each in told(world))
    assert told(world)[-1]["undo"]


def test_a_job_that_closes_again_and_again_is_noted_once_each_time(world: World) -> None:
    world.board.show([posting(1)])
    world.scan()
    with world.db.session() as session:
        job = session.get_one(Job, world.jobs()["1"].id)
        jobs.change_status(session, job.id, Status.SAVED, by="owner")
        for _ in range(2):
            jobs.close(session, job)
        for _ in range(2):
            jobs.reopen(session, job)
    assert whats(world) == ["found", "reopened", "closed", "status"]


def test_only_the_newest_events_of_each_job_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT", 3)
    world.board.show([posting(1), posting(2, department="D0")])
    world.scan()
    for number in range(1, 6):
        world.board.show([posting(1, department=f"D{number}"), posting(2, department="D1")])
        world.scan()
    assert [each["changes"][0]["new"] for each in told(world)[1:]] == ["D3", "D4", "D5"]
    assert [each["changes"][0]["new"] for each in told(world, 2)[1:]] == ["D1"]


def test_an_edit_stays_when_its_board_is_watched_no_longer(world: World) -> None:
    world.board.show([posting(1)])
    world.scan()
    world.board.show([posting(1, department="Trust")])
    world.scan()
    job_id = world.jobs()["1"].id
    with world.db.session() as session:
        jobs.change_status(session, job_id, Status.SAVED, by="owner")
        watchlist.remove(session, world.slug)
    with world.db.reading() as session:
        assert "edited" in [each["what"] for each in jobs.history(session, job_id)]


def test_new_and_unchanged_postings_cost_no_statement_more(world: World) -> None:
    statements: list[str] = []
    event.listen(world.db.engine, "before_cursor_execute", lambda _c, _cur, sql, *_: statements.append(sql))
    world.board.show([posting(1), posting(2)])
    world.scan()
    world.scan()
    assert not [sql for sql in statements if "job_events" in sql or "edit_unseen=" in sql]

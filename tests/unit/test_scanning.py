from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

import scout.sources
from scout import endings, jobs, leases, matching, normalise, runs, scanning, storing, watchlist
from scout.fetch import FetchError, Reason
from scout.matching import Match
from scout.models import (
    Job,
    Listing,
    RunTrigger,
    ScanResult,
    ScanRun,
    ScanState,
    Source,
    Status,
    StatusChange,
)
from scout.postings import Remote
from scout.sources.board import Page
from tests.boards_in_folders import KINDS, Folder, posting
from tests.scan_world import World, world
from tests.waiting import wait_until

__all__ = ["world"]


def counts(result: ScanResult) -> tuple[int, int, int, int, int]:
    return result.seen, result.new, result.updated, result.closed, result.reopened


# --- What is stored -----------------------------------------------------------------------------------------


def test_a_first_scan_stores_every_posting_once(world: World) -> None:
    world.board.show([posting(1), posting(2), posting(2)], [posting(2), posting(3)])
    result = world.scan()
    assert (result.state, result.reason, result.error) == (ScanState.SUCCEEDED, "", "")
    assert counts(result) == (3, 3, 0, 0, 0)
    found = world.jobs()
    assert sorted(found) == ["1", "2", "3"]
    assert found["1"].title == "Identity Engineer 1"
    assert found["1"].locations == ["Basel", "Remote"]
    assert found["1"].salary is not None
    assert found["1"].salary["currency"] == "CHF"
    assert found["1"].status is Status.NEW
    assert found["1"].first_seen_at == world.time


def test_a_second_scan_adds_none_and_changes_none(world: World) -> None:
    world.board.show([posting(number) for number in range(450)])
    world.scan()
    before = world.rows()
    result = world.scan()
    assert counts(result) == (450, 0, 0, 0, 0)
    assert world.rows() == before
    assert world.last_seen(7) == world.time
    assert world.jobs()["7"].first_seen_at < world.time


def test_changed_content_is_updated_and_what_the_owner_decided_stays(world: World) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    job_id = world.jobs()["1"].id
    with world.db.session() as session:
        jobs.change_status(session, job_id, Status.SAVED, by="owner")
        jobs.add_note(session, job_id, "Ask Ruth.")
    version = world.jobs()["1"].version
    world.board.show([posting(1, title="Lead Identity Engineer", department="Zürich"), posting(2)])
    result = world.scan()
    assert counts(result) == (2, 0, 1, 0, 0)
    with world.db.reading() as session:
        job = jobs.get(session, job_id)
        assert job.title == "Lead Identity Engineer"
        assert job.status is Status.SAVED
        assert [note.body for note in job.notes] == ["Ask Ruth."]
        assert job.changed_at == world.time
        assert job.version == version, (
            "the owner's page is not out of date because the board edited a posting"
        )
        assert jobs.find(session, jobs.JobQuery(text="zürich lead")).total == 1


def test_a_date_that_only_moves_is_no_change(world: World) -> None:
    world.board.show([posting(1)])
    world.scan()
    world.board.show([posting(1, posted_at=world.time)])
    assert counts(world.scan()) == (1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x"}, {"company": "x"}, {"url": "https://x.example"}, {"locations": ("Basel, Remote",)},
        {"remote_evidence": "x"}, {"description_html": "x"}, {"salary": None}, {"employment_type": "x"},
        {"department": "x"}, {"requisition_id": "x"}, {"tags": ("x",)},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_every_field_of_a_posting_is_in_its_fingerprint(change: dict[str, Any]) -> None:
    assert storing.digest(posting(1)) != storing.digest(posting(1, **change))


def test_what_follows_from_a_postings_words_is_stored_beside_them(world: World) -> None:
    text = "You will work with the team on our platform for the company. Salary: $120,000 - $150,000 a year."
    world.board.show(
        [
            posting(
                1,
                title="Lead IAM Engineer (m/w/d)",
                locations=("Remote - Canada",),
                remote=Remote.REMOTE,
                description_text=text,
                salary=None,
            )
        ]
    )
    world.scan()
    job = world.jobs()["1"]
    assert job.title == "Lead IAM Engineer (m/w/d)"
    assert job.places == [{"raw": "Remote - Canada", "city": "", "region": "", "country": "CA"}]
    assert (job.remote_regions, job.level, job.language) == (["CA"], "lead", "en")
    assert job.salary is not None
    assert (job.salary["maximum"], job.salary["origin"]) == (150_000, "parsed")


def test_a_better_reading_of_the_same_words_is_no_edit() -> None:
    told = posting(1)
    assert storing.digest(normalise.completed(told)) == storing.digest(told)


def test_hostile_text_is_stored_as_far_as_databases_take_it(world: World) -> None:
    odd = "a\x00b\ud800c\u202ed \U0001f600"
    world.board.show([posting("x" * 3000), posting(2)])
    pages = [
        Page(postings=(posting("x" * 3000), posting(odd, title=odd, company="y" * 900, description_html=odd)))
    ]
    world.monkeypatch.setattr(type(KINDS["folder"]), "read", lambda *_: iter(pages))
    assert world.scan().state is ScanState.SUCCEEDED
    assert counts(world.scan()) == (2, 0, 0, 0, 0)
    (long_id,) = [each for each in world.jobs() if each.startswith("xxx")]
    assert len(long_id) == 500
    assert world.jobs()["ab?c\u202ed \U0001f600"].title == "ab?c\u202ed \U0001f600"


def test_a_posting_that_cannot_be_scored_does_not_keep_the_others_away(world: World) -> None:
    def score(each: Any, profile: object) -> Match:
        if each.source_job_id == "2":
            raise ValueError("a strange one")
        return Match(50, [])

    world.monkeypatch.setattr(matching, "score", score)
    world.board.show([posting(1), posting(2), posting(3)])
    result = world.scan()
    assert (result.state, result.reason, result.new) == (ScanState.PARTIAL, "unparsed", 2)
    assert "Identity Engineer 2" in result.error


# --- Gone and back ------------------------------------------------------------------------------------------


def test_a_posting_closes_after_two_complete_listings_without_it(world: World) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    world.board.show([posting(1)])
    assert world.scan().closed == 0
    assert world.jobs()["2"].status is Status.NEW
    assert world.scan().closed == 1
    job = world.jobs()["2"]
    assert (job.status, job.closed_at) == (Status.CLOSED, world.time)
    assert world.listing(2).closed_at == world.time
    with world.db.reading() as session:
        assert [change.by for change in session.scalars(select(StatusChange))] == ["scan"]
    assert world.scan().closed == 0


def test_one_absence_is_forgiven(world: World) -> None:
    for page in ([posting(1), posting(2)], [posting(1)], [posting(1), posting(2)], [posting(1)]):
        world.board.show(page)
        world.scan()
    assert world.jobs()["2"].status is Status.NEW
    assert world.listing(2).missing == 1


def test_what_the_owner_decided_outlives_the_closing(world: World) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    with world.db.session() as session:
        jobs.change_status(session, world.jobs()["2"].id, Status.APPLIED, by="owner")
    world.board.show([posting(1)])
    world.scan()
    world.scan()
    job = world.jobs()["2"]
    assert (job.status, job.closed_at) == (Status.APPLIED, world.time)


@pytest.mark.parametrize("decided", [None, Status.SAVED])
def test_a_posting_that_is_back_is_open_again(world: World, decided: Status | None) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    if decided:
        with world.db.session() as session:
            jobs.change_status(session, world.jobs()["2"].id, decided, by="owner")
    world.board.show([posting(1)])
    world.scan()
    world.scan()
    world.board.show([posting(1), posting(2)])
    assert counts(world.scan()) == (2, 0, 0, 0, 1)
    job = world.jobs()["2"]
    assert (job.status, job.closed_at) == (decided or Status.NEW, None)
    assert world.listing(2).closed_at is None


def test_a_job_stays_open_while_another_board_lists_it(world: World) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    with world.db.session() as session:
        other = watchlist.add(session, Folder(world.board.path / "other").board)
        session.add(
            Listing(source_id=other.id, source_job_id="z", job_id=world.jobs()["2"].id, url="u", digest="d")
        )
    world.board.show([posting(1)])
    world.scan()
    assert world.scan().closed == 1
    with world.db.reading() as session:
        assert session.get_one(Job, world.listing("z").job_id).closed_at is None


@pytest.mark.parametrize("then", ["server_error", "crash"])
def test_a_listing_that_was_cut_closes_nothing(world: World, then: str) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    world.board.show([posting(1)], then=then)
    for _ in range(3):
        result = world.scan()
        assert result.state is ScanState.PARTIAL
        assert result.reason == ("internal" if then == "crash" else then)
        assert "cut after 1 postings" in result.error
    assert world.jobs()["2"].status is Status.NEW
    assert world.listing(2).missing == 0


def test_a_listing_with_unreadable_postings_closes_nothing(world: World) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    world.board.show([posting(1)], unparsed=["number 2 has no title"])
    for _ in range(3):
        result = world.scan()
        assert (result.state, result.reason) == (ScanState.PARTIAL, "unparsed")
    assert "1 of 2 postings could not be read" in result.error
    assert "number 2 has no title" in result.error
    assert world.listing(2).missing == 0


def test_a_kind_whose_listings_are_not_complete_closes_nothing(world: World) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    world.monkeypatch.setattr(type(KINDS["folder"]), "complete", False)
    world.board.show([])
    for _ in range(3):
        assert world.scan().state is ScanState.SUCCEEDED
    assert world.listing(2).missing == 0


@pytest.mark.parametrize(
    ("listed", "seen", "guarded"),
    [
        (0, 0, False),
        (1, 0, True),
        (9, 1, False),
        (10, 4, True),
        (10, 5, False),
        (500, 249, True),
        (500, 250, False),
    ],
)
def test_a_sudden_drop_is_not_believed(listed: int, seen: int, *, guarded: bool) -> None:
    assert storing.vanished(listed, seen) is guarded


def test_a_board_that_suddenly_names_nothing_is_suspicious_and_closes_nothing(world: World) -> None:
    world.board.show([posting(number) for number in range(20)])
    world.scan()
    world.board.show([])
    for _ in range(3):
        result = world.scan()
        assert (result.state, result.reason, result.closed) == (ScanState.PARTIAL, "vanished", 0)
        assert "no postings where 20 were open" in result.error
    assert world.source().suspicious
    assert {job.status for job in world.jobs().values()} == {Status.NEW}
    world.board.show([posting(number) for number in range(20)])
    assert world.scan().state is ScanState.SUCCEEDED
    assert not world.source().suspicious


def test_a_board_that_stays_short_for_a_week_is_believed(world: World) -> None:
    world.board.show([posting(number) for number in range(20)])
    world.scan()
    world.board.show([posting(1)])
    world.scan()
    world.later(days=6)
    assert world.scan().reason == "vanished"
    world.later(days=1)
    result = world.scan()
    assert (result.state, result.closed) == (ScanState.SUCCEEDED, 19)
    assert world.scan().state is ScanState.SUCCEEDED


def test_an_empty_board_that_always_was_empty_is_fine(world: World) -> None:
    assert world.scan().state is ScanState.SUCCEEDED
    assert not world.source().suspicious


@pytest.mark.parametrize("reason", ["not_found", "gone"])
def test_a_board_that_is_not_there_for_three_days_is_gone_and_its_jobs_close(
    world: World, reason: str
) -> None:
    world.board.show([posting(number) for number in range(3)])
    world.scan()
    saved = world.jobs()["2"].id
    with world.db.session() as session:
        jobs.change_status(session, saved, Status.SAVED, by="owner")
    world.board.show(then=reason)
    for _ in range(3):
        result = world.scan()
        assert (result.state, result.reason, result.closed) == (ScanState.FAILED, reason, 0)
    assert "its 3 open postings are closed" in result.error
    world.later(days=3)
    result = world.scan()
    assert (result.state, result.reason, result.closed) == (ScanState.FAILED, reason, 3)
    assert "taken for gone and its 3 open postings were closed" in world.source().last_error
    found = world.jobs()
    assert [found[each].status for each in "012"] == [Status.CLOSED, Status.CLOSED, Status.SAVED]
    assert found["2"].closed_at == world.time
    result = world.scan()
    assert result.closed == 0
    assert "taken for gone. Should" in result.error
    world.board.show([posting(number) for number in range(3)])
    assert world.scan().reopened == 3


def test_a_board_that_is_not_there_only_now_and_then_closes_nothing(world: World) -> None:
    world.board.show([posting(1)])
    world.scan()
    for then in ("not_found", "not_found", "server_error", "not_found", "gone", "timeout", "not_found"):
        world.board.show(then=then)
        world.later(days=2)
        assert world.scan().closed == 0
    assert world.jobs()["1"].status is Status.NEW


def test_twice_over_many_days_is_not_often_enough_to_be_gone(world: World) -> None:
    world.board.show([posting(1)])
    world.scan()
    world.board.show(then="gone")
    world.scan()
    world.later(days=30)
    assert world.scan().closed == 0
    assert world.scan().closed == 1


# --- Not modified -------------------------------------------------------------------------------------------


def test_not_modified_is_success_and_touches_only_times(world: World) -> None:
    world.board.show([posting(1), posting(2)], etag="v1")
    world.scan()
    before = world.rows()
    result = world.scan()
    assert result.state is ScanState.SUCCEEDED
    assert counts(result) == (2, 0, 0, 0, 0)
    assert world.rows() == before
    assert world.last_seen(1) == world.time
    assert world.source().last_success_at == world.time


def test_what_another_version_of_the_program_read_is_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.board.show([posting(1)], etag="v1")
    monkeypatch.setattr(scanning, "VERSION", "0.0.1")
    world.scan()
    world.board.show([posting(1, title="Read better now")], etag="v1")
    assert counts(world.scan()) == (1, 0, 0, 0, 0)
    monkeypatch.setattr(scanning, "VERSION", "0.0.2")
    assert counts(world.scan()) == (1, 0, 1, 0, 0)


def test_an_unchanged_board_is_not_written_posting_by_posting(world: World) -> None:
    world.board.show([posting(number) for number in range(50)])
    world.scan()
    before = world.listing(7).last_seen_at
    world.scan()
    assert world.listing(7).last_seen_at == before
    assert world.last_seen(7) == world.source().listed_at == world.time


def test_postings_of_a_listing_that_was_cut_are_seen_and_the_others_are_not(world: World) -> None:
    world.board.show([posting(1)], [posting(2)])
    world.scan()
    whole = world.time
    world.board.show([posting(1)], then="timeout")
    assert world.scan().state is ScanState.PARTIAL
    assert world.last_seen(1) == world.time
    assert world.last_seen(2) == world.source().listed_at == whole


def test_an_absence_is_forgotten_when_the_posting_is_listed_again(world: World) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    world.board.show([posting(1)])
    world.scan()
    seen = world.last_seen(2)
    assert world.listing(2).missing == 1
    assert seen < world.time
    world.board.show([posting(1), posting(2)])
    world.scan()
    assert world.listing(2).missing == 0
    assert world.last_seen(2) == world.time


def test_validators_are_kept_only_after_a_complete_success(world: World) -> None:
    world.board.show([posting(1)], etag="v1", then="timeout")
    world.scan()
    assert not world.source().validators
    world.board.show([posting(1)], etag="v1")
    world.scan()
    assert world.source().validators["etags"] == {"https://jobs.example/": "v1"}
    world.board.show([posting(1)], etag="v2", unparsed=["one"])
    world.scan()
    assert world.source().validators["etags"] == {"https://jobs.example/": "v1"}


def test_not_modified_never_keeps_a_vanished_posting_open(world: World) -> None:
    world.board.show([posting(1), posting(2)], etag="v1")
    world.scan()
    world.board.show([posting(1)], etag="v2")
    world.scan()
    assert world.scan().closed == 1, "the second listing was asked for in full"
    world.scan()
    assert world.source().validators["etags"] == {"https://jobs.example/": "v2"}


# --- Failing ------------------------------------------------------------------------------------------------


def test_a_board_that_fails_names_its_reason(world: World) -> None:
    world.board.show(then="not_found")
    result = world.scan()
    assert (result.state, result.reason, result.error) == (
        ScanState.FAILED, "not_found", "The board failed: not_found.",
    )  # fmt: skip
    source = world.source()
    assert (source.last_state, source.last_reason, source.failures) == (ScanState.FAILED, "not_found", 1)
    assert source.last_success_at is None


def test_an_error_of_the_program_is_a_reason_and_not_a_traceback(world: World) -> None:
    world.board.show(then="crash")
    result = world.scan()
    assert (result.state, result.reason) == (ScanState.FAILED, "internal")
    assert "RuntimeError" in result.error


def test_a_kind_that_is_unknown_fails_with_words(world: World) -> None:
    world.monkeypatch.setattr(scout.sources, "KINDS", {})
    result = world.scan()
    assert (result.state, result.reason) == (ScanState.FAILED, "internal")
    assert "'folder'" in result.error


def test_a_listing_of_which_nothing_could_be_read_failed(world: World) -> None:
    world.board.show([], unparsed=["no title", "no id"])
    result = world.scan()
    assert (result.state, result.reason) == (ScanState.FAILED, "unparsed")
    assert "None of the board's 2 postings" in result.error


def test_a_board_that_never_ends_is_cut(world: World) -> None:
    world.monkeypatch.setattr(scanning, "TIME_LIMIT", -1.0)
    world.board.show([posting(1)], [posting(2)])
    result = world.scan()
    assert (result.state, result.reason, result.seen) == (ScanState.PARTIAL, "timeout", 1)


def test_a_failed_push_does_not_fail_the_scan(world: World) -> None:
    world.monkeypatch.undo()
    world.monkeypatch.setattr(scout.sources, "KINDS", KINDS)
    world.board.show([posting(1)])
    assert world.scan().state is ScanState.SUCCEEDED


def test_the_pushed_figures_are_those_of_the_scan(world: World) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    ((slug, figures),) = world.pushes
    assert slug == world.slug
    assert (figures.state, figures.seen, figures.new, figures.listed) == ("succeeded", 2, 2, 2)
    assert figures.finished_at == figures.last_success_at == world.time.timestamp()


# --- When next ----------------------------------------------------------------------------------------------


def test_the_next_scan_is_due_after_the_longer_interval_with_jitter(world: World) -> None:
    world.scan()
    source = world.source()
    assert source.next_scan_at is not None
    assert dt.timedelta(minutes=60) <= source.next_scan_at - world.time <= dt.timedelta(minutes=66)
    assert source.next_scan_why == "Every hour."
    world.monkeypatch.setattr(type(KINDS["folder"]), "interval", dt.timedelta(hours=6))
    world.scan()
    source = world.source()
    assert source.next_scan_at is not None
    assert dt.timedelta(hours=6) <= source.next_scan_at - world.time <= dt.timedelta(hours=6.6)
    assert source.next_scan_why == "Every 6 hours, as Folder boards are asked no more often."


def test_retry_after_is_honoured(world: World) -> None:
    world.board.show(then="rate_limited")
    world.scan()
    source = world.source()
    assert source.next_scan_at == world.time + dt.timedelta(hours=2)
    assert source.next_scan_why == "The board asked us to wait 2 hours."


def test_failures_in_a_row_wait_longer_and_success_ends_that(world: World) -> None:
    def fail(*_: object) -> Iterator[Page]:
        raise FetchError(Reason.DNS, "No such name.")

    world.monkeypatch.setattr(type(KINDS["folder"]), "read", fail)
    waits = []
    for _ in range(8):
        world.scan()
        next_at = world.source().next_scan_at
        assert next_at is not None
        waits.append(int((next_at - world.time).total_seconds() // 3600))
    assert waits[0] == 1
    assert waits[1] == 2
    assert waits[2] == 4
    assert waits[-1] in {24, 25, 26}
    assert world.source().next_scan_why == "8 scans in a row failed, so the next one waits 1 day."


# --- Leases -------------------------------------------------------------------------------------------------


def test_two_claims_of_one_result_have_one_winner(world: World) -> None:
    _, (result_id,) = world.ask(world.slug)
    assert leases.claim(world.db, result_id, worker="one", seconds=60) is not None
    assert leases.claim(world.db, result_id, worker="two", seconds=60) is None
    assert scanning.scan(world.db, world.settings, result_id, worker="two") is ScanState.RUNNING
    assert world.result(result_id).attempts == 1


def test_a_result_whose_source_another_run_scans_waits(world: World) -> None:
    _, (first,) = world.ask(world.slug)
    held = leases.claim(world.db, first, worker="one", seconds=60)
    assert held is not None
    with world.db.session() as session:
        run = ScanRun(trigger=RunTrigger.OWNER)
        session.add(run)
        session.flush()
        second = ScanResult(run_id=run.id, source_id=held.source_id)
        session.add(second)
        session.flush()
        second_id = second.id
    assert scanning.scan(world.db, world.settings, second_id, worker="two") is ScanState.QUEUED
    assert world.result(second_id).attempts == 0


def test_a_late_worker_does_not_write(world: World) -> None:
    world.board.show([posting(1)], [posting(2)])
    _, (result_id,) = world.ask(world.slug)

    def overtaken(*_: object) -> Iterator[Page]:
        yield Page(postings=(posting(1),))
        world.later(seconds=61)
        assert leases.claim(world.db, result_id, worker="two", seconds=60) is not None
        yield Page(postings=(posting(2),))

    world.monkeypatch.setattr(type(KINDS["folder"]), "read", overtaken)
    assert scanning.scan(world.db, world.settings, result_id, worker="one") is ScanState.RUNNING
    assert sorted(world.jobs()) == ["1"]
    assert world.result(result_id).state is ScanState.RUNNING
    assert world.source().last_scan_at is None
    assert "two" in (world.source().lease_by or "")


def test_a_removed_source_ends_its_scan_without_a_trace(world: World) -> None:
    run_id, (result_id,) = world.ask(world.slug)

    def removed(*_: object) -> Iterator[Page]:
        with world.db.session() as session:
            watchlist.remove(session, world.slug)
        yield Page(postings=(posting(1),))

    world.monkeypatch.setattr(type(KINDS["folder"]), "read", removed)
    scanning.scan(world.db, world.settings, result_id, worker="one")
    assert world.jobs() == {}
    assert scanning.scan(world.db, world.settings, result_id, worker="one") is ScanState.FAILED
    assert run_id


def test_an_interrupted_scan_is_handed_back_and_no_attempt_is_counted(world: World) -> None:
    _, (result_id,) = world.ask(world.slug)

    def interrupted(*_: object) -> Iterator[Page]:
        yield Page(postings=(posting(1),))
        raise scanning.ScanInterrupted

    with world.monkeypatch.context() as patch:
        patch.setattr(type(KINDS["folder"]), "read", interrupted)
        with pytest.raises(scanning.ScanInterrupted):
            scanning.scan(world.db, world.settings, result_id, worker="one")
    result = world.result(result_id)
    assert (result.state, result.attempts) == (ScanState.QUEUED, 0)
    assert world.source().lease_by is None
    world.board.show([posting(1), posting(2)])
    assert scanning.scan(world.db, world.settings, result_id, worker="one") is ScanState.SUCCEEDED
    assert counts(world.result(result_id)) == (2, 2, 0, 0, 0)


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it runs, and an open transaction is rolled back."""


def test_a_scan_killed_before_any_of_its_statements_ends_in_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def history(kill_at: int | None, folder: Path) -> tuple[list[Any], list[Any], bool]:
        """Three scans, the last killed before its n-th statement and run again; rows and counts after it."""
        world = World(folder, monkeypatch)
        world.board.show([posting(number) for number in range(12)])
        world.scan()
        world.board.show([posting(number) for number in range(1, 12)])
        world.scan()  # number 0 is absent once
        edited = [posting(number, title="Edited") for number in range(6, 14)]
        world.board.show([posting(number) for number in range(2, 6)], edited)
        world.later(hours=1)
        _, (result_id,) = world.ask(world.slug)
        statement = 0

        def kill(*_: object) -> None:
            nonlocal statement
            statement += 1
            if statement == kill_at:
                raise Killed

        event.listen(world.db.engine, "before_cursor_execute", kill)
        with monkeypatch.context() as patch:
            patch.setattr(leases, "hand_back", lambda *_: None)
            try:
                scanning.scan(world.db, world.settings, result_id, worker="one")
            except Killed:
                killed = True
            else:
                killed = False
        event.remove(world.db.engine, "before_cursor_execute", kill)
        world.later(seconds=61)
        scanning.scan(world.db, world.settings, result_id, worker="two")
        result = world.result(result_id)
        assert result.state is ScanState.SUCCEEDED
        rows = world.rows()
        world.db.dispose()
        return rows, list(counts(result)), killed

    expected_rows, expected_counts, _ = history(None, tmp_path / "whole")
    assert expected_counts == [12, 2, 6, 1, 0]
    moments = 0
    while True:
        rows, seen, killed = history(moments + 1, tmp_path / str(moments))
        if not killed:
            break
        moments += 1
        assert rows == expected_rows, f"killed before statement {moments}"
        assert seen == expected_counts, f"killed before statement {moments}"
    assert moments >= 10


def test_a_database_that_is_locked_for_a_moment_is_tried_again(world: World) -> None:
    world.board.show([posting(1)])
    world.monkeypatch.setattr(scanning, "_DATABASE_PAUSES", (0.0, 0.0))
    failures = 2
    write = storing.write

    def locked(*args: Any) -> storing.Stored:
        nonlocal failures
        stored = write(*args)
        if failures:
            failures -= 1
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        return stored

    world.monkeypatch.setattr(storing, "write", locked)
    assert counts(world.scan()) == (1, 1, 0, 0, 0)


def test_a_database_that_stays_away_leaves_the_scan_to_be_taken_over(world: World) -> None:
    world.board.show([posting(1)])
    world.monkeypatch.setattr(scanning, "_DATABASE_PAUSES", (0.0,))

    def full(*_: object) -> storing.Stored:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    _, (result_id,) = world.ask(world.slug)
    with world.monkeypatch.context() as patch:
        patch.setattr(storing, "write", full)
        with pytest.raises(OperationalError):
            scanning.scan(world.db, world.settings, result_id, worker="one")
    assert world.jobs() == {}
    assert world.result(result_id).state is ScanState.RUNNING
    world.later(seconds=61)
    assert scanning.scan(world.db, world.settings, result_id, worker="two") is ScanState.SUCCEEDED


# --- Runs ---------------------------------------------------------------------------------------------------


def _more(world: World, *names: str) -> list[Folder]:
    folders = [Folder(world.board.path.parent / name) for name in names]
    with world.db.session() as session:
        for folder in folders:
            folder.show([])
            watchlist.add(session, folder.board)
    return folders


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        (("", ""), ScanState.SUCCEEDED),
        (("", "dns"), ScanState.PARTIAL),
        (("dns", "tls"), ScanState.FAILED),
    ],
)
def test_a_run_ends_with_its_last_source_once(world: World, ends: tuple[str, str], state: ScanState) -> None:
    (other,) = _more(world, "other")
    world.board.show(then=ends[0])
    other.show(then=ends[1])
    run_id, result_ids = world.ask()
    assert len(result_ids) == 2
    scanning.scan(world.db, world.settings, result_ids[0], worker="one")
    with world.db.reading() as session:
        assert runs.get(session, run_id).state is ScanState.RUNNING
    scanning.scan(world.db, world.settings, result_ids[1], worker="one")
    with world.db.session() as session:
        run = runs.get(session, run_id)
        assert (run.state, run.finished_at) == (state, world.time)
        assert endings.finish_run(session, run_id) is None


def test_a_source_in_an_open_run_is_not_doubled(world: World) -> None:
    _more(world, "other")
    first, _ = world.ask(world.slug)
    second, result_ids = world.ask()
    assert second != first
    assert len(result_ids) == 1, "only the other source is new"
    third, _ = world.ask()
    assert third == second


def test_paused_sources_are_scanned_only_when_named(world: World) -> None:
    with world.db.session() as session:
        watchlist.pause(session, world.slug)
    with pytest.raises(runs.NothingToScan, match="scout sources add"):
        world.ask()
    assert world.ask(world.slug)


def test_an_unknown_source_is_named_and_nothing_is_scanned(world: World) -> None:
    with pytest.raises(watchlist.UnknownSource, match="nobody"):
        world.ask(world.slug, "nobody")
    with world.db.reading() as session:
        assert runs.recent(session) == []


def test_a_run_as_json(world: World) -> None:
    world.board.show([posting(1)], then="dns")
    run_id, (result_id,) = world.ask()
    scanning.scan(world.db, world.settings, result_id, worker="one")
    with world.db.reading() as session:
        found = runs.as_dict(runs.get(session, run_id))
    assert found == {
        "run_id": run_id,
        "status": "partial",
        "cancelling": False,
        "sources": [
            {
                "source": world.slug, "kind": "folder", "status": "partial",
                "seen": 1, "new": 1, "updated": 0, "closed": 0,
                "error": "The listing was cut after 1 postings, so nothing was closed. "
                "The board failed: dns.",
            }
        ],
    }  # fmt: skip


def test_every_reason_has_words() -> None:
    assert set(runs.REASON_TEXT) == set(Reason)


def test_an_unknown_run_is_named(world: World) -> None:
    with world.db.reading() as session, pytest.raises(runs.RunNotFound, match="77"):
        runs.get(session, 77)


def test_a_keeper_notices_that_its_lease_was_taken(world: World) -> None:
    _, (result_id,) = world.ask(world.slug)
    lease = leases.claim(world.db, result_id, worker="one", seconds=0.03)
    assert lease is not None
    keeper = leases.Keeper(world.db, lease)
    with keeper:
        with world.db.session() as session:
            leases.changed(session, update(Source).values(lease_by="somebody"))
        wait_until(lambda: keeper.lost, what="the keeper's noticing")

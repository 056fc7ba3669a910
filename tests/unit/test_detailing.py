from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import scout.sources
from metrics import catalogue
from metrics.testing import Captured
from scout import leases, scanning, storing, watchlist
from scout.fetch import Door, FetchError, Reason
from scout.models import Job, Listing, ScanState, Status
from scout.postings import Posting
from scout.sources import KINDS, recognise
from scout.sources.board import Board, Detailed
from scout.sources.workday import Workday
from tests import kept
from tests.boards_in_folders import FolderKind, posting
from tests.employer_boards import workday
from tests.scan_world import World, world
from tests.serving import Asked, reply, serving

__all__ = ["world"]


class TerseKind(FolderKind):
    """Boards in folders whose listing has no texts."""

    details = 3

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails: dict[str, Exception] = {}

    def detailed(self, posting: Posting, board: Board, door: Door) -> Posting:
        del board, door
        self.asked.append(posting.source_job_id)
        failure = self.fails.get(posting.source_job_id) or self.fails.get("all")
        if failure is not None:
            raise failure
        text = f"The whole text of {posting.title}."
        return dataclasses.replace(posting, description_html=f"<p>{text}</p>", description_text=text)


@pytest.fixture
def terse(world: World) -> TerseKind:
    kind = TerseKind()
    world.monkeypatch.setattr(scout.sources, "KINDS", {"folder": kind})
    return kind


def short(number: int | str, **changes: Any) -> Posting:
    return posting(number, **{"description_html": "", "description_text": "", **changes})


def with_text(world: World) -> set[str]:
    with world.db.reading() as session:
        return {
            listing.source_job_id
            for listing in session.query(Listing)
            if listing.job.description_text == f"The whole text of {listing.job.title}."
        }


def digests(world: World) -> Iterable[str]:
    with world.db.reading() as session:
        return [listing.digest for listing in session.query(Listing)]


def counts(world: World) -> tuple[int, int, int, int]:
    result = world.scan()
    assert result.state is ScanState.SUCCEEDED, result.error
    return result.seen, result.new, result.updated, result.closed


def test_a_kind_with_details_is_told_from_one_without() -> None:
    assert isinstance(TerseKind(), Detailed)
    assert not isinstance(FolderKind(), Detailed)


def test_new_postings_are_stored_with_their_details(world: World, terse: TerseKind) -> None:
    world.board.show([short(1), short(2)])
    assert counts(world) == (2, 2, 0, 0)
    assert with_text(world) == {"1", "2"}
    assert world.source().last_error == ""


def test_details_are_asked_for_once(world: World, terse: TerseKind) -> None:
    world.board.show([short(1), short(2)])
    world.scan()
    before = world.rows()
    assert counts(world) == (2, 0, 0, 0)
    assert terse.asked == ["1", "2"]
    assert world.rows() == before


def test_one_scan_asks_for_a_bounded_number_and_the_next_for_the_rest(world: World, terse: TerseKind) -> None:
    world.board.show([short(number) for number in range(4)], [short(number) for number in range(4, 8)])
    assert counts(world) == (8, 8, 0, 0)
    assert len(terse.asked) == len(with_text(world)) == 3
    assert "The text of 5 postings is still to be fetched" in world.source().last_error
    assert counts(world) == (8, 0, 3, 0)
    assert counts(world) == (8, 0, 2, 0)
    assert with_text(world) == {str(number) for number in range(8)}
    assert world.source().last_error == ""
    assert counts(world) == (8, 0, 0, 0)
    assert len(terse.asked) == len(set(terse.asked)) == 8


def test_the_best_matches_come_first(world: World, terse: TerseKind) -> None:
    dull = [short(number, title="Forklift Driver") for number in range(5)]
    world.board.show(dull, [short(7), *(short(number, title="Accountant") for number in (8, 9))])
    world.scan()
    assert terse.asked[0] == "7"


def test_a_posting_that_changed_in_the_listing_is_asked_for_again(world: World, terse: TerseKind) -> None:
    world.board.show([short(1), short(2)])
    world.scan()
    world.board.show([short(1), short(2, title="Lead Identity Engineer")])
    assert counts(world) == (2, 0, 1, 0)
    assert terse.asked == ["1", "2", "2"]
    assert world.jobs()["2"].title == "Lead Identity Engineer"
    assert with_text(world) == {"1", "2"}


def test_a_text_that_is_stored_is_never_lost_to_a_listing_without_it(world: World, terse: TerseKind) -> None:
    world.board.show([short(1), short(2)])
    world.scan()
    terse.fails["all"] = FetchError(Reason.SERVER_ERROR, "It has a fault of its own.")
    world.board.show([short(1, title="Lead Identity Engineer"), short(2)])
    assert counts(world) == (2, 0, 0, 0)
    assert with_text(world) == {"1", "2"}
    assert world.jobs()["1"].title == "Identity Engineer 1"
    terse.fails.clear()
    assert counts(world) == (2, 0, 1, 0)
    assert world.jobs()["1"].title == "Lead Identity Engineer"
    assert with_text(world) == {"1", "2"}


def test_a_posting_without_its_text_follows_the_listing(world: World, terse: TerseKind) -> None:
    terse.details = 0
    world.board.show([short(1)])
    world.scan()
    world.board.show([short(1, title="Lead Identity Engineer")])
    assert counts(world) == (1, 0, 1, 0)
    assert world.jobs()["1"].title == "Lead Identity Engineer"
    assert counts(world) == (1, 0, 0, 0)


@pytest.mark.parametrize("details", [0, 3])
def test_a_posting_that_is_back_keeps_or_gets_its_text(world: World, terse: TerseKind, details: int) -> None:
    world.board.show([short(1), short(2)])
    world.scan()
    world.board.show([short(1)])
    world.scan()
    world.scan()
    assert world.listing(2).closed_at is not None
    terse.details = details
    world.board.show([short(1), short(2)])
    assert world.scan().reopened == 1
    assert with_text(world) == {"1", "2"}
    world.board.show([short(1)])
    world.scan()
    world.scan()
    world.board.show([short(1), short(2, title="Lead Identity Engineer")])
    assert world.scan().reopened == 1
    assert with_text(world) == {"1", "2"}
    assert (world.jobs()["2"].title == "Lead Identity Engineer") == bool(details)


def test_a_posting_that_is_gone_meanwhile_is_no_failure_of_the_board(world: World, terse: TerseKind) -> None:
    terse.details = 10
    for number in range(5):
        terse.fails[str(number)] = FetchError(Reason.NOT_FOUND, "Not there.")
    world.board.show([short(number) for number in range(7)])
    assert counts(world) == (7, 7, 0, 0)
    assert len(terse.asked) == 7
    assert with_text(world) == {"5", "6"}


def test_a_posting_whose_own_page_is_gone_closes_though_it_is_listed(world: World, terse: TerseKind) -> None:
    terse.details = 10
    world.board.show([short(number) for number in range(4)])
    world.scan()
    terse.fails["1"] = FetchError(Reason.NOT_FOUND, "Not there.")
    terse.fails["9"] = FetchError(Reason.GONE, "Gone.")
    world.board.show([short(0), short(1, title="Lead Identity Engineer"), short(2), short(3), short(9)])
    assert counts(world) == (5, 0, 0, 1)
    assert world.listing(1).closed_at == world.time
    assert world.jobs()["1"].status is Status.CLOSED
    assert "9" not in world.jobs()
    assert counts(world) == (5, 0, 0, 0), "it stays closed while its page is gone"
    terse.fails.clear()
    result = world.scan()
    assert (result.new, result.reopened) == (1, 1)
    assert world.jobs()["1"].title == "Lead Identity Engineer"


def test_a_posting_that_another_board_lists_stays_open_though_its_page_is_gone_here(
    world: World, terse: TerseKind
) -> None:
    world.board.show([short(1)])
    world.scan()
    job_id = world.jobs()["1"].id
    with world.db.session() as session:
        other = kept.source(session, "other")
        kept.listed(session, session.get_one(Job, job_id), other, source_job_id="elsewhere")
    terse.fails["1"] = FetchError(Reason.GONE, "Gone.")
    world.board.show([short(1, title="Lead Identity Engineer")])
    assert counts(world) == (1, 0, 0, 1)
    assert world.jobs()["1"].status is Status.NEW


def test_a_board_whose_details_are_mostly_gone_has_a_fault_and_closes_nothing(
    world: World, terse: TerseKind
) -> None:
    terse.details = 10
    world.board.show([short(number) for number in range(5)])
    world.scan()
    terse.fails["all"] = FetchError(Reason.NOT_FOUND, "Not there.")
    world.board.show(
        [short(number, title="Lead Identity Engineer") for number in range(3)] + [short(3), short(4)]
    )
    assert counts(world) == (5, 0, 0, 0)
    assert {job.status for job in world.jobs().values()} == {Status.NEW}
    assert "The text of 3 postings is still to be fetched" in world.source().last_error


def test_a_board_that_gives_no_details_is_left_alone_after_three(world: World, terse: TerseKind) -> None:
    terse.details = 10
    terse.fails["all"] = FetchError(Reason.NOT_A_LISTING, "It answered with a web page.")
    world.board.show([short(number) for number in range(9)])
    assert counts(world) == (9, 9, 0, 0)
    assert len(terse.asked) == 3
    assert "It answered with a web page." in world.source().last_error


def test_an_error_of_the_program_in_one_posting_keeps_no_other_away(
    world: World, terse: TerseKind, emitted: Captured
) -> None:
    terse.details = 10
    terse.fails["1"] = ValueError("a strange one")
    world.board.show([short(number) for number in range(3)])
    assert counts(world) == (3, 3, 0, 0)
    assert with_text(world) == {"0", "2"}
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ValueError", place="scan")


def test_single_failures_do_not_stop_the_others(world: World, terse: TerseKind) -> None:
    terse.details = 10
    for number in (0, 1, 3, 4):
        terse.fails[str(number)] = FetchError(Reason.UNPARSED, "An odd one.")
    world.board.show([short(number) for number in range(6)])
    world.scan()
    assert len(terse.asked) == 6
    assert with_text(world) == {"2", "5"}
    assert "The text of 4 postings" in world.source().last_error


@pytest.mark.parametrize("reason", [Reason.RATE_LIMITED, Reason.DENIED, Reason.BOT_CHALLENGE])
def test_a_board_that_turns_us_away_is_asked_no_further(
    world: World, terse: TerseKind, reason: Reason
) -> None:
    terse.fails["all"] = FetchError(reason, "Leave me alone.", retry_after=7200.0)
    world.board.show([short(1), short(2)])
    assert counts(world) == (2, 2, 0, 0)
    assert len(terse.asked) == 1
    source = world.source()
    assert source.next_scan_at is not None
    assert source.next_scan_at - world.time >= dt.timedelta(hours=2)
    assert source.next_scan_why == "The board asked us to wait 2 hours."


@pytest.mark.parametrize(
    ("then", "asked"), [("too_large", 3), ("server_error", 0), ("timeout", 0), ("crash", 0)]
)
def test_a_listing_that_was_cut_is_stored_and_only_a_healthy_board_is_asked_for_more(
    world: World, terse: TerseKind, then: str, asked: int
) -> None:
    world.board.show([short(number) for number in range(5)], then=then)
    result = world.scan()
    reason = "internal" if then == "crash" else then
    assert (result.state, result.reason, result.new) == (ScanState.PARTIAL, reason, 5)
    assert len(terse.asked) == asked


def test_a_scan_whose_time_is_over_asks_for_no_details(world: World, terse: TerseKind) -> None:
    world.monkeypatch.setattr(scanning, "TIME_LIMIT", -1.0)
    world.board.show([short(1), short(2)])
    result = world.scan()
    assert (result.state, result.reason, result.new) == (ScanState.PARTIAL, "timeout", 2)
    assert terse.asked == []


def test_not_modified_never_keeps_the_rest_of_the_details_away(world: World, terse: TerseKind) -> None:
    world.board.show([short(number) for number in range(5)], etag="v1")
    world.scan()
    assert world.source().validators == {}
    world.scan()
    assert len(with_text(world)) == 5
    assert world.source().validators["etags"]


def test_a_real_kind_is_scanned_through_its_pages_and_details(world: World) -> None:
    postings = [workday(number, title=f"IAM Engineer {number}") for number in range(25)]

    def answer(asked: Asked) -> bytes:
        if asked.method == "POST":
            offset = json.loads(asked.body)["offset"]
            listed = {"total": 0 if offset else 25, "jobPostings": postings[offset : offset + 20]}
            return reply(json.dumps(listed).encode())
        number = asked.path.rpartition("_JR")[2]
        info = {
            "title": f"IAM Engineer {number}",
            "jobDescription": "<p>Okta.</p>",
            "startDate": "2026-01-02",
        }
        return reply(json.dumps({"jobPostingInfo": info}).encode())

    world.monkeypatch.setattr(scout.sources, "KINDS", KINDS)
    with world.db.session() as session:
        world.slug = watchlist.add(session, recognise("https://acme.wd5.myworkdayjobs.com/en-US/Ext")).slug
    world.monkeypatch.setattr(Workday, "details", 15)
    with serving(answer) as server:
        world.settings = dataclasses.replace(
            world.settings, origin_overrides={"https://*.myworkdayjobs.com": server.origin}
        )
        assert counts(world) == (25, 25, 0, 0)
        assert [asked.method for asked in server.asked].count("GET") == 15
        assert counts(world) == (25, 0, 10, 0)
        assert counts(world) == (25, 0, 0, 0)
        assert [asked.method for asked in server.asked].count("GET") == 25
    with world.db.reading() as session:
        jobs = session.query(Job).all()
        assert {job.description_text for job in jobs} == {"Okta."}
        assert all(job.posted_at and job.posted_at.date().isoformat() == "2026-01-02" for job in jobs)


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it runs, and an open transaction is rolled back."""


def test_a_scan_killed_among_its_details_ends_in_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "DETAILED_BATCH", 2)

    def history(kill_at: int | None, folder: Path) -> tuple[list[Any], set[str], tuple[int, int, int], bool]:
        """A scan of new, changed and known postings, killed after its n-th request and run again."""
        world = World(folder, monkeypatch)
        kind = TerseKind()
        kind.details = 20
        monkeypatch.setattr(scout.sources, "KINDS", {"folder": kind})
        world.board.show([short(number) for number in range(4)])
        world.scan()
        changed = [short(number, title="IAM Engineer") for number in (0, 1)]
        world.board.show(changed, [short(number) for number in range(2, 8)])
        world.later(hours=1)
        _, (result_id,) = world.ask(world.slug)
        kind.asked = []
        killed = False

        def detailed(posting: Posting, board: Board, door: Door) -> Posting:
            nonlocal killed
            if len(kind.asked) == kill_at and not killed:
                killed = True
                raise Killed
            return TerseKind.detailed(kind, posting, board, door)

        with monkeypatch.context() as patch:
            patch.setattr(kind, "detailed", detailed)
            patch.setattr(leases, "hand_back", lambda *_: None)
            with contextlib.suppress(Killed):
                scanning.scan(world.db, world.settings, result_id, worker="one")
            world.later(seconds=61)
            scanning.scan(world.db, world.settings, result_id, worker="two")
        result = world.result(result_id)
        assert result.state is ScanState.SUCCEEDED
        ended = world.rows(), with_text(world), (result.seen, result.new, result.updated), killed
        world.db.dispose()
        return ended

    *expected, _ = history(None, tmp_path / "whole")
    assert expected[1:] == [{str(number) for number in range(8)}, (8, 4, 2)]
    for moment in range(6):
        *found, killed = history(moment, tmp_path / str(moment))
        assert killed
        assert found == expected, f"killed after request {moment}"


def test_a_posting_without_its_details_has_a_fingerprint_of_its_own(world: World, terse: TerseKind) -> None:
    terse.details = 1
    world.board.show([short(1), short(2)])
    world.scan()
    found = [storing.is_brief(digest) for digest in digests(world)]
    assert sorted(found) == [False, True]
    assert all(len(digest) == 64 for digest in digests(world))


def test_many_postings_with_details_are_written_in_small_batches(world: World, terse: TerseKind) -> None:
    terse.details = 50
    world.board.show([short(number) for number in range(70)])
    assert counts(world) == (70, 70, 0, 0)
    assert len(with_text(world)) == 50
    assert counts(world) == (70, 0, 20, 0)

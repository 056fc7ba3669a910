"""Cancelling a run: what ends at once, what stops at its next page, and what it leaves as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

import scout.sources
from metrics import catalogue
from metrics.testing import Captured
from scout import cancelling, endings, leases, runs, scanning, watchlist
from scout.cancelling import Cancelled, RunEnded
from scout.fetch import FetchError, Reason
from scout.leases import LeaseLost
from scout.models import ScanRun, ScanState
from scout.postings import Posting
from scout.runs import RunNotFound
from tests.boards_in_folders import Folder, posting
from tests.scan_world import World, world
from tests.unit.test_detailing import TerseKind, short
from workers import reaper

__all__ = ["world"]


def another(world: World, name: str) -> Folder:
    board = Folder(world.board.path.parent / name)
    board.show([posting(f"{name}-1")])
    with world.db.session() as session:
        watchlist.add(session, board.board)
    return board


def run(world: World, run_id: int) -> ScanRun:
    with world.db.reading() as session:
        return runs.get(session, run_id)


def scan(world: World, result_id: int) -> ScanState:
    return scanning.scan(world.db, world.settings, result_id, worker="test")


def at_page(world: World, number: int, do: Callable[[], object]) -> None:
    """Do something while the board is asked for a page."""
    real = scanning._Scan._store
    done: list[object] = []

    def store(self: scanning._Scan, page: object) -> None:
        real(self, page)  # type: ignore[arg-type]
        if len(self.seen) == number and not done:
            done.append(do())

    world.monkeypatch.setattr(scanning._Scan, "_store", store)


def test_what_waits_ends_at_once_and_its_boards_are_not_due_at_once(world: World, emitted: Captured) -> None:
    another(world, "globex")
    run_id, results = world.ask()
    assert cancelling.cancel(world.db, world.settings, run_id) == Cancelled(ended=2, running=0)
    found = run(world, run_id)
    assert (found.state, found.finished_at) == (ScanState.CANCELLED, world.time)
    assert {each.state for each in found.results} == {ScanState.CANCELLED}
    assert found.results[0].error == "The scan was cancelled before the board was read."
    source = world.source()
    assert (source.last_state, source.last_scan_at, watchlist.health(source)) == (None, None, "new")
    assert source.next_scan_at is not None
    assert source.next_scan_at >= world.time + dt.timedelta(minutes=30)
    assert source.next_scan_why.startswith("The last scan was cancelled. Every")
    emitted.assert_incremented(catalogue.SCAN_RUNS, 1, status="cancelled")
    # Its jobs are still on the queue: they find nothing to do.
    assert [scan(world, each) for each in results] == [ScanState.CANCELLED] * 2
    assert world.jobs() == {}


def test_a_board_that_is_being_read_stops_at_its_next_page_and_keeps_what_it_stored(
    world: World, emitted: Captured
) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    world.later(hours=1)
    before = world.source()
    world.board.show([posting(3)], [posting(4)])
    run_id, (result_id,) = world.ask()
    at_page(world, 1, lambda: cancelling.cancel(world.db, world.settings, run_id))
    world.pushes.clear()
    assert scan(world, result_id) is ScanState.CANCELLED
    assert set(world.jobs()) == {"1", "2", "3"}
    result = world.result(result_id)
    assert (result.seen, result.new, result.closed) == (1, 1, 0)
    assert result.error == "The scan was cancelled. 1 posting was read, and is kept; nothing was closed."
    assert world.listing(1).missing == 0
    assert run(world, run_id).state is ScanState.CANCELLED
    source = world.source()
    assert source.lease_by is None
    assert (source.last_state, source.last_scan_at) == (before.last_state, before.last_scan_at)
    assert world.pushes == [], "the gateway goes on telling of the last whole scan"
    emitted.assert_incremented(catalogue.SCAN_RUNS, 1, status="cancelled")
    emitted.assert_observed(catalogue.SCAN_DURATION, 1, kind="folder", status="cancelled")
    emitted.assert_incremented(catalogue.SCAN_ERRORS, 0)
    # The next scan begins afresh, and ends as if nothing had been.
    assert world.scan().state is ScanState.SUCCEEDED
    assert set(world.jobs()) == {"1", "2", "3", "4"}


def test_no_more_details_are_asked_for_and_what_is_listed_is_kept(world: World) -> None:
    kind = TerseKind()
    kind.details = 10
    world.monkeypatch.setattr(scout.sources, "KINDS", {"folder": kind})
    world.monkeypatch.setattr(scanning, "CANCEL_LOOK", 0.0)
    kind.fails["gone"] = FetchError(Reason.NOT_FOUND, "No such posting.")
    world.board.show([short(1), short("gone")])
    world.scan()
    kind.asked.clear()
    world.board.show([short(each) for each in (2, 3, 4)])
    run_id, (result_id,) = world.ask()
    real = kind.detailed

    def detailed(*arguments: Any) -> Posting:
        cancelling.cancel(world.db, world.settings, run_id)
        return real(*arguments)

    world.monkeypatch.setattr(kind, "detailed", detailed)
    assert scan(world, result_id) is ScanState.CANCELLED
    assert len(kind.asked) == 1
    assert {"2", "3", "4"} <= set(world.jobs())
    assert world.result(result_id).closed == 0


def test_the_running_ones_are_told_and_the_run_ends_with_them(world: World) -> None:
    another(world, "globex")
    run_id, (first, _) = world.ask()
    lease = leases.claim(world.db, first, worker="other", seconds=60)
    assert lease is not None
    assert cancelling.cancel(world.db, world.settings, run_id) == Cancelled(ended=1, running=1)
    assert run(world, run_id).state is ScanState.RUNNING
    assert runs.as_dict(run(world, run_id))["cancelling"] is True
    assert cancelling.cancel(world.db, world.settings, run_id) == Cancelled(ended=0, running=1), "asked twice"
    with world.db.session() as session:
        lease.fence(session)
        endings.record(session, world.settings, result_id=first, ending=cancelling.ending(3))
    found = run(world, run_id)
    assert found.state is ScanState.CANCELLED
    assert "3 postings were read, and are kept" in found.results[0].error


def test_a_part_that_ends_by_itself_meanwhile_keeps_its_ending(world: World) -> None:
    world.board.show([posting(1)])
    run_id, (result_id,) = world.ask()
    real = scanning._Scan._end

    def end(self: scanning._Scan, *arguments: object) -> ScanState:
        cancelling.cancel(world.db, world.settings, run_id)
        return real(self, *arguments)  # type: ignore[arg-type]

    world.monkeypatch.setattr(scanning._Scan, "_end", end)
    assert scan(world, result_id) is ScanState.SUCCEEDED
    assert run(world, run_id).state is ScanState.SUCCEEDED


def test_what_is_handed_back_after_that_is_swept_up_and_never_claimed(
    world: World, emitted: Captured
) -> None:
    run_id, (result_id,) = world.ask()
    lease = leases.claim(world.db, result_id, worker="other", seconds=60)
    assert lease is not None
    cancelling.cancel(world.db, world.settings, run_id)
    assert leases.hand_back(world.db, lease)
    assert world.result(result_id).state is ScanState.QUEUED
    assert leases.claim(world.db, result_id, worker="third", seconds=60) is None
    assert cancelling.sweep(world.db, world.settings) == 1
    assert world.result(result_id).state is ScanState.CANCELLED
    assert run(world, run_id).state is ScanState.CANCELLED
    emitted.assert_incremented(catalogue.SCAN_RUNS, 1, status="cancelled")
    assert cancelling.sweep(world.db, world.settings) == 0


def test_a_worker_that_died_while_it_was_cancelled_is_swept_up_and_a_late_one_writes_nothing(
    world: World,
) -> None:
    run_id, (result_id,) = world.ask()
    lease = leases.claim(world.db, result_id, worker="dead", seconds=60)
    assert lease is not None
    cancelling.cancel(world.db, world.settings, run_id)
    assert cancelling.sweep(world.db, world.settings) == 0, "it may be at its page still"
    world.later(minutes=2)
    assert cancelling.sweep(world.db, world.settings) == 1
    assert run(world, run_id).state is ScanState.CANCELLED
    with pytest.raises(LeaseLost), world.db.session() as session:
        lease.fence(session)


def test_the_reaper_may_be_first_and_all_ends_the_same(world: World) -> None:
    run_id, (result_id,) = world.ask()
    assert leases.claim(world.db, result_id, worker="dead", seconds=60) is not None
    cancelling.cancel(world.db, world.settings, run_id)
    world.later(minutes=2)

    class Queue:
        def enqueue(self, *_: int, again: bool = False) -> bool:
            return again

    assert reaper.requeue_abandoned(world.db, world.settings, Queue()) == 1  # type: ignore[arg-type]
    assert scan(world, result_id) is ScanState.QUEUED
    assert cancelling.sweep(world.db, world.settings) == 1
    assert run(world, run_id).state is ScanState.CANCELLED


def test_a_board_of_a_run_that_is_about_to_stop_may_be_asked_for_anew(world: World) -> None:
    run_id, (result_id,) = world.ask()
    leases.claim(world.db, result_id, worker="other", seconds=60)
    cancelling.cancel(world.db, world.settings, run_id)
    again, results = world.ask()
    assert again != run_id
    assert results != [result_id]


def test_what_cannot_be_cancelled_says_so(world: World) -> None:
    with pytest.raises(RunNotFound, match="no scan run 7"):
        cancelling.cancel(world.db, world.settings, 7)
    world.board.show([posting(1)])
    world.scan()
    with pytest.raises(RunEnded, match="Scan run 1 has ended: it succeeded"):
        cancelling.cancel(world.db, world.settings, 1)


def test_a_cancelled_scan_breaks_no_row_of_suspicious_ones(world: World) -> None:
    world.board.show([posting(each) for each in range(30)])
    world.scan()
    world.board.show([posting(1)])
    world.scan()
    since = world.time
    run_id, _ = world.ask()
    cancelling.cancel(world.db, world.settings, run_id)
    world.scan()
    with world.db.reading() as session:
        assert endings.suspicious_since(session, world.source().id) == since


def test_a_plan_that_lies_ahead_stays(world: World) -> None:
    world.board.show([posting(1)])
    world.scan()
    planned = world.source().next_scan_at
    run_id, _ = world.ask()
    cancelling.cancel(world.db, world.settings, run_id)
    assert world.source().next_scan_at == planned

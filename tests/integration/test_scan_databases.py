"""What scans promise, on SQLite and on PostgreSQL: who races is the database's business."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import event, select

from scout import jobs, leases, runs, scanning, storing, watchlist
from scout.matching import Match
from scout.models import Job, Listing, RunTrigger, ScanResult, ScanRun, ScanState, Status
from tests.boards_in_folders import Folder, posting
from tests.scan_world import NoQueue, World, any_world

__all__ = ["any_world"]


class Killed(BaseException):
    """Stands for SIGKILL."""


def at_once(count: int, act: Callable[[], object]) -> None:
    """Do something in many threads at the same moment."""
    together = threading.Barrier(count)

    def run() -> None:
        together.wait()
        act()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_postings_come_change_go_and_come_back(any_world: World) -> None:
    world = any_world
    world.board.show([posting(number) for number in range(30)])
    assert world.scan().new == 30
    with world.db.session() as session:
        jobs.change_status(session, world.jobs()["2"].id, Status.APPLIED, by="owner")
    world.board.show([posting(number, title="Edited" if number == 9 else "Same") for number in range(3, 30)])
    result = world.scan()
    assert (result.seen, result.new, result.updated, result.closed) == (27, 0, 27, 0)
    assert world.scan().closed == 3
    found = world.jobs()
    assert [found[each].status for each in "012"] == [Status.CLOSED, Status.CLOSED, Status.APPLIED]
    world.board.show([posting(number) for number in range(30)])
    result = world.scan()
    assert (result.new, result.updated, result.reopened) == (0, 27, 3)
    assert {job.status for job in world.jobs().values()} == {Status.NEW, Status.APPLIED}


def test_many_that_store_one_posting_at_once_leave_one_row(any_world: World) -> None:
    world = any_world
    source_id = world.source().id
    entries = [storing.Entry(posting(n), storing.digest(posting(n)), Match(5, [])) for n in range(25)]
    stored: list[storing.Stored] = []

    def store() -> None:
        with world.db.session() as session:
            # Nothing is known beforehand, and no lease keeps the others away.
            stored.append(storing.write(session, source_id, entries, {}))

    at_once(8, store)
    assert len(stored) == 8
    assert sum(each.new for each in stored) == 25
    with world.db.reading() as session:
        assert len(session.scalars(select(Listing.id)).all()) == 25
        assert len(session.scalars(select(Job.id)).all()) == 25, "no job without a listing"


def test_of_many_claims_and_of_many_requests_one_wins(any_world: World) -> None:
    world = any_world
    asked: list[int] = []
    at_once(
        6,
        lambda: asked.append(runs.request(world.db, NoQueue(), trigger=RunTrigger.OWNER, slugs=[world.slug])),
    )
    assert len(set(asked)) == 1
    with world.db.reading() as session:
        (result,) = session.scalars(select(ScanResult)).all()
    won: list[leases.Lease | None] = []
    at_once(6, lambda: won.append(leases.claim(world.db, result.id, worker="w", seconds=60)))
    assert sum(lease is not None for lease in won) == 1


def test_sources_that_end_at_once_end_their_run_once(any_world: World) -> None:
    world = any_world
    for number in range(5):
        folder = Folder(world.board.path.parent / f"more-{number}")
        folder.show([posting(1)])
        with world.db.session() as session:
            watchlist.add(session, folder.board)
    run_id, result_ids = world.ask()
    waiting = list(result_ids)
    at_once(6, lambda: scanning.scan(world.db, world.settings, waiting.pop(), worker="w"))
    with world.db.reading() as session:
        run = session.get_one(ScanRun, run_id)
        assert (run.state, run.finished_at) == (ScanState.SUCCEEDED, world.time)


@pytest.mark.parametrize("moment", range(1, 25, 3))
def test_a_killed_scan_ends_in_the_same_rows(
    any_world: World, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = any_world
    monkeypatch.setattr(leases, "hand_back", lambda *_: None)
    world.board.show([posting(1), posting(2)])
    _, (result_id,) = world.ask(world.slug)
    statements = 0

    def kill(*_: object) -> None:
        nonlocal statements
        statements += 1
        if statements == moment:
            raise Killed

    event.listen(world.db.engine, "before_cursor_execute", kill)
    try:
        scanning.scan(world.db, world.settings, result_id, worker="one")
    except Killed:
        pass
    finally:
        event.remove(world.db.engine, "before_cursor_execute", kill)
    world.later(seconds=61)
    scanning.scan(world.db, world.settings, result_id, worker="two")
    result = world.result(result_id)
    assert (result.state, result.seen, result.new) == (ScanState.SUCCEEDED, 2, 2)
    assert len(world.rows()) == 2

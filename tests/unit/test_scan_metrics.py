"""What a scan counts: of its postings, of what it stores, and of what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from metrics import catalogue
from metrics.testing import captured
from scout import leases, matching, scanning, storing
from scout.leases import Keeper, changed
from scout.models import ScanState, Source
from tests.boards_in_folders import posting
from tests.scan_world import World, world
from tests.waiting import wait_until

__all__ = ["world"]


@pytest.mark.parametrize(
    ("score", "band"),
    [(0, "0-24"), (24, "0-24"), (25, "25-49"), (49, "25-49"), (50, "50-69"), (69, "50-69"), (70, "70-84"),
     (84, "70-84"), (85, "85-100"), (100, "85-100")],
)  # fmt: skip
def test_every_score_has_its_band(score: int, band: str) -> None:
    assert matching.band(score) == band


def test_new_jobs_are_counted_once_by_how_well_they_match(world: World) -> None:
    dull = posting(3, title="Gardener", description_text="Roses.", description_html="<p>Roses.</p>")
    world.board.show([posting(1), posting(2), dull])
    with captured() as emitted:
        world.scan()
        emitted.assert_incremented(catalogue.MATCHES, 2, band="70-84")
        emitted.assert_incremented(catalogue.MATCHES, 1, band="0-24")
        world.scan()
        world.board.show([posting(1, title="Head of Identity"), posting(2), dull])
        world.scan()
        emitted.assert_incremented(catalogue.MATCHES, 3)


def test_a_posting_that_a_board_holds_twice_is_counted_as_merged(world: World) -> None:
    world.board.show([posting(1), posting(2), posting(2)], [posting(2), posting(3)])
    with captured() as emitted:
        world.scan()
        emitted.assert_incremented(catalogue.DUPLICATES_MERGED, 2, kind="folder")
        emitted.assert_incremented(catalogue.POSTINGS_PARSED, 5, kind="folder")
        emitted.assert_incremented(catalogue.SCAN_LISTINGS, 3, kind="folder", change="new")


def test_listings_are_counted_by_what_the_scan_found(world: World) -> None:
    def scanned() -> dict[str, float]:
        with captured() as emitted:
            world.scan()
            found = {
                change: emitted.count(catalogue.SCAN_LISTINGS, kind="folder", change=change)
                for change in catalogue.CHANGE.values
            }
        return {change: count for change, count in found.items() if count}

    world.board.show([posting(1), posting(2), posting(3)], etag="one")
    assert scanned() == {"new": 3}
    assert scanned() == {"unchanged": 3}, "the board says that nothing changed"
    world.board.show([posting(1, title="Other"), posting(2)])
    assert scanned() == {"updated": 1, "unchanged": 1}
    assert scanned() == {"unchanged": 2, "closed": 1}
    world.board.show([posting(1, title="Other"), posting(2), posting(3)])
    assert scanned() == {"unchanged": 2, "reopened": 1}


def test_what_was_stored_before_a_scan_was_interrupted_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.board.show([posting(1)], [posting(2)])
    _, (result_id,) = world.ask(world.slug)
    real = storing.write
    batches: list[int] = []

    def write(*args: Any) -> storing.Stored:
        batches.append(1)
        if len(batches) == 2:
            raise scanning.ScanInterrupted
        return real(*args)

    monkeypatch.setattr(storing, "write", write)
    with captured() as emitted:
        with pytest.raises(scanning.ScanInterrupted):
            scanning.scan(world.db, world.settings, result_id, worker="stops")
        emitted.assert_incremented(catalogue.SCAN_LISTINGS, kind="folder", change="new")
        emitted.assert_incremented(catalogue.MATCHES, band="70-84")
        emitted.assert_no_metrics(catalogue.SCAN_DURATION)


def test_postings_that_cannot_be_read_or_scored_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = matching.score

    def score(given: Any, profile: Any) -> Any:
        if given.source_job_id == "2":
            raise ZeroDivisionError
        return real(given, profile)

    monkeypatch.setattr(matching, "score", score)
    world.board.show([posting(1), posting(2)], unparsed=["one", "two"])
    with captured() as emitted:
        world.scan()
        emitted.assert_incremented(catalogue.POSTINGS_UNPARSED, 3, kind="folder")
        emitted.assert_incremented(catalogue.APP_ERRORS, type="ZeroDivisionError", place="scan")
        emitted.assert_incremented(catalogue.SCAN_ERRORS, kind="folder", reason="unparsed")
        emitted.assert_observed(catalogue.SCAN_DURATION, kind="folder", status="partial")


def test_a_scan_that_an_error_of_ours_stops_is_counted_as_one(world: World) -> None:
    world.board.show([], then="crash")
    with captured() as emitted:
        world.scan()
        emitted.assert_incremented(catalogue.APP_ERRORS, type="RuntimeError", place="scan")
        emitted.assert_incremented(catalogue.SCAN_ERRORS, kind="folder", reason="internal")
        emitted.assert_incremented(catalogue.SCAN_RUNS, status="failed")


def once(error: Exception, then: Callable[..., Any]) -> Callable[..., Any]:
    """A function that raises the first time."""
    raised: list[int] = []

    def function(*args: Any) -> Any:
        if not raised:
            raised.append(1)
            raise error
        return then(*args)

    return function


def test_a_batch_that_the_database_did_not_take_at_first_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = OperationalError("UPDATE", {}, Exception("database is locked"))
    monkeypatch.setattr(storing, "write", once(locked, storing.write))
    monkeypatch.setattr(scanning, "_DATABASE_PAUSES", (0.0,))
    world.board.show([posting(1)])
    with captured() as emitted:
        assert world.scan().state is ScanState.SUCCEEDED
        emitted.assert_incremented(catalogue.APP_ERRORS, type="OperationalError", place="scan")


def test_a_lease_that_could_not_be_renewed_at_first_is_counted(world: World) -> None:
    _, (result_id,) = world.ask(world.slug)
    lease = leases.claim(world.db, result_id, worker="w", seconds=0.03)
    assert lease is not None
    locked = OperationalError("UPDATE", {}, Exception("database is locked"))

    class Stubborn:
        """A database that is away the first time."""

        session = staticmethod(once(locked, world.db.session))

    with captured() as emitted:
        with Keeper(Stubborn(), lease) as keeper:  # type: ignore[arg-type]
            wait_until(lambda: emitted.count(catalogue.APP_ERRORS), what="the failure")
        emitted.assert_incremented(catalogue.APP_ERRORS, type="OperationalError", place="scan")
        assert not keeper.lost
    with world.db.session() as session:
        changed(session, update(Source).values(lease_by=None, lease_until=None))

"""What scans, their queue and their database tell, each figure by a test that misses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from metrics import catalogue
from metrics.testing import ANY, Captured
from scout import leases, matching, scanning
from scout.fetch import Door, FetchError
from scout.matching import Match, Profile
from scout.models import ScanState
from scout.postings import Posting
from scout.queue import Scans
from scout.settings import Settings
from scout.sources.board import Page
from tests.boards_in_folders import KINDS, posting
from tests.scan_world import World, world

__all__ = ["world"]


def test_a_scan_tells_how_long_it_took_and_what_it_found(world: World, emitted: Captured) -> None:
    world.board.show([posting(1), posting(2)])
    world.scan()
    emitted.assert_observed(catalogue.SCAN_DURATION, kind="folder", status="succeeded")
    for phase in catalogue.PHASE.values:
        emitted.assert_observed(catalogue.SCAN_PHASE_DURATION, phase=phase)
    emitted.assert_incremented(catalogue.POSTINGS_PARSED, 2, kind="folder")
    emitted.assert_incremented(catalogue.SCAN_LISTINGS, 2, kind="folder", change="new")
    emitted.assert_incremented(catalogue.SCAN_RUNS, status="succeeded")
    assert [slug for slug, _ in world.pushes] == [world.slug]
    emitted.assert_no_metrics(catalogue.POSTINGS_UNPARSED, catalogue.SCAN_ERRORS, catalogue.APP_ERRORS)


def test_the_statements_of_a_scan_are_measured(world: World, emitted: Captured) -> None:
    world.board.show([posting(1)])
    world.scan()
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, ANY, operation="insert", table="jobs")


def test_a_posting_that_cannot_be_scored_is_counted(world: World, emitted: Captured) -> None:
    real = matching.score

    def score(one: Posting, profile: Profile) -> Match:
        if one.source_job_id == "2":
            raise ZeroDivisionError
        return real(one, profile)

    world.monkeypatch.setattr(matching, "score", score)
    world.board.show([posting(1), posting(2)])
    world.scan()
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ZeroDivisionError", place="scan")
    emitted.assert_incremented(catalogue.POSTINGS_UNPARSED, kind="folder")


def test_a_parser_that_breaks_is_counted_by_its_error_and_as_the_scans(
    world: World, emitted: Captured
) -> None:
    def read(*_: object) -> Iterator[Page]:
        raise KeyError("title")

    world.monkeypatch.setattr(type(KINDS["folder"]), "read", read)
    assert world.scan().state is ScanState.FAILED
    emitted.assert_incremented(catalogue.APP_ERRORS, type="KeyError", place="scan")
    emitted.assert_incremented(catalogue.SCAN_ERRORS, kind="folder", reason="internal")
    emitted.assert_incremented(catalogue.SCAN_RUNS, status="failed")


def test_a_claim_that_another_worker_holds_is_counted(world: World, emitted: Captured) -> None:
    _, (result_id,) = world.ask(world.slug)
    assert leases.claim(world.db, result_id, worker="one", seconds=60)
    assert scanning.scan(world.db, world.settings, result_id, worker="two") is ScanState.RUNNING
    emitted.assert_incremented(catalogue.SCAN_CLAIMS_LOST)


@pytest.mark.parametrize(
    ("url", "reason"),
    [("ftp://board.example/", "scheme"), ("http://10.0.0.1/", "address"), ("http://a b/", "url")],
)
def test_a_fetch_that_is_refused_is_counted_by_what_was_wrong(
    emitted: Captured, url: str, reason: str
) -> None:
    with Door(Settings(), kind="test") as door, pytest.raises(FetchError):
        door.get(url)
    emitted.assert_incremented(catalogue.OUTBOUND_BLOCKED, reason=reason)


def test_a_scan_that_is_put_on_the_queue_is_counted(
    tmp_path: Path, emitted: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans = Scans(Settings(), Redis.from_url(f"unix://{tmp_path}/nobody.sock"))
    monkeypatch.setattr(scans.queue, "enqueue_call", lambda *_, **__: None)
    assert scans.enqueue(7)
    emitted.assert_incremented(catalogue.RQ_JOBS_ENQUEUED, queue="scans", function="scan_sources")
    emitted.assert_no_metrics(catalogue.RQ_JOBS_RETRIED)
    assert scans.enqueue(7, again=True)
    emitted.assert_incremented(catalogue.RQ_JOBS_RETRIED, queue="scans", function="scan_sources")

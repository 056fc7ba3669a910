"""What courtesy tells, each figure by a test that misses it, and what it owes to whom."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from metrics import catalogue
from metrics.testing import ANY, Captured
from scout import courtesy, scanning
from scout.courtesy import CircuitState, Courtesy, NotNow, Policy, Why, standings
from scout.fetch import Door, FetchError, Limits, Reason
from scout.models import ScanState
from scout.queue import Scans
from scout.settings import Settings
from scout.sources import KINDS as REAL
from scout.sources.about import about
from scout.sources.board import Page
from tests.boards_in_folders import KINDS
from tests.redis_server import RedisServer, redis_server
from tests.scan_world import World, world
from tests.serving import reply, serving
from workers import sampler

__all__ = ["redis_server", "world"]

BOARD = "https://board.example"


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose Redis is away."""
    monkeypatch.setattr(courtesy, "_alone", {})
    return Settings(redis_url=f"unix://{tmp_path}/nobody.sock")


def test_a_turn_tells_how_long_it_was_waited_for(alone: Settings, emitted: Captured) -> None:
    slept: list[float] = []
    polite = Courtesy(alone, Policy(rate=1.0), kind="test", sleep=slept.append, chance=lambda: 0.0)
    for _ in range(2):
        with polite.turn(BOARD, left=60):
            pass
    assert len(slept) == 1
    assert 0 < slept[0] <= 1.0
    emitted.assert_observed(catalogue.OUTBOUND_TURN_WAIT, 2, kind="test")
    emitted.assert_no_metrics(catalogue.OUTBOUND_TURNS_REFUSED)


def test_a_turn_that_does_not_come_is_counted_by_why(alone: Settings, emitted: Captured) -> None:
    polite = Courtesy(alone, Policy(rate=1 / 90), kind="test")
    with polite.turn(BOARD, left=60):
        pass
    with pytest.raises(NotNow), polite.turn(BOARD, left=60):
        pass
    emitted.assert_incremented(catalogue.OUTBOUND_TURNS_REFUSED, 1, kind="test", reason="busy")
    polite.hold("https://other.example", 600)
    with pytest.raises(NotNow) as caught, polite.turn("https://other.example", left=60):
        pass
    assert caught.value.why is Why.HELD
    emitted.assert_incremented(catalogue.OUTBOUND_TURNS_REFUSED, 1, kind="test", reason="held")


def test_a_redis_that_is_away_is_counted_once_and_not_asked_for_a_while(
    alone: Settings, emitted: Captured
) -> None:
    polite = Courtesy(alone, Policy(rate=1000.0), kind="test")
    for _ in range(3):
        with polite.turn(BOARD, left=60):
            pass
    emitted.assert_incremented(catalogue.APP_ERRORS, 1, type="ConnectionError", place="scan")


def test_a_circuit_that_opens_is_counted_once_by_kind(redis_server: RedisServer, emitted: Captured) -> None:
    settings = Settings(redis_url=redis_server.url)
    for _ in range(5):
        with Courtesy(settings, kind="test") as polite:
            polite.failed(BOARD)
    emitted.assert_incremented(catalogue.OUTBOUND_CIRCUITS_OPENED, 1, kind="test")
    assert standings(redis_server.client(), [BOARD])[BOARD].circuit is CircuitState.OPEN


def test_the_circuits_gauge_tells_how_the_origins_of_the_watched_boards_stand(
    world: World, redis_server: RedisServer, emitted: Captured
) -> None:
    world.monkeypatch.setattr(type(KINDS["folder"]), "origins", (BOARD, "https://other.example"))
    queue = Scans(world.settings, redis_server.client())
    for _ in range(3):
        with Courtesy(Settings(redis_url=redis_server.url), kind="folder") as polite:
            polite.failed(BOARD)
    sampler.sample_circuits(world.db, queue)
    for state, count in {"closed": 1, "half_open": 0, "open": 1}.items():
        emitted.assert_gauge(catalogue.OUTBOUND_CIRCUITS, count, kind="folder", state=state)
    queue.connection.close()


def test_a_scan_that_is_handed_back_is_counted_and_one_that_would_wait_long_ends(
    world: World, emitted: Captured
) -> None:
    seconds = 30.0

    def read(*_: object) -> Iterator[Page]:
        raise FetchError(Reason.HELD, "It asked to be left alone. More.", seconds)

    world.monkeypatch.setattr(type(KINDS["folder"]), "read", read)
    result = world.scan()
    assert result.state is ScanState.QUEUED
    emitted.assert_incremented(catalogue.SCANS_POSTPONED, 1, kind="folder", reason="held")
    emitted.assert_no_metrics(catalogue.SCAN_ERRORS)
    seconds = 3600.0
    with world.db.session() as session:
        session.get_one(type(result), result.id).state = ScanState.FAILED
    assert world.scan().state is ScanState.FAILED
    emitted.assert_incremented(catalogue.SCAN_ERRORS, 1, kind="folder", reason="held")
    source = world.source()
    assert source.next_scan_why == "Its host asked to be left alone until then."
    assert (source.failures, source.last_state) == (0, None)


def test_a_worker_that_is_stopped_while_it_waits_frees_its_place(alone: Settings) -> None:
    def stopped(_: float) -> None:
        raise scanning.ScanInterrupted

    polite = Courtesy(alone, Policy(rate=1.0), kind="test", sleep=stopped)
    with polite.turn(BOARD, left=60):
        pass
    with pytest.raises(scanning.ScanInterrupted), polite.turn(BOARD, left=60):
        pass
    assert courtesy._alone[BOARD].places == set()


# --- What is owed -------------------------------------------------------------------------------------------


def test_a_server_on_this_machine_is_owed_no_courtesy_and_redis_is_not_asked(
    alone: Settings, emitted: Captured
) -> None:
    with (
        serving(lambda _: reply(b"{}")) as server,
        Courtesy(alone, Policy(rate=1 / 3600), kind="test") as polite,
        Door(server.settings, kind="test", courtesy=polite) as door,
    ):
        for _ in range(3):
            door.get(f"{server.origin}/a")
    emitted.assert_no_metrics(catalogue.OUTBOUND_TURN_WAIT, catalogue.APP_ERRORS)


def test_each_try_takes_a_turn_of_its_own(alone: Settings, emitted: Captured) -> None:
    answers = iter([reply(b"", 500), reply(b"", 500), reply(b"{}")])
    with serving(lambda _: next(answers)) as server:
        settings = Settings(origin_overrides={BOARD: server.origin})
        polite = Courtesy(alone, Policy(rate=1000.0), kind="test", everywhere=True)
        with Door(settings, kind="test", courtesy=polite, sleep=lambda _: None) as door:
            door.get(f"{BOARD}/a")
    emitted.assert_observed(catalogue.OUTBOUND_TURN_WAIT, ANY, kind="test")
    assert courtesy._alone[BOARD].places == set(), "every place is free again"


def test_no_request_fails_since_its_turn_came_late(alone: Settings) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        time.sleep(seconds)

    with serving(lambda _: reply(b"{}")) as server:
        settings = Settings(origin_overrides={BOARD: server.origin})
        polite = Courtesy(alone, Policy(rate=2.0), kind="test", everywhere=True, sleep=wait)
        with Door(settings, kind="test", courtesy=polite) as door:
            door.get(f"{BOARD}/a")
            began = time.monotonic()
            door.get(f"{BOARD}/a", limits=Limits(total=1.0, tries=1))
            left = door._gate.deadline.left()
            took = time.monotonic() - began
    assert waited
    assert left + took >= 1.0 + sum(waited) - 0.01


def test_a_question_that_is_posted_takes_a_turn_too(alone: Settings) -> None:
    with serving(lambda _: reply(b"{}")) as server:
        settings = Settings(origin_overrides={BOARD: server.origin})
        polite = Courtesy(alone, Policy(rate=1 / 3600), kind="test", everywhere=True)
        with Door(settings, kind="test", courtesy=polite, limits=Limits(tries=1)) as door:
            door.post_json(f"{BOARD}/a", {})
            with pytest.raises(FetchError) as caught:
                door.post_json(f"{BOARD}/a", {})
    assert caught.value.reason is Reason.BUSY
    assert len(server.asked) == 1


def test_kinds_whose_terms_say_less_are_asked_less() -> None:
    assert about(REAL["remotive"]).policy.rate < 2 / 60
    assert about(REAL["remotive"]).daily == 4
    assert about(REAL["greenhouse"]).policy == Policy(rate=2.0, concurrency=2)
    assert {name for name, kind in REAL.items() if about(kind).robots} == {"feed", "sitemap", "jobposting"}

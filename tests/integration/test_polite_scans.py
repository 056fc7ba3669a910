"""Whole scans that are polite: a real server, a real Redis, and the schedule's clock in the test's hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import scout.sources
from metrics import catalogue
from metrics.testing import Captured
from scout import courtesy, runs, scanning, schedule, watchlist
from scout.courtesy import Courtesy, Policy
from scout.fetch import Reason
from scout.models import ScanResult, ScanState, Source
from scout.queue import Scans
from scout.sources import KINDS, at, lever, recognise
from tests.redis_server import RedisServer, redis_server
from tests.scan_world import World, world
from tests.serving import Asked, Reply, Server, reply, serving
from workers import reaper
from workers.schedule import Scheduler

__all__ = ["redis_server", "world"]

LEVER = "https://api.lever.co"
SITE = "https://acme.example"
FEED = (
    b'<rss version="2.0"><channel><title>Acme</title><item><title>IAM Engineer</title>'
    b"<link>https://acme.example/jobs/1</link></item></channel></rss>"
)
JOB = {"id": "1", "text": "IAM Engineer", "hostedUrl": "https://jobs.lever.co/acme/1"}
LISTING = json.dumps([{**JOB, "createdAt": 1767323045000}]).encode()


class Polite:
    """Boards of real kinds at a host that is played here, and is owed courtesy all the same."""

    def __init__(self, world: World, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.redis = redis_server
        self.monkeypatch = monkeypatch
        self.says: Callable[[Asked], Reply] = lambda _: reply(LISTING)
        self.queue = Scans(world.settings, redis_server.client())
        monkeypatch.setattr(scout.sources, "KINDS", KINDS)
        monkeypatch.setattr(schedule, "played_here", lambda *_, **__: False)
        monkeypatch.setattr(courtesy, "_alone", {})
        self.be(Policy(rate=1000.0, concurrency=10))
        with world.db.session() as session:
            watchlist.remove(session, world.slug)

    def answer(self, asked: Asked) -> Reply:
        return self.says(asked)

    def be(self, policy: Policy) -> None:
        """Use this policy in scans, whatever the kind's is."""

        def polite(settings: Any, _: Policy, **options: Any) -> Courtesy:
            return Courtesy(settings, policy, everywhere=True, **options)

        self.monkeypatch.setattr(scanning, "Courtesy", polite)

    def play(self, server: Server, *origins: str) -> None:
        given = dict.fromkeys(origins, server.origin)
        self.world.settings = dataclasses.replace(
            self.world.settings, redis_url=self.redis.url, origin_overrides=given
        )

    def watch(self, url: str, kind: str = "") -> str:
        with self.world.db.session() as session:
            return watchlist.add(session, at(kind, url) if kind else recognise(url)).slug

    def scan(self, slug: str) -> ScanResult:
        _, (result_id,) = self.world.ask(slug)
        scanning.scan(self.world.db, self.world.settings, result_id, worker="test")
        return self.world.result(result_id)

    def source(self, slug: str) -> Source:
        with self.world.db.reading() as session:
            return watchlist.get(session, slug)


@pytest.fixture
def polite(world: World, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Polite]:
    polite = Polite(world, redis_server, monkeypatch)
    yield polite
    polite.queue.connection.close()


def test_a_scan_without_a_turn_is_handed_back_and_asked_for_again_when_its_turn_comes(
    polite: Polite, emitted: Captured
) -> None:
    with serving(polite.answer) as server:
        polite.play(server, LEVER)
        one, two = polite.watch("https://jobs.lever.co/one"), polite.watch("https://jobs.lever.co/two")
        polite.be(Policy(rate=1 / 99, concurrency=2))
        assert polite.scan(one).state is ScanState.SUCCEEDED
        waiting = polite.scan(two)
        assert (waiting.state, waiting.attempts, waiting.error) == (ScanState.QUEUED, 0, "")
        assert polite.source(two).lease_by is None, "the worker is free"
        emitted.assert_incremented(catalogue.SCANS_POSTPONED, 1, kind="lever", reason="busy")
        assert waiting.not_before is not None
        assert 60 < (waiting.not_before - polite.world.time).total_seconds() <= 180
        polite.monkeypatch.setattr(reaper, "_PICKED_UP", 0.0)
        forgotten = reaper.Forgotten(polite.world.db, polite.queue)
        assert forgotten.enqueue() == 0
        polite.world.later(minutes=3)
        assert forgotten.enqueue() == 1
        assert polite.queue.waiting() == {waiting.id}
        polite.be(Policy(rate=1000.0))
        polite.redis.client().delete(*courtesy._keys(LEVER))
        scanning.scan(polite.world.db, polite.world.settings, waiting.id, worker="test")
        assert polite.world.result(waiting.id).state is ScanState.SUCCEEDED


def test_boards_of_a_host_whose_circuit_is_open_are_planned_after_it_and_keep_their_health(
    polite: Polite,
) -> None:
    with serving(polite.answer) as server:
        polite.play(server, LEVER)
        well = polite.watch("https://jobs.lever.co/well")
        assert polite.scan(well).state is ScanState.SUCCEEDED
        before = polite.source(well)
        polite.says = lambda _: reply(b"", 500)
        for name in ("one", "two", "three"):
            assert polite.scan(polite.watch(f"https://jobs.lever.co/{name}")).reason == "server_error"
        asked = len(server.asked)
        polite.world.later(hours=2)
        result = polite.scan(well)
        assert (result.state, result.reason) == (ScanState.FAILED, "circuit_open")
        assert result.reason in runs.REASON_TEXT
        assert len(server.asked) == asked, "nobody asked"
        after = polite.source(well)
        assert (after.last_state, after.failures, after.last_scan_at, after.last_error) == (
            before.last_state, before.failures, before.last_scan_at, before.last_error,
        )  # fmt: skip
        assert watchlist.health(after) == "ok"
        assert after.next_scan_at is not None
        assert 20 < (after.next_scan_at - polite.world.time).total_seconds() / 60 <= 30
        assert after.next_scan_why == "Scans of its host kept failing, so it is left alone until then."
        with polite.world.db.reading() as session:
            told = watchlist.left_alone(polite.redis.client(), watchlist.every(session))
        assert len(told) == 4
        assert watchlist.told(told[after.id]).startswith(
            "Scans of api.lever.co kept failing, so it is left alone for another"
        )


def test_a_site_that_allows_four_readings_a_day_is_read_four_times_however_often_its_owner_asks(
    polite: Polite,
) -> None:
    polite.says = lambda _: reply(b'{"jobs": []}')
    times: list[dt.datetime] = []

    def answer(asked: Asked) -> Reply:
        times.append(polite.world.time)
        return polite.says(asked)

    with serving(answer) as server:
        polite.play(server, "https://remotive.com")
        slug = polite.watch("https://remotive.com")
        results, whys = [], set()
        for number in range(60):
            results.append(polite.scan(slug))
            whys.add(polite.source(slug).next_scan_why)
            polite.world.later(minutes=50)
            if number % 20 == 10:  # neither does it help to remove it and add it again
                with polite.world.db.session() as session:
                    watchlist.remove(session, slug)
                slug = polite.watch("https://remotive.com")
    assert len(times) >= 8, "each day's readings are used"
    for first in times:
        assert sum(first <= each <= first + dt.timedelta(days=1) for each in times) <= 4
    refused = [each for each in results if each.reason == "daily_limit"]
    assert len(refused) == 60 - len(times)
    assert "Remotive allows 4 readings in 24 hours" in refused[0].error
    assert "at 12:05 UTC" in refused[0].error
    source = polite.source(slug)
    assert source.failures == 0
    assert any("24 hours" in why for why in whys)
    assert source.last_state in {None, ScanState.SUCCEEDED}


def test_a_reading_that_was_not_made_is_not_used_up(polite: Polite) -> None:
    with serving(lambda _: reply(b'{"jobs": []}')) as server:
        polite.play(server, "https://remotive.com")
        slug = polite.watch("https://remotive.com")
        with Courtesy(polite.world.settings, kind="test") as other:
            other.hold("https://remotive.com", 600.0)
        for _ in range(6):
            assert polite.scan(slug).reason == "held"
        polite.redis.client().delete(*courtesy._keys("https://remotive.com"))
        assert polite.scan(slug).state is ScanState.SUCCEEDED


def test_a_reading_of_which_only_a_redirect_was_had_is_used_up(polite: Polite) -> None:
    moved = reply(b"", 302, Location="https://other.example/api")
    with serving(lambda _: moved) as server:
        polite.play(server, "https://remotive.com", "https://other.example")
        slug = polite.watch("https://remotive.com")
        with Courtesy(polite.world.settings, kind="test") as other:
            other.hold("https://other.example", 600.0)
        reasons = [polite.scan(slug).reason for _ in range(6)]
    assert reasons == ["held"] * 4 + ["daily_limit"] * 2
    assert len(server.asked) == 4


def test_a_scan_that_waited_for_an_hour_ends(polite: Polite) -> None:
    with serving(lambda _: reply(LISTING)) as server:
        polite.play(server, LEVER)
        slug = polite.watch("https://jobs.lever.co/acme")
        with Courtesy(polite.world.settings, kind="test") as other:
            other.hold(LEVER, 60.0)
        result = polite.scan(slug)
        assert result.state is ScanState.QUEUED
        polite.world.later(minutes=61)
        scanning.scan(polite.world.db, polite.world.settings, result.id, worker="test")
        result = polite.world.result(result.id)
        assert (result.state, result.reason) == (ScanState.FAILED, "held")
        assert server.asked == []


def test_what_a_robots_file_forbids_is_not_read_and_the_file_is_asked_for_once_a_day(polite: Polite) -> None:
    robots = b"User-agent: *\nDisallow: /private/\nCrawl-delay: 1\n"

    def answer(asked: Asked) -> Reply:
        return reply(robots) if asked.path == "/robots.txt" else reply(FEED, ETag='"1"')

    with serving(answer) as server:
        polite.play(server, SITE)
        closed = polite.watch(f"{SITE}/private/feed.xml", "feed")
        result = polite.scan(closed)
        assert (result.state, result.reason) == (ScanState.FAILED, "robots")
        assert result.reason in runs.REASON_TEXT
        assert "The robots file of acme.example asks programs not to read /private/feed.xml" in result.error
        is_open = polite.watch(f"{SITE}/feed.xml", "feed")
        assert polite.scan(is_open).state is ScanState.SUCCEEDED
        assert [asked.path for asked in server.asked] == ["/robots.txt", "/feed.xml"]
        polite.redis.client().delete(f"scout:courtesy:robots:{SITE}")
        polite.scan(is_open)
        assert [asked.path for asked in server.asked][2:] == ["/robots.txt", "/feed.xml"]


def test_the_pause_that_a_robots_file_asks_for_is_kept(polite: Polite) -> None:
    slept: list[float] = []
    polite.monkeypatch.setattr(
        scanning, "Courtesy", lambda settings, policy, **options: Courtesy(
            settings, policy, everywhere=True, sleep=slept.append, chance=lambda: 0.0, **options
        ),
    )  # fmt: skip

    def answer(asked: Asked) -> Reply:
        return reply(b"User-agent: *\nCrawl-delay: 15\n") if asked.path == "/robots.txt" else reply(FEED)

    with serving(answer) as server:
        polite.play(server, SITE)
        one, two = (polite.watch(f"{SITE}/{name}.rss", "feed") for name in ("one", "two"))
        polite.scan(one)
        polite.scan(two)
    assert max(slept) > 1


def test_what_did_not_change_is_not_sent_again(polite: Polite) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/robots.txt":
            return reply(b"", 404)
        return reply(b"", 304) if asked.headers.get("if-none-match") == '"1"' else reply(FEED, ETag='"1"')

    with serving(answer) as server:
        polite.play(server, SITE)
        slug = polite.watch(f"{SITE}/feed.xml", "feed")
        states = [polite.scan(slug) for _ in range(3)]
        assert [(each.state, each.new) for each in states] == [
            (ScanState.SUCCEEDED, 1), (ScanState.SUCCEEDED, 0), (ScanState.SUCCEEDED, 0),
        ]  # fmt: skip
        assert [asked.headers.get("if-none-match") for asked in server.asked[1:]] == [None, '"1"', '"1"']


def test_a_board_that_never_ends_is_asked_for_so_many_pages_and_closes_nothing(polite: Polite) -> None:
    polite.monkeypatch.setattr(lever, "_MOST_PAGES", 3)
    polite.monkeypatch.setattr(lever, "_PAGE", 2)

    def endless(asked: Asked) -> Reply:
        first = int(parse_qs(urlsplit(asked.path).query)["skip"][0])
        jobs = [{**JOB, "id": str(first + number)} for number in range(2)]
        return reply(json.dumps(jobs).encode())

    with serving(polite.answer) as server:
        polite.play(server, LEVER)
        slug = polite.watch("https://jobs.lever.co/acme")
        assert polite.scan(slug).state is ScanState.SUCCEEDED
        polite.says = endless
        for _ in range(3):
            result = polite.scan(slug)
            assert (result.state, result.reason, result.seen) == (ScanState.PARTIAL, "too_large", 6)
            assert result.closed == 0
        assert len(server.asked) == 1 + 3 * 3


def test_a_board_that_never_changes_comes_to_be_scanned_less_often(polite: Polite) -> None:
    with serving(lambda _: reply(LISTING)) as server:
        polite.play(server, LEVER)
        slug = polite.watch("https://jobs.lever.co/acme")
        whys = []
        for _ in range(14):
            polite.scan(slug)
            whys.append(polite.source(slug).next_scan_why)
            polite.world.later(hours=5)
    assert whys[0] == "Every hour."
    assert whys[-1] == "Every 4 hours, as it seldom changes."


# --- The scheduler ------------------------------------------------------------------------------------------


def scheduled(polite: Polite, **changes: Any) -> Scheduler:
    polite.world.settings = dataclasses.replace(polite.world.settings, **changes)
    return Scheduler(polite.world.settings, polite.world.db, polite.queue)


def test_what_is_due_in_quiet_hours_waits_for_their_end_and_the_owner_does_not(polite: Polite) -> None:
    with serving(lambda _: reply(LISTING)) as server:
        polite.play(server, LEVER)
        slug = polite.watch("https://jobs.lever.co/acme")
        polite.scan(slug)
        scheduler = scheduled(polite, quiet_hours="22:00-07:00", time_zone="Europe/Zurich")
        polite.world.later(hours=12)  # 01:00 in Zurich
        assert scheduler.ask_for_due() == []
        source = polite.source(slug)
        assert source.next_scan_at is not None
        assert source.next_scan_at >= dt.datetime(2026, 3, 2, 6, tzinfo=dt.UTC)
        assert source.next_scan_why == "Every hour. Its quiet hours end at 07:00 (Europe/Zurich)."
        assert scheduler.ask_for_due() == []
        assert polite.scan(slug).state is ScanState.SUCCEEDED
        polite.world.later(hours=8)
        assert len(scheduler.ask_for_due()) == 1


def test_after_the_machine_was_off_the_scans_that_are_due_come_one_after_another(polite: Polite) -> None:
    with serving(lambda _: reply(LISTING)) as server:
        polite.play(server, LEVER)
        slugs = [polite.watch(f"https://jobs.lever.co/c{number}") for number in range(12)]
        for slug in slugs:
            polite.scan(slug)
        scheduler = scheduled(polite)
        polite.world.later(days=2)
        asked = []
        for _ in range(60):
            before = len(polite.queue.waiting())
            scheduler.ask_for_due()
            asked.append(len(polite.queue.waiting()) - before)
            polite.world.later(seconds=10)
    assert asked[0] == schedule.AT_ONCE
    assert max(asked[1:]) <= 2
    assert sum(asked) == 12


def test_boards_of_one_host_are_not_put_on_the_queue_in_a_row(polite: Polite) -> None:
    with serving(lambda _: reply(b"", 404)) as server:
        polite.play(server, LEVER)
        slugs = [polite.watch(f"https://jobs.lever.co/c{number}") for number in range(4)]
        slugs += [polite.watch(f"https://jobs.ashbyhq.com/c{number}") for number in range(4)]
        run_id, _ = polite.world.ask(*slugs)
        with polite.world.db.reading() as session:
            order = [result.source.kind for result in runs.get(session, run_id).results]
    assert order == ["lever", "ashby"] * 4


def test_every_reason_has_its_words() -> None:
    assert set(runs.REASON_TEXT) == set(Reason)
    assert all(runs.REASON_TEXT.values())

"""Courtesy between processes: a real server that notes who asks when, a real Redis, real processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from metrics import catalogue
from metrics.testing import Captured
from scout import courtesy
from scout.courtesy import CircuitState, Courtesy, Policy, standings
from scout.fetch import Door, FetchError, Limits, Reason
from scout.settings import Settings
from tests.redis_server import RedisServer, redis_server
from tests.serving import Asked, Reply, reply, serving
from tests.waiting import wait_until

__all__ = ["redis_server"]

BOARD = "https://board.example"
FAST = Policy(rate=1000.0, concurrency=100)


@dataclass
class Host:
    """A host that many boards share, played by a server here; `says` gives its next answers."""

    settings: Settings
    arrivals: list[float] = field(default_factory=list)
    says: Callable[[], Reply] = lambda: reply(b"{}")
    under_way: int = 0
    most: int = 0
    lock: threading.Condition = field(default_factory=threading.Condition)
    doors: ExitStack = field(default_factory=ExitStack)

    def answer(self, _: Asked) -> Reply:
        with self.lock:
            self.arrivals.append(time.monotonic())
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        said = self.says()
        with self.lock:
            self.under_way -= 1
        return said

    def door(self, policy: Policy = FAST, **options: Any) -> Door:
        """The door of another scan."""
        polite = self.doors.enter_context(
            Courtesy(self.settings, policy, kind="test", everywhere=True, chance=lambda: 0.0)
        )
        given = {"limits": Limits(tries=1), "sleep": lambda _: None, **options}
        return self.doors.enter_context(Door(self.settings, kind="test", courtesy=polite, **given))

    def fails(self, reason: Reason, **options: Any) -> FetchError:
        """A scan whose request fails for a reason."""
        with pytest.raises(FetchError) as caught:
            self.door(**options).get(f"{BOARD}/a")
        assert caught.value.reason is reason
        return caught.value


@pytest.fixture
def host(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr(courtesy, "_alone", {})
    host = Host(Settings())
    with serving(host.answer) as server, host.doors:
        host.settings = Settings(redis_url=redis_server.url, origin_overrides={BOARD: server.origin})
        yield host


def in_processes(count: int, work: Callable[..., None], *given: object) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=work, args=given) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * count


def ask(settings: Settings, policy: Policy, times: int) -> None:
    with (
        Courtesy(settings, policy, kind="test", everywhere=True) as polite,
        Door(settings, kind="test", courtesy=polite, limits=Limits(tries=1)) as door,
    ):
        for number in range(times):
            door.get(f"{BOARD}/{os.getpid()}/{number}")


def test_four_processes_together_keep_the_rate_of_one_host(host: Host) -> None:
    began = time.monotonic()
    in_processes(4, ask, host.settings, Policy(rate=20.0, concurrency=4), 6)
    assert len(host.arrivals) == 24
    # Each has a moment of its own, the first one after the beginning.
    for number, arrival in enumerate(sorted(host.arrivals)):
        assert arrival - began >= number / 20.0 - 0.001


def test_four_processes_together_are_never_more_than_two_at_once(host: Host) -> None:
    def when_two_are_there() -> Reply:
        with host.lock:
            host.lock.notify_all()
            host.lock.wait_for(lambda: host.most > 1, timeout=0.05)
        return reply(b"{}")

    host.says = when_two_are_there
    in_processes(4, ask, host.settings, Policy(rate=1000.0, concurrency=2), 10)
    assert len(host.arrivals) == 40
    assert host.most == 2


def take_a_place_and_die(settings: Settings) -> None:
    courtesy._GRACE = 0.2
    polite = Courtesy(settings, Policy(rate=1000.0, concurrency=1), kind="test", everywhere=True)
    with polite.turn(BOARD, left=0.1):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_holds_its_place_for_a_moment_only(
    host: Host, redis_server: RedisServer
) -> None:
    process = multiprocessing.get_context("spawn").Process(target=take_a_place_and_die, args=(host.settings,))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    assert redis_server.client().zcard(courtesy._keys(BOARD)[1]) == 1
    ask(host.settings, Policy(rate=1000.0, concurrency=1), 1)
    assert len(host.arrivals) == 1


def test_every_key_ends_by_itself(host: Host, redis_server: RedisServer) -> None:
    host.door().get(f"{BOARD}/a")
    host.says = lambda: reply(b"", 503, Retry_After="1")
    host.fails(Reason.SERVER_ERROR)
    client = redis_server.client()
    keys = client.keys("*")
    assert keys
    assert all(client.ttl(key) > 0 for key in keys)


def test_a_turn_that_is_too_far_away_is_not_waited_for(host: Host, emitted: Captured) -> None:
    slow = Policy(rate=1 / 50, concurrency=2)
    host.door(slow).get(f"{BOARD}/a")
    error = host.fails(Reason.BUSY, policy=slow)
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 50
    assert "Other scans ask board.example" in error.text
    assert len(host.arrivals) == 1
    emitted.assert_incremented(catalogue.OUTBOUND_TURNS_REFUSED, 1, kind="test", reason="busy")


def test_what_one_board_of_a_host_is_told_to_wait_all_of_them_wait(host: Host) -> None:
    host.says = lambda: reply(b"", 429, Retry_After="300")
    host.fails(Reason.RATE_LIMITED, limits=Limits(tries=3))
    assert len(host.arrivals) == 1, "the same scan does not try again either"
    error = host.fails(Reason.HELD)
    assert error.retry_after is not None
    assert 200 < error.retry_after <= 300
    assert len(host.arrivals) == 1, "nobody asked"


def test_a_short_pause_that_a_host_asks_for_is_waited_for(host: Host) -> None:
    host.says = lambda: reply(b"", 429, Retry_After="1")
    host.fails(Reason.RATE_LIMITED)
    host.says = lambda: reply(b"{}")
    host.door().get(f"{BOARD}/b")
    assert host.arrivals[1] - host.arrivals[0] >= 0.99


# --- The circuit --------------------------------------------------------------------------------------------


def standing(host: Host, redis_server: RedisServer) -> CircuitState:
    return standings(redis_server.client(), [BOARD])[BOARD].circuit


def test_three_failed_scans_open_a_circuit_and_one_that_succeeds_after_a_while_closes_it(
    host: Host, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, emitted: Captured
) -> None:
    monkeypatch.setattr(courtesy, "OPEN_SECONDS", 3.0)
    host.says = lambda: reply(b"", 500)
    for _ in range(3):
        assert standing(host, redis_server) is CircuitState.CLOSED
        host.fails(Reason.SERVER_ERROR, limits=Limits(tries=2))
    assert standing(host, redis_server) is CircuitState.OPEN
    emitted.assert_incremented(catalogue.OUTBOUND_CIRCUITS_OPENED, 1, kind="test")
    asked = len(host.arrivals)
    assert asked == 6
    assert "left alone" in host.fails(Reason.CIRCUIT_OPEN).text
    assert len(host.arrivals) == asked, "nobody asked"
    wait_until(lambda: standing(host, redis_server) is CircuitState.HALF_OPEN, what="the end of the pause")
    tried = threading.Event()

    def while_others_ask() -> Reply:
        tried.set()
        host.fails(Reason.CIRCUIT_OPEN)
        return reply(b"{}")

    host.says = while_others_ask
    host.door().get(f"{BOARD}/a")
    assert tried.is_set()
    assert standing(host, redis_server) is CircuitState.CLOSED
    host.says = lambda: reply(b"{}")
    host.door().get(f"{BOARD}/a")


def test_a_try_that_fails_opens_the_circuit_again(
    host: Host, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courtesy, "OPEN_SECONDS", 0.2)
    host.says = lambda: reply(b"", 500)
    for _ in range(3):
        host.fails(Reason.SERVER_ERROR)
    wait_until(lambda: standing(host, redis_server) is CircuitState.HALF_OPEN, what="the end of the pause")
    monkeypatch.setattr(courtesy, "OPEN_SECONDS", 60.0)
    host.fails(Reason.SERVER_ERROR)
    assert standing(host, redis_server) is CircuitState.OPEN


def test_the_failures_of_one_scan_count_as_one_and_an_answer_forgets_those_before(
    host: Host, redis_server: RedisServer
) -> None:
    host.says = lambda: reply(b"", 500)
    door = host.door()
    for _ in range(5):
        with pytest.raises(FetchError):
            door.get(f"{BOARD}/a")
    host.fails(Reason.SERVER_ERROR)
    assert standing(host, redis_server) is CircuitState.CLOSED
    host.says = lambda: reply(b"", 404)
    host.fails(Reason.NOT_FOUND)
    host.says = lambda: reply(b"", 500)
    host.fails(Reason.SERVER_ERROR)
    assert standing(host, redis_server) is CircuitState.CLOSED, "no such board is an answer"


def test_failures_that_lie_apart_open_nothing(
    host: Host, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courtesy, "FAILURE_WINDOW", 0.0)
    host.says = lambda: reply(b"", 500)
    for _ in range(5):
        host.fails(Reason.SERVER_ERROR)
    assert standing(host, redis_server) is CircuitState.CLOSED


def test_a_redirect_takes_a_turn_at_each_host(host: Host, redis_server: RedisServer) -> None:
    other = "https://other.example"
    settings = Settings(
        redis_url=host.settings.redis_url,
        origin_overrides={**host.settings.origin_overrides, other: host.settings.origin_overrides[BOARD]},
    )
    host.settings = settings
    answers = iter([reply(b"", 302, Location=f"{other}/b"), reply(b"{}")])
    host.says = lambda: next(answers)
    assert host.door().get(f"{BOARD}/a").url == f"{other}/b"
    client = redis_server.client()
    assert client.hexists(courtesy._keys(BOARD)[0], "next")
    assert client.hexists(courtesy._keys(other)[0], "next")


# --- Without Redis ------------------------------------------------------------------------------------------


def test_redis_that_goes_away_in_the_middle_fails_no_request_and_ends_no_courtesy(
    host: Host, redis_server: RedisServer
) -> None:
    policy = Policy(rate=20.0, concurrency=2)
    door = host.door(policy)
    door.get(f"{BOARD}/a")
    redis_server.stop()
    began = time.monotonic()
    for _ in range(4):
        door.get(f"{BOARD}/a")
    assert len(host.arrivals) == 5
    assert host.arrivals[-1] - began >= 3 / 20.0 - 0.001

"""One board of a run that hangs, lies or floods: the run is partial, the others are stored, each is named."""

from __future__ import annotations

import dataclasses
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import scout.sources
from scout import runs, scanning, watchlist
from scout.models import ScanState
from scout.sources import KINDS, lever
from scout.sources.board import Board
from tests.scan_world import World
from tests.serving import Asked, Reply, reply, serving

MEGABYTE = b" " * 2**20


def listing(token: str) -> bytes:
    return json.dumps(
        [
            {
                "id": f"{token}-{number}",
                "text": "IAM Engineer",
                "hostedUrl": f"https://jobs.lever.co/{token}/{number}",
            }
            for number in range(3)
        ]
    ).encode()


def hanging() -> Iterator[bytes]:
    """Headers, and then a byte now and then, which keeps every timeout for a single read from striking."""
    yield b"HTTP/1.1 200 Fine\r\nContent-Type: application/json\r\n\r\n["
    pause = itertools.cycle([b" "])
    while True:
        time.sleep(0.05)  # a slow server, not a test that waits
        yield next(pause)


def flooding() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 Fine\r\nContent-Type: application/json\r\n\r\n["
    yield from itertools.repeat(MEGABYTE, 50)


BAD: dict[str, tuple[Callable[[], Reply], str, str]] = {
    "hangs": (hanging, "timeout", "did not answer in time"),
    "floods": (flooding, "too_large", "more than 32 MB"),
    "html": (lambda: reply(b"<!doctype html><title>Maintenance</title>"), "not_a_listing", "Maintenance"),
    "cut": (lambda: reply(listing("cut")[:90]), "truncated", "ends in the middle"),
    "lies": (lambda: iter([b"HTTP/1.1 200 Fine\r\nContent-Length: 900\r\n\r\n[]"]), "truncated", "cut short"),
    "broken": (lambda: reply(b"oops", status=500), "server_error", "500"),
    "inside": (lambda: reply(status=302, Location="http://169.254.169.254/latest/"), "address", "169.254"),
    "away": (lambda: None, "connect", "api.lever.co"),
    "odd": (lambda: reply(b'[{"id": "odd-1"}, 7, null]'), "unparsed", "None of the board's 3"),
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path, monkeypatch)
    monkeypatch.setattr(scout.sources, "KINDS", KINDS)
    # As in service, but for the time that a hanging board may take.
    monkeypatch.setattr(lever, "_LIMITS", dataclasses.replace(lever._LIMITS, read=0.5, total=1.0))
    yield made
    made.db.dispose()


@pytest.mark.parametrize("name", BAD)
def test_one_bad_board_makes_a_run_partial_and_keeps_nothing_from_the_others(world: World, name: str) -> None:
    answer, reason, says = BAD[name]

    def answers(asked: Asked) -> Reply:
        token = asked.path.split("/")[3].partition("?")[0]
        return answer() if token == name else reply(listing(token))

    with serving(answers) as server:
        settings = dataclasses.replace(
            world.settings, origin_overrides={"https://api.lever.co": server.origin}
        )
        with world.db.session() as session:
            slugs = [
                watchlist.add(
                    session, Board(kind="lever", token=token, url=f"https://jobs.lever.co/{token}")
                ).slug
                for token in ("first", name, "last")
            ]
        run_id, results = world.ask(*slugs)
        for result in results:
            scanning.scan(world.db, settings, result, worker="test")
    with world.db.reading() as session:
        run = runs.get(session, run_id)
        states = [result.state for result in run.results]
        assert states == [ScanState.SUCCEEDED, ScanState.FAILED, ScanState.SUCCEEDED]
        assert run.state is ScanState.PARTIAL
        assert [result.new for result in run.results] == [3, 0, 3]
        bad = run.results[1]
        assert bad.reason == reason
        assert says in bad.error
        assert "Traceback" not in bad.error
    assert len(world.jobs()) == 6

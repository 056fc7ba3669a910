"""Workers killed while they read the recorded boards: what is stored is what was published."""

from __future__ import annotations

import dataclasses
import os
import signal

import psutil
import pytest

from scout import sources, watchlist
from scout.models import ScanState
from tests.redis_server import redis_server
from tests.sample_boards import SampleBoards
from tests.samples import needs_samples
from tests.scan_stack import Stack, stack
from tests.waiting import wait_until

__all__ = ["redis_server", "stack"]

MOMENTS = 10

pytestmark = [needs_samples, pytest.mark.xdist_group("whole-stack")]


def scanning(pool: int) -> list[psutil.Process]:
    """The processes that scan: children of the pool's workers."""
    return [horse for worker in psutil.Process(pool).children() for horse in worker.children()]


def test_workers_killed_at_ten_moments_of_an_answer_store_what_the_boards_published(stack: Stack) -> None:
    with SampleBoards() as playing:
        chosen = playing.boards[:MOMENTS]
        with stack.db.session() as session:
            added = [watchlist.add(session, sources.recognise(board.url)) for board in chosen]
            for source in added:
                source.paused = True
            slugs = [source.slug for source in added]
        playing.holds = {board.path: moment / MOMENTS for moment, board in enumerate(chosen)}
        surroundings = {"SCOUT_ORIGIN_OVERRIDES": playing.overrides, "SCOUT_SCAN_WORKERS": str(MOMENTS)}
        # A job for each board: who asks counts with as many workers as there are.
        stack.queue.settings = dataclasses.replace(stack.settings, scan_workers=MOMENTS)
        pool = stack.start_module("workers", **surroundings)
        run_id = stack.ask(*slugs)
        wait_until(lambda: len(playing.held) == MOMENTS, timeout=60, what="every board in mid-answer")
        horses = scanning(pool.pid)
        assert len(horses) == MOMENTS
        for number, horse in enumerate(horses):
            if number % 2:  # the worker that would tell of it, too
                os.kill(horse.ppid(), signal.SIGKILL)
            os.kill(horse.pid, signal.SIGKILL)
        playing.holds = {}
        playing.let_go.set()
        stack.start_module("workers.schedule", **surroundings)
        results = stack.finished(run_id, timeout=90)

        assert {result.state for result in results.values()} == {ScanState.SUCCEEDED}
        stored = {slug: stack.rows_of(slug) for slug in slugs}
        for slug, board in zip(slugs, chosen, strict=True):
            assert [row[0] for row in stored[slug]] == sorted(board.expected_ids)
            assert results[slug].new == board.expected_count

        again = stack.finished(stack.ask(*slugs), timeout=60)
        assert {(result.new, result.updated, result.closed) for result in again.values()} == {(0, 0, 0)}
        assert {slug: stack.rows_of(slug) for slug in slugs} == stored

"""Cancelling with real workers, queue and scheduler: while waiting, while fetching, while dying."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from scout import cancelling
from scout.cancelling import Cancelled
from scout.models import ScanState
from scout.settings import PROJECT
from tests.boards_in_folders import posting
from tests.redis_server import redis_server
from tests.scan_stack import Stack, stack
from tests.waiting import wait_until

__all__ = ["redis_server", "stack"]


def command(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from scout.cli import main; main()", "scan", *arguments],
        cwd=PROJECT,
        env={**os.environ, **stack.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_run_is_cancelled_while_one_board_is_read_and_others_wait(stack: Stack) -> None:
    held = stack.watch("held", [posting(1)], [posting(2)])
    held.hold(1)
    others = [f"board{number}" for number in range(4)]
    for name in others:
        stack.watch(name, [posting(name)])
    stack.start("worker", SCOUT_SCAN_WORKERS="1")
    run_id = stack.ask("held", *others)
    wait_until(lambda: held.reached(1), timeout=30, what="the second page")
    waiting = sum(not each.state.ended for each in stack.run(run_id).results) - 1
    assert cancelling.cancel(stack.db, stack.settings, run_id) == Cancelled(ended=waiting, running=1)
    assert stack.run(run_id).state is ScanState.RUNNING
    held.release(1)
    results = stack.finished(run_id)
    assert stack.run(run_id).state is ScanState.CANCELLED
    assert results["held"].state is ScanState.CANCELLED
    assert [row[0] for row in stack.rows(held)] == ["1", "2"], "the page that was on its way is kept"
    wait_until(lambda: stack.queue.queue.count == 0, what="an empty queue")
    # And the boards are there for the next run.
    assert {each.state for each in stack.finished(stack.ask("held", *others)).values()} == {
        ScanState.SUCCEEDED
    }


def test_a_worker_that_is_killed_while_it_is_cancelled_leaves_a_run_that_ends(stack: Stack) -> None:
    held = stack.watch("held", [posting(1)], [posting(2)])
    held.hold(1)
    stack.start("worker")
    stack.start("schedule")
    run_id = stack.ask("held")
    horse = wait_until(lambda: held.reached(1), timeout=30, what="the second page")
    cancelling.cancel(stack.db, stack.settings, run_id)
    os.kill(horse, signal.SIGKILL)
    held.release(1)
    assert stack.finished(run_id)["held"].state is ScanState.CANCELLED
    assert stack.run(run_id).state is ScanState.CANCELLED
    assert len(stack.rows(held)) == 1
    assert stack.finished(stack.ask("held"))["held"].state is ScanState.SUCCEEDED


def test_a_worker_that_is_stopped_while_it_is_cancelled_hands_nothing_back(stack: Stack) -> None:
    held = stack.watch("held", [posting(1)], [posting(2)])
    held.hold(1)
    stack.start("worker")
    stack.start("schedule")
    run_id = stack.ask("held")
    horse = wait_until(lambda: held.reached(1), timeout=30, what="the second page")
    cancelling.cancel(stack.db, stack.settings, run_id)
    os.kill(horse, signal.SIGTERM)
    held.release(1)
    assert stack.finished(run_id)["held"].state is ScanState.CANCELLED


def test_the_command_cancels_and_who_waits_is_told(stack: Stack) -> None:
    stack.watch("one", [posting(1)])
    run_id = stack.ask("one")
    told = command(stack, "cancel", str(run_id))
    assert (told.returncode, told.stdout) == (0, f"Scan run {run_id} is cancelled: 1 board had not begun.\n")
    again = command(stack, "cancel", str(run_id))
    assert again.returncode == 1
    assert "has ended: it was cancelled before" in again.stderr
    assert command(stack, "cancel", "99").returncode == 1
    assert json.loads(command(stack, "--json", "--source", "one").stdout)["status"] == "queued"
    as_json = json.loads(command(stack, "cancel", str(run_id + 1), "--json").stdout)
    assert (as_json["status"], as_json["cancelling"]) == ("cancelled", False)


def test_who_waits_for_a_run_learns_that_it_was_cancelled(stack: Stack) -> None:
    held = stack.watch("held", [posting(1)])
    held.hold(0)
    stack.start("worker")
    waiting = subprocess.Popen(
        [sys.executable, "-c", "from scout.cli import main; main()", "scan", "--source", "held", "--wait"],
        cwd=PROJECT,
        env={**os.environ, **stack.environ},
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: held.reached(0), timeout=30, what="the scan's start")
    cancelling.cancel(stack.db, stack.settings, 1)
    held.release(0)
    said, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 1
    assert said.endswith("Scan run 1 cancelled.\n")

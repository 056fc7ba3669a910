"""Killed workers, poisoned boards, a Redis that forgets: scans end in the same rows all the same."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

from scout import watchlist
from scout.models import ScanState
from tests.boards_in_folders import Folder, posting
from tests.redis_server import redis_server
from tests.scan_stack import Stack, stack
from tests.waiting import wait_until

__all__ = ["redis_server", "stack"]

PAGES = 9
BEFORE = [[posting(page * 10 + place) for place in range(10)] for page in range(PAGES)]
#: Of each ten, one is gone, one is edited, one is new.
AFTER = [
    [posting(page * 10 + place, title="Edited" if place == 5 else f"Identity Engineer {page * 10 + place}")
     for place in range(1, 10)] + [posting(f"new-{page}")]
    for page in range(PAGES)
]  # fmt: skip


def parent(pid: int) -> int:
    """The parent of a process (proc_pid_stat(5): the second field after the name)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_workers_killed_at_ten_moments_end_in_the_same_rows(stack: Stack) -> None:
    boards = [stack.watch(f"board-{moment}", *BEFORE) for moment in range(PAGES + 1)]
    whole = stack.watch("whole", *BEFORE)
    names = [board.path.name for board in boards]
    # A job for each: who asks counts with as many workers as there are.
    stack.queue.settings = dataclasses.replace(stack.settings, scan_workers=len(boards))
    stack.start("worker", SCOUT_SCAN_WORKERS=str(len(boards)))
    stack.start("schedule")
    stack.finished(stack.ask("whole", *names), timeout=60)
    for moment, board in enumerate(boards):
        board.show(*AFTER)
        for page in range(PAGES + 1):
            (board.path / f"reached-{page}").unlink()
        board.hold(moment)
    whole.show(*AFTER)
    stack.finished(stack.ask("whole"))

    run_id = stack.ask(*names)
    horses = [
        wait_until(board.reached, moment, timeout=60, what=f"moment {moment}")
        for moment, board in enumerate(boards)
    ]
    for moment, horse in enumerate(horses):
        match moment % 3:
            case 0:  # the process that scans
                os.kill(horse, signal.SIGKILL)
            case 1:  # it and the worker that would tell of it
                os.kill(parent(horse), signal.SIGKILL)
                os.kill(horse, signal.SIGKILL)
            case _:  # the worker alone: its scan is an orphan
                os.kill(parent(horse), signal.SIGKILL)
    for moment, board in enumerate(boards):
        board.release(moment)
    results = stack.finished(run_id, timeout=60)

    expected = stack.rows(whole)
    assert len(expected) == 11 * PAGES
    for board in boards:
        assert stack.rows(board) == expected, board.path.name
        result = results[board.path.name]
        assert result.state is ScanState.SUCCEEDED
        assert (result.seen, result.new, result.updated, result.closed) == (90, 9, 9, 0)
    for result in stack.finished(stack.ask(*names), timeout=60).values():
        assert (result.seen, result.new, result.updated, result.closed) == (90, 0, 0, 9), "the second absence"


def test_a_whole_pool_that_is_killed_leaves_no_process_and_no_lost_scan(stack: Stack) -> None:
    held = stack.watch("held", [posting(1)], [posting(2)])
    held.hold(1)
    stack.start("schedule")
    pool = stack.start("worker")
    run_id = stack.ask("held")
    horse = wait_until(lambda: held.reached(1), timeout=30, what="the second page")
    worker = parent(horse)
    os.kill(pool.pid, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: gone(horse), what="the orphaned scan's end")
    held.release(1)
    stack.start("worker")
    assert stack.finished(run_id)["held"].state is ScanState.SUCCEEDED
    assert len(stack.rows(held)) == 2


def test_a_board_that_kills_its_worker_is_parked_and_the_others_go_on(stack: Stack) -> None:
    poison = stack.watch("poison", [posting(1)], then="kill")
    stack.watch("good", [posting(2)])
    stack.start("worker")
    stack.start("schedule")
    results = stack.finished(stack.ask("poison", "good"), timeout=60)
    assert results["good"].state is ScanState.SUCCEEDED
    parked = results["poison"]
    assert (parked.state, parked.reason, parked.attempts) == (ScanState.FAILED, "worker_died", 3)
    assert "ended 3 times before it was done" in parked.error
    with stack.db.reading() as session:
        source = watchlist.get(session, "poison")
        assert (source.last_state, source.last_reason, source.lease_by) == (
            ScanState.FAILED, "worker_died", None,
        )  # fmt: skip
    poison.show([posting(1)])
    assert stack.finished(stack.ask("poison"))["poison"].state is ScanState.SUCCEEDED, "released by scan now"


def test_a_redis_that_restarts_empty_forgets_no_scan(stack: Stack) -> None:
    boards = [stack.watch(name, [posting(1)]) for name in ("one", "two", "three")]
    first = stack.ask("one")  # is put on a queue that then vanishes
    stack.start("worker")
    stack.start("schedule")
    stack.finished(first)
    held = _held_run(stack, boards[1])
    stack.redis.stop()
    asked_meanwhile = stack.ask("three")
    boards[1].release(0)
    wait_until(lambda: stack.run(held).state.ended, timeout=30, what="the scan that ran without Redis")
    stack.redis.start()
    for run_id in (held, asked_meanwhile):
        for result in stack.finished(run_id, timeout=60).values():
            assert result.state is ScanState.SUCCEEDED
    wait_until(stack.queue.has_workers, timeout=30, what="the workers' coming back")


def _held_run(stack: Stack, board: Folder) -> int:
    board.hold(0)
    run_id = stack.ask(board.path.name)
    wait_until(lambda: board.reached(0), timeout=30, what="the scan's start")
    return run_id

"""A profile is changed under running workers, which are killed: every job is scored again all the same."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from sqlalchemy import func, insert, select

from scout import rescoring
from scout.models import Description, Job
from tests import kept
from tests.redis_server import redis_server
from tests.scan_stack import Stack, stack
from tests.waiting import wait_until

__all__ = ["redis_server", "stack"]

PROFILE = "{name: mine, groups: [{name: g, title: %d, description: 5, terms: [baker]}]}"
JOBS = 4000


def keep(stack: Stack) -> None:
    with stack.db.session() as session:
        fields = {"title": "Baker", "company": "Acme", "url": "", "first_seen_at": kept.DAY, "score": 1}
        ids = list(session.scalars(insert(Job).returning(Job.id), [fields] * JOBS))
        text = "Ovens at four in the morning, rolls and bread. " * 100
        session.execute(insert(Description), [{"job_id": each, "text": text} for each in ids])


def finished(stack: Stack, score: int) -> bool:
    with stack.db.reading() as session:
        found = rescoring.progress(session)
        at_score = select(func.count()).where(Job.score == score)
        done = found is not None and found.finished_at is not None
        return done and session.scalar(at_score) == JOBS


def done(stack: Stack) -> int:
    with stack.db.reading() as session:
        found = rescoring.progress(session)
        return found.done if found and found.finished_at is None else 0


def horses(worker: int) -> list[int]:
    """The processes that run the jobs of a pool: its children's children (proc_pid_task_children(5))."""

    def children(pid: int) -> list[int]:
        try:
            return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    return [horse for each in children(worker) for horse in children(each)]


def test_a_changed_profile_reaches_every_job_though_workers_are_killed_and_restarted(
    stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(PROFILE % 30)
    stack.environ["SCOUT_PROFILE"] = str(file)
    keep(stack)
    stack.start("schedule")
    worker = stack.start("worker")
    wait_until(lambda: finished(stack, 30), timeout=60, what="the first round")

    file.write_text(PROFILE % 40)
    # One horse killed at work, and then the whole pool asked to stop; another one goes on.
    (horse, *_) = wait_until(lambda: horses(worker.pid) if done(stack) else [], timeout=30, what="work")
    with contextlib.suppress(ProcessLookupError):
        os.kill(horse, signal.SIGKILL)
    worker.terminate()
    worker.wait(30)
    stack.start("worker")
    wait_until(lambda: finished(stack, 40), timeout=120, what="the end of the second round")
    with stack.db.reading() as session:
        assert set(session.scalars(select(Job.version))) == {1}

"""Redis, the scan workers and the scheduler as real processes, with boards in folders."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from scout import runs, watchlist
from scout.database import Database
from scout.models import Job, Listing, RunTrigger, ScanResult, ScanRun
from scout.queue import Scans
from scout.settings import PROJECT, load
from tests.boards_in_folders import Folder
from tests.databases import make_tables
from tests.redis_server import RedisServer
from tests.waiting import wait_until

LEASE = 2


class Stack:
    """What a test of whole scans needs; every process it starts ends with it."""

    def __init__(self, tmp_path: Path, redis_server: RedisServer) -> None:
        self.redis = redis_server
        self.folder = tmp_path
        self.environ = {
            "SCOUT_DATA_DIR": str(tmp_path / "data"),
            "REDIS_URL": redis_server.url,
            "SCOUT_LEASE_SECONDS": str(LEASE),
            "SCOUT_SCAN_WORKERS": "2",
            # Nobody listens: metrics and pushes may be lost, scans may not.
            "STATSD_URL": "udp://127.0.0.1:1",
            "PUSHGATEWAY_URL": "http://127.0.0.1:1",
        }
        self.settings = load(self.environ)
        make_tables(self.settings)
        self.db = Database.open(self.settings)
        self.queue = Scans(self.settings)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, program: str, **environ: str) -> subprocess.Popen[bytes]:
        """Start the `worker` or the `schedule`, with boards in folders."""
        return self.start_module("tests.boards_in_folders", program, **environ)

    def start_module(self, *module: str, **environ: str) -> subprocess.Popen[bytes]:
        """Start a module of the project as it is, such as `workers`."""
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=PROJECT,
            env={**os.environ, **self.environ, **environ},
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def close(self) -> None:
        """End every process, and what it started."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.queue.connection.close()
        self.db.dispose()

    def watch(self, name: str, *pages: Any, **answers: Any) -> Folder:
        """Put a board on the watchlist, paused, so that only the test asks for its scans."""
        folder = Folder(self.folder / name)
        folder.show(*pages, **answers)
        with self.db.session() as session:
            watchlist.add(session, folder.board).paused = True
        return folder

    def ask(self, *slugs: str) -> int:
        return runs.request(self.db, self.queue, trigger=RunTrigger.OWNER, slugs=slugs)

    def run(self, run_id: int) -> ScanRun:
        with self.db.reading() as session:
            return runs.get(session, run_id)

    def ended(self, run_id: int) -> bool:
        """Whether a run was asked for and has ended."""
        with self.db.reading() as session:
            run = session.get(ScanRun, run_id)
            return run is not None and run.state.ended

    def finished(self, run_id: int, *, timeout: float = 30.0) -> dict[str, ScanResult]:
        """Wait until a run has ended; its results by source."""
        wait_until(lambda: self.ended(run_id), timeout=timeout, what=f"the end of run {run_id}")
        return {result.source.slug: result for result in self.run(run_id).results}

    def rows(self, folder: Folder) -> list[tuple[Any, ...]]:
        """What is stored of a board, but for ids and times."""
        return self.rows_of(folder.path.name)

    def rows_of(self, slug: str) -> list[tuple[Any, ...]]:
        """What is stored of a source, but for ids and times."""
        with self.db.reading() as session:
            source = watchlist.get(session, slug)
            found = session.execute(
                select(Listing, Job).join(Job, Job.id == Listing.job_id).where(Listing.source_id == source.id)
            )
            return sorted(
                (listing.source_job_id, listing.digest, listing.missing, listing.closed_at is not None,
                 job.title, job.status.value, job.score, job.closed_at is not None)
                for listing, job in found
            )  # fmt: skip


@pytest.fixture
def stack(tmp_path: Path, redis_server: RedisServer) -> Iterator[Stack]:
    """The processes' surroundings; a test starts what it needs."""
    stack = Stack(tmp_path, redis_server)
    try:
        yield stack
    finally:
        stack.close()

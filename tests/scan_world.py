"""A database, one watched board and a clock that tests move: scans in the test's own process."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import scout.sources
from scout import clock, jobs, runs, scanning, watchlist
from scout.database import Database
from scout.models import Job, Listing, RunTrigger, ScanResult, Source
from scout.queue import Scans
from scout.settings import Settings
from tests.boards_in_folders import KINDS, Folder
from tests.databases import make_tables


class NoQueue(Scans):
    """Stands for a queue whose Redis is away: runs are asked for all the same."""

    def __init__(self) -> None:
        """It connects to nothing."""

    def enqueue_all(self, result_ids: Sequence[int]) -> bool:
        return False


def empty(queue: Scans) -> None:
    """Nothing waits any longer."""
    queue.queue.empty()  # type: ignore[no-untyped-call]  # RQ leaves some methods without types


class World:
    """A database, one watched board, and a clock that tests move."""

    def __init__(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings | None = None
    ) -> None:
        given = settings or Settings(data_dir=tmp_path / "data")
        self.settings = dataclasses.replace(given, pushgateway_url="http://127.0.0.1:1")
        self.monkeypatch = monkeypatch
        self.time = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
        monkeypatch.setattr(clock, "now", lambda: self.time)
        monkeypatch.setattr(scout.sources, "KINDS", KINDS)
        self.pushes: list[tuple[str, Any]] = []
        monkeypatch.setattr(
            scanning, "push_scan", lambda _url, slug, figures: self.pushes.append((slug, figures))
        )
        make_tables(self.settings)
        self.db = Database.open(self.settings)
        self.board = Folder(tmp_path / "acme")
        self.board.show([])
        with self.db.session() as session:
            self.slug = watchlist.add(session, self.board.board).slug

    def later(self, **span: float) -> None:
        self.time += dt.timedelta(**span)

    def ask(self, *slugs: str) -> tuple[int, list[int]]:
        run_id = runs.request(
            self.db,
            NoQueue(),
            trigger=RunTrigger.OWNER,
            slugs=slugs or None,
        )
        with self.db.reading() as session:
            return run_id, [result.id for result in runs.get(session, run_id).results]

    def scan(self) -> ScanResult:
        self.later(hours=1)
        _, (result_id,) = self.ask(self.slug)
        scanning.scan(self.db, self.settings, result_id, worker="test")
        return self.result(result_id)

    def result(self, result_id: int) -> ScanResult:
        with self.db.reading() as session:
            return session.get_one(ScanResult, result_id)

    def source(self) -> Source:
        with self.db.reading() as session:
            return watchlist.get(session, self.slug)

    def jobs(self) -> dict[str, Job]:
        with self.db.reading() as session:
            rows = session.execute(select(Listing.source_job_id, Job).join(Job, Job.id == Listing.job_id))
            return {row[0]: row[1] for row in rows}

    def listing(self, number: int | str) -> Listing:
        with self.db.reading() as session:
            return session.scalars(select(Listing).where(Listing.source_job_id == str(number))).one()

    def last_seen(self, number: int | str) -> dt.datetime:
        """When the job under this id was last seen, as pages show it."""
        with self.db.reading() as session:
            found = select(Listing).where(Listing.source_job_id == str(number))
            return jobs.get(session, session.scalars(found).one().job_id).last_seen_at

    def rows(self) -> list[tuple[Any, ...]]:
        """Everything that a scan stores, but for ids and times."""
        with self.db.reading() as session:
            found = session.execute(select(Listing, Job).join(Job, Job.id == Listing.job_id))
            listings = sorted(
                (
                    listing.source_job_id, listing.url, listing.digest, listing.missing,
                    listing.closed_at is not None, job.title, job.company, tuple(job.locations), job.score,
                    job.status.value, job.closed_at is not None, job.version, job.changed_at is not None,
                )
                for listing, job in found
            )  # fmt: skip
            jobs = session.scalars(select(Job.id)).all()
        assert len(jobs) == len(listings), "no job without a listing"
        return listings


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(tmp_path, monkeypatch)
    yield world
    world.db.dispose()


@pytest.fixture
def any_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, any_settings: Settings) -> Iterator[World]:
    """A world on each database in turn; needs the fixtures of `tests.databases`."""
    world = World(tmp_path, monkeypatch, any_settings)
    yield world
    world.db.dispose()

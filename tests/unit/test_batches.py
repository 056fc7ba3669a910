"""A change of many jobs is one batch and is taken back as one; and what the owner has seen is no status."""

from __future__ import annotations

import pytest

from metrics import catalogue
from metrics.testing import Captured
from scout import jobs
from scout.database import Database
from scout.jobs import JobQuery
from scout.models import Status
from tests import kept


def test_a_change_of_many_jobs_is_taken_back_whole(
    any_database: Database, emitted: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_AT_ONCE", 7)
    with any_database.session() as session:
        for n in range(20):
            kept.job(session, status=Status.SAVED if n % 2 else Status.NEW)
        closed = kept.job(session)
        jobs.close(session, closed)
        gone = closed.id
        done = jobs.change_many(session, JobQuery(), Status.DISMISSED, "owner")
        assert (done.changed, len(done.batch)) == (21, 24)
    with any_database.session() as session:
        back = jobs.undo_batch(session, done.batch, "owner")
        assert (back.changed, back.refused) == (21, 0)
        counts = jobs.counts_by_status(session)
        assert (counts[Status.SAVED], counts[Status.NEW], counts[Status.CLOSED]) == (10, 10, 1)
        assert jobs.undo_to(jobs.get(session, gone)) is None
    emitted.assert_incremented(catalogue.STATUS_UNDOS, 21)
    emitted.assert_incremented(catalogue.BULK_UPDATES, 2)
    emitted.assert_incremented(catalogue.STATUS_UPDATES, 10, from_status="dismissed", to_status="saved")
    with any_database.session() as session:
        again = jobs.undo_batch(session, done.batch, "owner")
        assert (again.changed, again.unchanged, again.refused) == (0, 21, 0)
    emitted.assert_incremented(catalogue.STATUS_UNDOS, 21)


def test_what_was_decided_since_stays_and_is_named(any_database: Database) -> None:
    with any_database.session() as session:
        first, second = (kept.job(session).id for _ in range(2))
        done = jobs.change_many(session, [first, second], Status.SAVED, "owner")
        jobs.change_status(session, first, Status.APPLIED, "owner")
    with any_database.session() as session:
        back = jobs.undo_batch(session, done.batch, "owner")
        assert (back.changed, back.conflicts) == (1, 1)
        assert back.named == {first: "was changed since and is applied now"}
        assert jobs.get(session, second).status is Status.NEW
        assert jobs.undo(session, first, "owner").status is Status.SAVED
        # Now its step in the batch is its last again.
        assert jobs.undo(session, first, "owner").status is Status.NEW


@pytest.mark.parametrize("batch", ["", "nothing", "\x00"])
def test_a_batch_that_nobody_knows_is_told(database: Database, batch: str) -> None:
    with database.session() as session, pytest.raises(jobs.BatchNotFound, match="not known any more"):
        jobs.undo_batch(session, batch, "owner")


def test_a_change_that_changes_nothing_has_no_batch(database: Database) -> None:
    with database.session() as session:
        kept.job(session)
        assert jobs.change_many(session, JobQuery(), Status.SAVED, "owner", dry_run=True).batch == ""
        assert jobs.change_many(session, JobQuery(), Status.OFFER, "owner").batch == ""


def test_seen_is_no_status_and_can_be_taken_back(any_database: Database) -> None:
    with any_database.session() as session:
        one, two, decided, other = (kept.job(session).id for _ in range(4))
        jobs.change_status(session, decided, Status.SAVED, "owner")
        jobs.looked(session, one)
        assert jobs.mark_seen(session, [one, two, decided, 999, 2**40]) == [two]
        jobs.change_many(session, [other], Status.DISMISSED, "owner")
    with any_database.session() as session:
        seen = {job.id: job.looked_at for job in jobs.get_many(session, [one, two, decided, other])}
        assert all(seen.values())
        assert jobs.get(session, two).version == 1
        jobs.mark_unseen(session, [two, decided])
    with any_database.session() as session:
        assert jobs.get(session, two).looked_at is None
        assert jobs.get(session, decided).looked_at is not None

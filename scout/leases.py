"""Leases: who may scan a source now, so that no two workers ever do, and a late one writes nothing.

A claim is a conditional UPDATE of the source's row; its row count says who won. The lease has an end, which
its holder keeps moving while it lives. Every transaction of a scan begins by `Lease.fence`, which fails once
another holder, or nobody, has the source: what a worker does after it lost its lease is rolled back whole.
"""

from __future__ import annotations

import contextvars
import datetime as dt
import logging
import secrets
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from sqlalchemy import or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from metrics.instruments import count_error
from scout import clock
from scout.database import Database
from scout.models import ScanResult, ScanRun, ScanState, Source

logger = logging.getLogger(__name__)

#: How often a scan is begun before it is parked as failed: what kills its worker thrice will do so again.
ATTEMPTS = 3


class LeaseLost(Exception):  # noqa: N818 - named for what happened; it never reaches a person
    """Another holder has the source now, or the source was removed: nothing may be written any more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to scan one source for one result, until its end passes unrenewed.

    Attributes:
        source_id: The source.
        result_id: The result that is being worked for.
        run_id: The run that the result belongs to.
        holder: Who holds it: the worker's name and a random part, so that no two claims are equal.
        seconds: How long it lasts from each renewal.
    """

    source_id: int
    result_id: int
    run_id: int
    holder: str
    seconds: float

    def fence(self, session: Session) -> None:
        """Renew the lease, as the first statement of a transaction that writes.

        On PostgreSQL the touched row stays locked until the commit, on SQLite the database is: nobody can
        take the lease in between.

        Raises:
            LeaseLost: It is ours no longer.
        """
        if not self._change(session, lease_until=clock.now() + dt.timedelta(seconds=self.seconds)):
            raise LeaseLost(f"source {self.source_id} is no longer leased by {self.holder}")

    def release(self, session: Session) -> None:
        """Free the source, in the transaction that ends the scan."""
        self._change(session, lease_by=None, lease_until=None)

    def _change(self, session: Session, **values: object) -> bool:
        mine = (Source.id == self.source_id) & (Source.lease_by == self.holder)
        return changed(session, update(Source).where(mine).values(values)) == 1


def free(source: Source) -> None:
    """Free a source whose lease the running transaction was fenced by, with what else it writes of it."""
    source.lease_by = source.lease_until = None


def changed(session: Session, statement: object) -> int:
    """Run an UPDATE or DELETE and return how many rows it met, without touching loaded objects."""
    result = session.execute(statement, execution_options={"synchronize_session": False})  # type: ignore[call-overload]
    return int(result.rowcount)


def claim(db: Database, result_id: int, *, worker: str, seconds: float) -> Lease | None:
    """Take the source of a queued, or abandoned, result; None when somebody else has it or nothing is to do.

    Counts the attempt. A result that waits because another run scans its source stays queued; one of a run
    that was cancelled is left to who cancels.
    """
    now = clock.now()
    with db.session() as session:
        found = session.execute(
            select(ScanResult.source_id, ScanResult.run_id)
            .join(ScanRun)
            .where(
                ScanResult.id == result_id,
                ScanResult.state.in_((ScanState.QUEUED, ScanState.RUNNING)),
                ScanResult.attempts < ATTEMPTS,
                ScanRun.cancel_asked_at.is_(None),
            )
        ).one_or_none()
        if found is None:
            return None
        lease = Lease(
            found.source_id, result_id, found.run_id, f"{worker[:60]}:{secrets.token_hex(6)}", seconds
        )
        taken = changed(
            session,
            update(Source)
            .where(Source.id == found.source_id, or_(Source.lease_until.is_(None), Source.lease_until < now))
            .values(lease_by=lease.holder, lease_until=now + dt.timedelta(seconds=seconds)),
        )
        if not taken:
            return None
        # Whoever has the source's lease is alone with its results: one that says `running` was abandoned.
        ours = changed(
            session,
            update(ScanResult)
            .where(ScanResult.id == result_id, ScanResult.state.in_((ScanState.QUEUED, ScanState.RUNNING)))
            .values(
                state=ScanState.RUNNING,
                attempts=ScanResult.attempts + 1,
                started_at=now,
                phase="fetch",
                pages=0,
                seen=0,  # the listing is read anew; what was new or updated was committed with its rows
            ),
        )
        if not ours:
            lease.release(session)
            return None
        changed(
            session,
            update(ScanRun)
            .where(ScanRun.id == found.run_id, ScanRun.state == ScanState.QUEUED)
            .values(state=ScanState.RUNNING, started_at=now),
        )
    return lease


def hand_back(db: Database, lease: Lease, *, until: dt.datetime | None = None) -> bool:
    """Put a scan that must stop back among the queued, as if it had not been begun.

    Args:
        db: The database.
        lease: What it was scanned under.
        until: Before when it is not to be asked for again; None for at once.

    Returns:
        Whether it was ours.
    """
    with db.session() as session:
        try:
            lease.fence(session)
        except LeaseLost:
            return False
        changed(
            session,
            update(ScanResult)
            .where(ScanResult.id == lease.result_id, ScanResult.state == ScanState.RUNNING)
            .values(state=ScanState.QUEUED, attempts=ScanResult.attempts - 1, phase="", not_before=until),
        )
        lease.release(session)
    return True


@dataclass(slots=True)
class Keeper:
    """Renews a lease from a thread of its own while a scan waits for a slow board; used as a context.

    Attributes:
        db: The database.
        lease: What to renew, every third of its length.
        phase: What the scan is doing; the keeper writes it down so that the pages can show it.
        lost: Whether the lease is known to be lost.
    """

    db: Database
    lease: Lease
    phase: str = "fetch"
    lost: bool = False
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to renew."""
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._keep,), name="lease keeper", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop renewing, and wait until the thread has ended."""
        self._done.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        while not self._done.wait(self.lease.seconds / 3):
            try:
                with self.db.session() as session:
                    self.lease.fence(session)
                    changed(
                        session,
                        update(ScanResult)
                        .where(ScanResult.id == self.lease.result_id)
                        .values(phase=self.phase),
                    )
            except LeaseLost:
                self.lost = True
                return
            except SQLAlchemyError as error:
                # The database may be away for a moment. If it stays away the lease ends, as it should.
                logger.warning("The lease of source %s was not renewed: %s", self.lease.source_id, error)
                count_error(error, "scan")

"""Scanning one source: fetch, parse, match, store, and what follows from how it ended.

At least once, and safe to repeat: each batch is one transaction together with its own counts, and everything
that may happen only once (counting absences, closing, ending) is one last transaction. A scan that is killed
at any moment is run again from the start and ends in the same rows. See `scout.leases` for why no two scan
one source.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from metrics import catalogue
from metrics.instruments import count_error
from metrics.push import ScanFigures, push_scan
from scout import clock, detailing, endings, leases, matching, normalise, sources, storing
from scout.database import Database
from scout.endings import Ending
from scout.fetch import Answer, Door, FetchError, Limits, Reason
from scout.identity import joining
from scout.leases import Keeper, Lease, LeaseLost, changed
from scout.models import ScanResult, ScanState, Source
from scout.postings import Posting
from scout.settings import Settings
from scout.sources.board import Board, Detailed, Kind, NotModified, Page, Validators
from scout.storing import Entry, Known

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Postings to write in one transaction; small enough that no other writer waits long.
BATCH = 200
#: Unchanged postings after which the result's count is written, for those who watch.
UNCHANGED_BATCH = 2000
#: Seconds after which no further page of a board is asked for.
TIME_LIMIT = 600.0
#: Seconds between tries of a transaction while the database is away or locked.
_DATABASE_PAUSES = (0.2, 1.0, 3.0)


#: Postings with details of their own to write in one transaction: each took a request, so few may be lost.
DETAILED_BATCH = 20


class ScanInterrupted(BaseException):
    """Raised into a running scan by a signal handler when its process must stop: the scan is handed back."""


def scan(db: Database, settings: Settings, result_id: int, *, worker: str) -> ScanState:
    """Do one source's part of a run, if it is free.

    Args:
        db: The database, opened in this process.
        settings: The settings.
        result_id: The `ScanResult` to work for.
        worker: Who we are, for people who look at the lease.

    Returns:
        The state the result is in now. `queued` or `running` when another worker has the source: the result
        is left to whoever holds it, or waits.

    Raises:
        ScanInterrupted: It was raised from outside; the result is queued again.
        SQLAlchemyError: The database stayed away; the lease will end and the result be queued again.
    """
    lease = leases.claim(db, result_id, worker=worker, seconds=settings.lease_seconds)
    if lease is None:
        with db.reading() as session:
            state = session.scalar(select(ScanResult.state).where(ScanResult.id == result_id))
        if state is not None and not state.ended:
            catalogue.SCAN_CLAIMS_LOST.inc()
            logger.info("Scan result %s waits: another worker has its source", result_id)
        return state or ScanState.FAILED
    try:
        with Keeper(db, lease) as keeper:
            return _Scan(db, settings, lease, keeper).run()
    except ScanInterrupted:
        leases.hand_back(db, lease)
        raise
    except LeaseLost as lost:
        logger.warning("A scan was given up without writing: %s", lost)
        return ScanState.RUNNING


class _TimedDoor(Door):
    """A door that adds up the time spent in it, so that fetching can be told from parsing."""

    seconds = 0.0

    def get(self, url: str, *, headers: dict[str, str] | None = None, limits: Limits | None = None) -> Answer:
        with self._timed():
            return super().get(url, headers=headers, limits=limits)

    def post_json(
        self,
        url: str,
        document: Any,
        *,
        headers: dict[str, str] | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        with self._timed():
            return super().post_json(url, document, headers=headers, limits=limits)

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - started


@dataclass(frozen=True, slots=True)
class _Ended:
    """What the last transaction wrote: the rows as they are now, and the run's state if it ended."""

    ending: Ending
    source: Source
    result: ScanResult
    run: ScanState | None
    listed: int


class Waiting(NamedTuple):
    """A posting of a listing whose details are to be asked for, and its fingerprint without them."""

    posting: Posting
    digest: str


class _Scan:
    """One attempt at one source."""

    def __init__(self, db: Database, settings: Settings, lease: Lease, keeper: Keeper) -> None:
        self.db = db
        self.settings = settings
        self.lease = lease
        self.keeper = keeper
        self.started = time.monotonic()
        self.seconds = dict.fromkeys(catalogue.PHASE.values, 0.0)
        self.seen: set[str] = set()
        self.parsed = 0
        self.unparsed: list[str] = []
        self.notes: list[str] = []
        self.waiting: list[Waiting] = []
        self.unchanged: list[Known] = []
        self.uncounted = 0
        self.undetailed = 0
        self.retry_after: float | None = None
        with db.reading() as session:
            self.source = session.get_one(Source, lease.source_id)
            self.known = storing.known_listings(session, lease.source_id)
        self.listed_before = sum(1 for each in self.known.values() if not each.closed)
        self.kind: Kind | None = sources.KINDS.get(self.source.kind)
        self.detailed = isinstance(self.kind, Detailed)
        self.complete = self.kind is not None and self.kind.complete

    def run(self) -> ScanState:
        ending, absences = self._read()
        return self._end(ending, absences)

    # --- Reading ----------------------------------------------------------------------------------------

    def _read(self) -> tuple[Ending, int]:
        """Read and store the board.

        Returns:
            How that ended, and how many listings in a row must lack a posting to close it; 0 when absence
            from this one means nothing.
        """
        if self.kind is None:
            return Ending(
                state=ScanState.FAILED,
                reason=Reason.INTERNAL,
                error=f"This version does not know boards of the kind {self.source.kind!r}. "
                "Update the program, or remove the source.",
            ), 0
        validators = Validators(
            etags=dict(self.source.validators.get("etags", {})),
            modified=dict(self.source.validators.get("modified", {})),
        )
        try:
            whole = self._pages(self.kind, validators)
        except NotModified:
            return self._not_modified(), 0
        except FetchError as error:
            return self._cut(error.reason, error.text, error.retry_after), 0
        except (SQLAlchemyError, LeaseLost):
            raise
        except Exception as error:
            # Whatever a board's answer does to a parser, the owner reads a name and not a traceback.
            logger.exception("Scan of %s stopped by an error of this program", self.source.slug)
            count_error(error, "scan")
            return self._cut(
                Reason.INTERNAL,
                f"An error of this program stopped the scan ({type(error).__name__}). The workers' log has "
                "the details; please report it.",
            ), 0
        if not whole:
            minutes = round(TIME_LIMIT / 60)
            return self._cut(
                Reason.TIMEOUT, f"The board was not read to its end within {minutes} minutes."
            ), 0
        return self._listing_read(validators)

    def _pages(self, kind: Kind, validators: Validators) -> bool:
        """Store page after page; whether the listing was read to its end."""
        board = Board(
            kind=self.source.kind, token=self.source.token, company=self.source.name, url=self.source.url
        )
        profile = matching.load_profile()
        with _TimedDoor(self.settings, kind=kind.name) as door:
            details = detailing.Details(kind, board, door, until=self.started + TIME_LIMIT)
            pages = kind.read(board, door, validators)
            try:
                while (page := self._next(pages, door)) is not None:
                    self.parsed += len(page.postings)
                    self.unparsed += page.unparsed
                    self.notes += [page.note] if page.note else []
                    self._store(page, profile)
                    if time.monotonic() - self.started > TIME_LIMIT:
                        details.left = 0
                        self._store_waiting(details, door, profile)
                        return False
            except (SQLAlchemyError, LeaseLost):
                raise
            except Exception as error:
                if not isinstance(error, FetchError) or error.reason is not Reason.TOO_LARGE:
                    details.left = 0  # a board that just failed is not asked for more
                self._store_waiting(details, door, profile)
                raise
            self._store_waiting(details, door, profile)
        return True

    def _next(self, pages: Iterator[Page], door: _TimedDoor) -> Page | None:
        self.keeper.phase = "fetch"
        started, fetching = time.monotonic(), door.seconds
        try:
            return next(pages, None)
        finally:
            fetched = door.seconds - fetching
            self.seconds["fetch"] += fetched
            self.seconds["parse"] += time.monotonic() - started - fetched

    def _store(self, page: Page, profile: matching.Profile) -> None:
        entries: list[Entry] = []
        for posting in page.postings:
            identity = storing.identity(posting)
            if identity in self.seen:
                catalogue.DUPLICATES_MERGED.inc(kind=self.source.kind)
                continue
            self.seen.add(identity)
            digest = storing.digest(posting)
            known = self.known.get(identity)
            if self.detailed and (known is None or known.digest != digest):
                self.waiting.append(Waiting(posting, digest))
                continue
            self.uncounted += 1
            if known is not None and known.digest == digest and not known.closed:
                self._again(known)
            elif (entry := self._matched(posting, digest, profile)) is not None:
                entries.append(entry)
            if len(entries) >= BATCH or self.uncounted >= UNCHANGED_BATCH:
                self._write_batch(entries)
                entries = []
        if entries:
            self._write_batch(entries)

    def _again(self, known: Known) -> None:
        """A posting was seen as it was stored: nothing to write, and its turn to be counted comes."""
        self.unchanged.append(known)
        self._count_listings("unchanged", 1)

    def _store_waiting(self, details: detailing.Details, door: _TimedDoor, profile: matching.Profile) -> None:
        """Store the postings whose details are asked for: the best matches with them, as many as may be."""
        ranked = [entry for each in self.waiting if (entry := self._matched(*each, profile)) is not None]
        ranked.sort(key=lambda entry: -entry.match.score)
        self.waiting = []
        entries: list[Entry] = []
        for entry in ranked:
            self.uncounted += 1
            known = self.known.get(storing.identity(entry.posting))
            whole = self._with_details(entry, details, door, profile)
            if whole is not None:
                entries.append(whole)
            elif known is None or storing.is_brief(known.digest):
                self.undetailed += 1
                less = dataclasses.replace(entry, digest=storing.brief(entry.digest))
                if known is not None and known.digest == less.digest and not known.closed:
                    self._again(known)
                else:
                    entries.append(less)
            else:
                # What is stored has a text, so it stays until the changed one can be had.
                self.undetailed += 1
                if known.closed:
                    entries.append(dataclasses.replace(entry, digest=known.digest))
                else:
                    self._again(known)
            if len(entries) >= (DETAILED_BATCH if details.left else BATCH):
                self._write_batch(entries)
                entries = []
        if entries:
            self._write_batch(entries)
        if self.undetailed:
            self.notes.append(details.note(self.undetailed))
            self.retry_after = details.retry_after

    def _with_details(
        self, entry: Entry, details: detailing.Details, door: _TimedDoor, profile: matching.Profile
    ) -> Entry | None:
        """The same entry with its posting's details; None if they are left for another time."""
        self.keeper.phase = "fetch"
        started, fetching = time.monotonic(), door.seconds
        try:
            posting = details.of(entry.posting)
        finally:
            fetched = door.seconds - fetching
            self.seconds["fetch"] += fetched
            self.seconds["parse"] += time.monotonic() - started - fetched
        return None if posting is None else self._matched(posting, entry.digest, profile)

    def _matched(self, posting: Posting, digest: str, profile: matching.Profile) -> Entry | None:
        self.keeper.phase = "match"
        started = time.monotonic()
        try:
            return Entry(normalise.completed(posting), digest, matching.score(posting, profile))
        except Exception as error:
            # One posting must not keep the others of its board away for ever.
            logger.exception("Posting %s of %s could not be scored", posting.source_job_id, self.source.slug)
            count_error(error, "scan")
            self.unparsed.append(f"{posting.title}: its match could not be computed ({type(error).__name__})")
            return None
        finally:
            self.seconds["match"] += time.monotonic() - started

    def _write_batch(self, entries: list[Entry]) -> None:
        def batch(session: Session) -> storing.Stored:
            stored = storing.write(session, self.lease.source_id, entries, self.known)
            # The counts are committed with the rows: a scan that is killed and run again counts each once.
            changed(
                session,
                update(ScanResult)
                .where(ScanResult.id == self.lease.result_id)
                .values(
                    phase="store",
                    seen=ScanResult.seen + self.uncounted,
                    new=ScanResult.new + stored.new,
                    updated=ScanResult.updated + stored.updated,
                    reopened=ScanResult.reopened + stored.reopened,
                ),
            )
            return stored

        self.keeper.phase = "store"
        started = time.monotonic()
        stored = self._transact(batch)
        self.seconds["store"] += time.monotonic() - started
        self.uncounted = 0
        self.known.update(stored.known)
        # At once: what is stored is stored, whatever becomes of this scan.
        for change in ("new", "updated", "reopened"):
            self._count_listings(change, getattr(stored, change))
        for score in stored.new_scores:
            catalogue.MATCHES.inc(band=matching.band(score))

    def _count_listings(self, change: str, amount: int) -> None:
        if amount:
            catalogue.SCAN_LISTINGS.inc(amount, kind=self.source.kind, change=change)

    def _transact(self, work: Callable[[Session], T]) -> T:
        """Run one fenced transaction, again if the database is locked or away for a moment."""
        for pause in (*_DATABASE_PAUSES, None):
            try:
                with self.db.session() as session:
                    self.lease.fence(session)
                    return work(session)
            except OperationalError as error:
                if pause is None:
                    raise
                logger.warning("The database did not take a batch, trying again: %s", error.orig)
                count_error(error, "scan")
                time.sleep(pause)
        raise AssertionError  # the last try either returned or raised

    # --- How it ended -----------------------------------------------------------------------------------

    def _cut(self, reason: str, text: str, retry_after: float | None = None) -> Ending:
        """The ending of a listing that was not read to its end: partial if anything of it was."""
        if not self.seen:
            return Ending(
                state=ScanState.FAILED,
                reason=reason,
                error=text,
                retry_after=retry_after,
                suspicious=self.source.suspicious,
            )
        return Ending(
            state=ScanState.PARTIAL,
            reason=reason,
            error=f"The listing was cut after {len(self.seen)} postings, so nothing was closed. {text}",
            retry_after=retry_after,
            suspicious=self.source.suspicious,
        )

    def _not_modified(self) -> Ending:
        self.unchanged = [each for each in self.known.values() if not each.closed and not each.missing]
        self.uncounted = len(self.unchanged)
        self._count_listings("unchanged", self.uncounted)
        return Ending(state=ScanState.SUCCEEDED, whole=self.complete)

    def _listing_read(self, validators: Validators) -> tuple[Ending, int]:
        """The ending of a listing that was read to its end, and what absence from it means."""
        if self.unparsed:
            bad = len(self.unparsed)
            if not self.seen:
                return Ending(
                    state=ScanState.FAILED,
                    reason=Reason.UNPARSED,
                    error=f"None of the board's {bad} postings could be read. The first: {self.unparsed[0]}",
                    suspicious=self.source.suspicious,
                ), 0
            return Ending(
                state=ScanState.PARTIAL,
                reason=Reason.UNPARSED,
                error=f"{bad} of {bad + len(self.seen)} postings could not be read, and nothing was closed. "
                f"The first: {self.unparsed[0]}",
                suspicious=self.source.suspicious,
            ), 0
        vanished = self.complete and storing.vanished(self.listed_before, len(self.seen))
        if vanished and not self._believed():
            return Ending(
                state=ScanState.PARTIAL,
                reason=Reason.VANISHED,
                error=f"The board listed {len(self.seen) or 'no'} postings where {self.listed_before} were "
                "open before. That looks like a fault of the board, so nothing was closed. "
                f"If it stays so for {endings.BELIEVED_AFTER.days} days, the board is believed.",
                suspicious=True,
            ), 0
        kept = {"etags": dict(validators.etags), "modified": dict(validators.modified)}
        if self.undetailed:
            kept = {}  # "not modified" must not keep the rest of the details away
        if not self.complete:
            absences = 0
        elif vanished:
            absences = 1  # a week of listings lacked them
        else:
            absences = storing.ABSENCES
        return Ending(
            state=ScanState.SUCCEEDED,
            error=" ".join(self.notes),
            retry_after=self.retry_after,
            validators=kept,
            whole=self.complete,
        ), absences

    def _believed(self) -> bool:
        with self.db.reading() as session:
            since = endings.suspicious_since(session, self.lease.source_id)
        return since is not None and clock.now() - since >= endings.BELIEVED_AFTER

    def _end(self, ending: Ending, absences: int) -> ScanState:
        """The last transaction: absences, closings, the result, source, run and lease, all or nothing."""

        def last(session: Session) -> _Ended:
            final = ending
            if ending.whole:
                storing.seen_again(session, self.unchanged)
            else:
                storing.touch(session, self.unchanged)
            if absences:
                closed, waiting = storing.close_absent(session, self.lease.source_id, self.seen, absences)
                # While an absence waits for a second listing, "not modified" must not stand in for it.
                kept = {} if waiting else ending.validators
                final = dataclasses.replace(ending, closed=closed, validators=kept)
            source, run = endings.record(session, self.settings, result_id=self.lease.result_id, ending=final)
            result = session.get_one(ScanResult, self.lease.result_id)
            result.seen += self.uncounted
            if result.new and result.started_at is not None:
                joining.join_stored_at_once(session, self.lease.source_id, result.started_at)
            self.lease.release(session)
            return _Ended(final, source, result, run, storing.open_count(session, self.lease.source_id))

        self.keeper.phase = "store"
        started = time.monotonic()
        ended = self._transact(last)
        self.seconds["store"] += time.monotonic() - started
        self._count_listings("closed", ended.ending.closed)
        self._tell(ended)
        return ended.ending.state

    def _tell(self, ended: _Ended) -> None:
        """Metrics, log and the push, once everything is committed. Nothing here can fail the scan."""
        ending, result = ended.ending, ended.result
        duration = time.monotonic() - self.started
        kind, status = self.source.kind, ending.state.value
        catalogue.SCAN_DURATION.observe(duration, kind=kind, status=status)
        for phase, seconds in self.seconds.items():
            catalogue.SCAN_PHASE_DURATION.observe(seconds, phase=phase)
        if ending.reason:
            catalogue.SCAN_ERRORS.inc(kind=kind, reason=ending.reason)
        for counter, amount in (
            (catalogue.POSTINGS_PARSED, self.parsed),
            (catalogue.POSTINGS_UNPARSED, len(self.unparsed)),
        ):
            if amount:
                counter.inc(amount, kind=kind)
        if ended.run is not None:
            catalogue.SCAN_RUNS.inc(status=ended.run.value)
        logger.info(
            "%s: %s, %d seen, %d new, %d updated, %d closed in %.1f s%s",
            self.source.slug, status, result.seen, result.new, result.updated, result.closed, duration,
            f" ({ending.reason})" if ending.reason else "",
        )  # fmt: skip
        last_success = ended.source.last_success_at
        figures = ScanFigures(
            state=status,
            duration=duration,
            finished_at=(result.finished_at or clock.now()).timestamp(),
            last_success_at=last_success.timestamp() if last_success else None,
            seen=result.seen,
            new=result.new,
            updated=result.updated,
            closed=result.closed,
            listed=ended.listed,
        )
        push_scan(self.settings.pushgateway, self.source.slug, figures)

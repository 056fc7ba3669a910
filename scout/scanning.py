"""Scanning one source: fetch, parse, match, store, and what follows from how it ended.

At least once, and safe to repeat: each batch is one transaction together with its own counts, and everything
that may happen only once (counting absences, closing, ending) is one last transaction. A scan that is killed
at any moment is run again from the start and ends in the same rows. See `scout.leases` for why no two scan
one source.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from metrics import catalogue
from metrics.instruments import count_error
from metrics.push import ScanFigures, push_scan
from scout import (
    allowance,
    cancelling,
    chosen_profile,
    clock,
    detailing,
    endings,
    leases,
    matching,
    normalise,
    robots,
    schedule,
    sources,
    storing,
    traces,
)
from scout.courtesy import Courtesy
from scout.database import Database
from scout.endings import Ending
from scout.fetch import NOT_ASKED, VERSION, Answer, Door, FetchError, Limits, Reason
from scout.identity import joining
from scout.leases import Keeper, Lease, LeaseLost, changed
from scout.logs import ids
from scout.models import ScanResult, ScanRun, ScanState, Source
from scout.postings import Posting
from scout.settings import Settings
from scout.sources.about import about
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


#: Seconds after which those who watch are told how far a scan has come, if nothing was stored meanwhile.
SHOW_AFTER = 1.0
#: Seconds between two looks at whether the run was cancelled, where one is not at a page's end.
CANCEL_LOOK = 1.0
#: Seconds that a scan is handed back for, to wait for its turn. A longer wait ends it; it is due after that.
SOON = 120.0
#: How long a run waits for scans that are handed back.
LONGEST_WAIT = dt.timedelta(hours=1)


class _Postponed(Exception):  # noqa: N818 - named for what happened; it never reaches a person
    """The board is not to be asked now, and is in a moment."""

    def __init__(self, error: FetchError) -> None:
        super().__init__(error.text)
        self.reason = error.reason
        self.seconds = error.retry_after or 1.0


class _Cancelled(Exception):  # noqa: N818 - named for what happened; it never reaches a person
    """The run was cancelled: nothing more is asked of the board."""


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
        is left to whoever holds it, or waits. `queued` also when the scan waits for its turn at the board.

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
    with ids.binding(run_id=lease.run_id), traces.span("scan", scout__run_id=lease.run_id):
        return _scan(db, settings, lease)


def _scan(db: Database, settings: Settings, lease: Lease) -> ScanState:
    """Scan a source that is ours."""
    try:
        with Keeper(db, lease) as keeper:
            return _Scan(db, settings, lease, keeper).run()
    except ScanInterrupted:
        leases.hand_back(db, lease)
        raise
    except _Postponed as postponed:
        # A scan that waits must not keep a worker, nor come back at the same moment as the others.
        wait = dt.timedelta(seconds=postponed.seconds * (1 + random.random() / 2))  # noqa: S311 - spreading load
        leases.hand_back(db, lease, until=clock.now() + wait)
        logger.info("Scan result %s waits for its turn: %s", lease.result_id, postponed)
        return ScanState.QUEUED
    except LeaseLost as lost:
        logger.warning("A scan was given up without writing: %s", lost)
        return ScanState.RUNNING


class _TimedDoor(Door):
    """A door that adds up the time spent in it, so that fetching can be told from parsing."""

    seconds = 0.0
    _timing = False

    def get(self, url: str, *, headers: dict[str, str] | None = None, limits: Limits | None = None) -> Answer:
        with self._timed(url):
            return super().get(url, headers=headers, limits=limits)

    def post_json(
        self,
        url: str,
        document: Any,
        *,
        headers: dict[str, str] | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        with self._timed(url):
            return super().post_json(url, document, headers=headers, limits=limits)

    @contextlib.contextmanager
    def _timed(self, url: str) -> Iterator[None]:
        if self._timing:  # a robots file is asked for within the request that needs it
            yield
            return
        self._timing = True
        started = time.monotonic()
        try:
            with traces.span("fetch", kind="client", server__address=_host(url)):
                yield
        finally:
            self._timing = False
            self.seconds += time.monotonic() - started


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # the door says what is wrong with it
        return ""


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
        self.gone: list[Known] = []
        self.retry_after: float | None = None
        self.taken: int | None = None
        self.turns = 0
        self.pages = 0
        self.shown_at = self.started
        self.cancelled = False
        self.looked_at = float("-inf")
        with db.reading() as session:
            self.source = session.get_one(Source, lease.source_id)
            self.known = storing.known_listings(session, lease.source_id)
        ids.bind(source=self.source.slug, kind=self.source.kind)  # until `scan` ends
        traces.describe(scout__source=self.source.slug, scout__kind=self.source.kind)
        self.listed_before = sum(1 for each in self.known.values() if not each.closed)
        self.kind: Kind | None = sources.KINDS.get(self.source.kind)
        self.detailed = isinstance(self.kind, Detailed)
        self.complete = self.kind is not None and self.kind.complete

    def run(self) -> ScanState:
        try:
            ending, absences = self._read()
        except _Cancelled:
            ending, absences = cancelling.ending(len(self.seen)), 0
        return self._end(ending, absences)

    @functools.cached_property
    def profile(self) -> matching.Profile:
        """What postings are matched with; not read where none has to be."""
        with self.db.reading() as session:
            return chosen_profile.in_use(session)

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
        kept = self.source.validators
        if kept.get("version") != VERSION:
            kept = {}  # another version may read more out of the same answer
        validators = Validators(
            etags=dict(kept.get("etags", {})),
            modified=dict(kept.get("modified", {})),
            bodies=dict(kept.get("bodies", {})),
        )
        try:
            whole = self._pages(self.kind, validators)
        except NotModified:
            return self._not_modified(), 0
        except FetchError as error:
            if error.reason in NOT_ASKED:
                self._not_asked(self.kind, error)
            return self._not_had(error)
        except (SQLAlchemyError, LeaseLost, _Cancelled):
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

    def _not_asked(self, kind: Kind, error: FetchError) -> None:
        """What follows when the board was not asked.

        Raises:
            _Postponed: It can be asked soon, and the run did not wait for it for long.
        """
        if self.taken is not None and not self.turns:
            number = self.taken
            self._transact(lambda session: allowance.give_back(session, kind, number))
        with self.db.reading() as session:
            asked_at = session.get_one(ScanRun, self.lease.run_id).created_at
        soon = error.reason is not Reason.DAILY_LIMIT and (error.retry_after or 0.0) <= SOON
        if soon and clock.now() - asked_at < LONGEST_WAIT:
            catalogue.SCANS_POSTPONED.inc(kind=kind.name, reason=error.reason)
            raise _Postponed(error)

    def _pages(self, kind: Kind, validators: Validators) -> bool:
        """Store page after page; whether the listing was read to its end."""
        board = Board(
            kind=self.source.kind, token=self.source.token, company=self.source.name, url=self.source.url
        )
        limited = about(kind).daily > 0
        if limited and not schedule.played_here(kind, self.settings, url=board.url, token=board.token):
            self.taken = self._transact(lambda session: allowance.take(session, kind))
        permit = robots.Robots() if about(kind).robots else None
        with (
            Courtesy(self.settings, about(kind).policy, kind=kind.name) as courtesy,
            _TimedDoor(self.settings, kind=kind.name, courtesy=courtesy, permit=permit) as door,
        ):
            details = detailing.Details(kind, board, door, until=self.started + TIME_LIMIT)
            pages = kind.read(board, door, validators)
            try:
                while (page := self._next(pages, door)) is not None:
                    self.pages += 1
                    self.parsed += len(page.postings)
                    self.unparsed += page.unparsed
                    self.notes += [page.note] if page.note else []
                    self._store(page)
                    if time.monotonic() - self.started > TIME_LIMIT:
                        details.left = 0
                        self._store_waiting(details, door)
                        return False
            except (SQLAlchemyError, LeaseLost):
                raise
            except Exception as error:
                self.turns = courtesy.turns
                if not isinstance(error, FetchError) or error.reason is not Reason.TOO_LARGE:
                    details.left = 0  # a board that just failed is not asked for more
                self._store_waiting(details, door)
                raise
            self._store_waiting(details, door)
        return True

    def _next(self, pages: Iterator[Page], door: _TimedDoor) -> Page | None:
        if self._is_cancelled():
            raise _Cancelled
        if time.monotonic() - self.shown_at > SHOW_AFTER:
            self._show()
        self.keeper.phase = "fetch"
        started, fetching = time.monotonic(), door.seconds
        try:
            with traces.span("parse", fine=(NotModified,)):
                return next(pages, None)
        finally:
            fetched = door.seconds - fetching
            self.seconds["fetch"] += fetched
            self.seconds["parse"] += time.monotonic() - started - fetched

    def _show(self) -> None:
        """Write down how far it has come, for those who watch."""
        result = update(ScanResult).where(ScanResult.id == self.lease.result_id)
        counted = result.values(phase="fetch", pages=self.pages, seen=ScanResult.seen + self.uncounted)
        self._transact(lambda session: changed(session, counted))
        self.uncounted = 0
        self.shown_at = time.monotonic()

    def _is_cancelled(self, least: float = 0.0) -> bool:
        """Whether the run was cancelled; not looked at again within so many seconds."""
        now = time.monotonic()
        if not self.cancelled and now - self.looked_at >= least:
            self.looked_at = now
            with self.db.reading() as session:
                self.cancelled = cancelling.is_asked(session, self.lease.run_id)
        return self.cancelled

    def _store(self, page: Page) -> None:
        with traces.span("match", scout__postings=len(page.postings)):
            self._match(page)

    def _match(self, page: Page) -> None:
        profile = self.profile
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

    def _store_waiting(self, details: detailing.Details, door: _TimedDoor) -> None:
        """Store the postings whose details are asked for: the best matches with them, as many as may be."""
        if not self.waiting:
            return
        profile = self.profile
        ranked = [entry for each in self.waiting if (entry := self._matched(*each, profile)) is not None]
        ranked.sort(key=lambda entry: -entry.match.score)
        self.waiting = []
        entries: list[Entry] = []
        gone: list[Entry] = []
        for entry in ranked:
            self.uncounted += 1
            whole = self._with_details(entry, details, door, profile)
            if whole is None and entry.posting.source_job_id in details.gone:
                gone.append(entry)
                continue
            written = whole or self._without_details(entry)
            if written is not None:
                entries.append(written)
            if len(entries) >= (DETAILED_BATCH if details.left else BATCH):
                self._write_batch(entries)
                entries = []
        if details.gone_believed:
            # A new one is not stored at all; the others close when the scan ends.
            found = [self.known.get(storing.identity(entry.posting)) for entry in gone]
            self.gone = [known for known in found if known is not None and not known.closed]
        else:
            entries += [written for entry in gone if (written := self._without_details(entry)) is not None]
        if entries:
            self._write_batch(entries)
        if self.undetailed:
            self.notes.append(details.note(self.undetailed))
            self.retry_after = details.retry_after
        if self.cancelled:
            self.gone = []
            raise _Cancelled

    def _without_details(self, entry: Entry) -> Entry | None:
        """What to write of a posting whose details are left for another time; None if nothing is to be."""
        self.undetailed += 1
        known = self.known.get(storing.identity(entry.posting))
        if known is None or storing.is_brief(known.digest):
            less = dataclasses.replace(entry, digest=storing.brief(entry.digest))
            if known is None or known.digest != less.digest or known.closed:
                return less
        elif known.closed:
            # What is stored has a text, so it stays until the changed one can be had.
            return dataclasses.replace(entry, digest=known.digest)
        self._again(known)
        return None

    def _with_details(
        self, entry: Entry, details: detailing.Details, door: _TimedDoor, profile: matching.Profile
    ) -> Entry | None:
        """The same entry with its posting's details; None if they are left for another time."""
        if details.left and self._is_cancelled(CANCEL_LOOK):
            details.left = 0  # the others are kept as the listing has them
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
            whole = normalise.completed(posting)
            return Entry(whole, digest, matching.score(whole, profile))
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
                    pages=self.pages,
                    seen=ScanResult.seen + self.uncounted,
                    new=ScanResult.new + stored.new,
                    updated=ScanResult.updated + stored.updated,
                    reopened=ScanResult.reopened + stored.reopened,
                ),
            )
            return stored

        self.keeper.phase = "store"
        started = time.monotonic()
        with traces.span("store", scout__postings=len(entries)):
            stored = self._transact(batch)
        self.seconds["store"] += time.monotonic() - started
        self.uncounted = 0
        self.shown_at = time.monotonic()
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

    def _not_had(self, error: FetchError) -> tuple[Ending, int]:
        """The ending of a scan that could not have an answer, and what that means for open postings.

        It means something only where there is no such board. One that says so in `endings.GONE_AFTER_SCANS`
        scans in a row, over `endings.GONE_AFTER`, is taken for gone, and they close. A shorter absence is a
        mishap, as of a company that moves its site.
        """
        if self.seen or error.reason not in detailing.GONE:
            return self._cut(error.reason, error.text, error.retry_after), 0
        with self.db.reading() as session:
            since, times = endings.gone_since(session, self.lease.source_id)
        since = since or clock.now()
        gone = times + 1 >= endings.GONE_AFTER_SCANS and clock.now() - since >= endings.GONE_AFTER
        text = error.text
        if gone:
            text += f" It has said so since {since:%d %B %Y}, so the board is taken for gone"
            text += f" and its {self.listed_before} open postings were closed" if self.listed_before else ""
            text += (
                ". Should it come back, they open again. If it has moved, add its new address and remove this"
                " one."
            )
        elif self.listed_before:
            until = since + endings.GONE_AFTER
            text += f" If it stays so until {until:%d %B}, its {self.listed_before} open postings are closed."
        return self._cut(error.reason, text, error.retry_after), 1 if gone else 0

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
        kept: dict[str, Any] = {"version": VERSION, **dataclasses.asdict(validators)}
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
            if self.gone:
                closed = final.closed + storing.close_gone(session, self.lease.source_id, self.gone)
                final = dataclasses.replace(final, closed=closed)
            leases.free(session.get_one(Source, self.lease.source_id))
            source, run = endings.record(session, self.settings, result_id=self.lease.result_id, ending=final)
            result = session.get_one(ScanResult, self.lease.result_id)
            result.seen += self.uncounted
            result.pages = self.pages
            if result.new and result.started_at is not None:
                joining.join_stored_at_once(session, self.lease.source_id, result.started_at)
            return _Ended(final, source, result, run, storing.open_count(session, self.lease.source_id))

        self.keeper.phase = "store"
        started = time.monotonic()
        with traces.span("store"):
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
        if ending.state is ScanState.CANCELLED:
            logger.info("%s: cancelled after %d postings", self.source.slug, result.seen)
            return  # the gateway goes on telling of the last scan that came to its own end
        logger.info(
            "%s: %s, %d seen, %d new, %d updated, %d closed in %.1f s%s",
            self.source.slug, status, result.seen, result.new, result.updated, result.closed, duration,
            f" ({ending.reason})" if ending.reason else "",
            extra={"status": status, "seconds": round(duration, 3)}
            | ({"reason": ending.reason} if ending.reason else {}),
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

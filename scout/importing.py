"""Bringing jobs in from a file: our own exports, and the tables of other trackers.

A job that is brought in is a job without listings: no board of the watchlist listed it, so none is made up
that scans, figures and health would have to leave out again. Such jobs exist anyway, since what the owner
decided outlives its board. Nothing closes them but their owner. What an export of ours says of listings is
kept where that board is watched here, so that its next scan finds its own jobs again.

Nothing is doubled. A row is the job that has its listing; else the one with its address, however written;
else, without an address, the one with its company and title that has none either. What the owner decided
here stays: a row only fills in a status where none was decided, and adds notes that are not there yet. So a
file can be brought in again after anything, a kill halfway included.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from metrics import catalogue
from scout import chosen_profile, clock, matching, normalise, returning, storing, trackers
from scout.database import Database, after_commit
from scout.errors import ScoutError
from scout.filed import Row, rows
from scout.matching import Profile
from scout.models import Base, Job, Listing, Note, Source, Status, StatusChange
from scout.storing import Entry
from scout.trackers import Brought, Columns, NotUnderstood, Step

#: Rows that are written in one transaction.
BATCH = 200
#: Rows from which the columns are told.
SAMPLE = 200
#: Faults that are told one by one.
TOLD = 20

#: The fingerprint of a listing that was brought in: never a posting's own, so the next scan reads it anew.
_UNREAD = "brought in"
#: What says in an address where a click came from, and nothing of the job.
_TRACKING = re.compile(
    r"utm_\w+|gh_src|lever-\w+|fbclid|gclid|msclkid|ref|refid|source|src|trk|trackingid", re.IGNORECASE
)


_JOBS, _DESCRIPTIONS = Base.metadata.tables["jobs"], Base.metadata.tables["descriptions"]


class Refused(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A row cannot be read, and the owner wants all or nothing."""


class Outcome(enum.StrEnum):
    """What came of a row."""

    ADDED = "added"
    UPDATED = "updated"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(slots=True)
class Report:
    """What came of a file.

    Attributes:
        outcomes: How many rows were added, updated, known as they are, or refused.
        faults: The first refused rows: their numbers, and why.
        unknown_statuses: Words for a status that nobody knows, and how often each; they count as `saved`.
        unwatched: Boards that an export of ours names and that are not watched here, by slug.
        columns: How the columns were told; None for an export of ours.
        first: The first jobs as they were read.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)
    unknown_statuses: Counter[str] = field(default_factory=Counter)
    unwatched: Counter[str] = field(default_factory=Counter)
    columns: Columns | None = None
    first: list[Brought] = field(default_factory=list)


def look(path: Path, chosen: Mapping[str, str], encoding: str = "") -> Report:
    """Read a whole file and write nothing; only `refused` is counted among the outcomes.

    Raises:
        UnreadableFile, UnknownColumn: The file cannot be read, or nothing in it is a title.
    """
    report = Report()
    for _ in _read(path, chosen, encoding, report):
        pass
    return report


def bring_in(
    database: Database,
    path: Path,
    chosen: Mapping[str, str],
    *,
    encoding: str = "",
    strict: bool = False,
) -> Report:
    """Bring the jobs of a file in, scored with the profile in use.

    Args:
        database: The database.
        path: The file.
        chosen: Fields by heading, where the owner says more than the headings do.
        encoding: As in `scout.filed.rows`.
        strict: Whether one row that cannot be read keeps all the others out.

    Raises:
        UnreadableFile, UnknownColumn: As in `look`.
        Refused: With `strict`, a row cannot be read; nothing was written.
        ProfileUnusable: The profile cannot be used.
    """
    with database.reading() as session:
        profile = chosen_profile.in_use(session)
    if strict:
        looked = look(path, chosen, encoding)
        if looked.outcomes[Outcome.REFUSED]:
            number, why = looked.faults[0]
            raise Refused(
                f"Row {number} cannot be used, since {why}; {looked.outcomes[Outcome.REFUSED]} in all. "
                "Nothing was brought in: mend the file, or leave --strict out."
            )
    report = Report()
    with database.reading() as session:
        here = _Here.of(session)
    every = _read(path, chosen, encoding, report)
    while batch := list(itertools.islice(every, BATCH)):
        # What takes long is done before the transaction: on SQLite nobody else writes meanwhile.
        entries = {
            place: _entry(brought, profile)
            for place, brought in enumerate(batch)
            if here.find(brought) is None
        }
        with database.session() as session:
            outcomes = Counter(_Writer(session, profile, here, report).write(batch, entries))
        report.outcomes += outcomes
        for outcome, count in outcomes.items():
            catalogue.IMPORTED_ROWS.inc(count, outcome=outcome.value)
    if report.outcomes[Outcome.REFUSED]:
        catalogue.IMPORTED_ROWS.inc(report.outcomes[Outcome.REFUSED], outcome=Outcome.REFUSED.value)
    return report


def _read(path: Path, chosen: Mapping[str, str], encoding: str, report: Report) -> Iterator[Brought]:
    """The jobs of a file; what cannot be read goes into the report."""
    every = rows(path, encoding)
    sample = list(itertools.islice(every, SAMPLE))
    readable = [row for row in sample if not row.fault]
    if readable and not returning.is_ours(readable[0]):
        report.columns = trackers.columns(readable, chosen)
    for row in itertools.chain(sample, every):
        try:
            brought = _brought(row, report.columns)
        except NotUnderstood as error:
            report.outcomes[Outcome.REFUSED] += 1
            if len(report.faults) < TOLD:
                report.faults.append((row.number, str(error)))
            continue
        if brought.unknown_status:
            report.unknown_statuses[brought.unknown_status] += 1
        if len(report.first) < 5:  # noqa: PLR2004 - enough to see whether it is right
            report.first.append(brought)
        yield brought


def _entry(brought: Brought, profile: Profile) -> Entry:
    posting = normalise.completed(brought.posting)
    return Entry(posting, _UNREAD, matching.score(posting, profile))


def _brought(row: Row, told: Columns | None) -> Brought:
    if row.fault:
        raise NotUnderstood(row.fault)
    return returning.read(row) if told is None else trackers.read(row, told)


# --- What is here already ---------------------------------------------------------------------------------


def _short(*parts: str) -> int:
    # Eight bytes a key: a million of them stay small, and no two of them meet by chance.
    return int.from_bytes(hashlib.blake2b("\n".join(parts).encode(), digest_size=8).digest())


def address_key(url: str) -> str:
    """The form in which addresses are compared: without fragment, tracking, case of the host, final slash."""
    try:
        split = urlsplit(url)
    except ValueError:
        return url  # an older program's, that no browser can open
    kept = sorted(
        (name, value)
        for name, value in parse_qsl(split.query, keep_blank_values=True)
        if not _TRACKING.fullmatch(name)
    )
    host = (split.hostname or "").removeprefix("www.")
    return f"{host}{split.path.rstrip('/')}?{urlencode(kept)}"


@dataclass(slots=True)
class _Here:
    """The jobs that are here, by what a row may know of them.

    Attributes:
        by_address: By their addresses and their listings' ones.
        by_name: Those without an address, by company and title.
        by_birth: By address, title, company and when they were first seen: what only an export of ours knows.
        sources: The boards' ids by slug.
        taken: Jobs that rows of our own exports were found to be: each is one row only.
    """

    by_address: dict[int, int] = field(default_factory=dict)
    by_name: dict[int, int] = field(default_factory=dict)
    by_birth: dict[int, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, session: Session) -> _Here:
        here = cls()
        listings = select(Listing.url, Listing.job_id).execution_options(yield_per=1000)
        for url, job_id in session.execute(listings):
            here.by_address.setdefault(_short(address_key(url)), job_id)
        jobs = select(Job.id, Job.url, Job.title, Job.company, Job.first_seen_at)
        for job_id, url, title, company, born in session.execute(jobs.execution_options(yield_per=1000)):
            here.add(job_id, url, title, company, born)
        here.sources = {row.slug: row.id for row in session.execute(select(Source.slug, Source.id))}
        return here

    def add(self, job_id: int, url: str, title: str, company: str, born: dt.datetime) -> None:
        """Note a job."""
        if url:
            self.by_address.setdefault(_short(address_key(url)), job_id)
        else:
            self.by_name.setdefault(_named(company, title), job_id)
        self.by_birth.setdefault(_born(url, title, company, born), job_id)

    def find(self, brought: Brought) -> int | None:
        """The job that a row is, but for its listings; None where it is a new one."""
        posting = brought.posting
        found: list[int | None] = []
        if brought.own and brought.first_seen_at:
            birth = _born(posting.url, posting.title, posting.company, brought.first_seen_at)
            found.append(self.by_birth.get(birth))
        if posting.url:
            found.append(self.by_address.get(_short(address_key(posting.url))))
        else:
            found.append(self.by_name.get(_named(posting.company, posting.title)))
        return next((each for each in found if each and not (brought.own and each in self.taken)), None)


def _named(company: str, title: str) -> int:
    return _short(normalise.company_key(company), normalise.title_key(title))


def _born(url: str, title: str, company: str, at: dt.datetime) -> int:
    return _short(url, title, company, at.isoformat())


# --- What is written --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Writer:
    """Writes rows in one transaction."""

    session: Session
    profile: Profile
    here: _Here
    report: Report

    def write(self, batch: list[Brought], entries: Mapping[int, Entry]) -> Iterator[Outcome]:
        """Write a batch, with what is known already to be stored of its new jobs; what came of each row."""
        listed = self._listed(batch)
        for place, brought in enumerate(batch):
            for each in brought.listings:
                if each.source not in self.here.sources:
                    self.report.unwatched[each.source] += 1
            known = [
                listed[key]
                for each in brought.listings
                if (key := self._key(each)) is not None and key in listed
            ]
            job_id = known[0] if known else self.here.find(brought)
            if job_id is None:
                job_id = self._add(brought, entries.get(place) or _entry(brought, self.profile))
                outcome = Outcome.ADDED
            else:
                outcome = self._fill_in(job_id, brought)
            if self._list(job_id, brought, listed) and outcome is Outcome.KNOWN:
                outcome = Outcome.UPDATED
            if brought.own:
                self.here.taken.add(job_id)
            yield outcome

    def _key(self, listed: trackers.Listed) -> tuple[int, str] | None:
        source = self.here.sources.get(listed.source)
        return None if source is None else (source, listed.source_job_id)

    def _listed(self, batch: list[Brought]) -> dict[tuple[int, str], int]:
        """The jobs of listings that are here already."""
        ids = {each.source_job_id for brought in batch for each in brought.listings}
        if not ids:
            return {}
        found = self.session.execute(
            select(Listing.source_id, Listing.source_job_id, Listing.job_id).where(
                Listing.source_id.in_(self.here.sources.values()), Listing.source_job_id.in_(ids)
            )
        )
        return {(row.source_id, row.source_job_id): row.job_id for row in found}

    def _add(self, brought: Brought, entry: Entry) -> int:
        now = clock.now()
        posting = entry.posting
        job, description = storing.columns(entry)
        born = min(brought.first_seen_at or now, now)
        closed = brought.closed_at or (now if brought.status is Status.CLOSED else None)
        # By the tables themselves: row by row, the mapping would take as long as all the rest.
        connection = self.session.connection()
        values = job | {
            "status": brought.status,
            "first_seen_at": born,
            "closed_at": closed,
            "version": 1,
            "next_action_on": brought.next_action_on,
            "next_action": brought.next_action,
        }
        job_id = int(connection.execute(insert(_JOBS).values(values).returning(_JOBS.c.id)).scalar_one())
        connection.execute(insert(_DESCRIPTIONS).values(job_id=job_id, **description))
        self._step(job_id, brought.history if brought.own else _steps(brought, Status.NEW, now), now)
        self._note(job_id, brought, set())
        self.here.add(job_id, posting.url, posting.title, posting.company, born)
        return job_id

    def _fill_in(self, job_id: int, brought: Brought) -> Outcome:
        """Add what a job that is here lacks."""
        job = self.session.get(Job, job_id, with_for_update=True)
        if job is None:
            return Outcome.KNOWN  # removed since the file was begun
        now = clock.now()
        filled = False
        undecided = {Status.NEW, Status.CLOSED}
        if job.status in undecided and brought.status not in undecided:
            before, after = job.status, brought.status
            self._step(job_id, brought.history or _steps(brought, before, now), now)
            job.status = after
            job.version += 1
            after_commit(
                self.session, lambda: catalogue.STATUS_UPDATES.inc(from_status=before, to_status=after)
            )
            filled = True
        planned = brought.next_action_on or brought.next_action
        if planned and not (job.next_action_on or job.next_action):
            job.next_action_on, job.next_action = brought.next_action_on, brought.next_action
            filled = True
        there = set(self.session.scalars(select(Note.body).where(Note.job_id == job_id)))
        filled = self._note(job_id, brought, there) or filled
        self.session.flush()
        return Outcome.UPDATED if filled else Outcome.KNOWN

    def _list(self, job_id: int, brought: Brought, listed: dict[tuple[int, str], int]) -> bool:
        """Keep where a job was listed, for boards that are watched here; whether anything was new."""
        fresh = False
        for each in brought.listings:
            key = self._key(each)
            if key is None or key in listed or not each.source_job_id:
                continue
            self.session.add(
                Listing(
                    source_id=key[0],
                    source_job_id=each.source_job_id,
                    job_id=job_id,
                    url=each.url or brought.posting.url,
                    digest=_UNREAD,
                    closed_at=each.closed_at,
                )
            )
            listed[key] = job_id
            fresh = True
        return fresh

    def _note(self, job_id: int, brought: Brought, there: set[str]) -> bool:
        now = clock.now()
        fresh = [(at or now, body) for at, body in brought.notes if body not in there]
        self.session.add_all(
            Note(job_id=job_id, body=body, created_at=at, updated_at=at) for at, body in fresh
        )
        return bool(fresh)

    def _step(self, job_id: int, steps: tuple[Step, ...], now: dt.datetime) -> None:
        self.session.add_all(
            StatusChange(
                job_id=job_id, from_status=step.before, to_status=step.after, at=step.at or now, by=step.by
            )
            for step in steps
        )


def _steps(brought: Brought, before: Status, now: dt.datetime) -> tuple[Step, ...]:
    """The steps to a status that a file names without telling how it came to it."""
    after = brought.status
    if after is before:
        return ()
    applied = brought.applied_at
    if applied is None or after in {Status.NEW, Status.SAVED}:
        return (Step(before=before, after=after, at=now, by="import"),)
    first = Step(before=before, after=Status.APPLIED, at=applied, by="import")
    if after is Status.APPLIED:
        return (first,)
    return first, Step(before=Status.APPLIED, after=after, at=now, by="import")

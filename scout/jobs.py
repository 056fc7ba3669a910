"""Jobs: finding them, and following one from `new` to wherever its owner takes it.

Who may move a job where is one table (`next_statuses` reads it):

    from            the owner may set                                              a scan may set
    new             saved, applied, dismissed                                      closed
    saved           applied, dismissed, new
    applied         interviewing, offer, rejected, dismissed, new
    interviewing    offer, rejected, dismissed, applied, new
    offer           rejected, dismissed, interviewing, new
    rejected        interviewing, applied, new
    dismissed       saved, applied, new
    closed          saved, applied, dismissed                                      new

Whatever the owner sets can be undone: it leads back to `new`. What the owner decided survives every scan:
then `Job.closed_at` alone tells that no board lists the job any more. Undoing the decision about such a job
ends in `closed`, where a scan would have put it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from metrics import catalogue
from scout import clock
from scout.database import after_commit
from scout.errors import ScoutError
from scout.identity import reposts
from scout.models import Description, Job, Listing, Note, Source, Status, StatusChange, fold

Sort = Literal["newest", "score", "posted"]

#: The most that one page may hold.
MOST_PER_PAGE = 200
#: Words of a search past this many are ignored: each costs a pass over the text.
_MOST_WORDS = 10

_NEXT: dict[Status, tuple[Status, ...]] = {
    Status.NEW: (Status.SAVED, Status.APPLIED, Status.DISMISSED),
    Status.SAVED: (Status.APPLIED, Status.DISMISSED, Status.NEW),
    Status.APPLIED: (
        Status.INTERVIEWING,
        Status.OFFER,
        Status.REJECTED,
        Status.DISMISSED,
        Status.NEW,
    ),
    Status.INTERVIEWING: (Status.OFFER, Status.REJECTED, Status.DISMISSED, Status.APPLIED, Status.NEW),
    Status.OFFER: (Status.REJECTED, Status.DISMISSED, Status.INTERVIEWING, Status.NEW),
    Status.REJECTED: (Status.INTERVIEWING, Status.APPLIED, Status.NEW),
    Status.DISMISSED: (Status.SAVED, Status.APPLIED, Status.NEW),
    Status.CLOSED: (Status.SAVED, Status.APPLIED, Status.DISMISSED),
}
_NEXT_BY_SCAN: dict[Status, tuple[Status, ...]] = {
    Status.NEW: (Status.CLOSED,),
    Status.CLOSED: (Status.NEW,),
}


class JobNotFound(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """There is no job with this id."""

    def __init__(self, job_id: int) -> None:
        super().__init__(f"There is no job {job_id}. `scout jobs list` shows the jobs there are.")
        self.job_id = job_id


class IllegalChange(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A job cannot go from the status that it has to the one asked for. The text names those that it can."""

    def __init__(self, job_id: int, current: Status, to: Status, allowed: Sequence[Status]) -> None:
        can = ", ".join(allowed) if allowed else "nothing else"
        super().__init__(
            f"Job {job_id} is {current} and cannot become {to}. From {current} it can become: {can}."
        )
        self.job_id = job_id
        self.current = current
        self.allowed = tuple(allowed)


class Conflict(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """Somebody else (another tab, a scan) changed the job's status since it was read."""

    def __init__(self, job_id: int, current: Status) -> None:
        super().__init__(
            f"Job {job_id} was changed meanwhile and is {current} now. Look at it again, then decide."
        )
        self.job_id = job_id
        self.current = current


class EmptyNote(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A note without a word in it."""


@dataclass(frozen=True, slots=True)
class JobQuery:
    """What to look for.

    Attributes:
        text: Words that must all occur, in any order and any case, in title, company, places, department or
            description.
        statuses: Only jobs with one of these; empty means all.
        source: Only jobs listed by the source with this slug, now or earlier; empty means all.
        min_score: Only jobs that match at least this well, 0 to 100.
        sort: `newest` (first seen here), `score` (best match), or `posted` (newest by the board's date, those
            without one last); ties by id, newest first.
        page: The page, from 1. One past the end is empty.
        per_page: Jobs on a page, 1 to `MOST_PER_PAGE`.
    """

    text: str = ""
    statuses: Sequence[Status] = ()
    source: str = ""
    min_score: int = 0
    sort: Sort = "newest"
    page: int = 1
    per_page: int = 50


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of what was found: its jobs, how many were found in all, its number and the last page's."""

    jobs: list[Job]
    total: int
    page: int
    pages: int


def find(session: Session, query: JobQuery) -> JobPage:
    """The jobs that a query asks for, with their listings and those listings' sources, in three statements.

    A fourth tells what became before of those that were posted anew, where there are any.
    Descriptions are not loaded.
    """
    per_page = min(max(query.per_page, 1), MOST_PER_PAGE)
    page = max(query.page, 1)
    conditions = _conditions(query)
    total = session.scalar(select(func.count()).select_from(Job).where(*conditions)) or 0
    pages = max(math.ceil(total / per_page), 1)
    jobs: Sequence[Job] = []
    if page <= pages and total:
        statement = _sorted(select(Job).where(*conditions), query.sort).options(*_listings())
        jobs = session.scalars(statement.limit(per_page).offset((page - 1) * per_page)).all()
        reposts.told(session, jobs)
    return JobPage(jobs=list(jobs), total=total, page=page, pages=pages)


def _conditions(query: JobQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.statuses:
        conditions.append(Job.status.in_(query.statuses))
    if query.min_score > 0:
        conditions.append(Job.score >= query.min_score)
    if query.source:
        listed = select(Listing.job_id).join(Source).where(Source.slug == _storable(query.source))
        conditions.append(Job.id.in_(listed))
    for word in _storable(query.text).split()[:_MOST_WORDS]:
        # Plain LIKE over the folded text finds any letter's case; for descriptions the database's own folding
        # must do, which on SQLite knows ASCII only.
        head = Job.search_text.contains(fold(word), autoescape=True)
        body = exists().where(Description.job_id == Job.id, Description.text.icontains(word, autoescape=True))
        conditions.append(head | body)
    return conditions


def _storable(text: str) -> str:
    # Neither a NUL nor half of a surrogate pair can be sent to PostgreSQL; no stored text holds one.
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()


def _sorted(statement: Select[Job], sort: Sort) -> Select[Job]:
    match sort:
        case "newest":
            return statement.order_by(Job.first_seen_at.desc(), Job.id.desc())
        case "score":
            return statement.order_by(Job.score.desc(), Job.id.desc())
        case "posted":
            return statement.order_by(Job.posted_at.desc().nulls_last(), Job.id.desc())


def _listings() -> list[Any]:
    return [
        selectinload(Job.listings)
        .joinedload(Listing.source, innerjoin=True)
        .load_only(Source.slug, Source.name, Source.listed_at)
    ]


def get(session: Session, job_id: int) -> Job:
    """One job with all that belongs to it: descriptions, listings and why they are its, history and notes.

    Raises:
        JobNotFound: There is none with this id.
    """
    everything = [
        joinedload(Job.description),
        selectinload(Job.history),
        selectinload(Job.notes),
        *_listings(),
        selectinload(Job.listings).selectinload(Listing.merges),
    ]
    job = session.scalar(select(Job).where(Job.id == _id(job_id)).options(*everything))
    if job is None:
        raise JobNotFound(job_id)
    reposts.told(session, [job])
    return job


def _id(job_id: int) -> int:
    # PostgreSQL refuses a number that its integer cannot hold; no such job exists.
    return job_id if 0 < job_id < 2**31 else 0


def next_statuses(status: Status) -> tuple[Status, ...]:
    """Where the owner can take a job from here: the likely steps first, undoing (`new`) last."""
    return _NEXT[status]


def change_status(session: Session, job_id: int, to: Status, by: str, version: int | None = None) -> Job:
    """Take a job to another status, and write down when and who. Counted once the transaction is committed.

    A job that already is there stays as it is: a double click is no error. An undo (`new`) of a job that no
    board lists any more ends in `closed`.

    Args:
        session: A read-write session.
        job_id: The job.
        to: The status wanted.
        by: Who: `owner`, `command` or `scan`. A scan may only close and reopen.
        version: The `Job.version` that the caller decided upon; None where nobody looked at it.

    Raises:
        JobNotFound: There is no such job.
        Conflict: Its status was changed since `version`.
        IllegalChange: It cannot go there from where it is; the text names where it can go.
    """
    # Locked until the commit, where the database locks rows; SQLite's writers are alone anyway.
    statement = select(Job).where(Job.id == _id(job_id)).with_for_update()
    job = session.scalar(statement.execution_options(populate_existing=True))
    if job is None:
        raise JobNotFound(job_id)
    current = job.status
    if to is current:
        return job
    if version is not None and version != job.version:
        raise Conflict(job_id, current)
    allowed = _NEXT_BY_SCAN.get(current, ()) if by == "scan" else _NEXT[current]
    if to not in allowed:
        raise IllegalChange(job_id, current, to, allowed)
    if to is Status.NEW and by != "scan" and job.closed_at is not None:
        to = Status.CLOSED
    _move(session, job, to, by)
    return job


def close(session: Session, job: Job, at: dt.datetime | None = None) -> None:
    """Note that no board lists the job any more. It becomes `closed` only if the owner decided nothing."""
    if job.closed_at is None:
        job.closed_at = at or clock.now()
    if job.status is Status.NEW:
        _move(session, job, Status.CLOSED, "scan")


def reopen(session: Session, job: Job) -> None:
    """Note that a board lists the job again. A `closed` one becomes `new`; the owner's decisions stay."""
    job.closed_at = None
    if job.status is Status.CLOSED:
        _move(session, job, Status.NEW, "scan")


def _move(session: Session, job: Job, to: Status, by: str) -> None:
    current = job.status
    job.status = to
    job.version += 1
    session.add(StatusChange(job=job, from_status=current, to_status=to, at=clock.now(), by=by))
    session.flush()
    after_commit(session, lambda: catalogue.STATUS_UPDATES.inc(from_status=current, to_status=to))


def add_note(session: Session, job_id: int, body: str) -> Note:
    """Keep what the owner writes about a job.

    Raises:
        JobNotFound: There is no such job.
        EmptyNote: There is no word in it.
    """
    body = _storable(body).strip()
    if not body:
        raise EmptyNote("The note is empty: write something, then save it.")
    if session.scalar(select(Job.id).where(Job.id == _id(job_id))) is None:
        raise JobNotFound(job_id)
    note = Note(job_id=job_id, body=body)
    session.add(note)
    session.flush()
    return note


def counts_by_status(session: Session) -> dict[Status, int]:
    """How many jobs have each status; every status is there, with 0 where no job has it."""
    counts = dict.fromkeys(Status, 0)
    for status, count in session.execute(select(Job.status, func.count()).group_by(Job.status)):
        counts[status] = count
    return counts


def as_dict(job: Job) -> dict[str, Any]:
    """A job as JSON: what `scout jobs list --json` and the API give.

    `locations` is a list of places as the board writes them; `remote` is `onsite`, `hybrid`, `remote` or
    `unknown`; `places` tells of each of `locations` its `city`, `region` and ISO `country`
    (`scout.postings.Place`); `remote_regions` are ISO country codes and groups such as `EU`; `salary`
    is null or `{"minimum",
    "maximum", "currency", "period", "origin", "raw"}`
    (`scout.postings.Salary`); `earlier` is null, or what became of the job before it was posted anew
    (`scout.models.Earlier`); times are ISO 8601 in UTC. The job's listings must be loaded, as `find` and
    `get` do.
    """
    return {
        "id": job.id,
        "title": job.title,
        "company": job.company,
        "locations": list(job.locations),
        "places": list(job.places),
        "remote": job.remote.value,
        "remote_regions": list(job.remote_regions),
        "level": job.level,
        "language": job.language,
        "salary": job.salary,
        "employment_type": job.employment_type,
        "department": job.department,
        "url": job.url,
        "status": job.status.value,
        "version": job.version,
        "score": job.score,
        "reasons": list(job.reasons),
        "posted_at": _iso(job.posted_at),
        "first_seen_at": _iso(job.first_seen_at),
        "last_seen_at": _iso(job.last_seen_at),
        "closed_at": _iso(job.closed_at),
        "earlier": None
        if job.earlier is None
        else {
            "job_id": job.earlier.job_id,
            "status": job.earlier.status.value,
            "at": _iso(job.earlier.at),
            "decided": job.earlier.decided,
        },
        "listings": [
            {
                "id": listing.id,
                "source": listing.source.slug,
                "source_job_id": listing.source_job_id,
                "url": listing.url,
                "closed_at": _iso(listing.closed_at),
            }
            for listing in sorted(job.listings, key=lambda each: each.id)
        ],
    }


def in_full(job: Job) -> dict[str, Any]:
    """A job as JSON with all that `get` loads: `as_dict`, and its descriptions, history and notes."""
    return {
        **as_dict(job),
        "remote_evidence": job.remote_evidence,
        "merges": [
            {
                "listing_id": listing.id,
                "tier": merge.tier,
                "by": merge.by,
                "at": _iso(merge.at),
                "evidence": merge.evidence,
            }
            for listing in job.listings
            if (merge := listing.merged) is not None
        ],
        "description_text": job.description_text,
        "description_html": job.description_html,
        "next_statuses": [status.value for status in next_statuses(job.status)],
        "history": [
            {
                "from": change.from_status.value,
                "to": change.to_status.value,
                "at": _iso(change.at),
                "by": change.by,
            }
            for change in job.history
        ],
        "notes": [
            {"id": note.id, "body": note.body, "created_at": _iso(note.created_at)} for note in job.notes
        ],
    }


def _iso(time: dt.datetime | None) -> str | None:
    return None if time is None else time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")

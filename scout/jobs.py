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

Whatever the owner sets can be undone, step by step back to where it was (`undo`), or at once by setting
`new`. What the owner decided survives every scan: then `Job.closed_at` alone tells that no board lists the
job any more. Undoing the first decision about such a job ends in `closed`, where a scan would have put it.
"""

from __future__ import annotations

import datetime as dt
import functools
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from markupsafe import Markup
from sqlalchemy import ColumnElement, Row, Select, exists, func, insert, literal, select, update
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from metrics import catalogue
from scout import agenda, briefs, clock
from scout import history as events
from scout.briefs import Brief
from scout.database import after_commit, may_write
from scout.errors import ScoutError
from scout.identity import reposts
from scout.models import Description, EventKind, Job, Listing, Note, Source, Status, StatusChange
from scout.searching import conditions, counting, cursors, gathering, index, language, marking, orders
from scout.searching.facets import Facets
from scout.searching.facets import count as count_facets
from scout.searching.language import Key
from scout.searching.orders import Sort as Sort  # noqa: PLC0414 - others name it as ours

#: The most that one page may hold.
MOST_PER_PAGE = 200
#: Jobs that a bulk change holds in memory at once, and refused ones that it names.
_AT_ONCE = 1000
_MOST_NAMED = 100
#: Characters of what the owner means to do next.
LONGEST_ACTION = 500

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


class NothingToUndo(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The owner never decided anything about the job, or took all of it back."""

    def __init__(self, job_id: int, current: Status) -> None:
        super().__init__(f"Job {job_id} is {current}, and there is no decision of yours to take back.")
        self.job_id = job_id


class BatchNotFound(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """No change of many jobs has this name."""

    def __init__(self) -> None:
        super().__init__("That change of many jobs is not known any more, so it cannot be taken back.")


class EmptyNote(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A note without a word in it."""


class NoteNotFound(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The job has no note with this id."""


class Edited(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """What the owner wrote was written anew since it was read, in another tab or on the command line."""


class ActionTooLong(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """What is to be done next is longer than `LONGEST_ACTION`."""


@dataclass(frozen=True, slots=True)
class JobQuery:
    """What to look for.

    Attributes:
        text: A search in the language of `scout.searching.language`: words that must all occur, and more.
        statuses: Only jobs with one of these; empty means all.
        source: Only jobs listed by the source with this slug, now or earlier; empty means all.
        min_score: Only jobs that match at least this well, 0 to 100.
        sort: `newest` (first seen here), `score` (best match), `posted` (newest by the board's date, those
            without one last), `salary` (the most for a year, those without pay last; currencies are not
            converted), or `relevance` (those with all the words in their titles first, then the best match);
            ties by id, newest first.
        after: A cursor: `JobPage.next` of another page. One that means nothing is the first page.
        before: A cursor: `JobPage.previous` of another page.
        per_page: Jobs on a page, 1 to `MOST_PER_PAGE`.
    """

    text: str = ""
    statuses: Sequence[Status] = ()
    source: str = ""
    min_score: int = 0
    sort: Sort = "newest"
    after: str = ""
    before: str = ""
    per_page: int = 50


_Shown = TypeVar("_Shown", Job, Brief)


@dataclass(frozen=True, slots=True)
class JobPage(Generic[_Shown]):
    """One page of what was found.

    Attributes:
        jobs: The page's jobs.
        total: How many jobs were found in all.
        more: Whether there are more than `total`: past some thousands they are not counted.
        next: The cursor of the next page, for `JobQuery.after`; empty on the last.
        previous: The cursor of the page before, for `JobQuery.before`; empty on the first.
    """

    jobs: list[_Shown]
    total: int
    more: bool = False
    next: str = ""
    previous: str = ""


def find(session: Session, query: JobQuery) -> JobPage[Job]:
    """The jobs that a query asks for, with their listings and those listings' sources.

    Descriptions are not loaded.
    """
    return _page(session, query, _loaded)


def find_briefly(session: Session, query: JobQuery) -> JobPage[Brief]:
    """The same with what a list shows of each job, in a third of the time."""
    return _page(session, query, briefs.loaded)


def _page(
    session: Session, query: JobQuery, load: Callable[[Session, Sequence[int]], list[_Shown]]
) -> JobPage[_Shown]:
    read = language.parse(query.text)
    sought = _sought(session, query, read)
    total, more, gathered = _count(session, query, sought)
    per_page = min(max(query.per_page, 1), MOST_PER_PAGE)
    back = cursors.read(query.before, query.sort)
    up = back is not None
    cursor = back or cursors.read(query.after, query.sort)
    parts = _parts(session, query, read, sought)
    found: list[tuple[int, Row[Any]]] = []
    if gathered is not None and not gathered.many:
        if total:
            few = [conditions.listed(gathered.ids, postgres=sought.postgres)]
            found = orders.page(session, parts, few, cursor, most=per_page + 1, walked=False, up=up)
    elif total:
        found = orders.walked(session, parts, sought, cursor, most=per_page + 1, up=up)
    further = len(found) > per_page
    found = found[-per_page:] if up else found[:per_page]
    if not found and cursor is not None and total:
        # What the cursor stood behind is gone: the list from its beginning says more than nothing.
        return _page(session, replace(query, after="", before=""), load)
    page = load(session, [row.id for _, row in found])
    first, last = (_cursor(query.sort, found[at]) if found else "" for at in (0, -1))
    return JobPage(
        jobs=page,
        total=total,
        more=more,
        next=last if further or up else "",
        previous=first if (further if up else cursor is not None) else "",
    )


def _cursor(sort: Sort, at: tuple[int, Row[Any]]) -> str:
    stretch, row = at
    return str(cursors.Cursor(sort, stretch, row._mapping.get("key"), row.id))  # noqa: SLF001 - SQLAlchemy's name for it


def _loaded(session: Session, job_ids: Sequence[int]) -> list[Job]:
    if not job_ids:
        return []
    jobs = session.scalars(select(Job).where(Job.id.in_(job_ids)).options(*_listings()))
    there = {job.id: job for job in jobs}
    page = [there[job_id] for job_id in job_ids]
    reposts.told(session, page)
    return page


def _count(
    session: Session, query: JobQuery, sought: conditions.Sought
) -> tuple[int, bool, gathering.Gathered | None]:
    """How many jobs a query asks for, whether there are more, and what was gathered of them.

    Those of some statuses are counted anyway, all of them, and none is gathered.
    """
    if language.parse(query.text).terms or query.source or query.min_score > 0:
        gathered = gathering.gather(session, sought)
        return len(gathered.ids), gathered.many, gathered
    counts = counting.by_status(session)
    return sum(counts[each] for each in set(query.statuses) or counts), False, None


def facets(session: Session, query: JobQuery) -> Facets:
    """What a query finds, told apart and counted; of more than some thousands, so many of them."""
    read = language.parse(query.text)
    gathered = gathering.gather(session, _sought(session, query, read))
    return count_facets(session, read, gathered.ids, whole=not gathered.many)


def neighbours(session: Session, query: JobQuery, job: Job) -> tuple[int | None, int | None]:
    """The ids of the jobs before and after a job in the list that a query asks for; None at its ends.

    The job need not be in the list any more, as after a decision: its place in the order is enough.
    """
    read = language.parse(query.text)
    sought = _sought(session, query, read)
    _, _, gathered = _count(session, query, sought)
    parts = _parts(session, query, read, sought)
    place: cursors.Cursor | None = None
    for number, part in enumerate(parts):
        here = select(Job.id).where(Job.id == job.id)
        if part.condition is None or session.scalar(here.where(part.condition)) is not None:
            key = getattr(job, part.key.key) if part.key is not None else None
            place = cursors.Cursor(query.sort, number, key, job.id)
            break
    beside: list[int | None] = []
    for up in (True, False):
        if gathered is not None and not gathered.many:
            few = [conditions.listed(gathered.ids, postgres=sought.postgres)]
            found = orders.page(session, parts, few, place, most=1, walked=False, up=up)
        else:
            found = orders.walked(session, parts, sought, place, most=1, up=up)
        beside.append(found[0][1].id if found else None)
    return beside[0], beside[1]


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a search's words stand in a job: its title, marked, and a piece of its description or None."""

    title: Markup
    piece: Markup | None


def hits(session: Session, query: JobQuery, found: Sequence[Job | Brief]) -> dict[int, Hit]:
    """Where the words of a query stand in the jobs of a page, by job; empty where it looks for no words."""
    read = language.parse(query.text)
    if not marking.wanted(read, Key.TITLE):
        return {}
    texts: dict[int, str] = {}
    if marking.wanted(read):
        wanted = select(Description.job_id, Description.text).where(
            Description.job_id.in_([job.id for job in found])
        )
        texts = {row.job_id: row.text for row in session.execute(wanted)}
    return {
        job.id: Hit(
            marking.marked(job.title, read, Key.TITLE),
            marking.snippet(texts[job.id], read) if texts.get(job.id) else None,
        )
        for job in found
    }


def ids(session: Session, query: JobQuery) -> Select[int]:
    """A statement for the ids of all jobs that a query asks for, whatever its page and order."""
    return select(Job.id).where(*_conditions(session, query))


def every_id(session: Session, query: JobQuery) -> list[int]:
    """The ids of all jobs that a query asks for, in its order, whatever page it names."""
    read = language.parse(query.text)
    sought = _sought(session, query, read)
    parts = _parts(session, query, read, sought)
    return [
        job_id
        for part in parts
        for job_id in session.scalars(orders.ordered(part, sought.where(), walked=False))
    ]


def _conditions(session: Session, query: JobQuery) -> list[ColumnElement[bool]]:
    return _sought(session, query, language.parse(query.text)).where()


def _sought(session: Session, query: JobQuery, read: language.Query) -> conditions.Sought:
    if may_write(session):
        index.catch_up(session)
    found = conditions.sought(
        read,
        postgres=session.get_bind().dialect.name == "postgresql",
        begun=functools.partial(index.begun, session),
    )
    others: list[ColumnElement[bool]] = []
    if query.statuses:
        others.append(Job.status.in_(query.statuses))
    if query.min_score > 0:
        others.append(Job.score >= query.min_score)
    if query.source:
        others.append(conditions.listed_by(Source.slug == _storable(query.source)))
    return found.more(*others)


def _parts(
    session: Session, query: JobQuery, read: language.Query, sought: conditions.Sought
) -> list[orders.Stretch]:
    titles = ""
    if query.sort == "relevance":
        begun = functools.partial(index.begun, session)
        titles = conditions.in_titles(read, postgres=sought.postgres, begun=begun)
    return orders.stretches(query.sort, sought, titles)


def _storable(text: str) -> str:
    # Neither a NUL nor half of a surrogate pair can be sent to PostgreSQL; no stored text holds one.
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()


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
    found = get_many(session, [_id(job_id)])
    if not found:
        raise JobNotFound(job_id)
    return found[0]


def get_many(session: Session, job_ids: Sequence[int]) -> list[Job]:
    """Those of some jobs that there are, each with all that belongs to it, as `get` has it."""
    everything = [
        joinedload(Job.description),
        selectinload(Job.history),
        selectinload(Job.events),
        selectinload(Job.notes),
        selectinload(Job.appointments),
        *_listings(),
        selectinload(Job.listings).selectinload(Listing.merges),
    ]
    found = list(session.scalars(select(Job).where(Job.id.in_(job_ids)).options(*everything)))
    reposts.told(session, found)
    return found


def is_kept(session: Session, job_id: int) -> bool:
    """Whether there is a job with this id."""
    return session.scalar(select(Job.id).where(Job.id == _id(job_id))) is not None


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
    job = _locked(session, job_id)
    current = job.status
    if to is current:
        return job
    if version is not None and version != job.version:
        raise Conflict(job_id, current)
    allowed = _NEXT_BY_SCAN.get(current, ()) if by == "scan" else _NEXT[current]
    if to not in allowed:
        raise IllegalChange(job_id, current, to, allowed)
    _move(session, job, to if by == "scan" else _undecided(job, to), by)
    return job


def _locked(session: Session, job_id: int) -> Job:
    # Locked until the commit, where the database locks rows; SQLite's writers are alone anyway.
    statement = select(Job).where(Job.id == _id(job_id)).with_for_update()
    job = session.scalar(statement.execution_options(populate_existing=True))
    if job is None:
        raise JobNotFound(job_id)
    return job


def _undecided(job: Job | Row[int, Status, int, dt.datetime | None], to: Status) -> Status:
    """Where a job goes that the owner wants to be `to`: without a decision, the boards say what it is."""
    if to not in {Status.NEW, Status.CLOSED}:
        return to
    return Status.NEW if job.closed_at is None else Status.CLOSED


def undo(session: Session, job_id: int, by: str, version: int | None = None) -> Job:
    """Take the owner's last decision about a job back: it is again where it was before. Counted likewise.

    Done again, it takes the decision before that back, and so on. What scans did meanwhile stays: a job that
    was `new` is `closed` afterwards if no board lists it any more, and the other way round.

    Args:
        session: A read-write session.
        job_id: The job.
        by: Who: `owner` or `command`.
        version: The `Job.version` that the caller decided upon; None where nobody looked at it.

    Raises:
        JobNotFound: There is no such job.
        Conflict: Its status was changed since `version`.
        NothingToUndo: No decision is left to take back.
    """
    job = _locked(session, job_id)
    if version is not None and version != job.version:
        raise Conflict(job_id, job.status)
    steps = session.scalars(
        select(StatusChange).where(StatusChange.job_id == job.id).order_by(StatusChange.id)
    )
    last = _last_decision(steps.all())
    if last is None:
        raise NothingToUndo(job_id, job.status)
    _move(session, job, _undecided(job, last.from_status), by, undid=last.id)
    after_commit(session, _count_undo)
    return job


def _count_undo() -> None:
    catalogue.STATUS_UNDOS.inc()


def undo_to(job: Job) -> Status | None:
    """Where `undo` would take a job, or None where there is nothing to undo. Its history must be loaded."""
    last = _last_decision(job.history)
    return None if last is None else _undecided(job, last.from_status)


def _last_decision(steps: Sequence[StatusChange]) -> StatusChange | None:
    undone = {step.undid for step in steps}
    return next(
        (
            step
            for step in reversed(steps)
            if step.by != "scan" and step.undid is None and step.id not in undone
        ),
        None,
    )


@dataclass(slots=True)
class Bulk:
    """What a bulk change did, or with `dry_run` would do.

    Attributes:
        changed: Jobs that were changed.
        unchanged: Jobs that were there already.
        illegal: Jobs that cannot go there from where they are, by their status; `named` tells some of them.
        conflicts: Jobs that were changed since the version that the caller decided upon.
        missing: Jobs asked for that there are none of.
        named: The ids of refused jobs, the first hundred, each with the reason in words.
        batch: What `undo_batch` takes this change back by; empty where nothing was changed.
    """

    changed: int = 0
    unchanged: int = 0
    illegal: Counter[Status] = field(default_factory=Counter)
    conflicts: int = 0
    missing: int = 0
    named: dict[int, str] = field(default_factory=dict)
    batch: str = ""

    @property
    def refused(self) -> int:
        """How many jobs were asked for and neither changed nor there already."""
        return self.illegal.total() + self.conflicts + self.missing

    def refuse(self, job_id: int, why: str) -> None:
        """Name a job that was refused, while there is room."""
        if len(self.named) < _MOST_NAMED:
            self.named[job_id] = why


def change_many(
    session: Session,
    which: Sequence[int] | JobQuery,
    to: Status,
    by: str,
    *,
    versions: Mapping[int, int] | None = None,
    dry_run: bool = False,
) -> Bulk:
    """Take many jobs to another status in the running transaction; the same rules as for one hold for each.

    Those that may be changed are, the others are counted and named. Takes memory for a thousand jobs,
    however many there are. Counted once the transaction is committed.

    Args:
        session: A read-write session; with `dry_run` one that reads will do.
        which: Their ids, or a query of which paging and order do not count.
        to: The status wanted.
        by: Who: `owner` or `command`.
        versions: By id, the `Job.version` that the caller decided upon; those left out are not compared.
        dry_run: Only tell what would be done.
    """
    bulk = Bulk()
    batch = secrets.token_hex(12)
    moved: Counter[tuple[Status, Status]] = Counter()
    for part in _parts_of(session, which, bulk, lock=not dry_run):
        steps = []
        for row in part:
            if versions is not None and versions.get(row.id, row.version) != row.version:
                bulk.conflicts += 1
                bulk.refuse(row.id, f"was changed meanwhile and is {row.status} now")
            elif row.status is to:
                bulk.unchanged += 1
            elif to not in _NEXT[row.status]:
                bulk.illegal[row.status] += 1
                bulk.refuse(row.id, f"is {row.status} and cannot become {to}")
            else:
                bulk.changed += 1
                steps.append((row.id, row.status, _undecided(row, to)))
        if steps and not dry_run:
            _move_many(session, steps, by, batch)
            bulk.batch = batch
            moved.update((current, end) for _, current, end in steps)
    if not dry_run:
        session.expire_all()  # what was loaded before may have moved
        after_commit(session, lambda: _count_bulk(bulk, moved))
    return bulk


def _parts_of(
    session: Session, which: Sequence[int] | JobQuery, bulk: Bulk, *, lock: bool
) -> Iterator[Sequence[Row[int, Status, int, dt.datetime | None]]]:
    wanted = select(Job.id, Job.status, Job.version, Job.closed_at).order_by(Job.id)
    if lock:
        wanted = wanted.with_for_update(of=Job)
    if isinstance(which, JobQuery):
        last = 0
        wanted = wanted.where(*_conditions(session, which)).limit(_AT_ONCE)
        while rows := session.execute(wanted.where(Job.id > last)).all():
            last = rows[-1].id
            yield rows
        return
    ids = sorted(set(which))
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        rows = session.execute(wanted.where(Job.id.in_([_id(each) for each in part]))).all()
        yield rows
        there = {row.id for row in rows}
        for job_id in part:
            if job_id not in there:
                bulk.missing += 1
                bulk.refuse(job_id, "is not there")


def _move_many(session: Session, steps: Sequence[tuple[int, Status, Status]], by: str, batch: str) -> None:
    now = clock.now()
    step = StatusChange.__table__.c
    for end in {to for _, _, to in steps}:
        these = Job.id.in_([job_id for job_id, _, to in steps if to is end])
        # The database writes the steps from what it has: a hundred thousand rows need not pass through here.
        was = select(
            Job.id,
            Job.status,
            literal(end, step.to_status.type),
            literal(now, step.at.type),
            literal(by),
            literal(batch),
        ).where(these)
        columns = ["job_id", "from_status", "to_status", "at", "by", "batch"]
        session.execute(insert(StatusChange).from_select(columns, was, include_defaults=False))
        _stand(session, these, end, now)


def _stand(session: Session, these: ColumnElement[bool], end: Status, now: dt.datetime) -> None:
    seen = func.coalesce(Job.looked_at, now, type_=Job.__table__.c.looked_at.type)
    session.execute(
        update(Job)
        .where(these)
        .values(status=end, version=Job.version + 1, edit_unseen=False, looked_at=seen),
        execution_options={"synchronize_session": False},
    )


def undo_batch(session: Session, batch: str, by: str) -> Bulk:
    """Take a change of many jobs back: each is again where it was before. Counted once committed.

    Those that the owner decided about since stay as they are, and are counted as conflicts and named; those
    that were taken back already are counted as unchanged. Takes memory for a thousand jobs.

    Args:
        session: A read-write session.
        batch: `Bulk.batch` of that change.
        by: Who: `owner` or `command`.

    Raises:
        BatchNotFound: No change has this name.
    """
    bulk = Bulk()
    moved: Counter[tuple[Status, Status]] = Counter()
    later = aliased(StatusChange)
    of_job = later.job_id == StatusChange.job_id
    wanted = (
        select(
            StatusChange.id.label("step"),
            StatusChange.from_status,
            Job.id,
            Job.status,
            Job.version,
            Job.closed_at,
            exists().where(of_job, later.undid == StatusChange.id).label("undone"),
            exists().where(of_job, later.id > StatusChange.id, later.by != "scan").label("decided"),
        )
        .join(Job, Job.id == StatusChange.job_id)
        .where(StatusChange.batch == _storable(batch))
        .order_by(StatusChange.id)
        .limit(_AT_ONCE)
        .with_for_update(of=Job)
    )
    last = 0
    row: Any
    while rows := session.execute(wanted.where(StatusChange.id > last)).all():
        last = rows[-1].step
        steps: dict[int, tuple[Any, Status]] = {}
        for row in rows:
            if row.undone:
                bulk.unchanged += 1
            elif row.decided or row.id in steps:
                bulk.conflicts += 1
                bulk.refuse(row.id, f"was changed since and is {row.status} now")
            else:
                steps[row.id] = (row, _undecided(row, row.from_status))
        bulk.changed += len(steps)
        _move_back(session, list(steps.values()), by)
        moved.update((row.status, end) for row, end in steps.values())
    if not last:
        raise BatchNotFound
    session.expire_all()  # what was loaded before may have moved
    after_commit(session, lambda: _count_bulk(bulk, moved))
    after_commit(session, lambda: catalogue.STATUS_UNDOS.inc(bulk.changed) if bulk.changed else None)
    return bulk


def _move_back(session: Session, steps: Sequence[tuple[Any, Status]], by: str) -> None:
    if not steps:
        return
    now = clock.now()
    session.execute(
        insert(StatusChange),
        [
            {"job_id": row.id, "from_status": row.status, "to_status": end, "at": now, "by": by,
             "undid": row.step}
            for row, end in steps
        ],
    )  # fmt: skip
    for end in {to for _, to in steps}:
        _stand(session, Job.id.in_([row.id for row, to in steps if to is end]), end, now)


def _count_bulk(bulk: Bulk, moved: Mapping[tuple[Status, Status], int]) -> None:
    catalogue.BULK_UPDATES.inc()
    for outcome, amount in (
        ("changed", bulk.changed),
        ("unchanged", bulk.unchanged),
        ("illegal", bulk.illegal.total()),
        ("conflict", bulk.conflicts),
        ("missing", bulk.missing),
    ):
        if amount:
            catalogue.BULK_UPDATED_JOBS.inc(amount, outcome=outcome)
    for (current, to), amount in moved.items():
        catalogue.STATUS_UPDATES.inc(amount, from_status=current, to_status=to)


def close(session: Session, job: Job, at: dt.datetime | None = None) -> None:
    """Note that no board lists the job any more. It becomes `closed` only if the owner decided nothing."""
    closes = job.closed_at is None
    if closes:
        job.closed_at = at or clock.now()
    if job.status is Status.NEW:
        _move(session, job, Status.CLOSED, "scan")
    elif closes:
        events.note(session, job, EventKind.CLOSED)


def reopen(session: Session, job: Job) -> None:
    """Note that a board lists the job again. A `closed` one becomes `new`; the owner's decisions stay."""
    opens = job.closed_at is not None
    job.closed_at = None
    if job.status is Status.CLOSED:
        _move(session, job, Status.NEW, "scan")
    elif opens:
        events.note(session, job, EventKind.REOPENED)


def _move(session: Session, job: Job, to: Status, by: str, *, undid: int | None = None) -> None:
    current = job.status
    job.status = to
    job.version += 1
    if by != "scan":
        job.edit_unseen = False
        job.looked_at = job.looked_at or clock.now()
    session.add(StatusChange(job=job, from_status=current, to_status=to, at=clock.now(), by=by, undid=undid))
    session.flush()
    after_commit(session, lambda: catalogue.STATUS_UPDATES.inc(from_status=current, to_status=to))


def looked(session: Session, job_id: int) -> None:
    """Note that the owner has looked at a job: what boards edited so far is no news any more."""
    mark_seen(session, [job_id])
    session.execute(update(Job).where(Job.id == _id(job_id), Job.edit_unseen).values(edit_unseen=False))


def mark_seen(session: Session, job_ids: Sequence[int]) -> list[int]:
    """Note that the owner has seen jobs, as by looking over a page of the list.

    Returns:
        The ids of those that were not seen before: what `mark_unseen` takes to undo it.
    """
    wanted = [_id(each) for each in job_ids]
    unseen = select(Job.id).where(Job.id.in_(wanted), Job.looked_at.is_(None)).order_by(Job.id)
    ids = list(session.scalars(unseen.with_for_update()))
    if ids:
        session.execute(update(Job).where(Job.id.in_(ids)).values(looked_at=clock.now()))
    return ids


def mark_unseen(session: Session, job_ids: Sequence[int]) -> None:
    """Take `mark_seen` back: the jobs are news again. Those that were decided about meanwhile are not."""
    wanted = Job.id.in_([_id(each) for each in job_ids])
    undecided = Job.status.in_((Status.NEW, Status.CLOSED))
    session.execute(update(Job).where(wanted, undecided).values(looked_at=None))


def history(session: Session, job_id: int) -> list[dict[str, Any]]:
    """All that happened to a job, oldest first, as `scout.history.of` tells it.

    Raises:
        JobNotFound: There is none with this id.
    """
    return events.of(get(session, job_id))


def plan(
    session: Session,
    job_id: int,
    on: dt.date | None,
    action: str,
    *,
    was: tuple[dt.date | None, str] | None = None,
) -> Job:
    """Keep what the owner means to do next about a job, and when; neither of both takes the plan away.

    Args:
        session: A read-write session.
        job_id: The job.
        on: The day, by the owner's calendar, or None.
        action: What, in one line of at most `LONGEST_ACTION` characters, or empty.
        was: The plan that the caller saw; None where nobody looked at it.

    Raises:
        JobNotFound: There is no such job.
        ActionTooLong: It does not fit.
        Edited: Another plan was made since `was`.
    """
    action = " ".join(_storable(action).split())
    if len(action) > LONGEST_ACTION:
        raise ActionTooLong(
            f"What is to be done next may have {LONGEST_ACTION} characters. A note has room for more."
        )
    job = _locked(session, job_id)
    now = (job.next_action_on, job.next_action)
    if was is not None and now not in (was, (on, action)):
        raise Edited(f"The plan for job {job_id} was changed meanwhile. Look at it again, then decide.")
    if now != (on, action):
        job.next_action_on, job.next_action, job.planned_at = on, action, clock.now()
        session.flush()
    return job


def add_note(session: Session, job_id: int, body: str) -> Note:
    """Keep what the owner writes about a job.

    Raises:
        JobNotFound: There is no such job.
        EmptyNote: There is no word in it.
    """
    body = _written(body)
    if not is_kept(session, job_id):
        raise JobNotFound(job_id)
    note = Note(job_id=job_id, body=body)
    session.add(note)
    session.flush()
    return note


def edit_note(
    session: Session, job_id: int, note_id: int, body: str, *, was: dt.datetime | None = None
) -> Note:
    """Write a note anew.

    Args:
        session: A read-write session.
        job_id: The job that it is about.
        note_id: The note.
        body: What it says from now on.
        was: The `Note.updated_at` that the caller saw; None where nobody looked at it.

    Raises:
        NoteNotFound: The job has no such note.
        EmptyNote: There is no word in it.
        Edited: It was written anew since `was`.
    """
    body = _written(body)
    note = _note(session, job_id, note_id)
    if note is None:
        raise NoteNotFound(f"Job {job_id} has no note {note_id}. `scout jobs show {job_id}` shows its notes.")
    if was is not None and was != note.updated_at and body != note.body:
        raise Edited("The note was written anew meanwhile. Look at it again, then decide.")
    note.body = body
    session.flush()
    return note


def delete_note(session: Session, job_id: int, note_id: int) -> str:
    """Throw a note away; what it said, empty if there was none. One that is gone already is no error."""
    note = _note(session, job_id, note_id)
    if note is None:
        return ""
    body = note.body
    session.delete(note)
    session.flush()
    return body


def _note(session: Session, job_id: int, note_id: int) -> Note | None:
    mine = (Note.id == _id(note_id)) & (Note.job_id == _id(job_id))
    return session.scalar(select(Note).where(mine).with_for_update())


def _written(body: str) -> str:
    body = _storable(body).strip()
    if not body:
        raise EmptyNote("The note is empty: write something, then save it.")
    return body


def counts_by_status(session: Session) -> dict[Status, int]:
    """How many jobs have each status; every status is there, with 0 where no job has it."""
    return counting.by_status(session)


def as_dict(job: Job) -> dict[str, Any]:
    """A job as JSON: what `scout jobs list --json` and the API give.

    `looked_at` is when the owner first saw it, or null; `edit_unseen` tells that a board edited it since the
    owner last looked or decided; `next_action` and the
    day `next_action_on` are what the owner means to do. `locations` is a list of places as the board writes
    them; `remote` is `onsite`, `hybrid`, `remote` or `unknown`; `places` tells of each of `locations` its
    `city`, `region` and ISO `country` (`scout.postings.Place`); `remote_regions` are ISO country codes and
    groups such as `EU`; `salary`
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
        "posted_at": clock.iso(job.posted_at),
        "first_seen_at": clock.iso(job.first_seen_at),
        "last_seen_at": clock.iso(job.last_seen_at),
        "closed_at": clock.iso(job.closed_at),
        "looked_at": clock.iso(job.looked_at),
        "edit_unseen": job.edit_unseen,
        "next_action": job.next_action,
        "next_action_on": job.next_action_on.isoformat() if job.next_action_on else None,
        "earlier": None
        if job.earlier is None
        else {
            "job_id": job.earlier.job_id,
            "status": job.earlier.status.value,
            "at": clock.iso(job.earlier.at),
            "decided": job.earlier.decided,
        },
        "listings": [
            {
                "id": listing.id,
                "source": listing.source.slug,
                "source_job_id": listing.source_job_id,
                "url": listing.url,
                "closed_at": clock.iso(listing.closed_at),
            }
            for listing in sorted(job.listings, key=lambda each: each.id)
        ],
    }


def in_full(job: Job) -> dict[str, Any]:
    """A job as JSON with all that `get` loads: `as_dict`, its descriptions, history, notes and appointments.

    `history` is told as by `scout.history.of`; `undo_to` is where `undo` would take it, or null;
    `appointments` are told as by `scout.agenda.told`.
    """
    return {
        **as_dict(job),
        "remote_evidence": job.remote_evidence,
        "merges": [
            {
                "listing_id": listing.id,
                "tier": merge.tier,
                "by": merge.by,
                "at": clock.iso(merge.at),
                "evidence": merge.evidence,
            }
            for listing in job.listings
            if (merge := listing.merged) is not None
        ],
        "description_text": job.description_text,
        "description_html": job.description_html,
        "next_statuses": [status.value for status in next_statuses(job.status)],
        "undo_to": back.value if (back := undo_to(job)) else None,
        "appointments": [agenda.told(each) for each in job.appointments],
        "history": events.of(job),
        "notes": [
            {
                "id": note.id,
                "body": note.body,
                "created_at": clock.iso(note.created_at),
                "updated_at": clock.iso(note.updated_at),
            }
            for note in job.notes
        ],
    }

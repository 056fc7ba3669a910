"""The jobs: the list, one of them, and what its owner does with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select

from scout import jobs, runs, sources, watchlist
from scout.fetch import Reason
from scout.identity import merging, resemblance
from scout.jobs import Conflict, IllegalChange, JobQuery, Sort
from scout.models import Job, Note, ScanResult, ScanRun, ScanState, Source, Status
from webapp.parts import parts
from webapp.sign_in import safe_next

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

pages = Blueprint("jobs", __name__)

#: Statuses in the order of the tabs; `all` is every job.
TABS = (*(status.value for status in Status), "all")
SORTS: dict[Sort, str] = {"score": "Best match", "newest": "Newest here", "posted": "Newest posted"}
_SCORES = (10, 30, 60)
_PER_PAGE = 50
_LONGEST_SEARCH = 200
_LONGEST_NOTE = 20_000

#: What a button says that leads to a status, and what is said when it was pressed.
VERBS = {
    Status.NEW: "Back to new",
    Status.SAVED: "Save",
    Status.APPLIED: "Applied",
    Status.INTERVIEWING: "Interviewing",
    Status.OFFER: "Offer",
    Status.REJECTED: "Rejected",
    Status.DISMISSED: "Dismiss",
    Status.CLOSED: "Closed",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list's address asks for. What it says wrongly is left at its default: old links work."""

    q: str = ""
    status: str = Status.NEW.value
    source: str = ""
    min_score: int = 0
    sort: Sort = "score"
    page: int = 1

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Filters:
        """Read them from an address's query."""
        status, sort = args.get("status", ""), args.get("sort", "")
        return cls(
            q=" ".join(args.get("q", "").replace("\x00", "").split())[:_LONGEST_SEARCH],
            status=status if status in TABS else cls().status,
            source=args.get("source", "")[:80],
            min_score=_whole(args.get("min_score", ""), most=100),
            sort=next((each for each in get_args(Sort) if each == sort), cls().sort),
            page=max(_whole(args.get("page", ""), most=1_000_000), 1),
        )

    @property
    def query(self) -> JobQuery:
        """The same for `scout.jobs.find`."""
        return JobQuery(
            text=self.q,
            statuses=() if self.status == "all" else (Status(self.status),),
            source=self.source,
            min_score=self.min_score,
            sort=self.sort,
            page=self.page,
            per_page=_PER_PAGE,
        )

    def address(self, **changes: Any) -> str:
        """The list's address with some changes; any change but of the page begins at page 1."""
        changed = replace(self, **({"page": 1} | changes))
        usual = Filters()
        named = {name: getattr(changed, name) for name in self.__slots__}
        return url_for(
            ".index", **{name: value for name, value in named.items() if value != getattr(usual, name)}
        )


def _whole(text: str, *, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - digits


@pages.get("/")
def index() -> ResponseReturnValue:
    """The list. Its address holds the whole state: search, filters, sort and page."""
    filters = Filters.of(request.args)
    with parts().database.reading() as db:
        found = jobs.find(db, filters.query)
        if found.page > found.pages:
            return redirect(filters.address(page=found.pages), 303)
        counts = jobs.counts_by_status(db)
        running = open_run(db)
        return render_template(
            "jobs.html",
            filters=filters,
            found=found,
            counts={
                **{status.value: number for status, number in counts.items()},
                "all": sum(counts.values()),
            },
            tabs=TABS,
            sorts=SORTS,
            scores=_SCORES,
            sources=watchlist.every(db),
            running=running,
            back=filters.address(page=filters.page),
            why_empty=_why_empty(db, sum(counts.values()), running=running is not None)
            if not found.total
            else "",
            ways_out=list(_ways_out(db, filters)) if not found.total else [],
        )


def open_run(db: Session) -> ScanRun | None:
    """The newest run that has not ended, or None."""
    return db.scalar(select(ScanRun).where(ScanRun.state.in_(runs.OPEN)).order_by(ScanRun.id.desc()).limit(1))


def _why_empty(db: Session, jobs_kept: int, *, running: bool) -> str:
    if jobs_kept:
        return "filters"
    if not db.scalar(select(func.count()).select_from(Source)):
        return "no_sources"
    if running:
        return "running"
    return "offline" if all_unreachable(db) else "no_jobs"


def all_unreachable(db: Session) -> bool:
    """Whether the last scan of every board failed for want of a network, as on a machine without one."""
    newest = select(func.max(ScanResult.id)).group_by(ScanResult.source_id)
    last = db.execute(select(ScanResult.state, ScanResult.reason).where(ScanResult.id.in_(newest))).all()
    away = {Reason.DNS.value, Reason.CONNECT.value}
    return bool(last) and all(state is ScanState.FAILED and reason in away for state, reason in last)


def _ways_out(db: Session, filters: Filters) -> Iterator[tuple[str, str, int]]:
    """For an empty list: which one filter could be dropped, the address without it, and how many it shows."""
    changes: list[tuple[str, dict[str, Any]]] = []
    if filters.q:
        changes.append((f"the search for “{filters.q}”", {"q": ""}))
    if filters.source:
        changes.append(("the board", {"source": ""}))
    if filters.min_score:
        changes.append((f"the score of at least {filters.min_score}", {"min_score": 0}))
    if filters.status != "all":
        changes.append((f"the status “{filters.status}”", {"status": "all"}))
    for words, change in changes:
        total = jobs.find(db, replace(filters, page=1, **change).query).total
        if total:
            yield words, filters.address(**change), total


@pages.get("/jobs/<int:job_id>")
def detail(job_id: int) -> ResponseReturnValue:
    """One job with all that is known of it. One that was merged into another leads there."""
    with parts().database.reading() as db:
        try:
            job = jobs.get(db, job_id)
        except jobs.JobNotFound:
            there = merging.kept_instead(db, job_id)
            if there is None:
                raise
            return redirect(url_for(".detail", job_id=there), 303)
        return render_template(
            "job.html",
            job=job,
            look_alikes=resemblance.look_alikes(db, job),
            back=safe_next(request.args.get("back", "")),
            credits={name: kind.attribution for name, kind in sources.KINDS.items()},
        )


@pages.post("/jobs/<int:job_id>/status")
def change_status(job_id: int) -> ResponseReturnValue:
    """Take the job to another status. Answers htmx with what was on the page, a form with the page again."""
    try:
        to = Status(request.form.get("to", ""))
    except ValueError:
        abort(400, "There is no such status.")
    version = request.form.get("version", "")
    problem = ""
    with parts().database.session() as db:
        try:
            jobs.change_status(
                db, job_id, to, "owner", int(version) if version.isascii() and version.isdigit() else None
            )
        except (Conflict, IllegalChange) as error:
            problem = str(error)
    back = request.form.get("back", "")
    if "HX-Request" not in request.headers:
        if problem:
            flash(problem, "problem")
        return redirect(safe_next(back), 303)
    with parts().database.reading() as db:
        job = jobs.get(db, job_id)
        shown = "_job_head.html" if request.form.get("view") == "detail" else "_card.html"
        answer = render_template(shown, job=job, back=back, problem=problem, moved=not problem)
    return answer, 409 if problem else 200


@pages.post("/jobs/<int:job_id>/listings/<int:listing_id>/split")
def split(job_id: int, listing_id: int) -> ResponseReturnValue:
    """Say that a listing is not the same job. One that is split off already is no error."""
    with parts().database.session() as db:
        try:
            new = merging.split(db, job_id, listing_id, by="owner")
        except merging.CannotSplit as error:
            flash(str(error), "problem")
        else:
            flash(f"“{new.title}” of {new.company} is a job of its own now, and stays one.")
    return redirect(url_for(".detail", job_id=job_id, _anchor="seen"), 303)


@pages.post("/jobs/<int:job_id>/notes")
def add_note(job_id: int) -> ResponseReturnValue:
    """Keep a note."""
    body = request.form.get("body", "").replace("\x00", "").replace("\r\n", "\n")
    if len(body) > _LONGEST_NOTE:
        abort(413, f"A note may have {_LONGEST_NOTE:,} characters.")
    with parts().database.session() as db:
        try:
            jobs.add_note(db, job_id, body)
        except jobs.EmptyNote as error:
            flash(str(error), "problem")
    return redirect(url_for(".detail", job_id=job_id, _anchor="notes"), 303)


@pages.post("/jobs/<int:job_id>/notes/<int:note_id>/delete")
def delete_note(job_id: int, note_id: int) -> ResponseReturnValue:
    """Throw a note away. One that is gone already is no error."""
    with parts().database.session() as db:
        note = db.scalar(
            select(Note).where(Note.id == min(note_id, 2**31 - 1), Note.job_id == min(job_id, 2**31 - 1))
        )
        if note is not None:
            db.delete(note)
            flash("The note is deleted.")
    return redirect(url_for(".detail", job_id=job_id, _anchor="notes"), 303)


def way_back(job: Job) -> Status | None:
    """The status that undoes the owner's last step, or None where there is nothing to undo."""
    allowed = jobs.next_statuses(job.status)
    if job.history and job.history[-1].by != "scan" and job.history[-1].from_status in allowed:
        return job.history[-1].from_status
    return Status.NEW if Status.NEW in allowed else None

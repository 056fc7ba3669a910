"""The jobs: the list, one of them, and what its owner does with it."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from metrics.instruments import count_error
from scout import export, history, jobs, rescoring, runs, sources, watchlist
from scout.fetch import Reason
from scout.identity import merging, resemblance
from scout.jobs import Bulk, Conflict, IllegalChange, JobQuery, NothingToUndo, Sort
from scout.models import SavedSearch, ScanResult, ScanRun, ScanState, Source, Status
from scout.searching import language
from webapp.parts import parts
from webapp.sign_in import safe_next

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

pages = Blueprint("jobs", __name__)
logger = logging.getLogger(__name__)

#: Statuses in the order of the tabs; `all` is every job.
TABS = (*(status.value for status in Status), "all")
SORTS: dict[Sort, str] = {
    "score": "Best match",
    "newest": "Newest here",
    "posted": "Newest posted",
    "salary": "Best paid",
    "relevance": "Words in the title",
}
_SCORES = (10, 30, 60)
_PER_PAGE = 50
_LONGEST_SEARCH = language.LONGEST
_LONGEST_CURSOR = 200
_LONGEST_NOTE = 20_000

#: Refused jobs that a message names.
_MOST_NAMED = 5

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
    after: str = ""
    before: str = ""

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
            after=args.get("after", "")[:_LONGEST_CURSOR],
            before=args.get("before", "")[:_LONGEST_CURSOR],
        )

    @classmethod
    def of_search(cls, search: SavedSearch) -> Filters:
        """Those that show what a saved search finds."""
        said = search.query
        statuses = said.get("statuses", [])
        return cls(
            q=said.get("text", ""),
            source=said.get("source", ""),
            min_score=said.get("min_score", 0),
            sort=said.get("sort", "score"),
            status=statuses[0] if len(statuses) == 1 else "all",
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
            after=self.after,
            before=self.before,
            per_page=_PER_PAGE,
        )

    def address(self, at: str = ".index", **changes: Any) -> str:
        """The list's address with some changes; any change but of the page begins at the first."""
        changed = replace(self, **({"after": "", "before": ""} | changes))
        usual = Filters()
        named = {name: getattr(changed, name) for name in self.__slots__}
        return url_for(at, **{name: value for name, value in named.items() if value != getattr(usual, name)})

    def download(self, form: export.Form) -> str:
        """Where the whole list, not just its page, is a file."""
        return self.address(at=f".download_{form}")


def _whole(text: str, *, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - digits


@pages.get("/")
def index() -> ResponseReturnValue:
    """The list. Its address holds the whole state: search, filters, sort and page."""
    filters = Filters.of(request.args)
    with parts().database.reading() as db:
        found = jobs.find(db, filters.query)
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
            bulk_to=[status for status in Status if status is not Status.CLOSED],
            sorts=SORTS,
            scores=_SCORES,
            sources=watchlist.names(db),
            running=running,
            scoring=rescoring.progress(db),
            back=filters.address(after=filters.after, before=filters.before),
            why_empty=_why_empty(db, sum(counts.values()), running=running is not None)
            if not found.total
            else "",
            ways_out=list(_ways_out(db, filters)) if not found.total else [],
        )


@pages.get("/export.csv")
def download_csv() -> Response:
    """All jobs that the list's address asks for, as a table."""
    return _download("csv")


@pages.get("/export.json")
def download_json() -> Response:
    """The same as an array."""
    return _download("json")


@pages.get("/export.jsonl")
def download_jsonl() -> Response:
    """The same as an object a line."""
    return _download("jsonl")


def _download(form: export.Form) -> Response:
    # Sent while it is read: a hundred thousand jobs are never in memory together.
    pieces = export.write(parts().database, Filters.of(request.args).query, form)
    answer = Response(pieces, content_type=export.MEDIA_TYPES[form])
    answer.headers["Content-Disposition"] = f'attachment; filename="jobs.{form}"'
    return answer


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
        total = jobs.find(db, replace(filters, after="", before="", **change).query).total
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
        page = render_template(
            "job.html",
            job=job,
            history=history.of(job),
            look_alikes=resemblance.look_alikes(db, job),
            back=safe_next(request.args.get("back", "")),
            credits={name: kind.attribution for name, kind in sources.KINDS.items()},
        )
    if job.edit_unseen and request.method == "GET":
        _looked(job_id)
    return page


def _looked(job_id: int) -> None:
    try:
        with parts().database.session() as db:
            jobs.looked(db, job_id)
    except OperationalError as error:
        # The page is there to be read all the same; the job stays marked until the next look.
        logger.warning("A look at job %s was not noted: %s", job_id, error.orig)
        count_error(error, "web")


@pages.post("/jobs/<int:job_id>/status")
def change_status(job_id: int) -> ResponseReturnValue:
    """Take the job to another status, or with `undo` back to the one before.

    Answers htmx with what was on the page, a form with the page again.
    """
    undoes = request.form.get("to") == "undo"
    to = Status.NEW if undoes else _status(request.form.get("to", ""))
    version = _version(request.form.get("version", ""))
    problem = ""
    with parts().database.session() as db:
        try:
            if undoes:
                jobs.undo(db, job_id, "owner", version)
            else:
                jobs.change_status(db, job_id, to, "owner", version)
        except (Conflict, IllegalChange, NothingToUndo) as error:
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


def _status(word: str) -> Status:
    try:
        return Status(word)
    except ValueError:
        abort(400, "There is no such status.")


def _version(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004 - digits


@pages.post("/jobs/status")
def change_many() -> ResponseReturnValue:
    """Take the chosen jobs of the list to another status; those that may not go there are named."""
    to = _status(request.form.get("to", ""))
    versions: dict[int, int] = {}
    for chosen in request.form.getlist("job"):
        job_id, _, version = chosen.partition(".")
        if not _version(job_id):
            abort(400, "There is no such job.")
        # One that comes without is compared with a version that no job has.
        versions[int(job_id)] = _version(version) or 0
    back = safe_next(request.form.get("back", ""))
    if not versions:
        flash("No job is chosen: tick some, then say what becomes of them.", "problem")
        return redirect(back, 303)
    if len(versions) > jobs.MOST_PER_PAGE:
        abort(413, f"At most {jobs.MOST_PER_PAGE} jobs can be changed from a page.")
    with parts().database.session() as db:
        bulk = jobs.change_many(db, list(versions), to, "owner", versions=versions)
    _tell(bulk, to)
    return redirect(back, 303)


def _tell(bulk: Bulk, to: Status) -> None:
    there = bulk.changed + bulk.unchanged
    if there:
        flash(f"{there} job{'s are' if there != 1 else ' is'} {to} now.")
    if bulk.refused:
        named = [f"job {job_id} {why}" for job_id, why in list(bulk.named.items())[:_MOST_NAMED]]
        more = bulk.refused - len(named)
        rest = f"; and {more} more" if more else ""
        flash(f"Not changed: {'; '.join(named)}{rest}.", "problem")


@pages.post("/jobs/<int:job_id>/plan")
def plan(job_id: int) -> ResponseReturnValue:
    """Keep what is to be done next, and when; two empty fields take it away."""
    try:
        on, was_on = (_day(request.form.get(name, "")) for name in ("on", "was_on"))
    except ValueError:
        abort(400, "That is no day: write it as 2026-06-12.")
    was = (was_on, request.form["was"]) if "was" in request.form else None
    with parts().database.session() as db:
        try:
            jobs.plan(db, job_id, on, request.form.get("what", ""), was=was)
        except (jobs.ActionTooLong, jobs.Edited) as error:
            flash(str(error), "problem")
    return redirect(url_for(".detail", job_id=job_id, _anchor="plan"), 303)


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


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


def _note_body() -> str:
    body = request.form.get("body", "").replace("\x00", "").replace("\r\n", "\n")
    if len(body) > _LONGEST_NOTE:
        abort(413, f"A note may have {_LONGEST_NOTE:,} characters.")
    return body


@pages.post("/jobs/<int:job_id>/notes")
def add_note(job_id: int) -> ResponseReturnValue:
    """Keep a note."""
    body = _note_body()
    with parts().database.session() as db:
        try:
            jobs.add_note(db, job_id, body)
        except jobs.EmptyNote as error:
            flash(str(error), "problem")
    return redirect(url_for(".detail", job_id=job_id, _anchor="notes"), 303)


@pages.post("/jobs/<int:job_id>/notes/<int:note_id>")
def edit_note(job_id: int, note_id: int) -> ResponseReturnValue:
    """Write a note anew."""
    body = _note_body()
    try:
        was = dt.datetime.fromisoformat(request.form["was"]) if request.form.get("was") else None
    except ValueError:
        abort(400, "That is no time.")
    with parts().database.session() as db:
        try:
            jobs.edit_note(db, job_id, note_id, body, was=was)
        except (jobs.EmptyNote, jobs.NoteNotFound, jobs.Edited) as error:
            flash(str(error), "problem")
    return redirect(url_for(".detail", job_id=job_id, _anchor="notes"), 303)


@pages.post("/jobs/<int:job_id>/notes/<int:note_id>/delete")
def delete_note(job_id: int, note_id: int) -> ResponseReturnValue:
    """Throw a note away. One that is gone already is no error."""
    with parts().database.session() as db:
        if jobs.delete_note(db, job_id, note_id):
            flash("The note is deleted.")
    return redirect(url_for(".detail", job_id=job_id, _anchor="notes"), 303)

"""The jobs: the list, one of them, and what its owner does with it."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from metrics.instruments import count_error
from scout import briefs, digits, export, history, jobs, rescoring, runs, searches, similar, sources
from scout.fetch import Reason
from scout.identity import merging, resemblance
from scout.jobs import Bulk, Conflict, IllegalChange, JobQuery, NothingToUndo, Sort
from scout.models import SavedSearch, ScanResult, ScanRun, ScanState, Source, Status
from scout.searching import language, marking
from scout.searching.language import Key
from scout.unchanged import kept
from webapp.messages import forget_undo, keep_undo, say_with_undo, undo_at_hand
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
#: What the owner has not done with: what a saved search without statuses of its own looks at. No tab.
IN_PLAY = "live"
SORTS: dict[Sort, str] = {
    "score": "Best match",
    "newest": "Newest here",
    "posted": "Newest posted",
    "salary": "Best paid",
    "relevance": "Words in the title",
}
_PER_PAGE = 50
_LONGEST_SEARCH = language.LONGEST
_LONGEST_CURSOR = 200
_LONGEST_NOTE = 20_000

#: Terms of a search that finds nothing, of which it is looked up what leaving them out would find.
_MOST_WAYS = 6
_TAB_WORDS = {IN_PLAY: "in play"}

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
    sort: Sort = "score"
    after: str = ""
    before: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Filters:
        """Read them from an address's query, or from a form. Of old links, the board and score are terms."""
        status, sort = args.get("status", ""), args.get("sort", "")
        text = " ".join(args.get("q", "").replace("\x00", "").split())[:_LONGEST_SEARCH]
        old = {Key.SOURCE: args.get("source", "")[:80]}
        least = _whole(args.get("min_score", ""), most=100)
        old[Key.SCORE] = f">={least}" if least else ""
        for key, value in old.items():
            if value.strip():
                text = " ".join(filter(None, (text, str(language.parse(language.written(key, value))))))
        return cls(
            q=text,
            status=status if status in {*TABS, IN_PLAY} else cls().status,
            sort=next((each for each in get_args(Sort) if each == sort), cls().sort),
            after=args.get("after", "")[:_LONGEST_CURSOR],
            before=args.get("before", "")[:_LONGEST_CURSOR],
        )

    @classmethod
    def of_address(cls, address: str) -> Filters | None:
        """Those of an address of the list; None where it is another page's."""
        split = urlsplit(address)
        return cls.of(dict(parse_qsl(split.query))) if split.path == url_for("jobs.index") else None

    @classmethod
    def of_search(cls, search: SavedSearch) -> Filters:
        """Those that show what a saved search finds."""
        said = {name: str(value) for name, value in search.query.items() if name != "statuses"}
        statuses = search.query.get("statuses", [])
        found = cls.of({**said, "q": said.get("text", ""), "sort": said.get("sort", "score")})
        if len(statuses) > 1:
            several = language.written(Key.STATUS, "+").replace("+", ",".join(statuses))
            return replace(found, q=" ".join(filter(None, (found.q, several))), status="all")
        return replace(found, status=statuses[0] if statuses else IN_PLAY)

    @property
    def read(self) -> language.Query:
        """The search as it was understood."""
        return language.parse(self.q)

    @property
    def query(self) -> JobQuery:
        """The same for `scout.jobs.find`."""
        statuses: tuple[Status, ...] = ()
        if self.status == IN_PLAY:
            statuses = searches.LIVE
        elif self.status != "all":
            statuses = (Status(self.status),)
        return JobQuery(
            text=self.q,
            statuses=statuses,
            sort=self.sort,
            after=self.after,
            before=self.before,
            per_page=_PER_PAGE,
        )

    @property
    def here(self) -> str:
        """The address of this very page of the list."""
        return self.address(after=self.after, before=self.before)

    def address(self, at: str = ".index", **changes: Any) -> str:
        """The list's address with some changes; any change but of the page begins at the first."""
        changed = replace(self, **({"after": "", "before": ""} | changes))
        usual = Filters()
        named = {name: getattr(changed, name) for name in self.__slots__}
        return url_for(at, **{name: value for name, value in named.items() if value != getattr(usual, name)})

    def facets(self) -> str:
        """Where what it could be narrowed down by is counted."""
        return self.address(at="jobs.facets")

    def download(self, form: export.Form) -> str:
        """Where the whole list, not just its page, is a file."""
        return self.address(at=f".download_{form}")


def _whole(text: str, *, most: int) -> int:
    return min(digits.whole(text) or 0, most)


@pages.get("/")
def index() -> ResponseReturnValue:
    """The list. Its address holds the whole state: search, status, order and page."""
    filters = Filters.of(request.args)
    read = filters.read
    with parts().database.reading() as db:
        found = jobs.find_briefly(db, filters.query)
        counts = jobs.counts_by_status(db)
        running, saved, scoring = kept(db, "around the list", _around)
        return render_template(
            "jobs.html",
            filters=filters,
            chips=read.chips,
            problems=read.problems,
            found=found,
            hits=jobs.hits(db, filters.query, found.jobs),
            unseen=[job.id for job in found.jobs if job.looked_at is None],
            counts={
                **{status.value: number for status, number in counts.items()},
                "all": sum(counts.values()),
            },
            tabs=TABS,
            bulk_to=[status for status in Status if status is not Status.CLOSED],
            sorts=SORTS,
            saved=[(each, Filters.of_search(each).address()) for each in saved],
            running=running,
            scoring=scoring,
            back=filters.here,
            undo=undo_at_hand(),
            why_empty=_why_empty(db, sum(counts.values()), running=running is not None)
            if not found.total
            else "",
            ways_out=list(_ways_out(db, filters)) if not found.total else [],
        )


def _around(db: Session) -> tuple[ScanRun | None, list[SavedSearch], rescoring.Progress | None]:
    return open_run(db), searches.every(db), rescoring.progress(db)


@pages.get("/facets")
def facets() -> ResponseReturnValue:
    """What the list could be narrowed down by, with counts: a part of its page, or a page without scripts."""
    filters = Filters.of(request.args)
    with parts().database.reading() as db:
        counted = jobs.facets(db, filters.query)
    shown = "_facets.html" if "HX-Request" in request.headers else "facets.html"
    return render_template(shown, filters=filters, counted=counted, back=filters.here)


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
    changes: list[tuple[str, dict[str, Any]]] = [
        (f"“{chip.words}”", {"q": chip.without}) for chip in filters.read.chips[:_MOST_WAYS]
    ]
    if filters.status != "all":
        changes.append((f"the status “{_TAB_WORDS.get(filters.status, filters.status)}”", {"status": "all"}))
    for words, change in changes:
        found = jobs.find(db, replace(filters, after="", before="", **change).query)
        if found.total:
            yield words, filters.address(**change), found.total


@pages.get("/jobs/<int:job_id>")
def detail(job_id: int) -> ResponseReturnValue:
    """One job with all that is known of it. One that was merged into another leads there."""
    back = safe_next(request.args.get("back", ""))
    listed = Filters.of_address(back)
    with parts().database.reading() as db:
        try:
            job = jobs.get(db, job_id)
        except jobs.JobNotFound:
            there = merging.kept_instead(db, job_id)
            if there is None:
                raise
            return redirect(url_for(".detail", job_id=there), 303)
        before, after = jobs.neighbours(db, listed.query, job) if listed else (None, None)
        alike = resemblance.look_alikes(db, job)
        page = render_template(
            "job.html",
            job=job,
            history=history.of(job),
            look_alikes=alike,
            similar=similar.jobs_like(db, job, {each.job.id for each in alike}),
            back=back,
            before=before,
            after=after,
            title=marking.marked(job.title, listed.read, Key.TITLE) if listed else job.title,
            read=listed.read if listed else None,
            credits={name: kind.attribution for name, kind in sources.KINDS.items()},
        )
    if (job.edit_unseen or job.looked_at is None) and request.method == "GET":
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
    version = digits.whole(request.form.get("version", ""))
    problem = ""
    forget_undo()
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
        listed = Filters.of_address(safe_next(back))
        marked = jobs.hits(db, listed.query, [job]) if listed else {}
        answer = render_template(
            shown,
            job=job,
            card=briefs.of(job),
            back=back,
            problem=problem,
            moved=not problem,
            hits=marked,
            title=job.title,
        )
    return answer, 409 if problem else 200


def _status(word: str) -> Status:
    try:
        return Status(word)
    except ValueError:
        abort(400, "There is no such status.")


@pages.post("/jobs/status")
def change_many() -> ResponseReturnValue:
    """Take the chosen jobs of the list to another status, or with `all` whatever it asks for.

    Those that may not go there are named, and the whole change can be taken back.
    """
    to = _status(request.form.get("to", ""))
    back = safe_next(request.form.get("back", ""))
    if request.form.get("all"):
        with parts().database.session() as db:
            bulk = jobs.change_many(db, Filters.of(request.form).query, to, "owner")
        return _told(bulk, to, back)
    versions: dict[int, int] = {}
    for chosen in request.form.getlist("job"):
        said, _, version = chosen.partition(".")
        job_id = digits.whole(said)
        if not job_id:
            abort(400, "There is no such job.")
        # One that comes without is compared with a version that no job has.
        versions[job_id] = digits.whole(version) or 0
    if not versions:
        flash("No job is chosen: tick some, then say what becomes of them.", "problem")
        return redirect(back, 303)
    if len(versions) > jobs.MOST_PER_PAGE:
        abort(413, f"At most {jobs.MOST_PER_PAGE} jobs can be changed from a page.")
    with parts().database.session() as db:
        bulk = jobs.change_many(db, list(versions), to, "owner", versions=versions)
    return _told(bulk, to, back)


def _told(bulk: Bulk, to: Status, back: str) -> ResponseReturnValue:
    if bulk.changed:
        words = f"{bulk.changed:,} job{'s are' if bulk.changed != 1 else ' is'} {to} now."
        keep_undo(words, url_for(".undo_many"), batch=bulk.batch, back=back)
    elif bulk.unchanged:
        flash(f"{bulk.unchanged:,} job{'s are' if bulk.unchanged != 1 else ' is'} {to} already.")
    _name_refused("Not changed", bulk)
    return redirect(back, 303)


def _name_refused(what: str, bulk: Bulk) -> None:
    if not bulk.refused:
        return
    named = [f"job {job_id} {why}" for job_id, why in list(bulk.named.items())[:_MOST_NAMED]]
    more = bulk.refused - len(named)
    rest = f"; and {more:,} more" if more else ""
    flash(f"{what}: {'; '.join(named)}{rest}.", "problem")


@pages.post("/jobs/undo")
def undo_many() -> ResponseReturnValue:
    """Take a change of many jobs back, all of them at once."""
    with parts().database.session() as db:
        bulk = jobs.undo_batch(db, request.form.get("batch", ""), "owner")
    forget_undo()
    if bulk.changed or not bulk.refused:
        flash(f"Taken back: {bulk.changed:,} job{'s are' if bulk.changed != 1 else ' is'} as before.")
    _name_refused("Left as they are", bulk)
    return redirect(safe_next(request.form.get("back", "")), 303)


@pages.post("/jobs/seen")
def mark_seen() -> ResponseReturnValue:
    """Mark the jobs of a page as seen."""
    back = safe_next(request.form.get("back", ""))
    with parts().database.session() as db:
        seen = jobs.mark_seen(db, _ids(request.form.get("jobs", "")))
    if seen:
        words = f"{len(seen)} job{'s are' if len(seen) != 1 else ' is'} marked as seen."
        say_with_undo(words, url_for(".mark_unseen"), jobs=",".join(map(str, seen)), back=back)
    return redirect(back, 303)


@pages.post("/jobs/unseen")
def mark_unseen() -> ResponseReturnValue:
    """Take that back."""
    with parts().database.session() as db:
        jobs.mark_unseen(db, _ids(request.form.get("jobs", "")))
    return redirect(safe_next(request.form.get("back", "")), 303)


def _ids(text: str) -> list[int]:
    ids = [digits.whole(each) for each in text.split(",")]
    if len(ids) > jobs.MOST_PER_PAGE or None in ids:
        abort(400, "These are no jobs of a page.")
    return [each for each in ids if each]


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
    """Throw a note away. One that is gone already is no error; the message holds it, to be kept again."""
    with parts().database.session() as db:
        body = jobs.delete_note(db, job_id, note_id)
    if body:
        say_with_undo("The note is deleted.", url_for(".add_note", job_id=job_id), body=body)
    return redirect(url_for(".detail", job_id=job_id, _anchor="notes"), 303)


@pages.post("/jobs/<int:job_id>/merge")
def merge(job_id: int) -> ResponseReturnValue:
    """Make another job part of this one: named by its number here, or by the address of its page."""
    other = similar.named(request.form.get("other", ""))
    if other is None:
        flash("Write the number of the other job, or paste the address of its page here.", "problem")
        return redirect(url_for(".detail", job_id=job_id, _anchor="merge"), 303)
    with parts().database.session() as db:
        try:
            title = jobs.get(db, other).title if other != job_id else ""
            kept = merging.merge(db, job_id, other, by="owner", why="you said so")
        except (merging.CannotMerge, jobs.JobNotFound) as error:
            flash(str(error), "problem")
            return redirect(url_for(".detail", job_id=job_id, _anchor="merge"), 303)
        db.expire(kept, ["listings"])
        listing = max((each for each in kept.listings if each.merged), key=lambda each: each.merged.id)  # type: ignore[union-attr] # those that were merged
        undo = url_for(".split", job_id=job_id, listing_id=listing.id)
    say_with_undo(f"“{title}” is part of this job now.", undo)
    return redirect(url_for(".detail", job_id=job_id, _anchor="seen"), 303)

"""The boards that are watched: how they fare, one at length, pausing, scanning, scheduling, removing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from redis import RedisError
from sqlalchemy import func, select

import metrics.push
from metrics.quantities import Quantity
from scout import boards, clock, discovery, jobs, remedies, runs, schedule, settings, sources, watchlist
from scout.boards import BoardQuery, Yield
from scout.jobs import JobQuery
from scout.models import Job, Listing, RunTrigger, ScanResult, Source, Status
from scout.settings import SettingError
from scout.sources.about import about, off
from webapp import plots
from webapp.parts import parts
from webapp.scans import tell_if_queue_is_away
from webapp.sign_in import safe_next

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from scout.adding import Line
    from scout.trial import Trial

pages = Blueprint("sources", __name__)

_LONGEST_SEARCH = 100
#: Scans that a board's page shows, and jobs.
SCANS_SHOWN = 50
_JOBS_SHOWN = 10
#: Boards that are removed at once: each takes its jobs along, and somebody waits.
MOST_REMOVED = 200

ORDERS: dict[boards.Order, str] = {
    "health": "What needs a look",
    "name": "Name",
    "success": "Longest without success",
    "next": "Next scan",
    "jobs": "Most open jobs",
}
#: What a board's health is called.
HEALTH_WORDS: dict[watchlist.Health, str] = {
    "failing": "failing",
    "partial": "partial",
    "new": "not scanned yet",
    "ok": "ok",
    "paused": "paused",
}
#: Intervals that a board's page offers, in minutes.
_INTERVALS = (30, 60, 120, 360, 720, 1440, 2880, 10080)
#: What fields of a posting are called.
FIELD_WORDS = {
    "locations": "places",
    "remote": "remote or not",
    "description_text": "text",
    "salary": "pay",
    "employment_type": "employment",
    "department": "department",
    "requisition_id": "the employer’s number",  # noqa: RUF001 - an apostrophe, for people
    "posted_at": "date",
    "tags": "tags",
    "places": "towns and countries",
    "remote_regions": "where remote work may be done",
    "level": "level",
    "language": "language",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list's address asks for. What it says wrongly is left at its default: old links work."""

    q: str = ""
    health: watchlist.Health | str = ""
    kind: str = ""
    order: boards.Order = "health"
    starts: str = ""
    after: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Filters:
        """Read them from an address's query, or from a form."""
        health, order = args.get("health", ""), args.get("order", "")
        return cls(
            q=" ".join(args.get("q", "").replace("\x00", "").split())[:_LONGEST_SEARCH],
            health=health if health in boards.HEALTHS else "",
            kind=args.get("kind", "") if args.get("kind", "") in sources.KINDS else "",
            order=next((each for each in boards.ORDERS if each == order), cls().order),
            starts=args.get("starts", "")[:1] if order == "name" else "",
            after=_slug(args.get("after", "")),
        )

    @property
    def query(self) -> BoardQuery:
        """The same for `scout.boards`."""
        return BoardQuery(
            text=self.q,
            health=next((each for each in boards.HEALTHS if each == self.health), ""),
            kind=self.kind,
            order=self.order,
            starts="" if self.starts == "#" else self.starts,
            after=self.after,
        )

    @property
    def narrow(self) -> bool:
        """Whether anything but the order is asked for."""
        return bool(self.q or self.health or self.kind)

    def address(self, **changes: Any) -> str:
        """The list's address with some changes; any change begins at the first page."""
        changed = replace(self, **({"after": "", "starts": ""} | changes))
        usual = Filters()
        named = {name: getattr(changed, name) for name in self.__slots__}
        return url_for(
            "sources.index", **{name: value for name, value in named.items() if value != getattr(usual, name)}
        )


def _slug(text: str) -> str:
    # PostgreSQL cannot even be asked for some texts, and no slug is such a one.
    return text[:80] if text.isascii() and text.isprintable() else ""


# --- All of them ------------------------------------------------------------------------------------------


@pages.get("/sources")
def index() -> ResponseReturnValue:
    """Those that the address asks for, a page at a time, with their health."""
    return shown()


def shown(
    address: str = "",
    problem: str = "",
    *,
    offer: bool = False,
    seen: discovery.Look | None = None,
    report: Sequence[Line] = (),
    trials: Sequence[Trial] = (),
) -> str:
    """The page of boards, with what came of an address that was pasted.

    Args:
        address: What was pasted.
        problem: Why nothing came of it, or empty.
        offer: Whether to offer a look at the page there.
        seen: What such a look found.
        report: What became of each line, where there were several.
        trials: What looks at boards found.
    """
    filters = Filters.of(request.args if request.method == "GET" else {})
    with parts().database.reading() as db:
        found = boards.find(db, filters.query)
        ids = [source.id for source in found.boards]
        healths = boards.healths(db)
        return render_template(
            "sources.html",
            filters=filters,
            found=found,
            here=filters.address(after=filters.after, starts=filters.starts),
            next_page=filters.address(after=found.next, starts=filters.starts) if found.next else "",
            watched=sum(healths.values()),
            healths=healths,
            board_kinds=boards.kinds(db),
            letters=boards.letters(db) if filters.order == "name" and found.total > boards.PAGE else [],
            orders=ORDERS,
            health=watchlist.health,
            health_words=HEALTH_WORDS,
            sparks={each: _spark(told) for each, told in boards.yields(db, ids).items() if told},
            open_jobs=boards.open_jobs(db, ids),
            scanning=_scanning(db, ids),
            left_alone=_left_alone(found.boards),
            undo=session.get("boards_undo"),
            address=address,
            problem=problem,
            offer=offer,
            seen=seen,
            report=report,
            trials=trials,
            **_words(),
        )


def _words() -> dict[str, Any]:
    """What the templates call things."""
    return {
        "reasons": runs.REASON_TEXT,
        "remedies": remedies.REMEDY,
        "titles": {name: kind.title for name, kind in sources.KINDS.items()},
        "at_any_address": sources.AT_ANY_ADDRESS,
        "fields": FIELD_WORDS,
    }


def _spark(told: Sequence[Yield]) -> str:
    """What a board's last scans saw, as a small plot."""
    last = next((each.seen for each in reversed(told) if each.seen is not None), None)
    said = "none of them could be read" if last is None else f"the last one that was read saw {last:,}"
    scans = "the last scan" if len(told) == 1 else f"the last {len(told)} scans"
    return plots.spark([each.seen for each in told], words=f"Postings in {scans}: {said}.")


def _scanning(db: Session, ids: Sequence[int]) -> dict[int, int]:
    """The open run that each board waits or is read in, by the board's id."""
    going = select(ScanResult.source_id, ScanResult.run_id).where(
        ScanResult.source_id.in_(ids), ScanResult.state.in_(runs.OPEN)
    )
    return dict(db.execute(going).all())


def _left_alone(found: Sequence[Source]) -> dict[int, str]:
    """What to tell of boards whose host is not asked as usual; nothing is known of that without Redis."""
    try:
        standings = watchlist.left_alone(parts().redis, found)
    except RedisError:
        return {}
    return {source_id: watchlist.told(standing) for source_id, standing in standings.items()}


# --- Many at once -----------------------------------------------------------------------------------------


@pages.post("/sources/many")
def change_many() -> ResponseReturnValue:
    """Scan, pause, resume or remove the boards that are ticked, or all that the list's address asks for."""
    back = safe_next(request.form.get("back", ""))
    chosen = _chosen()
    if not chosen:
        flash("No board is chosen: tick some, then say what becomes of them.", "problem")
        return redirect(back, 303)
    match request.form.get("do", ""):
        case "scan":
            return _scan_many(chosen)
        case "pause":
            _paused(chosen)
        case "resume":
            _resumed(chosen)
        case "remove":
            return _confirm_many(chosen, back)
        case _:
            abort(400, "There is no such thing to do.")
    return redirect(back, 303)


def _chosen() -> list[str]:
    if request.form.get("all"):
        with parts().database.reading() as db:
            return boards.slugs(db, Filters.of(request.form).query)
    return [slug for each in request.form.getlist("board") if (slug := _slug(each))]


def _scan_many(chosen: Sequence[str]) -> ResponseReturnValue:
    run_id = runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER, slugs=chosen)
    tell_if_queue_is_away()
    return redirect(url_for("scans.detail", run_id=run_id), 303)


def _paused(chosen: Sequence[str]) -> None:
    with parts().database.session() as db:
        done = boards.pause(db, chosen)
    _undoable("pause", done)
    flash(f"{_boards(len(done))} paused. {'Its' if len(done) == 1 else 'Their'} jobs stay." if done else
          "They were paused before.")  # fmt: skip


def _resumed(chosen: Sequence[str]) -> None:
    with parts().database.session() as db:
        done = boards.resume(db, chosen)
    _undoable("resume", done)
    flash(f"{_boards(len(done))} watched again." if done else "They were watched before.")


def _boards(count: int) -> str:
    return f"{count:,} board{' is' if count == 1 else 's are'}"


def _undoable(what: str, done: Sequence[str]) -> None:
    """Remember what was done, so that the next page can offer to take it back."""
    if done:
        session["boards_undo"] = {"do": what, "boards": list(done)}


@pages.post("/sources/undo")
def undo() -> ResponseReturnValue:
    """Take the last pausing or resuming back."""
    back = safe_next(request.form.get("back", ""))
    last = session.pop("boards_undo", None)
    if not last:
        flash("There is nothing to take back.", "problem")
        return redirect(back, 303)
    with parts().database.session() as db:
        done = (boards.resume if last["do"] == "pause" else boards.pause)(db, last["boards"])
    flash(f"Taken back: {_boards(len(done))} {'watched again' if last['do'] == 'pause' else 'paused again'}.")
    return redirect(back, 303)


def _confirm_many(chosen: Sequence[str], back: str) -> ResponseReturnValue:
    if len(chosen) > MOST_REMOVED:
        flash(
            f"At most {MOST_REMOVED} boards can be removed at once: narrow the list, or tick fewer.",
            "problem",
        )
        return redirect(back, 303)
    with parts().database.reading() as db:
        found = db.scalars(select(Source).where(Source.slug.in_(chosen)).order_by(Source.name)).all()
        listed, decided = _what_goes(db, [source.id for source in found])
        return render_template("remove_many.html", boards=found, listed=listed, decided=decided, back=back)


@pages.post("/sources/remove")
def remove_many() -> ResponseReturnValue:
    """Watch the named boards no longer, and let the gateway forget their figures."""
    chosen = [slug for each in request.form.getlist("board") if (slug := _slug(each))][:MOST_REMOVED]
    with parts().database.session() as db:
        removed = boards.remove(db, chosen)
    for slug in removed:
        if not metrics.push.forget_source(parts().settings.pushgateway, slug):
            break  # the gateway is away: the scheduler sees to it later
    flash(f"{_boards(len(removed))} removed.")
    return redirect(url_for(".index"), 303)


def _what_goes(db: Session, ids: Sequence[int]) -> tuple[int, int]:
    """How many jobs were seen on boards, and about how many of them the owner decided something."""
    listed = select(func.count(func.distinct(Listing.job_id))).where(Listing.source_id.in_(ids))
    decided = listed.join(Job).where(Job.status.notin_((Status.NEW, Status.CLOSED)))
    return db.scalar(listed) or 0, db.scalar(decided) or 0


# --- One of them ------------------------------------------------------------------------------------------


@pages.get("/sources/<slug>")
def detail(slug: str) -> ResponseReturnValue:
    """One board with all that is known of it."""
    return _detail(slug)


def _detail(slug: str, problem: str = "", form: Mapping[str, str] | None = None) -> str:
    with parts().database.reading() as db:
        source = watchlist.get(db, slug)
        kind = sources.KINDS.get(source.kind)
        results = db.scalars(
            select(ScanResult)
            .where(ScanResult.source_id == source.id)
            .order_by(ScanResult.id.desc())
            .limit(SCANS_SHOWN)
        ).all()
        habits = schedule.habits(source, parts().settings, kind)
        return render_template(
            "source.html",
            source=source,
            kind=kind,
            about=about(kind) if kind is not None else None,
            off=off(kind, parts().settings) if kind is not None else "",
            is_=watchlist.health(source),
            health_words=HEALTH_WORDS,
            results=results,
            plot=_plot(results),
            scanning=_scanning(db, [source.id]).get(source.id),
            left_alone=_left_alone([source]).get(source.id, ""),
            open_jobs=boards.open_jobs(db, [source.id]).get(source.id, 0),
            found=jobs.find(db, JobQuery(source=slug, statuses=(), sort="score", per_page=_JOBS_SHOWN)),
            habits=habits,
            usual=parts().settings,
            intervals=[(each, schedule.words(dt.timedelta(minutes=each))) for each in _INTERVALS],
            least=schedule.words(habits.least) if habits.least else "",
            problem=problem,
            form=form or _schedule_of(source),
            **_words(),
        )


def _schedule_of(source: Source) -> dict[str, str]:
    """A board's own schedule, as its form holds it."""
    return {
        "interval": "" if source.interval_minutes is None else f"{source.interval_minutes:g}",
        "quiet": "" if source.quiet_hours is None else source.quiet_hours or "none",
        "zone": source.time_zone or "",
    }


def _plot(results: Sequence[ScanResult]) -> str:
    ended = [each for each in reversed(results) if each.finished_at is not None]
    if len(ended) < 2:  # noqa: PLR2004 - a line needs two ends
        return ""
    whole = ("succeeded", "partial")
    points = [
        (each.finished_at.timestamp(), float(each.seen) if each.state.value in whole else None)
        for each in ended
        if each.finished_at is not None
    ]
    return plots.lines(
        [plots.Series(label="postings seen", points=points)],
        title=f"Postings in the last {len(ended)} scans",
        unit=Quantity.COUNT,
        start=ended[0].finished_at or clock.now(),
        end=ended[-1].finished_at or clock.now(),
        width=640,
    )


@pages.post("/sources/<slug>/schedule")
def set_schedule(slug: str) -> ResponseReturnValue:
    """Give it a schedule of its own; an empty field is the usual."""
    form = {name: request.form.get(name, "").strip()[:60] for name in ("interval", "quiet", "zone")}
    try:
        changes = _changes(form)
    except SettingError as error:
        return _detail(slug, str(error), form), 400
    with parts().database.session() as db:
        source = watchlist.schedule_own(db, slug, parts().settings, changes)
        name = source.name
    flash(f"The schedule of {name} is kept.")
    return redirect(url_for(".detail", slug=slug, _anchor="schedule"), 303)


def _changes(form: Mapping[str, str]) -> dict[str, float | str | None]:
    interval, quiet, zone = form["interval"], form["quiet"], form["zone"]
    minutes = None
    if interval:
        minutes = schedule.span("The interval", f"{interval}m").total_seconds() / 60
    return {
        "interval_minutes": minutes,
        "quiet_hours": settings.quiet_hours("The quiet hours", quiet) if quiet else None,
        "time_zone": settings.time_zone("The time zone", zone) if zone else None,
    }


@pages.post("/sources/<slug>/pause")
def pause(slug: str) -> ResponseReturnValue:
    """Scan it no longer until it is resumed."""
    with parts().database.session() as db:
        name = watchlist.pause(db, slug).name
    _undoable("pause", [slug])
    flash(f"{name} is paused. Its jobs stay.")
    return _back_to(slug)


@pages.post("/sources/<slug>/resume")
def resume(slug: str) -> ResponseReturnValue:
    """Scan it again."""
    with parts().database.session() as db:
        name = watchlist.resume(db, slug).name
    _undoable("resume", [slug])
    flash(f"{name} is watched again.")
    return _back_to(slug)


def _back_to(slug: str) -> ResponseReturnValue:
    back = request.form.get("back", "")
    return redirect(f"{safe_next(back)}#{slug}" if back else url_for(".index", _anchor=slug), 303)


@pages.post("/sources/<slug>/scan")
def scan(slug: str) -> ResponseReturnValue:
    """Scan it now."""
    run_id = runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER, slugs=[slug])
    return redirect(url_for("scans.detail", run_id=run_id), 303)


@pages.get("/sources/<slug>/remove")
def confirm_removal(slug: str) -> ResponseReturnValue:
    """Say what removing it would take along. This cannot be undone, so it is asked."""
    with parts().database.reading() as db:
        source = watchlist.get(db, slug)
        listed, decided = _what_goes(db, [source.id])
        return render_template("remove.html", source=source, listed=listed, decided=decided)


@pages.post("/sources/<slug>/remove")
def remove(slug: str) -> ResponseReturnValue:
    """Watch it no longer, and let the gateway forget its figures."""
    with parts().database.session() as db:
        name = watchlist.get(db, slug).name
        watchlist.remove(db, slug)
    metrics.push.forget_source(parts().settings.pushgateway, slug)
    flash(f"{name} is removed.")
    return redirect(url_for(".index"), 303)

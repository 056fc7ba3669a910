"""The pipeline: the jobs that are followed, as a board and as a list, what is due, and how it goes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from markupsafe import Markup

from metrics.quantities import Quantity
from scout import account, agenda, calendars, clock, digits, funnel, jobs, pipeline
from scout.jobs import Conflict, IllegalChange, NothingToUndo
from scout.models import Account, Status
from scout.pipeline import Stage
from scout.telling import hours, reminders
from webapp import plots
from webapp.parts import parts
from webapp.plots import Bar, Spread
from webapp.show import span
from webapp.sign_in import safe_next

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from scout.funnel import Answered, Period, Progress
    from scout.models import Job

pages = Blueprint("pipeline", __name__)

#: What a column is called.
STAGES = {
    Stage.SAVED: "Saved",
    Stage.APPLIED: "Applied",
    Stage.INTERVIEWING: "Interviewing",
    Stage.OFFER: "Offer",
    Stage.ENDED: "Ended",
}
_PERIODS = {"30": "30 days", "90": "90 days", "365": "A year", "all": "All times"}
_ORDERS: dict[pipeline.Order, str] = {
    "stage": "Stage",
    "company": "Company",
    "next": "Next date",
    "since": "In stage",
}
#: Rows on a page of the list: with thousands, a browser is busy for seconds.
_ROWS = 200
#: What was done last, so that the page after a form can offer to undo it.
_DONE = "pipeline_done"


@pages.app_template_filter("lasting")
def lasting(since: dt.datetime) -> Markup:
    """How long something has been so, in words with the exact time behind them: `for 5 days`."""
    seconds = max((clock.now() - since).total_seconds(), 0.0)
    exact = since.astimezone(dt.UTC)
    return Markup('<time datetime="{}" title="since {}">for {}</time>').format(
        exact.isoformat(timespec="seconds"), f"{exact:%d %b %Y, %H:%M} UTC", span(max(seconds, 60.0))
    )


@pages.app_template_filter("weekday")
def weekday(day: dt.date, *, start: bool = False) -> Markup:
    """A day as people say it: `today`, `tomorrow`, `Fri 12 June`, with the year where it is another.

    Args:
        day: The day, by the owner's calendar.
        start: Whether it begins a sentence.
    """
    here = agenda.today(parts().settings.time_zone)
    names = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    year = "" if day.year == here.year else f" {day.year}"
    words = names.get((day - here).days, f"{day:%a} {day.day} {day:%B}{year}")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        day.isoformat(),
        f"{day:%A} {day.day} {day:%B} {day.year}",
        words[:1].upper() + words[1:] if start else words,
    )


@pages.app_template_filter("here")
def here(moment: dt.datetime) -> dt.datetime:
    """A time by the owner's clock."""
    return moment.astimezone(hours.zone(parts().settings.time_zone))


@pages.app_template_filter("in_zone")
def in_zone(moment: dt.datetime, timezone: str) -> dt.datetime:
    """A time by the clock of a zone."""
    return moment.astimezone(hours.zone(timezone))


# --- The board and the list -------------------------------------------------------------------------------


@pages.get("/pipeline")
def board() -> ResponseReturnValue:
    """The board. `stage` is the column that a phone shows, `all` the one of which every card is shown."""
    with parts().database.reading() as db:
        return render_template("pipeline.html", **_board(db, request.args, _take_done()), **_around(db))


@pages.get("/pipeline/list")
def as_list() -> ResponseReturnValue:
    """The same jobs as a table, `page` of it."""
    wanted = request.args.get("sort", "")
    order: pipeline.Order = next((each for each in pipeline.ORDERS if each == wanted), "stage")
    descending = request.args.get("order") == "desc"
    with parts().database.reading() as db:
        cards = pipeline.every(db, parts().settings.time_zone, order, descending=descending)
        last = max(-(-len(cards) // _ROWS), 1)
        page = min(digits.whole(request.args.get("page", "")) or 1, last)
        return render_template(
            "pipeline_list.html",
            cards=cards[(page - 1) * _ROWS : page * _ROWS],
            page=page,
            last=last,
            total=sum(pipeline.counts(db).values()),
            order=order,
            descending=descending,
            orders=_ORDERS,
            stages=STAGES,
            done=_done_job(db, _take_done()),
            problem="",
            back=request.full_path.rstrip("?"),
        )


def _board(db: Session, asked: Mapping[str, str], done: dict[str, Any], problem: str = "") -> dict[str, Any]:
    """What `_columns.html` shows.

    Args:
        db: The session.
        asked: The address's query, or the form's fields: `stage` and `all`.
        done: What was done last, as `_DONE` keeps it, or nothing.
        problem: Why something could not be done; empty where it could, or nothing was tried.
    """
    whole = _stage(asked.get("all", ""))
    columns = pipeline.board(db, parts().settings.time_zone, whole=whole)
    filled = next((column.stage for column in columns if column.total), Stage.SAVED)
    shown = _stage(asked.get("stage", "")) or whole or filled
    state: dict[str, Any] = {"stage": shown.value if asked.get("stage") else None, "all": whole}
    return {
        "columns": columns,
        "stages": STAGES,
        "shown": shown,
        "whole": whole,
        "first": pipeline.FIRST,
        "done": _done_job(db, done),
        "problem": problem,
        "back": url_for(".board", **{name: value for name, value in state.items() if value}),
    }


def _stage(word: str) -> Stage | None:
    return Stage(word) if word in set(Stage) else None


def _around(db: Session) -> dict[str, Any]:
    """What stands around the board: what is due, and the calendar."""
    settings = parts().settings
    owner = db.get(Account, 1)
    address = ""
    if owner is not None:
        secret = calendars.token(owner, account.secret_key(settings))
        address = f"{settings.pages}{url_for('calendars.whole', token=secret)}"
    return {
        "due": agenda.due(db, settings.time_zone),
        "calendar": address,
        "timezone": settings.time_zone,
        "reminders": reminders.plan(settings),
    }


# --- Changes ----------------------------------------------------------------------------------------------


@pages.post("/pipeline/jobs/<int:job_id>/move")
def move(job_id: int) -> ResponseReturnValue:
    """Take a job to another status, or with `undo` back to the one before.

    Answers htmx with the board as it is then, a form with the page again.
    """
    undoes = request.form.get("to") == "undo"
    version = digits.whole(request.form.get("version", ""))
    problem = ""
    with parts().database.session() as db:
        try:
            if undoes:
                jobs.undo(db, job_id, "owner", version)
            else:
                jobs.change_status(db, job_id, _status(request.form.get("to", "")), "owner", version)
        except (Conflict, IllegalChange, NothingToUndo) as error:
            problem = str(error)
    done: dict[str, Any] = {"job": job_id, "undone": undoes, "refused": bool(problem)}
    if "HX-Request" not in request.headers:
        if problem:
            flash(problem, "problem")
        session[_DONE] = done
        return redirect(safe_next(request.form.get("back", "")), 303)
    with parts().database.reading() as db:
        answer = render_template("_columns.html", **_board(db, request.form, done, problem))
    return answer, 409 if problem else 200


def _status(word: str) -> Status:
    try:
        return Status(word)
    except ValueError:
        abort(400, "There is no such status.")


@pages.post("/pipeline/jobs/<int:job_id>/done")
def finish(job_id: int) -> ResponseReturnValue:
    """Take the plan of a job away, since it is done; with `put_back`, give back the one that was."""
    on, what = request.form.get("on", ""), request.form.get("what", "")
    try:
        plan = (dt.date.fromisoformat(on) if on else None, what)
    except ValueError:
        abort(400, "That is no day: write it as 2026-06-12.")
    puts_back = "put_back" in request.form
    was, now = ((None, ""), plan) if puts_back else (plan, (None, ""))
    with parts().database.session() as db:
        try:
            jobs.plan(db, job_id, *now, was=was)
        except (jobs.ActionTooLong, jobs.Edited) as error:
            flash(str(error), "problem")
        else:
            if not puts_back:
                session[_DONE] = {"job": job_id, "on": on, "what": what}
    return redirect(safe_next(request.form.get("back", "")), 303)


def _take_done() -> dict[str, Any]:
    return cast("dict[str, Any]", session.pop(_DONE, {}))


def _done_job(db: Session, done: dict[str, Any]) -> dict[str, Any] | None:
    """What was done, with its job as it is now; None where nothing was, or the job is gone."""
    if not done:
        return None
    found: list[Job] = jobs.get_many(db, [done["job"]])
    return {**done, "job": found[0]} if found else None


# --- How it goes ------------------------------------------------------------------------------------------


@pages.get("/pipeline/insights")
def insights() -> ResponseReturnValue:
    """How many reach each stage, how long it takes, and who answers."""
    asked = request.args.get("period", "")
    period: Period = next((each for each in funnel.PERIODS if each == asked), "90")
    with parts().database.reading() as db:
        found = funnel.of(db, parts().settings.time_zone, period)
        ever = bool(found.jobs) or period == "all" or bool(sum(pipeline.counts(db).values()))
    return render_template(
        "insights.html",
        found=found,
        ever=ever,
        period=period,
        periods=_PERIODS,
        figures=_figures(found) if found.jobs else [],
    )


def _figures(found: Progress) -> list[dict[str, Any]]:
    """The plots, each with its table and a sentence."""
    told = [
        _bars("How far they came", _funnel(found), Quantity.COUNT, horizontal=True),
        _spreads(found),
    ]
    if found.weeks:
        weeks = [Bar(label=f"{monday.day} {monday:%b}", value=count) for monday, count in found.weeks]
        words = "Each bar is a week, named by its Monday."
        told.append(_bars("Applications a week", weeks, Quantity.COUNT, words=words))
    if found.answered.applied:
        words = "An answer is an interview, an offer or a refusal; by what the jobs score now."
        shares = _shares(found.by_score)
        told.append(_bars("Answers by score", shares, Quantity.RATIO, horizontal=True, words=words))
        if found.by_board:
            words = "A job that two boards list counts for both."
            shares = _shares(found.by_board)
            told.append(_bars("Answers by board", shares, Quantity.RATIO, horizontal=True, words=words))
    return told


def _bars(
    title: str, items: list[Bar], unit: Quantity, *, horizontal: bool = False, words: str = ""
) -> dict[str, Any]:
    return {
        "plot": plots.bars(items, title=title, unit=unit, horizontal=horizontal),
        "table": plots.table_of(items, title=title, unit=unit),
        "words": words,
        "title": title,
    }


def _funnel(found: Progress) -> list[Bar]:
    names = {
        Status.SAVED: "Taken up",
        Status.APPLIED: "Applied",
        Status.INTERVIEWING: "Interviewing",
        Status.OFFER: "Offer",
    }
    bars, before = [], 0
    for stage, count in found.reached.items():
        note = f"{count / before:.0%} of those before" if before else ""
        bars.append(Bar(label=names[stage], value=count, note=note))
        before = count
    return bars


def _spreads(found: Progress) -> dict[str, Any]:
    title = "Time in each stage"
    items = [Spread(label=STAGES[Stage(stay.stage.value)], values=stay.seconds) for stay in found.stays]
    still = ", ".join(f"{stay.still} {stay.stage}" for stay in found.stays if stay.still)
    return {
        "plot": plots.boxes(items, title=title, unit=Quantity.SECONDS),
        "table": plots.table_of(items, title=title, unit=Quantity.SECONDS),
        "words": "Of the stays that have ended." + (f" Those of today ({still}) go on." if still else ""),
        "title": title,
    }


def _shares(groups: Sequence[Answered]) -> list[Bar]:
    return [
        Bar(label=each.name, value=each.share, note=f"{each.answered} of {each.applied}") for each in groups
    ]

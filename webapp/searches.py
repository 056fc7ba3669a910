"""Saved searches: what the owner is told of, how and when; their feeds, and a test of their channels."""

from __future__ import annotations

import time
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from scout import account, digits, searches
from scout.errors import ScoutError
from scout.models import Every, Message, MessageState, SavedSearch, Status, Tells
from scout.searches import Wish
from scout.telling import channels as all_channels
from scout.telling import hours, trial
from scout.telling.channels import Channel, ChannelsUnusable
from webapp.jobs import Filters
from webapp.parts import parts

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

pages = Blueprint("searches", __name__)

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MESSAGES = 10
#: Seconds that a test of a channel may take: somebody waits for it.
_TRIAL_LIMIT = 20.0
#: Seconds for which counts of unseen jobs are kept, and how many of them: every view of the list asks.
_FRESH = 30.0
_MOST_KEPT = 1000
_COUNTED: dict[tuple[Path, int, int], tuple[float, str]] = {}


@pages.get("/searches")
def index() -> ResponseReturnValue:
    """All saved searches with what is new in them."""
    with parts().database.reading() as db:
        found = searches.every(db)
        return render_template(
            "searches.html",
            searches=[(each, _count(db, each), _looks_for(each), how(each)) for each in found],
            addresses={each.id: Filters.of_search(each).address("jobs.index") for each in found},
            parked=_parked(db),
        )


@pages.get("/searches-news")
def news() -> ResponseReturnValue:
    """The saved searches as they stand above the list of jobs, with how many of their jobs are unseen."""
    with parts().database.reading() as db:
        found = searches.every(db)
        counts = {each.id: _unseen(db, each) for each in found}
    saved = [(each, Filters.of_search(each).address("jobs.index")) for each in found]
    return render_template("_saved.html", saved=saved, news=counts, back=request.args.get("at", ""))


@pages.get("/new-search")
def new() -> ResponseReturnValue:
    """The form for a new one, filled in with what the list of jobs was asked for."""
    said = {"q": request.args.get("q", ""), "tells": "feed", "timezone": hours.zone_here(), "hour": "8"}
    status = request.args.get("status", "")
    said["min_score"] = request.args.get("min_score", "")
    statuses = [status] if status in {each.value for each in Status} and status != "new" else []
    return _form(None, {**said, "name": said["q"][:60]}, statuses=statuses, chosen=[])


@pages.post("/searches")
def create() -> ResponseReturnValue:
    """Save one."""
    try:
        wish = _wish({})
        with parts().database.session() as db:
            search = searches.add(db, wish, _channels()[0])
            slug, name = search.slug, search.name
    except (ScoutError, ValueError) as error:
        return _form(None, request.form, problem=_words(error)), 400
    flash(f"“{name}” is saved. It tells of what comes from now on.")
    return redirect(url_for(".detail", slug=slug), 303)


@pages.get("/searches/<slug>")
def detail(slug: str) -> ResponseReturnValue:
    """One search: its feeds and channels, its last messages, and the form that changes it."""
    with parts().database.reading() as db:
        search = searches.get(db, slug)
        return _form(search, _as_said(search), statuses=search.query.get("statuses", []),
                     chosen=search.channels, messages=_messages(db, search))  # fmt: skip


@pages.post("/searches/<slug>")
def change(slug: str) -> ResponseReturnValue:
    """Change one."""
    try:
        with parts().database.session() as db:
            before = dict(searches.get(db, slug).query)
            searches.change(db, slug, _wish(before), _channels()[0])
    except searches.SearchNotFound:
        raise
    except (ScoutError, ValueError) as error:
        with parts().database.reading() as db:
            search = searches.get(db, slug)
            page = _form(search, request.form, problem=_words(error), messages=_messages(db, search))
        return page, 400
    flash("The search is changed.")
    return redirect(url_for(".detail", slug=slug), 303)


@pages.post("/searches/<slug>/pause")
def pause(slug: str) -> ResponseReturnValue:
    """Let it tell nothing until it is put on again; its feed ends until then too."""
    return _put(slug, on=False)


@pages.post("/searches/<slug>/resume")
def resume(slug: str) -> ResponseReturnValue:
    """Let it tell again, of what comes from now on."""
    return _put(slug, on=True)


def _put(slug: str, *, on: bool) -> ResponseReturnValue:
    with parts().database.session() as db:
        search = searches.change(db, slug, Wish(enabled=on), _channels()[0])
        name = search.name
    flash(f"“{name}” tells again, of what comes from now on." if on else f"“{name}” is paused.")
    return redirect(url_for(".index"), 303)


@pages.post("/searches/<slug>/feed")
def renew_feed(slug: str) -> ResponseReturnValue:
    """Give its feeds other addresses."""
    with parts().database.session() as db:
        searches.renew_feed(db, slug)
    flash("The feeds have other addresses now; those before have ended.")
    return redirect(url_for(".detail", slug=slug, _anchor="feeds"), 303)


@pages.post("/searches/<slug>/test")
def test(slug: str) -> ResponseReturnValue:
    """Send what matches now by one channel, as a test."""
    name = request.form.get("channel", "")
    known, trouble = _channels()
    with parts().database.reading() as db:
        story = trial.story(db, searches.get(db, slug), parts().settings)
    trouble = trouble or trial.send(story, name, known, parts().settings, _TRIAL_LIMIT)
    if trouble:
        flash(f"The test by {name[:40]} was not taken. {trouble}", "problem")
    else:
        flash(f"A test was sent by {name}: see whether it arrives.")
    return redirect(url_for(".detail", slug=slug, _anchor="channels"), 303)


@pages.get("/searches/<slug>/remove")
def confirm_removal(slug: str) -> ResponseReturnValue:
    """Ask before it is forgotten: what it has told of could not be brought back."""
    with parts().database.reading() as db:
        return render_template("remove_search.html", search=searches.get(db, slug))


@pages.post("/searches/<slug>/remove")
def remove(slug: str) -> ResponseReturnValue:
    """Forget one."""
    with parts().database.session() as db:
        name = searches.get(db, slug).name
        searches.remove(db, slug)
    flash(f"“{name}” is removed, and its feeds have ended. No job is.")
    return redirect(url_for(".index"), 303)


# --- What is said, and how it is shown --------------------------------------------------------------------


def _wish(before: Mapping[str, Any]) -> Wish:
    """What the form says; what of the query it does not show stays as it was.

    Raises:
        ValueError: A field says what no browser sends from the form.
    """
    form = request.form
    query = {**before, "text": form.get("q", ""), "statuses": form.getlist("status")}
    query["min_score"] = min(max(int(form.get("min_score") or 0), 0), 100)
    return Wish(
        name=form.get("name", ""),
        query=query,
        tells=Tells(form.get("tells", "")),
        every=Every(form.get("every", "daily")),
        hour=_within(form.get("hour", "8"), 23),
        weekday=_within(form.get("weekday", "0"), 6),
        channels=tuple(form.getlist("channel")),
        quiet=form.get("quiet", "").replace(" ", ""),
        timezone=form.get("timezone", "").strip(),
    )


def _within(text: str, most: int) -> int:
    number = digits.whole(text, most)
    if number is None:
        raise ValueError(text)
    return number


def _words(error: ScoutError | ValueError) -> str:
    return str(error) if isinstance(error, ScoutError) else "Something in the form cannot be read."


def _as_said(search: SavedSearch) -> dict[str, str]:
    return {
        "name": search.name,
        "q": str(search.query.get("text", "")),
        "min_score": str(search.query.get("min_score", "")),
        "tells": search.tells.value,
        "every": search.every.value,
        "hour": str(search.hour),
        "weekday": str(search.weekday),
        "quiet": search.quiet,
        "timezone": search.timezone,
    }


def _form(
    search: SavedSearch | None,
    said: Mapping[str, str],
    *,
    statuses: list[str] | None = None,
    chosen: list[str] | None = None,
    **more: Any,
) -> str:
    known, trouble = _channels()
    chosen = request.form.getlist("channel") if chosen is None else chosen
    token = searches.feed_token(search, account.secret_key(parts().settings)) if search else ""
    return render_template(
        "search.html",
        search=search,
        said=said,
        statuses=request.form.getlist("status") if statuses is None else statuses,
        chosen=chosen,
        every_status=list(Status),
        days=DAYS,
        zones=sorted(zoneinfo.available_timezones()),
        known=known,
        gone=[each for each in chosen if each not in known],
        channels_trouble=trouble,
        channels_file=parts().settings.channels_file,
        feeds={form: f"{parts().settings.pages}/feeds/{token}.{form}" for form in ("atom", "json")},
        address=Filters.of_search(search).address("jobs.index") if search else "",
        **more,
    )


def _channels() -> tuple[Mapping[str, Channel], str]:
    """The channels there are, and why they cannot be read, if they cannot."""
    try:
        return all_channels.load(parts().settings), ""
    except ChannelsUnusable as error:
        return {}, str(error)


def _count(db: Session, search: SavedSearch) -> searches.Counts | None:
    try:
        return searches.count(db, search)
    except searches.SearchUnusable:
        return None


def _unseen(db: Session, search: SavedSearch) -> str:
    """How many jobs of a search are unseen, counted anew every half minute by each process."""
    key = (parts().settings.data_dir, search.id, search.revision)
    counted = _COUNTED.get(key)
    if counted is None or time.monotonic() - counted[0] > _FRESH:
        count = _count(db, search)
        told = "?" if count is None else f"{count.news:,}{'+' if count.news == searches.MOST_COUNTED else ''}"
        if len(_COUNTED) > _MOST_KEPT:
            _COUNTED.clear()
        counted = _COUNTED[key] = (time.monotonic(), told)
    return counted[1]


def _looks_for(search: SavedSearch) -> str:
    """What a search looks for, in words."""
    query = search.query
    said = [f"“{query['text']}”"] if query.get("text") else []
    said += [f"match from {query['min_score']}"] if query.get("min_score") else []
    said += [f"on {query['source']}"] if query.get("source") else []
    said += [" or ".join(query["statuses"])] if query.get("statuses") else []
    return ", ".join(said) or "every job that you have not done with"


def how(search: SavedSearch) -> str:
    """How a search tells, in words."""
    if search.tells is Tells.DIGEST:
        day = f"on {DAYS[search.weekday]}s" if search.every is Every.WEEKLY else "each day"
        return f"one message {day} at {search.hour}:00"
    return "at once" if search.tells is Tells.INSTANT else "by its feed"


def _messages(db: Session, search: SavedSearch) -> list[Message]:
    last = select(Message).where(Message.search_id == search.id).order_by(Message.id.desc())
    return list(db.scalars(last.limit(_MESSAGES)))


def _parked(db: Session) -> set[int]:
    """The searches with a message that was given up."""
    return set(db.scalars(select(Message.search_id).where(Message.state == MessageState.PARKED)))

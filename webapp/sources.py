"""The boards that are watched: how they fare, adding one, pausing, scanning and removing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from redis import RedisError
from sqlalchemy import func, select

import metrics.push
from scout import discovery, runs, sources, watchlist
from scout.errors import ScoutError
from scout.models import Job, Listing, RunTrigger, ScanResult, Source
from scout.sources.about import off
from webapp.parts import parts

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

pages = Blueprint("sources", __name__)

_LONGEST_ADDRESS = 2000


@pages.get("/sources")
def index() -> ResponseReturnValue:
    """All of them, with their health."""
    return _list()


def _list(
    address: str = "", problem: str = "", *, offer: bool = False, seen: discovery.Look | None = None
) -> str:
    """The page, with what came of an address: a problem, the offer to look at it, and what a look found."""
    with parts().database.reading() as db:
        found = watchlist.every(db)
        order = {"failing": 0, "partial": 1, "new": 2, "ok": 3, "paused": 4}
        found.sort(key=lambda source: order[watchlist.health(source)])
        return render_template(
            "sources.html",
            sources=found,
            health=watchlist.health,
            last=_last_results(db),
            open_jobs=_open_jobs(db),
            left_alone=_left_alone(found),
            reasons=runs.REASON_TEXT,
            kinds=[kind.title for kind in sources.KINDS.values()],
            address=address,
            problem=problem,
            offer=offer,
            seen=seen,
            titles={name: kind.title for name, kind in sources.KINDS.items()},
            at_any_address=sources.AT_ANY_ADDRESS,
        )


def _last_results(db: Session) -> dict[int, ScanResult]:
    newest = select(func.max(ScanResult.id)).group_by(ScanResult.source_id)
    return {
        result.source_id: result for result in db.scalars(select(ScanResult).where(ScanResult.id.in_(newest)))
    }


def _left_alone(found: list[Source]) -> dict[int, str]:
    """What to tell of boards whose host is not asked as usual; nothing is known of that without Redis."""
    try:
        standings = watchlist.left_alone(parts().redis, found)
    except RedisError:
        return {}
    return {source_id: watchlist.told(standing) for source_id, standing in standings.items()}


def _open_jobs(db: Session) -> dict[int, int]:
    counted = (
        select(Listing.source_id, func.count()).where(Listing.closed_at.is_(None)).group_by(Listing.source_id)
    )
    return {row[0]: row[1] for row in db.execute(counted)}


@pages.post("/sources")
def add() -> ResponseReturnValue:
    """Watch the board that the pasted address belongs to, and scan it at once."""
    address = request.form.get("url", "").strip()[:_LONGEST_ADDRESS]
    if not address:
        return _list(problem="Paste the address of a board, such as https://jobs.lever.co/veeva."), 400
    kind = request.form.get("kind", "")
    try:
        board = sources.at(kind, address) if kind else sources.recognise(address)
        with parts().database.session() as db:
            source = watchlist.add(db, board)
            slug, name = source.slug, source.name
    except watchlist.AlreadyWatched as error:
        return _list(address, f"This board is watched already, as {error.slug}."), 409
    except sources.UnknownBoard as error:
        return _list(address, str(error), offer=True), 400
    except ScoutError as error:
        return _list(address, str(error)), 400
    why_off = off(sources.KINDS[board.kind], parts().settings)
    if why_off:
        flash(why_off)
    runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER, slugs=[slug])
    flash(f"{name} is watched now, and its first scan is on its way.")
    return redirect(url_for(".index", _anchor=slug), 303)


@pages.post("/sources/discover")
def discover() -> ResponseReturnValue:
    """Look once at the page that was pasted, and offer the boards that it leads to."""
    address = request.form.get("url", "").strip()[:_LONGEST_ADDRESS]
    try:
        seen = discovery.look(address, parts().settings)
    except ScoutError as error:
        return _list(address, str(error)), 400
    return _list(address, seen=seen)


@pages.post("/sources/starters")
def add_starters() -> ResponseReturnValue:
    """Watch the boards that the program knows, and scan them."""
    with parts().database.session() as db:
        added = watchlist.add_starters(db)
    if not added:
        flash("All boards of the starter list are watched already.")
        return redirect(url_for(".index"), 303)
    run_id = runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER)
    flash(f"{added} boards are watched now.")
    return redirect(url_for("scans.detail", run_id=run_id), 303)


@pages.post("/sources/<slug>/pause")
def pause(slug: str) -> ResponseReturnValue:
    """Scan it no longer until it is resumed."""
    with parts().database.session() as db:
        name = watchlist.pause(db, slug).name
    flash(f"{name} is paused. Its jobs stay.")
    return redirect(url_for(".index", _anchor=slug), 303)


@pages.post("/sources/<slug>/resume")
def resume(slug: str) -> ResponseReturnValue:
    """Scan it again."""
    with parts().database.session() as db:
        name = watchlist.resume(db, slug).name
    flash(f"{name} is watched again.")
    return redirect(url_for(".index", _anchor=slug), 303)


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
        listed = select(func.count(func.distinct(Listing.job_id))).where(Listing.source_id == source.id)
        decided = listed.join(Job).where(Job.status.notin_(("new", "closed")))
        return render_template(
            "remove.html", source=source, listed=db.scalar(listed) or 0, decided=db.scalar(decided) or 0
        )


@pages.post("/sources/<slug>/remove")
def remove(slug: str) -> ResponseReturnValue:
    """Watch it no longer, and let the gateway forget its figures."""
    with parts().database.session() as db:
        name = watchlist.get(db, slug).name
        watchlist.remove(db, slug)
    metrics.push.forget_source(parts().settings.pushgateway, slug)
    flash(f"{name} is removed.")
    return redirect(url_for(".index"), 303)

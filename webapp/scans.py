"""Scans: the recent ones, and one as it goes on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.exc import OperationalError

from metrics.instruments import count_error
from scout import cancelling, digits, progress, remedies, runs
from scout.models import RunTrigger
from scout.queue import QueueAway
from webapp import streams
from webapp.jobs import all_unreachable
from webapp.parts import parts
from webapp.sign_in import safe_next

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

pages = Blueprint("scans", __name__)
logger = logging.getLogger(__name__)

#: What htmx takes as the end of polling (htmx documentation, "Polling").
_STOP_POLLING = 286
_SHOWN = 30
_GREATEST_ID = 2**31 - 1

_places = streams.Places()


@pages.get("/scans")
def index() -> ResponseReturnValue:
    """The recent runs; `before` leads to older ones."""
    before = _whole(request.args.get("before", ""))
    with parts().database.reading() as db:
        found = progress.recent(db, _SHOWN + 1, before=before or None)
        return render_template(
            "scans.html", runs=found[:_SHOWN], older=found[_SHOWN - 1].run.id if found[_SHOWN:] else 0
        )


def _whole(text: str) -> int:
    return digits.whole(text) or 0


@pages.post("/scans")
def scan_everything() -> ResponseReturnValue:
    """Scan all boards that are not paused."""
    try:
        run_id = runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER)
    except runs.NothingToScan:
        flash("There is no board to scan: add one, or resume a paused one.", "problem")
        return redirect(url_for("sources.index"), 303)
    tell_if_queue_is_away()
    return redirect(url_for(".detail", run_id=run_id), 303)


def tell_if_queue_is_away() -> None:
    """Say so on the next page, if a scan that was asked for has to wait for its queue."""
    try:
        parts().scans.check()
    except QueueAway as error:
        count_error(error, "web")
        flash("The queue does not answer just now; the scan starts as soon as it does.", "problem")


@pages.get("/scans/<int:run_id>")
def detail(run_id: int) -> ResponseReturnValue:
    """One run, live while it goes on."""
    page = max(_whole(request.args.get("page", "")), 1)
    return render_template("scan.html", **_what_is_known(run_id, page))


@pages.get("/scans/<int:run_id>/progress")
def part(run_id: int) -> ResponseReturnValue:
    """The part of a run's page that changes. The status 286 says that nothing more will."""
    known = _what_is_known(run_id)
    answer = make_response(render_template("_progress.html", **known))
    if known["run"].state.ended:
        answer.status_code = _STOP_POLLING
    return answer


@pages.get("/scans/<int:run_id>/events")
def events(run_id: int) -> ResponseReturnValue:
    """The same as a stream of events. 204 tells a browser that there is no place, and to ask no more."""
    with parts().database.reading() as db:
        progress.of(db, min(run_id, _GREATEST_ID))
    place = _places.take()
    if place is None:
        return Response(status=204)
    last = ""

    def look() -> tuple[str, bool]:
        nonlocal last
        try:
            known = _what_is_known(run_id)
        except OperationalError as error:
            # Away for a moment: the page shows what it showed, and is told when there is more.
            logger.warning("A look at scan run %s failed: %s", run_id, error.orig)
            count_error(error, "web")
            return last, False
        except runs.RunNotFound:
            return last, True
        last = render_template("_progress.html", **known)
        return last, known["run"].state.ended

    return streams.stream(place, look)


@pages.post("/scans/<int:run_id>/cancel")
def cancel(run_id: int) -> ResponseReturnValue:
    """End it before its time. What was stored stays."""
    try:
        done = cancelling.cancel(parts().database, parts().settings, min(run_id, _GREATEST_ID))
    except cancelling.RunEnded as error:
        flash(str(error), "problem")
    else:
        flash(f"Scan {run_id} {cancelling.told(done)} What was found so far stays.")
    return redirect(url_for(".detail", run_id=run_id), 303)


@pages.get("/scans/<int:run_id>/banner")
def banner(run_id: int) -> ResponseReturnValue:
    """A run in one line, for the list of jobs.

    Polled rather than streamed: that list is what people leave open all day, and a stream holds a thread.
    """
    with parts().database.reading() as db:
        known = progress.of(db, min(run_id, _GREATEST_ID))
    answer = make_response(
        render_template(
            "_banner.html", back=safe_next(request.args.get("back", "")), run=known.run, progress=known
        )
    )
    if known.run.state.ended:
        answer.status_code = _STOP_POLLING
    return answer


def _what_is_known(run_id: int, page: int = 1) -> dict[str, Any]:
    with parts().database.reading() as db:
        known = progress.of(db, min(run_id, _GREATEST_ID))
        last = max(1, -(-known.all // progress.SHOWN))
        page = min(page, last)
        return {
            "run": known.run,
            "progress": known,
            "results": progress.boards(
                db, known.run.id, limit=progress.SHOWN, offset=progress.SHOWN * (page - 1)
            ),
            "page": page,
            "last_page": last,
            "reasons": runs.REASON_TEXT,
            "remedies": remedies.REMEDY,
            "offline": known.run.state.ended and all_unreachable(db),
        }

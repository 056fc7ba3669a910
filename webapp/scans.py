"""Scans: the recent ones, and one as it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for

from metrics.instruments import count_error
from scout import runs
from scout.models import RunTrigger, ScanRun, ScanState
from scout.queue import QueueAway
from webapp.jobs import all_unreachable
from webapp.parts import parts
from webapp.sign_in import safe_next

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

pages = Blueprint("scans", __name__)

#: What htmx takes as the end of polling (htmx documentation, "Polling").
_STOP_POLLING = 286
_SHOWN = 50
_GREATEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come, in sums over its sources."""

    ended: int
    all: int
    seen: int
    new: int
    updated: int
    closed: int
    failed: int

    @classmethod
    def of(cls, run: ScanRun) -> Progress:
        """Sum a run up."""
        results = run.results
        return cls(
            ended=sum(each.state.ended for each in results),
            all=len(results),
            seen=sum(each.seen for each in results),
            new=sum(each.new for each in results),
            updated=sum(each.updated for each in results),
            closed=sum(each.closed for each in results),
            failed=sum(each.state is ScanState.FAILED for each in results),
        )


#: What goes on comes first, then what needs a look.
_ORDER = {
    ScanState.RUNNING: 0,
    ScanState.FAILED: 1,
    ScanState.PARTIAL: 2,
    ScanState.SUCCEEDED: 3,
    ScanState.QUEUED: 4,
}


@pages.get("/scans")
def index() -> ResponseReturnValue:
    """The recent runs."""
    with parts().database.reading() as db:
        found = runs.recent(db, _SHOWN)
        return render_template("scans.html", runs=[(run, Progress.of(run)) for run in found])


@pages.post("/scans")
def scan_everything() -> ResponseReturnValue:
    """Scan all boards that are not paused."""
    try:
        run_id = runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER)
    except runs.NothingToScan:
        flash("There is no board to scan: add one, or resume a paused one.", "problem")
        return redirect(url_for("sources.index"), 303)
    try:
        parts().scans.check()
    except QueueAway as error:
        count_error(error, "web")
        flash("The queue does not answer just now; the scan starts as soon as it does.", "problem")
    return redirect(url_for(".detail", run_id=run_id), 303)


@pages.get("/scans/<int:run_id>")
def detail(run_id: int) -> ResponseReturnValue:
    """One run, live while it goes on."""
    return render_template("scan.html", **_what_is_known(run_id))


@pages.get("/scans/<int:run_id>/progress")
def progress(run_id: int) -> ResponseReturnValue:
    """The part of a run's page that changes. The status 286 tells htmx that nothing more will."""
    known = _what_is_known(run_id)
    answer = make_response(render_template("_progress.html", **known))
    if known["run"].state.ended:
        answer.status_code = _STOP_POLLING
    return answer


@pages.get("/scans/<int:run_id>/banner")
def banner(run_id: int) -> ResponseReturnValue:
    """A run in one line, for the list of jobs."""
    known = _what_is_known(run_id)
    answer = make_response(
        render_template("_banner.html", back=safe_next(request.args.get("back", "")), **known)
    )
    if known["run"].state.ended:
        answer.status_code = _STOP_POLLING
    return answer


def _what_is_known(run_id: int) -> dict[str, Any]:
    with parts().database.reading() as db:
        run = runs.get(db, min(run_id, _GREATEST_ID))
        results = sorted(run.results, key=lambda each: (_ORDER[each.state], each.source.name.casefold()))
        return {
            "run": run,
            "results": results,
            "progress": Progress.of(run),
            "reasons": runs.REASON_TEXT,
            "offline": run.state.ended and all_unreachable(db),
        }

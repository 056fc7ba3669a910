"""Scans: asking for one, how far it has come, and calling it off."""

from __future__ import annotations

from typing import Any

from flask import Response
from pydantic import Field

from scout import cancelling, clock, progress, runs
from scout.models import RunTrigger, ScanResult
from scout.progress import Progress
from scout.remedies import REMEDY
from scout.tokens import Scope
from webapp.api import answers, cursors, shapes
from webapp.api.operation import Resource
from webapp.api.shapes import Asked, Given, Id, Slug, Taken
from webapp.parts import parts

api = Resource("scans", "Scans: asking for one, how far it has come, and calling it off.")

_MOST_NAMED = 3000


class RunPath(Asked):
    """A scan run."""

    run_id: Id = Field(description="The run's number.")


class ListedRuns(shapes.OnwardPage):
    """Scan runs, the newest first."""

    items: list[shapes.Run]


def _told(found: Progress) -> dict[str, Any]:
    run, left = found.run, found.left
    return {
        "run_id": run.id,
        "status": run.state.value,
        "cancelling": found.cancelling,
        "trigger": run.trigger.value,
        "created_at": clock.iso(run.created_at),
        "started_at": clock.iso(run.started_at),
        "finished_at": clock.iso(run.finished_at),
        "boards": found.all,
        "boards_ended": found.ended,
        "boards_failed": found.failed,
        "seen": found.seen,
        "new": found.new,
        "updated": found.updated,
        "closed": found.closed,
        "seconds_left": None if left is None else round(left.total_seconds(), 1),
    }


@api.operation("GET", "/scans", scope=Scope.BOARDS_READ, answer=ListedRuns)
def list_scans(query: shapes.Onward) -> Response:
    """List the scan runs, the newest first."""
    before = cursors.place(query.after)
    with parts().database.reading() as db:
        found, more = cursors.cut(progress.recent(db, query.limit + 1, before=before), query.limit)
    return answers.onward([_told(each) for each in found], after=found[-1].run.id if more else None)


class NewRun(Taken):
    """Which boards to scan."""

    sources: list[Slug] | None = Field(
        None,
        min_length=1,
        max_length=_MOST_NAMED,
        description="Their short names; null is all that are not paused.",
    )


def _run(run_id: int) -> dict[str, Any]:
    with parts().database.reading() as db:
        return _told(progress.of(db, run_id))


@api.operation(
    "POST",
    "/scans",
    scope=Scope.BOARDS_WRITE,
    answer=shapes.Run,
    status=202,
    refuses=("not-found", "conflict"),
    does="Asked for a scan",
)
def start_scan(body: NewRun) -> Response:
    """Ask for a scan. It goes on by itself; `get_scan` tells how far it has come.

    A board that is being scanned is not asked for twice: where all are, the answer is the run that goes on.
    """
    run_id = runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER, slugs=body.sources)
    return answers.say(_run(run_id), 202, headers={"Location": f"/api/v1/scans/{run_id}"})


@api.operation(
    "GET", "/scans/<int:run_id>", scope=Scope.BOARDS_READ, answer=shapes.Run, refuses=("not-found",)
)
def get_scan(path: RunPath) -> Response:
    """Read how far a scan run has come."""
    return answers.say(_run(path.run_id))


class Boards(Given):
    """A scan run's boards: those that run, those that need a look, then the rest by name."""

    items: list[shapes.RunBoard]
    next: str | None = Field(description="The address of the page after this, or null.")


def _board(result: ScanResult) -> dict[str, Any]:
    return {
        "source": result.source.slug,
        "name": result.source.name,
        "kind": result.source.kind,
        "status": result.state.value,
        "phase": result.phase,
        "attempts": result.attempts,
        "started_at": clock.iso(result.started_at),
        "finished_at": clock.iso(result.finished_at),
        "seen": result.seen,
        "new": result.new,
        "updated": result.updated,
        "closed": result.closed,
        "reopened": result.reopened,
        "reason": result.reason,
        "error": result.error,
        "remedy": REMEDY.get(result.reason, ""),
    }


@api.operation(
    "GET", "/scans/<int:run_id>/boards", scope=Scope.BOARDS_READ, answer=Boards, refuses=("not-found",)
)
def list_scan_boards(path: RunPath, query: shapes.Onward) -> Response:
    """List the boards of a scan run, with what became of each."""
    begin = cursors.place(query.after) or 0
    with parts().database.reading() as db:
        progress.of(db, path.run_id)
        found = progress.boards(db, path.run_id, limit=query.limit + 1, offset=begin)
        page, more = cursors.cut(found, query.limit)
        items = [_board(each) for each in page]
    return answers.onward(items, after=begin + len(page) if more else None)


@api.operation(
    "POST",
    "/scans/<int:run_id>/cancel",
    scope=Scope.BOARDS_WRITE,
    answer=shapes.Run,
    status=202,
    refuses=("not-found", "conflict"),
    does="Called a scan off",
)
def cancel_scan(path: RunPath) -> Response:
    """Call a scan run off. Boards that wait end at once, the others at their next page. Nothing is lost."""
    cancelling.cancel(parts().database, parts().settings, path.run_id)
    return answers.say(_run(path.run_id), 202)

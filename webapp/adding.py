"""Adding boards: by an address or many, after a look at them, by what a page leads to, the starter list."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import flash, redirect, request, url_for

from scout import adding, chosen_profile, discovery, lists, runs, sources, trial, watchlist
from scout.errors import ScoutError
from scout.models import RunTrigger
from scout.sources.about import off
from webapp.parts import parts
from webapp.sources import pages, shown

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from scout.adding import Line
    from scout.sources.board import Board
    from scout.trial import Trial

__all__ = ["pages"]

_LONGEST_ADDRESS = 2000
#: Boards that are looked at in one request, within `trial.BUDGET` seconds altogether.
MOST_TRIED = 5
_NOTHING_PASTED = "Paste the address of a board, such as https://jobs.lever.co/veeva."


def _pasted() -> str:
    return request.form.get("url", "").replace("\x00", "").strip()[: adding.MOST * 200]


def _several(pasted: str) -> bool:
    return "\n" in pasted


@pages.post("/sources")
def add() -> ResponseReturnValue:
    """Watch the boards that the pasted addresses belong to, and scan them at once."""
    pasted = _pasted()
    if not pasted:
        return shown(problem=_NOTHING_PASTED), 400
    if _several(pasted):
        return _add_many(pasted)
    address = pasted[:_LONGEST_ADDRESS]
    try:
        board = _board(address)
        with parts().database.session() as db:
            source = watchlist.add(db, board)
            slug, name = source.slug, source.name
    except watchlist.AlreadyWatched as error:
        return shown(address, f"This board is watched already, as {error.slug}."), 409
    except sources.UnknownBoard as error:
        return shown(address, str(error), offer=True), 400
    except ScoutError as error:
        return shown(address, str(error)), 400
    why_off = off(sources.KINDS[board.kind], parts().settings)
    if why_off:
        flash(why_off)
    runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER, slugs=[slug])
    flash(f"{name} is watched now, and its first scan is on its way.")
    return redirect(url_for("sources.index", _anchor=slug), 303)


def _board(address: str) -> Board:
    kind = request.form.get("kind", "")
    return sources.at(kind, address) if kind else sources.recognise(address)


def _add_many(pasted: str) -> ResponseReturnValue:
    try:
        entries = lists.entries(pasted)
    except lists.UnreadableList as error:
        return shown(pasted, str(error)), 400
    if len(entries) > adding.MOST:
        return shown(
            pasted, f"Paste at most {adding.MOST:,} addresses at once; these are {len(entries):,}."
        ), 400
    report = adding.add(parts().database, parts().settings, entries)
    added = [line.slug for line in report if line.added]
    if added:
        runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER, slugs=added)
    failed = "\n".join(line.address for line in report if not line.slug)
    return shown(failed, report=report)


@pages.post("/sources/try")
def try_() -> ResponseReturnValue:
    """Look at the boards once, and keep nothing."""
    pasted = _pasted()
    if not pasted:
        return shown(problem=_NOTHING_PASTED), 400
    try:
        entries = lists.entries(pasted)
    except lists.UnreadableList as error:
        return shown(pasted, str(error)), 400
    with parts().database.reading() as db:
        profile = chosen_profile.in_use(db)
    found: list[Trial] = []
    report: list[Line] = []
    until = time.monotonic() + trial.BUDGET
    for number, entry in enumerate(entries):
        try:
            board = _board(entry.address[:_LONGEST_ADDRESS])
        except ScoutError as error:
            if len(entries) == 1:
                return shown(pasted, str(error), offer=isinstance(error, sources.UnknownBoard)), 400
            report.append(adding.Line(line=entry.line, address=entry.address, said=str(error)))
            continue
        left = until - time.monotonic()
        if number >= MOST_TRIED or left <= 0:
            report.append(
                adding.Line(
                    line=entry.line,
                    address=entry.address,
                    said=f"It was not looked at: paste {MOST_TRIED} at a time.",
                )
            )
            continue
        found.append(trial.look(parts().database, parts().settings, board, profile, budget=left))
    return shown(pasted, report=report[: adding.MOST], trials=found)


@pages.post("/sources/discover")
def discover() -> ResponseReturnValue:
    """Look once at the page that was pasted, and offer the boards that it leads to."""
    address = _pasted()[:_LONGEST_ADDRESS]
    try:
        seen = discovery.look(address, parts().settings)
    except ScoutError as error:
        return shown(address, str(error)), 400
    return shown(address, seen=seen)


@pages.post("/sources/starters")
def add_starters() -> ResponseReturnValue:
    """Watch the boards that the program knows, and scan them."""
    with parts().database.session() as db:
        added = watchlist.add_starters(db)
    if not added:
        flash("All boards of the starter list are watched already.")
        return redirect(url_for("sources.index"), 303)
    run_id = runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER)
    flash(f"{added} boards are watched now.")
    return redirect(url_for("scans.detail", run_id=run_id), 303)

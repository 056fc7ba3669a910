"""The first run: choose what to look for and where, watch the first scan, land on its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for

from scout import boards, chosen_profile, lists, progress, remedies, runs, welcome
from scout.chosen_profile import Origin, SettingWins
from scout.matching import ProfileUnusable, load_profile, names
from webapp.parts import parts

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from scout.matching import Profile

pages = Blueprint("welcome", __name__)


def first_page(wanted: str) -> str:
    """Where somebody goes who has just signed in: where they wanted to, or to the first run.

    Args:
        wanted: The path that was asked for; that of the jobs where none was.
    """
    if wanted != url_for("jobs.index"):
        return wanted
    with parts().database.reading() as db:
        return url_for("welcome.form") if welcome.is_wanted(db) else wanted


@pages.get("/welcome")
def form() -> ResponseReturnValue:
    """What to look for, and where."""
    return _form()


def _form(problem: str = "", chosen: str = "", text: str = "", pasted: str = "") -> str:
    with parts().database.reading() as db:
        used = chosen_profile.told(db)
        found = progress.recent(db, 1)
        offers = welcome.offers(db)
        return render_template(
            "welcome.html",
            used=used,
            setting=used.origin is Origin.SETTING,
            profiles=program_profiles(),
            chosen=chosen or (chosen_profile.MINE if used.text else used.name),
            text=text or used.text,
            pasted=pasted,
            problem=problem,
            offers=offers,
            # Before anything is watched all are offered with a tick; later, those that are watched have one.
            watched=sum(boards.healths(db).values()),
            ticked=frozenset(request.form.getlist("starter")) if request.method == "POST" else None,
            scan=found[0] if found else None,
        )


def program_profiles() -> list[Profile]:
    """The profiles that come with the program, the usual one first."""
    return sorted((load_profile(name) for name in names()), key=lambda each: (each.name != "iam", each.title))


@pages.post("/welcome")
def begin() -> ResponseReturnValue:
    """Keep the choices, ask for the first scan, and go and watch it."""
    name, text = request.form.get("profile", ""), request.form.get("text", "").replace("\r\n", "\n")
    pasted = request.form.get("url", "").replace("\x00", "")
    try:
        with parts().database.session() as db:
            if chosen_profile.told(db).origin is not Origin.SETTING:
                chosen_profile.choose(db, name, text if name == chosen_profile.MINE else "")
    except (ProfileUnusable, SettingWins) as error:
        return _form(str(error), name, text, pasted), 400
    try:
        begun = welcome.begin(
            parts().database,
            parts().scans,
            parts().settings,
            keys=frozenset(request.form.getlist("starter")),
            pasted=pasted,
        )
    except lists.UnreadableList as error:
        return _form(str(error), name, text, pasted), 400
    for line in begun.report:
        if not line.slug:
            flash(f"{line.address[:200]}: {line.said}", "problem")
    if begun.run_id is None:
        flash(
            "No board is watched yet, so there is nothing to scan: tick some, or paste an address.", "problem"
        )
        return redirect(url_for(".form"), 303)
    with parts().database.session() as db:
        welcome.over(db)
    return redirect(url_for(".watch", run_id=begun.run_id), 303)


@pages.get("/welcome/<int:run_id>")
def watch(run_id: int) -> ResponseReturnValue:
    """The first scan as it goes on, and the way to what it finds."""
    with parts().database.reading() as db:
        known = progress.of(db, min(run_id, 2**31 - 1))
        return render_template(
            "welcome_scan.html",
            run=known.run,
            progress=known,
            results=progress.boards(db, known.run.id, limit=progress.SHOWN),
            reasons=runs.REASON_TEXT,
            remedies=remedies.REMEDY,
            offline=False,
        )


@pages.post("/welcome/skip")
def skip() -> ResponseReturnValue:
    """Leave it out, for good."""
    with parts().database.session() as db:
        welcome.over(db)
    return redirect(url_for("jobs.index"), 303)

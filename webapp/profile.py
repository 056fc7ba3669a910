"""The profile: what is looked for, what a text or a job scores, what another profile would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload

from scout import chosen_profile, digits, matching, normalise, rescoring
from scout.chosen_profile import Origin
from scout.errors import ScoutError
from scout.matching import Match, Profile
from scout.models import Job
from scout.postings import Posting
from scout.previewing import Change, Preview, preview
from webapp.parts import parts
from webapp.welcome import program_profiles

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

pages = Blueprint("profile", __name__)

#: Jobs that are scored to show what would change: some seconds' work.
NEWEST = 10_000
_NAMED = 15
_LONGEST_TEXT = 100_000

CHANGE_WORDS = {
    Change.APPEARS: "would match and do not now",
    Change.VANISHES: "would match no longer",
    Change.RISES: "would rise",
    Change.FALLS: "would fall",
    Change.STAYS: "would stay as they are",
}


@pages.get("/profile")
def index() -> ResponseReturnValue:
    """The profile in use: its words, its points, and how far scoring with it has come."""
    return _page()


def _page(**more: Any) -> str:
    with parts().database.reading() as db:
        used = chosen_profile.told(db)
        known: dict[str, Any] = {
            "used": used,
            "setting": used.origin is Origin.SETTING,
            "profiles": program_profiles(),
            "chosen": chosen_profile.MINE if used.text else used.name,
            "text": used.text or (matching.text_of(used.name) if used.name in matching.names() else ""),
            "groups": _groups(used.profile) if used.profile is not None else [],
            "scoring": rescoring.progress(db),
            "change_words": CHANGE_WORDS,
            "newest": NEWEST,
        }
        return render_template("profile.html", **(known | more))


def _groups(profile: Profile) -> list[tuple[str, list[matching.Term]]]:
    """Its terms by their groups, in the profile's order."""
    found: dict[str, list[matching.Term]] = {}
    for term in profile.terms:
        found.setdefault(term.group, []).append(term)
    return list(found.items())


def _meant() -> tuple[str, str]:
    """The name and the text of the profile that the form means."""
    name = request.form.get("profile", "")[:200]
    text = request.form.get("text", "").replace("\r\n", "\n").replace("\x00", "")
    return name, text if name == chosen_profile.MINE else ""


@pages.post("/profile")
def choose() -> ResponseReturnValue:
    """Use another profile from now on."""
    name, text = _meant()
    try:
        profile = chosen_profile.checked(name, text)
        with parts().database.session() as db:
            chosen_profile.choose(db, name, text)
    except ScoutError as error:
        return _page(problem=str(error), chosen=name, **({"text": text} if text else {})), 400
    flash(f"The profile in use is {profile.title} now. What is kept is scored again by itself.")
    return redirect(url_for(".index"), 303)


@pages.post("/profile/preview")
def would_change() -> ResponseReturnValue:
    """What a profile would change of the jobs kept; nothing is changed."""
    name, text = _meant()
    again = {"chosen": name, **({"text": text} if text else {})}
    try:
        profile = chosen_profile.checked(name, text)
    except ScoutError as error:
        return _page(problem=str(error), **again), 400
    with parts().database.reading() as db:
        found: Preview = preview(db, profile, limit=_NAMED, newest=NEWEST)
    return _page(previewed=found, previewed_with=profile, **again)


@pages.post("/profile/try")
def try_() -> ResponseReturnValue:
    """What a text, or a job that is kept, scores with the profile in use, and why."""
    number = request.form.get("job", "").strip().removeprefix("#")
    title = request.form.get("title", "").replace("\x00", "").strip()[:500]
    text = request.form.get("posting", "").replace("\x00", "")[:_LONGEST_TEXT]
    given = {"tried_title": title, "tried_text": text, "tried_job": number}
    try:
        posting = _posting(number, title, text)
        with parts().database.reading() as db:
            match: Match = matching.score(posting, chosen_profile.in_use(db))
    except ScoutError as error:
        return _page(try_problem=str(error), **given), 400
    return _page(tried=match, tried_posting=posting, **given)


class NothingToTry(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """Neither a text nor a job that is kept was given."""


def _posting(number: str, title: str, text: str) -> Posting:
    if number:
        job_id = digits.whole(number)
        with parts().database.reading() as db:
            job = db.get(Job, job_id, options=[joinedload(Job.description)]) if job_id else None
            if job is None:
                raise NothingToTry(
                    f"There is no job {number}. Its number is at the end of its page's address."
                )
            return matching.posting_of(job, job.description_text)
    if not title and not text.strip():
        raise NothingToTry("Paste a title or a text, or give the number of a job that is kept.")
    return normalise.completed(
        Posting(source_job_id="", title=title, company="", url="", description_text=text)
    )

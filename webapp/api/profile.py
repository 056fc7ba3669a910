"""The profile: what is looked for, what another one would find, and choosing one."""

from __future__ import annotations

from typing import Any, Self

from flask import Response
from pydantic import Field, model_validator

from scout import chosen_profile, clock, matching, normalise, previewing, rescoring
from scout.chosen_profile import LONGEST, Origin
from scout.matching import Match, Profile
from scout.postings import Posting
from scout.previewing import Change
from scout.tokens import Scope
from webapp.api import answers, shapes
from webapp.api.operation import Resource
from webapp.api.shapes import Given, Taken
from webapp.parts import parts

api = Resource("profile", "The profile: what is looked for, what another one would find, and choosing one.")

_LONGEST_TEXT = 100_000


class Term(Given):
    """One thing that a profile looks for."""

    term: str = Field(examples=["identity governance"])
    group: str
    points: dict[str, int] = Field(
        description="What it gives by place: `title`, `department`, `description`."
    )
    others: int = Field(description="How many other terms must be found for it to count.")


class TheProfile(Given):
    """A profile."""

    name: str = Field(examples=["iam"])
    title: str
    about: str
    limits: dict[str, int] = Field(description="The most that the terms of a place give together.")
    terms: list[Term]
    wishes: list[str] = Field(description="What is wanted besides: `place`, `remote`, `pay`, ...")


class Scoring(Given):
    """How far scoring what is kept has come, after the profile changed."""

    profile: str
    asked_at: shapes.Time
    finished_at: shapes.Time | None
    total: int
    done: int
    changed: int


class ProfileInUse(Given):
    """The profile in use."""

    origin: Origin = Field(description="What says so: `setting` is SCOUT_PROFILE, which wins.")
    name: str = Field(description="Of one of the program's, or the path of a file; empty for one's own text.")
    text: str = Field(description="One's own, or empty.")
    profile: TheProfile | None = Field(description="It, or null where it cannot be used.")
    problem: str = Field(description="Why it cannot be used, or empty.")
    names: list[str] = Field(description="The profiles that come with the program.")
    scoring: Scoring | None


def _profile(chosen: Profile) -> dict[str, Any]:
    return {
        "name": chosen.name,
        "title": chosen.title,
        "about": chosen.about,
        "limits": dict(chosen.limits),
        "terms": [
            {"term": each.label, "group": each.group, "points": dict(each.points), "others": each.others}
            for each in chosen.terms
        ],
        "wishes": [wish.where for wish in chosen.wishes],
    }


def _in_use() -> dict[str, Any]:
    with parts().database.reading() as db:
        used, scoring = chosen_profile.told(db), rescoring.progress(db)
    return {
        "origin": used.origin.value,
        "name": used.name,
        "text": used.text,
        "profile": _profile(used.profile) if used.profile else None,
        "problem": used.problem,
        "names": matching.names(),
        "scoring": None
        if scoring is None
        else {
            "profile": scoring.profile,
            "asked_at": clock.iso(scoring.asked_at),
            "finished_at": clock.iso(scoring.finished_at),
            "total": scoring.total,
            "done": scoring.done,
            "changed": scoring.changed,
        },
    }


@api.operation("GET", "/profile", scope=Scope.BOARDS_READ, answer=ProfileInUse)
def get_profile() -> Response:
    """Read the profile in use, and how far scoring with it has come."""
    return answers.say(_in_use())


class Meant(Taken):
    """A profile: one of the program's by its name, or one's own as text. Without either, the one in use."""

    name: str = Field("", max_length=80, examples=["nursing"])
    text: str = Field("", max_length=LONGEST, description="YAML, as docs/PROFILES.md tells.")

    def profile(self) -> Profile:
        """It, ready for matching."""
        if self.name or self.text.strip():
            return chosen_profile.checked(self.name, self.text)
        with parts().database.reading() as db:
            return chosen_profile.in_use(db)


class Choice(Meant):
    """The profile to use: a name or a text."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if bool(self.name) == bool(self.text.strip()):
            raise ValueError("Say either `name` or `text`.")
        return self


@api.operation(
    "PUT",
    "/profile",
    scope=Scope.BOARDS_WRITE,
    answer=ProfileInUse,
    refuses=("conflict", "unusable"),
    does="Chose a profile",
)
def choose_profile(body: Choice) -> Response:
    """Use another profile from now on. What is kept is scored again by itself."""
    with parts().database.session() as db:
        chosen_profile.choose(db, body.name, body.text)
    return answers.say(_in_use())


@api.operation("POST", "/profile/check", scope=Scope.BOARDS_READ, answer=TheProfile, refuses=("unusable",))
def check_profile(body: Meant) -> Response:
    """See whether a profile can be used, and where it is wrong if not. Changes nothing."""
    return answers.say(_profile(body.profile()))


class Tried(Meant):
    """A posting to score, and what with."""

    title: str = Field(min_length=1, max_length=1000, examples=["Senior IAM Engineer"])
    company: str = Field("", max_length=300)
    department: str = Field("", max_length=300)
    locations: list[str] = Field([], max_length=20)
    description: str = Field("", max_length=_LONGEST_TEXT, description="Plain text.")


class Matched(Given):
    """How well a posting matches."""

    score: int = Field(ge=0, le=100)
    reasons: list[shapes.Reason]


@api.operation("POST", "/profile/try", scope=Scope.BOARDS_READ, answer=Matched, refuses=("unusable",))
def try_profile(body: Tried) -> Response:
    """Score a posting that you write yourself. Keeps nothing."""
    posting = Posting(
        source_job_id="tried",
        title=body.title,
        company=body.company,
        url="",
        department=body.department,
        locations=tuple(body.locations),
        description_text=body.description,
    )
    match: Match = matching.score(normalise.completed(posting), body.profile())
    return answers.say({"score": match.score, "reasons": match.reasons})


class Previewed(Meant):
    """A profile to look ahead with."""

    only: Change | None = Field(None, description="Name jobs of one change instead of the best matches.")
    limit: int = Field(20, ge=1, le=200, description="How many to name.")


class PreviewedJob(Given):
    """A job as it would be."""

    id: int
    title: str
    company: str
    score: int
    score_now: int
    change: Change
    reasons: list[shapes.Reason]


class Preview(Given):
    """What a profile would do to the jobs that are kept."""

    total: int
    matching: int = Field(description="How many would score above 0.")
    appear: int
    vanish: int
    rise: int
    fall: int
    stay: int
    items: list[PreviewedJob]


@api.operation("POST", "/profile/preview", scope=Scope.BOARDS_READ, answer=Preview, refuses=("unusable",))
def preview_profile(body: Previewed) -> Response:
    """See what another profile would do to the jobs that are kept. Changes none."""
    profile = body.profile()
    with parts().database.reading() as db:
        found = previewing.preview(db, profile, limit=body.limit, only=body.only)
    return answers.say(
        {
            "total": found.total,
            "matching": found.matching,
            "appear": found.counts[Change.APPEARS],
            "vanish": found.counts[Change.VANISHES],
            "rise": found.counts[Change.RISES],
            "fall": found.counts[Change.FALLS],
            "stay": found.counts[Change.STAYS],
            "items": [
                {
                    "id": each.id,
                    "title": each.title,
                    "company": each.company,
                    "score": each.match.score,
                    "score_now": each.now,
                    "change": each.change.value,
                    "reasons": each.match.reasons,
                }
                for each in found.best
            ],
        }
    )

"""Boards: which are watched, how they fare, and what becomes of one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field
from redis import RedisError
from sqlalchemy.orm import Session

import metrics.push
from scout import boards, chosen_profile, discovery, runs, settings, sources, trial, watchlist
from scout.models import RunTrigger, Source
from scout.remedies import REMEDY
from scout.sources import registry
from scout.sources.about import about, off
from scout.tokens import Scope
from webapp.api import answers, shapes
from webapp.api.operation import Resource
from webapp.api.shapes import Asked, Given, Slug, SlugPath, Taken
from webapp.parts import parts

api = Resource("boards", "Boards: which are watched, how they fare, and what becomes of one.")

_LONGEST_ADDRESS = 2000
_MOST_NAMED = 500


class WatchedSource(shapes.Source):
    """A board that is watched."""

    open_jobs: int = Field(description="Postings that it lists now.")
    remedy: str = Field(description="What can be done about what went wrong, or empty.")
    left_alone: str = Field(description="Why its host is not asked just now, or empty.")


class ListedSources(shapes.OnwardPage):
    """Boards."""

    items: list[WatchedSource]
    total: int = Field(description="How many were found in all.")


def _told(db: Session, found: list[Source]) -> list[dict[str, Any]]:
    try:
        standings = watchlist.left_alone(parts().redis, found)
    except RedisError:
        standings = {}  # nothing is known of that without Redis
    listed = boards.open_jobs(db, [each.id for each in found])
    return [
        {
            **watchlist.as_dict(each),
            "open_jobs": listed.get(each.id, 0),
            "remedy": REMEDY.get(each.last_reason, ""),
            "left_alone": watchlist.told(standings[each.id]) if each.id in standings else "",
        }
        for each in found
    ]


class WantedSources(Asked):
    """Which boards, and in which order."""

    q: str = Field("", max_length=200, description="Words of its name, short name or address.")
    health: Literal["", "new", "ok", "partial", "failing", "paused"] = Field("", description="Only of this.")
    kind: str = Field("", max_length=40, description="Only of this kind.", examples=["lever"])
    sort: boards.Order = Field(
        "health",
        description="`health`: what needs a look first; `success`: longest without; `jobs`: most first.",
    )
    after: str = Field("", max_length=80, description="Where the page begins: taken from `next`.")
    limit: int = Field(50, ge=1, le=200, description="How many at the most.")


@api.operation("GET", "/sources", scope=Scope.BOARDS_READ, answer=ListedSources)
def list_sources(query: WantedSources) -> Response:
    """List the boards that are watched, and how they fare."""
    with parts().database.reading() as db:
        found = boards.find(
            db,
            boards.BoardQuery(
                text=query.q,
                health=query.health,
                kind=query.kind,
                order=query.sort,
                after=query.after,
                limit=query.limit,
            ),
        )
        items = _told(db, found.boards)
    return answers.onward(items, after=found.next or None, total=found.total)


def _source(slug: str) -> Response:
    with parts().database.reading() as db:
        return answers.say(_told(db, [watchlist.get(db, slug)])[0])


@api.operation(
    "GET", "/sources/<slug>", scope=Scope.BOARDS_READ, answer=WatchedSource, refuses=("not-found",)
)
def get_source(path: SlugPath) -> Response:
    """Read a board."""
    return _source(path.slug)


class NewSource(Taken):
    """A board to watch."""

    url: str = Field(min_length=1, max_length=_LONGEST_ADDRESS, description="Its public address.",
                     examples=["https://jobs.lever.co/veeva"])  # fmt: skip
    name: str = Field("", max_length=200, description="What to call it; empty is the company's name.")
    kind: str | None = Field(
        None, max_length=40, description="What to read whatever is at the address as; null finds it out."
    )
    scan: bool = Field(True, description="Whether to scan it at once.")  # noqa: FBT003 - its default


class AddedSource(Given):
    """A board that is watched from now on."""

    source: WatchedSource
    run_id: int | None = Field(description="The scan that is on its way.")
    hint: str = Field(description="What it needs before it can be read, or empty.")


@api.operation(
    "POST",
    "/sources",
    scope=Scope.BOARDS_WRITE,
    answer=AddedSource,
    status=201,
    refuses=("conflict", "unusable"),
    does="Added a board",
)
def add_source(body: NewSource) -> Response:
    """Watch a board, and scan it."""
    board = sources.at(body.kind, body.url) if body.kind else sources.recognise(body.url)
    with parts().database.session() as db:
        source = watchlist.add(db, board, body.name)
        slug, told = source.slug, _told(db, [source])[0]
    run_id = None
    if body.scan:
        run_id = runs.request(parts().database, parts().scans, trigger=RunTrigger.OWNER, slugs=[slug])
    hint = off(sources.KINDS[board.kind], parts().settings)
    return answers.created({"source": told, "run_id": run_id, "hint": hint}, f"/api/v1/sources/{slug}")


class Page(Taken):
    """A page of the web."""

    url: str = Field(min_length=1, max_length=_LONGEST_ADDRESS, examples=["https://www.example.com/careers"])


class Find(Given):
    """A board that a page leads to."""

    kind: str
    title: str = Field(description="What this kind is called.")
    token: str
    company: str
    url: str = Field(description="What to add it by.")
    add_as: str | None = Field(description="The `kind` to add it with, where its address does not tell it.")
    how: str = Field(description="What tells of it.", examples=["a link to https://jobs.lever.co/veeva"])


class Look(Given):
    """What a look at a page found."""

    address: str = Field(description="The page's own, after redirects.")
    finds: list[Find] = Field(description="The boards, the surest first.")
    hint: str = Field(description="What shows and is not enough, or empty.")


@api.operation("POST", "/sources/discover", scope=Scope.BOARDS_WRITE, answer=Look, refuses=("unusable",))
def discover_sources(body: Page) -> Response:
    """Look once at a page, such as a company's careers page, for boards that it leads to. Adds none."""
    seen = discovery.look(body.url, parts().settings)
    return answers.say(
        {
            "address": seen.address,
            "finds": [
                {
                    "kind": each.board.kind,
                    "title": sources.KINDS[each.board.kind].title,
                    "token": each.board.token,
                    "company": each.board.company,
                    "url": each.address,
                    "add_as": each.board.kind if each.board.kind in sources.AT_ANY_ADDRESS else None,
                    "how": each.how,
                }
                for each in seen.finds
            ],
            "hint": seen.hint,
        }
    )


class Address(Taken):
    """A board to look at."""

    url: str = Field(min_length=1, max_length=_LONGEST_ADDRESS, examples=["https://jobs.lever.co/veeva"])
    kind: str | None = Field(None, max_length=40, description="What to read it as; null finds it out.")


class Example(Given):
    """A posting that was seen, and how it would match."""

    title: str
    company: str
    url: str
    locations: list[str]
    score: int
    reasons: list[shapes.Reason]


class Filled(Given):
    """A field, and how many postings filled it."""

    field: str
    postings: int


class Trial(Given):
    """What a look at a board found."""

    kind: str
    url: str
    company: str
    postings: int = Field(description="How many were read.")
    matching: int = Field(description="How many of them match the profile.")
    best: list[Example] = Field(description="The best of them.")
    fills: list[Filled]
    cut: bool = Field(description="Whether the look ended before the board's last page.")
    texts_apart: bool = Field(description="Whether texts come one by one, and can add to the points.")
    unparsed: int = Field(description="How many could not be read.")
    reason: str = Field(description="A word for what went wrong, or empty.")
    error: str
    remedy: str


@api.operation("POST", "/sources/test", scope=Scope.BOARDS_WRITE, answer=Trial, refuses=("unusable",))
def try_source(body: Address) -> Response:
    """Look at a board once before it is watched: what it lists, and what would match. Keeps nothing.

    What goes wrong at the board is in the answer, with what can be done about it.
    """
    board = sources.at(body.kind, body.url) if body.kind else sources.recognise(body.url)
    with parts().database.reading() as db:
        profile = chosen_profile.in_use(db)
    seen = trial.look(parts().database, parts().settings, board, profile)
    return answers.say(
        {
            "kind": board.kind,
            "url": board.url,
            "company": board.company,
            "postings": seen.postings,
            "matching": seen.matching,
            "best": [
                {
                    "title": each.posting.title,
                    "company": each.posting.company,
                    "url": each.posting.url,
                    "locations": list(each.posting.locations),
                    "score": each.match.score,
                    "reasons": each.match.reasons,
                }
                for each in seen.best
            ],
            "fills": [{"field": name, "postings": count} for name, count in seen.fills],
            "cut": seen.cut,
            "texts_apart": seen.texts_apart,
            "unparsed": seen.unparsed,
            "reason": seen.reason,
            "error": seen.error,
            "remedy": seen.remedy,
        }
    )


class ManySources(Taken):
    """Boards, and what becomes of them."""

    sources: Annotated[list[Slug], Field(min_length=1, max_length=_MOST_NAMED)] = Field(
        description="Their short names."
    )
    what: Literal["pause", "resume", "remove"]


class ChangedSources(Given):
    """What became of many boards."""

    changed: list[str] = Field(description="Short names of those that were not so before.")


@api.operation(
    "POST", "/sources/bulk", scope=Scope.BOARDS_WRITE, answer=ChangedSources, does="Changed several boards"
)
def change_sources(body: ManySources) -> Response:
    """Pause, resume or remove many boards. Those that are not watched are left out."""
    act = {"pause": boards.pause, "resume": boards.resume, "remove": boards.remove}[body.what]
    with parts().database.session() as db:
        done = act(db, body.sources)
    if body.what == "remove":
        for slug in done:
            metrics.push.forget_source(parts().settings.pushgateway, slug)
    return answers.say({"changed": done})


class Schedule(Taken):
    """A board's own schedule. What is null is as usual; what is left out stays as it is."""

    interval_minutes: float | None = Field(
        None,
        ge=1,
        le=60 * 24 * 60,
        description="Between two scans. No board is asked more than its kind allows.",
    )
    quiet_hours: str | None = Field(None, max_length=11, description="Hours without scans; empty is none.",
                                    examples=["22:00-07:00"])  # fmt: skip
    time_zone: str | None = Field(None, max_length=60, examples=["Europe/Zurich"])


@api.operation(
    "PATCH",
    "/sources/<slug>",
    scope=Scope.BOARDS_WRITE,
    answer=WatchedSource,
    refuses=("not-found", "unusable"),
    does="Changed when a board is scanned",
)
def schedule_source(path: SlugPath, body: Schedule) -> Response:
    """Give a board a schedule of its own, and plan its next scan by it."""
    changes: dict[str, float | str | None] = {name: getattr(body, name) for name in body.model_fields_set}
    if body.quiet_hours is not None:
        changes["quiet_hours"] = settings.quiet_hours("quiet_hours", body.quiet_hours or "none")
    if body.time_zone is not None:
        changes["time_zone"] = settings.time_zone("time_zone", body.time_zone)
    with parts().database.session() as db:
        watchlist.schedule_own(db, path.slug, parts().settings, changes)
    return _source(path.slug)


@api.operation(
    "PUT",
    "/sources/<slug>/paused",
    scope=Scope.BOARDS_WRITE,
    answer=WatchedSource,
    refuses=("not-found",),
    does="Paused a board",
)
def pause_source(path: SlugPath) -> Response:
    """Scan a board no longer until it is resumed. Its jobs stay."""
    with parts().database.session() as db:
        watchlist.pause(db, path.slug)
    return _source(path.slug)


@api.operation(
    "DELETE",
    "/sources/<slug>/paused",
    scope=Scope.BOARDS_WRITE,
    answer=WatchedSource,
    refuses=("not-found",),
    does="Resumed a board",
)
def resume_source(path: SlugPath) -> Response:
    """Scan a paused board again, beginning now."""
    with parts().database.session() as db:
        watchlist.resume(db, path.slug)
    return _source(path.slug)


@api.operation(
    "DELETE",
    "/sources/<slug>",
    scope=Scope.BOARDS_WRITE,
    answer=None,
    status=204,
    refuses=("not-found",),
    does="Removed a board",
)
def remove_source(path: SlugPath) -> Response:
    """Watch a board no longer. Jobs that were decided about or noted on stay. This cannot be undone."""
    with parts().database.session() as db:
        watchlist.remove(db, path.slug)
    metrics.push.forget_source(parts().settings.pushgateway, path.slug)
    return answers.nothing()


class Starters(Given):
    """What became of the starter list."""

    added: int = Field(description="Boards that were not watched before.")


@api.operation(
    "POST", "/sources/starters", scope=Scope.BOARDS_WRITE, answer=Starters, does="Added the starter boards"
)
def add_starter_sources() -> Response:
    """Watch every board of the program's starter list. `start_scan` scans them."""
    with parts().database.session() as db:
        return answers.say({"added": watchlist.add_starters(db)})


class SourceKind(Given):
    """A kind of board that can be read."""

    name: str = Field(examples=["lever"])
    title: str = Field(examples=["Lever"])
    origins: list[str] = Field(description="What is asked; empty is the board's own address.")
    interval_minutes: float = Field(description="Boards of it are asked at most once in so long.")
    daily: int | None = Field(description="How often it may be asked in 24 hours, or null.")
    complete: bool = Field(description="Whether its lists name every open posting.")
    attribution: str
    terms: str
    capabilities: list[str]
    fills: list[str] = Field(description="Fields of a posting that it can fill.")
    off: str = Field(description="Why it is not read now, or empty.")
    at: Literal["its address", "any address"] = Field(
        description="Whether an address tells that it is of this kind, or `kind` has to."
    )


class SourceKinds(Given):
    """Kinds of boards."""

    items: list[SourceKind]


@api.operation("GET", "/source-kinds", scope=Scope.BOARDS_READ, answer=SourceKinds)
def list_source_kinds() -> Response:
    """List every kind of board that can be read, what it asks for and what it tells."""
    items = [
        {
            "name": kind.name,
            "title": kind.title,
            "origins": list(kind.origins),
            "interval_minutes": kind.interval.total_seconds() / 60,
            "daily": about(kind).daily,
            "complete": kind.complete,
            "attribution": kind.attribution,
            "terms": kind.terms,
            "capabilities": list(registry.capabilities(kind)),
            "fills": list(about(kind).fills),
            "off": off(kind, parts().settings),
            "at": "any address" if kind.name in sources.AT_ANY_ADDRESS else "its address",
        }
        for kind in sources.KINDS.values()
    ]
    return answers.say({"items": items})

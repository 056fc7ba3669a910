"""Saved searches: what their owner is told of, how and when; their feeds, and the channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from flask import Response
from pydantic import Field

from scout import searches
from scout.models import Every, MessageState, Status, Tells
from scout.searches import LIVE, Wish
from scout.searching.language import LONGEST
from scout.searching.orders import Sort
from scout.telling import channels as all_channels
from scout.telling import told_of, trial
from scout.telling.channels import Channel
from scout.telling.mail import Refused
from scout.tokens import Scope
from webapp.api import answers, shapes
from webapp.api.operation import Resource
from webapp.api.shapes import Given, SlugPath, Taken
from webapp.parts import parts

api = Resource(
    "searches", "Saved searches: what their owner is told of, how and when; their feeds, and the channels."
)

#: Seconds that a test of a channel may take: somebody waits for it.
_TRIAL_LIMIT = 20.0
_MOST_CHANNELS = 20
_Hour = Annotated[int, Field(ge=0, le=23)]
_Weekday = Annotated[int, Field(ge=0, le=6)]


class LooksFor(Given):
    """What a search looks for. What is not said is not there."""

    text: str = Field("", description="A search, as docs/SEARCHING.md tells.")
    statuses: list[Status] = Field([], description=f"Only of these; of {', '.join(LIVE)} where none is said.")
    source: str = ""
    min_score: int = 0
    sort: Sort = "newest"


class Message(Given):
    """A message that told of a search."""

    created_at: shapes.Time
    state: MessageState
    channel: str
    jobs: int = Field(description="How many jobs it told of.")
    attempts: int
    sent_at: shapes.Time | None
    reason: str = Field(description="Why the last try failed, or empty.")


class Feeds(Given):
    """Secret addresses: who has one reads the feed."""

    atom: str
    json_: str = Field(alias="json")


class Search(Given):
    """A saved search."""

    slug: str = Field(description="Its short name.", examples=["remote-iam"])
    name: str = Field(examples=["Remote IAM"])
    query: LooksFor
    tells: Tells
    every: Every = Field(description="Of a digest.")
    hour: int = Field(description="Of a digest: the full hour, in `timezone`.")
    day: str = Field(description="Of a weekly digest.", examples=["monday"])
    channels: list[str]
    quiet: str = Field(description="Hours in which instant messages wait, or empty.")
    timezone: str
    enabled: bool
    next_digest_at: str | None
    feeds: Feeds
    messages_by_state: dict[str, int]
    messages: list[Message] = Field(description="The last ten, the newest first.")
    matching: int = Field(description="Jobs that it matches now, a thousand at the most.")
    news: int = Field(description="Those of them that their owner has not seen.")


class Searches(Given):
    """The saved searches, by name."""

    items: list[Search]


def _told(slug: str | None = None) -> list[dict[str, Any]]:
    with parts().database.reading() as db:
        found = searches.every(db) if slug is None else [searches.get(db, slug)]
        told = []
        for each in found:
            counted = searches.count(db, each)
            told.append(
                {
                    **told_of.as_dict(db, each, parts().settings),
                    "matching": counted.matching,
                    "news": counted.news,
                }
            )
    return told


@api.operation("GET", "/searches", scope=Scope.SEARCHES_READ, answer=Searches)
def list_searches() -> Response:
    """List the saved searches, with what became of their messages."""
    return answers.say({"items": _told()})


@api.operation("GET", "/searches/<slug>", scope=Scope.SEARCHES_READ, answer=Search, refuses=("not-found",))
def get_search(path: SlugPath) -> Response:
    """Read a saved search, with the secret addresses of its feeds."""
    return answers.say(_told(path.slug)[0])


class WantedOf(Taken):
    """What a search is to look for."""

    text: str = Field("", max_length=LONGEST, description="A search, as docs/SEARCHING.md tells.",
                      examples=["identity remote:remote"])  # fmt: skip
    statuses: Annotated[list[Status], Field(max_length=len(Status))] = Field([])
    source: str = Field("", max_length=80, description="Only of the board with this short name.")
    min_score: int = Field(0, ge=0, le=100)
    sort: Sort = "newest"


class ChangedSearch(Taken):
    """What a search is to be. What is null or left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=200, examples=["Remote IAM"])
    query: WantedOf | None = Field(None, description="What to look for, as a whole.")
    tells: Tells | None = Field(None, description="`instant`, `digest`, or by its feed alone.")
    every: Every | None = Field(None, description="Of a digest.")
    hour: _Hour | None = Field(None, description="Of a digest: the full hour, in `timezone`.")
    weekday: _Weekday | None = Field(None, description="Of a weekly digest: 0 is Monday.")
    channels: Annotated[list[str], Field(max_length=_MOST_CHANNELS)] | None = Field(
        None, description="Names that `list_channels` tells."
    )
    quiet: str | None = Field(None, max_length=11, description="Hours in which it waits; empty is none.",
                              examples=["22:00-07:00"])  # fmt: skip
    timezone: str | None = Field(None, max_length=64, examples=["Europe/Zurich"])
    enabled: bool | None = Field(None, description="Whether it tells, and its feed is there.")

    @property
    def wish(self) -> Wish:
        """The same for `scout.searches`."""
        said = {
            name: getattr(self, name) for name in type(self).model_fields if name not in {"query", "channels"}
        }
        return Wish(
            **said,
            query=None if self.query is None else self.query.model_dump(),
            channels=None if self.channels is None else tuple(self.channels),
        )


class NewSearch(ChangedSearch):
    """A search to save."""

    name: str = Field(min_length=1, max_length=200, description="With a letter or digit in it.",
                      examples=["Remote IAM"])  # fmt: skip


def _channels() -> Mapping[str, Channel]:
    return all_channels.load(parts().settings)


@api.operation(
    "POST",
    "/searches",
    scope=Scope.SEARCHES_WRITE,
    answer=Search,
    status=201,
    refuses=("unusable", "not-found"),
    keeps_answer=False,
    does="Saved a search",
)
def add_search(body: NewSearch) -> Response:
    """Save a search. It tells of what comes from now on."""
    with parts().database.session() as db:
        slug = searches.add(db, body.wish, _channels()).slug
    return answers.created(_told(slug)[0], f"/api/v1/searches/{slug}")


@api.operation(
    "PATCH",
    "/searches/<slug>",
    scope=Scope.SEARCHES_WRITE,
    answer=Search,
    refuses=("not-found", "unusable"),
    does="Changed a search",
)
def change_search(path: SlugPath, body: ChangedSearch) -> Response:
    """Change a search. One that looks for something else, or tells again, begins from now once more."""
    with parts().database.session() as db:
        searches.change(db, path.slug, body.wish, _channels())
    return answers.say(_told(path.slug)[0])


@api.operation(
    "DELETE",
    "/searches/<slug>",
    scope=Scope.SEARCHES_WRITE,
    answer=None,
    status=204,
    refuses=("not-found",),
    does="Removed a search",
)
def remove_search(path: SlugPath) -> Response:
    """Forget a search, with what it found and the messages that wait. Its feeds end. No job is removed."""
    with parts().database.session() as db:
        searches.remove(db, path.slug)
    return answers.nothing()


@api.operation(
    "POST",
    "/searches/<slug>/feed",
    scope=Scope.SEARCHES_WRITE,
    answer=Search,
    refuses=("not-found",),
    keeps_answer=False,
    does="Renewed a feed's address",
)
def renew_search_feed(path: SlugPath) -> Response:
    """Give the feeds of a search other secret addresses. Those before end."""
    with parts().database.session() as db:
        searches.renew_feed(db, path.slug)
    return answers.say(_told(path.slug)[0])


class TheChannel(Given):
    """A way to tell. Its address is secret, and in no answer."""

    name: str
    kind: str = Field(examples=["smtp"])
    trouble: str = Field(description="Why it cannot be used, or empty.")


class Channels(Given):
    """The channels of the owner's file of channels."""

    items: list[TheChannel]


@api.operation("GET", "/channels", scope=Scope.SEARCHES_READ, answer=Channels, refuses=("conflict",))
def list_channels() -> Response:
    """List the channels there are. `docs/TELLING.md` says how one is set up."""
    items = []
    for each in _channels().values():
        trouble = ""
        try:
            each.check()
        except Refused as error:
            trouble = str(error)
        items.append({"name": each.name, "kind": each.kind, "trouble": trouble})
    return answers.say({"items": items})


class ChannelTest(Taken):
    """By which channels."""

    channels: Annotated[list[str], Field(max_length=_MOST_CHANNELS)] | None = Field(
        None, description="Their names; null is those of the search."
    )


class Sent(Given):
    """What became of a test by one channel."""

    channel: str
    sent: bool
    reason: str = Field(description="Why it was not taken, or empty.")


class Tested(Given):
    """What became of a test."""

    items: list[Sent]


@api.operation(
    "POST",
    "/searches/<slug>/test",
    scope=Scope.SEARCHES_WRITE,
    answer=Tested,
    refuses=("not-found", "conflict"),
    does="Tried a channel",
)
def try_search(path: SlugPath, body: ChannelTest) -> Response:
    """Send what matches now to channels, as a test. Nothing counts as told by it."""
    known = _channels()
    with parts().database.reading() as db:
        search = searches.get(db, path.slug)
        story = trial.story(db, search, parts().settings)
        names = list(search.channels if body.channels is None else body.channels)
    items = []
    for name in names:
        trouble = trial.send(story, name, known, parts().settings, limit=_TRIAL_LIMIT)
        items.append({"channel": name, "sent": not trouble, "reason": trouble})
    return answers.say({"items": items})

"""JSON lists of jobs that a file of the owner's describes, so that a board needs no code.

The file (`SCOUT_JSON_FEEDS`) is YAML:

    feeds:
      acme:
        url: https://acme.example/api/jobs
        list: data.jobs          # where the list is; left out when the answer is the list
        company: Acme            # where the jobs do not name theirs
        fields:
          id: id
          title: attributes.title
          url: https://acme.example/jobs/{id}
          location: offices.name
          description: attributes.text

A field is where its value is: names and numbers between dots; a name past a list is looked up in each of
its members. One with braces is a text that such places are put into.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import yaml

from scout import digits, normalise, settings
from scout.errors import ScoutError
from scout.fetch import Door, FetchError, Limits, Reason, check
from scout.html import plain, sanitise, unescaped
from scout.postings import Posting
from scout.sources.about import About
from scout.sources.answers import ask, gather, read_json, remember, required
from scout.sources.board import Board, Page, Validators

_NEEDED = ("title", "url")
_FIELDS = (
    *_NEEDED, "id", "company", "location", "remote", "description", "employment_type", "department",
    "requisition_id", "posted_at", "tags", "salary_min", "salary_max", "salary_currency", "salary_period",
)  # fmt: skip
_LIMITS = Limits(size=64 * 1024 * 1024)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_HOLE = re.compile(r"\{([^{}]+)\}")
_LONGEST_ID = 400


class BadFeeds(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The file of JSON feeds cannot be used. The text says where and why."""


@dataclass(frozen=True, slots=True)
class JsonFeed:
    """One feed as the file describes it.

    Attributes:
        name: Its name there.
        url: The address of the list.
        list: Where the list is, or empty.
        company: Whose jobs they are where they do not say, or empty.
        page: The public page, or empty.
        fields: Field to place.
    """

    name: str
    url: str
    list: str = ""
    company: str = ""
    page: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def load(path: str) -> dict[str, JsonFeed]:
    """The feeds of a file, by name; none if there is no file to read.

    Args:
        path: The setting's value.

    Raises:
        BadFeeds: The file is not there, or something in it cannot be used.
    """
    if not path:
        return {}
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadFeeds(
            f"SCOUT_JSON_FEEDS={path} cannot be read ({type(error).__name__}). Correct the path."
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise BadFeeds(
            f"{path}{line} is no YAML: {getattr(error, 'problem', None) or 'it cannot be read'}."
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("feeds"), dict):
        raise BadFeeds(f"{path} has no `feeds:` with a name and a description for each feed.")
    return {
        str(name): _feed(f"{path}, feed {name!r}", name, told) for name, told in document["feeds"].items()
    }


def _feed(where: str, name: Any, told: Any) -> JsonFeed:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadFeeds(f"{where}: a name is made of lower-case letters, digits, - and _.")
    if not isinstance(told, dict):
        raise BadFeeds(f"{where} is not described by url, list and fields.")
    _only(where, told, ("url", "list", "company", "page", "fields"))
    texts = {key: _text(where, key, told.get(key, "")) for key in ("url", "list", "company", "page")}
    for key in ("url", "page"):
        if texts[key] or key == "url":
            try:
                check(texts[key])
            except FetchError as error:
                raise BadFeeds(f"{where}: `{key}` cannot be fetched. {error.text}") from error
    wanted = told.get("fields")
    if not isinstance(wanted, dict):
        raise BadFeeds(f"{where} has no `fields:`. It needs at least title and url.")
    _only(f"{where}, fields", wanted, _FIELDS)
    missing = [key for key in _NEEDED if wanted.get(key) in (None, "")]
    if missing:
        raise BadFeeds(f"{where}: its `fields:` lack {' and '.join(missing)}.")
    return JsonFeed(
        name=name, fields={key: _text(where, key, value) for key, value in wanted.items()}, **texts
    )


def _only(where: str, told: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    odd = [str(key) for key in told if key not in known]
    if odd:
        raise BadFeeds(f"{where}: `{odd[0]}` is not understood. What is: {', '.join(known)}.")


def _text(where: str, key: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # a place that is a number
    if not isinstance(value, str):
        raise BadFeeds(f"{where}: `{key}` is no text. Write it as one line.")
    return value.strip()


class Mapped:
    """A JSON feed of the owner's file; its name there is the board's."""

    name = "mapped"
    title = "JSON feed of your own"
    origins: tuple[str, ...] = ()
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = "You describe the feed, and know what its publisher allows; it is read once an hour at most."
    complete = False
    about = About(
        fills=(
            "locations", "remote", "description_text", "salary", "employment_type", "department",
            "requisition_id", "posted_at", "tags",
        )
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """The address of a feed of the file, or its public page.

        Raises:
            BadFeeds: There is a file, and it cannot be used.
        """
        asked = url._replace(scheme=url.scheme.lower(), netloc=url.netloc.lower(), fragment="").geturl()
        for feed in load(settings.load().json_feeds).values():
            if asked in {feed.url, feed.page}:
                return Board(
                    kind=self.name,
                    token=feed.name,
                    company=feed.company,
                    url=feed.page or feed.url,
                    title=feed.name,
                )
        return None

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The feed's jobs, in one answer."""
        feed = _described(board, door.settings)
        answer = ask(door, feed.url, validators, limits=_LIMITS)
        page = jobs(answer.body, feed, board)
        remember(validators, feed.url, answer)
        yield page

    def parse(self, body: bytes, board: Board) -> Page:
        """The jobs of one answer, as the owner's file describes them now.

        Raises:
            FetchError: It is no listing, or the file does not describe it.
        """
        return jobs(body, _described(board, settings.load()), board)


def _described(board: Board, chosen: settings.Settings) -> JsonFeed:
    try:
        feed = load(chosen.json_feeds).get(board.token)
    except BadFeeds as error:
        raise FetchError(Reason.NOT_A_LISTING, f"{error} Nothing was asked.") from error
    if feed is None:
        raise FetchError(
            Reason.NOT_FOUND,
            f"No feed named “{board.token}” is described in {chosen.json_feeds or 'the file of feeds'}. "
            "Describe it there, or remove this board.",
        )
    return feed


def jobs(body: bytes, feed: JsonFeed, board: Board) -> Page:
    """The jobs of an answer, as its feed describes them.

    Raises:
        FetchError: It is no JSON, or has no list where one is described.
    """
    items = _at(read_json(body, f"The feed “{feed.name}”"), feed.list, alone=True)
    if not isinstance(items, list):
        raise FetchError(
            Reason.NOT_A_LISTING,
            f"The answer of the feed “{feed.name}” has no list at “{feed.list or 'its top'}”. Its jobs stay "
            "as they were; compare the answer with the description.",
        )
    return gather(items, lambda item: _posting(item, feed, board))


def _posting(item: Any, feed: JsonFeed, board: Board) -> Posting:
    def value(name: str) -> Any:
        return _filled(item, feed.fields.get(name, ""))

    def words(name: str) -> str:
        return normalise.line(_one(value(name)), 200)

    title = required(normalise.line(_one(value("title"))), "title")
    own = _one(value("url"))
    link = required(
        normalise.public_url(urljoin(feed.url, own.strip())) if isinstance(own, str) and own.strip() else "",
        "link that can be followed",
    )
    described = "\n".join(each for each in _several(value("description")) if isinstance(each, str))
    safe = sanitise(unescaped(described) if "<" not in described and "&lt;" in described else described)
    text = plain(safe)
    places = normalise.locations(_several(value("location")))
    stated = _one(value("remote"))
    remote, evidence = normalise.remote(
        fields=[("remote", "remote" if stated is True else stated)], title=title, places=places, text=text
    )
    tags = [
        normalise.line(each, 80)
        for told in _several(value("tags"))
        if isinstance(told, str)
        for each in told.split(",")
    ]
    return Posting(
        source_job_id=(normalise.identifier(_one(value("id"))) or link)[:_LONGEST_ID],
        title=title,
        company=required(
            words("company") or feed.company or board.company or urlsplit(feed.url).hostname or "", "company"
        ),
        url=link,
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=normalise.salary(
            least=_one(value("salary_min")),
            most=_one(value("salary_max")),
            currency=_one(value("salary_currency")),
            per=_one(value("salary_period")),
        ),
        employment_type=normalise.employment_type(_one(value("employment_type"))),
        department=words("department"),
        requisition_id=normalise.identifier(_one(value("requisition_id"))),
        posted_at=normalise.when(_one(value("posted_at"))),
        tags=tuple(dict.fromkeys(each for each in tags if each)),
    )


def _filled(item: Any, place: str) -> Any:
    """The value at a place, or a text with its holes filled."""
    if not _HOLE.search(place):
        return _at(item, place) if place else None
    missing = False

    def fill(hole: re.Match[str]) -> str:
        nonlocal missing
        found = _one(_at(item, hole[1]))
        if isinstance(found, bool) or not isinstance(found, (str, int)):
            missing = True
            return ""
        return quote(str(found), safe="/")

    text = _HOLE.sub(fill, place)
    return None if missing else text


def _at(value: Any, place: str, *, alone: bool = False) -> Any:
    """What is at a place: names and numbers between dots.

    Past a list, each of its members is asked; not with `alone`, for a place that is one.
    """
    for step in place.split(".") if place else ():
        if isinstance(value, list):
            if step.isdecimal():
                at = digits.whole(step, len(value) - 1)
                value = value[at] if at is not None else None
            else:
                value = None if alone else [each.get(step) for each in value if isinstance(each, dict)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _one(value: Any) -> Any:
    return next((each for each in value if each is not None), None) if isinstance(value, list) else value

"""RSS, Atom and JSON feeds of jobs.

A feed names its newest entries only, so a job that is missing from it may still be open. Feeds come from
anywhere: they are decoded here, those that define entities are refused, and the parser is given bytes and
never an address.
"""

from __future__ import annotations

import codecs
import datetime as dt
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qs, urljoin

import feedparser

from scout import normalise
from scout.fetch import Door, FetchError, Limits, Reason
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources.about import About
from scout.sources.answers import (
    Odd,
    ask,
    gather,
    listed,
    mapping,
    read_json,
    remember,
    required,
    sequence,
)
from scout.sources.board import Board, Page, Validators

_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, */*;q=0.1"
)
_LIMITS = Limits(size=16 * 1024 * 1024)
_ENDING = re.compile(
    r"\.(?:rss|xml|atom|rdf)$|(?:^|/)(?:feeds?|rss|atom)(?:/|$)|/(?:feed|jobs)\.json$", re.IGNORECASE
)
# The source's column for ids holds this much.
_LONGEST_ID = 400


class Feed:
    """Feeds, known by their whole address."""

    name = "feed"
    title = "RSS or Atom feed"
    origins: tuple[str, ...] = ()
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = "A feed is offered for being read by programs, and its entries for being linked."
    complete = False
    about = About(
        fills=(
            "locations",
            "remote",
            "description_text",
            "employment_type",
            "department",
            "posted_at",
            "tags",
        ),
        robots=True,
    )

    def recognise(self, url: SplitResult) -> Board | None:
        """A feed by the look of its path."""
        if not _ENDING.search(url.path) and not {"rss", "atom"} & set(parse_qs(url.query).get("feed", [])):
            return None
        address = url._replace(scheme=url.scheme.lower(), netloc=url.netloc.lower(), fragment="")
        return self._board(address.geturl(), f"{address.scheme}://{address.netloc}/")

    def _board(self, token: str, page: str) -> Board:
        return Board(kind=self.name, token=token, url=page)

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The feed's entries, in one answer."""
        answer = ask(door, board.token, validators, accept=_ACCEPT, limits=_LIMITS)
        page = self.parse(answer.body, board, content_type=answer.headers.get("content-type", ""))
        remember(validators, board.token, answer)
        yield page

    def parse(self, body: bytes, board: Board, *, content_type: str = "") -> Page:
        """The entries of a feed.

        Args:
            body: The answer.
            board: Its board; the token is the feed's address, which links are relative to.
            content_type: The answer's Content-Type, for its charset.

        Raises:
            FetchError: It is no feed, or one that defines entities.
        """
        text = decoded(body, content_type)
        if text.startswith("{"):
            return _json_feed(text, board)
        entries, name = entries_of(text, board.token)
        company = board.company or name
        shared = Counter(str(entry.get("id")) for entry in entries)
        return gather(entries, lambda entry: _posting(entry, board, company, shared))


def entries_of(text: str, address: str) -> tuple[list[Mapping[str, Any]], str]:
    """The entries of an RSS or Atom feed, and its name.

    Args:
        text: The feed, as `decoded` gives it.
        address: Where it is from, for the errors.

    Raises:
        FetchError: It is no feed, or one that defines entities.
    """
    _check(text, address)
    # A stream, never the bytes themselves: the parser would open a file of that name.
    found = feedparser.parse(
        io.BytesIO(text.encode("utf-8", "replace")),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    return [entry for entry in found.entries if entry], normalise.line(found.feed.get("title"), 200)


_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)[\"']", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
#: Charsets whose ASCII is ASCII. Others (UTF-7 above all) can hide markup from the checks here.
_PLAIN_CHARSETS = re.compile(
    r"utf-8|ascii|iso8859-\d+|cp125\d|koi8-[ru]|gb(?:2312|k|18030)|big5|euc_(?:jp|kr)|shift_jis|cp932"
)


def decoded(body: bytes, content_type: str) -> str:
    """The text of a feed, without its byte order mark and XML declaration."""
    text = body.decode(_encoding(body, content_type), "replace").lstrip("\ufeff")
    return _DECLARATION.sub("", text, count=1).strip()


def _encoding(body: bytes, content_type: str) -> str:
    """The encoding by byte order mark, by how the first characters look, as declared, or by the header."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in body[:64]:
        return "utf-16-le" if body[1:2] == b"\0" else "utf-16-be"
    if body.startswith(codecs.BOM_UTF8):
        return "utf-8"
    declared = _DECLARED.match(body)
    given = _CHARSET.search(content_type)
    return _charset(declared[1].decode("ascii", "replace") if declared else given[1] if given else "")


def _charset(name: str) -> str:
    try:
        known = codecs.lookup(name).name
    except LookupError:
        return "utf-8"
    return known if _PLAIN_CHARSETS.fullmatch(known) else "utf-8"


_FIRST_ELEMENT = re.compile(r"<[A-Za-z_]")
_ROOT = re.compile(r"<(?:\w{1,20}:)?(?:rss|feed|rdf)[\s>]", re.IGNORECASE)
_END = re.compile(r"</\s{0,9}(?:\w{1,20}:)?(?:rss|feed|rdf)\s{0,9}>", re.IGNORECASE)
_ENTITIES = re.compile(r"<!ENTITY|<!DOCTYPE[^>\[]{0,2000}\[", re.IGNORECASE)
#: Some thirty thousand entries. The parser takes seconds for as much, whatever it is.
_MOST_TAGS = 300_000


def _check(text: str, address: str) -> None:
    """Refuse what is no feed, what ends in the middle, and what is built to hurt its reader."""
    first = _FIRST_ELEMENT.search(text)
    # No honest feed defines entities; those that do mean to read files or to fill the memory.
    if _ENTITIES.search(text, 0, first.start() if first else len(text)):
        raise FetchError(
            Reason.NOT_A_LISTING,
            f"The feed {address} defines entities of its own, which can be used to attack its readers. It "
            "was not read; if you trust it, ask its publisher for a plain feed.",
        )
    if not _ROOT.search(text, 0, 65536):
        raise FetchError(
            Reason.NOT_A_LISTING,
            f"{address} answered with something that is no feed. Its jobs stay as they were; open the "
            "address in a browser to see what it says.",
        )
    if not _END.search(text, max(0, len(text) - 4096)):
        raise FetchError(
            Reason.TRUNCATED,
            f"The feed {address} ends in the middle. Nothing of it was used; the next scan tries again.",
        )
    if text.count("<") > _MOST_TAGS:
        raise FetchError(
            Reason.TOO_LARGE,
            f"The feed {address} has more entries than can be read. Look for a narrower one.",
        )


def _posting(entry: Mapping[str, Any], board: Board, company: str, shared: Counter[str]) -> Posting:
    link = normalise.public_url(
        urljoin(board.token, str(entry.get("link") or "")) if entry.get("link") else ""
    )
    title = required(normalise.line(entry.get("title")), "title")
    if not link:
        raise Odd("has no link that can be followed")
    named = normalise.line(entry.get("company") or entry.get("companyname") or entry.get("job_company"), 200)
    safe = sanitise(described(entry))
    text = plain(safe)
    places = _places(entry)
    remote, evidence = normalise.remote(fields=_workplace(entry), title=title, places=places, text=text)
    tags = (mapping(each).get("term") for each in sequence(entry.get("tags")))
    return Posting(
        source_job_id=identity(entry, link, shared),
        title=title,
        company=required(named or company, "company, and neither has the feed"),
        url=link,
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        employment_type=normalise.employment_type(entry.get("type") or entry.get("jobtype")),
        department=normalise.line(entry.get("department") or entry.get("tt_department"), 200),
        posted_at=normalise.when(entry.get("published")) or normalise.when(entry.get("updated")),
        tags=tuple(dict.fromkeys(tag for each in tags if (tag := normalise.line(each, 80)))),
    )


def described(entry: Mapping[str, Any]) -> str:
    """The longest text of an entry, as HTML."""
    contents = [mapping(each).get("value") for each in sequence(entry.get("content"))]
    texts = (each for each in [*contents, entry.get("summary")] if isinstance(each, str))
    return max(texts, key=len, default="")


def identity(entry: Mapping[str, Any], link: str, shared: Counter[str]) -> str:
    """The entry's id; its link where it has none or shares it with others; a digest of what is too long."""
    found = entry.get("id")
    if not isinstance(found, str) or not found.strip() or shared[found] > 1:
        found = link
    found = normalise.line(found, _LONGEST_ID * 2)
    return found if len(found) <= _LONGEST_ID else hashlib.sha256(found.encode()).hexdigest()


def _places(entry: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("region", "location", "job_location", "city", "country", "tt_city", "tt_country")
    return normalise.locations(entry.get(name) for name in names)


def _workplace(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    status = entry.get("remotestatus")  # Teamtailor's: none, hybrid, temporary, fully
    return [("remoteStatus", "remote" if status == "fully" else status)]


def _json_feed(text: str, board: Board) -> Page:
    """JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/), with schema.org's JobPosting where given."""
    title = Feed.title
    document = read_json(text.encode("utf-8", "replace"), title)
    items = listed(document, "items", title)
    company = board.company or normalise.line(mapping(document).get("title"), 200)

    def posting(item: Any) -> Posting:
        entry = mapping(item)
        schema = mapping(entry.get("_jobposting"))
        link = required(
            normalise.public_url(
                urljoin(board.token, str(entry.get("url") or "")) if entry.get("url") else ""
            ),
            "link that can be followed",
        )
        named = required(normalise.line(entry.get("title") or schema.get("title")), "title")
        safe = sanitise(str(entry.get("content_html") or entry.get("content_text") or ""))
        plain_text = plain(safe)
        where = schema.get("jobLocation")
        addresses = [
            mapping(mapping(each).get("address"))
            for each in ([where] if isinstance(where, dict) else sequence(where))
        ]
        places = normalise.locations(
            ", ".join(
                words
                for name in ("addressLocality", "addressCountry")
                if (words := normalise.line(each.get(name), 80))
            )
            for each in addresses
        )
        remote, evidence = normalise.remote(
            fields=[("jobLocationType", schema.get("jobLocationType"))],
            title=named,
            places=places,
            text=plain_text,
        )
        kinds = schema.get("employmentType")
        return Posting(
            source_job_id=identity({"id": normalise.identifier(entry.get("id"))}, link, Counter()),
            title=named,
            company=normalise.line(mapping(schema.get("hiringOrganization")).get("name"), 200)
            or required(company, "company, and neither has the feed"),
            url=link,
            locations=places,
            remote=remote,
            remote_evidence=evidence,
            description_html=safe,
            description_text=plain_text,
            employment_type=normalise.employment_type(
                kinds[0] if isinstance(kinds, list) and kinds else kinds
            ),
            posted_at=normalise.when(entry.get("date_published")),
        )

    return gather(items, posting)

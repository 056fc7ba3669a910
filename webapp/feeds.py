"""Feeds of saved searches: Atom (RFC 4287) and JSON Feed 1.1, each at an address with a secret in it.

Ids are tag URIs (RFC 4151) of a name that nobody can own (RFC 2606): they stay as they are when the pages
move to another address, or the feed's secret is renewed.
"""

from __future__ import annotations

import datetime as dt
import json as json_text
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, abort, request

from scout import account, jobs, searches
from scout.html import legible
from scout.telling.words import Item, item
from webapp.parts import parts

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from scout.models import Job, SavedSearch

pages = Blueprint("feeds", __name__)

#: Entries of a feed, the newest.
MOST = 100
_ATOM = "http://www.w3.org/2005/Atom"
_JSON_FEED = "https://jsonfeed.org/version/1.1"


@dataclass(frozen=True, slots=True)
class Entry:
    """A job in a feed: its id, what is said of it, and when it was found and last changed."""

    id: str
    item: Item
    found: dt.datetime
    updated: dt.datetime

    @property
    def html(self) -> str:
        """Its content: of our own making, and every part of it escaped."""
        facts = "".join(f"<p>{escape(fact)}</p>" for fact in self.item.facts)
        posting = f'<p><a href="{escape(self.item.posting)}">The posting</a></p>' if self.item.posting else ""
        return facts + posting


@dataclass(frozen=True, slots=True)
class Feed:
    """A search's feed: its id and title, the page that it stands for, when it changed last, its entries."""

    id: str
    title: str
    page: str
    address: str
    updated: dt.datetime
    entries: Sequence[Entry]


@pages.get("/feeds/<token>.atom")
def atom(token: str) -> ResponseReturnValue:
    """The feed as Atom."""
    return _answer(_atom(_feed(token, "atom")), "application/atom+xml; charset=utf-8")


@pages.get("/feeds/<token>.json")
def json(token: str) -> ResponseReturnValue:
    """The feed as JSON Feed."""
    return _answer(_json(_feed(token, "json")), "application/feed+json; charset=utf-8")


def _feed(token: str, form: str) -> Feed:
    settings = parts().settings
    key = account.secret_key(settings)
    with parts().database.reading() as db:
        search = searches.by_feed_token(db, token, key)
        if search is None or not search.enabled:
            abort(404)
        found = jobs.find(db, searches.query_of(search, sort="newest", per_page=MOST)).jobs
    entries = [_entry(search, job, settings.pages) for job in found]
    return Feed(
        id=_tag(search, "feed"),
        title=" ".join(legible(search.name).split()),
        page=f"{settings.pages}/",
        address=f"{settings.pages}/feeds/{token}.{form}",
        updated=max((entry.updated for entry in entries), default=search.created_at),
        entries=entries,
    )


def _entry(search: SavedSearch, job: Job, address: str) -> Entry:
    updated = max(job.first_seen_at, job.changed_at or job.first_seen_at)
    return Entry(_tag(search, f"job/{job.id}"), item(job, address), job.first_seen_at, updated)


def _tag(search: SavedSearch, what: str) -> str:
    return f"tag:{search.uid}.scout.invalid,2026:{what}"


def _atom(feed: Feed) -> bytes:
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", _time(feed.updated))
    _add(root, "link", rel="self", type="application/atom+xml", href=feed.address)
    _add(root, "link", rel="alternate", type="text/html", href=feed.page)
    _add(_add(root, "author"), "name", "IAM Job Scout")
    for each in feed.entries:
        entry = _add(root, "entry")
        _add(entry, "id", each.id)
        _add(entry, "title", each.item.title)
        _add(entry, "published", _time(each.found))
        _add(entry, "updated", _time(each.updated))
        _add(entry, "link", rel="alternate", type="text/html", href=each.item.page)
        if each.item.posting:
            _add(entry, "link", rel="related", href=each.item.posting)
        _add(entry, "content", each.html, type="html")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _add(parent: ET.Element, name: str, text: str | None = None, /, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = text
    return element


def _json(feed: Feed) -> bytes:
    document = {
        "version": _JSON_FEED,
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.address,
        "items": [
            {
                "id": each.id,
                "url": each.item.page,
                **({"external_url": each.item.posting} if each.item.posting else {}),
                "title": each.item.title,
                "content_html": each.html,
                "date_published": _time(each.found),
                "date_modified": _time(each.updated),
            }
            for each in feed.entries
        ],
    }
    return json_text.dumps(document, ensure_ascii=False).encode()


def _time(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _answer(body: bytes, media: str) -> Response:
    answer = Response(body, content_type=media)
    answer.add_etag()
    answer.make_conditional(request)
    return answer

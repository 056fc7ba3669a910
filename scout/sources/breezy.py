"""Breezy HR career pages.

Each company has its open positions as JSON, in one answer, without a key. Most have no text there, and pay is
words. A company that does not exist is redirected to Breezy's own pages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult

from scout import normalise
from scout.fetch import Door, Limits
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources.about import About
from scout.sources.answers import (
    gather,
    listed,
    mapping,
    markup,
    place,
    read_json,
    required,
    sequence,
    tenant,
    whole,
)
from scout.sources.board import Board, Page, Validators

_DOMAIN = "breezy.hr"
_OWN = frozenset({"assets", "attachments", "marketing", "gallery", "updates", "partners"})
_LIMITS = Limits(size=32 * 1024 * 1024, read=30.0, total=60.0)


class Breezy:
    """Companies at COMPANY.breezy.hr."""

    name = "breezy"
    title = "Breezy HR"
    origins: tuple[str, ...] = ("https://*.breezy.hr",)
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = (
        "A company's positions as JSON are open to everybody, beside its career page; nothing is documented."
    )
    complete = True
    about = About(
        fills=("locations", "remote", "description_text", "employment_type", "department", "posted_at")
    )

    def recognise(self, url: SplitResult) -> Board | None:
        """A company's page, or one position's."""
        token = tenant(url, _DOMAIN, _OWN)
        return Board(kind=self.name, token=token, url=f"https://{token}.{_DOMAIN}/") if token else None

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The whole company, in one answer."""
        url = f"https://{board.token}.{_DOMAIN}/json?verbose=true"
        yield whole(self, url, board, door, validators, limits=_LIMITS, vendor=_DOMAIN)

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one answer.

        Raises:
            FetchError: It is no listing.
        """
        items = listed(read_json(body, self.title), None, self.title)
        return gather(items, lambda item: _posting(item, board))


def _posting(item: Any, board: Board) -> Posting:
    job = mapping(item)
    title = required(normalise.line(job.get("name")), "title")
    safe = sanitise(markup(job.get("description")))
    text = plain(safe)
    wheres = [mapping(each) for each in [job.get("location"), *sequence(job.get("locations"))]]
    places = normalise.locations(map(_place, wheres))
    fields = [("is_remote", "remote")] if any(each.get("is_remote") is True for each in wheres) else []
    remote, evidence = normalise.remote(fields=fields, title=title, places=places, text=text)
    kind = mapping(job.get("type"))
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=normalise.line(mapping(job.get("company")).get("name"), 200)
        or board.company
        or normalise.company_of(board.token),
        url=required(normalise.public_url(job.get("url")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        employment_type=normalise.employment_type(kind.get("id"))
        or normalise.employment_type(kind.get("name")),
        department=normalise.line(job.get("department"), 200),
        posted_at=normalise.when(job.get("published_date")) or normalise.when(job.get("creation_date")),
    )


def _place(where: dict[str, Any]) -> str:
    named = place(
        where.get("city"), mapping(where.get("state")).get("name"), mapping(where.get("country")).get("name")
    )
    return named or normalise.line(where.get("name"), 200)

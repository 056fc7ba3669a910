"""BambooHR career pages.

A company's page asks for its list in one answer, without a key; dates and texts come with each posting's
details. The numbers of postings are each company's own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import SplitResult, quote

from scout import normalise
from scout.fetch import Door, Limits
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources.about import About
from scout.sources.answers import (
    detail_of,
    gather,
    listed,
    mapping,
    markup,
    nothing,
    place,
    read_json,
    required,
    tenant,
    whole,
)
from scout.sources.board import Board, Page, Validators

_DOMAIN = "bamboohr.com"
_OWN = frozenset(
    {"documentation", "marketplace", "partners", "resources", "learn", "legal", "assets", "images7"}
)
_LIMITS = Limits(size=16 * 1024 * 1024, read=30.0, total=60.0)
# The page's own code knows these; no document names them. Lists that were seen agree.
_WORKPLACES = {"0": "onsite", "1": "remote", "2": "hybrid"}


class BambooHR:
    """Companies at COMPANY.bamboohr.com/careers."""

    name = "bamboohr"
    title = "BambooHR"
    origins: tuple[str, ...] = ("https://*.bamboohr.com",)
    interval = dt.timedelta(hours=2)
    attribution = ""
    terms = (
        "Nothing is documented: this is what a company's career page asks for itself, open to everybody. "
        "Hence longer pauses, and no more details than needed."
    )
    complete = True
    about = About(
        fills=("locations", "remote", "description_text", "employment_type", "department", "posted_at")
    )
    details = 60

    def recognise(self, url: SplitResult) -> Board | None:
        """A company's career page, one posting's page, or the older pages for embedding."""
        token = tenant(url, _DOMAIN, _OWN)
        if not token:
            return None
        # Its answers do not name the company.
        company = normalise.company_of(token)
        return Board(kind=self.name, token=token, company=company, url=f"https://{token}.{_DOMAIN}/careers")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The whole company, in one answer."""
        url = f"https://{board.token}.{_DOMAIN}/careers/list"
        page = whole(self, url, board, door, validators, limits=_LIMITS, vendor=_DOMAIN)
        empty = not page.postings and not page.unparsed
        yield replace(page, note=nothing(self.title, board)) if empty else page

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one answer, without dates and texts.

        Raises:
            FetchError: It is no listing.
        """
        items = listed(read_json(body, self.title), "result", self.title)
        return gather(items, lambda item: _posting(item, board))

    def detailed(self, posting: Posting, board: Board, door: Door) -> Posting:
        """The posting with its text and the day of its publication."""
        url = f"https://{board.token}.{_DOMAIN}/careers/{quote(posting.source_job_id, safe='')}/detail"
        answer = door.get(url, headers={"accept": "application/json"}, limits=_LIMITS)
        return self.parse_detail(answer.body, posting, board)

    def parse_detail(self, body: bytes, posting: Posting, board: Board) -> Posting:
        """A posting of the list, completed from the answer with its details.

        Raises:
            FetchError: It is none.
        """
        opening = mapping(mapping(mapping(read_json(body, self.title)).get("result")).get("jobOpening"))
        # The details do not repeat the number that they were asked for by.
        return detail_of(
            {**opening, "id": posting.source_job_id}, lambda item: _posting(item, board), self.title
        )


def _posting(item: Any, board: Board) -> Posting:
    job = mapping(item)
    number = required(normalise.identifier(job.get("id")), "id")
    title = required(normalise.line(job.get("jobOpeningName")), "title")
    safe = sanitise(markup(job.get("description")))
    text = plain(safe)
    # An office of the company, or a place that was written for this posting; either may be empty.
    office, written = mapping(job.get("location")), mapping(job.get("atsLocation"))
    places = normalise.locations(
        [
            place(office.get("city"), office.get("state"), office.get("addressCountry")),
            place(
                written.get("city"), written.get("state") or written.get("province"), written.get("country")
            ),
        ]
    )
    kind = normalise.identifier(job.get("locationType"))
    fields = [("locationType", _WORKPLACES.get(kind, ""))]
    if job.get("isRemote") is True:
        fields.append(("isRemote", "remote"))
    remote, evidence = normalise.remote(fields=fields, title=title, places=places, text=text)
    return Posting(
        source_job_id=number,
        title=title,
        company=board.company or normalise.company_of(board.token),
        url=required(
            normalise.public_url(f"https://{board.token}.{_DOMAIN}/careers/{number}"),
            "link that can be followed",
        ),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        employment_type=normalise.employment_type(job.get("employmentStatusLabel")),
        department=normalise.line(job.get("departmentLabel"), 200),
        posted_at=normalise.when(job.get("datePosted")),
    )

"""The Muse, a site of jobs at many companies.

Its public API (https://www.themuse.com/developers/api/v2) gives twenty jobs a page, without a key, of about
half a million: a board here is better narrowed by category, level, location or company. Deep pages are
refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlencode

from scout import normalise
from scout.fetch import Door
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources import searches
from scout.sources.about import About
from scout.sources.answers import gather, listed, mapping, read_json, required, sequence
from scout.sources.board import Board, Page, Validators

#: Two hundred jobs.
_MOST_PAGES = 10
_NAMES = {"category": "category", "level": "level", "location": "location", "company": "company"}


class TheMuse:
    """The jobs at themuse.com, or a search there."""

    name = "themuse"
    title = "The Muse"
    origins: tuple[str, ...] = ("https://www.themuse.com",)
    interval = dt.timedelta(hours=3)
    attribution = "From The Muse (themuse.com)"
    terms = (
        "The public API may be used without a key within its limits, with a link to the job's page "
        "there (The Muse, API documentation)."
    )
    complete = False
    about = About(
        gathers=True,
        fills=(
            "locations", "remote", "description_text", "department",
            "posted_at", "tags",
        ),
        searches=("category", "level", "location", "company"),
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """The site, a search there, or the API's address."""
        if searches.host(url) != "themuse.com":
            return None
        return searches.board(self, "https://www.themuse.com/jobs", searches.narrowed(url, _NAMES))

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The jobs, twenty at a time."""
        narrowed = searches.query(board.token)

        def address(number: int) -> str:
            asked = urlencode({**narrowed, "page": number + 1, "descending": "true"})
            return f"{self.origins[0]}/api/public/jobs?{asked}"

        yield from searches.paged(
            door,
            validators,
            address=address,
            parse=lambda answer: self._page(answer.body),
            most=_MOST_PAGES,
        )

    def _page(self, body: bytes) -> tuple[Page, bool]:
        document = mapping(read_json(body, self.title))
        items = listed(document, "results", self.title)
        number, count = document.get("page"), document.get("page_count")
        more = bool(items) and isinstance(number, int) and isinstance(count, int) and number < count
        return gather(items, _posting), more

    def parse(self, body: bytes, board: Board) -> Page:
        """The jobs of one answer.

        Raises:
            FetchError: It is no listing.
        """
        del board
        return self._page(body)[0]


def _posting(item: Any) -> Posting:
    job = mapping(item)
    safe = sanitise(job["contents"]) if isinstance(job.get("contents"), str) else ""
    text = plain(safe)
    title = required(normalise.line(job.get("name")), "title")
    # One of the places may be "Flexible / Remote".
    places = tuple(_names(job, "locations"))
    remote, evidence = normalise.remote(title=title, places=places, text=text)
    categories = _names(job, "categories")
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=required(normalise.line(mapping(job.get("company")).get("name"), 200), "company"),
        url=required(
            normalise.public_url(mapping(job.get("refs")).get("landing_page")), "link that can be followed"
        ),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        department=categories[0] if categories else "",
        posted_at=normalise.when(job.get("publication_date")),
        tags=tuple(dict.fromkeys((*categories, *_names(job, "levels")))),
    )


def _names(job: dict[str, Any], name: str) -> list[str]:
    found = (normalise.line(mapping(each).get("name"), 200) for each in sequence(job.get(name)))
    return list(dict.fromkeys(each for each in found if each))

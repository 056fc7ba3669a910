"""Arbeitnow, a site of jobs mostly in Germany, remote and not.

Its API (https://www.arbeitnow.com/api/job-board-api) gives the newest jobs in pages of a hundred and more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult

from scout import normalise
from scout.fetch import Door
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources import searches
from scout.sources.about import About
from scout.sources.answers import gather, listed, mapping, read_json, required, sequence
from scout.sources.board import Board, Page, Validators

#: Some thousand jobs, the newest. A page may be megabytes.
_MOST_PAGES = 4


class Arbeitnow:
    """The newest jobs at arbeitnow.com."""

    name = "arbeitnow"
    title = "Arbeitnow"
    origins: tuple[str, ...] = ("https://www.arbeitnow.com",)
    interval = dt.timedelta(hours=1)
    attribution = "From Arbeitnow (arbeitnow.com)"
    terms = (
        "The job board API is offered free and without a key, for showing jobs with a link to their "
        "page there (Arbeitnow, Job Board API)."
    )
    complete = False
    about = About(
        gathers=True,
        fills=(
            "locations", "remote", "description_text", "employment_type",
            "posted_at", "tags",
        )
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """Any page of the site, or its API's address."""
        if searches.host(url) != "arbeitnow.com":
            return None
        return searches.board(self, "https://www.arbeitnow.com/", {})

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The newest jobs, page by page."""
        del board
        yield from searches.paged(
            door,
            validators,
            address=lambda number: f"{self.origins[0]}/api/job-board-api?page={number + 1}",
            parse=lambda answer: self._page(answer.body),
            most=_MOST_PAGES,
        )

    def _page(self, body: bytes) -> tuple[Page, bool]:
        document = read_json(body, self.title)
        items = listed(document, "data", self.title)
        return gather(items, _posting), bool(items and mapping(mapping(document).get("links")).get("next"))

    def parse(self, body: bytes, board: Board) -> Page:
        """The jobs of one answer.

        Raises:
            FetchError: It is no listing.
        """
        del board
        return self._page(body)[0]


def _posting(item: Any) -> Posting:
    job = mapping(item)
    safe = sanitise(job["description"]) if isinstance(job.get("description"), str) else ""
    text = plain(safe)
    title = required(normalise.line(job.get("title")), "title")
    places = normalise.locations([job.get("location")])
    # False is also what a job has whose employer said nothing.
    fields = [("remote", "remote")] if job.get("remote") is True else []
    remote, evidence = normalise.remote(fields=fields, title=title, places=places, text=text)
    types = (normalise.employment_type(each) for each in sequence(job.get("job_types")))
    return Posting(
        source_job_id=required(normalise.identifier(job.get("slug")), "id"),
        title=title,
        company=required(normalise.line(job.get("company_name"), 200), "company"),
        url=required(normalise.public_url(job.get("url")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        employment_type=next((each for each in types if each), ""),
        posted_at=normalise.when(job.get("created_at")),
        tags=tuple(
            dict.fromkeys(tag for each in sequence(job.get("tags")) if (tag := normalise.line(each, 80)))
        ),
    )

"""Himalayas, a site of remote jobs.

Its API gives twenty jobs a call, whatever is asked for, of about a hundred thousand: a board here is a search
(https://himalayas.app/api), and without one the newest jobs. Times are in seconds.
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

_PAGE = 20
#: Two hundred jobs, the newest.
_MOST_PAGES = 10
_NAMES = {
    "q": "q", "query": "q", "search": "q", "country": "country", "seniority": "seniority",
    "company": "company", "employment_type": "employment_type",
}  # fmt: skip


class Himalayas:
    """The newest jobs at himalayas.app, or a search there."""

    name = "himalayas"
    title = "Himalayas"
    origins: tuple[str, ...] = ("https://himalayas.app",)
    interval = dt.timedelta(hours=1)
    attribution = "From Himalayas (himalayas.app)"
    terms = (
        "The API is offered without a key, for showing jobs with a link to Himalayas and its name, "
        "and not for passing them on to other job boards (Himalayas, Remote jobs API)."
    )
    complete = False
    about = About(
        gathers=True,
        fills=(
            "locations", "remote", "description_text", "salary",
            "employment_type", "posted_at", "tags",
        ),
        searches=("words", "country", "seniority", "company", "employment type"),
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """The site, a search there, or the API's address."""
        if searches.host(url) != "himalayas.app":
            return None
        return searches.board(self, "https://himalayas.app/jobs", searches.narrowed(url, _NAMES))

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The newest jobs, twenty at a time."""
        narrowed = searches.query(board.token)
        # The names of the search's own parameters are not the listing's.

        def address(number: int) -> str:
            if narrowed:
                asked = urlencode({**narrowed, "sort": "recent", "page": number + 1})
                return f"{self.origins[0]}/jobs/api/search?{asked}"
            return f"{self.origins[0]}/jobs/api?limit={_PAGE}&offset={number * _PAGE}"

        yield from searches.paged(
            door,
            validators,
            address=address,
            parse=lambda answer: self._page(answer.body),
            most=_MOST_PAGES,
        )

    def _page(self, body: bytes) -> tuple[Page, bool]:
        items = listed(read_json(body, self.title), "jobs", self.title)
        return gather(items, _posting), len(items) >= _PAGE

    def parse(self, body: bytes, board: Board) -> Page:
        """The jobs of one answer.

        Raises:
            FetchError: It is no listing.
        """
        del board
        return self._page(body)[0]


def _posting(item: Any) -> Posting:
    job = mapping(item)
    safe = sanitise(str(job.get("description") or job.get("excerpt") or ""))
    text = plain(safe)
    title = required(normalise.line(job.get("title")), "title")
    places = normalise.locations(sequence(job.get("locationRestrictions")))
    remote, evidence = searches.remote_only(
        Himalayas.title, normalise.remote(title=title, places=places, text=text)
    )
    company = normalise.line(job.get("companyName"), 200)
    if company in {"", "name"}:  # the API was seen to answer with the field's name
        company = normalise.company_of(normalise.line(job.get("companySlug"), 200))
    words = [*sequence(job.get("categories")), *sequence(job.get("seniority"))]
    return Posting(
        source_job_id=required(normalise.line(job.get("guid")), "id"),
        title=title,
        company=required(company, "company"),
        url=required(
            normalise.public_url(job.get("applicationLink") or job.get("guid")), "link that can be followed"
        ),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=normalise.salary(
            least=job.get("minSalary"),
            most=job.get("maxSalary"),
            currency=job.get("currency"),
            per=job.get("salaryPeriod"),
        ),
        employment_type=normalise.employment_type(job.get("employmentType")),
        posted_at=normalise.when(job.get("pubDate")),
        tags=tuple(
            dict.fromkeys(tag.replace("-", " ") for each in words if (tag := normalise.line(each, 80)))
        ),
    )

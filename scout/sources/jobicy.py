"""Jobicy, a site of remote jobs.

Its API (https://jobicy.com/api/v2/remote-jobs) gives the newest hundred jobs in one answer. Names of
industries hold entities, and places are one line.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlencode

from scout import normalise
from scout.fetch import Door, Limits
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources import searches
from scout.sources.about import About
from scout.sources.answers import gather, listed, mapping, read_json, required, sequence, whole
from scout.sources.board import Board, Page, Validators

_NAMES = {
    "geo": "geo",
    "industry": "industry",
    "tag": "tag",
    "search_region": "geo",
    "search_keywords": "tag",
}


class Jobicy:
    """The newest jobs at jobicy.com, or a search there."""

    name = "jobicy"
    title = "Jobicy"
    origins: tuple[str, ...] = ("https://jobicy.com",)
    interval = dt.timedelta(hours=1)
    attribution = "From Jobicy (jobicy.com)"
    terms = (
        "The API's answer asks for credit to Jobicy with a direct link, and for buttons that lead to "
        "the job's page there (Jobicy, remote jobs API); it is read once an hour."
    )
    complete = False
    about = About(
        gathers=True,
        fills=(
            "locations", "remote", "description_text", "salary",
            "employment_type", "department", "posted_at", "tags",
        ),
        searches=("region", "industry", "words"),
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """The site, a search there, or the API's address."""
        if searches.host(url) != "jobicy.com":
            return None
        return searches.board(self, "https://jobicy.com/jobs", searches.narrowed(url, _NAMES))

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The newest jobs, in one answer."""
        narrowed = searches.query(board.token)
        url = f"{self.origins[0]}/api/v2/remote-jobs?{urlencode({'count': 100, **narrowed})}"
        yield whole(self, url, board, door, validators, limits=Limits())

    def parse(self, body: bytes, board: Board) -> Page:
        """The jobs of one answer.

        Raises:
            FetchError: It is no listing.
        """
        del board
        return gather(listed(read_json(body, self.title), "jobs", self.title), _posting)


def _posting(item: Any) -> Posting:
    job = mapping(item)
    safe = sanitise(str(job.get("jobDescription") or job.get("jobExcerpt") or ""))
    text = plain(safe)
    title = required(normalise.line(job.get("jobTitle")), "title")
    where = job.get("jobGeo")
    places = normalise.locations(where.split(",") if isinstance(where, str) else ())
    remote, evidence = searches.remote_only(
        Jobicy.title, normalise.remote(title=title, places=places, text=text)
    )
    industries = [name for each in sequence(job.get("jobIndustry")) if (name := normalise.line(each, 200))]
    level = normalise.line(job.get("jobLevel"), 80)
    types = (normalise.employment_type(each) for each in sequence(job.get("jobType")))
    # "yearly", "hourly"; amounts without a period are a year's, as the site shows them.
    period = job.get("salaryPeriod") or "yearly"
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=required(normalise.line(job.get("companyName"), 200), "company"),
        url=required(normalise.public_url(job.get("url")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=normalise.salary(
            least=job.get("salaryMin"),
            most=job.get("salaryMax"),
            currency=job.get("salaryCurrency"),
            per=period,
        ),
        employment_type=next((each for each in types if each), ""),
        department=industries[0] if industries else "",
        posted_at=normalise.when(job.get("pubDate")),
        tags=tuple(dict.fromkeys(each for each in (*industries, level) if each and each != "Any")),
    )

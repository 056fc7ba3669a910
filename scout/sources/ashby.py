"""Ashby job boards.

The posting API gives a whole board in one answer, without a key
(https://developers.ashbyhq.com/docs/public-job-posting-api). Postings that are not listed come along and are
left out; the company is not named.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, quote, unquote

from scout import normalise
from scout.fetch import Door, Limits
from scout.html import plain, sanitise
from scout.postings import Posting, Salary
from scout.sources.about import About
from scout.sources.answers import (
    gather,
    listed,
    mapping,
    read_json,
    required,
    sequence,
    whole,
)
from scout.sources.board import Board, Page, Validators

# Names may hold spaces and dots ("Flock Safety", "far.ai"), and keep their case.
_TOKEN = re.compile(r"\w[\w .&'-]{0,99}")
_LIMITS = Limits(size=64 * 1024 * 1024, read=30.0, total=90.0)


class Ashby:
    """Boards at jobs.ashbyhq.com."""

    name = "ashby"
    title = "Ashby"
    origins: tuple[str, ...] = ("https://api.ashbyhq.com",)
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = (
        "The posting API is documented as public, for showing a board's postings elsewhere (Ashby, "
        "Job postings API)."
    )
    complete = True
    about = About(
        fills=(
            "locations", "remote", "description_text", "salary", "employment_type", "department", "posted_at",
        )
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """A board's page, one posting's page, or the API's address."""
        parts = [unquote(part) for part in url.path.split("/") if part]
        if url.hostname == "api.ashbyhq.com":
            if parts[:2] != ["posting-api", "job-board"]:
                return None
            parts = parts[2:]
        elif url.hostname != "jobs.ashbyhq.com":
            return None
        if not parts or not _TOKEN.fullmatch(parts[0]):
            return None
        return Board(kind=self.name, token=parts[0], url=f"https://jobs.ashbyhq.com/{quote(parts[0])}")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The whole board, in one answer."""
        url = (
            f"{self.origins[0]}/posting-api/job-board/{quote(board.token, safe='')}?includeCompensation=true"
        )
        yield whole(self, url, board, door, validators, limits=_LIMITS, hint="; capitals count")

    def parse(self, body: bytes, board: Board) -> Page:
        """The listed postings of one answer.

        Raises:
            FetchError: It is no listing.
        """
        items = listed(read_json(body, self.title), "jobs", self.title)
        return gather(items, lambda item: _posting(item, board))


def _posting(item: Any, board: Board) -> Posting | None:
    job = mapping(item)
    if job.get("isListed") is False:
        return None
    safe = sanitise(job["descriptionHtml"]) if isinstance(job.get("descriptionHtml"), str) else ""
    text = plain(safe)
    title = required(normalise.line(job.get("title")), "title")
    others = (mapping(each).get("location") for each in sequence(job.get("secondaryLocations")))
    places = normalise.locations([job.get("location"), *others])
    # `isRemote` is true for hybrid jobs too, so the workplace's own word goes first.
    fields = [("workplaceType", job.get("workplaceType"))]
    if job.get("isRemote") is True:
        fields.append(("isRemote", "remote"))
    remote, evidence = normalise.remote(fields=fields, title=title, places=places, text=text)
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=board.company or normalise.company_of(board.token),
        url=required(normalise.public_url(job.get("jobUrl")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=_salary(mapping(job.get("compensation"))),
        employment_type=normalise.employment_type(job.get("employmentType")),
        department=normalise.line(job.get("department"), 200) or normalise.line(job.get("team"), 200),
        posted_at=normalise.when(job.get("publishedAt")),
    )


def _salary(compensation: dict[str, Any]) -> Salary | None:
    """The salary among the parts of a compensation; equity and bonuses are not pay for a period."""
    for part in sequence(compensation.get("summaryComponents")):
        component = mapping(part)
        if component.get("compensationType") == "Salary":
            pay = normalise.salary(
                least=component.get("minValue"),
                most=component.get("maxValue"),
                currency=component.get("currencyCode"),
                per=component.get("interval"),
                raw=compensation.get("scrapeableCompensationSalarySummary")
                or compensation.get("compensationTierSummary")
                or "",
            )
            if pay is not None:
                return pay
    return None

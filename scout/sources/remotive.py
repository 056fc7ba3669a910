"""Remotive, a site of remote jobs.

Its API (https://remotive.com/api/remote-jobs) gives all of them in one answer, a day after they were posted.
It asks for at most four readings a day: there is one board, and no searches that would each be read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult

from scout import normalise
from scout.courtesy import Policy
from scout.fetch import Door, Limits
from scout.html import plain, sanitise
from scout.postings import Posting, Salary
from scout.sources import searches
from scout.sources.about import About
from scout.sources.answers import gather, listed, mapping, read_json, required, sequence, whole
from scout.sources.board import Board, Page, Validators

# One try: more than two calls a minute are blocked.
_LIMITS = Limits(tries=1)


class Remotive:
    """The jobs at remotive.com."""

    name = "remotive"
    title = "Remotive"
    origins: tuple[str, ...] = ("https://remotive.com",)
    interval = dt.timedelta(hours=6)
    attribution = "From Remotive (remotive.com)"
    terms = (
        "The API's answer asks for a link back to the job on Remotive and for its name, forbids "
        "passing jobs on to other job boards or using them to gather sign-ups, and advises four calls "
        "a day; more than two a minute are blocked (Remotive, remote-jobs API)."
    )
    complete = False
    about = About(
        gathers=True,
        fills=(
            "locations", "remote", "description_text", "salary",
            "employment_type", "department", "posted_at", "tags",
        ),
        policy=Policy(rate=1 / 31, concurrency=1),
        daily=4,
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """Any page of the site, or its API's address."""
        if searches.host(url) not in {"remotive.com", "remotive.io"}:
            return None
        return searches.board(self, "https://remotive.com/remote-jobs", {})

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """All jobs, in one answer."""
        yield whole(self, f"{self.origins[0]}/api/remote-jobs", board, door, validators, limits=_LIMITS)

    def parse(self, body: bytes, board: Board) -> Page:
        """The jobs of one answer.

        Raises:
            FetchError: It is no listing.
        """
        del board
        return gather(listed(read_json(body, self.title), "jobs", self.title), _posting)


def _posting(item: Any) -> Posting:
    job = mapping(item)
    safe = sanitise(job["description"]) if isinstance(job.get("description"), str) else ""
    text = plain(safe)
    title = required(normalise.line(job.get("title")), "title")
    where = job.get("candidate_required_location")
    places = normalise.locations(where.split(",") if isinstance(where, str) else ())
    remote, evidence = searches.remote_only(
        Remotive.title, normalise.remote(title=title, places=places, text=text)
    )
    pay = normalise.line(job.get("salary"), 200)
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=required(normalise.line(job.get("company_name"), 200), "company"),
        url=required(normalise.public_url(job.get("url")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        # Free text ("$31,2k- $52k", "Pay per task"): kept as it stands.
        salary=Salary(raw=pay) if pay else None,
        employment_type=normalise.employment_type(job.get("job_type")),
        department=normalise.line(job.get("category"), 200),
        posted_at=normalise.when(job.get("publication_date")),
        tags=tuple(
            dict.fromkeys(tag for each in sequence(job.get("tags")) if (tag := normalise.line(each, 80)))
        ),
    )

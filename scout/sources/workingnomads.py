"""Working Nomads, a site of remote jobs.

Its list (https://www.workingnomads.com/api/exposed_jobs/) is one answer. A job's address is a redirect to the
employer's page, and the number in it is its id.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult

from scout import normalise
from scout.fetch import Door, Limits
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources import searches
from scout.sources.about import About
from scout.sources.answers import gather, listed, mapping, read_json, required, whole
from scout.sources.board import Board, Page, Validators

_NUMBER = re.compile(r"/(\d+)/?(?:$|[?#])")


class WorkingNomads:
    """The jobs at workingnomads.com."""

    name = "workingnomads"
    title = "Working Nomads"
    origins: tuple[str, ...] = ("https://www.workingnomads.com",)
    interval = dt.timedelta(hours=3)
    attribution = "From Working Nomads (workingnomads.com)"
    terms = "The list of exposed jobs is public and needs no key; each job is linked by its address there."
    complete = False
    about = About(
        gathers=True,
        fills=(
            "locations", "remote", "description_text", "department",
            "posted_at", "tags",
        )
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """Any page of the site, or its API's address."""
        if searches.host(url) not in {"workingnomads.com", "workingnomads.co"}:
            return None
        return searches.board(self, "https://www.workingnomads.com/jobs", {})

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """All jobs, in one answer."""
        yield whole(self, f"{self.origins[0]}/api/exposed_jobs/", board, door, validators, limits=Limits())

    def parse(self, body: bytes, board: Board) -> Page:
        """The jobs of one answer.

        Raises:
            FetchError: It is no listing.
        """
        del board
        return gather(listed(read_json(body, self.title), None, self.title), _posting)


def _posting(item: Any) -> Posting:
    job = mapping(item)
    link = required(normalise.public_url(job.get("url")), "link that can be followed")
    number = _NUMBER.search(link)
    safe = sanitise(job["description"]) if isinstance(job.get("description"), str) else ""
    text = plain(safe)
    title = required(normalise.line(job.get("title")), "title")
    places = normalise.locations([job.get("location")])
    remote, evidence = searches.remote_only(
        WorkingNomads.title, normalise.remote(title=title, places=places, text=text)
    )
    tags = job.get("tags")
    return Posting(
        source_job_id=number[1] if number else link,
        title=title,
        company=required(normalise.line(job.get("company_name"), 200), "company"),
        url=link,
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        department=normalise.line(job.get("category_name"), 200),
        posted_at=normalise.when(job.get("pub_date")),
        tags=tuple(
            dict.fromkeys(
                tag
                for each in (tags.split(",") if isinstance(tags, str) else ())
                if (tag := normalise.line(each, 80))
            )
        ),
    )

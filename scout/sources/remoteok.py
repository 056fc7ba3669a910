"""Remote OK, a site of jobs that are mostly remote.

Its API (https://remoteok.com/api) gives the newest jobs in one answer, whose first element is its terms.
Zero pay means unknown. Descriptions end in a request to name a word and a tag, which hold the reader's own
address and differ each time: that end is cut off.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from scout import normalise
from scout.fetch import Door, Limits
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources import searches
from scout.sources.about import About
from scout.sources.answers import gather, listed, mapping, read_json, required, sequence, whole
from scout.sources.board import Board, Page, Validators

_TAG = re.compile(r"/remote-([a-z0-9+-]+)-jobs/?")
_REQUEST = "please mention the word "


class RemoteOk:
    """The jobs at remoteok.com, or those with a tag."""

    name = "remoteok"
    title = "Remote OK"
    origins: tuple[str, ...] = ("https://remoteok.com",)
    interval = dt.timedelta(hours=1)
    attribution = "From Remote OK (remoteok.com)"
    terms = (
        "The API's answer asks for a followed, direct link back to the job on Remote OK and for its "
        "name as the source, and forbids its logo (Remote OK, API terms of service)."
    )
    complete = False
    about = About(
        gathers=True,
        fills=(
            "locations", "remote", "description_text", "salary",
            "employment_type", "posted_at", "tags",
        ),
        searches=("tag",),
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """The site, the page of one tag, or the API's address."""
        if searches.host(url) != "remoteok.com":
            return None
        narrowed = searches.narrowed(url, {"tags": "tags", "tag": "tags"})
        tag = _TAG.fullmatch(url.path)
        if tag:
            narrowed["tags"] = tag[1]
        return searches.board(self, "https://remoteok.com/remote-jobs", narrowed)

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The newest jobs, in one answer."""
        narrowed = searches.query(board.token)
        url = f"{self.origins[0]}/api" + (f"?{urlencode(narrowed)}" if narrowed else "")
        yield whole(self, url, board, door, validators, limits=Limits())

    def parse(self, body: bytes, board: Board) -> Page:
        """The jobs of one answer.

        Raises:
            FetchError: It is no listing.
        """
        del board
        items = listed(read_json(body, self.title), None, self.title)
        return gather((each for each in items if "legal" not in mapping(each)), _posting)


def _posting(item: Any) -> Posting:
    job = mapping(item)
    described = job.get("description")
    safe = sanitise(_without_request(described)) if isinstance(described, str) else ""
    text = plain(safe)
    title = required(normalise.line(job.get("position")), "title")
    where = job.get("location")
    places = normalise.locations([where.strip(" ,")] if isinstance(where, str) else ())
    tags = tuple(
        dict.fromkeys(tag for each in sequence(job.get("tags")) if (tag := normalise.line(each, 80)))
    )
    # Many a job here is done at a place: being listed here says nothing.
    remote, evidence = normalise.remote(title=title, places=places, text=text)
    link = required(normalise.public_url(job.get("url")), "link that can be followed")
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=required(normalise.line(job.get("company"), 200), "company"),
        url=urlsplit(link)._replace(netloc=urlsplit(link).netloc.lower()).geturl(),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        # The site shows these amounts as dollars a year; the answer itself says neither.
        salary=normalise.salary(
            least=job.get("salary_min"), most=job.get("salary_max"), currency="USD", per="year"
        ),
        employment_type=next((kind for each in tags if (kind := normalise.employment_type(each))), ""),
        posted_at=normalise.when(job.get("epoch")) or normalise.when(job.get("date")),
        tags=tags,
    )


def _without_request(described: str) -> str:
    at = described.lower().rfind(_REQUEST)
    return described if at < 0 else described[:at]

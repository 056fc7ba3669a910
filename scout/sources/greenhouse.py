"""Greenhouse job boards.

The Job Board API gives a whole board in one answer, descriptions included, without a key
(https://developers.greenhouse.io/job-board.html). Boards on Greenhouse's European servers are read at the
same address. Descriptions come as HTML whose characters are escaped once more.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, parse_qs

from scout import normalise
from scout.fetch import Door, Limits
from scout.html import plain, sanitise, unescaped
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

_HOSTS = frozenset(
    {
        "boards.greenhouse.io",
        "job-boards.greenhouse.io",
        "boards.eu.greenhouse.io",
        "job-boards.eu.greenhouse.io",
        "boards-api.greenhouse.io",
        "api.greenhouse.io",
    }
)
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
# A large board with its descriptions is one answer: tens of megabytes.
_LIMITS = Limits(size=64 * 1024 * 1024, read=30.0, total=90.0)
_WORKPLACE = re.compile(r"remote|work ?place|work ?(?:mode|arrangement|model)|location type", re.IGNORECASE)
_EMPLOYMENT = re.compile(r"employment|time type|contract type|job type", re.IGNORECASE)
_PAY = re.compile(r"salary|pay\b|compensation", re.IGNORECASE)


class Greenhouse:
    """Boards at job-boards.greenhouse.io."""

    name = "greenhouse"
    title = "Greenhouse"
    origins: tuple[str, ...] = ("https://boards-api.greenhouse.io",)
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = (
        "The Job Board API's documentation calls its listings public and in need of no key "
        "(Greenhouse, Job Board API, introduction)."
    )
    complete = True
    about = About(
        fills=(
            "locations", "remote", "description_text", "salary", "employment_type", "department",
            "requisition_id", "posted_at",
        )
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """A board's page, one posting's page, an embedded board (`?for=`), or the API's address."""
        if url.hostname not in _HOSTS:
            return None
        parts = [part for part in url.path.split("/") if part]
        token = parse_qs(url.query).get("for", [""])[0]
        if parts[:1] == ["embed"]:
            pass  # the token is in the query
        elif parts[:2] == ["v1", "boards"] and len(parts) > 2:  # noqa: PLR2004 - /v1/boards/TOKEN
            token = parts[2]
        elif parts and parts[0] != "v1":
            token = parts[0]
        if not _TOKEN.fullmatch(token):
            return None
        host = "job-boards.eu.greenhouse.io" if ".eu." in url.hostname else "job-boards.greenhouse.io"
        return Board(kind=self.name, token=token, url=f"https://{host}/{token}")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The whole board, in one answer."""
        url = f"{self.origins[0]}/v1/boards/{board.token}/jobs?content=true"
        yield whole(self, url, board, door, validators, limits=_LIMITS)

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one answer.

        Raises:
            FetchError: It is no listing.
        """
        items = listed(read_json(body, self.title), "jobs", self.title)
        return gather(items, lambda item: _posting(item, board))


def _posting(item: Any, board: Board) -> Posting:
    job = mapping(item)
    safe = sanitise(unescaped(job["content"])) if isinstance(job.get("content"), str) else ""
    text = plain(safe)
    title = required(normalise.line(job.get("title")), "title")
    places = normalise.locations([mapping(job.get("location")).get("name")])
    metadata = [mapping(each) for each in sequence(job.get("metadata"))]
    remote, evidence = normalise.remote(
        fields=[(normalise.line(m.get("name"), 60), m.get("value")) for m in _named(metadata, _WORKPLACE)],
        title=title,
        places=places,
        text=text,
    )
    employment = (normalise.employment_type(m.get("value")) for m in _named(metadata, _EMPLOYMENT))
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=normalise.line(job.get("company_name"), 200)
        or board.company
        or normalise.company_of(board.token),
        url=required(normalise.public_url(job.get("absolute_url")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=_salary(job, metadata),
        employment_type=next((each for each in employment if each), ""),
        department=next(
            (
                name
                for d in sequence(job.get("departments"))
                if (name := normalise.line(mapping(d).get("name"), 200))
            ),
            "",
        ),
        requisition_id=normalise.identifier(job.get("requisition_id")),
        posted_at=normalise.when(job.get("first_published")),
    )


def _named(metadata: list[dict[str, Any]], pattern: re.Pattern[str]) -> list[dict[str, Any]]:
    return [each for each in metadata if isinstance(each.get("name"), str) and pattern.search(each["name"])]


def _salary(job: dict[str, Any], metadata: list[dict[str, Any]]) -> Salary | None:
    """Pay where the board gives it as a field: ranges in cents, or a custom field that is a range."""
    for each in sequence(job.get("pay_input_ranges")):
        found = mapping(each)
        least, most = normalise.amount(found.get("min_cents")), normalise.amount(found.get("max_cents"))
        pay = normalise.salary(
            least=least and least / 100,
            most=most and most / 100,
            currency=found.get("currency_type"),
            per=found.get("title"),
            raw=found.get("title") or "",
        )
        if pay is not None:
            return pay
    for each in _named(metadata, _PAY):
        found = mapping(each.get("value"))
        pay = normalise.salary(
            least=found.get("min_value"),
            most=found.get("max_value"),
            currency=found.get("unit"),
            per=each.get("name"),
            raw=each.get("name"),
        )
        if pay is not None:
            return pay
    return None

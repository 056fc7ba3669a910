"""Rippling job boards.

The Job Board API gives a board's postings in one answer, without a key
(https://developer.rippling.com/documentation/job-board-api). A posting of several places is listed once for
each: here it becomes one. Texts, dates and pay come with each posting's details.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, quote

from scout import normalise
from scout.fetch import Door, Limits
from scout.html import plain, sanitise
from scout.postings import Posting, Salary
from scout.sources.about import About
from scout.sources.answers import (
    detail_of,
    folded,
    gather,
    listed,
    mapping,
    path_of,
    read_json,
    required,
    sections,
    sequence,
    whole,
)
from scout.sources.board import Board, Page, Validators

_API = "https://api.rippling.com"
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_LOCALE = re.compile(r"[a-z]{2}-[A-Z]{2}")
_LIMITS = Limits(size=32 * 1024 * 1024, read=30.0, total=60.0)


class Rippling:
    """Boards at ats.rippling.com."""

    name = "rippling"
    title = "Rippling"
    origins: tuple[str, ...] = (_API,)
    interval = dt.timedelta(hours=2)
    attribution = ""
    terms = (
        "The Job Board API is documented as public, for showing a board's postings elsewhere "
        "(Rippling, Job Board API)."
    )
    complete = True
    about = About(
        fills=(
            "locations",
            "remote",
            "description_text",
            "salary",
            "employment_type",
            "department",
            "posted_at",
        )
    )
    details = 60

    def recognise(self, url: SplitResult) -> Board | None:
        """A board, one posting's page, either with or without a language, or the API's address."""
        parts = path_of(url)
        if url.hostname == "api.rippling.com":
            start = ["platform", "api", "ats", "v1", "board"]
        elif url.hostname == "ats.rippling.com":
            start = ["api", "v2", "board"] if parts[:1] == ["api"] else []
        else:
            return None
        if parts[: len(start)] != start:
            return None
        parts = parts[len(start) :]
        while parts and (_LOCALE.fullmatch(parts[0]) or parts[0] == "embed"):
            parts = parts[1:]
        if not parts or not _TOKEN.fullmatch(parts[0]):
            return None
        return Board(kind=self.name, token=parts[0], url=f"https://ats.rippling.com/{parts[0]}/jobs")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The whole board, in one answer."""
        url = f"{_API}/platform/api/ats/v1/board/{board.token}/jobs"
        yield whole(self, url, board, door, validators, limits=_LIMITS)

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one answer, without dates and texts.

        Raises:
            FetchError: It is no listing.
        """
        items = listed(read_json(body, self.title), None, self.title)
        return gather(folded(items, "uuid"), lambda same: _posting(same, board))

    def detailed(self, posting: Posting, board: Board, door: Door) -> Posting:
        """The posting with its text, its date and its pay."""
        url = f"{_API}/platform/api/ats/v1/board/{board.token}/jobs/{quote(posting.source_job_id, safe='')}"
        answer = door.get(url, headers={"accept": "application/json"}, limits=_LIMITS)
        return self.parse_detail(answer.body, board)

    def parse_detail(self, body: bytes, board: Board) -> Posting:
        """The posting of one answer with details.

        Raises:
            FetchError: It is none.
        """
        return detail_of(read_json(body, self.title), lambda item: _posting([item], board), self.title)


def _posting(same: list[Any], board: Board) -> Posting:
    """One posting out of the items that are it, one for each place."""
    job = mapping(same[0])
    title = required(normalise.line(job.get("name")), "title")
    described = mapping(job.get("description"))
    safe = sanitise(sections([("", described.get("role")), ("", described.get("company"))]))
    text = plain(safe)
    labels = [mapping(mapping(item).get("workLocation")).get("label") for item in same]
    places = normalise.locations([*labels, *sequence(job.get("workLocations"))])
    remote, evidence = normalise.remote(title=title, places=places, text=text)
    kind = mapping(job.get("employmentType"))
    department = mapping(job.get("department"))
    return Posting(
        source_job_id=required(normalise.identifier(job.get("uuid")), "id"),
        title=title,
        company=normalise.line(job.get("companyName"), 200)
        or board.company
        or normalise.company_of(board.token),
        url=required(normalise.public_url(job.get("url")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=_salary(sequence(job.get("payRangeDetails"))),
        # The id is the words, the label a code ("SALARIED_FT").
        employment_type=normalise.employment_type(kind.get("id"))
        or normalise.employment_type(kind.get("label")),
        department=normalise.line(department.get("name"), 200)
        or normalise.line(department.get("label"), 200),
        posted_at=normalise.when(job.get("createdOn")),
    )


def _salary(ranges: list[Any]) -> Salary | None:
    """The pay that is stated first; others are for other places."""
    for each in map(mapping, ranges):
        pay = normalise.salary(
            least=each.get("rangeStart"),
            most=each.get("rangeEnd"),
            currency=each.get("currency"),
            per=each.get("frequency"),
        )
        if pay is not None:
            return pay
    return None

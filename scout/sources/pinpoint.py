"""Pinpoint career sites.

Each site has its open postings as JSON, texts included, in one answer, without a key
(https://developers.pinpointhq.com, "Public job postings"). It names neither the company nor a date.
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
from scout.postings import Posting, Salary
from scout.sources.about import About
from scout.sources.answers import (
    gather,
    listed,
    mapping,
    path_of,
    place,
    read_json,
    required,
    sections,
    tenant,
    whole,
)
from scout.sources.board import Board, Page, Validators

_DOMAIN = "pinpointhq.com"
_OWN = frozenset({"academy", "ideas", "info", "go", "marketing", "resources", "security", "trust"})
_LIMITS = Limits(size=64 * 1024 * 1024, read=30.0, total=90.0)
_PARTS = (
    ("", "description"),
    ("key_responsibilities_header", "key_responsibilities"),
    ("skills_knowledge_expertise_header", "skills_knowledge_expertise"),
    ("benefits_header", "benefits"),
)


class Pinpoint:
    """Sites at COMPANY.pinpointhq.com, and on hosts of a company's own. A token is its name, or that host."""

    name = "pinpoint"
    title = "Pinpoint"
    origins: tuple[str, ...] = ("https://*.pinpointhq.com",)
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = (
        "A site's postings as JSON are open to everybody, for showing them elsewhere (Pinpoint, job board "
        "feed)."
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
            "requisition_id",
        )
    )

    def recognise(self, url: SplitResult) -> Board | None:
        """Any page of a site, or its list's address, which is all that tells a company's own host."""
        token = tenant(url, _DOMAIN, _OWN)
        if not token and path_of(url)[-1:] == ["postings.json"] and not url.port:
            token = (url.hostname or "").lower()
            if "." not in token or token.endswith(f".{_DOMAIN}") or re.fullmatch(r"[\d.]+", token):
                return None
        if not token:
            return None
        # Its answers do not name the company; a host of its own shows the name in its second part.
        company = normalise.company_of(token.split(".")[-2:][0])
        return Board(kind=self.name, token=token, company=company, url=f"{_origin(token)}/")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The whole site, in one answer."""
        url = f"{_origin(board.token)}/postings.json"
        yield whole(self, url, board, door, validators, limits=_LIMITS, vendor=_DOMAIN)

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one answer.

        Raises:
            FetchError: It is no listing.
        """
        items = listed(read_json(body, self.title), "data", self.title)
        return gather(items, lambda item: _posting(item, board))


def _origin(token: str) -> str:
    return f"https://{token}" if "." in token else f"https://{token}.{_DOMAIN}"


def _posting(item: Any, board: Board) -> Posting:
    job = mapping(item)
    title = required(normalise.line(job.get("title")), "title")
    safe = sanitise(sections((job.get(heading), job.get(name)) for heading, name in _PARTS))
    text = plain(safe)
    where = mapping(job.get("location"))
    named = place(where.get("city"), where.get("province"), where.get("country"))
    places = normalise.locations([named or where.get("name")])
    remote, evidence = normalise.remote(
        fields=[("workplace_type", job.get("workplace_type"))], title=title, places=places, text=text
    )
    opening = mapping(job.get("job"))
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=board.company or normalise.company_of(board.token),
        url=required(normalise.public_url(job.get("url")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=_salary(job),
        employment_type=normalise.employment_type(job.get("employment_type")),
        department=normalise.line(mapping(opening.get("department")).get("name"), 200),
        requisition_id=normalise.identifier(opening.get("requisition_id")),
        posted_at=normalise.when(job.get("published_at")),
    )


def _salary(job: dict[str, Any]) -> Salary | None:
    """The pay, where the company shows it."""
    if job.get("compensation_visible") is False:
        return None
    return normalise.salary(
        least=job.get("compensation_minimum"),
        most=job.get("compensation_maximum"),
        currency=job.get("compensation_currency"),
        per=job.get("compensation_frequency"),
        raw=job.get("compensation"),
    )

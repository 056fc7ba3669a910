"""Recruitee (Tellent) career sites.

The Careers Site API gives a company's offers in one answer, without a key
(https://docs.recruitee.com/reference/intro-to-careers-site-api). Amounts of money come as text, dates in a
form of their own, and the description in two parts. The mailbox of a posting is never kept.
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
    sequence,
    tenant,
    whole,
)
from scout.sources.board import Board, Page, Validators

_DOMAIN = "recruitee.com"
_LIMITS = Limits(size=64 * 1024 * 1024, read=30.0, total=90.0)


class Recruitee:
    """Sites at COMPANY.recruitee.com, and on hosts of a company's own. A token is its name, or that host."""

    name = "recruitee"
    title = "Recruitee"
    origins: tuple[str, ...] = ("https://*.recruitee.com",)
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = (
        "The Careers Site API is documented as public, for building a career site on a company's published "
        "offers (Recruitee, Careers Site API)."
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
            "tags",
        )
    )

    def recognise(self, url: SplitResult) -> Board | None:
        """A site, one offer's page, or the API's address, which is all that tells a company's own host."""
        token = tenant(url, _DOMAIN, frozenset({"careers", "career"}))
        if not token and path_of(url)[:2] == ["api", "offers"] and not url.port:
            token = (url.hostname or "").lower()
            if "." not in token or token.endswith(f".{_DOMAIN}") or re.fullmatch(r"[\d.]+", token):
                return None
        if not token:
            return None
        return Board(kind=self.name, token=token, url=f"{_origin(token)}/")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The whole site, in one answer."""
        url = f"{_origin(board.token)}/api/offers/"
        yield whole(self, url, board, door, validators, limits=_LIMITS, vendor=_DOMAIN)

    def parse(self, body: bytes, board: Board) -> Page:
        """The published offers of one answer.

        Raises:
            FetchError: It is no listing.
        """
        items = listed(read_json(body, self.title), "offers", self.title)
        return gather(items, lambda item: _posting(item, board))


def _origin(token: str) -> str:
    return f"https://{token}" if "." in token else f"https://{token}.{_DOMAIN}"


def _posting(item: Any, board: Board) -> Posting | None:
    job = mapping(item)
    if job.get("status") not in {None, "published"}:
        return None
    title = required(normalise.line(job.get("title")), "title")
    safe = sanitise(sections([("", job.get("description")), ("", job.get("requirements"))]))
    text = plain(safe)
    places = normalise.locations(_places(job))
    # Several may be true: then the work can be done in the freest of them.
    names = (("remote", "remote"), ("hybrid", "hybrid"), ("on_site", "onsite"))
    remote, evidence = normalise.remote(
        fields=[(name, meaning) for name, meaning in names if job.get(name) is True],
        title=title,
        places=places,
        text=text,
    )
    pay = mapping(job.get("salary"))
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=normalise.line(job.get("company_name"), 200)
        or board.company
        or normalise.company_of(board.token),
        url=required(normalise.public_url(job.get("careers_url")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=normalise.salary(
            least=pay.get("min"), most=pay.get("max"), currency=pay.get("currency"), per=pay.get("period")
        ),
        employment_type=normalise.employment_type(job.get("employment_type_code")),
        department=normalise.line(job.get("department"), 200),
        posted_at=normalise.when(job.get("published_at")) or normalise.when(job.get("created_at")),
        tags=tuple(
            dict.fromkeys(tag for each in sequence(job.get("tags")) if (tag := normalise.line(each, 80)))
        ),
    )


def _places(job: dict[str, Any]) -> list[str]:
    found = [
        place(each.get("city") or each.get("name"), each.get("state"), each.get("country"))
        for each in map(mapping, sequence(job.get("locations")))
    ]
    whole = normalise.line(job.get("location"), 200)
    return [each for each in found if each] or [
        place(*whole.split(",")) or place(job.get("city"), job.get("country"))
    ]

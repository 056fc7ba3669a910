"""Workable career pages.

The widget that companies put on their own pages gives all postings in one answer, texts included, without a
key. A posting of several places is listed once for each: here it becomes one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult

from scout import normalise
from scout.courtesy import Policy
from scout.fetch import Door, Limits
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources.about import About
from scout.sources.answers import (
    folded,
    gather,
    listed,
    mapping,
    markup,
    path_of,
    place,
    read_json,
    required,
    sequence,
    tenant,
    whole,
)
from scout.sources.board import Board, Page, Validators

_API = "https://apply.workable.com"
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
#: Parts of apply.workable.com that are no company's.
_OTHERS = frozenset({"api", "j", "static", "assets", "login", "signup"})
_HOSTS = frozenset(
    {"apply", "jobs", "careers", "resources", "get", "id", "partners", "community", "engineering", "workable"}
)
_LIMITS = Limits(size=64 * 1024 * 1024, read=30.0, total=90.0)


class Workable:
    """Companies at apply.workable.com."""

    name = "workable"
    title = "Workable"
    origins: tuple[str, ...] = (_API,)
    interval = dt.timedelta(hours=2)
    attribution = ""
    terms = (
        "The widget's listing is offered for showing a company's postings on pages of others, and is open to "
        "everybody; those who ask often are turned away for a while (Workable, Careers page widget)."
    )
    complete = True
    about = About(
        fills=(
            "locations",
            "remote",
            "description_text",
            "employment_type",
            "department",
            "requisition_id",
            "posted_at",
            "tags",
        ),
        policy=Policy(rate=1.0, concurrency=1),
    )

    def recognise(self, url: SplitResult) -> Board | None:
        """A company's page, one posting's page below it, its old host, or the widget's address."""
        host, parts = url.hostname or "", path_of(url)
        if host == "apply.workable.com":
            for start in (
                ["api", "v1", "widget", "accounts"],
                ["api", "v1", "accounts"],
                ["api", "v3", "accounts"],
            ):
                if parts[: len(start)] == start:
                    parts = parts[len(start) :]
            token = parts[0] if parts and parts[0] not in _OTHERS else ""
        elif host == "www.workable.com" and parts[:2] == ["api", "accounts"]:
            token = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - /api/accounts/COMPANY
        else:
            token = tenant(url, "workable.com", _HOSTS)
        if not _TOKEN.fullmatch(token):
            return None
        return Board(kind=self.name, token=token, url=f"{_API}/{token}/")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The whole company, in one answer."""
        url = f"{_API}/api/v1/widget/accounts/{board.token}?details=true"
        yield whole(self, url, board, door, validators, limits=_LIMITS)

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one answer.

        Raises:
            FetchError: It is no listing.
        """
        document = read_json(body, self.title)
        items = listed(document, "jobs", self.title)
        company = (
            normalise.line(document.get("name"), 200) or board.company or normalise.company_of(board.token)
        )
        return gather(folded(items, "shortcode"), lambda each: _posting(each, company))


def _posting(same: list[Any], company: str) -> Posting:
    """One posting out of the items that are it, one for each place."""
    job = mapping(same[0])
    safe = sanitise(markup(job.get("description")))
    text = plain(safe)
    title = required(normalise.line(job.get("title")), "title")
    places = normalise.locations(each for item in same for each in _places(mapping(item)))
    fields = [("telecommuting", "remote")] if job.get("telecommuting") is True else []
    remote, evidence = normalise.remote(fields=fields, title=title, places=places, text=text)
    return Posting(
        source_job_id=required(normalise.identifier(job.get("shortcode")), "shortcode"),
        title=title,
        company=company,
        url=required(
            normalise.public_url(job.get("url")) or normalise.public_url(job.get("shortlink")),
            "link that can be followed",
        ),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        employment_type=normalise.employment_type(job.get("employment_type")),
        department=normalise.line(job.get("department"), 200),
        requisition_id=normalise.identifier(job.get("code")),
        posted_at=normalise.when(job.get("published_on")) or normalise.when(job.get("created_at")),
        tags=tuple(
            dict.fromkeys(
                words for name in ("function", "industry") if (words := normalise.line(job.get(name), 80))
            )
        ),
    )


def _places(job: dict[str, Any]) -> list[str]:
    found = [
        place(each.get("city"), each.get("region"), each.get("country"))
        for each in map(mapping, sequence(job.get("locations")))
        if each.get("hidden") is not True
    ]
    return [each for each in found if each] or [place(job.get("city"), job.get("state"), job.get("country"))]

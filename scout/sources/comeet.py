"""Comeet (Spark Hire) career pages.

A company's page on comeet.com holds all its positions as JSON in its script, texts included; the careers API
itself wants a key that each company has. Both list the same fields, so one parser reads either.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult

from scout import normalise
from scout.fetch import Door, FetchError, Limits, Reason, is_challenge
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
    whole,
)
from scout.sources.board import Board, Page, Validators

_ORIGIN = "https://www.comeet.com"
_HOSTS = frozenset({"www.comeet.com", "comeet.com", "www.comeet.co", "comeet.co"})
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}/[0-9A-Fa-f]{1,4}\.[0-9A-Fa-f]{1,4}")
_LIMITS = Limits(size=32 * 1024 * 1024, read=30.0, total=60.0)
_MARK = "COMPANY_POSITIONS_DATA"


class Comeet:
    """Companies at www.comeet.com/jobs. A token is `company/12.345`, as in the page's address."""

    name = "comeet"
    title = "Comeet"
    origins: tuple[str, ...] = (_ORIGIN,)
    interval = dt.timedelta(hours=2)
    attribution = ""
    terms = (
        "A company's public page is read, once a scan; the careers API is documented and wants each "
        "company's key (Comeet, Careers API)."
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
        )
    )

    def recognise(self, url: SplitResult) -> Board | None:
        """A company's page, or one position's."""
        parts = path_of(url)
        token = "/".join(parts[1:3])
        if url.hostname not in _HOSTS or parts[:1] != ["jobs"] or not _TOKEN.fullmatch(token):
            return None
        company = normalise.company_of(parts[1])
        return Board(kind=self.name, token=token, company=company, url=f"{_ORIGIN}/jobs/{token}")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The whole company, in one page."""
        url = f"{_ORIGIN}/jobs/{board.token}"
        yield whole(self, url, board, door, validators, limits=_LIMITS, accept="text/html")

    def parse(self, body: bytes, board: Board) -> Page:
        """The positions of a page, or of an answer of the careers API.

        Raises:
            FetchError: It is neither.
        """
        items = listed(_positions(body, self.title), None, self.title)
        return gather(items, lambda item: _posting(item, board))


_ASSIGNED = re.compile(rf"{_MARK}\s*=\s*")


def _positions(body: bytes, title: str) -> Any:
    """The JSON that a page's script holds; what is no page is JSON itself."""
    if not body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return read_json(body, title)
    text = body.decode("utf-8", "replace")
    found = _ASSIGNED.search(text)
    if found is None:
        if is_challenge({}, body):
            raise FetchError(
                Reason.BOT_CHALLENGE,
                f"{title} answered with a page that checks for humans. Its jobs stay as they were; look at "
                "it in a browser.",
            )
        return read_json(body, title)  # which says what page it is
    try:
        return json.JSONDecoder().raw_decode(text, found.end())[0]
    except json.JSONDecodeError as error:
        if "</html>" not in text[-4096:].lower():
            raise FetchError(
                Reason.TRUNCATED,
                f"The page of {title} ends in the middle. Nothing of it was used; the next scan tries again.",
            ) from error
        raise FetchError(
            Reason.NOT_A_LISTING,
            f"The list in the page of {title} cannot be read. Its jobs stay as they were; if this lasts, its "
            "format has changed.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise FetchError(
            Reason.NOT_A_LISTING,
            f"The list in the page of {title} cannot be read. Its jobs stay as they were; if this lasts, its "
            "format has changed.",
        ) from error


def _posting(item: Any, board: Board) -> Posting | None:
    job = mapping(item)
    if job.get("is_internal") is True:
        return None
    title = required(normalise.line(job.get("name")), "title")
    details = sequence(job.get("details")) or sequence(mapping(job.get("custom_fields")).get("details"))
    parts = [mapping(each) for each in details]
    safe = sanitise(sections((part.get("name"), part.get("value")) for part in parts))
    text = plain(safe)
    where = mapping(job.get("location"))
    named = place(where.get("city"), where.get("state"), where.get("country"))
    places = normalise.locations([named or where.get("name")])
    # `is_remote` is true for hybrid jobs too, so the workplace's own word goes first.
    fields = [("workplace_type", job.get("workplace_type"))]
    if where.get("is_remote") is True:
        fields.append(("is_remote", "remote"))
    remote, evidence = normalise.remote(fields=fields, title=title, places=places, text=text)
    links = (job.get(name) for name in ("url_comeet_hosted_page", "url_active_page", "url_detected_page"))
    return Posting(
        source_job_id=required(normalise.identifier(job.get("uid")), "id"),
        title=title,
        company=normalise.line(job.get("company_name"), 200)
        or board.company
        or normalise.company_of(board.token.partition("/")[0]),
        url=required(
            next((link for each in links if (link := normalise.public_url(each))), ""),
            "link that can be followed",
        ),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        employment_type=normalise.employment_type(job.get("employment_type")),
        department=normalise.line(job.get("department"), 200),
        requisition_id=normalise.identifier(job.get("internal_use_custom_id")),
        # It moves with every change of the position; there is no date of publication.
        posted_at=normalise.when(job.get("time_updated")),
    )

"""Lever job sites.

The Postings API gives a site's postings in pages, without a key (https://github.com/lever/postings-api).
Sites on Lever's European servers have their own host. `createdAt` is in milliseconds; requirements stand in
`lists`, apart from the description; the company is not named.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import SplitResult, urlsplit

from scout import normalise
from scout.fetch import Door, FetchError, Limits, Reason
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources.about import About
from scout.sources.answers import (
    ask,
    gather,
    listed,
    mapping,
    read_json,
    remember,
    required,
    sequence,
    unknown,
)
from scout.sources.board import Board, Page, Validators

_EVERYWHERE, _EUROPE = "https://api.lever.co", "https://api.eu.lever.co"
_HOSTS = frozenset({"jobs.lever.co", "jobs.eu.lever.co", "api.lever.co", "api.eu.lever.co"})
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PAGE = 100
#: Ten thousand postings of one company: past that, something loops.
_MOST_PAGES = 100
# Boards of eighty postings were seen to take ten seconds.
_LIMITS = Limits(read=40.0, total=90.0)


class Lever:
    """Sites at jobs.lever.co and jobs.eu.lever.co."""

    name = "lever"
    title = "Lever"
    origins: tuple[str, ...] = (_EVERYWHERE, _EUROPE)
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = (
        "The Postings API is documented as public for published postings; its stated limit of two "
        "requests a second is for applications (Lever, postings-api, README)."
    )
    complete = True
    about = About(
        fills=(
            "locations", "remote", "description_text", "salary", "employment_type", "department", "posted_at",
        )
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """A site's page, one posting's page, or the API's address, on either host."""
        if url.hostname not in _HOSTS:
            return None
        parts = [part for part in url.path.split("/") if part]
        if parts[:2] == ["v0", "postings"]:
            parts = parts[2:]
        if not parts or not _TOKEN.fullmatch(parts[0]):
            return None
        host = "jobs.eu.lever.co" if ".eu." in url.hostname else "jobs.lever.co"
        return Board(kind=self.name, token=parts[0], url=f"https://{host}/{parts[0]}")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The site's postings, a hundred at a time.

        A site that one host does not know is looked for on the other: its address may have been noted without
        the region.
        """
        europe = urlsplit(board.url).hostname == "jobs.eu.lever.co"
        first, second = (_EUROPE, _EVERYWHERE) if europe else (_EVERYWHERE, _EUROPE)
        try:
            yield from self._read(first, board, door, validators)
        except FetchError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            try:
                yield from self._read(second, board, door, validators)
            except FetchError as other:
                if other.reason is not Reason.NOT_FOUND:
                    raise error from other
                raise unknown(self.title, board, called="site") from other

    def _read(self, origin: str, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        seen: set[str] = set()
        for number in range(_MOST_PAGES):
            url = f"{origin}/v0/postings/{board.token}?mode=json&skip={number * _PAGE}&limit={_PAGE}"
            # Validators are kept for a site of one page only: of several, one may change and not the first.
            answer = ask(door, url, validators if number == 0 else Validators(), limits=_LIMITS)
            items = listed(read_json(answer.body, self.title), None, self.title)
            page = gather(items, lambda item: _posting(item, board))
            fresh = tuple(p for p in page.postings if p.source_job_id not in seen)
            seen.update(p.source_job_id for p in fresh)
            last = len(items) < _PAGE
            if number == 0 and last:
                remember(validators, url, answer)
            yield Page(postings=fresh, unparsed=page.unparsed)
            # A server that does not know of pages gives the same one for ever.
            if last or (page.postings and not fresh):
                return
        raise FetchError(
            Reason.TOO_LARGE,
            f"Lever lists more than {_MOST_PAGES * _PAGE} postings for “{board.token}”. The rest was left "
            "there.",
        )

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one answer.

        Raises:
            FetchError: It is no listing.
        """
        items = listed(read_json(body, self.title), None, self.title)
        return gather(items, lambda item: _posting(item, board))


def _posting(item: Any, board: Board) -> Posting:
    job = mapping(item)
    safe = sanitise(_description(job))
    text = plain(safe)
    title = required(normalise.line(job.get("text")), "title")
    categories = mapping(job.get("categories"))
    places = normalise.locations([categories.get("location"), *sequence(categories.get("allLocations"))])
    remote, evidence = normalise.remote(
        fields=[("workplaceType", job.get("workplaceType"))], title=title, places=places, text=text
    )
    pay = mapping(job.get("salaryRange"))
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=board.company or normalise.company_of(board.token),
        url=required(normalise.public_url(job.get("hostedUrl")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=normalise.salary(
            least=pay.get("min"),
            most=pay.get("max"),
            currency=pay.get("currency"),
            per=pay.get("interval"),
            raw=job.get("salaryDescriptionPlain") or "",
        ),
        employment_type=normalise.employment_type(categories.get("commitment")),
        department=normalise.line(categories.get("department"), 200)
        or normalise.line(categories.get("team"), 200),
        posted_at=normalise.when(job.get("createdAt")),
    )


def _description(job: dict[str, Any]) -> str:
    """Opening, body, the lists of duties and requirements, the pay, the closing words: in reading order."""
    parts = [_html(job, "description")]
    for each in sequence(job.get("lists")):
        found = mapping(each)
        heading, content = normalise.line(found.get("text"), 200), found.get("content")
        if isinstance(content, str):
            parts.append(
                f"<h3>{escape(heading)}</h3><ul>{content}</ul>" if heading else f"<ul>{content}</ul>"
            )
    parts.append(_html(job, "salaryDescription"))
    parts.append(_html(job, "additional"))
    return "\n".join(part for part in parts if part)


def _html(job: dict[str, Any], name: str) -> str:
    """A part of the text: its HTML, or its plain form where that is all there is."""
    if isinstance(job.get(name), str) and job[name].strip():
        return str(job[name])
    words = job.get(f"{name}Plain")
    if not isinstance(words, str) or not words.strip():
        return ""
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in words.splitlines() if line.strip())

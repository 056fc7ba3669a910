"""Teamtailor career sites.

Each site has a JSON Feed of its open jobs, texts included, without a key. Beside each entry stands
schema.org's JobPosting, which alone names the company, the places and the pay.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

from scout import normalise
from scout.fetch import Door, FetchError, Limits, Reason
from scout.html import plain, sanitise
from scout.postings import Posting, Salary
from scout.sources.about import About
from scout.sources.answers import (
    ask,
    gather,
    listed,
    mapping,
    markup,
    place,
    read_json,
    remember,
    required,
    sequence,
    unknown,
)
from scout.sources.board import Board, Page, Validators

_DOMAIN = "teamtailor.com"
#: `acme`, or `acme.na` for companies on the servers of another region.
_HOST = re.compile(r"([a-z0-9][a-z0-9-]{0,62}(?:\.[a-z]{2,4})?)\.teamtailor\.com")
_OWN = frozenset(
    {"www", "app", "api", "docs", "career", "support", "help", "tt", "partner", "scripts", "blog"}
)
_ACCEPT = "application/feed+json, application/json;q=0.9, */*;q=0.1"
_LIMITS = Limits(size=64 * 1024 * 1024, read=30.0, total=90.0)
_MOST_PAGES = 50


class Teamtailor:
    """Sites at COMPANY.teamtailor.com."""

    name = "teamtailor"
    title = "Teamtailor"
    origins: tuple[str, ...] = ("https://*.teamtailor.com",)
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = "A site's feed is offered for being read by programs (Teamtailor, JSON and RSS feed of jobs)."
    complete = True
    about = About(
        fills=(
            "locations",
            "remote",
            "description_text",
            "salary",
            "employment_type",
            "posted_at",
        )
    )

    def recognise(self, url: SplitResult) -> Board | None:
        """Any page of a site, or its feed."""
        found = _HOST.fullmatch(url.hostname or "")
        if found is None or found[1].partition(".")[0] in _OWN:
            return None
        return Board(kind=self.name, token=found[1], url=f"https://{found[1]}.{_DOMAIN}/jobs")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The site's feed, and where it says that it goes on, what follows."""
        origin = f"https://{board.token}.{_DOMAIN}"
        url = f"{origin}/jobs.json"
        for number in range(_MOST_PAGES):
            try:
                answer = ask(
                    door, url, validators if number == 0 else Validators(), accept=_ACCEPT, limits=_LIMITS
                )
            except FetchError as error:
                if error.reason is Reason.NOT_FOUND and number == 0:
                    raise unknown(self.title, board, called="site") from error
                raise
            if urlsplit(answer.url).hostname in {_DOMAIN, f"www.{_DOMAIN}"}:
                raise unknown(self.title, board, called="site")
            document = read_json(answer.body, self.title)
            page = _page(document, board)
            following = document.get("next_url")
            if number == 0 and not following:
                remember(validators, url, answer)
            yield page
            if not following:
                return
            # It leads on within the site, or nowhere.
            if not isinstance(following, str) or not following.startswith(f"{origin}/") or following == url:
                raise FetchError(
                    Reason.TRUNCATED,
                    f"The feed of {origin} goes on at an address that is not its own. The rest was left "
                    "there.",
                )
            url = following
        raise FetchError(
            Reason.TOO_LARGE,
            f"The feed of {origin} has more than {_MOST_PAGES} pages. The rest was left there.",
        )

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one answer.

        Raises:
            FetchError: It is no listing.
        """
        return _page(read_json(body, self.title), board)


def _page(document: Any, board: Board) -> Page:
    items = listed(document, "items", Teamtailor.title)
    company = board.company or normalise.line(document.get("title"), 200) or normalise.company_of(board.token)
    return gather(items, lambda item: _posting(item, company))


def _posting(item: Any, company: str) -> Posting:
    entry = mapping(item)
    schema = mapping(entry.get("_jobposting"))
    title = required(normalise.line(entry.get("title")) or normalise.line(schema.get("title")), "title")
    safe = sanitise(
        markup(entry.get("content_html"))
        or markup(schema.get("description"))
        or markup(entry.get("content_text"))
    )
    text = plain(safe)
    where = schema.get("jobLocation")
    places = normalise.locations(
        _place(mapping(each).get("address"))
        for each in ([where] if isinstance(where, dict) else sequence(where))
    )
    remote, evidence = normalise.remote(
        fields=[("jobLocationType", schema.get("jobLocationType"))], title=title, places=places, text=text
    )
    employment = schema.get("employmentType")
    return Posting(
        source_job_id=required(normalise.identifier(entry.get("id")), "id"),
        title=title,
        company=normalise.line(mapping(schema.get("hiringOrganization")).get("name"), 200) or company,
        url=required(normalise.public_url(entry.get("url")), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=_salary(mapping(schema.get("baseSalary"))),
        employment_type=normalise.employment_type(
            next(iter(employment), "") if isinstance(employment, list) else employment
        ),
        posted_at=normalise.when(entry.get("date_published")) or normalise.when(schema.get("datePosted")),
    )


def _place(address: Any) -> str:
    if isinstance(address, str):
        return address
    found = mapping(address)
    return place(found.get("addressLocality"), found.get("addressRegion"), found.get("addressCountry"))


def _salary(pay: dict[str, Any]) -> Salary | None:
    """A range, or one amount for both ends."""
    amount = mapping(pay.get("value"))
    return normalise.salary(
        least=amount.get("minValue") or amount.get("value"),
        most=amount.get("maxValue") or amount.get("value"),
        currency=pay.get("currency"),
        per=amount.get("unitText"),
    )

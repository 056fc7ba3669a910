"""Adzuna, a search engine of jobs in some twenty countries.

Its API (https://developer.adzuna.com/) is read with an application id and key: both are settings, and
boards are off until they are set. They are part of the address that is asked, so nothing of that address is
kept, and the id that comes back in the jobs' addresses is cut off. Texts end after some five hundred
characters. Pay that is predicted is the site's guess and not the employer's. The currency is the country's.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from scout import html, normalise
from scout.fetch import Door, FetchError
from scout.postings import Posting, Salary
from scout.sources import searches
from scout.sources.about import About
from scout.sources.answers import ask, gather, listed, mapping, read_json, required, switched_on
from scout.sources.board import Board, Page, Validators

_PAGE = 50
#: Two hundred jobs, the newest.
_MOST_PAGES = 4
_SITES = {
    "adzuna.co.uk": ("gb", "GBP"), "adzuna.com": ("us", "USD"), "adzuna.de": ("de", "EUR"),
    "adzuna.at": ("at", "EUR"), "adzuna.com.au": ("au", "AUD"), "adzuna.be": ("be", "EUR"),
    "adzuna.com.br": ("br", "BRL"), "adzuna.ca": ("ca", "CAD"), "adzuna.ch": ("ch", "CHF"),
    "adzuna.es": ("es", "EUR"), "adzuna.fr": ("fr", "EUR"), "adzuna.in": ("in", "INR"),
    "adzuna.it": ("it", "EUR"), "adzuna.com.mx": ("mx", "MXN"), "adzuna.nl": ("nl", "EUR"),
    "adzuna.co.nz": ("nz", "NZD"), "adzuna.pl": ("pl", "PLN"), "adzuna.sg": ("sg", "SGD"),
    "adzuna.co.za": ("za", "ZAR"),
}  # fmt: skip
_COUNTRIES = {country: (site, currency) for site, (country, currency) in _SITES.items()}
_NAMES = {
    "q": "what", "what": "what", "w": "where", "where": "where", "what_exclude": "what_exclude",
    "title_only": "title_only", "max_days_old": "max_days_old",
}  # fmt: skip


class Adzuna:
    """A search at one of Adzuna's sites."""

    name = "adzuna"
    title = "Adzuna"
    origins: tuple[str, ...] = ("https://api.adzuna.com",)
    interval = dt.timedelta(hours=6)
    attribution = "Jobs by Adzuna"
    terms = (
        "The API is open to registered applications within their quota, and wants the words “Jobs by "
        "Adzuna” with a link wherever its jobs are shown (Adzuna, API terms of service)."
    )
    complete = False
    about = About(
        gathers=True,
        fills=(
            "locations", "remote", "description_text", "salary", "employment_type", "department", "posted_at",
        ),
        searches=("country", "words", "words in the title", "words to leave out", "place", "age"),
        settings=("SCOUT_ADZUNA_APP_ID", "SCOUT_ADZUNA_APP_KEY"),
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """One of the sites, a search there, or the API's address."""
        site = searches.host(url)
        parts = url.path.split("/")
        if url.hostname == "api.adzuna.com":
            country = parts[4] if parts[:4] == ["", "v1", "api", "jobs"] and len(parts) > 4 else ""  # noqa: PLR2004
        else:
            country = _SITES.get(site, ("", ""))[0]
        if country not in _COUNTRIES:
            return None
        page = f"https://www.{_COUNTRIES[country][0]}/search"
        found = searches.board(self, page, searches.narrowed(url, _NAMES))
        narrowed = "" if found.token == searches.ALL else f"&{found.token}"
        words = found.title.removeprefix(self.title)
        return dataclasses.replace(
            found, token=f"country={country}{narrowed}", title=f"{self.title} {country.upper()}{words}"
        )

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The search's jobs, page by page, the newest first."""
        del validators  # kept by address, and the address holds the key
        switched_on(self, door)
        narrowed = searches.query(board.token)
        country = narrowed.pop("country", "")
        secrets = (door.settings.adzuna_app_id, door.settings.adzuna_app_key)
        keys = {"app_id": secrets[0], "app_key": secrets[1]}
        seen: set[str] = set()
        for number in range(1, _MOST_PAGES + 1):
            asked = {**keys, "results_per_page": _PAGE, "sort_by": "date", **narrowed}
            url = f"{self.origins[0]}/v1/api/jobs/{quote(country)}/search/{number}?{urlencode(asked)}"
            try:
                body = ask(door, url, Validators()).body
            except FetchError as error:
                raise _discreet(error, secrets) from None
            items = listed(read_json(body, self.title), "results", self.title)
            page = gather(items, lambda item: _posting(item, country))
            fresh = tuple(each for each in page.postings if each.source_job_id not in seen)
            seen.update(each.source_job_id for each in fresh)
            yield Page(postings=fresh, unparsed=page.unparsed)
            if len(items) < _PAGE or not fresh:
                return

    def parse(self, body: bytes, board: Board) -> Page:
        """The jobs of one answer.

        Raises:
            FetchError: It is no listing.
        """
        country = searches.query(board.token).get("country", "")
        items = listed(read_json(body, self.title), "results", self.title)
        return gather(items, lambda item: _posting(item, country))


def _discreet(error: FetchError, secrets: tuple[str, str]) -> FetchError:
    """The same error with the keys out of its text: what is told of a scan is stored and shown."""
    text = error.text
    for secret in secrets:
        for written in (secret, quote(secret, safe="")):
            text = text.replace(written, "…")
    return FetchError(error.reason, text, error.retry_after)


def _posting(item: Any, country: str) -> Posting:
    job = mapping(item)
    safe = html.sanitise(job["description"]) if isinstance(job.get("description"), str) else ""
    text = html.plain(safe)
    # Words that were searched for are marked up in titles.
    marked = job.get("title")
    title = required(normalise.line(html.text(marked)) if isinstance(marked, str) else "", "title")
    places = normalise.locations([mapping(job.get("location")).get("display_name")])
    remote, evidence = normalise.remote(title=title, places=places, text=text)
    link = required(normalise.public_url(job.get("redirect_url")), "link that can be followed")
    return Posting(
        source_job_id=required(normalise.identifier(job.get("id")), "id"),
        title=title,
        company=required(normalise.line(mapping(job.get("company")).get("display_name"), 200), "company"),
        url=urlsplit(link)._replace(query="", fragment="").geturl(),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=_salary(job, country),
        employment_type=normalise.employment_type(job.get("contract_time"))
        or normalise.employment_type(job.get("contract_type")),
        department=normalise.line(mapping(job.get("category")).get("label"), 200),
        posted_at=normalise.when(job.get("created")),
    )


def _salary(job: dict[str, Any], country: str) -> Salary | None:
    pay = normalise.salary(
        least=job.get("salary_min"),
        most=job.get("salary_max"),
        currency=_COUNTRIES.get(country, ("", ""))[1],
        per="year",
    )
    if pay is not None and str(job.get("salary_is_predicted")) != "0":
        # Where nothing is said of it, it is not taken for the employer's either.
        return dataclasses.replace(pay, origin="predicted")
    return pay

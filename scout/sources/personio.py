"""Personio career pages.

Each company has an XML feed of its open positions, without a key
(https://developer.personio.de/docs/retrieving-open-job-positions). A feed without positions is a company
without openings; a company that does not exist is redirected to Personio's own pages. One position may be
listed twice.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from html import escape
from urllib.parse import SplitResult, urlsplit
from xml.etree import ElementTree as ET

from scout import normalise
from scout.fetch import Door, FetchError, Limits, Reason
from scout.html import legible, plain, sanitise
from scout.postings import Posting
from scout.sources.about import About
from scout.sources.answers import ask, gather, remember, required, sections, unknown
from scout.sources.board import Board, Page, Validators

_HOST = re.compile(r"([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.jobs\.personio\.(de|com)")
_ACCEPT = "application/xml, text/xml;q=0.9, */*;q=0.1"
_LIMITS = Limits(size=32 * 1024 * 1024, read=30.0, total=90.0)


class Personio:
    """Companies at COMPANY.jobs.personio.de and COMPANY.jobs.personio.com."""

    name = "personio"
    title = "Personio"
    origins: tuple[str, ...] = ("https://*.jobs.personio.de", "https://*.jobs.personio.com")
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = (
        "The feed is documented for showing a company's open positions elsewhere (Personio, Retrieving open "
        "job positions)."
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
        """A company's page, one position's page, or its feed."""
        found = _HOST.fullmatch(url.hostname or "")
        if found is None or found[1] == "www":
            return None
        return Board(kind=self.name, token=found[1], url=f"https://{found[0]}/")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The feed. A company that one domain does not know is looked for on the other."""
        ending = "com" if (urlsplit(board.url).hostname or "").endswith(".com") else "de"
        try:
            yield self._read(ending, board, door, validators)
        except FetchError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            yield self._read("de" if ending == "com" else "com", board, door, validators)

    def _read(self, ending: str, board: Board, door: Door, validators: Validators) -> Page:
        url = f"https://{board.token}.jobs.personio.{ending}/xml?language=en"
        try:
            answer = ask(door, url, validators, accept=_ACCEPT, limits=_LIMITS)
        except FetchError as error:
            if error.reason is Reason.NOT_FOUND:
                raise unknown(self.title, board, called="company") from error
            raise
        if re.fullmatch(r"(?:www\.)?personio\.\w{2,3}", urlsplit(answer.url).hostname or ""):
            raise unknown(self.title, board, called="company")
        page = self.parse(answer.body, board)
        remember(validators, url, answer)
        return page

    def parse(self, body: bytes, board: Board) -> Page:
        """The positions of a feed.

        Raises:
            FetchError: It is no such feed, ends in the middle, or defines entities.
        """
        root = _root(body, self.title)
        return gather(root.findall("position"), lambda item: _posting(item, board))


_PROLOG = re.compile(r"\s*(?:<\?[^>]{0,500}\?>\s*|<!--(?:(?!-->).){0,5000}-->\s*)*", re.DOTALL)
_ROOT = re.compile(r"<workzag-jobs[\s/>]")
_MOST_TAGS = 1_000_000


def _root(body: bytes, title: str) -> ET.Element:
    """The feed's root. Only a plain feed comes to the parser: with no document type, so with no entities."""
    # Whatever it declares, it is read as UTF-8: no other encoding can hide markup from the checks here.
    text = legible(body.decode("utf-8-sig", "replace"))
    prolog = _PROLOG.match(text)
    rest = text[prolog.end() if prolog else 0 :]
    if rest[:2].startswith("<!"):
        raise FetchError(
            Reason.NOT_A_LISTING,
            f"{title} answered with a page, or with a document that defines entities of its own, which can "
            "be used to attack its readers. It was not read; look at the board in a browser.",
        )
    if not _ROOT.match(rest):
        raise FetchError(
            Reason.NOT_A_LISTING,
            f"{title} answered with something that is not its list of jobs. Its jobs stay as they were; open "
            "the board in a browser to see what it says.",
        )
    if rest.count("<") > _MOST_TAGS:
        raise FetchError(
            Reason.TOO_LARGE, f"The feed of {title} has more positions than can be read. It was left there."
        )
    try:
        return ET.fromstring(rest)  # noqa: S314 - it has no document type
    except ET.ParseError as error:
        if not rest.rstrip().endswith(("</workzag-jobs>", "/>")):
            raise FetchError(
                Reason.TRUNCATED,
                f"The feed of {title} ends in the middle. Nothing of it was used; the next scan tries again.",
            ) from error
        raise FetchError(
            Reason.NOT_A_LISTING,
            f"The feed of {title} is not well-formed. Its jobs stay as they were; the next scan tries again.",
        ) from error


def _posting(position: ET.Element, board: Board) -> Posting:
    def said(name: str, longest: int = 500) -> str:
        return normalise.line(position.findtext(name), longest)

    number = required(said("id", 40), "id")
    title = required(said("name"), "title")
    parts = [
        (each.findtext("name"), _markup(each.findtext("value")))
        for each in position.findall("jobDescriptions/jobDescription")
    ]
    safe = sanitise(sections(parts))
    text = plain(safe)
    offices = [
        position.findtext("office"),
        *(each.text for each in position.findall("additionalOffices/office")),
    ]
    places = normalise.locations(offices)
    remote, evidence = normalise.remote(title=title, places=places, text=text)
    page = (board.url or f"https://{board.token}.jobs.personio.de/").rstrip("/")
    category = said("recruitingCategory", 80)
    employment, schedule = normalise.employment_type(said("employmentType")), said("schedule")
    if employment in {"", "full_time"}:  # "permanent" says nothing of the hours
        hours = "full-time" if schedule.startswith("full") else schedule  # "full-or-part-time"
        employment = normalise.employment_type(hours) or employment
    return Posting(
        source_job_id=number,
        title=title,
        company=said("subcompany", 200) or board.company or normalise.company_of(board.token),
        url=required(normalise.public_url(f"{page}/job/{number}"), "link that can be followed"),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=normalise.salary(
            least=said("salaryInformation/min"),
            most=said("salaryInformation/max"),
            currency=said("salaryInformation/currencyCode"),
            per=said("salaryInformation/type"),
        ),
        employment_type=employment,
        department=said("department", 200),
        posted_at=normalise.when(said("createdAt")),
        tags=(category,) if category else (),
    )


def _markup(value: str | None) -> str:
    """HTML as it stands, and plain words as paragraphs."""
    words = (value or "").strip()
    if "<" in words or not words:
        return words
    return "".join(f"<p>{escape(each, quote=False)}</p>" for each in words.splitlines() if each.strip())

"""Looking once at a page for the boards that it leads to: a company's own careers page, for the most part.

What is found: links, scripts and frames of the systems that are known, also where a script only mentions
their address; feeds that the page names; postings that it describes for search engines; and the site's map.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

from scout import normalise, sources
from scout.errors import ScoutError
from scout.fetch import Answer, Door, FetchError, Limits
from scout.html import elements
from scout.settings import Settings
from scout.sources import answers, jobposting, sitemap
from scout.sources.about import about
from scout.sources.board import Board, Validators
from scout.sources.feed import decoded

#: The `kind` label of these requests.
KIND = "discovery"
_LARGEST = 8 * 1024 * 1024
#: Seconds for a whole look. Somebody waits for it.
_BUDGET = 20.0
#: Addresses of a page that are looked at. Pages name hundreds; those that name more repeat themselves.
_MOST_ADDRESSES = 5000
_MOST_FEEDS = 20
#: Kinds that would take many an address: a page's links to them say little.
_GENERIC = frozenset({"mapped", *sources.AT_ANY_ADDRESS})
_FEEDS = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
_ADDRESS = re.compile(r"https?://[^\s\"'<>()\[\]{}\\^`|]{4,500}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Find:
    """A board that a page leads to.

    Attributes:
        board: The board.
        how: What tells of it, in a few words: "a link to https://...".
    """

    board: Board
    how: str

    @property
    def address(self) -> str:
        """What to add it by; with its kind, if it is one of `scout.sources.AT_ANY_ADDRESS`."""
        return self.board.token if self.board.kind in sources.AT_ANY_ADDRESS else self.board.url


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a page found.

    Attributes:
        address: The page's own, after redirects.
        finds: The boards, the surest first.
        hint: A sentence for the owner where something shows and is not enough; else empty.
    """

    address: str
    finds: tuple[Find, ...] = ()
    hint: str = ""


class _Visit:
    """The requests of one look, which share its seconds."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._ends = time.monotonic() + _BUDGET

    def limits(self) -> Limits:
        """What the next request may cost. Out of time, it has a moment, and fails by that."""
        left = max(0.05, self._ends - time.monotonic())
        return Limits(connect=min(5.0, left), read=min(10.0, left), total=left, size=_LARGEST, tries=1)

    def ask(self, address: str, accept: str = "*/*") -> Answer:
        """Ask for an address.

        Raises:
            FetchError: It could not be had.
        """
        return answers.ask(self.door, address, Validators(), accept=accept, limits=self.limits())


class NothingToLookAt(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The page could not be had. The text says why."""


def look(address: str, settings: Settings) -> Look:
    """Look at a page once.

    Args:
        address: Any public page; `https://` may be left out.
        settings: Say which private hosts may be reached.

    Raises:
        NothingToLookAt: It could not be had.
    """
    address = address.strip()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)", address):
        address = f"https://{address.removeprefix('//')}"
    with Door(settings, kind=KIND) as door:
        visit = _Visit(door)
        try:
            answer = visit.ask(address, jobposting.ACCEPT)
        except FetchError as error:
            raise NothingToLookAt(error.text) from error
        found = dict[tuple[str, str], Find]()
        text = decoded(answer.body, answer.headers.get("content-type", ""))
        page = _Page(answer.url, text)
        for find in (
            *_known(answer, page, text),
            *_feeds(page),
            *_described(answer),
            *_mapped(answer, visit),
        ):
            found.setdefault((find.board.kind, find.board.token.casefold()), find)
        if _hint(found, page, text):
            found.update(
                ((find.board.kind, find.board.token), find) for find in _numbered(answer, page, text, visit)
            )
    return Look(answer.url, tuple(found.values()), _hint(found, page, text))


_TOLD_BY = {"script": "a script of", "iframe": "a frame of", "form": "a form of"}


_NAMED = ("href", "src", "action", "data-src", "data-url", "data-href")


class _Page:
    """The addresses that a page names, by the base that it states, and its feeds."""

    def __init__(self, address: str, text: str) -> None:
        self.base = address
        self.links: dict[str, str] = {}
        self.feeds: list[tuple[str, str]] = []
        for tag, given in elements(text):
            if tag == "base":
                self.base = self._absolute(given.get("href", "")) or self.base
                continue
            for name in _NAMED:
                address = self._absolute(given.get(name, "")) if given.get(name) else ""
                if address and len(self.links) < _MOST_ADDRESSES:
                    self.links.setdefault(address, _TOLD_BY.get(tag, "a link to"))
            if tag == "link" and _is_feed(given):
                address = self._absolute(given["href"])
                if address and len(self.feeds) < _MOST_FEEDS:
                    self.feeds.append((address, normalise.line(given.get("title"), 100)))

    def _absolute(self, reference: str) -> str:
        try:
            return normalise.public_url(urljoin(self.base, reference))
        except ValueError:
            return ""


def _is_feed(given: dict[str, str]) -> bool:
    alternate = "alternate" in given.get("rel", "").lower().split()
    return alternate and bool(given.get("href")) and given.get("type", "").split(";")[0].lower() in _FEEDS


def _known(answer: Answer, page: _Page, text: str) -> Iterator[Find]:
    """Boards of the systems that are known: the page itself, what it links to, what its scripts mention."""
    board = _particular(answer.url, gathering=True)
    if board is not None:
        yield Find(board, "the page itself")
    for address, what in page.links.items():
        board = _particular(address)
        if board is not None:
            yield Find(board, f"{what} {_shown(address)}")
    # Scripts write slashes with a backslash before them.
    for number, mention in enumerate(_ADDRESS.finditer(unescape(text).replace("\\/", "/"))):
        if number >= _MOST_ADDRESSES:
            return
        board = _particular(mention[0].rstrip(".,;"))
        if board is not None:
            yield Find(board, f"a mention of {_shown(mention[0])}")


def _particular(address: str, *, gathering: bool = False) -> Board | None:
    """The board of an address; without `gathering`, none of a site with many companies' jobs."""
    try:
        board = sources.recognise(address)
    except ScoutError:
        return None
    unwanted = about(sources.KINDS[board.kind]).gathers and not gathering
    return None if unwanted or board.kind in _GENERIC else board


def _shown(address: str) -> str:
    return normalise.line(address, 100)


def _feeds(page: _Page) -> Iterator[Find]:
    for address, title in page.feeds:
        board = sources.KINDS["feed"].recognise(urlsplit(address))
        if board is None:
            parts = urlsplit(address)
            board = Board(kind="feed", token=address, url=f"{parts.scheme}://{parts.netloc}/")
        yield Find(board, f"a feed of the page{f', “{title}”' if title else ''}")


def _described(answer: Answer) -> Iterator[Find]:
    found = jobposting.postings_of(answer)
    if found.postings:
        company = found.postings[0].company
        count = len(found.postings)
        yield Find(
            Board(kind="jobposting", token=answer.url, company=company, url=answer.url),
            f"{count} posting{'s' if count > 1 else ''} described in the page",
        )


def _mapped(answer: Answer, visit: _Visit) -> Iterator[Find]:
    """The maps that the site's robots file names, or the usual one, where they list pages of jobs."""
    parts = urlsplit(answer.url)
    origin = f"{parts.scheme}://{parts.netloc}"
    try:
        robots = visit.ask(f"{origin}/robots.txt", "text/plain")
        named = re.findall(r"(?im)^\s*sitemap:\s*(\S+)", robots.body.decode("utf-8", "replace")[:200_000])
    except FetchError:
        named = []  # a site without a robots file, or that keeps it: the usual place is tried
    for address in [link for each in named if (link := normalise.public_url(each))][:3] or [
        f"{origin}/sitemap.xml"
    ]:
        try:
            pages = sitemap.listed(address, visit.door, limits=visit.limits())
        except FetchError:
            continue  # no map is nothing to tell of
        jobs = [each for each in pages if sitemap.tells_of_jobs(each.address)]
        if jobs:
            yield Find(
                Board(kind="sitemap", token=address, url=origin + "/"),
                f"a sitemap with {len(jobs)} addresses that look like jobs'",
            )


def _numbered(answer: Answer, page: _Page, text: str, visit: _Visit) -> Iterator[Find]:
    """The Greenhouse board of a page that links to a job by its number there, if it has the company's name.

    The name is guessed from the page's host, and taken only where that board lists the very job.
    """
    number = _job_number(page, text)
    host = (urlsplit(answer.url).hostname or "").split(".")
    names = [each for each in host[:-1] if each not in _COMMON_LABELS]
    if not number or not names:
        return
    origin = sources.KINDS["greenhouse"].origins[0]
    try:
        visit.ask(f"{origin}/v1/boards/{names[-1]}/jobs/{number}")
    except FetchError:
        return  # another name: the hint says what to do
    board = _particular(f"https://job-boards.greenhouse.io/{names[-1]}")
    if board is not None:
        yield Find(board, f"its job {number} (gh_jid), which the page links to")


#: Parts of hosts that are nobody's name.
_COMMON_LABELS = frozenset(
    {"www", "careers", "career", "jobs", "work", "join", "about", "co", "com", "org", "net"}
)


def _job_number(page: _Page, text: str) -> str:
    """A job's number at Greenhouse, as the page's links or scripts carry it; else empty."""
    for address in page.links:
        found = parse_qs(urlsplit(address).query).get("gh_jid", [""])[0]
        if re.fullmatch(r"\d{1,15}", found, re.ASCII):
            return found
    mentioned = re.search(r"\bgh_jid=(\d{1,15})\b", text, re.ASCII)
    return mentioned[1] if mentioned else ""


def _hint(found: dict[tuple[str, str], Find], page: _Page, text: str) -> str:
    """What shows that is not enough to name a board."""
    if any(kind == "greenhouse" for kind, _ in found) or not _job_number(page, text):
        return ""
    return (
        "Its links carry gh_jid, so its jobs are on Greenhouse, but the page does not say under which name. "
        "Open one of the jobs and paste the address that its form comes from, or try "
        "https://job-boards.greenhouse.io/ with the company's name."
    )

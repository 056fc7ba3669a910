"""The job pages that a site's map lists, each read for the `JobPosting` that it describes (see `jobposting`).

A map (https://www.sitemaps.org/protocol.html) may list other maps, and be packed. Pages are read newest
first, so many a scan and no more; those whose date in the map is what it was are not asked for again,
others are asked with what they said of their version. The site's robots file is read first and obeyed (RFC
9309).
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import SplitResult, urlsplit

from scout import normalise, robots
from scout.fetch import Answer, Door, FetchError, Limits, Reason
from scout.sources.about import About
from scout.sources.answers import ask, remember
from scout.sources.board import Board, NotModified, Page, Validators
from scout.sources.feed import decoded
from scout.sources.jobposting import ACCEPT, LIMITS, postings_of

#: Pages asked for in one scan. At a few hundred milliseconds each, a scan's time allows some more.
MOST_PAGES = 200
#: Pages of a map that are followed, the newest: what each said of its version is kept.
_MOST_FOLLOWED = 2000
#: Maps read of one that lists maps.
_MOST_MAPS = 20
#: Addresses taken from the maps.
_MOST_ADDRESSES = 50_000
#: Pages in one batch to be stored.
_BATCH = 20
_MAP_LIMITS = Limits(size=16 * 1024 * 1024)
#: Decoded bytes of a packed map.
_LARGEST_MAP = 64 * 1024 * 1024
_JOBS = re.compile(
    r"jobs?\b|career|karriere|carriere|position|vacanc|opening|opportunit|stellen|offre|emploi|empleo|lavor"
    r"|rekrut|joboffer",
    re.IGNORECASE,
)
#: Seconds of pauses between pages that one scan takes, where the site asks for pauses.
_PAUSES = 300.0


class Sitemap:
    """The pages of a map; its address is the board's name."""

    name = "sitemap"
    title = "Sitemap of job pages"
    origins: tuple[str, ...] = ()
    interval = dt.timedelta(hours=6)
    attribution = ""
    terms = (
        "A site lists its pages there for programs; its robots file says which of them may be read, and is "
        "obeyed."
    )
    complete = False
    about = About(
        fills=(
            "locations", "remote", "description_text", "salary", "employment_type", "requisition_id",
            "posted_at",
        ),
        robots=True,
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """A map by the name of its file."""
        if not re.search(r"sitemap[\w.-]*\.xml(?:\.gz)?$", url.path, re.IGNORECASE):
            return None
        address = url._replace(scheme=url.scheme.lower(), netloc=url.netloc.lower(), fragment="").geturl()
        return Board(kind=self.name, token=address, url=address)

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The postings of the pages that changed, in batches."""
        allowed = robots.of(door)
        pause = allowed.pause(door, board.token)
        most = MOST_PAGES if pause <= 0 else max(1, min(MOST_PAGES, int(_PAUSES / pause)))
        entries = _entries(board.token, door, allowed)[:_MOST_FOLLOWED]
        _forget_others(validators, entries)
        first = validators == Validators()
        read = told = 0
        batch: list[Page] = []
        for page in _changed(entries, board, door, validators, most):
            read += 1
            told += bool(page.postings or page.unparsed)
            batch.append(page)
            if len(batch) >= _BATCH:
                yield _joined(batch)
                batch.clear()
        if first and read and not told:
            raise FetchError(
                Reason.NOT_A_LISTING,
                f"None of {read} pages of {board.token} describes an open job in the form that search "
                "engines read (JobPosting). The site may write it by JavaScript only.",
            )
        if batch:
            yield _joined(batch)

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one of the pages.

        Raises:
            FetchError: Never; a page without postings is an empty one.
        """
        return postings_of(Answer(url=board.token, status=200, body=body), board.company)


#: Follows the address under which a page's date is kept: no address that is asked has a fragment.
_CHANGED_AT = "#changed"


def _forget_others(validators: Validators, entries: list[Entry]) -> None:
    """Let go of what pages said that are followed no longer."""
    followed = {each.address for each in entries}
    for kept in (validators.etags, validators.modified, validators.bodies):
        for address in [each for each in kept if each.removesuffix(_CHANGED_AT) not in followed]:
            del kept[address]


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in a map: its address, and when it changed as the map says it, or empty."""

    address: str
    changed: str = ""


def entries_of(text: str) -> tuple[list[Entry], bool]:
    """The entries of a map, and whether they are maps themselves."""
    found = []
    for block in _ENTRY.split(text)[1 : _MOST_ADDRESSES + 1]:
        address = _LOC.search(block, 0, _LONGEST_ENTRY)
        changed = _CHANGED.search(block, 0, _LONGEST_ENTRY)
        link = normalise.public_url(unescape(address[1]).strip()) if address else ""
        if link:
            found.append(Entry(link.split("#")[0], changed[1].strip()[:40] if changed else ""))
    return found, "<sitemapindex" in text[:4096].lower()


_ENTRY = re.compile(r"<(?:url|sitemap)>", re.IGNORECASE)
_LONGEST_ENTRY = 20_000
_LOC = re.compile(r"<loc>\s{0,500}(?:<!\[CDATA\[)?\s{0,500}([^<\]]{1,3000})", re.IGNORECASE)
_CHANGED = re.compile(r"<lastmod>\s*([^<]{1,60})</lastmod>", re.IGNORECASE)


def _entries(address: str, door: Door, allowed: robots.Robots) -> list[Entry]:
    """The pages of a map and of the maps in it that look like jobs, the newest first."""
    entries, maps = _map(address, door, _MAP_LIMITS)
    if maps:
        likely = [each for each in entries if tells_of_jobs(each.address)] or entries
        entries = []
        for each in sorted(likely, key=_newest, reverse=True)[:_MOST_MAPS]:
            entries += _map(each.address, door, _MAP_LIMITS)[0]
    host = urlsplit(address).hostname
    own = {
        each.address: each
        for each in entries[:_MOST_ADDRESSES]
        if urlsplit(each.address).hostname == host and allowed.allows(door, each.address)
    }
    likely = [each for each in own.values() if tells_of_jobs(each.address)] or list(own.values())
    return sorted(likely, key=_newest, reverse=True)


def _changed(
    entries: list[Entry], board: Board, door: Door, validators: Validators, most: int
) -> Iterator[Page]:
    """The postings of each page that changed since it was read, so many pages and no more."""
    asked = 0
    for entry in entries:
        noted = entry.address + _CHANGED_AT
        if entry.changed and validators.etags.get(noted) == entry.changed:
            continue
        if asked >= most:
            return  # the others have their turn next time
        asked += 1
        try:
            answer = ask(door, entry.address, validators, accept=ACCEPT, limits=LIMITS)
        except NotModified:
            continue
        except FetchError as error:
            if error.reason in {Reason.NOT_FOUND, Reason.GONE}:
                continue  # the map is older than the page's end
            raise
        page = postings_of(answer, board.company)
        remember(validators, entry.address, answer)
        if entry.changed:
            validators.etags[noted] = entry.changed
        yield page


def _newest(entry: Entry) -> float:
    found = normalise.when(entry.changed)
    return found.timestamp() if found else 0.0


def tells_of_jobs(address: str) -> bool:
    """Whether the path of an address has a word for jobs in it."""
    return _JOBS.search(urlsplit(address).path) is not None


def listed(address: str, door: Door, *, limits: Limits) -> list[Entry]:
    """What a map lists: pages, or maps.

    Raises:
        FetchError: It could not be had, or is no map.
    """
    return _map(address, door, limits)[0]


def _map(address: str, door: Door, limits: Limits) -> tuple[list[Entry], bool]:
    # The map's own version is not asked about: pages past the limit of one scan have their turn in the next.
    answer = ask(door, address, Validators(), accept="application/xml, text/xml", limits=limits)
    body = answer.body
    if body.startswith(b"\x1f\x8b"):
        body = _unpacked(body, address)
    text = decoded(body, answer.headers.get("content-type", ""))
    if not re.search(r"<(?:urlset|sitemapindex)[\s>]", text[:8192], re.IGNORECASE):
        raise FetchError(
            Reason.NOT_A_LISTING,
            f"{address} answered with something that is no sitemap. Its jobs stay as they were; open the "
            "address in a browser to see what it says.",
        )
    if not re.search(r"</(?:urlset|sitemapindex)\s*>\s*$", text[-4096:], re.IGNORECASE):
        raise FetchError(
            Reason.TRUNCATED,
            f"The sitemap {address} ends in the middle. Nothing of it was used; the next scan tries again.",
        )
    return entries_of(text)


def _unpacked(body: bytes, address: str) -> bytes:
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        text = unpack.decompress(body, _LARGEST_MAP)
    except zlib.error as error:
        raise FetchError(
            Reason.TRUNCATED, f"The packed sitemap {address} is damaged. The next scan tries again."
        ) from error
    if unpack.unconsumed_tail:
        raise FetchError(Reason.TOO_LARGE, f"The sitemap {address} is too large. Look for a narrower one.")
    return text


def _joined(pages: list[Page]) -> Page:
    return Page(
        postings=tuple(each for page in pages for each in page.postings),
        unparsed=tuple(each for page in pages for each in page.unparsed),
    )

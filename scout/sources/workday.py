"""Workday career sites.

A site's own pages ask for its postings by POST, twenty at a time, without a key; the interface ("CXS") is not
documented. Its quirks: a limit over twenty fails; the total is right in the first answer only, and counts to
two thousand at most; a posting of several places says "3 Locations" in the list; texts and dates come with
each posting's details; and while Workday is out of order it answers with redirects and web pages.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from scout import clock, normalise
from scout.fetch import Door, FetchError, Limits, Reason
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources.about import About
from scout.sources.answers import (
    Odd,
    gather,
    listed,
    mapping,
    markup,
    path_of,
    read_json,
    required,
    sequence,
    unknown,
)
from scout.sources.board import Board, Page, Validators

_SITES = re.compile(r"([a-z0-9][a-z0-9_-]{0,62})\.(wd\d{1,4})\.myworkdayjobs\.com")
_SHARED = re.compile(r"(wd\d{1,4})\.myworkdaysite\.com")
_LOCALE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_TOKEN = re.compile(
    r"([a-z0-9][a-z0-9_-]{0,62})\.(wd\d{1,4})/([A-Za-z0-9][A-Za-z0-9_.-]{0,99})", re.IGNORECASE
)
_PAGE = 20
#: Workday counts and lists no further than this.
_MOST = 2000
#: What is read of one site, category by category: four hundred requests.
_MOST_OF_ALL = 8000
_LIMITS = Limits(read=30.0, total=60.0, size=8 * 1024 * 1024)
# Dates and placeholders are read in English.
_HEADERS = {"accept-language": "en-US,en;q=0.9"}


class Workday:
    """Sites at TENANT.wdN.myworkdayjobs.com and wdN.myworkdaysite.com. A token is `tenant.wd5/Site`."""

    name = "workday"
    title = "Workday"
    origins: tuple[str, ...] = ("https://*.myworkdayjobs.com", "https://*.myworkdaysite.com")
    interval = dt.timedelta(hours=3)
    attribution = ""
    terms = (
        "Nothing is documented: this is what a career site's own pages ask for, open to everybody. Hence "
        "long pauses between two scans, and no more details than needed."
    )
    complete = True
    about = About(
        fills=("locations", "remote", "description_text", "employment_type", "requisition_id", "posted_at")
    )
    details = 100

    def recognise(self, url: SplitResult) -> Board | None:
        """A site, one posting's page, either with or without a language, or the address of its interface."""
        host, parts = url.hostname or "", path_of(url)
        own, shared = _SITES.fullmatch(host), _SHARED.fullmatch(host)
        if own is None and shared is None:
            return None
        if parts[:2] == ["wday", "cxs"] and len(parts) > 3:  # noqa: PLR2004 - /wday/cxs/TENANT/SITE
            tenant, parts = parts[2], parts[3:]
        else:
            if parts and _LOCALE.fullmatch(parts[0]) and len(parts) > 1:
                parts = parts[1:]
            if own is not None:
                tenant = own[1]
            elif parts[:1] == ["recruiting"] and len(parts) > 2:  # noqa: PLR2004 - /recruiting/TENANT/SITE
                tenant, parts = parts[1], parts[2:]
            else:
                return None
        number = own[2] if own is not None else shared[1] if shared is not None else ""
        token = f"{tenant}.{number}/{parts[0] if parts else ''}"
        if not _TOKEN.fullmatch(token):
            return None
        site = parts[0] if own is not None else f"recruiting/{tenant}/{parts[0]}"
        # The postings do not name the company, and the token is no name to show.
        company = normalise.company_of(tenant)
        return Board(kind=self.name, token=token, company=company, url=f"https://{host}/{site}")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The site's postings, twenty at a time. They come without validators: each scan reads them anew.

        Workday shows two thousand at most. A site that has so many is read category by category, each of
        which has fewer, and is never told to be whole.
        """
        del validators
        first = self._asked(board, door, {}, 0)
        total = first.get("total")
        if not isinstance(total, int) or total < _MOST:
            yield from self._slice(board, door, {}, first)
            return
        seen = 0
        for applied in _categories(first) or [{}]:
            answer = self._asked(board, door, applied, 0) if applied else first
            for page in self._slice(board, door, applied, answer):
                yield page
                seen += len(page.postings) + len(page.unparsed)
                if seen >= _MOST_OF_ALL:
                    break
            if seen >= _MOST_OF_ALL:
                break
        raise self._too_large(board)

    def _too_large(self, board: Board) -> FetchError:
        return FetchError(
            Reason.TOO_LARGE,
            f"Workday counts no further than {_MOST} postings, and “{board.token}” has at least so many. "
            "What it shows in its categories was read; there may be more.",
        )

    def _slice(self, board: Board, door: Door, applied: dict[str, list[str]], first: Any) -> Iterator[Page]:
        """All that one question finds, from its first answer on."""
        answer, total = first, first.get("total")  # later answers say nought
        if not isinstance(total, int) or total < len(sequence(first.get("jobPostings"))):
            total = None
        for offset in range(0, _MOST, _PAGE):
            if offset:
                answer = self._asked(board, door, applied, offset)
            items = listed(answer, "jobPostings", self.title)
            yield gather(items, lambda item: _posting(item, board))
            seen = offset + len(items)
            if len(items) < _PAGE if total is None else seen >= total:
                return
            if not items:
                raise FetchError(
                    Reason.TRUNCATED,
                    f"Workday counts {total} postings of “{board.token}” and gave {seen}. The next scan "
                    "tries again.",
                )
        raise self._too_large(board)

    def _asked(self, board: Board, door: Door, applied: dict[str, list[str]], offset: int) -> Any:
        """One answer."""
        url = f"{_interface(board)}/jobs"
        question = {"appliedFacets": applied, "limit": _PAGE, "offset": offset, "searchText": ""}
        try:
            answer = door.post_json(url, question, headers=_HEADERS, limits=_LIMITS)
        except FetchError as error:
            if error.reason is Reason.NOT_FOUND and offset == 0:
                raise unknown(self.title, board, called="site") from error
            raise
        if not answer.body.strip():
            raise FetchError(
                Reason.EMPTY,
                f"{url} answered with nothing at all, not even an empty list. Its jobs stay as they were; "
                "the next scan tries again.",
            )
        document = read_json(answer.body, self.title)
        listed(document, "jobPostings", self.title)
        return document

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one answer, without texts; dates are reckoned from today.

        Raises:
            FetchError: It is no listing.
        """
        items = listed(read_json(body, self.title), "jobPostings", self.title)
        return gather(items, lambda item: _posting(item, board))

    def detailed(self, posting: Posting, board: Board, door: Door) -> Posting:
        """The posting with its text, all its places and the day of its publication."""
        # The posting's page and its details are the same path under two roots.
        path = posting.url.removeprefix(_page(board))
        headers = {"accept": "application/json", **_HEADERS}
        answer = door.get(f"{_interface(board)}{path}", headers=headers, limits=_LIMITS)
        return self.parse_detail(answer.body, posting)

    def parse_detail(self, body: bytes, posting: Posting) -> Posting:
        """A posting of the list, completed from the answer with its details.

        Raises:
            FetchError: It is none.
        """
        info = mapping(mapping(read_json(body, self.title)).get("jobPostingInfo"))
        if not normalise.line(info.get("title")):
            raise FetchError(
                Reason.NOT_A_LISTING,
                f"Workday answered with something that is not the posting “{posting.title}”. The next scan "
                "tries again.",
            )
        return _completed(posting, info)


def _categories(answer: Any) -> list[dict[str, list[str]]]:
    """Questions that split a site: the values of the facet that tells the most of its postings apart.

    Only a facet each of whose values has fewer postings than Workday shows at once; none if there is none.
    """
    best: list[dict[str, list[str]]] = []
    most = 0
    for facet in map(mapping, sequence(answer.get("facets"))):
        name = normalise.identifier(facet.get("facetParameter"))
        values = [mapping(each) for each in sequence(facet.get("values"))]
        counts = [each.get("count") for each in values]
        whole = [each for each in counts if isinstance(each, int) and 0 < each < _MOST]
        if name and len(whole) == len(counts) > 1 and sum(whole) > most:
            most = sum(whole)
            best = [{name: [normalise.identifier(each.get("id"))]} for each in values]
    return best


def _interface(board: Board) -> str:
    tenant, _, site = _named(board)
    parts = urlsplit(_page(board))
    return f"https://{parts.netloc}/wday/cxs/{tenant}/{site}"


def _page(board: Board) -> str:
    """The site's public page, which its postings' addresses begin with."""
    tenant, number, site = _named(board)
    return board.url or f"https://{tenant}.{number}.myworkdayjobs.com/{site}"


def _named(board: Board) -> tuple[str, str, str]:
    found = _TOKEN.fullmatch(board.token)
    if found is None:
        raise FetchError(
            Reason.URL,
            f"“{board.token}” names no Workday site, which is written tenant.wd5/Site. Add the board again "
            "by its address.",
        )
    return found[1], found[2], found[3]


_PATH = re.compile(r"/job/[^?#]{1,1000}")
_PLACEHOLDER = re.compile(r"\d+ Locations?", re.IGNORECASE)
#: A second posting of one requisition ends in -1, a third in -2.
_COPY = re.compile(r"-\d{1,2}")


def _posting(item: Any, board: Board) -> Posting:
    job = mapping(item)
    title = required(normalise.line(job.get("title")), "title")
    path = normalise.line(job.get("externalPath"), 1000)
    if not _PATH.fullmatch(path):
        raise Odd("has no link that can be followed")
    tail = path.rpartition("/")[2]
    number = tail.rpartition("_")[2]
    bullets = [normalise.identifier(each) for each in sequence(job.get("bulletFields"))]
    where = normalise.line(job.get("locationsText"), 200)
    places = () if _PLACEHOLDER.fullmatch(where) else normalise.locations([where])
    remote, evidence = normalise.remote(
        fields=[("remoteType", job.get("remoteType"))], title=title, places=places
    )
    return Posting(
        source_job_id=required(number if "_" in tail else tail, "id"),
        title=title,
        company=board.company or normalise.company_of(board.token.partition(".")[0]),
        url=required(
            normalise.public_url(_page(board) + quote(path, safe="/%-_.~()',!*+:;=@&$")),
            "link that can be followed",
        ),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        employment_type=normalise.employment_type(job.get("timeType")),
        requisition_id=_requisition(number if "_" in tail else "", bullets),
        posted_at=_posted(job.get("postedOn")),
    )


def _requisition(number: str, bullets: list[str]) -> str:
    """The requisition: usually the first bullet, but bullets may be anything, so the address must agree."""
    for bullet in bullets:
        if bullet and (number == bullet or _COPY.fullmatch(number.removeprefix(bullet))):
            return bullet
    return number


_AGO = re.compile(r"posted (?:(today)|(yesterday)|(\d{1,3}) days? ago)", re.IGNORECASE)


def _posted(words: Any) -> dt.datetime | None:
    """The day that "Posted 3 Days Ago" means; "30+ Days Ago" is a bound and no day."""
    found = _AGO.fullmatch(normalise.line(words, 60))
    if found is None:
        return None
    days = 0 if found[1] else 1 if found[2] else int(found[3])
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - dt.timedelta(days=days)


def _completed(posting: Posting, info: dict[str, Any]) -> Posting:
    safe = sanitise(markup(info.get("jobDescription")))
    text = plain(safe)
    title = normalise.line(info.get("title"))
    places = normalise.locations([info.get("location"), *sequence(info.get("additionalLocations"))])
    remote, evidence = normalise.remote(
        fields=[("remoteType", info.get("remoteType"))], title=title, places=places, text=text
    )
    return replace(
        posting,
        title=title,
        url=normalise.public_url(info.get("externalUrl")) or posting.url,
        locations=places or posting.locations,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        employment_type=normalise.employment_type(info.get("timeType")) or posting.employment_type,
        requisition_id=normalise.identifier(info.get("jobReqId")) or posting.requisition_id,
        posted_at=normalise.when(info.get("startDate")) or posting.posted_at,
    )

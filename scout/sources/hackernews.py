"""Hacker News' monthly "Who is hiring?", by the search that Algolia offers (https://hn.algolia.com/api).

The newest thread is read. Each comment at its top is an employer's; its first line tells company, role,
place and the like between bars, in any order, and often several roles: each becomes a posting. Replies are
left out, and so are questions and whatever has no such line. People write here by name: their names, mail
addresses and phone numbers are not kept.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import SplitResult, urlencode

from scout import html, normalise
from scout.fetch import Door, FetchError, Reason
from scout.postings import Posting, Salary
from scout.sources.about import About
from scout.sources.answers import ask, gather, listed, mapping, read_json, remember, required
from scout.sources.board import Board, Page, Validators
from scout.sources.contacts import LEFT_OUT, without_contacts

_PAGE = 1000
_MOST_PAGES = 3
_THREAD = re.compile(r"\bwho is hiring\b", re.IGNORECASE)


class HackerNews:
    """The newest "Who is hiring?" thread."""

    name = "hackernews"
    title = "Hacker News: Who is hiring?"
    origins: tuple[str, ...] = ("https://hn.algolia.com",)
    interval = dt.timedelta(hours=6)
    attribution = ""
    terms = (
        "The search API is public and needs no key; it allows ten thousand requests an hour (Algolia, "
        "HN Search API). Comments are their writers': each is linked, and names, mail addresses and "
        "phone numbers are not kept."
    )
    complete = False
    about = About(
        gathers=True,
        fills=("locations", "remote", "description_text", "salary", "employment_type", "posted_at"),
    )

    def recognise(self, url: SplitResult) -> Board | None:
        """The threads' account, one of its threads or comments, or the search's address."""
        thread = url.hostname == "news.ycombinator.com" and (
            url.path in {"/item", "/submitted", "/threads", "/user"}
            and (url.path == "/item" or "whoishiring" in url.query)
        )
        if not thread and url.hostname != "hn.algolia.com":
            return None
        return Board(
            kind=self.name,
            token="whoishiring",  # noqa: S106 - the account that opens the threads
            url="https://news.ycombinator.com/submitted?id=whoishiring",
            title=self.title,
        )

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The newest thread's comments, a thousand at a time."""
        origin = self.origins[0]
        asked = urlencode({"tags": f"story,author_{board.token}", "hitsPerPage": 12})
        answer = ask(door, f"{origin}/api/v1/search_by_date?{asked}", Validators())
        story = _newest(listed(read_json(answer.body, self.title), "hits", self.title))
        for number in range(_MOST_PAGES):
            asked = urlencode({"tags": f"comment,story_{story}", "hitsPerPage": _PAGE, "page": number})
            url = f"{origin}/api/v1/search_by_date?{asked}"
            answer = ask(door, url, validators if number == 0 else Validators())
            document = mapping(read_json(answer.body, self.title))
            page = _page(listed(document, "hits", self.title))
            pages = document.get("nbPages")
            last = not isinstance(pages, int) or number + 1 >= pages
            if number == 0 and last:
                remember(validators, url, answer)
            yield page
            if last:
                return

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of an answer that lists comments.

        Raises:
            FetchError: It is no such answer.
        """
        del board
        return _page(listed(read_json(body, self.title), "hits", self.title))


def _newest(hits: list[Any]) -> str:
    found = [
        (each["created_at_i"], str(each["objectID"]))
        for hit in hits
        if isinstance((each := mapping(hit)).get("title"), str) and _THREAD.search(each["title"])
        if isinstance(each.get("created_at_i"), int) and re.fullmatch(r"\d{1,12}", str(each.get("objectID")))
    ]
    if not found:
        raise FetchError(
            Reason.NOT_A_LISTING,
            "Hacker News' search names no thread “Who is hiring?”. Its jobs stay as they were; the next "
            "scan tries again.",
        )
    return max(found)[1]


def _page(hits: list[Any]) -> Page:
    """A page of all roles of all comments."""
    postings: dict[str, Posting] = {}
    unparsed: list[str] = []
    for hit in hits:
        comment = mapping(hit)
        if comment.get("parent_id") is None or comment.get("parent_id") != comment.get("story_id"):
            continue
        written = comment.get("comment_text")
        header = first_line(written) if isinstance(written, str) else None
        if header is None:
            continue
        made = gather(header.roles or [""], functools.partial(_posting, comment, header))
        postings.update((each.source_job_id, each) for each in made.postings)
        unparsed += made.unparsed
    return Page(postings=tuple(postings.values()), unparsed=tuple(unparsed))


def _posting(comment: dict[str, Any], header: Header, role: str) -> Posting:
    number = required(normalise.identifier(comment.get("objectID")), "id")
    safe = html.sanitise(without_contacts(str(comment.get("comment_text"))))
    text = html.plain(safe)
    # What stands between parentheses is one place's: "Remote (Europe / UK)".
    places = normalise.locations(_SLASH.sub("/", each) for each in header.places)
    title = role or f"Roles at {header.company}"
    both = next((each for each in header.workplaces if _ONSITE.search(each) and _ELSEWHERE.search(each)), "")
    fields = [("part office, part remote", "hybrid")] if both else []
    remote, evidence = normalise.remote(
        fields=fields, title=title, places=[*header.workplaces, *places], text=text
    )
    return Posting(
        source_job_id=f"{number}-{normalise.line(role, 80).casefold()}" if len(header.roles) > 1 else number,
        title=title,
        company=header.company,
        url=f"https://news.ycombinator.com/item?id={number}",
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=Salary(raw=header.pay) if header.pay else None,
        employment_type=normalise.employment_type(header.employment),
        posted_at=normalise.when(comment.get("created_at_i")),
    )


# --- The first line ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Header:
    """What a comment's first line tells.

    Attributes:
        company: The employer; a remark where the line names none.
        roles: One title each; empty if it names none.
        places: Places as written, "Remote (US)" among them.
        workplaces: The parts that tell of remote work or an office.
        employment: The part that tells full-time, contract and the like.
        pay: The part that tells pay.
    """

    company: str = ""
    roles: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    workplaces: list[str] = field(default_factory=list)
    employment: str = ""
    pay: str = ""


_UNNAMED = "Not named (Hacker News)"
_LONGEST_LINE = 3000
_LONGEST_PART = 150
_ANCHOR = re.compile(r"<a\b[^<>]*>([^<>]*)</a>", re.IGNORECASE)
_LINK = re.compile(r"\s*[(\[]?\s*(?:https?://|www\.)\S+?[)\]]?(?=\s|$)", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:[\w-]+\.)+[a-z]{2,12}(?:/\S*)?", re.IGNORECASE)
_MARKER = re.compile(
    r"(?:seeking (?:freelancers?|contractors?|employees?|work)|(?:we(?:'re| are) )?hiring!?"
    r"|who is hiring\??)",
    re.IGNORECASE,
)
_HEADS = (
    r"engineers?|developers?|programmers?|architects?|designers?|scientists?|researchers?|analysts?|managers?"
    r"|administrators?|admins?|directors?|leads?|leaders?|consultants?|specialists?|editors?|writers?|recruiters?"
    r"|marketers?|accountants?|operators?|technicians?|contractors?|associates?|executives?|advocates?|officers?"
    r"|interns?|sres?|sdrs?|pms?|cto|ceo|coo|cfo|ciso|vp|swes?|sysadmins?|devs?|founders?|co-?founders?|assistants?"
    r"|representatives?|strategists?|coordinators?|evangelists?|mathematicians?|physicists?|chemists?|biologists?"
)
_ROLE = re.compile(
    rf"\b(?:{_HEADS}|engineering|devops|dev ?ops|full-? ?stack|back-? ?end|front-? ?end|gtm|roles?|positions?"
    r"|openings?|jobs?|head of)\b",
    re.IGNORECASE,
)
_HEAD = re.compile(rf"\b(?:{_HEADS})\b", re.IGNORECASE)
_SEVERAL = re.compile(r"\s*(?:,|;|\+|&|/ | and )\s*(?:and\s+)?", re.IGNORECASE)
_WORKPLACE = re.compile(
    r"\b(?:remote|on-?\s?site|hybrid|in-?\s?office|in-?\s?person|wfh|work from home)\b", re.IGNORECASE
)
_ONSITE = re.compile(r"\b(?:on-?\s?site|in-?\s?office|in-?\s?person)\b", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\b(?:remote|hybrid)\b", re.IGNORECASE)
_SLASH = re.compile(r"\s*/\s*(?=[^()]*\))")
_BARE = re.compile(
    r"(?:fully |100% )?(?:remote|on-?\s?site|hybrid|in-?\s?office|in-?\s?person|wfh)"
    r"(?:\s*(?:/|or|,|&|\+|-)?\s*\(?(?:remote|on-?\s?site|hybrid|ok|possible|friendly|only|preferred)\)?)*",
    re.IGNORECASE,
)
_EMPLOYMENT = re.compile(
    r"\s*(?:full|part)[ -]?time\b|\s*(?:contract(?:or)?|freelance|permanent|temporary|internship|intern"
    r"|ft|pt)s?\b",
    re.IGNORECASE,
)
_PAY = re.compile(
    r"[$€£¥₹]\s?\d|\b\d[\d.,]*\s?k\b|\b\d{2,3},\d{3}\b|\b(?:usd|eur|gbp|chf)\b|\bequity\b|\bsalary\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\b(?:visas?|sponsorship|relocation|yoe|years|apply|equity only)\b", re.IGNORECASE)
_PLACE = re.compile(r"[A-Z][\w .'\u2019-]{1,40},\s*[A-Z][\w .'\u2019-]{1,40}")
_LEGAL = re.compile(r"\b(?:inc|llc|ltd|gmbh|corp|co|ag|bv|plc|sa|ab|oy)\.?$", re.IGNORECASE)
_MULTIPLE = re.compile(
    r"\s*[-\u2013\u2014:(]*\s*\b(?:(?:is )?hiring(?: for)?"
    r"|(?:multiple|various|several|many) (?:roles|positions))"
    r"\b.*$",
    re.IGNORECASE,
)
_SIDENOTE = re.compile(r"\s*\(([^()]*)\)")


def first_line(comment: str) -> Header | None:
    """What a comment's first line tells; None if it has no bars in it, as questions have not.

    Args:
        comment: The comment's HTML, as Algolia gives it.
    """
    opening = re.split(r"<p>|\n|<br", comment.strip(), maxsplit=1, flags=re.IGNORECASE)[0][:_LONGEST_LINE]
    line = normalise.line(unescape(_TAGS.sub("", _ANCHOR.sub(r"\1", opening))), 1000).strip("*_ ")
    line = without_contacts(line).replace(LEFT_OUT, "")
    parts = [part.strip(" *_-\u2013\u2014\u00b7:") for part in line.split("|")]
    parts = [part for part in parts if part and not _MARKER.fullmatch(part)]
    if "|" not in line or len(parts) < 2:  # noqa: PLR2004 - a company and something of it
        return None
    header = Header()
    for number, part in enumerate(parts):
        _take(header, part, first=number == 0)
    # "Acme is hiring for multiple roles" names a company.
    company = _MULTIPLE.sub("", header.company)
    header.workplaces += [aside for aside in _SIDENOTE.findall(company) if _WORKPLACE.search(aside)]
    header.company = _SIDENOTE.sub("", company).strip(" ,(-") or _UNNAMED
    return header


_TAGS = re.compile(r"<[^<>]*>")


def _take(header: Header, part: str, *, first: bool) -> None:  # noqa: C901, PLR0912 - one case per sort of part
    """Put one part of the line where it belongs."""
    bare = _LINK.sub("", part).strip(" ,:")
    if bare.startswith("(") and bare.find(")") == len(bare) - 1:
        bare = bare.strip("() ")
    if not bare or (not first and _DOMAIN.fullmatch(bare)):
        return  # an address: the company's own page
    if first:
        role_at = re.fullmatch(rf"(.*\b(?:{_HEADS})\b.*?) (?:at|@) (.+)", bare, re.IGNORECASE)
        if role_at:  # "Editor for The Upshot at The New York Times"
            header.roles.append(role_at[1])
            header.company = role_at[2]
        elif _HEAD.search(bare) and len(bare.split()) > 1:
            header.roles += _roles(bare)
        elif _PLACE.fullmatch(bare) and not _LEGAL.search(bare):
            header.places.append(bare)
        elif _BARE.fullmatch(bare):
            header.workplaces.append(bare)
        else:
            header.company = bare[:_LONGEST_PART]
    elif _EMPLOYMENT.match(bare) and not _HEAD.search(_EMPLOYMENT.sub("", bare, count=1)[:40]):
        header.employment = header.employment or bare[:80]
    elif _PAY.search(bare) and not _HEAD.search(bare):
        header.pay = header.pay or bare[:120]
    elif _WORKPLACE.search(bare) and not _HEAD.search(bare):
        header.workplaces.append(bare[:_LONGEST_PART])
        if not _BARE.fullmatch(bare):
            header.places.append(bare[:_LONGEST_PART])
    elif _ROLE.search(bare):
        if len(bare) <= _LONGEST_PART and _MULTIPLE.sub("", bare):
            header.roles += _roles(bare)
    elif not header.company and not _PLACE.fullmatch(bare):
        header.company = bare[:_LONGEST_PART]
    elif not _ASIDE.search(bare) and len(bare) <= _LONGEST_PART:
        header.places.append(bare)


def _roles(part: str) -> list[str]:
    """The roles that a part names. It is taken apart only where each piece is a role of its own."""
    pieces = [piece for each in _SEVERAL.split(part) if (piece := each.strip(" ."))]
    if len(pieces) > 1 and all(_HEAD.search(piece) for piece in pieces):
        return list(dict.fromkeys(pieces))
    return [part]

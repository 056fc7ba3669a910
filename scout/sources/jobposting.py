"""Job postings that a web page describes for search engines: schema.org's `JobPosting`, as JSON-LD.

Sites write it in many odd ways (https://schema.org/JobPosting): in a graph, a list or a page's main entity;
its type one of several; names in another case; comments or CDATA around it; commas before a closing
bracket; line breaks and escaped entities in its texts. All of them are read. A page that makes it with
JavaScript has none.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import SplitResult, urljoin

from scout import clock, normalise
from scout.fetch import Answer, Door, FetchError, Limits, Reason
from scout.html import plain, sanitise, unescaped
from scout.postings import Posting, Salary
from scout.sources.about import About
from scout.sources.answers import ask, gather, remember, required
from scout.sources.board import Board, Page, Validators
from scout.sources.contacts import without_contacts
from scout.sources.feed import decoded

ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"
LIMITS = Limits(size=8 * 1024 * 1024)
_LONGEST_ID = 400


class JobPosting:
    """One page with postings of its own; its address is the board's name."""

    name = "jobposting"
    title = "Page with JobPosting data"
    origins: tuple[str, ...] = ()
    interval = dt.timedelta(hours=3)
    attribution = ""
    terms = (
        "A page describes its postings this way for being read by search engines' programs; it is "
        "read as they read it, and linked."
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
        """None: no address tells this of itself. `scout sources discover` looks at the page."""
        del url
        return None

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The postings of the page."""
        answer = ask(door, board.token, validators, accept=ACCEPT, limits=LIMITS)
        page = postings_of(answer, board.company)
        if not page.postings and not page.unparsed:
            raise FetchError(
                Reason.NOT_A_LISTING,
                f"{board.token} describes no open job in the form that search engines read (JobPosting). It "
                "may be closed, or written by JavaScript only; open it in a browser.",
            )
        remember(validators, board.token, answer)
        yield page

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of a page.

        Raises:
            FetchError: Never; a page without postings is an empty one.
        """
        return postings_of(Answer(url=board.token, status=200, body=body), board.company)


def postings_of(answer: Answer, company: str = "") -> Page:
    """The open postings that a page describes.

    Args:
        answer: The page.
        company: Whose they are where they do not say.
    """
    found = list(described(decoded(answer.body, answer.headers.get("content-type", ""))))
    return gather(found, lambda item: _posting(item, answer.url, company, alone=len(found) == 1))


# --- Finding it -------------------------------------------------------------------------------------------

_SCRIPT = re.compile(
    r"<script\b[^<>]{0,500}?\btype\s{0,9}=\s{0,9}[\"']?\s{0,9}application/ld\+json\b[^<>]{0,500}>",
    re.IGNORECASE,
)
_END = re.compile(r"</script", re.IGNORECASE)
#: What scripts are wrapped in.
_WRAPPING = ("\ufeff", "<!--", "-->", "<![CDATA[", "]]>", "//", "/*", "*/", ";")
#: Quotes, what is escaped, and commas that a closing bracket follows.
_MARKS = re.compile(r'\\.|"|,(?=\s{0,500}[}\]])', re.DOTALL)
_MOST_SCRIPTS = 50
_DEEPEST = 12
_MOST_NODES = 5000


def described(page: str) -> Iterator[dict[str, Any]]:
    """Each `JobPosting` in a page's JSON-LD, its names in lower case."""
    left = [_MOST_NODES]
    at = 0
    for _ in range(_MOST_SCRIPTS):
        start = _SCRIPT.search(page, at)
        end = _END.search(page, start.end()) if start else None
        if start is None or end is None:
            return
        at = end.end()
        yield from _within(_document(page[start.end() : end.start()]), left, 0)


def _document(script: str) -> Any:
    """The JSON of a script, mended where it must be; None if nothing helps."""
    bare = _unwrapped(script)
    tidy = _without_last_commas(bare)
    for text in (bare, tidy, unescape(tidy)):
        try:
            # Line breaks inside of strings are let pass.
            return json.loads(text, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _unwrapped(script: str) -> str:
    before, text = "", script.strip()
    while before != text:
        before = text
        for mark in _WRAPPING:
            text = text.removeprefix(mark).removesuffix(mark).strip()
    return text


def _without_last_commas(text: str) -> str:
    """JSON without the commas that a closing bracket follows; those in texts stay."""
    parts = []
    at = 0
    within = False
    for mark in _MARKS.finditer(text):
        if mark[0] == '"':
            within = not within
        elif mark[0] == "," and not within:
            parts.append(text[at : mark.start()])
            at = mark.end()
    return "".join((*parts, text[at:]))


def _within(node: Any, left: list[int], depth: int) -> Iterator[dict[str, Any]]:
    left[0] -= 1
    if depth > _DEEPEST or left[0] < 0:
        return
    if isinstance(node, list):
        for each in node:
            yield from _within(each, left, depth + 1)
    elif isinstance(node, dict):
        names = {str(name).lower(): value for name, value in node.items()}
        if _is_posting(names.get("@type")):
            yield names
            return
        for value in names.values():
            if isinstance(value, (dict, list)):
                yield from _within(value, left, depth + 1)


def _is_posting(kind: Any) -> bool:
    kinds = kind if isinstance(kind, list) else [kind]
    return any(
        isinstance(each, str) and re.split(r"[/#:]", each)[-1].lower() == "jobposting" for each in kinds
    )


# --- Reading it -------------------------------------------------------------------------------------------


def _posting(job: dict[str, Any], address: str, company: str, *, alone: bool) -> Posting | None:
    ends = _time(job.get("validthrough"))
    if ends is not None and ends < clock.now():
        return None
    title = required(normalise.line(_plain(job.get("title") or job.get("name"))), "title")
    safe = sanitise(without_contacts(_html(job.get("description"))))
    text = plain(safe)
    own = _first(job.get("url"))
    link = normalise.public_url(urljoin(address, own.strip())) if isinstance(own, str) and own.strip() else ""
    link = required(link or normalise.public_url(address), "link that can be followed")
    number = _identifier(job.get("identifier"))
    telecommutes = "telecommute" in str(job.get("joblocationtype", "")).lower()
    places = normalise.locations(_places(job.get("joblocation"), "address"))
    if not places:
        places = normalise.locations(_places(job.get("applicantlocationrequirements"), ""))
    remote, evidence = normalise.remote(
        fields=[("jobLocationType", "telecommute" if telecommutes else _first(job.get("joblocationtype")))],
        title=title,
        places=places,
        text=text,
    )
    types = job.get("employmenttype")
    kinds = (normalise.employment_type(each) for each in (types if isinstance(types, list) else [types]))
    return Posting(
        # A page's own posting is known by its address; several on one page by what tells them apart.
        source_job_id=(address if alone else own if isinstance(own, str) and own else number or title)[
            :_LONGEST_ID
        ],
        title=title,
        company=required(_name(job.get("hiringorganization")) or company, "company"),
        url=link,
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=_salary(job.get("basesalary") or job.get("estimatedsalary")),
        employment_type=next((each for each in kinds if each), ""),
        department=normalise.line(_plain(job.get("department")), 200),
        requisition_id=number,
        posted_at=normalise.when(_first(job.get("dateposted"))),
    )


def _first(value: Any) -> Any:
    return next(iter(value), None) if isinstance(value, list) else value


def _member(value: Any, name: str) -> Any:
    """A member of an object, whatever the case of its name."""
    if not isinstance(value, dict):
        return None
    return next((each for key, each in value.items() if str(key).lower() == name), None)


def _plain(value: Any) -> str:
    found = _first(value)
    found = _member(found, "name") if isinstance(found, dict) else found
    return unescape(found) if isinstance(found, str) else ""


def _html(value: Any) -> str:
    """A description: its HTML may be escaped once more, and its line breaks may be two characters."""
    found = _first(value)
    if not isinstance(found, str):
        return ""
    if "<" not in found and "&lt;" in found:
        found = unescaped(found)
    return found.replace("\\r", "").replace("\\n", "\n")


def _time(value: Any) -> dt.datetime | None:
    """A time that may lie in the future."""
    found = _first(value)
    try:
        time = dt.datetime.fromisoformat(found.strip()[:40]) if isinstance(found, str) else None
    except ValueError:
        return None
    if time is None:
        return None
    if len(str(found).strip()) <= 10:  # noqa: PLR2004 - a date alone: to the end of that day
        time += dt.timedelta(days=1)
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def _name(organisation: Any) -> str:
    found = _first(organisation)
    if isinstance(found, dict):
        found = _first(_member(found, "name")) or _first(_member(found, "legalname"))
    return normalise.line(unescape(found) if isinstance(found, str) else "", 200)


def _identifier(value: Any) -> str:
    found = _first(value)
    if isinstance(found, dict):
        found = _first(_member(found, "value"))
    return normalise.identifier(found)[:100]


def _places(value: Any, within: str) -> Iterator[str]:
    """The places of a list, an object or a text; `within` is where an object has its address."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield each
            continue
        address = _first(_member(each, within)) if within else each
        if isinstance(address, str):
            yield address
            continue
        parts = [
            _plain(_member(address, name)) for name in ("addresslocality", "addressregion", "addresscountry")
        ]
        words = ", ".join(dict.fromkeys(part.strip() for part in parts if part.strip()))
        yield words or _plain(_member(address, "name")) or _plain(_member(each, "name"))


def _salary(value: Any) -> Salary | None:
    pay = _first(value)
    if isinstance(pay, (int, float, str)):
        return normalise.salary(least=pay, most=pay, currency="", per="")
    amounts = _first(_member(pay, "value"))
    least, most = _member(amounts, "minvalue"), _member(amounts, "maxvalue")
    if least is None and most is None:
        least = most = _member(amounts, "value") if isinstance(amounts, dict) else amounts
    return normalise.salary(
        least=_first(least),
        most=_first(most),
        currency=_first(_member(pay, "currency")) or _first(_member(amounts, "currency")),
        per=_first(_member(amounts, "unittext")) or _first(_member(pay, "unittext")),
    )

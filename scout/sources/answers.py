"""What all kinds of board share: asking with validators, reading JSON, and setting odd postings aside."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from scout import normalise
from scout.fetch import Answer, Door, FetchError, Limits, Reason, is_challenge
from scout.normalise import line
from scout.postings import Posting
from scout.sources.about import about, off
from scout.sources.board import Board, Kind, NotModified, Page, Validators


class Odd(Exception):  # noqa: N818 - a finding, collected for the owner
    """A posting cannot be used. Its text is the end of the sentence "Posting 3 ...": "has no title"."""


def ask(
    door: Door,
    url: str,
    validators: Validators,
    *,
    accept: str = "application/json",
    headers: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Answer:
    """Fetch a listing, with the validators of last time.

    Raises:
        NotModified: It is what it was: the board says so, or it holds the same bytes.
        FetchError: It could not be had, or came without a word in it.
    """
    sent = {"accept": accept, **(headers or {})}
    if url in validators.etags:
        sent["if-none-match"] = validators.etags[url]
    if url in validators.modified:
        sent["if-modified-since"] = validators.modified[url]
    answer = door.get(url, headers=sent, limits=limits)
    known = validators.bodies.get(url)
    if answer.status == 304 or (known is not None and known == _fingerprint(answer)):  # noqa: PLR2004 - Not Modified
        raise NotModified
    if not answer.body.strip():
        raise FetchError(
            Reason.EMPTY,
            f"{url} answered with nothing at all, not even an empty list. Its jobs stay as they were; the "
            "next scan tries again.",
        )
    if is_challenge(answer.headers, answer.body):
        raise FetchError(
            Reason.BOT_CHALLENGE,
            f"{url} answered with a page that checks for humans. Its jobs stay as they were; look at it in a "
            "browser.",
        )
    return answer


def remember(validators: Validators, url: str, answer: Answer) -> None:
    """Keep an answer's validators for the next time. Only for answers that were read to their end."""
    for kept, name in ((validators.etags, "etag"), (validators.modified, "last-modified")):
        value = answer.headers.get(name, "")
        # They are sent back as a header one day: nothing goes in that a header cannot hold.
        if value and len(value) <= 500 and re.fullmatch(r"[\x20-\x7e]+", value):  # noqa: PLR2004 - a header's worth
            kept[url] = value
        else:
            kept.pop(url, None)
    validators.bodies[url] = _fingerprint(answer)


def _fingerprint(answer: Answer) -> str:
    return hashlib.sha256(answer.body).hexdigest()[:32]


def switched_on(kind: Kind, door: Door) -> None:
    """Refuse to read a kind whose keys are not set.

    Raises:
        FetchError: They are not.
    """
    why = off(kind, door.settings)
    if why:
        raise FetchError(Reason.NO_KEY, f"{why} Nothing was asked; its jobs stay as they were.")


def unknown(title: str, board: Board, *, called: str = "board", hint: str = "") -> FetchError:
    """What to tell of a board that its system does not know: `called` is that system's word for a board."""
    return FetchError(
        Reason.NOT_FOUND,
        f"{title} knows no {called} named “{board.token}”{hint}. The company may have moved to another "
        "system: look at its careers page, and remove or replace this board.",
    )


def nothing(title: str, board: Board) -> str:
    """What to note of an empty listing where a company that does not exist has one too."""
    return (
        f"{title} lists nothing for “{board.token}”. It answers the same for a company that it does not "
        "know: check the name if the company's own page shows openings."
    )


def whole(
    kind: Kind,
    url: str,
    board: Board,
    door: Door,
    validators: Validators,
    *,
    limits: Limits | None = None,
    accept: str = "application/json",
    hint: str = "",
    vendor: str = "",
) -> Page:
    """A board that comes in one answer: fetched, parsed, and only then its validators kept.

    Args:
        kind: The kind of board.
        url: Where its listing is.
        board: The board.
        door: The way out.
        validators: Those of last time; kept anew.
        limits: What the answer may cost.
        accept: The kinds of answer that can be read.
        hint: What to add when its system does not know it.
        vendor: The domain of its system, where each board has a host of its own: a board that does not exist
            is redirected to its system's own pages.

    Raises:
        NotModified: It is what it was.
        FetchError: It could not be had, its system does not know it, or it is no listing.
    """
    try:
        answer = ask(door, url, validators, accept=accept, limits=limits)
    except FetchError as error:
        if error.reason is Reason.NOT_FOUND and not about(kind).gathers:
            raise unknown(kind.title, board, hint=hint) from error
        raise
    if vendor and urlsplit(answer.url).hostname in {vendor, f"www.{vendor}"}:
        raise unknown(kind.title, board, hint=hint)
    page = kind.parse(answer.body, board)
    remember(validators, url, answer)
    return page


_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)


def read_json(body: bytes, title: str) -> Any:
    """The JSON of an answer.

    Args:
        body: The answer.
        title: The kind of board, for the message.

    Raises:
        FetchError: It is a web page, ends in the middle, or is no JSON.
    """
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        found = _TITLE.search(body[:65536])
        named = f" with the title “{line(found[1].decode('utf-8', 'replace'), 80)}”" if found else ""
        raise FetchError(
            Reason.NOT_A_LISTING,
            f"{title} answered with a web page{named} where its list of jobs should be. Its jobs stay as "
            "they were; open the board in a browser to see what it says.",
        )
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except json.JSONDecodeError as error:
        if _cut_short(error):
            raise FetchError(
                Reason.TRUNCATED,
                f"The answer of {title} ends in the middle. Nothing of it was used; the next scan tries "
                "again.",
            ) from error
        raise FetchError(Reason.NOT_A_LISTING, _no_listing(title)) from error
    except (ValueError, RecursionError) as error:
        raise FetchError(Reason.NOT_A_LISTING, _no_listing(title)) from error


_BEGUN = re.compile(r"(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|-)?\s*\Z")


def _cut_short(error: json.JSONDecodeError) -> bool:
    """Whether what the parser stopped at is the end: of the text, of a string, or in the middle of a word."""
    if error.msg.startswith("Unterminated string"):
        return True
    rest = error.doc[error.pos :]
    return _BEGUN.match(rest) is not None or (error.msg.startswith("Invalid \\") and len(rest) <= 6)  # noqa: PLR2004 - \u1234


def listed(document: Any, name: str | None, title: str) -> list[Any]:
    """The list of postings in a document: the document itself, or its member `name`.

    Raises:
        FetchError: There is no list there.
    """
    found = document if name is None else document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise FetchError(Reason.NOT_A_LISTING, _no_listing(title))
    return found


def _no_listing(title: str) -> str:
    return (
        f"{title} answered with something that is not its list of jobs. Its jobs stay as they were; if this "
        "lasts, the board may have moved, or changed its format."
    )


def gather(items: Iterable[Any], posting: Callable[[Any], Posting | None]) -> Page:
    """Make postings of a listing's items.

    Args:
        items: As the board lists them.
        posting: Makes one; returns None for an item that is not published, raises `Odd` for a
            broken one.
    """
    found: dict[str, Posting] = {}
    unparsed: list[str] = []
    for number, item in enumerate(items, 1):
        try:
            made = posting(item)
        except Odd as odd:
            unparsed.append(f"Posting {number}{_called(item)} {odd}.")
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            unparsed.append(
                f"Posting {number}{_called(item)} is built unlike the others ({type(error).__name__})."
            )
        else:
            if made is not None:
                found.setdefault(made.source_job_id, made)
    return Page(postings=tuple(found.values()), unparsed=tuple(unparsed))


def folded(items: Iterable[Any], key: str) -> list[list[Any]]:
    """A listing's items, those of one posting together: some boards list it once for each of its places.

    Args:
        items: As the board lists them.
        key: The member that holds the posting's id.
    """
    found: dict[Any, list[Any]] = {}
    for number, item in enumerate(items):
        same = normalise.identifier(item.get(key)) if isinstance(item, dict) else ""
        found.setdefault(same or number, []).append(item)
    return list(found.values())


def detail_of(item: Any, posting: Callable[[Any], Posting | None], title: str) -> Posting:
    """The posting of an answer with the details of one.

    Args:
        item: The answer, parsed.
        posting: Makes the posting, as for `gather`.
        title: The kind of board, for the message.

    Raises:
        FetchError: It is no posting, or is published no more.
    """
    page = gather([item], posting)
    if page.postings:
        return page.postings[0]
    if page.unparsed:
        raise FetchError(
            Reason.UNPARSED, f"{title} answered with details that cannot be read. {page.unparsed[0]}"
        )
    raise FetchError(Reason.GONE, f"{title} says that the posting is not published any more.")


def _called(item: Any) -> str:
    if isinstance(item, list) and item:
        item = item[0]
    if isinstance(item, dict):
        for name in ("title", "text", "name", "jobOpeningName", "id"):
            words = line(item.get(name), 80) or (str(item[name]) if isinstance(item.get(name), int) else "")
            if words:
                return f" (“{words}”)"
    return ""


def required(value: str, what: str) -> str:
    """A value that a posting cannot be without.

    Raises:
        Odd: It is empty.
    """
    if not value:
        raise Odd(f"has no {what}")
    return value


_HOST_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
#: Hosts of every system that are its own and no company's.
_VENDORS = frozenset(
    {"www", "app", "api", "help", "support", "blog", "docs", "developer", "developers", "status"}
)


def tenant(url: SplitResult, domain: str, reserved: frozenset[str] = frozenset()) -> str:
    """The company whose host lies right below a domain: `acme` of acme.recruitee.com; empty if none does.

    Args:
        url: A public URL.
        domain: The system's domain.
        reserved: Names of its own hosts, besides those that every system has.
    """
    name, dot, rest = (url.hostname or "").partition(".")
    if not dot or rest != domain or not _HOST_LABEL.fullmatch(name) or name in _VENDORS | reserved:
        return ""
    return name


def path_of(url: SplitResult) -> list[str]:
    """The parts of a URL's path, decoded."""
    return [unquote(part) for part in url.path.split("/") if part]


def place(*parts: Any) -> str:
    """A place on one line, from the narrowest part to the widest: nothing empty, nothing said twice."""
    named = (normalise.line(part, 80) for part in parts)
    return ", ".join(dict.fromkeys(name for name in named if name))


def markup(value: Any) -> str:
    """The value where it is HTML, else nothing."""
    return value if isinstance(value, str) else ""


def sections(parts: Iterable[tuple[Any, Any]]) -> str:
    """One text out of headed parts: pairs of a heading, which may be empty, and HTML."""
    found = []
    for heading, content in parts:
        if isinstance(content, str) and content.strip():
            named = normalise.line(heading, 200)
            found.append(f"<h3>{escape(named, quote=False)}</h3>\n{content}" if named else content)
    return "\n".join(found)


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []

"""Kinds of board, one small module each."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qs, urlsplit

from scout.errors import ScoutError
from scout.fetch import FetchError, check
from scout.sources import about, registry
from scout.sources.board import Board, Kind

logger = logging.getLogger(__name__)

_FOUND = registry.find()
#: Every kind of board by its name, in the order in which they are asked about an address: the particular ones
#: first, those that take many an address last.
KINDS: Mapping[str, Kind] = MappingProxyType(dict(_FOUND.kinds))
#: The kinds of other packages that are left out, and why.
BROKEN: tuple[registry.Broken, ...] = _FOUND.broken

#: Kinds that read whatever is at an address: which one it is must be said, or found by a look at the page.
AT_ANY_ADDRESS = frozenset({"feed", "sitemap", "jobposting"})


def asked_at(kind: str, *, url: str, token: str) -> tuple[str, ...]:
    """The origins that a board is asked at; none where its kind is unknown.

    Args:
        kind: The name of its kind.
        url: The board's public page.
        token: How the kind names it.
    """
    known = KINDS.get(kind)
    return () if known is None else about.origins(known, url=url, token=token)


_UNDERSTOOD = (
    "What is understood: job-boards.greenhouse.io/COMPANY, jobs.lever.co/COMPANY (and jobs.eu.lever.co), "
    "jobs.ashbyhq.com/COMPANY, careers.smartrecruiters.com/COMPANY, COMPANY.wd5.myworkdayjobs.com/SITE, "
    "apply.workable.com/COMPANY, COMPANY.recruitee.com, COMPANY.teamtailor.com, COMPANY.bamboohr.com, "
    "COMPANY.jobs.personio.de, COMPANY.breezy.hr, COMPANY.pinpointhq.com, ats.rippling.com/COMPANY, "
    "comeet.com/jobs/COMPANY/NUMBER, one posting's page on any of them, the sites that `scout sources kinds` "
    "lists, and the address of an RSS, Atom or JSON feed or of a sitemap."
)


class UnknownBoard(ScoutError):  # noqa: N818 - it is shown by its text; callers ask for it by this name
    """An address is no board's that this program can read. The text lists what it can."""


def at(kind: str, url: str) -> Board:
    """The board at an address, read as one of the kinds that read whatever is there.

    Args:
        kind: One of `AT_ANY_ADDRESS`.
        url: The address; `https://` may be left out.

    Raises:
        UnknownBoard: There is no such kind, or the address is malformed.
    """
    if kind not in AT_ANY_ADDRESS:
        raise UnknownBoard(
            f"A board's kind is found by its address, except for {', '.join(sorted(AT_ANY_ADDRESS))}."
        )
    parts = urlsplit(_whole(url))
    address = parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), fragment="")
    page = address.geturl() if kind == "jobposting" else f"{address.scheme}://{address.netloc}/"
    return Board(kind=kind, token=address.geturl(), url=page)


def _whole(url: str) -> str:
    """An address with its scheme, checked."""
    url = url.strip()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)", url):
        url = f"https://{url.removeprefix('//')}"
    try:
        check(url)
    except FetchError as error:
        raise UnknownBoard(f"{error.text} {_UNDERSTOOD}") from error
    return url


def recognise(url: str) -> Board:
    """The board that an address belongs to.

    Args:
        url: The public page of a board or of one of its postings, its API's address, or a feed's;
            `https://` may be left out.

    Raises:
        UnknownBoard: It is none of them.
    """
    parts = urlsplit(_whole(url))
    for kind in KINDS.values():
        try:
            board = kind.recognise(parts)
        except ScoutError:
            raise
        except Exception:
            # Of another package, perhaps: its fault keeps nobody from adding other boards.
            logger.exception("The kind of board %s could not say whether an address is its own", kind.name)
            continue
        if board is not None:
            return board
    raise UnknownBoard(
        f"{parts.hostname} is no job board that can be read from its address alone. {_hint(parts)} "
        f"{_UNDERSTOOD}"
    )


#: What companies' own pages carry in their query when their jobs are on a board of one of these systems.
_MARKS = {
    "gh_jid": ("Greenhouse", "https://job-boards.greenhouse.io/"),
    "ashby_jid": ("Ashby", "https://jobs.ashbyhq.com/"),
    "lever-origin": ("Lever", "https://jobs.lever.co/"),
}


def _hint(url: SplitResult) -> str:
    """What to try next."""
    query = parse_qs(url.query)
    for mark, (title, start) in _MARKS.items():
        if mark in query:
            # acme of careers.acme.com: a guess, so it is the owner's to try.
            name = (url.hostname or "").removeprefix("www.").split(".")[-2:][0]
            return (
                f"The {mark} in it says that its jobs are on {title}, but not under which name. Often it is "
                f"the company's: try {start}{name}."
            )
    return (
        "If it is a company's own careers page, open one of its jobs: the page that takes the application is "
        "often the board's."
    )

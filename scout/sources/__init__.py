"""Kinds of board, one small module each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qs, urlsplit

from scout.errors import ScoutError
from scout.fetch import FetchError, check
from scout.sources.ashby import Ashby
from scout.sources.bamboohr import BambooHR
from scout.sources.board import Board, Kind
from scout.sources.breezy import Breezy
from scout.sources.comeet import Comeet
from scout.sources.feed import Feed
from scout.sources.greenhouse import Greenhouse
from scout.sources.lever import Lever
from scout.sources.personio import Personio
from scout.sources.pinpoint import Pinpoint
from scout.sources.recruitee import Recruitee
from scout.sources.rippling import Rippling
from scout.sources.smartrecruiters import SmartRecruiters
from scout.sources.teamtailor import Teamtailor
from scout.sources.workable import Workable
from scout.sources.workday import Workday

_KINDS: tuple[Kind, ...] = (
    Greenhouse(),
    Lever(),
    Ashby(),
    SmartRecruiters(),
    Workday(),
    Workable(),
    Recruitee(),
    Teamtailor(),
    BambooHR(),
    Personio(),
    Breezy(),
    Pinpoint(),
    Rippling(),
    Comeet(),
    Feed(),
)
#: Every kind of board by its name. The feed is last: it takes what looks like a feed and is no other's.
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _KINDS})

_UNDERSTOOD = (
    "What is understood: job-boards.greenhouse.io/COMPANY, jobs.lever.co/COMPANY (and jobs.eu.lever.co), "
    "jobs.ashbyhq.com/COMPANY, careers.smartrecruiters.com/COMPANY, COMPANY.wd5.myworkdayjobs.com/SITE, "
    "apply.workable.com/COMPANY, COMPANY.recruitee.com, COMPANY.teamtailor.com, COMPANY.bamboohr.com, "
    "COMPANY.jobs.personio.de, COMPANY.breezy.hr, COMPANY.pinpointhq.com, ats.rippling.com/COMPANY, "
    "comeet.com/jobs/COMPANY/NUMBER, one posting's page on any of them, and the address of an RSS, Atom or "
    "JSON feed."
)


class UnknownBoard(ScoutError):  # noqa: N818 - it is shown by its text; callers ask for it by this name
    """An address is no board's that this program can read. The text lists what it can."""


def recognise(url: str) -> Board:
    """The board that an address belongs to.

    Args:
        url: The public page of a board or of one of its postings, its API's address, or a feed's;
            `https://` may be left out.

    Raises:
        UnknownBoard: It is none of them.
    """
    url = url.strip()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)", url):
        url = f"https://{url.removeprefix('//')}"
    try:
        check(url)
    except FetchError as error:
        raise UnknownBoard(f"{error.text} {_UNDERSTOOD}") from error
    parts = urlsplit(url)
    for kind in KINDS.values():
        board = kind.recognise(parts)
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

"""Kinds of board, one small module each."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from scout.errors import ScoutError
from scout.fetch import FetchError, check
from scout.sources import registry
from scout.sources.board import Board, Kind

logger = logging.getLogger(__name__)

_FOUND = registry.find()
#: Every kind of board by its name, in the order in which they are asked about an address: the particular ones
#: first, those that take many an address last.
KINDS: Mapping[str, Kind] = MappingProxyType(dict(_FOUND.kinds))
#: The kinds of other packages that are left out, and why.
BROKEN: tuple[registry.Broken, ...] = _FOUND.broken

_UNDERSTOOD = (
    "What is understood: job-boards.greenhouse.io/COMPANY, jobs.lever.co/COMPANY (and jobs.eu.lever.co), "
    "jobs.ashbyhq.com/COMPANY, one posting's page on any of them, and the address of an RSS, Atom or JSON "
    "feed."
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
        f"{parts.hostname} is no job board that can be read from its address alone. If it is a company's "
        "own careers page, open one of its jobs: the page that takes the application is often the board's. "
        f"{_UNDERSTOOD}"
    )

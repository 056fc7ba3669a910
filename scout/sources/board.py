"""What a kind of board is: the one protocol behind which every source module stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable
from urllib.parse import SplitResult

from scout.fetch import Door
from scout.postings import Posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One board: which kind, and how that kind names it.

    Attributes:
        kind: The kind's name, such as `greenhouse`.
        token: How the kind names the board: a company's token, or the whole URL of a feed.
        company: The employer, or empty where the postings name theirs.
        url: The board's public page.
        title: What to call a board that is no single company's, or empty.
    """

    kind: str
    token: str
    company: str = ""
    url: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Postings of one answer of a board.

    Attributes:
        postings: What could be read.
        unparsed: Why each of the others could not, a sentence each.
        note: What the owner should know of a listing that was read all the same, in sentences, or empty.
    """

    postings: tuple[Posting, ...]
    unparsed: tuple[str, ...] = ()
    note: str = ""


@dataclass(slots=True, kw_only=True)
class Validators:
    """What is known of a board's answers of last time, by URL: what is the same need not be read again.

    Attributes:
        etags: Their ETag, for conditional requests (RFC 9110, section 13).
        modified: Their Last-Modified, likewise.
        bodies: Fingerprints of what they held, for the many boards that answer no conditional request.
    """

    etags: dict[str, str] = field(default_factory=dict)
    modified: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)


class NotModified(Exception):  # noqa: N818 - good news, not an error
    """The board answers that nothing changed since the validators were taken."""


class Kind(Protocol):
    """A kind of board. A module of `scout.sources` offers one, and `scout.sources.KINDS` lists them.

    Others are offered by installed packages: see `scout.sources.registry`. Beside what is required here, a
    kind may say more of itself: see `scout.sources.about`.

    Attributes:
        name: Short lower-case name, the `kind` label of metrics.
        title: Its name for people.
        origins: The origins (`https://boards-api.greenhouse.io`) that its requests go to. Where each board
            has a host of its own, a pattern for them (`https://*.recruitee.com`), and the origin of a board
            is that of its `url`. Empty when the token is the address.
        interval: The least time between two scans of one board that its operator asks for, or is polite.
        attribution: The words that its terms want shown beside its postings, or empty.
        terms: What its terms and robots file say of reading it by program, with the page's name.
        complete: Whether a whole listing names every open posting, so that absence means closed.
    """

    name: str
    title: str
    origins: tuple[str, ...]
    interval: dt.timedelta
    attribution: str
    terms: str
    complete: bool

    def recognise(self, url: SplitResult) -> Board | None:
        """The board that a public URL of it, or of one of its postings, belongs to; None if not this kind."""
        ...

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """Fetch and parse the board, answer by answer.

        A generator that ends without an exception has read the whole listing.

        Raises:
            NotModified: Nothing changed since `validators` were taken.
            FetchError: An answer could not be had or was no listing at all; earlier pages stay valid.
        """
        ...

    def parse(self, body: bytes, board: Board) -> Page:
        """The postings of one answer. Asks nobody and changes nothing: the same bytes give the same page.

        Raises:
            FetchError: The answer is no listing.
        """
        ...


@runtime_checkable
class Detailed(Protocol):
    """What a kind offers besides when its listing leaves the text out: one more request for each posting.

    A scan asks for the details of postings that are new or that changed in the listing, the best matches
    first, and for no more than `details` of them. Those that are left out are stored as the listing has them,
    and their turn comes with the next scans.

    Attributes:
        details: The most such requests in one scan.
    """

    details: int

    def detailed(self, posting: Posting, board: Board, door: Door) -> Posting:
        """The same posting with all that its own page says.

        Raises:
            FetchError: Its details could not be had, or were none.
        """
        ...

"""What a kind of board is to the simulator: where it is asked, how much it gives, and in which shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from demo.openings import Opening, mix

JSON = "application/json; charset=utf-8"
RSS = "application/rss+xml; charset=utf-8"
ATOM = "application/atom+xml; charset=utf-8"
XML = "application/xml; charset=utf-8"
HTML = "text/html; charset=utf-8"

as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
#: Numbers of ten digits: a number below M is spread over them by a factor that shares no divisor with it.
_SPREAD, _RANGE = 7_654_321_987, 9_000_000_000


class Board(NamedTuple):
    """One board.

    Attributes:
        kind: Its kind, one of `demo.kinds.KINDS`.
        token: How the simulator tells it from others of its kind.
        company: The employer, or empty for a site that gathers many companies' jobs.
        url: The public address that a person would paste.
    """

    kind: str
    token: str
    company: str
    url: str

    @property
    def key(self) -> str:
        """The board's name in the control paths and in the state, such as `greenhouse/latchway-demo`."""
        return f"{self.kind}/{self.token}"


class Ask(NamedTuple):
    """What is asked of a board.

    Attributes:
        what: Which of the kind's answers, where it has several; empty is the list of postings.
        full: Whether the list is to have what it has on request only: Greenhouse's text, Ashby's pay.
        skip: How many postings to leave out at the beginning.
        limit: How many to give at most.
        job: The id of the one that is asked for; then nothing else counts.
    """

    what: str = ""
    full: bool = True
    skip: int = 0
    limit: int | None = None
    job: str = ""

    @classmethod
    def page(cls, number: int, size: int) -> Ask:
        """The page with this number, from 0."""
        return cls(skip=number * size, limit=size)


class Kind:
    """A kind of board. Each of them says what differs.

    Attributes:
        name: Its name, as the scout has it.
        origins: The origins that it plays, or patterns for them (`https://*.recruitee.com`).
        routes: Patterns of what it is asked, as host and path; the host may be missing where paths are its
            own. Groups may name the `token` and the `job`, and `what` else is asked.
        tokens: The boards that there are of it, for a kind that gathers; empty for employers' kinds.
        remote: Whether it lists remote work only.
        page: How many postings its readers ask for at a time; None: all.
        detailed: Whether its readers ask for each posting.
        validators: Whether its answers carry an ETag.
        slugged: Whether ids hold words of the posting.
        content_type: Of its answers.
        between: What stands between two postings of a list.
    """

    name = ""
    origins: tuple[str, ...] = ()
    routes: tuple[re.Pattern[str], ...] = ()
    tokens: tuple[str, ...] = ()
    remote = False
    page: int | None = None
    detailed = False
    validators = True
    slugged = False
    content_type = JSON
    between = ","

    def board(self, token: str, company: str) -> Board:
        """The board with a token; `company` is its employer, or empty."""
        raise NotImplementedError

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """What a request asks that names no job.

        Args:
            what: Of the route.
            query: Of the address.
            document: What was sent as JSON.
        """
        del query, document
        return Ask(what)

    def refusal(self, query: Mapping[str, str], headers: Mapping[str, str]) -> int:
        """The status with which a request is refused that lacks a key, else 0; headers by lower-case name."""
        del query, headers
        return 0

    def reads(self, total: int) -> Iterator[Ask]:
        """The lists that a reader asks for, of so many postings."""
        if self.page is None:
            yield Ask()
            return
        for number in range(max(1, -(-total // self.page))):
            yield Ask.page(number, self.page)

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """The id under which the board lists a posting.

        Args:
            board: The board.
            key: The posting's 64 bits.
            number: Its small number, unique on its board.
            slug: The words of its address; only where `slugged`.
        """
        del key, slug
        return str(long_number(board, number))

    def asked_by(self, board: Board, key: int, number: int) -> str:
        """What the `job` of a route is, for a posting: its id, unless that is an address."""
        return self.id(board, key, number, "")

    def id_of(self, board: Board, made: Opening) -> str:
        """The id of a posting."""
        return self.id(board, made.key, made.number, made.slug)

    def link(self, board: Board, made: Opening) -> str:
        """The public address of a posting."""
        raise NotImplementedError

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """What stands before and after the postings of an answer; `total` is how many there are in all."""
        del board, ask, total
        return "[", "]"

    def item(self, board: Board, made: Opening, ask: Ask) -> str:
        """One posting in the list."""
        return as_json(self.fields(board, made, ask))

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One posting in the list, before it is JSON."""
        raise NotImplementedError

    def alone(self, board: Board, made: Opening) -> str:
        """One posting that is asked for by its id."""
        return self.item(board, made, Ask(job=self.id_of(board, made)))

    def type_of(self, board: Board, ask: Ask) -> str:
        """The Content-Type of an answer."""
        del board, ask
        return self.content_type

    def empty(self, board: Board) -> str:
        """A list without postings."""
        return "".join(self.frame(board, Ask(), 0))


def long_number(board: Board, number: int) -> int:
    """A number of ten digits for a posting's small one: the token moves each board to numbers of its own."""
    return 1_000_000_000 + (mix(*board.token.encode()) + number * _SPREAD) % _RANGE


def spread(key: int) -> int:
    """A number of ten digits that stands for 64 bits."""
    return 1_000_000_000 + key % _RANGE


def routes(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Patterns as `Kind.routes` has them."""
    return tuple(re.compile(pattern) for pattern in patterns)


def whole(text: str | None, default: int, most: int) -> int:
    """A number of a query, from 0 to `most`."""
    # `int` takes no more than 4,300 digits.
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004 - digits
        return default
    return min(int(text), most)


def several(values: Sequence[str]) -> str:
    """JSON values, one after the other."""
    return ",".join(values)

"""The boards of the simulated world, and the origins that it plays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from demo.words import COMPANIES, FIRST_NAMES, LAST_NAMES, PLACES, Company

#: The origins that one simulator plays, told apart by path.
ORIGINS = (
    "https://boards-api.greenhouse.io",
    "https://api.lever.co",
    "https://api.ashbyhq.com",
    "https://weworkremotely.com",
)


class Board(NamedTuple):
    """One board.

    Attributes:
        kind: `greenhouse`, `lever`, `ashby` or `feed` (RSS).
        token: How the kind names the board; for `feed` the whole address of the feed.
        company: The employer, or empty for a feed, whose postings name theirs.
        url: The public page that a person would paste.
    """

    kind: str
    token: str
    company: str
    url: str

    @property
    def key(self) -> str:
        """The board's name in the control paths and in the state, such as `greenhouse/latchway-demo`."""
        name = self.token.rpartition("/")[2].removesuffix(".rss") if self.kind == "feed" else self.token
        return f"{self.kind}/{name}"


_PAGES = {
    "greenhouse": "https://boards.greenhouse.io/{}",
    "lever": "https://jobs.lever.co/{}",
    "ashby": "https://jobs.ashbyhq.com/{}",
}


def _board(kind: str, token: str, company: str) -> Board:
    return Board(kind, token, company, _PAGES[kind].format(token))


def _feed(url: str) -> Board:
    return Board("feed", url, "", url)


#: The boards of the demo, in the order in which `scout demo` adds them. The tokens end in `-demo`, so that
#: none is ever the token of a real company.
BOARDS: tuple[Board, ...] = (
    _board("greenhouse", "latchway-demo", "Latchway"),
    _board("lever", "nordlicht-demo", "Nordlicht Bank"),
    _board("ashby", "tessellate-demo", "Tessellate Cloud"),
    _board("greenhouse", "harborline-demo", "Harborline Freight"),
    _board("lever", "marisol-demo", "Marisol Therapeutics"),
    _board("ashby", "pixelgrove-demo", "Pixelgrove Games"),
    _board("greenhouse", "calderwren-demo", "Calder Wren Health"),
    _board("lever", "fjordvik-demo", "Fjordvik Energi"),
    _board("ashby", "bramble-demo", "Bramble Cover"),
    _board("greenhouse", "ironbark-demo", "Ironbark Rail"),
    _feed("https://weworkremotely.com/remote-jobs.rss"),
    _feed("https://weworkremotely.com/categories/remote-devops-sysadmin-jobs.rss"),
)

_BY_NAME = {company.name: company for company in COMPANIES}


def boards(count: int = len(BOARDS), kinds: Sequence[str] = ()) -> tuple[Board, ...]:
    """The first `count` boards: those of the demo, and beyond them invented ones without end.

    Args:
        count: How many.
        kinds: Of these kinds in turn, and all of them invented; unless told, as the demo has them.
    """
    known = () if kinds else BOARDS[:count]
    kinds = kinds or ("greenhouse", "lever", "ashby")
    further = []
    for number in range(count - len(known)):
        first = FIRST_NAMES[number % len(FIRST_NAMES)]
        last = LAST_NAMES[number // len(FIRST_NAMES) % len(LAST_NAMES)]
        token = f"{first}{last}-{number}-demo".lower()
        further.append(_board(kinds[number % len(kinds)], token, f"{first} {last}"))
    return (*known, *further)


def company_of(board: Board, number: int) -> Company | None:
    """What the employer says of itself; None for a feed. `number` is the board's place in the list."""
    if not board.company:
        return None
    known = _BY_NAME.get(board.company)
    if known is not None:
        return known
    return Company(
        name=board.company,
        about=(
            f"{board.company} does one thing for many customers, and does it in the open.",
            "We are a few hundred people, and most of us have met.",
            "We have been profitable since our fourth year, and intend to stay so.",
        ),
        people="customers",
        cities=tuple(PLACES[(number * 7 + step * 5) % len(PLACES)].city for step in range(4)),
    )


def overrides(base_url: str) -> str:
    """The value for SCOUT_ORIGIN_OVERRIDES that sends every origin of `ORIGINS` to a simulator.

    Args:
        base_url: Where the simulator listens, such as `http://127.0.0.1:8800`.
    """
    base = base_url.rstrip("/")
    return ",".join(f"{origin}={base}" for origin in ORIGINS)

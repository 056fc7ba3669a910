"""The boards of the simulated world, and the origins that it plays."""

from __future__ import annotations

from collections.abc import Sequence

from demo.kinds import EMPLOYERS, KINDS, Board
from demo.words import COMPANIES, FIRST_NAMES, LAST_NAMES, PLACES, Company

__all__ = ["BOARDS", "EMPLOYERS", "ORIGINS", "Board", "UnknownKindError", "boards", "overrides"]

#: The origins that one simulator plays, told apart by path and by the host that was meant.
ORIGINS = tuple(dict.fromkeys(origin for kind in KINDS.values() for origin in kind.origins))


class UnknownKindError(ValueError):
    """A kind of which no boards can be invented. Its text says what there is."""


#: The boards of the demo, in the order in which `scout demo` adds them. The tokens of employers end in
#: `-demo`, so that none is ever the token of a real company.
BOARDS: tuple[Board, ...] = tuple(
    KINDS[kind].board(token, company)
    for kind, token, company in (
        ("greenhouse", "latchway-demo", "Latchway"),
        ("lever", "nordlicht-demo", "Nordlicht Bank"),
        ("ashby", "tessellate-demo", "Tessellate Cloud"),
        ("smartrecruiters", "harborline-demo", "Harborline Freight"),
        ("workday", "marisol-demo", "Marisol Therapeutics"),
        ("workable", "pixelgrove-demo", "Pixelgrove Games"),
        ("recruitee", "calderwren-demo", "Calder Wren Health"),
        ("teamtailor", "fjordvik-demo", "Fjordvik Energi"),
        ("personio", "bramble-demo", "Bramble Cover"),
        ("greenhouse", "ironbark-demo", "Ironbark Rail"),
        ("weworkremotely", "remote-jobs", ""),
        ("hackernews", "whoishiring", ""),
        ("himalayas", "all", ""),
        ("feed", "quillmark-demo", "Quillmark Press"),
    )
)

_BY_NAME = {company.name: company for company in COMPANIES}


def boards(count: int = len(BOARDS), kinds: Sequence[str] = ()) -> tuple[Board, ...]:
    """The first `count` boards: those of the demo, and beyond them invented ones without end.

    Args:
        count: How many.
        kinds: Of these kinds in turn, and all of them invented; unless told, as the demo has them. Of a kind
            that gathers there are only so many boards; then the others have their turn.

    Raises:
        UnknownKindError: One of the kinds is none, or there cannot be so many boards of them.
    """
    known = () if kinds else BOARDS[:count]
    kinds = kinds or ("greenhouse", "lever", "ashby")
    for name in kinds:
        if name not in KINDS:
            raise UnknownKindError(f"{name!r} is no kind of board. There are {', '.join(KINDS)}.")
    left = {name: list(KINDS[name].tokens) for name in kinds if KINDS[name].tokens}
    further: list[Board] = []
    number = 0
    while len(known) + len(further) < count:
        kind = KINDS[kinds[number % len(kinds)]]
        if not kind.tokens:
            first = FIRST_NAMES[number % len(FIRST_NAMES)]
            last = LAST_NAMES[number // len(FIRST_NAMES) % len(LAST_NAMES)]
            further.append(kind.board(f"{first}{last}-{number}-demo".lower(), f"{first} {last}"))
        elif left[kind.name]:
            further.append(kind.board(left[kind.name].pop(0), ""))
        number += 1
        if number > count * len(kinds) + len(kinds) * 2:
            raise UnknownKindError(
                f"There are only {len(further)} boards of {', '.join(kinds)}. Name an employers' kind too: "
                f"{', '.join(EMPLOYERS)}."
            )
    return (*known, *further)


def company_of(board: Board, number: int) -> Company | None:
    """What the employer says of itself; None for a site of many. `number` is the board's place in it."""
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

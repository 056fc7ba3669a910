"""The first run: whether it is still to be shown, and the boards that it offers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scout import clock
from scout.models import Setup, Source
from scout.sources import KINDS, starter
from scout.sources.board import Board


@dataclass(frozen=True, slots=True)
class Offer:
    """A board of the starter list.

    Attributes:
        key: What tells it from the others: its kind and token.
        board: The board.
        name: What to call it.
        slug: Of the source, where it is watched; else empty.
    """

    key: str
    board: Board
    name: str
    slug: str


def is_wanted(session: Session) -> bool:
    """Whether the first run was neither finished nor left out yet."""
    return session.scalar(select(Setup.welcomed_at)) is None


def over(session: Session) -> None:
    """Never show the first run again. Doing so twice, or from two windows at once, does no harm."""
    chosen = session.get(Setup, 1)
    if chosen is None:
        try:
            with session.begin_nested():
                session.add(Setup(id=1, welcomed_at=clock.now()))
        except IntegrityError:
            over(session)
    elif chosen.welcomed_at is None:
        chosen.welcomed_at = clock.now()


def offers(session: Session) -> dict[str, list[Offer]]:
    """The starter boards, grouped by the names of their kinds for people."""
    watched = {
        (row.kind, row.token): row.slug
        for row in session.execute(select(Source.kind, Source.token, Source.slug))
    }
    grouped: dict[str, list[Offer]] = {}
    for board in starter.boards():
        offer = Offer(
            f"{board.kind}/{board.token}",
            board,
            board.company or board.title or board.token,
            watched.get((board.kind, board.token), ""),
        )
        title = "Boards of many companies" if not board.company else KINDS[board.kind].title
        grouped.setdefault(title, []).append(offer)
    return grouped

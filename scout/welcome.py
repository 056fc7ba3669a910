"""The first run: whether it is still to be shown, and the boards that it offers."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scout import adding, clock, lists, runs, watchlist
from scout.adding import Line
from scout.database import Database
from scout.models import RunTrigger, ScanRun, Setup, Source
from scout.queue import Scans
from scout.settings import Settings
from scout.sources import KINDS, starter
from scout.sources.about import about
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
        kind = KINDS[board.kind]
        title = "Boards of many companies" if about(kind).gathers else kind.title
        grouped.setdefault(title, []).append(offer)
    return grouped


@dataclass(frozen=True, slots=True)
class Begun:
    """What came of the first choices.

    Attributes:
        report: What became of each address that was pasted.
        run_id: The scan to watch: the one that was asked for, or the one that goes on; None if there is none.
    """

    report: tuple[Line, ...]
    run_id: int | None


def begin(
    db: Database,
    queue: Scans,
    settings: Settings,
    *,
    keys: Collection[str],
    pasted: str = "",
) -> Begun:
    """Watch the boards of the starter list that were chosen, and those of pasted addresses, and scan them.

    Starter boards that are watched already and were not chosen are watched no longer. Those that were scanned
    before are not asked again.

    Args:
        db: The database.
        queue: The queue of scans.
        settings: The settings.
        keys: `Offer.key` of the starter boards that were chosen.
        pasted: Addresses of more boards, one a line.
    """
    with db.session() as session:
        for offer in itertools.chain.from_iterable(offers(session).values()):
            if offer.key in keys and not offer.slug:
                watchlist.add(session, offer.board)
            elif offer.key not in keys and offer.slug:
                watchlist.remove(session, offer.slug)
    entries = lists.entries(pasted)[: adding.MOST] if pasted.strip() else []
    report = adding.add(db, settings, entries)
    with db.reading() as session:
        never = session.scalars(
            select(Source.slug).where(Source.last_scan_at.is_(None), Source.paused.is_(False))
        ).all()
        newest = session.scalar(select(func.max(ScanRun.id)))
    run_id = runs.request(db, queue, trigger=RunTrigger.FIRST, slugs=never) if never else newest
    return Begun(tuple(report), run_id)

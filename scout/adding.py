"""Adding boards by pasted addresses, one a line: each by itself: one that fails keeps no other away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scout import lists, sources, watchlist
from scout.database import Database
from scout.errors import ScoutError
from scout.settings import Settings
from scout.sources.about import off
from scout.sources.board import Board

#: Addresses that are taken at once.
MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of one address.

    Attributes:
        line: Where it stood, from 1.
        address: As written.
        slug: Of the source that it is watched as now; empty if it is not.
        added: Whether it was not watched before.
        said: What became of it, in a sentence.
    """

    line: int
    address: str
    slug: str = ""
    added: bool = False
    said: str = ""


def add(db: Database, settings: Settings, entries: Sequence[lists.Entry]) -> list[Line]:
    """Watch the boards at addresses. Nothing is scanned yet.

    Args:
        db: The database.
        settings: Say which kinds are off.
        entries: The addresses, as `scout.lists.entries` reads them.
    """
    return [_added(db, settings, entry) for entry in entries]


def _added(db: Database, settings: Settings, entry: lists.Entry) -> Line:
    try:
        board = sources.recognise(entry.address)
    except ScoutError as error:
        return Line(line=entry.line, address=entry.address, said=str(error))
    return watch(db, settings, board, entry)


def watch(db: Database, settings: Settings, board: Board, entry: lists.Entry) -> Line:
    """Watch one board by itself, and say what became of it."""
    try:
        with db.session() as session:
            source = watchlist.add(session, board, entry.name)
            slug, name = source.slug, source.name
    except watchlist.AlreadyWatched as already:
        return Line(
            line=entry.line,
            address=entry.address,
            slug=already.slug,
            said=f"It is watched already, as {already.slug}.",
        )
    why_off = off(sources.KINDS[board.kind], settings)
    said = f"{name} is watched now." + (f" {why_off}" if why_off else "")
    return Line(line=entry.line, address=entry.address, slug=slug, added=True, said=said)

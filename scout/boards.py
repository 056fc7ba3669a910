"""Many boards: found by name, kind and health, in an order, a page at a time, and changed many at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    and_,
    case,
    func,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from scout import clock, watchlist
from scout.leases import changed
from scout.models import Listing, ScanResult, ScanState, Source
from scout.watchlist import Health

Order = Literal["health", "name", "success", "next", "jobs"]

#: What needs a look comes first.
HEALTHS: tuple[Health, ...] = ("failing", "partial", "new", "ok", "paused")
ORDERS: tuple[Order, ...] = get_args(Order)
#: Boards of a page.
PAGE = 50
#: Scans of a board whose yield a row of the list shows.
YIELDS = 16
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FAR_AHEAD = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardQuery:
    """Which boards, in which order.

    Attributes:
        text: Words that its name, slug or address holds, all of them.
        health: One of HEALTHS, or empty for any.
        kind: A kind's name, or empty for any.
        order: By what: `health` (what needs a look first), `name`, `success` (longest without first), `next`
            (due first) or `jobs` (most first).
        after: The slug of the board before the first, or empty to begin at the beginning.
        starts: Only those whose name comes at or after this letter, by name.
        limit: How many at the most; 0 for all.
    """

    text: str = ""
    health: Health | Literal[""] = ""
    kind: str = ""
    order: Order = "health"
    after: str = ""
    starts: str = ""
    limit: int = PAGE


@dataclass(frozen=True, slots=True)
class Found:
    """Boards that were asked for.

    Attributes:
        boards: Those of the page.
        total: How many there are on all pages.
        next: What to ask for as `after` to see the next page; empty on the last.
    """

    boards: list[Source]
    total: int
    next: str


@dataclass(frozen=True, slots=True)
class Yield:
    """What one scan of a board came to.

    Attributes:
        state: How it ended.
        seen: Postings seen; None where it failed, which tells nothing of how many there are.
        new: Postings seen for the first time.
        at: When it ended.
    """

    state: ScanState
    seen: int | None
    new: int
    at: dt.datetime


def find(session: Session, query: BoardQuery) -> Found:
    """The boards of a page."""
    wanted = _wanted(query)
    total = session.scalar(select(func.count()).select_from(Source).where(*wanted)) or 0
    keys = _keys(query.order)
    statement = select(Source).where(*wanted).order_by(*keys)
    if query.after:
        # Where the last page ended: by what it was ordered by, not by how many there were before.
        last = session.execute(select(*keys).where(Source.slug == query.after)).one_or_none()
        if last is not None:
            statement = statement.where(tuple_(*keys) > tuple_(*last))
    if query.limit:
        statement = statement.limit(query.limit + 1)
    found = list(session.scalars(statement))
    more = bool(query.limit) and len(found) > query.limit
    page = found[: query.limit] if more else found
    return Found(page, total, page[-1].slug if more else "")


def slugs(session: Session, query: BoardQuery) -> list[str]:
    """The slugs of all boards that are asked for, whichever the page."""
    return list(session.scalars(select(Source.slug).where(*_wanted(query)).order_by(Source.id)))


def healths(session: Session) -> dict[Health, int]:
    """How many boards are of each health."""
    rank = _rank()
    counted = dict(session.execute(select(rank, func.count()).group_by(rank)).all())
    return {health: counted.get(place, 0) for place, health in enumerate(HEALTHS)}


def kinds(session: Session) -> dict[str, int]:
    """How many boards are of each kind."""
    counted = select(Source.kind, func.count()).group_by(Source.kind).order_by(Source.kind)
    return dict(session.execute(counted).all())


def letters(session: Session) -> list[str]:
    """The letters, upper-case, that names of boards begin with, in order; `#` for what is no Latin letter."""
    first = func.upper(func.substr(Source.name, 1, 1))
    found = set(session.scalars(select(first).distinct()))
    plain = sorted(each for each in found if each.isascii() and each.isalpha())
    return [*(["#"] if len(plain) < len(found) else []), *plain]


def yields(session: Session, source_ids: Sequence[int], most: int = YIELDS) -> dict[int, list[Yield]]:
    """What the last scans of boards came to, oldest first, by the boards' ids."""
    if not source_ids:
        return {}
    # A short walk along an index for each, in one statement: ranking all that were ever made is long.
    each = [
        select(
            select(
                ScanResult.id,
                ScanResult.source_id,
                ScanResult.state,
                ScanResult.seen,
                ScanResult.new,
                ScanResult.finished_at,
            )
            .where(ScanResult.source_id == source_id, ScanResult.finished_at.is_not(None))
            .order_by(ScanResult.id.desc())
            .limit(most)
            .subquery()
        )
        for source_id in source_ids
    ]
    found: dict[int, list[Yield]] = {source_id: [] for source_id in source_ids}
    rows = session.execute(union_all(*each) if len(each) > 1 else each[0]).all()
    for row in sorted(rows, key=lambda row: row[0]):
        whole = row[2] in {ScanState.SUCCEEDED, ScanState.PARTIAL}
        found[row[1]].append(Yield(row[2], row[3] if whole else None, row[4], row[5]))
    return found


def open_jobs(session: Session, source_ids: Sequence[int]) -> dict[int, int]:
    """How many open postings boards list."""
    counted = (
        select(Listing.source_id, func.count())
        .where(Listing.source_id.in_(source_ids), Listing.closed_at.is_(None))
        .group_by(Listing.source_id)
    )
    return dict(session.execute(counted).all())


# --- Many at once -----------------------------------------------------------------------------------------


def pause(session: Session, wanted: Sequence[str]) -> list[str]:
    """Pause boards; the slugs of those that were not paused before. Unknown ones are left out."""
    return _set(session, wanted, was=False, values={"paused": True})


def resume(session: Session, wanted: Sequence[str]) -> list[str]:
    """Resume boards; the slugs of those that were paused before. Unknown ones are left out."""
    values = {"paused": False, "next_scan_at": clock.now(), "next_scan_why": "resumed"}
    return _set(session, wanted, was=True, values=values)


def _set(session: Session, wanted: Sequence[str], *, was: bool, values: Mapping[str, Any]) -> list[str]:
    affected = select(Source.slug).where(Source.paused.is_(was), Source.slug.in_(wanted))
    these = list(session.scalars(affected.with_for_update()))
    if these:
        changed(session, update(Source).where(Source.slug.in_(these)).values(**values))
    return these


def remove(session: Session, wanted: Sequence[str]) -> list[str]:
    """Watch boards no longer, as `scout.watchlist.remove`; the slugs of those that were watched."""
    removed = []
    for slug in wanted:
        try:
            watchlist.remove(session, slug)
        except watchlist.UnknownSource:
            continue
        removed.append(slug)
    return removed


# --- What is asked of the database ------------------------------------------------------------------------


def _rank() -> ColumnElement[int]:
    """The place of a board's health in HEALTHS: `scout.watchlist.health`, for a database."""
    last = Source.last_state
    place = {health: number for number, health in enumerate(HEALTHS)}
    return case(
        (Source.paused, place["paused"]),
        (last == ScanState.FAILED, place["failing"]),
        (
            or_(last == ScanState.PARTIAL, and_(last == ScanState.SUCCEEDED, Source.suspicious)),
            place["partial"],
        ),
        (last == ScanState.SUCCEEDED, place["ok"]),
        else_=place["new"],
    )


def _wanted(query: BoardQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    for word in query.text.lower().split():
        told = (func.lower(Source.name), Source.slug, func.lower(Source.url))
        wanted.append(or_(*(each.contains(word, autoescape=True) for each in told)))
    if query.health:
        wanted.append(_rank() == HEALTHS.index(query.health))
    if query.kind:
        wanted.append(Source.kind == query.kind)
    if query.starts:
        wanted.append(func.lower(Source.name) >= query.starts.lower())
    return wanted


def _keys(order: Order) -> tuple[SQLColumnExpression[Any], ...]:
    """What a board's place in an order follows from, each ascending; the last tells any two apart."""
    name = func.lower(Source.name)
    match order:
        case "name":
            return name, Source.id
        case "success":
            return func.coalesce(Source.last_success_at, _LONG_AGO), name, Source.id
        case "next":
            paused = case((Source.paused, 1), else_=0)
            return paused, func.coalesce(Source.next_scan_at, _FAR_AHEAD), name, Source.id
        case "jobs":
            listed = select(func.count()).where(Listing.source_id == Source.id, Listing.closed_at.is_(None))
            return -listed.correlate(Source).scalar_subquery(), name, Source.id
        case "health":
            return _rank(), name, Source.id

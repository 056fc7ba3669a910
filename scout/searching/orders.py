"""Orders of a list, and a page of it from any place on.

A list is one or several stretches, one after the other, each ordered by one column that is never null in it
and then by id, the highest first. So each is read from an index, on every database, and begins anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from scout.models import Job
from scout.searching.conditions import Sought
from scout.searching.cursors import Cursor

#: Jobs that are tried first, where many have the words, and of them at once: each takes some microseconds.
_TRIED = 600
_AT_ONCE = 100
#: Where a smaller share of those have the words, PostgreSQL looks up all that have them and puts them in
#: order; SQLite would read whole rows for that.
_SELDOM = 0.02

Sort = Literal["newest", "score", "posted", "salary", "relevance"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a list: the jobs that a condition fits, by a column, or by ids alone."""

    condition: ColumnElement[bool] | None
    key: InstrumentedAttribute[Any] | None


def stretches(sort: Sort, sought: Sought, in_titles: str) -> list[Stretch]:
    """The stretches of a list in this order.

    Args:
        sort: The order.
        sought: What the list holds.
        in_titles: What to look for in the index of words for hits in titles; empty where there are none.
    """
    match sort:
        case "newest":
            return [Stretch(None, Job.first_seen_at)]
        case "score":
            return [Stretch(None, Job.score)]
        case "posted":
            return [
                Stretch(Job.posted_at.is_not(None), Job.posted_at),
                Stretch(Job.posted_at.is_(None), None),
            ]
        case "salary":
            return [
                Stretch(Job.pay_yearly.is_not(None), Job.pay_yearly),
                Stretch(Job.pay_yearly.is_(None), None),
            ]
        case "relevance":
            if not in_titles:
                return [Stretch(None, Job.score)]
            hits = sought.hits(in_titles)
            return [Stretch((Job.id + 0).in_(hits), Job.score), Stretch((Job.id + 0).not_in(hits), Job.score)]


def ordered(
    stretch: Stretch, where: Sequence[ColumnElement[bool]], *, walked: bool, up: bool = False
) -> Select[Any]:
    """A statement for the ids, and the keys, of a stretch's jobs.

    Args:
        stretch: The stretch.
        where: The conditions of the list.
        walked: Whether to go through the stretch in its order, which is quick where many jobs fit, rather
            than to gather what fits and put that in order.
        up: Whether from its end on.
    """
    keys: list[Any] = [Job.id] if stretch.key is None else [stretch.key, Job.id]
    # No index is in the order of an expression, so none is walked through for it.
    by = keys if walked else [func.coalesce(key, key) for key in keys]
    statement = select(Job.id, *(key.label("key") for key in keys[:-1])).where(*where)
    if stretch.condition is not None:
        statement = statement.where(stretch.condition)
    return statement.order_by(*(each.asc() if up else each.desc() for each in by))


def past(stretch: Stretch, cursor: Cursor, *, up: bool) -> ColumnElement[bool] | None:
    """What holds of a stretch's jobs behind a cursor, or before it; None where the cursor is none of it."""
    if stretch.key is None:
        return (Job.id > cursor.job_id) if up else (Job.id < cursor.job_id)
    if cursor.key is None or isinstance(cursor.key, int) is not (stretch.key.type.python_type is int):
        return None
    here, there = (
        tuple_(stretch.key, Job.id),
        tuple_(cursor.key, cursor.job_id, types=[stretch.key.type, Job.id.type]),
    )
    return here > there if up else here < there


def page(
    session: Session,
    parts: Sequence[Stretch],
    where: Sequence[ColumnElement[bool]],
    cursor: Cursor | None,
    *,
    most: int,
    walked: bool,
    up: bool,
) -> list[tuple[int, Row[Any]]]:
    """The stretch, id and key of each job of a page, in the order of the list.

    Args:
        session: A session.
        parts: The list's stretches.
        where: The conditions of the list.
        cursor: Where the page begins, or with `up` ends; None is the list's beginning or end.
        most: Jobs at the most.
        walked: As in `ordered`.
        up: Whether to go back from the cursor.
    """
    found: list[tuple[int, Row[Any]]] = []
    numbers = range(len(parts))
    for number in reversed(numbers) if up else numbers:
        stretch, conditions = parts[number], list(where)
        if cursor is not None:
            if (number > cursor.stretch) if up else (number < cursor.stretch):
                continue
            if number == cursor.stretch:
                behind = past(stretch, cursor, up=up)
                if behind is not None:
                    conditions.append(behind)
        statement = ordered(stretch, conditions, walked=walked, up=up).limit(most - len(found))
        found += [(number, row) for row in session.execute(statement)]
        if len(found) >= most:
            break
    return found[::-1] if up else found


def walked(
    session: Session,
    parts: Sequence[Stretch],
    sought: Sought,
    cursor: Cursor | None,
    *,
    most: int,
    up: bool,
) -> list[tuple[int, Row[Any]]]:
    """The same for a list of many jobs: gone through in its order.

    What is asked for by words is mostly found among the first jobs without regard to them: those are looked
    at first, before all jobs with the words are put together.
    """
    gone_through = True
    if sought.words or sought.without:
        first = page(session, parts, sought.others, cursor, most=_TRIED, walked=True, up=up)
        found, tried = _fitting(session, sought, first[::-1] if up else first, most)
        if len(found) >= most or len(first) < _TRIED:
            return found[::-1] if up else found
        gone_through = not sought.postgres or len(found) > tried * _SELDOM
    where = sought.where(walked=gone_through)
    return page(session, parts, where, cursor, most=most, walked=gone_through, up=up)


def _fitting(
    session: Session, sought: Sought, first: Sequence[tuple[int, Row[Any]]], most: int
) -> tuple[list[tuple[int, Row[Any]]], int]:
    """Those of the first jobs of a list that have the words, and how many were tried.

    It ends early where so few of them have the words that they will not make up a page.
    """
    found: list[tuple[int, Row[Any]]] = []
    tried = 0
    for start in range(0, len(first), _AT_ONCE):
        some = first[start : start + _AT_ONCE]
        there = sought.among(session, [row.id for _, row in some])
        found += [each for each in some if each[1].id in there]
        tried += len(some)
        hopeless = len(first) == _TRIED and len(found) * _TRIED < most * start
        if len(found) >= most or hopeless:
            break
    return found[:most], tried

"""How many jobs a search finds: exactly where that is quick, else at least so many."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from scout.database import may_write
from scout.models import Job, Status
from scout.searching.conditions import Sought

#: Past this many they are not counted: nobody reads them all, and "10,000+" says as much.
MOST_COUNTED = 10_000
_KEPT = "scout_counts_by_status"


@dataclass(frozen=True, slots=True)
class Count:
    """How many: exactly, or with `more` at least so many.

    Attributes:
        number: The number.
        more: Whether there are more.
        walked: Whether so many fit that a page is found quickest by going through the list in its order.
    """

    number: int
    more: bool = False
    walked: bool = False


def count(session: Session, sought: Sought) -> Count:
    """How many jobs are sought."""
    many = bool(sought.words) and _up_to(session, sought.hits()) > MOST_COUNTED
    if sought.words and not sought.others:
        number = MOST_COUNTED + 1 if many else _up_to(session, sought.hits())
    else:
        walked = many or not sought.words
        number = _up_to(session, select(Job.id).where(*sought.where(walked=walked)))
    more = number > MOST_COUNTED
    return Count(min(number, MOST_COUNTED), more=more, walked=more or many)


def _up_to(session: Session, statement: Select[int]) -> int:
    some = statement.limit(MOST_COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def by_status(session: Session) -> dict[Status, int]:
    """How many jobs have each status; every status is there, with 0 where no job has it.

    Kept with the connection for as long as nothing in the database has changed, which the database itself
    tells for next to nothing.
    """
    connection = session.connection()
    version = None if may_write(session) else _version(session)
    kept = connection.info.get(_KEPT)
    if version is not None and kept is not None and kept[0] == version:
        return dict(kept[1])
    counts = dict.fromkeys(Status, 0)
    for status, number in session.execute(select(Job.status, func.count()).group_by(Job.status)):
        counts[status] = number
    if version is not None:
        connection.info[_KEPT] = (version, counts)
    return dict(counts)


def _version(session: Session) -> tuple[object, ...]:
    """What is another one as soon as anything in the database is."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        # What a snapshot sees is the same as long as its own description is.
        return (connection.scalar(text("SELECT CAST(pg_current_snapshot() AS text)")),)
    own = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    return (connection.scalar(text("PRAGMA data_version")), own.total_changes)

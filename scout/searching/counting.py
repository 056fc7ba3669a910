"""How many jobs there are in each status, counted anew only when something has changed."""

from __future__ import annotations

import sqlite3
from typing import cast

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from scout.database import may_write
from scout.models import Job, Status

_KEPT = "scout_counts_by_status"


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

"""What is read anew only when something in the database has changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar, cast

from sqlalchemy import text
from sqlalchemy.orm import Session

from scout.database import may_write

_KEPT = "scout_kept"
_T = TypeVar("_T")


def kept(session: Session, name: str, read: Callable[[Session], _T]) -> _T:
    """What `read` gives, kept with the connection for as long as nothing in the database has changed.

    The database itself tells whether it has, for next to nothing. A session that writes reads anew.

    Args:
        session: A session.
        name: What it is kept under: one name for one `read`.
        read: Reads it. What it gives is given to others too: nobody may change it, and what of it was not
            loaded cannot be loaded later.
    """
    if may_write(session):
        return read(session)
    connection = session.connection()
    all_kept: dict[str, tuple[object, _T]] = connection.info.setdefault(_KEPT, {})
    version = _version(session)
    there = all_kept.get(name)
    if there is not None and there[0] == version:
        return there[1]
    found = read(session)
    all_kept[name] = (version, found)
    return found


def _version(session: Session) -> object:
    """What is another one as soon as anything in the database is."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        # What a snapshot sees is the same as long as its own description is.
        return connection.scalar(text("SELECT CAST(pg_current_snapshot() AS text)"))
    own = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    return own.execute("PRAGMA data_version").fetchone()[0], own.total_changes

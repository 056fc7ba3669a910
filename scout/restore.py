"""Restoring a backup: everything is checked before anything is written, and it is all or nothing.

The rows of an older program's backup go into tables as that program had them, and are migrated from there.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    MetaData,
    Table,
    delete,
    event,
    exists,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from scout import backup, clock, endings
from scout.backup import FORMAT, MANIFEST, PROGRAM, Manifest, Part
from scout.database import migrating, migration_config, revision
from scout.errors import ScoutError
from scout.fetch import Reason
from scout.leases import changed
from scout.models import ScanResult, ScanRun, ScanState, Source
from scout.runs import OPEN
from scout.searching import index
from scout.settings import Settings

_BATCH = 200
#: A row is a line; one of this many bytes is none of ours.
_LONGEST_LINE = 64 * 1024 * 1024
_LARGEST_MANIFEST = 1024 * 1024
_CHUNK = 1024 * 1024


class NotRestored(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A backup is damaged, from a newer program, or there is something that it would replace.

    The text says which, and that nothing was changed.
    """


def examine(path: Path) -> Manifest:
    """Check a backup whole: every part there is, each as long as it was and with the hash that it had.

    Raises:
        NotRestored: It is none, is damaged, or was made by a newer program.
    """
    with _opened(path) as archive:
        return _examined(path, archive)


def restore(settings: Settings, path: Path, *, replace: bool = False) -> Manifest:
    """Put a backup into the database.

    Args:
        settings: Which database.
        path: The backup.
        replace: Whether what is in the database now may go.

    Returns:
        What the backup says of itself.

    Raises:
        NotRestored: It cannot be; the database is as it was.
        DatabaseUnusable: The database cannot be reached or written, or somebody holds it.
    """
    with _opened(path) as archive:
        manifest = _examined(path, archive)
        with migrating(settings) as connection, _in_words(path), connection.begin():
            _make_room(connection, manifest, replace=replace)
            there = _tables(connection)
            for part in manifest.parts:
                _fill(connection, path, archive, part, there.get(part.table))
            _refuse_dangling(connection, path)
            command.upgrade(migration_config(connection), "head")
            _put_right(connection)
    return manifest


# --- What the file says -----------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except OSError as error:
        raise NotRestored(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise NotRestored(f"{path} is no backup, or a damaged one: {error}. Nothing was changed.") from error


@contextlib.contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Tell of rows that the tables refuse; what is wrong with the database itself is told elsewhere."""
    try:
        yield
    except DatabaseError as error:
        if error.connection_invalidated or type(error).__name__ == "OperationalError":
            raise
        cause = str(error.orig).strip().splitlines()[0]
        raise NotRestored(
            f"{path} holds a row that the database refuses: {cause}. Nothing was changed."
        ) from error


def _examined(path: Path, archive: zipfile.ZipFile) -> Manifest:
    manifest = _manifest(path, archive)
    known = [script.revision for script in ScriptDirectory.from_config(migration_config()).walk_revisions()]
    if manifest.revision not in known:
        raise NotRestored(
            f"{path} was made by a newer version of the program ({manifest.version}), whose tables are not "
            "known here. Update the program, then restore it. Nothing was changed."
        )
    names = {MANIFEST, *(part.file for part in manifest.parts)}
    strange = set(archive.namelist()) ^ names
    if strange or len(archive.namelist()) != len(names):
        raise NotRestored(
            f"{path} is damaged: {', '.join(sorted(strange)) or 'a part'} is missing, twice there, or not in "
            "its manifest. Nothing was changed."
        )
    for part in manifest.parts:
        _check(path, archive, part)
    return manifest


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        told = json.loads(archive.open(MANIFEST).read(_LARGEST_MANIFEST))
        if int(told["format"]) > FORMAT:
            raise NotRestored(
                f"{path} was made by a newer version of the program ({told['version']}), in a format that is "
                "not known here. Update the program, then restore it. Nothing was changed."
            )
        manifest = Manifest(
            revision=str(told["revision"]),
            version=str(told["version"]),
            made_at=str(told["made_at"]),
            parts=tuple(
                Part(str(each["table"]), int(each["rows"]), int(each["bytes"]), str(each["sha256"]))
                for each in told["parts"]
            ),
        )
        ours = told["program"] == PROGRAM
    except (KeyError, TypeError, ValueError) as error:
        raise NotRestored(
            f"{path} is no backup of this program: its {MANIFEST} cannot be used ({error}). Nothing was "
            "changed."
        ) from error
    if not ours:
        raise NotRestored(f"{path} is no backup of this program. Nothing was changed.")
    return manifest


def _check(path: Path, archive: zipfile.ZipFile, part: Part) -> None:
    digest = hashlib.sha256()
    size = rows = 0
    with archive.open(part.file) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            rows += chunk.count(b"\n")
            if size > part.bytes:
                break
    if (size, rows, digest.hexdigest()) != (part.bytes, part.rows, part.sha256):
        raise NotRestored(
            f"{path} is damaged: the table {part.table} is not what was written. Nothing was changed."
        )


# --- Into the database ------------------------------------------------------------------------------------


def _make_room(connection: Connection, manifest: Manifest, *, replace: bool) -> None:
    """Bring the tables to the backup's revision, with nothing in them that the backup brings."""
    config = migration_config(connection)
    current = revision(connection)
    if not current:
        command.upgrade(config, manifest.revision)
        return
    if current not in ScriptDirectory.from_config(config).get_heads():
        raise NotRestored(
            "The database was made by another version of the program: run `scout migrate` first. Nothing was "
            "changed."
        )
    filled = [each.name for each in backup.tables() if connection.scalar(select(exists(select(each))))]
    if filled and not replace:
        raise NotRestored(
            f"There is something in the database already ({', '.join(filled)}). With --replace it goes, and "
            "the backup takes its place; `scout backup` keeps it first. Nothing was changed."
        )
    for table in reversed(backup.tables()):
        connection.execute(delete(table))
    command.downgrade(config, manifest.revision)


def _tables(connection: Connection) -> dict[str, Table]:
    """The tables as they are now, which may be those of an older program."""
    there = MetaData()
    event.listen(there, "column_reflect", _null_is_null)
    there.reflect(connection)
    return dict(there.tables)


def _null_is_null(_inspector: Any, _table: Any, column: Any) -> None:
    if isinstance(column["type"], JSON):
        column["type"] = type(column["type"])(none_as_null=True)


def _fill(
    connection: Connection, path: Path, archive: zipfile.ZipFile, part: Part, table: Table | None
) -> None:
    if table is None or part.table in backup.LEFT_OUT:
        raise NotRestored(
            f"{path} holds a table {part.table}, which a backup of revision {revision(connection)} cannot. "
            "Nothing was changed."
        )
    rows: list[dict[str, Any]] = []
    readers = {column.name: _reader(connection, column) for column in table.columns}
    with archive.open(part.file) as file:
        for number, line in enumerate(_lines(file), 1):
            try:
                told = json.loads(line)
                rows.append({name: readers[name](value) for name, value in told.items()})
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise NotRestored(
                    f"{path} is damaged: row {number} of the table {part.table} cannot be read ({error}). "
                    "Nothing was changed."
                ) from error
            if len(rows) == _BATCH:
                connection.execute(insert(table), rows)
                rows = []
    if rows:
        connection.execute(insert(table), rows)


def _lines(file: Any) -> Iterator[bytes]:
    buffered = io.BufferedReader(file, _CHUNK)
    while line := buffered.readline(_LONGEST_LINE):
        yield line


def _reader(connection: Connection, column: Column[Any]) -> Callable[[Any], Any]:
    if not isinstance(column.type, DateTime):
        return lambda value: value
    sqlite = connection.dialect.name == "sqlite"

    def time(value: str | None) -> dt.datetime | None:
        if value is None:
            return None
        found = dt.datetime.fromisoformat(value).astimezone(dt.UTC)
        return found.replace(tzinfo=None) if sqlite else found

    return time


def _put_right(connection: Connection) -> None:
    """End what only the old machine was doing, and let new rows be numbered after the restored ones."""
    with Session(connection) as session:
        changed(session, update(Source).values(lease_by=None, lease_until=None))
        changed(
            session,
            update(ScanResult)
            .where(ScanResult.state.in_(OPEN))
            .values(
                state=ScanState.FAILED,
                reason=Reason.WORKER_DIED,
                error="The backup that this was restored from was made while this scan waited or ran.",
                phase="",
                finished_at=clock.now(),
            ),
        )
        for run_id in session.scalars(select(ScanRun.id).where(ScanRun.state.in_(OPEN))).all():
            endings.finish_run(session, run_id)
        index.catch_up(session)
        session.commit()
    if connection.dialect.name == "postgresql":
        for table in backup.tables():
            for column in table.primary_key.columns:
                _number_on(connection, table.name, column.name)


def _number_on(connection: Connection, table: str, column: str) -> None:
    sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table, "c": column})
    if sequence:
        highest = f'SELECT coalesce(max("{column}"), 1) FROM "{table}"'  # noqa: S608 - names of our own models
        connection.execute(
            text(f"SELECT setval(:s, greatest(({highest}), nextval(:s)))"),
            {"s": sequence},
        )


def _refuse_dangling(connection: Connection, path: Path) -> None:
    # PostgreSQL refused them row by row; SQLite does not look while tables are migrated.
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise NotRestored(
            f"{path} is damaged: some of its rows refer to others that are missing. Nothing was changed."
        )

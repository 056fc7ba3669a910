"""Backups: everything that is kept, in one file that either database can be restored from.

The file is a zip: `manifest.json`, and for each table `tables/NAME.jsonl` with an object a row. The tables
are those of the models, so that a new one is in it by itself; what is left out is named in `LEFT_OUT`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import importlib.metadata
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Table, select

from scout import clock
from scout.database import Database, explained, prepare_folder, revision
from scout.errors import ScoutError
from scout.models import Base
from scout.settings import Settings

#: The format of the file. It rises when an older program could not read it.
FORMAT = 1
PROGRAM = "iam-job-scout"
MANIFEST = "manifest.json"

#: Tables that no backup holds, and why.
LEFT_OUT = {
    "account": "the hash of a password could be guessed at by whoever finds the file",
    "replays": "answers to programs, kept for a day so that what they send again is not done twice",
    "recovery_codes": "they belong to the account, which is left out",
    "api_tokens": "a token that was revoked after the backup must not work again",
    "audit_events": "they tell of people's addresses and browsers, and of the machine that it happened on",
    "sessions": "a session belongs to a browser and to the machine that it signed in to",
}
#: What the file does not bring back, in words for whoever restores it.
NEEDED = (
    "Not in this file: the password (the one of the machine that it is restored on stays, or `scout up` "
    "makes one), one-time codes, API tokens, signed-in browsers, what was done here, SECRET_KEY, everything "
    "else in the environment or .env, profiles and feed descriptions in files of your own."
)

_BATCH = 500
# Of the levels of zlib one that costs a third of the usual one's time, for a file a tenth larger.
_LEVEL = 3
_NAMED = re.compile(r"scout-\d{8}T\d{6}Z\.zip")


class BackupFailed(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A backup could not be written. The text says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table in a backup: its name, how many rows it has, and its text's size in bytes and SHA-256."""

    table: str
    rows: int
    bytes: int
    sha256: str

    @property
    def file(self) -> str:
        """Its name in the zip."""
        return f"tables/{self.table}.jsonl"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        revision: The migration that its tables are at.
        version: Of the program that made it.
        made_at: When, ISO 8601 in UTC.
        parts: Its tables, those that others refer to first.
    """

    revision: str
    version: str
    made_at: str
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return sum(part.rows for part in self.parts)

    def text(self) -> str:
        """It as JSON."""
        told = {
            "format": FORMAT,
            "program": PROGRAM,
            "version": self.version,
            "revision": self.revision,
            "made_at": self.made_at,
            "left_out": LEFT_OUT,
            "needed": NEEDED,
            "parts": [asdict(part) for part in self.parts],
        }
        return json.dumps(told, indent=2)


@dataclass(frozen=True, slots=True)
class Last:
    """The backup that was made last: when, and its size in bytes."""

    made_at: dt.datetime
    bytes: int


def tables() -> list[Table]:
    """The tables that a backup holds, those that others refer to first."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


def folder(settings: Settings) -> Path:
    """Where backups go that are given no other place."""
    return settings.data_dir / "backups"


def make(database: Database, settings: Settings, path: Path | None = None) -> tuple[Path, Manifest]:
    """Make a backup while everything else goes on: one consistent view of the database, whole or not at all.

    Args:
        database: The database, whose tables are those of this program.
        settings: Where the data directory is.
        path: The file; None means one in `folder(settings)`, named by the time.

    Returns:
        The file, readable by its owner alone, and what it says of itself.

    Raises:
        BackupFailed: There is such a file already, or it cannot be written.
        DatabaseUnusable: The database cannot be read.
    """
    now = clock.now()
    if path is None:
        prepare_folder(settings.data_dir)
        prepare_folder(folder(settings))
        path = folder(settings) / f"scout-{now:%Y%m%dT%H%M%SZ}.zip"
    if path.exists():
        raise BackupFailed(f"There is a file {path} already. Choose another name, or remove it.")
    with explained(), _whole(path) as file, _view(database) as connection:
        manifest = write(connection, file, tables(), now)
        size = file.tell()
    _remember(settings, Last(now, size))
    return path, manifest


def write(connection: Connection, file: IO[bytes], tables: Sequence[Table], now: dt.datetime) -> Manifest:
    """Write tables into a file, in the connection's transaction."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        parts = tuple(_write_part(connection, archive, table) for table in tables)
        manifest = Manifest(
            revision=revision(connection),
            version=importlib.metadata.version(PROGRAM),
            made_at=now.astimezone(dt.UTC).isoformat(),
            parts=parts,
        )
        archive.writestr(MANIFEST, manifest.text())
    return manifest


def prune(settings: Settings, keep: int) -> list[Path]:
    """Remove all but the newest backups that `make` named itself; which were removed."""
    made = sorted(each for each in folder(settings).glob("scout-*.zip") if _NAMED.fullmatch(each.name))
    old = made[:-keep] if keep else made
    for each in old:
        each.unlink(missing_ok=True)
    return old


def last(settings: Settings) -> Last | None:
    """The backup that was made last, wherever it was written to; None if none ever was."""
    try:
        told = json.loads(_record(settings).read_text(encoding="utf-8"))
        return Last(dt.datetime.fromisoformat(told["made_at"]), int(told["bytes"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScoutError(
            f"{_record(settings)} tells of the last backup and cannot be read: {error}. The next "
            "`scout backup` writes it anew."
        ) from error


def _record(settings: Settings) -> Path:
    return settings.data_dir / "last_backup.json"


def _remember(settings: Settings, made: Last) -> None:
    prepare_folder(settings.data_dir)
    told = json.dumps({"made_at": made.made_at.isoformat(), "bytes": made.bytes})
    with _whole(_record(settings)) as file:
        file.write(told.encode())


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner alone that has its name only when it is whole and on the disk."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BackupFailed(
            f"{path} cannot be written: {error.strerror or error}. Nothing is left of it; choose another "
            "place."
        ) from error


@contextlib.contextmanager
def _view(database: Database) -> Iterator[Connection]:
    """One consistent view of everything, which holds nobody up."""
    with database.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(  # noqa: PLW2901 - the same one
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        yield connection.execution_options(yield_per=_BATCH)


def _write_part(connection: Connection, archive: zipfile.ZipFile, table: Table) -> Part:
    digest = hashlib.sha256()
    rows = size = 0
    info = zipfile.ZipInfo(f"tables/{table.name}.jsonl", date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info._compresslevel = _LEVEL  # type: ignore[attr-defined]  # noqa: SLF001 - public from Python 3.13 on
    with archive.open(info, "w", force_zip64=True) as part:
        for lines in _lines(connection, table):
            text = "".join(lines).encode()
            digest.update(text)
            part.write(text)
            rows += len(lines)
            size += len(text)
    return Part(table.name, rows, size, digest.hexdigest())


def _lines(connection: Connection, table: Table) -> Iterator[list[str]]:
    found = connection.execute(select(table).order_by(*table.primary_key.columns))
    names = list(found.keys())
    for rows in found.partitions(_BATCH):
        yield [_line(names, row) for row in rows]


def _line(names: Sequence[str], row: Iterable[Any]) -> str:
    told = dict(zip(names, row, strict=True))
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=_plain) + "\n"


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).isoformat()
    raise TypeError(f"a backup cannot hold a {type(value).__name__}")

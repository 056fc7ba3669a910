"""Backups of everything, restored on either database, whole or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Table, func, insert, select

from scout import backup, clock
from scout import database as databases
from scout.backup import LEFT_OUT, BackupFailed, Manifest
from scout.database import Database, DatabaseUnusable, migrate
from scout.models import (
    Account,
    Base,
    Job,
    Note,
    RunTrigger,
    ScanResult,
    ScanRun,
    ScanState,
    Session,
    Source,
    Status,
    StatusChange,
)
from scout.postings import Remote
from scout.restore import NotRestored, _lines, _tables, examine, restore
from scout.settings import Settings
from tests import kept
from tests.waiting import wait_until

#: Rows of every table that a backup holds; one that is added later must come here too.
TABLES = {table.name for table in Base.metadata.sorted_tables} - set(LEFT_OUT)


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """New databases are empty here."""
    return "template1"


def fill(settings: Settings, jobs: int = 3) -> None:
    migrate(settings)
    database = Database.open(settings)
    with database.session() as session:
        acme = kept.source(session, validators={"https://a": {"etag": 'W/"ä"'}}, lease_by="old", paused=True)
        acme.lease_until = clock.now() + dt.timedelta(hours=1)
        for number in range(jobs):
            job = kept.job(
                session,
                f"Identität 🔑 {number}",
                at=acme,
                locations=["Zürich"],
                remote=Remote.HYBRID,
                salary={"minimum": 1.5} if number else None,
                description_html="<p>Keep the keys.</p>",
                description_text="Keep\nthe keys. " + "x" * 2000,
                score=number % 101,
                posted_at=kept.DAY,
            )
        session.add(StatusChange(job=job, from_status=Status.NEW, to_status=Status.SAVED, by="owner"))
        session.add(Note(job=job, body="Ask Ruth."))
        run = ScanRun(trigger=RunTrigger.FIRST, state=ScanState.RUNNING)
        session.add_all([run, ScanResult(run=run, source=acme, state=ScanState.RUNNING, phase="fetch")])
        session.add(Account(password_hash="$argon2id$x"))
        session.add(Session(token_hash="0badcafe", expires_at=kept.DAY))
    database.dispose()


def made(settings: Settings, path: Path) -> tuple[Path, Manifest]:
    database = Database.open(settings)
    try:
        return backup.make(database, settings, path)
    finally:
        database.dispose()


def content(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Everything in the database, as Python has it."""
    database = Database.open(settings)
    with database.engine.connect() as connection:
        found = {
            table.name: [
                dict(row)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            ]
            for table in Base.metadata.sorted_tables
        }
    database.dispose()
    return found


@pytest.fixture
def other(tmp_path: Path) -> Settings:
    """A machine that was never used."""
    return Settings(data_dir=tmp_path / "other")


@pytest.fixture
def crossed(request: pytest.FixtureRequest, any_settings: Settings, other: Settings) -> Settings:
    """The other kind of database than `any_settings`, empty."""
    if any_settings.database.startswith("postgresql"):
        return other
    settings: Settings = request.getfixturevalue("postgres_settings")
    return settings


def test_every_table_is_in_a_backup_or_left_out_for_a_reason(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    fill(sqlite_settings)
    _, manifest = made(sqlite_settings, tmp_path / "b.zip")
    held = {part.table for part in manifest.parts}
    assert held.isdisjoint(LEFT_OUT)
    assert held | set(LEFT_OUT) == {table.name for table in Base.metadata.sorted_tables}
    assert all(LEFT_OUT.values())


def test_a_backup_is_restored_on_the_other_kind_of_database(
    any_settings: Settings, crossed: Settings, tmp_path: Path
) -> None:
    fill(any_settings)
    path, _ = made(any_settings, tmp_path / "b.zip")
    restore(crossed, path)
    before, after = content(any_settings), content(crossed)
    for table in sorted(TABLES - {"sources", "scan_runs", "scan_results"}):
        assert after[table] == before[table], table
    assert after["account"] == after["sessions"] == []
    # What only the old machine was doing has ended.
    assert (after["sources"][0]["lease_by"], after["sources"][0]["lease_until"]) == (None, None)
    rest = {"lease_by": None, "lease_until": None}
    assert [row | rest for row in before["sources"]] == after["sources"]
    assert after["scan_runs"][0]["state"] == after["scan_results"][0]["state"] == ScanState.FAILED
    assert "backup" in after["scan_results"][0]["error"]
    assert databases.differences(crossed) == []


def test_new_rows_are_numbered_after_the_restored_ones(
    any_settings: Settings, crossed: Settings, tmp_path: Path
) -> None:
    fill(any_settings)
    path, _ = made(any_settings, tmp_path / "b.zip")
    restore(crossed, path)
    database = Database.open(crossed)
    with database.session() as session:
        assert kept.job(session, "New", at=kept.source(session, "new")).id > 3
        session.add(Note(job_id=1, body="And on."))
    database.dispose()


def test_a_backup_is_one_view_while_others_write(
    any_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(any_settings)
    write_part = backup._write_part

    def meanwhile(connection: Connection, archive: zipfile.ZipFile, table: Table) -> backup.Part:
        done = write_part(connection, archive, table)
        if table.name == "sources":
            database = Database.open(any_settings)
            with database.session() as session:
                kept.job(session, at=kept.source(session, "late"))
            database.dispose()
        return done

    monkeypatch.setattr(backup, "_write_part", meanwhile)
    _, manifest = made(any_settings, tmp_path / "b.zip")
    assert {part.table: part.rows for part in manifest.parts} | {"sources": 1, "jobs": 3, "listings": 3} == {
        part.table: part.rows for part in manifest.parts
    }
    assert len(content(any_settings)["jobs"]) == 4


def test_a_backup_is_for_its_owners_eyes_and_holds_no_secret(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    fill(sqlite_settings)
    path, _ = made(sqlite_settings, tmp_path / "b.zip")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"$argon2id$x" not in everything
    assert b"0badcafe" not in everything
    assert b"Ask Ruth." in everything


def test_what_is_there_is_only_replaced_on_demand_and_the_password_stays(
    any_settings: Settings, tmp_path: Path
) -> None:
    fill(any_settings)
    path, _ = made(any_settings, tmp_path / "b.zip")
    database = Database.open(any_settings)
    with database.session() as session:
        kept.job(session, "Later")
    database.dispose()
    before = content(any_settings)
    with pytest.raises(NotRestored, match=r"in the database already \(jobs, .*--replace"):
        restore(any_settings, path)
    assert content(any_settings) == before
    restore(any_settings, path, replace=True)
    after = content(any_settings)
    assert len(after["jobs"]) == 3
    assert after["account"] == before["account"]
    assert after["sessions"] == before["sessions"]


def old_tables(settings: Settings, revision: str) -> dict[str, Table]:
    """A database of an older program, empty."""
    with databases.migrating(settings) as connection:
        command.upgrade(databases.migration_config(connection), revision)
    database = Database.open(settings)
    with database.engine.connect() as connection:
        tables = _tables(connection)
    database.dispose()
    return tables


@pytest.mark.parametrize("revision", ["0002", "0003"])
@pytest.mark.parametrize("replace", [False, True], ids=["empty", "replace"])
def test_an_older_programs_backup_is_brought_up_to_date(
    any_settings: Settings, other: Settings, tmp_path: Path, revision: str, *, replace: bool
) -> None:
    tables = old_tables(other, revision)
    now = dt.datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001 - as SQLite keeps it
    source = {
        "id": 5, "slug": "acme", "kind": "lever", "token": "acme", "name": "Acme", "url": "", "added_at": now,
        "paused": False, "next_scan_why": "", "validators": {}, "last_reason": "", "last_error": "",
        "failures": 0, "suspicious": False,
    }  # fmt: skip
    job = {
        "id": 9, "title": "IAM Engineer", "company": "Acme", "url": "https://e.com/1", "locations": ["Bern"],
        "places": [], "remote": "remote", "remote_evidence": "", "remote_regions": [], "level": "",
        "language": "", "salary": None, "employment_type": "", "department": "", "score": 7, "reasons": [],
        "status": "applied", "first_seen_at": now, "version": 2, "search_text": "iam engineer",
    }  # fmt: skip
    if revision == "0002":
        job |= {"description_html": "<p>Old.</p>", "description_text": "Old.", "last_seen_at": now}
    database = Database.open(other)
    path = tmp_path / "old.zip"
    with database.engine.begin() as connection:
        connection.execute(insert(tables["sources"]), source)
        connection.execute(insert(tables["jobs"]), job)
        if revision != "0002":
            told = {"job_id": 9, "html": "<p>Old.</p>", "text": "Old."}
            connection.execute(insert(tables["descriptions"]), told)
        names = [name for name in tables if name not in {*LEFT_OUT, "alembic_version"}]
        with path.open("wb") as file:
            backup.write(connection, file, [tables[name] for name in sorted(names, key=_order)], kept.DAY)
    database.dispose()
    if replace:
        fill(any_settings)
    restore(any_settings, path, replace=replace)
    database = Database.open(any_settings)
    with database.reading() as session:
        found = session.scalars(select(Job)).one()
        assert (found.id, found.status, found.description_text) == (9, Status.APPLIED, "Old.")
        assert found.first_seen_at == now.replace(tzinfo=dt.UTC)
        assert session.scalar(select(func.count()).select_from(Account)) == int(replace)
    assert databases.is_current(database)
    database.dispose()
    assert databases.differences(any_settings) == []


def _order(name: str) -> int:
    return [table.name for table in Base.metadata.sorted_tables].index(name)


# --- What is refused --------------------------------------------------------------------------------------


def changed(path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """The backup with its manifest or its parts changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(parts.pop("manifest.json"))
    change(manifest, parts)
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
        archive.writestr("manifest.json", json.dumps(manifest))
    return path


def rewritten(manifest: dict[str, Any], parts: dict[str, bytes], table: str, old: bytes, new: bytes) -> None:
    """Change a part and what the manifest says of it, as somebody with bad intentions would."""
    name = f"tables/{table}.jsonl"
    parts[name] = parts[name].replace(old, new)
    told = next(each for each in manifest["parts"] if each["table"] == table)
    told["sha256"] = hashlib.sha256(parts[name]).hexdigest()
    told["bytes"] = len(parts[name])


def _newer(manifest: dict[str, Any], _parts: dict[str, bytes]) -> None:
    manifest["revision"] = "9999"


def _newer_format(manifest: dict[str, Any], _parts: dict[str, bytes]) -> None:
    manifest["format"] = 2


def _other_program(manifest: dict[str, Any], _parts: dict[str, bytes]) -> None:
    manifest["program"] = "else"


def _flipped(_manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
    parts["tables/notes.jsonl"] = parts["tables/notes.jsonl"].replace(b"Ruth", b"Rolf")


def _missing(_manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
    del parts["tables/notes.jsonl"]


def _more(_manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
    parts["tables/more.jsonl"] = b"{}\n"


def _secret(manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
    parts["tables/account.jsonl"] = b'{"id":1}\n'
    digest = hashlib.sha256(b'{"id":1}\n').hexdigest()
    manifest["parts"].append({"table": "account", "rows": 1, "bytes": 9, "sha256": digest})


def _dangling(manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
    rewritten(manifest, parts, "notes", b'"job_id":3', b'"job_id":77')


def _wrong_value(manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
    rewritten(manifest, parts, "jobs", b'"score":2', b'"score":222')


def _unknown_column(manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
    rewritten(manifest, parts, "notes", b'"body"', b'"corpse"')


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_newer, "newer version.*Update the program"),
        (_newer_format, "newer version.*Update the program"),
        (_other_program, "no backup of this program"),
        (_flipped, "damaged: the table notes"),
        (_missing, r"damaged: tables/notes\.jsonl"),
        (_more, r"damaged: tables/more\.jsonl"),
        (_secret, "holds a table account"),
        (_dangling, "refer to others|refuses"),
        (_wrong_value, "the database refuses"),
        (_unknown_column, "row 1 of the table notes"),
    ],
    ids=lambda each: each.__name__.strip("_") if callable(each) else "",
)
def test_what_is_wrong_with_a_backup_is_said_and_nothing_is_changed(
    any_settings: Settings,
    tmp_path: Path,
    change: Callable[[dict[str, Any], dict[str, bytes]], None],
    words: str,
) -> None:
    fill(any_settings)
    path, _ = made(any_settings, tmp_path / "b.zip")
    before = content(any_settings)
    with pytest.raises(NotRestored, match=words) as error:
        restore(any_settings, changed(path, change), replace=True)
    assert str(error.value).endswith("Nothing was changed.")
    assert content(any_settings) == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"id,title\n"], ids=["empty", "zip", "csv"])
def test_a_file_that_is_no_backup_is_told(sqlite_settings: Settings, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    with pytest.raises(NotRestored, match="no backup"):
        restore(sqlite_settings, path)
    with pytest.raises(NotRestored, match="cannot be read"):
        examine(tmp_path / "nothing.zip")


def test_every_cut_of_a_backup_is_noticed(sqlite_settings: Settings, tmp_path: Path) -> None:
    fill(sqlite_settings)
    path, _ = made(sqlite_settings, tmp_path / "b.zip")
    whole = path.read_bytes()
    for length in range(0, len(whole), len(whole) // 20):
        path.write_bytes(whole[:length])
        with pytest.raises(NotRestored):
            examine(path)


def test_a_database_of_another_version_is_migrated_before_it_is_replaced(
    sqlite_settings: Settings, other: Settings, tmp_path: Path
) -> None:
    fill(sqlite_settings)
    path, _ = made(sqlite_settings, tmp_path / "b.zip")
    old_tables(other, "0002")
    with pytest.raises(NotRestored, match="scout migrate"):
        restore(other, path, replace=True)


def test_no_backup_takes_the_place_of_another_file(sqlite_settings: Settings, tmp_path: Path) -> None:
    migrate(sqlite_settings)
    path = tmp_path / "b.zip"
    path.write_text("mine")
    with pytest.raises(BackupFailed, match="already"):
        made(sqlite_settings, path)
    assert path.read_text() == "mine"
    with pytest.raises(BackupFailed, match="cannot be written"):
        made(sqlite_settings, tmp_path / "nowhere" / "b.zip")


def test_a_backup_that_fails_leaves_nothing(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(sqlite_settings)
    folder = tmp_path / "there"
    folder.mkdir()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_write_part", full)
    with pytest.raises(BackupFailed, match="No space left"):
        made(sqlite_settings, folder / "b.zip")
    assert list(folder.iterdir()) == []
    assert backup.last(sqlite_settings) is None


# --- Killed halfway ---------------------------------------------------------------------------------------


def started(settings: Settings, *words: str) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCOUT_")}
    environment |= {"SCOUT_DATA_DIR": str(settings.data_dir), "DATABASE_URL": settings.database_url}
    return subprocess.Popen(
        [sys.executable, "-c", "from scout.cli import main; main()", *words],
        env=environment,
        cwd=settings.data_dir.parent,
    )


def test_a_killed_backup_leaves_no_file_by_its_name(sqlite_settings: Settings, tmp_path: Path) -> None:
    fill(sqlite_settings, jobs=3000)
    folder = tmp_path / "there"
    folder.mkdir()
    process = started(sqlite_settings, "backup", str(folder / "b.zip"))
    wait_until(lambda: any(each.stat().st_size for each in folder.iterdir()), what="a part of the backup")
    process.kill()
    process.wait()
    assert not (folder / "b.zip").exists()


def test_a_killed_restore_leaves_the_database_as_it_was(any_settings: Settings, tmp_path: Path) -> None:
    fill(any_settings, jobs=3000)
    path, _ = made(any_settings, tmp_path / "b.zip")
    database = Database.open(any_settings)
    with database.session() as session:
        kept.job(session, "Later")
    before = content(any_settings)
    process = started(any_settings, "restore", "--replace", str(path))
    wait_until(lambda: _being_written(database, any_settings), timeout=30, what="the restore's first rows")
    process.kill()
    process.wait()
    database.dispose()
    assert content(any_settings) == before


def _being_written(database: Database, settings: Settings) -> bool:
    if database.engine.dialect.name == "sqlite":
        log = settings.data_dir / "scout.sqlite3-wal"
        return log.exists() and log.stat().st_size > 1_000_000
    with database.engine.connect() as connection:
        # Whoever deletes or inserts holds this lock on the table until the transaction ends.
        return bool(
            connection.exec_driver_sql(
                "SELECT count(*) FROM pg_locks WHERE mode = 'RowExclusiveLock' AND granted"
                " AND relation = 'descriptions'::regclass"
            ).scalar()
        )


def test_a_restore_waits_for_no_ever_busy_database(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sqlite_settings)
    path, _ = made(sqlite_settings, tmp_path / "b.zip")
    monkeypatch.setattr(databases, "_PATIENCE", 0)
    database = Database.open(sqlite_settings)
    with database.session() as session:
        kept.source(session, "busy")
        with pytest.raises(DatabaseUnusable, match="locked"):
            restore(sqlite_settings, path, replace=True)
    database.dispose()


def test_the_last_backup_is_remembered(sqlite_settings: Settings, tmp_path: Path) -> None:
    migrate(sqlite_settings)
    assert backup.last(sqlite_settings) is None
    path, manifest = made(sqlite_settings, tmp_path / "b.zip")
    told = backup.last(sqlite_settings)
    assert told is not None
    assert told.bytes == path.stat().st_size
    assert told.made_at.isoformat() == manifest.made_at


def test_only_the_newest_of_our_own_backups_are_kept(sqlite_settings: Settings) -> None:
    folder = backup.folder(sqlite_settings)
    folder.mkdir(parents=True)
    for day in range(1, 6):
        (folder / f"scout-2026010{day}T000000Z.zip").touch()
    (folder / "scout-mine.zip").touch()
    backup.prune(sqlite_settings, 2)
    assert sorted(each.name for each in folder.iterdir()) == [
        "scout-20260104T000000Z.zip",
        "scout-20260105T000000Z.zip",
        "scout-mine.zip",
    ]


def test_lines_are_read_whole_whatever_their_length() -> None:
    text = b"x" * 3_000_000 + b"\n" + b"y\n"
    assert [len(line) for line in _lines(io.BytesIO(text))] == [3_000_001, 2]


def test_sources_of_a_backup_keep_their_names(
    sqlite_settings: Settings, other: Settings, tmp_path: Path
) -> None:
    fill(sqlite_settings)
    path, _ = made(sqlite_settings, tmp_path / "b.zip")
    restore(other, path)
    database = Database.open(other)
    with database.reading() as session:
        assert session.scalars(select(Source.slug)).all() == ["acme"]
    database.dispose()

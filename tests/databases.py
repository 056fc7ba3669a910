"""Empty, migrated databases for tests: SQLite always, PostgreSQL where its programs are.

Every test may ask for `database` (SQLite) or `any_database` (one test on each). They are copies of one that
was migrated once in each process; a module that tests migrations has a `postgres_template` of its own.
"""

from __future__ import annotations

import functools
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scout.database import Database, migrate, prepare_folder
from scout.settings import Settings
from tests import indexed, postgres_server


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """A running PostgreSQL, by the folder of its socket; its user is `scout`."""
    with postgres_server.running() as folder:
        yield folder


@pytest.fixture
def sqlite_settings(tmp_path: Path) -> Settings:
    """Settings for a new data directory and nothing else."""
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture(scope="session")
def postgres_template(postgres_folder: Path) -> str:
    """The name of a migrated PostgreSQL database that new ones are copies of."""
    with _administering(postgres_folder) as admin:
        admin.execute(b"CREATE DATABASE migrated")
    with tempfile.TemporaryDirectory() as folder:
        migrate(_on_postgres(postgres_folder, "migrated", Path(folder)))
    return "migrated"


@pytest.fixture
def postgres_settings(tmp_path: Path, postgres_folder: Path, postgres_template: str) -> Iterator[Settings]:
    """Settings for a new PostgreSQL database, with tables and nothing in them."""
    name = f"t{secrets.token_hex(6)}"
    with _administering(postgres_folder) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}".encode())
        yield _on_postgres(postgres_folder, name, tmp_path / "data")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _administering(folder: Path) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=str(folder), user="scout", dbname="postgres", autocommit=True)


def _on_postgres(folder: Path, name: str, data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, database_url=f"postgresql://scout@/{name}?host={folder}")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings for a database of each kind in turn; SQLite's is not there yet."""
    name = "sqlite_settings" if request.param == "sqlite" else "postgres_settings"
    settings: Settings = request.getfixturevalue(name)
    return settings


@pytest.fixture
def database(sqlite_settings: Settings) -> Iterator[Database]:
    """An empty, migrated SQLite database."""
    yield from _migrated(sqlite_settings)


@pytest.fixture
def any_database(any_settings: Settings) -> Iterator[Database]:
    """An empty, migrated database, of each kind in turn."""
    yield from _migrated(any_settings)


def make_tables(settings: Settings) -> None:
    """Make the tables as `migrate` does: SQLite's by copying a file that was migrated once."""
    path = settings.data_dir / "scout.sqlite3"
    if settings.database_url or path.exists():
        migrate(settings)
        return
    prepare_folder(settings.data_dir)
    path.write_bytes(_migrated_file())


@functools.cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data")
        migrate(settings)
        # The last connection has brought its log over.
        return (settings.data_dir / "scout.sqlite3").read_bytes()


def _migrated(settings: Settings) -> Iterator[Database]:
    make_tables(settings)
    database = Database.open(settings)
    yield database
    # Whatever a test wrote, and by whatever way: the index of words has followed.
    if indexed.is_there(database):
        indexed.assert_in_step(database)
    database.dispose()

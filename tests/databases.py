"""Empty, migrated databases for tests: SQLite always, PostgreSQL where its programs are.

Use it with `pytest_plugins = ("tests.databases",)` in a test module, and ask for `database` (SQLite) or
`any_database` (one test on each).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scout.database import Database, migrate
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


@pytest.fixture
def postgres_settings(tmp_path: Path, postgres_folder: Path) -> Iterator[Settings]:
    """Settings for a new, empty PostgreSQL database."""
    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(
        host=str(postgres_folder), user="scout", dbname="postgres", autocommit=True
    ) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield Settings(
            data_dir=tmp_path / "data", database_url=f"postgresql://scout@/{name}?host={postgres_folder}"
        )
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def any_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings for an empty database, of each kind in turn."""
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


def _migrated(settings: Settings) -> Iterator[Database]:
    migrate(settings)
    database = Database.open(settings)
    yield database
    # Whatever a test wrote, and by whatever way: the index of words has followed.
    if indexed.is_there(database):
        indexed.assert_in_step(database)
    database.dispose()

"""Empty, migrated databases for tests: SQLite always, PostgreSQL where its programs are.

Use it with `pytest_plugins = ("tests.databases",)` in a test module, and ask for `database` (SQLite) or
`any_database` (one test on each).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scout.database import Database, migrate
from scout.settings import Settings
from tests import indexed
from tests.components import need
from tests.waiting import wait_until


def _as_somebody_else() -> tuple[list[str], pwd.struct_passwd | None]:
    # PostgreSQL refuses to run as root.
    if os.getuid() != 0:
        return [], None
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return [
            "setpriv",
            f"--reuid={user.pw_uid}",
            f"--regid={user.pw_gid}",
            "--clear-groups",
        ], user
    pytest.skip("PostgreSQL cannot run as root, and there is neither a user postgres nor nobody")


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """A running PostgreSQL, by the folder of its socket; its user is `scout`."""
    with running() as folder:
        yield folder


@contextlib.contextmanager
def running() -> Iterator[Path]:
    """A PostgreSQL that runs until the block ends, by the folder of its socket; its user is `scout`."""
    with made() as (folder, command):
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            wait_until(lambda: answers(folder), timeout=30, what="PostgreSQL's answer")
            yield folder
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


@contextlib.contextmanager
def made() -> Iterator[tuple[Path, list[str]]]:
    """A PostgreSQL that is not started yet: the folder of its socket, and the command that starts it.

    All of it is gone at the end of the block.
    """
    initdb, server = need("initdb"), need("postgres")
    prefix, user = _as_somebody_else()
    # Short, for a socket's path is; and not below pytest's folders, which only root may enter.
    folder = Path(tempfile.mkdtemp(prefix="scout-pg-"))
    data = folder / "data"
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        initial = [*prefix, str(initdb), "-D", str(data), "-U", "scout", "-A", "trust", "-E", "UTF8"]
        done = subprocess.run(
            [*initial, "--locale=C", "--no-sync"], capture_output=True, text=True, check=False, cwd=folder
        )
        assert done.returncode == 0, done.stderr
        options = ("listen_addresses=", "fsync=off", "max_connections=50")
        command = [*prefix, str(server), "-D", str(data), "-k", str(folder)]
        yield folder, [*command, *(word for option in options for word in ("-c", option))]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def answers(folder: Path) -> bool:
    """Whether a PostgreSQL answers at the socket in this folder."""
    try:
        psycopg.connect(host=str(folder), user="scout", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


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

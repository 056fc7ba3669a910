"""A real PostgreSQL of a test's own: a process on a Unix socket, whose user is `scout`."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.components import need
from tests.waiting import wait_until


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

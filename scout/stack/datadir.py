"""The data directory: made, writable, and used by one stack at a time."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scout.stack.problems import CannotStart

_LOCK = "scout.lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make the data directory if need be (mode 0700), and hold it until the end of the block.

    Raises:
        CannotStart: It cannot be made or written, or another stack runs on it.
    """
    lock = folder / _LOCK
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The lock file stays: removing it would let a third process lock a file that is no longer there.
        file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise CannotStart(
            f"Cannot write to the data directory {folder}: {error.strerror}. "
            "Make it writable, or set SCOUT_DATA_DIR to another folder."
        ) from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Another `scout up` runs on {folder}{_by(file)}: stop it, or set SCOUT_DATA_DIR "
                "(and the ports) to run a second one beside it."
            ) from None
        try:
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            raise CannotStart(
                f"Cannot write to the data directory {folder}: {error.strerror}. "
                "Make room, or set SCOUT_DATA_DIR to another folder."
            ) from None
        yield
    finally:
        os.close(file)


def running(folder: Path) -> int | None:
    """The process id of the stack that runs on this data directory, or None."""
    try:
        file = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(file, 20, 0).strip()
        return int(text) if text.isdigit() else None
    finally:
        os.close(file)
    return None


def _by(file: int) -> str:
    text = os.pread(file, 20, 0).strip()
    return f" (pid {int(text)})" if text.isdigit() else ""


def private_folder(folder: Path) -> None:
    """Make a folder that only we can enter; for the queue's socket, which may lie in the shared /tmp.

    Raises:
        CannotStart: It is there already and is somebody else's, or open to others.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise CannotStart(
            f"{folder} is not ours alone, and the queue's socket would lie there: remove it, "
            "or set SCOUT_DATA_DIR to a folder with a shorter name."
        )

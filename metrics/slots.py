"""The small number that a process of a role has, and what all who had that number have sent and lost.

What a client tells of itself must not get lost with what it counts: an increment travels in a datagram like
any other, so with a hundred lost datagrams a hundred counts of "sent" are lost too, and no loss can be seen.
The figures here are therefore totals, told as gauges. They live in a file for each role and number, mapped
into memory, so that a process that is killed leaves them as they were; the next one of that number goes on
from there, and counts an end that was not announced.
"""

from __future__ import annotations

import array
import contextlib
import enum
import fcntl
import mmap
import os
import tempfile
import threading
from pathlib import Path

#: The most processes of one role, machine and user that get a number of their own; the rest share the next.
MOST_SLOTS = 63

# What a file begins with; another layout gets another number, and begins at zero.
_LAYOUT = 0x5C0_07_0001
_CELLS = 16


class Figure(enum.IntEnum):
    """What a slot's file holds, each a whole number of 64 bits at this place.

    Of what was queued, all was sent or dropped (`SEND`, `RESOLVE`, `OVERSIZE`), but for the one datagram that
    a killed process had under way. What is dropped as `FULL` or `INVALID` was never queued.
    """

    OPEN = 1
    """1 while a process holds the slot and may have something that it has not sent."""
    QUEUED = 2
    SENT = 3
    DATAGRAMS = 4
    BYTES = 5
    SEND = 6
    RESOLVE = 7
    FULL = 8
    OVERSIZE = 9
    INVALID = 10
    UNCLEAN = 11


class Slot:
    """One number of a role, held by this process until it is released or the process ends, however it ends.

    Attributes:
        number: From 0, as the `slot` label shows it.
        kept: Whether its figures are its own and outlive the process: not for the number that is shared by
            those who found none free.
    """

    def __init__(self, number: int, descriptor: int = -1) -> None:
        self.number = str(number)
        self.kept = descriptor >= 0
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._map: mmap.mmap | None = None
        self._cells = memoryview(array.array("Q", bytes(8 * _CELLS)))
        if not self.kept:
            return
        if os.fstat(descriptor).st_size != 8 * _CELLS:
            os.ftruncate(descriptor, 8 * _CELLS)
        self._map = mmap.mmap(descriptor, 8 * _CELLS)
        self._cells = memoryview(self._map).cast("Q")
        if self._cells[0] != _LAYOUT:
            self._cells[:] = memoryview(array.array("Q", [_LAYOUT, *(0 for _ in range(_CELLS - 1))]))
        if self._cells[Figure.OPEN]:
            self._cells[Figure.UNCLEAN] += 1
        self._cells[Figure.OPEN] = 1

    def add(self, figure: Figure, amount: int) -> None:
        """Add to a total."""
        with self._lock:
            self._cells[figure] += amount

    def total(self, figure: Figure) -> int:
        """A figure, over all who had this number since its file was made."""
        return self._cells[figure]

    def settled(self, *, settled: bool) -> None:
        """Say whether all that this process emitted so far has been dealt with.

        One that ends unsettled counts as an unannounced end: up to one flush interval of its samples is lost.
        """
        self._cells[Figure.OPEN] = 0 if settled else 1

    def release(self) -> None:
        """Give the number back, with all settled."""
        self._cells[Figure.OPEN] = 0
        self.leave()

    def leave(self) -> None:
        """Let go of the file without a word: for a forked child, whose parent holds the number on."""
        self._cells.release()
        if self._map is not None:
            self._map.close()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def folder() -> Path:
    """Where the files are: a folder of this user only, in the machine's temporary folder."""
    return Path(tempfile.gettempdir()) / f"scout-{os.getuid()}"


def claim(role: str) -> Slot:
    """The smallest number of a role that no other living process of this user holds.

    It is held by a lock that the kernel gives back when the process ends. So a restarted process continues
    its predecessor's series, and a crash loop makes no new ones.

    Args:
        role: A value of the `role` label.
    """
    try:
        folder().mkdir(mode=0o700, exist_ok=True)
        for number in range(MOST_SLOTS):
            path = folder() / f"{role}-{number}.slot"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return Slot(number, descriptor)
            except BlockingIOError:
                os.close(descriptor)
    except (OSError, ValueError):
        pass  # no place for the files: better one shared number than no figures
    return Slot(MOST_SLOTS)

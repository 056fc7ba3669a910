"""Ready answers: made once, then served as they are, from memory or from a file."""

from __future__ import annotations

import collections
import os
import tempfile
import threading
from collections.abc import Hashable
from typing import NamedTuple


class Ready(NamedTuple):
    """An answer as it goes on the wire: its version (ETag) and its gzipped bytes."""

    tag: str
    packed: bytes


class InMemory:
    """The answers last asked for, up to `limit` bytes of them; safe for many threads.

    Gzipped they are a sixth of their size, so that a world of thousands of boards fits.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._answers: collections.OrderedDict[Hashable, Ready] = collections.OrderedDict()
        self._lock = threading.Lock()

    def get(self, ask: Hashable) -> Ready | None:
        """The answer to `ask`, if it is still here."""
        with self._lock:
            found = self._answers.get(ask)
            if found is not None:
                self._answers.move_to_end(ask)
            return found

    def put(self, ask: Hashable, answer: Ready) -> None:
        """Keep an answer; the ones longest unused make room for it."""
        with self._lock:
            if ask in self._answers:
                return
            self._answers[ask] = answer
            self._size += len(answer.packed)
            while self._size > self._limit and self._answers:
                _, gone = self._answers.popitem(last=False)
                self._size -= len(gone.packed)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._answers.clear()
            self._size = 0

    def close(self) -> None:
        """Nothing is to be closed."""


class InFile:
    """All answers, in one file without a name that ends with the process; only their places are in memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="boards-")  # noqa: SIM115 - as long as the simulator
        self._places: dict[Hashable, tuple[str, int, int]] = {}
        self._end = 0
        self._lock = threading.Lock()

    def get(self, ask: Hashable) -> Ready | None:
        """The answer to `ask`, if it was put here."""
        found = self._places.get(ask)
        if found is None:
            return None
        tag, start, size = found
        return Ready(tag, os.pread(self._file.fileno(), size, start))

    def put(self, ask: Hashable, answer: Ready) -> None:
        """Keep an answer for good."""
        with self._lock:
            os.pwrite(self._file.fileno(), answer.packed, self._end)
            self._places[ask] = (answer.tag, self._end, len(answer.packed))
            self._end += len(answer.packed)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._places.clear()
            self._end = 0
            os.ftruncate(self._file.fileno(), 0)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

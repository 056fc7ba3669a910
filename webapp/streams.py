"""Streams of server-sent events: few at once, each for a short while.

The server has a few threads a process, and a stream holds one of them while it lasts. So there are only so
many in a process, whoever comes after those asks now and then instead; each ends after a while, and the
browser begins the next (WHATWG HTML standard, "Server-sent events"); and one whose browser is gone ends with
its next line, which comes every few seconds even if there is nothing to tell.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Self

from flask import Response, stream_with_context

from metrics import catalogue
from metrics.instruments import in_progress

if TYPE_CHECKING:
    from types import TracebackType

#: Streams of one process at once; half of its threads (`webapp/gunicorn.conf.py`).
MOST = 2
#: Seconds that a stream lasts. Behind most proxies a minute without an end is one too many.
LASTS = 50.0
#: Seconds between two looks at what there is to tell.
EVERY = 1.0
#: Seconds after which something is sent though there is nothing to tell.
HEARTBEAT = 5.0
#: Milliseconds after which a browser whose stream ended begins the next.
AGAIN = 1000

#: Whether this process is about to end: its streams are not waited for then. The server says so.
_leaving: list[Callable[[], bool]] = []


def end_when(leaving: Callable[[], bool]) -> None:
    """End this process's streams, from their next look on, when a question is answered by yes."""
    _leaving[:] = [leaving]


class Places:
    """The places for streams in a process."""

    def __init__(self, most: int = MOST) -> None:
        self._free = threading.BoundedSemaphore(most)

    def take(self) -> Place | None:
        """A place, or None if all are taken."""
        if not self._free.acquire(blocking=False):
            catalogue.SCAN_STREAMS.inc(outcome="refused")
            return None
        catalogue.SCAN_STREAMS.inc(outcome="opened")
        return Place(self._free)


class Place:
    """A place for one stream, taken until `leave`."""

    def __init__(self, free: threading.BoundedSemaphore) -> None:
        self._free = free
        self._lock = threading.Lock()
        self._left = False
        self._shown = in_progress(catalogue.SCAN_STREAMS_OPEN)
        self._token = self._shown.enter()

    def leave(self) -> None:
        """Give it back. Doing so twice does no harm."""
        with self._lock:
            if self._left:
                return
            self._left = True
        self._shown.leave(self._token, None)
        self._free.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


def event(name: str, text: str) -> str:
    """One event as it is sent: a line for each of the text's."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n"


def stream(place: Place, look: Callable[[], tuple[str, bool]], *, lasts: float | None = None) -> Response:
    """An answer that tells what changes, until there is nothing more to tell or its time is over.

    Args:
        place: Where it is; given back when the answer is closed, also one that was never read.
        look: What there is to tell now, and whether that is the end of it.
        lasts: Seconds until it ends; None for LASTS.
    """
    answer = Response(
        stream_with_context(_told(look, LASTS if lasts is None else lasts)), mimetype="text/event-stream"
    )
    answer.call_on_close(place.leave)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"  # nginx would keep it until there is more
    return answer


def _told(look: Callable[[], tuple[str, bool]], lasts: float) -> Iterator[str]:
    until = time.monotonic() + lasts
    sent, sent_at = "", time.monotonic()
    yield f"retry: {AGAIN}\n\n"
    while True:
        text, over = look()
        now = time.monotonic()
        if text != sent:
            sent, sent_at = text, now
            yield event("progress", text)
        elif now - sent_at >= HEARTBEAT:
            sent_at = now
            yield ": nothing new\n\n"
        if over:
            yield event("end", "")
            return
        if now >= until or any(leaving() for leaving in _leaving):
            return
        time.sleep(EVERY)

"""The one loop that each embedded program runs in, until it is told to stop."""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class Loop:
    """Calls who is ready, sweeps once a second, and ends at SIGTERM or SIGINT.

    Attributes:
        selector: Where sockets are registered; a key's data is called with the events.
    """

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self._running = True
        self._reload: Callable[[], None] | None = None
        self._reload_wanted = False
        # A signal writes a byte here, so that it wakes a loop that waits.
        self._wake, self._waker = socket.socketpair()
        self._wake.settimeout(0)
        self._waker.settimeout(0)
        self.selector.register(self._wake, selectors.EVENT_READ, self._woken)

    def catch_signals(self, on_hangup: Callable[[], None] | None = None) -> None:
        """Stop at SIGTERM and SIGINT; call `on_hangup` between two rounds after a SIGHUP."""
        self._reload = on_hangup
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._hang_up)

    def stop(self) -> None:
        """End the loop after this round."""
        self._running = False

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self._reload_wanted = True

    def _woken(self, _events: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake.recv(4096)

    def run(self, sweep: Callable[[], None]) -> None:
        """Run until a signal ends it; `sweep` is called once a second."""
        due = time.monotonic() + 1
        while self._running:
            for key, events in self.selector.select(max(due - time.monotonic(), 0)):
                # An earlier call of this round may have closed what this one is for.
                if key.fd in self.selector.get_map():
                    key.data(events)
            if self._reload_wanted:
                self._reload_wanted = False
                if self._reload is not None:
                    self._reload()
            if time.monotonic() >= due:
                sweep()
                due = time.monotonic() + 1

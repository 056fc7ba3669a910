"""Writing a line where it is read, without ever waiting for who reads it.

A pipe that nobody empties fills up after 64 KiB, and whoever writes to it then stands still: a web server
would, for its log. So pipes and sockets are written to without waiting, and a line that is not taken is lost
and counted. Files and terminals take what they get.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import stat
from collections.abc import Callable

#: Seconds that the rest of a long line may take, once the pipe took its beginning: up to 4096 bytes a pipe
#: takes whole or not at all (pipe(7), PIPE_BUF).
_PATIENCE = 0.05


class Writer:
    """Writes whole lines to a descriptor.

    Args:
        descriptor: Where to; it stays open and as it is, as others write to it too.
    """

    def __init__(self, descriptor: int) -> None:
        self._send: Callable[[bytes], int]
        self._descriptor = descriptor
        self._torn = False
        try:
            kind = os.fstat(descriptor).st_mode
        except OSError:  # it was closed before we began
            kind = 0
        if stat.S_ISSOCK(kind):
            self._socket = socket.socket(fileno=os.dup(descriptor))
            self._send = lambda data: self._socket.send(data, socket.MSG_DONTWAIT)
        else:
            if stat.S_ISFIFO(kind):
                # Its own way into the same pipe: not to wait is a matter of each opening (open(2)), and those
                # who share ours may want to wait.
                with contextlib.suppress(OSError):
                    self._descriptor = os.open(
                        f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
                    )
            self._send = lambda data: os.write(self._descriptor, data)

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads it as it comes."""
        return os.isatty(self._descriptor)

    def write(self, line: bytes) -> bool:
        """Write a line, which ends with its newline; whether all of it was taken."""
        left = b"\n" + line if self._torn else line
        try:
            left = left[self._send(left) :]
            self._torn = bool(left)
            while left and self._has_room():
                left = left[self._send(left) :]
        except OSError:  # nobody reads any more, or not now
            pass
        self._torn = self._torn and bool(left)
        return not left

    def _has_room(self) -> bool:
        descriptor = self._socket.fileno() if hasattr(self, "_socket") else self._descriptor
        waiting = select.poll()
        waiting.register(descriptor, select.POLLOUT)
        return bool(waiting.poll(_PATIENCE * 1000))

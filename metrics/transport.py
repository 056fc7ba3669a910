"""The socket to the exporter: UDP or Unix datagrams, never blocking for long, never raising."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import time
from typing import Literal
from urllib.parse import urlsplit

from metrics import wire

Outcome = Literal["sent", "send", "resolve", "oversize"]

#: Seconds after which a host name is looked up again, although all is well.
RESOLVE_EVERY = 60.0
#: Seconds between two look-ups while they fail or the exporter does not answer: doubled up to the last.
_BACK_OFF = (1.0, 60.0)
#: The longest wait for room in the socket's buffer, in seconds, per datagram.
_PATIENCE = 0.05
_FULL = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM}


def _encoded(host: str) -> bytes:
    try:
        return host.encode("ascii" if host.isascii() else "idna")
    except UnicodeError:
        return b"."  # a name that has no address, as everybody will be told


class Transport:
    """One datagram socket, connected, so that the kernel tells when nobody listens at the other end.

    A refusal on a connected UDP socket is reported by the call after the datagram that was refused. On one
    host it is there at once, so it is asked for after every datagram, and the right datagram counts as lost.

    Attributes:
        limit: The largest datagram in bytes.
        restarted: Raised when the exporter came back, or moved; whoever acts on it lowers it.
        late: Samples whose datagram was refused only after it had counted as sent; whoever counts them lowers
            it.
    """

    def __init__(self, url: str) -> None:
        """Take the address apart; nothing is looked up or opened yet.

        Args:
            url: `udp://host:port` or `unixgram:///path`.

        Raises:
            ValueError: The address is neither.
        """
        split = urlsplit(url)
        # As bytes: a text's look-up would import a codec, in a thread, and the child of a process that forks
        # at that moment has half a module for ever.
        self._host = b""
        self._path = ""
        self._port = 0
        if split.scheme == "udp" and split.hostname and split.port:
            self._host, self._port = _encoded(split.hostname), split.port
            self.limit = wire.UDP_LIMIT
        elif split.scheme == "unixgram" and not split.netloc and split.path.startswith("/"):
            self._path = split.path
            self.limit = wire.UNIX_LIMIT
        else:
            raise ValueError(f"{url!r}: write udp://host:port or unixgram:///path")
        self._socket: socket.socket | None = None
        self._found: tuple[int, tuple[object, ...]] | None = None
        self._next_look_up = 0.0
        self._wait = 0.0
        self._absent = self._answered = False
        self._last = 0
        self.restarted = False
        self.late = 0

    def resolve(self) -> None:
        """Look the host up if that is due. It may take long: never in a caller's thread."""
        if not self._host or time.monotonic() < self._next_look_up:
            return
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            found = []
        if found and not self._absent:
            self._wait = RESOLVE_EVERY
        else:
            self._wait = min(max(self._wait * 2, _BACK_OFF[0]), _BACK_OFF[1]) if self._wait else _BACK_OFF[0]
        self._next_look_up = time.monotonic() + self._wait
        known = [(family, address) for family, _, _, _, address in found]
        if known and self._found not in known:
            self.restarted = self.restarted or self._found is not None
            self._found = known[0]
            self.close()

    def resolve_numeric(self) -> None:
        """Take an address that is written in numbers, which asks nobody and so never waits."""
        if self._host and self._found is None:
            with contextlib.suppress(OSError, UnicodeError):
                numeric = socket.AI_NUMERICHOST
                found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM, flags=numeric)
                self._found = (found[0][0], found[0][4])

    @property
    def ready(self) -> bool:
        """Whether the address is known."""
        return bool(self._path) or self._found is not None

    def check(self) -> None:
        """Hear what the kernel learnt since the last datagram: that it was refused, or nothing."""
        if self._socket is None:
            return
        try:
            refused = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError:
            self.close()
            return
        if refused:
            self._late_refusal()
        elif self._absent and self._answered:
            self._back()

    def send(self, datagram: bytes, samples: int) -> Outcome:
        """Hand one datagram to the kernel: `sent`, or why not. Waits 50 ms at most for room in the buffer.

        Args:
            datagram: At most `limit` bytes.
            samples: How many samples are in it.
        """
        for last in (False, True):
            sender = self._opened()
            if sender is None:
                break
            try:
                self._hand_over(sender, datagram)
                refused = sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    return "oversize"
                if error.errno in _FULL:
                    return "send"
                if error.errno == errno.ECONNREFUSED and self._host and not last:
                    self._late_refusal()  # about an earlier datagram; being told has cleared it
                else:
                    self._refused(reopen=True)
                continue
            if refused:
                self._refused(reopen=False)
                return "send"
            self._last = samples
            if self._absent and self._answered:
                self._back()
            self._answered = True
            return "sent"
        return "send" if self.ready else "resolve"

    def _late_refusal(self) -> None:
        self.late += self._last
        self._refused(reopen=False)

    def _refused(self, *, reopen: bool) -> None:
        self._last = 0
        self._answered = False
        if not self._absent:
            self._absent = True
            self._wait = 0.0
            self._next_look_up = 0.0  # it may have moved
        if reopen:
            self.close()

    def _back(self) -> None:
        # Two datagrams in a row were not refused: one alone may only not have been refused yet.
        self._absent = False
        self.restarted = True

    def _hand_over(self, sender: socket.socket, datagram: bytes) -> None:
        try:
            sender.send(datagram)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            # The other end of a Unix socket is behind, or the interface's queue is full: a moment helps.
            poll = select.poll()
            poll.register(sender, select.POLLOUT)
            poll.poll(_PATIENCE * 1000)
            sender.send(datagram)

    def _opened(self) -> socket.socket | None:
        if self._socket is not None:
            return self._socket
        opened = None
        try:
            if self._path:
                opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                opened.setblocking(False)  # noqa: FBT003 - its only parameter
                opened.connect(self._path)
            elif self._found:
                family, address = self._found
                opened = socket.socket(family, socket.SOCK_DGRAM)
                opened.setblocking(False)  # noqa: FBT003 - its only parameter
                opened.connect(address)
            else:
                return None
        except OSError:
            if opened is not None:
                opened.close()
            self._refused(reopen=False)
            return None
        self._socket = opened
        return opened

    def close(self) -> None:
        """Close the socket; the next datagram opens a new one."""
        closing, self._socket = self._socket, None
        if closing is not None:
            with contextlib.suppress(OSError):
                closing.close()

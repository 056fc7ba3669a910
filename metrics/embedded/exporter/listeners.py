"""Where StatsD comes in: UDP, Unix datagrams, TCP lines."""

from __future__ import annotations

import os
import selectors
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from metrics.embedded import web
from metrics.embedded.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable

    from metrics.embedded.exporter.counts import Counts

_LARGEST_DATAGRAM = 65535
#: Datagrams taken in one go before a waiting page gets its turn.
_ROUND = 256
#: What we ask the kernel to hold for us while a page is written; it gives what its limits allow.
_READ_BUFFER = 4 * 1024 * 1024
#: The real program reads TCP through a buffer of this size, and a line must fit in.
_LONGEST_TCP_LINE = 4096
_MOST_TCP = 64


class Datagrams:
    """A datagram socket whose packets go to `take`."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        bound: socket.socket,
        take: Callable[[list[bytes]], None],
        read_buffer: int = 0,
    ) -> None:
        self._socket = bound
        self._take = take
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, read_buffer or _READ_BUFFER)
        selector.register(bound, selectors.EVENT_READ, self._ready)

    def _ready(self, _events: int) -> None:
        packets = []
        receive = self._socket.recv
        try:
            for _ in range(_ROUND):
                packets.append(receive(_LARGEST_DATAGRAM))  # noqa: PERF401  # it ends by an exception
        except BlockingIOError:
            pass
        except OSError:
            pass  # An error that an earlier answer left on the socket; the next read is a new one.
        if packets:
            self._take(packets)


def unix_socket(path: Path, mode: str) -> socket.socket:
    """A bound Unix datagram socket.

    The real program starts only where nothing has that path. We also take over a socket that nobody listens
    at any more, so that a killed exporter can come back by itself.

    Raises:
        StartError: Something has that path, or it cannot be made.
    """
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bound.settimeout(0)
    try:
        _make_room(path)
        bound.bind(str(path))
        path.chmod(int(mode, 8))
    except OSError as error:
        bound.close()
        raise StartError(f"Cannot listen at the Unix socket {path}: {error.strerror or error}.") from None
    except ValueError:
        bound.close()
        raise StartError(f"{mode!r} is no mode for a Unix socket: write it as 755.") from None
    except StartError:
        bound.close()
        raise
    return bound


def _make_room(path: Path) -> None:
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode) or _answers(path):
        raise StartError(f"The Unix socket {path} is there already. Remove it, or stop who uses it.")
    path.unlink()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def kernel_drops(bound: socket.socket) -> int:
    """How many packets the kernel dropped because this UDP socket was full; 0 where it does not tell."""
    inode = str(os.fstat(bound.fileno()).st_ino)
    table = "/proc/net/udp6" if bound.family == socket.AF_INET6 else "/proc/net/udp"
    try:
        with open(table, encoding="ascii") as rows:  # noqa: PTH123  # read line by line
            for row in rows:
                columns = row.split()
                if len(columns) > 12 and columns[9] == inode:  # noqa: PLR2004  # columns of proc_net_udp(5)
                    return int(columns[12])
    except OSError:
        pass
    return 0


class Lines:
    """A TCP socket whose connections bring lines. Rule L1."""

    def __init__(
        self, selector: selectors.BaseSelector, where: str, counts: Counts, take: Callable[[bytes], None]
    ) -> None:
        self._selector = selector
        self._counts = counts
        self._take = take
        self._listener = web.bind(socket.SOCK_STREAM, where)
        self.address = web.shown(self._listener)
        self._open: set[socket.socket] = set()
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _accept(self, _events: int) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return
        if len(self._open) >= _MOST_TCP:
            accepted.close()
            self._counts.tcp_connection_errors += 1
            return
        self._counts.tcp_connections += 1
        accepted.settimeout(0)
        self._open.add(accepted)
        buffer = bytearray()
        self._selector.register(accepted, selectors.EVENT_READ, lambda _events: self._read(accepted, buffer))

    def _read(self, connection: socket.socket, buffer: bytearray) -> None:
        try:
            data = connection.recv(_LARGEST_DATAGRAM)
        except BlockingIOError:
            return
        except OSError:
            self._counts.tcp_connection_errors += 1
            self._close(connection)
            return
        buffer += data
        *whole, rest = buffer.split(b"\n")
        if not data and rest:
            whole, rest = [*whole, rest], bytearray()
        for line in whole:
            if len(line) >= _LONGEST_TCP_LINE:
                rest = line
                break
            self._take(bytes(line.removesuffix(b"\r")))
        if len(rest) >= _LONGEST_TCP_LINE:
            self._counts.tcp_too_long_lines += 1
            self._close(connection)
            return
        buffer[:] = rest
        if not data:
            self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        self._open.discard(connection)
        connection.close()

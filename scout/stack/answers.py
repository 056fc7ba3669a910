"""Whether a part of this stack answers: the smallest possible questions, asked of our own processes only."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

#: Seconds that a part may take for one answer.
_PATIENCE = 0.5


def redis(path: Path) -> bool:
    """Whether the Redis on this Unix socket answers a PING, and is done loading."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(str(path))
        connection.sendall(b"PING\r\n")
        return connection.recv(64).startswith(b"+PONG")
    return False


def port(host: str, number: int) -> bool:
    """Whether anything listens on this TCP port."""
    with contextlib.suppress(OSError), socket.create_connection((host, number), timeout=_PATIENCE):
        return True
    return False


def page(host: str, number: int, path: str) -> bool:
    """Whether this page answers with status 200."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection((host, number), timeout=_PATIENCE) as connection,
    ):
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}:{number}\r\n\r\n".encode("ascii"))
        head = connection.recv(64).split(b" ", 2)
        return len(head) > 1 and head[1] == b"200"
    return False

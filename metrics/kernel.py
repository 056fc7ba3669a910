"""What the kernel knows of the StatsD port: datagrams that it dropped, and those that wait.

The exporter cannot see them. A datagram that finds the socket's buffer full is gone before any program reads
it, and only the kernel's own table counts it.
"""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from metrics import catalogue

if TYPE_CHECKING:
    from metrics.process import Sampler

#: proc_net_udp(5). Sockets of other network namespaces, a container's for one, are not in them.
TABLES = (Path("/proc/net/udp"), Path("/proc/net/udp6"))
_LOCAL, _QUEUES, _DROPS = 1, 4, 12


def port_here(url: str) -> int | None:
    """The UDP port of a StatsD address, if it is one of this host, whose kernel knows its socket."""
    split = urlsplit(url)
    return split.port if split.hostname in {"127.0.0.1", "::1", "localhost", socket.gethostname()} else None


def receive_drops(port: int, tables: tuple[Path, ...] = TABLES) -> tuple[int, int] | None:
    """What the kernel dropped at a UDP port of this host, and what waits there.

    Args:
        port: The port.
        tables: The kernel's tables of UDP sockets.

    Returns:
        Datagrams dropped since the sockets of that port were opened, and the bytes that wait in them, with
        the kernel's own overhead. None where no socket of this host has that port, or the kernel has no such
        tables.
    """
    drops = waiting = 0
    found = False
    for table in tables:
        with contextlib.suppress(OSError), table.open(encoding="ascii") as rows:
            for row in rows:
                columns = row.split()
                if len(columns) <= _DROPS or not columns[_LOCAL].endswith(f":{port:04X}"):
                    continue
                found = True
                drops += int(columns[_DROPS])
                waiting += int(columns[_QUEUES].partition(":")[2], 16)
    return (drops, waiting) if found else None


def watching(port: int) -> Sampler:
    """A sampler for `metrics.process.also` that tells of this port. One process of a host is enough."""

    def sample(role: str, slot: str) -> None:
        del role, slot
        found = receive_drops(port)
        if found is not None:
            catalogue.RECEIVE_DROPS.set(found[0])
            catalogue.RECEIVE_QUEUE.set(found[1])

    return sample

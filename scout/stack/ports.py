"""Whether the ports that this stack wants are free, and who holds those that are not."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scout.stack.problems import CannotStart

#: Socket states in /proc/net/tcp and /proc/net/udp: listening, and bound without a peer (proc(5)).
_LISTENING, _BOUND = "0A", "07"


@dataclass(frozen=True, slots=True)
class Port:
    """A port that this stack will listen on.

    Attributes:
        purpose: What listens there, for the sentence.
        variable: The setting that changes it.
        host: The address to listen on.
        number: The port.
        protocol: "tcp" or "udp".
    """

    purpose: str
    variable: str
    host: str
    number: int
    protocol: Literal["tcp", "udp"] = "tcp"


def check(ports: Iterable[Port]) -> None:
    """See that every port is free, and that no two parts want the same one.

    Raises:
        CannotStart: One is not; the text names it, its holder where the kernel tells, and its setting.
    """
    seen: dict[tuple[str, int], Port] = {}
    for port in ports:
        other = seen.setdefault((port.protocol, port.number), port)
        if other is not port:
            raise CannotStart(
                f"Port {port.number} is set for both {other.purpose} and {port.purpose}: "
                f"give {port.variable} another number."
            )
        _check(port)


def _check(port: Port) -> None:
    try:
        _bind(port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            who = holder(port.number, port.protocol)
            raise CannotStart(
                f"Port {port.number} ({port.purpose}) is taken{f' by {who}' if who else ''}: "
                f"stop that, or set {port.variable} to a free port."
            ) from None
        if error.errno == errno.EACCES:
            raise CannotStart(
                f"Port {port.number} ({port.purpose}) may not be opened by this user: "
                f"set {port.variable} to a port above 1023."
            ) from None
        raise CannotStart(
            f"Cannot listen on {port.host}:{port.number} ({port.purpose}): {error.strerror or error}. "
            f"Check SCOUT_HOST and {port.variable}."
        ) from None


def _bind(port: Port) -> None:
    kind = socket.SOCK_STREAM if port.protocol == "tcp" else socket.SOCK_DGRAM
    family, _, _, _, address = socket.getaddrinfo(port.host, port.number, type=kind)[0]
    with socket.socket(family, kind) as probe:
        if port.protocol == "tcp":
            # As the servers do: a connection that is still closing does not count as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        if port.protocol == "tcp":
            probe.listen(1)


def free(host: str = "127.0.0.1", first: int = 0) -> int:
    """A TCP port that is free now: `first` when it is, else one of the kernel's choice."""
    for number in (first, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, number))
                probe.listen(1)
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotStart(f"No port is free on {host}.")


def holder(number: int, protocol: Literal["tcp", "udp"] = "tcp") -> str:
    """Who holds a port, as `name (pid 7)`; empty where the kernel does not tell us."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(number, protocol)}
    if sockets:
        for process in Path("/proc").glob("[0-9]*"):
            # A process may end meanwhile, and those of other users are closed to us.
            with contextlib.suppress(OSError):
                if any(_target(link) in sockets for link in (process / "fd").iterdir()):
                    name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                    return f"{name} (pid {process.name})"
    return ""


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""  # Closed meanwhile.


def _inodes(number: int, protocol: str) -> Iterable[str]:
    state = _LISTENING if protocol == "tcp" else _BOUND
    for table in (protocol, f"{protocol}6"):
        try:
            lines = Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, _, found, *rest = line.split()
            if found == state and int(local.rpartition(":")[2], 16) == number:
                yield rest[5]

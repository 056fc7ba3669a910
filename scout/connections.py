"""Connections that go only where they may, and never longer than they may.

urllib3's connections and pools, with two steps of our own. A name is looked up once, every address found is
checked, and the connection goes to an address that was checked, so that no second lookup can answer
otherwise. And every read of the socket is cut to what is left of the fetch's time, so that a server that
drips cannot hold us.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse
from urllib3.util.ssl_ import create_urllib3_context

from metrics import catalogue
from scout.addresses import refusal

#: Looks a host and port up: (family, socket address) pairs. Raises OSError when there is none.
Resolve = Callable[[str, int], Iterable[tuple[int, tuple[Any, ...]]]]


class AddressRefused(Exception):  # noqa: N818 - not an error of ours; the door names it for people
    """A name leads, or may lead, to an address that must not be reached."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"{address}: {why}")
        self.address = address
        self.why = why


class NameNotFound(Exception):  # noqa: N818 - likewise
    """A name could not be looked up.

    Attributes:
        transient: Whether trying again may help: the resolver failed, rather than answered no.
    """

    def __init__(self, why: str, *, transient: bool) -> None:
        super().__init__(why)
        self.transient = transient


class Unreachable(Exception):  # noqa: N818 - likewise
    """No connection could be made to any of a host's addresses."""


class Deadline:
    """What is left of one fetch's time. Seconds throughout."""

    def __init__(self) -> None:
        self._ends = float("inf")
        self._step = float("inf")

    def start(self, total: float, step: float) -> None:
        """Begin a fetch that may take `total`, and wait for any one answer of the network for `step`."""
        self._ends = time.monotonic() + total
        self._step = step

    def extend(self, seconds: float) -> None:
        """Give time back that the fetch spent waiting for its turn."""
        self._ends += seconds

    def left(self) -> float:
        """What is left, never below zero."""
        return max(0.0, self._ends - time.monotonic())

    def step(self, most: float | None = None) -> float:
        """How long the next step may block.

        Raises:
            TimeoutError: Nothing is left.
        """
        left = min(self.left(), self._step if most is None else most)
        if left <= 0:
            raise TimeoutError("the time for this fetch is over")
        return left


def look_up(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


@dataclass(slots=True, kw_only=True)
class Gate:
    """What every connection of one door asks before it is made.

    Attributes:
        allowed: Host and port pairs that may be reached although private.
        resolve: Looks names up; replaced in tests.
        deadline: The time left for the fetch that is under way.
        connect: Seconds that one connection may take to be made.
        kind: The kind of board, for the metrics' `kind` label.
    """

    allowed: frozenset[tuple[str, int]] = frozenset()
    resolve: Resolve = look_up
    deadline: Deadline = field(default_factory=Deadline)
    connect: float = 10.0
    kind: str = "none"

    def timed(self, step: str) -> AbstractContextManager[None]:
        """Times one step of a connection, also when it fails."""
        return catalogue.OUTBOUND_CONNECTION.time(kind=self.kind, step=step)

    def addresses(self, host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
        """The addresses of a host, looked up once; all of them checked.

        Raises:
            AddressRefused: One of them must not be reached; a mixed answer is refused whole.
            NameNotFound: There is none.
            TimeoutError: The resolver took too long.
        """
        with self.timed("look_up"):
            found = self._look_up(host, port)
        if (host, port) not in self.allowed:
            for _, address in found:
                why = refusal(str(address[0]))
                if why:
                    raise AddressRefused(str(address[0]), why)
        return found

    def _look_up(self, host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
        # The system's resolver cannot be given a timeout, so it is asked in a thread that may be left behind.
        answers: queue.SimpleQueue[list[tuple[int, tuple[Any, ...]]] | OSError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(list(self.resolve(host, port)))
            except OSError as error:
                answers.put(error)
            except UnicodeError:
                answers.put(socket.gaierror(socket.EAI_NONAME, "this is no host name"))

        if _is_literal(host):
            ask()
        else:
            threading.Thread(target=ask, name="look-up", daemon=True).start()
        try:
            answer = answers.get(timeout=self.deadline.step(self.connect))
        except queue.Empty:
            raise TimeoutError(f"looking {host} up took too long") from None
        if isinstance(answer, OSError):
            transient = getattr(answer, "errno", None) == socket.EAI_AGAIN
            raise NameNotFound(answer.strerror or str(answer), transient=transient) from answer
        if not answer:
            raise NameNotFound("it has no address", transient=False)
        return answer


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class _Socket(socket.socket):
    """A socket whose reads end with the fetch's time."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Read, for no longer than is left."""
        if self.deadline is not None:
            self.settimeout(self.deadline.step())
        return super().recv_into(*args, **kwargs)


class _TLSSocket(ssl.SSLSocket):
    """The same over TLS."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Read, for no longer than is left."""
        if self.deadline is not None:
            self.settimeout(self.deadline.step())
        return super().recv_into(*args, **kwargs)


def _open(gate: Gate, host: str, port: int) -> _Socket:
    """A connected socket to one of the host's checked addresses, tried in the resolver's order."""
    last: OSError | None = None
    for family, address in gate.addresses(host, port):
        opened = _Socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(gate.deadline.step(gate.connect))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with gate.timed("connect"):
                opened.connect(address)
        except OSError as error:
            opened.close()
            last = error
        except BaseException:
            opened.close()
            raise
        else:
            opened.deadline = gate.deadline
            return opened
    if isinstance(last, TimeoutError):
        raise last
    raise Unreachable(last.strerror if last is not None and last.strerror else str(last)) from last


@contextlib.contextmanager
def _closed_on_error(sock: socket.socket | None) -> Iterator[None]:
    """Close a socket at once when reading fails.

    The answer that was begun holds it too, and lets go only when the garbage collector comes by.
    """
    try:
        yield
    except BaseException:
        if sock is not None and (descriptor := sock.detach()) >= 0:
            os.close(descriptor)
        raise


class _Connection(HTTPConnection):
    """A plain connection through the gate."""

    def __init__(self, *args: Any, gate: Gate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gate = gate

    def _new_conn(self) -> socket.socket:
        return _open(self._gate, self.host.strip("[]"), self.port or 80)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself does
        """Read the head of the answer; one that cannot be understood takes its socket with it."""
        with _closed_on_error(self.sock):
            return super().getresponse()


class _TLSConnection(HTTPSConnection):
    """A TLS connection through the gate; the certificate is checked against the name, not the address."""

    def __init__(self, *args: Any, gate: Gate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gate = gate
        self._shaking_since: float | None = None

    def _new_conn(self) -> socket.socket:
        self._shaking_since = None
        opened = _open(self._gate, self.host.strip("[]"), self.port or 443)
        self._shaking_since = time.perf_counter()
        return opened

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself does
        """Read the head of the answer; one that cannot be understood takes its socket with it."""
        with _closed_on_error(self.sock):
            return super().getresponse()

    def connect(self) -> None:
        """Connect, shake hands, and put the encrypted socket under the deadline too."""
        try:
            super().connect()
        finally:
            # Up to here went the look-up and the connection; nothing, if there came none.
            if self._shaking_since is not None:
                took = time.perf_counter() - self._shaking_since
                catalogue.OUTBOUND_CONNECTION.observe(took, kind=self._gate.kind, step="tls")
        if isinstance(self.sock, _TLSSocket):
            self.sock.deadline = self._gate.deadline


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class Pools:
    """The open connections of one door, kept for reuse, by origin.

    Proxy settings of the environment are not read.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._pools: dict[tuple[str, str, int], HTTPConnectionPool] = {}
        self._context: ssl.SSLContext | None = None

    def pool(self, scheme: str, host: str, port: int) -> HTTPConnectionPool:
        """The connections to one origin."""
        key = (scheme, host, port)
        found = self._pools.get(key)
        if found is None:
            found = self._pools[key] = self._make(scheme, host, port)
        return found

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _make(self, scheme: str, host: str, port: int) -> HTTPConnectionPool:
        name = f"[{host}]" if ":" in host else host
        if scheme == "http":
            return _Pool(name, port, maxsize=1, block=False, gate=self._gate)
        if self._context is None:
            self._context = create_urllib3_context()
            self._context.load_default_certs()
            self._context.sslsocket_class = _TLSSocket
        return _TLSPool(name, port, maxsize=1, block=False, gate=self._gate, ssl_context=self._context)

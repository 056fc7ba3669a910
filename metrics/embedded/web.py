"""A small HTTP/1.1 server that shares its thread with other sockets: one selector, no threads.

Python's own `http.server` would need a thread per connection and twice the memory. This one knows what
Prometheus, `curl` and the client libraries use: keep-alive, bodies with a length or in chunks, `Expect:
100-continue`, answers that are written piece by piece as the other side takes them.
"""

from __future__ import annotations

import selectors
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

from metrics.embedded.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MOST_CONNECTIONS = 64
_LARGEST_HEAD = 32768
_READ = 65536
#: Seconds that a connection may stay without moving.
_PATIENCE = 60.0
_REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Request:
    """A request that came in whole.

    Attributes:
        method: The method, in capitals.
        path: The path as sent, still percent-encoded, without the query.
        headers: The headers; names in lower case, a repeated one has its last value.
        old: Whether the client speaks HTTP/1.0, which knows no chunks.
        body: The body, without the chunks' frames, still compressed if it was.
    """

    __slots__ = ("body", "headers", "method", "old", "path")

    def __init__(self, method: str, path: str, headers: dict[str, str], *, old: bool) -> None:
        self.method = method
        self.old = old
        self.path = path
        self.headers = headers
        self.body = b""


class Response:
    """An answer.

    Args:
        status: The status code.
        body: The whole body, or its pieces; pieces go out in chunks.
        content_type: The body's type.
        headers: Further headers.
    """

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self,
        status: int,
        body: bytes | str | Iterable[bytes],
        content_type: str = "text/plain; charset=utf-8",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.status = status
        self.body = body.encode() if isinstance(body, str) else body
        self.content_type = content_type
        self.headers = headers or {}


class _Refused(Exception):  # noqa: N818  # an answer, not a failure
    """A request that is answered before it is read to its end."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.response = Response(status, f"{text}\n")


def address(text: str, default_port: int = 0) -> tuple[str, int]:
    """Host and port of an address as Go's programs take it: `127.0.0.1:9102`, `:9102`, `[::1]:9102`.

    Raises:
        StartError: The text is no such address.
    """
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, str(default_port)
    host = host.removeprefix("[").removesuffix("]")
    if not port.isdecimal() or len(port) > 5 or int(port) > 65535:  # noqa: PLR2004  # the highest port there is
        raise StartError(f"{text!r} is no address to listen at: write host:port.")
    return host, int(port)


def bind(kind: socket.SocketKind, where: str) -> socket.socket:
    """A socket bound to an address, and to nothing else; without a host, to all of the machine's.

    Raises:
        StartError: The address is taken, not allowed, or not of this machine.
    """
    host, port = address(where)
    if not host:
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        target: tuple[str, int] = ("::" if family == socket.AF_INET6 else "", port)
    else:
        try:
            family, _, _, _, resolved = socket.getaddrinfo(host, port, type=kind)[0]
        except OSError as error:
            raise StartError(f"Cannot listen at {where}: the host is not known ({error.strerror}).") from None
        target = (str(resolved[0]), port)
    bound = socket.socket(family, kind)
    bound.settimeout(0)
    try:
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(bool(host)))
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(target)
        if kind == socket.SOCK_STREAM:
            bound.listen(_MOST_CONNECTIONS)
    except OSError as error:
        bound.close()
        raise StartError(
            f"Cannot listen at {where}: {error.strerror}. Stop what listens there, or choose another port."
        ) from None
    return bound


def shown(bound: socket.socket) -> str:
    """Where a socket is bound, as host:port."""
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Server:
    """Answers requests at one address.

    Args:
        selector: The loop's selector; its keys' data are called when they are ready.
        where: The address, as host:port.
        answer: What answers a request. It runs in the loop and must not wait.
        largest_body: Bodies with more bytes are refused with 413.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        where: str,
        answer: Callable[[Request], Response],
        largest_body: int = 0,
    ) -> None:
        self._selector = selector
        self._answer = answer
        self._largest_body = largest_body
        self._listener = bind(socket.SOCK_STREAM, where)
        self._connections: set[_Connection] = set()
        self.address = shown(self._listener)
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _accept(self, _events: int) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return  # The other side left already, or we are out of files: the next one may do better.
        if len(self._connections) >= _MOST_CONNECTIONS:
            accepted.close()
            return
        accepted.settimeout(0)
        self._connections.add(
            _Connection(self._selector, accepted, self._answer, self._largest_body, self._connections.discard)
        )

    def sweep(self) -> None:
        """Close the connections that did not move for a minute. Call it every second or so."""
        oldest = time.monotonic() - _PATIENCE
        for connection in [one for one in self._connections if one.moved < oldest]:
            connection.close()

    def close(self) -> None:
        """Stop listening, and close all connections."""
        self._selector.unregister(self._listener)
        self._listener.close()
        for connection in list(self._connections):
            connection.close()


class _Connection:
    """One client, from request to request."""

    __slots__ = (
        "_answer",
        "_chunks",
        "_closed",
        "_draining",
        "_framed",
        "_in",
        "_keep",
        "_largest_body",
        "_open",
        "_out",
        "_pieces",
        "_request",
        "_selector",
        "_socket",
        "_writing",
        "moved",
    )

    def __init__(
        self,
        selector: selectors.BaseSelector,
        accepted: socket.socket,
        answer: Callable[[Request], Response],
        largest_body: int,
        closed: Callable[[_Connection], None],
    ) -> None:
        self._selector = selector
        self._socket = accepted
        self._answer = answer
        self._largest_body = largest_body
        self._closed = closed
        self._in = bytearray()
        self._out = b""
        self._pieces: Iterator[bytes] | None = None
        self._request: Request | None = None
        self._chunks: bytearray | None = None
        self._keep = True
        self._framed = True
        self._open = True
        self._draining = False
        self._writing = False
        self.moved = time.monotonic()
        selector.register(accepted, selectors.EVENT_READ, self._ready)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._selector.unregister(self._socket)
            self._socket.close()
            self._closed(self)

    def _ready(self, events: int) -> None:
        self.moved = time.monotonic()
        try:
            if events & selectors.EVENT_WRITE:
                self._write()
            else:
                self._read()
            # Whatever the client sent beyond its first request is answered in turn.
            while self._open and self._in and not self._writing and self._work():
                pass
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def _read(self) -> None:
        data = self._socket.recv(_READ)
        if not data:
            self.close()
        elif not self._draining:
            self._in += data

    def _work(self) -> bool:
        """Answer the next request, if all of it is there."""
        try:
            whole = self._whole()
        except _Refused as refused:
            self._keep = False
            self._send(refused.response, "GET")
            return True
        if whole is None:
            return False
        self._request = None
        self._keep = whole.headers.get("connection", "").lower() != "close"
        self._framed = not whole.old
        self._send(self._answered(whole), whole.method)
        return True

    def _answered(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except Exception as error:  # noqa: BLE001  # whatever a request brings up, the next one is answered
            return Response(500, f"The program failed at this request: {error!r}.\n")

    def _whole(self) -> Request | None:
        if self._request is None:
            end = self._in.find(b"\r\n\r\n")
            if end < 0:
                if len(self._in) > _LARGEST_HEAD:
                    raise _Refused(431, "The request's head is too long.")
                return None
            self._request = _head(bytes(self._in[:end]))
            del self._in[: end + 4]
            chunked = "chunked" in self._request.headers.get("transfer-encoding", "").lower()
            self._chunks = bytearray() if chunked else None
            self._check_length(self._length())
            if self._request.headers.get("expect", "").lower() == "100-continue":
                # A socket that was only read from has room for one line.
                self._socket.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._chunks is not None:
            if not self._dechunk(self._chunks):
                return None
            self._request.body = bytes(self._chunks)
            self._chunks = None
        else:
            length = self._length()
            if len(self._in) < length:
                return None
            self._request.body = bytes(self._in[:length])
            del self._in[:length]
        return self._request

    def _length(self) -> int:
        text = self._request.headers.get("content-length", "0") if self._request else "0"
        if not text.isdecimal():
            raise _Refused(400, "The Content-Length is not a number.")
        # `int` takes no more than 4,300 digits, and the largest body has far fewer than twenty.
        return int(text.lstrip("0")[:20] or "0")

    def _check_length(self, length: int) -> None:
        if length > self._largest_body:
            raise _Refused(
                413, f"The body has more than {self._largest_body} bytes, which is the most taken here."
            )

    def _dechunk(self, body: bytearray) -> bool:
        """Move whole chunks from the buffer to the body; whether the last one was there."""
        while True:
            end = self._in.find(b"\r\n")
            if end < 0:
                if len(self._in) > _LARGEST_HEAD:
                    raise _Refused(400, "A chunk has no size.")
                return False
            try:
                size = int(self._in[:end].partition(b";")[0], 16)
            except ValueError:
                raise _Refused(400, "A chunk has no size.") from None
            if size < 0:
                raise _Refused(400, "A chunk has no size.")
            self._check_length(len(body) + size)
            if len(self._in) < end + 2 + size + 2:
                return False
            body += self._in[end + 2 : end + 2 + size]
            del self._in[: end + 2 + size + 2]
            if not size:
                return True

    def _send(self, response: Response, method: str) -> None:
        reason = _REASONS.get(response.status, "")
        lines = [f"HTTP/1.1 {response.status} {reason}", f"Content-Type: {response.content_type}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        body = b""
        if isinstance(response.body, bytes):
            body = response.body
            lines.append(f"Content-Length: {len(body)}")
        else:
            if self._framed:
                lines.append("Transfer-Encoding: chunked")
            if method != "HEAD":
                self._pieces = iter(response.body)
        if not self._keep:
            lines.append("Connection: close")
        self._out = ("\r\n".join(lines) + "\r\n\r\n").encode() + (b"" if method == "HEAD" else body)
        self._write()

    def _write(self) -> None:
        """Send what the other side takes now; ask for the next piece when the last one is gone."""
        if self._out:
            try:
                sent = self._socket.send(self._out)
            except BlockingIOError:
                sent = 0
            self._out = self._out[sent:]
        if not self._out and self._pieces is not None:
            self._next_piece()
        if self._out:
            self._watch(writing=True)
            return
        self._watch(writing=False)
        if not self._keep:
            # Closing now would reset the connection where a part of the request is still unread, and with it
            # the answer: say that we are done, and wait until the other side is.
            self._draining = True
            self._in.clear()
            self._socket.shutdown(socket.SHUT_WR)

    def _next_piece(self) -> None:
        assert self._pieces is not None  # noqa: S101  # only called with a page open
        try:
            piece = next(self._pieces, None)
        except Exception:  # noqa: BLE001  # an answer half sent can only be broken off
            self._pieces = None
            self._out = b""
            raise ConnectionAbortedError from None
        if piece is None:
            self._pieces = None
            self._out = b"0\r\n\r\n" if self._framed else b""
        elif piece:
            self._out = b"%x\r\n%b\r\n" % (len(piece), piece) if self._framed else piece

    def _watch(self, *, writing: bool) -> None:
        if writing != self._writing:
            self._writing = writing
            events = selectors.EVENT_WRITE if writing else selectors.EVENT_READ
            self._selector.modify(self._socket, events, self._ready)


def _head(raw: bytes) -> Request:
    lines = raw.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004  # method, target, version
        raise _Refused(400, "This is no HTTP/1.1 request.")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise _Refused(400, "A header has no colon.")
        headers[name.strip().lower()] = value.strip()
    old = words[2] == "HTTP/1.0"
    if old:
        headers["connection"] = "close"
    target = words[1]
    if not target.startswith("/"):
        # A proxy's form of the target: http://host/path.
        target = "/" + target.partition("://")[2].partition("/")[2]
    return Request(words[0], target.partition("?")[0], headers, old=old)


def decoded(segment: str) -> str:
    """A path segment without its percent signs; bytes that are no UTF-8 become replacement characters."""
    return unquote(segment)

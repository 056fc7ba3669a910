"""Small servers that answer as told: byte for byte, so that they can also answer wrongly."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from scout.settings import Settings


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


#: Bytes to send; several parts are sent one by one. None closes at once.
Reply = bytes | Iterable[bytes] | None


@dataclass
class Server:
    """A server on a port of its own."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        """Settings under which it may be reached."""
        return Settings(allow_private=frozenset({("127.0.0.1", self.port)}))


def reply(body: bytes = b"", status: int = 200, **headers: str) -> bytes:
    """A well-formed answer."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@contextlib.contextmanager
def serving(  # noqa: C901 - a server is one thing
    answer: Callable[[Asked], Reply], tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """A server whose answers `answer` gives; None closes the connection without a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.02)
    server = Server(port=listener.getsockname()[1])

    def talk(connection: socket.socket) -> None:
        if tls is not None:
            try:
                connection = tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            while not server.stop.is_set():
                first = lines.readline()
                if not first:
                    return
                headers = {}
                while (line := lines.readline().strip()) != b"":
                    name, _, value = line.partition(b":")
                    headers[name.decode().lower()] = value.strip().decode("latin-1")
                asked = Asked(
                    path=first.split()[1].decode(),
                    headers=headers,
                    method=first.split()[0].decode(),
                    body=lines.read(int(headers.get("content-length", "0"))),
                )
                server.asked.append(asked)
                parts = answer(asked)
                if parts is None:
                    return
                for part in [parts] if isinstance(parts, bytes) else parts:
                    if server.stop.is_set():
                        return
                    connection.sendall(part)
                if not isinstance(parts, bytes):
                    return

    def accept() -> None:
        while not server.stop.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                connection.settimeout(20)
                server.connections += 1
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop.set()
        thread.join()
        listener.close()

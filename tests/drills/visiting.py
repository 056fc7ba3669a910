"""People and programs at the pages, as drills need them: signed in, many at once, or up to no good."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar

from tests.waiting import wait_until

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """A browser with its own cookies.

    Args:
        url: Where the pages are.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._opener.addheaders = [("Accept", "text/html")]

    def sign_in(self, password: str) -> int:
        """Fill in the form of the front page; the answer's status."""
        return self.post("/sign-in", password=password, csrf_token=self.token("/sign-in"))

    def token(self, path: str) -> str:
        """The token of a page's form, which is asked for until that very page answers."""
        return wait_until(self._token, path, what=f"the form of {path}")

    def _token(self, path: str) -> str | None:
        try:
            with self._opener.open(self._url + path, timeout=60) as answer:
                found = _TOKEN.search(answer.read().decode())
                return found[1] if found and answer.url == self._url + path else None
        except OSError:
            return None

    def get(self, path: str, **headers: str) -> int:
        """The status of a page; 0 where there is no answer."""
        return self._status(urllib.request.Request(self._url + path, headers=headers))

    def post(self, path: str, **fields: str) -> int:
        """The status of a form that was sent; 0 where there is no answer."""
        data = urllib.parse.urlencode(fields).encode()
        return self._status(
            urllib.request.Request(
                self._url + path, data, headers={"Origin": self._url, "Referer": f"{self._url}/"}
            )
        )

    def _status(self, request: urllib.request.Request) -> int:
        try:
            with self._opener.open(request, timeout=60) as answer:
                answer.read()
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0


@contextlib.contextmanager
def crowd(visitor: Visitor, path: str, people: int, pause: float = 0.0) -> Iterator[None]:
    """Many people who look at one page, again and again, until the block's end."""
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            visitor.get(path)
            over.wait(pause)

    threads = [threading.Thread(target=look, daemon=True) for _ in range(people)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(60)


@contextlib.contextmanager
def half_requests(address: tuple[str, int], count: int) -> Iterator[None]:
    """Connections on which a request begins and does not go on, until the block's end."""
    with contextlib.ExitStack() as opened:
        for _ in range(count):
            connection = opened.enter_context(socket.create_connection(address, timeout=10))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        yield

"""What the exporters hold, as one page.

The requests made here are the one exception to the fetch door (`scout/fetch.py`): they go to the exporter
and the gateway of this stack, whose addresses come from our own settings and are private by nature. Nothing
that a user or a board says can change where they go.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from metrics import exposition
from metrics.instruments import count_error

if TYPE_CHECKING:
    from scout.settings import Settings

#: Seconds: to connect and for each read, and for the whole answer.
_PATIENCE, _IN_ALL = 2.0, 6.0
#: Bytes of one page: far past what bounded labels can fill.
_MOST = 64 * 1024 * 1024
_CHUNK = 64 * 1024


class Unreachable(Exception):  # noqa: N818 - reads as the sentence that it is
    """An exporter did not give its page. The text is a few words that say why."""


def merged_page(settings: Settings) -> Iterator[bytes]:
    """The pages of the exporter and of the gateway, merged, and for each whether it could be had."""
    pages: list[Iterable[bytes]] = []
    up: list[bytes] = [
        b"# HELP scout_exposition_up Whether a part of this page could be fetched.\n",
        b"# TYPE scout_exposition_up gauge\n",
    ]
    for part, origin in (("statsd_exporter", settings.exporter), ("pushgateway", settings.pushgateway)):
        try:
            pages.append([_fetch(f"{origin}/metrics")])
            answered = 1
        except Unreachable as why:
            count_error(why, "web")
            yield f"# {part} could not be read: {why}\n".encode()
            answered = 0
        up.append(f'scout_exposition_up{{part="{part}"}} {answered}\n'.encode())
    yield from exposition.merged(pages)
    yield from up


def _fetch(url: str) -> bytes:
    split = urlsplit(url)
    opened = HTTPSConnection if split.scheme == "https" else HTTPConnection
    deadline = time.monotonic() + _IN_ALL
    connection = opened(split.hostname or "", split.port, timeout=_PATIENCE)
    try:
        connection.request("GET", split.path or "/", headers={"Accept": "text/plain;version=0.0.4"})
        answer = connection.getresponse()
        if answer.status != 200:  # noqa: PLR2004 - the only answer that carries the page
            raise Unreachable(f"it answered {answer.status}")
        body = bytearray()
        while chunk := answer.read1(_CHUNK):
            body += chunk
            if len(body) > _MOST:
                raise Unreachable("its page is too large")
            if time.monotonic() > deadline:
                raise Unreachable("it took too long")
        return bytes(body)
    except TimeoutError:
        raise Unreachable("it did not answer in time") from None
    except (OSError, HTTPException) as error:
        raise Unreachable(f"{type(error).__name__}") from error
    finally:
        connection.close()

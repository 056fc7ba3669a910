"""Asking the parts of this stack over HTTP: the exporter, the gateway, Prometheus.

The requests made here are an exception to the fetch door (`scout/fetch.py`): they go to parts whose addresses
come from our own settings and are private by nature. Nothing that a user or a board says can change where
they go. No redirect is followed, and no proxy of the environment is used.
"""

from __future__ import annotations

import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

#: Seconds: to connect and for each read, and for the whole answer.
PATIENCE, IN_ALL = 2.0, 6.0
#: Bytes of one answer: far past what bounded labels can fill.
_MOST = 64 * 1024 * 1024
_CHUNK = 64 * 1024


class Unreachable(Exception):  # noqa: N818 - reads as the sentence that it is
    """A part did not give what it was asked for. The text is a few words that say why."""


def fetch(
    url: str, *, accept: str = "text/plain;version=0.0.4", patience: float = PATIENCE, in_all: float = IN_ALL
) -> bytes:
    """The body of a part's answer.

    Args:
        url: What to ask for; its origin is a setting.
        accept: The media type wanted.
        patience: Seconds to connect, and for each read.
        in_all: Seconds for the whole answer.

    Raises:
        Unreachable: It did not answer with 200, in time, and with no more than 64 MB.
    """
    split = urlsplit(url)
    opened = HTTPSConnection if split.scheme == "https" else HTTPConnection
    deadline = time.monotonic() + in_all
    connection = opened(split.hostname or "", split.port, timeout=patience)
    try:
        target = (split.path or "/") + (f"?{split.query}" if split.query else "")
        connection.request("GET", target, headers={"Accept": accept})
        answer = connection.getresponse()
        if answer.status != 200:  # noqa: PLR2004 - the only answer that carries what was asked for
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

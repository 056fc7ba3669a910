"""The one door out: every request to the outside goes through here."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any


class Reason(enum.StrEnum):
    """Why a board could not be read: the `reason` label, and a name that pages and the command line show."""

    ADDRESS = "address"
    SCHEME = "scheme"
    URL = "url"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    REDIRECTS = "redirects"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    GONE = "gone"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    HTTP_STATUS = "http_status"
    BOT_CHALLENGE = "bot_challenge"
    EMPTY = "empty"
    NOT_A_LISTING = "not_a_listing"
    UNPARSED = "unparsed"
    VANISHED = "vanished"
    WORKER_DIED = "worker_died"
    INTERNAL = "internal"


class FetchError(Exception):
    """A fetch failed.

    Attributes:
        reason: Its name.
        text: One or two sentences for the owner: what failed, why, what to do.
        retry_after: Seconds that the server asked us to wait, or None.
    """

    def __init__(self, reason: Reason, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one fetch may cost. Seconds and decoded bytes."""

    connect: float = 10.0
    read: float = 20.0
    total: float = 60.0
    size: int = 32 * 1024 * 1024
    redirects: int = 5
    tries: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: an answer of the 200s, or a 304 when validators were given."""

    url: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Door:
    """Opens connections to the outside, for one kind of board at a time."""

    def __init__(self, settings: Any, *, kind: str, limits: Limits | None = None) -> None:
        self.kind = kind

    def get(self, url: str, *, headers: dict[str, str] | None = None, limits: Limits | None = None) -> Answer:
        """Fetch `url`.

        Raises:
            FetchError: With its reason, in words for the owner.
        """
        raise NotImplementedError

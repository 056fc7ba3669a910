"""The one door out: every request to the outside goes through here.

What it promises: http and https only, and nothing but reading (`get`, and `post_json` for boards whose lists
are asked for by POST); the address that is connected to was checked, at every redirect anew; a fetch ends
within its time and holds no more than its size, whatever the server does; only transient failures are tried
again; and each failure has a name and a sentence for the owner.
"""

from __future__ import annotations

import contextlib
import email.utils
import enum
import functools
import importlib.metadata
import ipaddress
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import quote, urljoin

import urllib3
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    IncompleteRead,
    InvalidHeader,
    LocationParseError,
    NewConnectionError,
    ProtocolError,
    SSLError,
)
from urllib3.exceptions import (
    TimeoutError as PoolTimeoutError,
)
from urllib3.util import Timeout, parse_url

from metrics import catalogue
from scout import clock
from scout.connections import (
    AddressRefused,
    Deadline,
    Gate,
    NameNotFound,
    Pools,
    Resolve,
    Unreachable,
    look_up,
)
from scout.courtesy import PATIENCE, Courtesy, NotNow, Why
from scout.settings import Settings

#: The project's page, for operators of boards who wonder who is asking.
PROJECT_PAGE = "https://iam-job-scout.example/"
VERSION = importlib.metadata.version("iam-job-scout")
#: The longest that a server's Retry-After is believed, in seconds.
LONGEST_RETRY_AFTER = 6 * 3600.0


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
    NO_KEY = "no_key"
    ROBOTS = "robots"
    BUSY = "busy"
    HELD = "held"
    CIRCUIT_OPEN = "circuit_open"
    DAILY_LIMIT = "daily_limit"
    WORKER_DIED = "worker_died"
    INTERNAL = "internal"


#: The board was not asked: nothing was learned about it, and it is to be asked later.
NOT_ASKED = frozenset({Reason.BUSY, Reason.HELD, Reason.CIRCUIT_OPEN, Reason.DAILY_LIMIT})
#: The origin itself failed, whichever of its boards was asked. A name that cannot be looked up is not in it:
#: that is how this machine's own network is away.
_ORIGIN_FAILED = frozenset(
    {Reason.CONNECT, Reason.TLS, Reason.TIMEOUT, Reason.TRUNCATED, Reason.SERVER_ERROR}
)

#: Nothing was sent to the origin, so nothing is known of it.
_NOT_SENT = frozenset({*NOT_ASKED, Reason.DNS, Reason.ADDRESS, Reason.SCHEME, Reason.URL, Reason.ROBOTS})


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
    """What one fetch may cost, waits for its turns (`scout.courtesy`) aside. Seconds and decoded bytes."""

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


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was checked, in the parts that a request needs.

    Attributes:
        scheme: `http` or `https`.
        host: Lower case, no brackets, no trailing dot.
        port: Explicit, or the scheme's own.
        path: Path and query, as they go on the wire.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host, and the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{host}" + ("" if self.port == usual else f":{self.port}")

    @property
    def url(self) -> str:
        """The whole URL."""
        return self.origin + self.path


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_URL = re.compile(r"(?i:https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.DOTALL)
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*", re.ASCII)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?", re.ASCII)
_DOTTED = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!\Z)|\Z)){4}", re.ASCII)
_NUMERIC_END = re.compile(r"(?:\A|\.)(?:\d+|0x[0-9a-f]*)\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3000\ufeff]")
_MAX_URL = 4096
_CREDENTIALS = re.compile(r"//[^/?#]*@")


def check(url: str) -> Target:
    """Take a URL apart, and refuse every one that two parsers could read differently.

    Raises:
        FetchError: With the reason `scheme` or `url`, or `address` for an address in an odd spelling.
    """
    shown = _shown(url)
    if len(url) > _MAX_URL:
        raise FetchError(Reason.URL, f"The address {shown} is longer than {_MAX_URL} characters. Shorten it.")
    if _CONTROL.search(url) or "\\" in url or "%00" in url:
        raise FetchError(
            Reason.URL,
            f"The address {shown} holds a space, a control character or a backslash. Copy it again from the "
            "browser's address bar.",
        )
    scheme = _SCHEME.match(url)
    if scheme is None or scheme[1].lower() not in {"http", "https"}:
        named = f"{scheme[1].lower()}:" if scheme else "no scheme"
        raise FetchError(
            Reason.SCHEME,
            f"The address {shown} has {named}, and only http: and https: are fetched. Correct it.",
        )
    parts = _URL.fullmatch(url)
    if parts is None:
        raise FetchError(Reason.URL, f"The address {shown} has no host. Write it as https://host/path.")
    authority = parts[1].lower()
    if "@" in authority:
        raise FetchError(
            Reason.URL, f"The address {shown} holds a user name or an @ before its host. Leave that out."
        )
    host, port = _host_and_port(authority, scheme[1].lower(), shown)
    path = quote((parts[2] or "/") + (parts[3] or ""), safe="/?:@!$&'()*+,;=-._~%[]")
    target = Target(scheme[1].lower(), host, port, path)
    try:
        theirs = parse_url(target.url)
    except LocationParseError:
        theirs = None
    # The client's own parser has the last word: where it would go elsewhere, nobody goes.
    if theirs is None or (theirs.host or "").strip("[]") != host or (theirs.port or port) != port:
        raise FetchError(Reason.URL, f"The address {shown} can be read in two ways. Write it plainly.")
    return target


def _host_and_port(authority: str, scheme: str, shown: str) -> tuple[str, int]:
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise FetchError(
            Reason.URL,
            f"The address {shown} has no host that can be looked up. Write names outside ASCII in their "
            "xn-- form.",
        )
    port = int(found[2]) if found[2] else {"http": 80, "https": 443}[scheme]
    if not 0 < port < 65536:  # noqa: PLR2004 - the range of ports
        raise FetchError(Reason.URL, f"The address {shown} has a port that does not exist. Correct it.")
    host = found[1]
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), port
        except ValueError:
            raise FetchError(
                Reason.URL, f"The address {shown} has brackets around what is no IPv6 address. Correct it."
            ) from None
    host = host.removesuffix(".")
    if _NUMERIC_END.search(host):
        if not _DOTTED.fullmatch(host):
            raise FetchError(
                Reason.ADDRESS,
                f"The address {shown} spells its host as a number in an odd way. Write the host's name.",
            )
    elif not _NAME.fullmatch(host):
        raise FetchError(Reason.URL, f"The address {shown} has no host that can be looked up. Correct it.")
    return host, port


def _shown(url: str) -> str:
    """A URL as an error may show it: one short line, nothing invisible, and no password in it."""
    url = _CREDENTIALS.sub("//…@", url)
    text = "".join(c if c.isprintable() else "?" for c in url[:120])
    return f"“{text}{'…' if len(url) > 120 else ''}”"  # noqa: PLR2004 - a line's worth


def retry_after(value: str | None) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110, 10.2.3), from zero to six hours."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        seconds = float(value[:12])  # of more digits these are already beyond the longest wait
    else:
        try:
            when = email.utils.parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        if when.tzinfo is None:
            return None
        seconds = (when - clock.now()).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


_CHALLENGES = re.compile(
    rb"<title>just a moment|<title>attention required|cdn-cgi/challenge-platform|cf-chl-|_cf_chl_opt"
    rb"|px-captcha|geo\.captcha-delivery\.com|awswaf\.com|g-recaptcha|h-captcha|hcaptcha\.com"
    rb"|<title>access denied|are you (?:a )?(?:human|robot)|verify (?:that )?you are (?:a )?human",
    re.IGNORECASE,
)


def is_challenge(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether an answer is a page that asks its reader to prove being human. Headers by lower-case name."""
    if headers.get("cf-mitigated", "").lower() == "challenge" or "x-datadome" in headers:
        return True
    start = body[:65536].lstrip()
    return start.startswith(b"<") and _CHALLENGES.search(start) is not None


_RETRIED_STATUSES = frozenset({408, 425, 429})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONDITIONAL = frozenset({"if-none-match", "if-modified-since"})
_CROSSING = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
_CHUNK = 64 * 1024
_LENGTHS = re.compile(r"\d{1,15}", re.ASCII)


class Overrides:
    """Where requests for some origins are sent instead, as `SCOUT_ORIGIN_OVERRIDES` says.

    `https://*.recruitee.com` stands for every host below recruitee.com. An origin that is named whole goes
    before, and of two patterns the narrower one.
    """

    def __init__(self, told: Mapping[str, str]) -> None:
        self._whole: dict[str, Target] = {}
        below: list[tuple[Target, Target]] = []
        for origin, target in told.items():
            named = check(origin.replace("://*.", "://", 1))
            if "://*." in origin:
                below.append((named, check(target)))
            else:
                self._whole[named.origin] = check(target)
        self._below = sorted(below, key=lambda each: -len(each[0].host))

    @property
    def targets(self) -> list[Target]:
        """Where they lead."""
        return [*self._whole.values(), *(target for _, target in self._below)]

    def for_url(self, url: str) -> Target | None:
        """Where a request for `url` goes instead; None if it goes where it says, or nowhere."""
        try:
            return self.target(check(url))
        except FetchError:
            return None

    def target(self, asked: Target) -> Target | None:
        """Where a request goes instead; None if it goes where it says."""
        found = self._whole.get(asked.origin)
        if found is not None:
            return found
        for named, target in self._below:
            same = (asked.scheme, asked.port) == (named.scheme, named.port)
            if same and asked.host.endswith(f".{named.host}"):
                return target
        return None


def is_here(target: Target) -> bool:
    """Whether a request goes to a server on this machine, to which no courtesy is owed."""
    return target.host in {"127.0.0.1", "::1", "localhost"}


class Permit(Protocol):
    """What is asked whether an address may be asked for at all, beside what the door refuses anyway."""

    def check(self, door: Door, url: str) -> None:
        """See that it may.

        Raises:
            FetchError: It may not, or the permit could not be had.
        """
        ...


def overrides(settings: Settings) -> Overrides:
    """Where the settings send requests: taken apart once, since each scan asks."""
    return _overrides(tuple(settings.origin_overrides.items()))


@functools.lru_cache(maxsize=8)
def _overrides(told: tuple[tuple[str, str], ...]) -> Overrides:
    return Overrides(dict(told))


class _Transient(Exception):  # noqa: N818 - wraps an error that may pass
    """A failure that another try may cure."""

    def __init__(self, error: FetchError) -> None:
        super().__init__(error.text)
        self.error = error


class Door:
    """Opens connections to the outside, for one kind of board at a time. Belongs to one thread.

    Connections are kept for reuse until the door is closed; it is a context manager.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        kind: str,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
        resolve: Resolve = look_up,
        chance: Callable[[], float] = random.random,
        courtesy: Courtesy | None = None,
        permit: Permit | None = None,
    ) -> None:
        """Open the door.

        Args:
            settings: Says which origins are sent elsewhere and which private hosts may be reached.
            kind: The kind of board, for the metrics' `kind` label.
            limits: What one fetch may cost, unless a call says otherwise.
            sleep: Waits between tries; tests give one that does not.
            resolve: Looks names up; tests give one that lies.
            chance: A number from 0 to 1, for the jitter.
            courtesy: Asked for a turn before each request on the wire; without one none is waited for.
            permit: Asked about each address that is got; without one none is refused by it.
        """
        self.kind = kind
        self.courtesy = courtesy
        self.permit = permit
        #: Kinds that are read with keys of the owner's find them here.
        self.settings = settings
        self._limits = limits or Limits()
        self._sleep = sleep
        self._chance = chance
        self._overrides = overrides(settings)
        # The owner wrote the overrides' targets and the exceptions: both may be private.
        allowed = settings.allow_private | {(t.host, t.port) for t in self._overrides.targets}
        self._gate = Gate(allowed=frozenset(allowed), resolve=resolve, deadline=Deadline(), kind=kind)
        self._pools = Pools(self._gate)
        self._agent = _user_agent(settings)
        self._asking = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection. The door can be used again; it then opens new ones."""
        self._pools.close()

    def get(self, url: str, *, headers: dict[str, str] | None = None, limits: Limits | None = None) -> Answer:
        """Fetch `url`.

        Args:
            url: An http or https URL.
            headers: To send besides our own, such as `If-None-Match`. Those that are not about the kind of
                answer are dropped when a redirect leaves the origin.
            limits: What this fetch may cost, instead of the door's own.

        Raises:
            FetchError: With its reason, in words for the owner.
        """
        return self._counted(url, headers or {}, None, limits or self._limits)

    def post_json(
        self,
        url: str,
        document: Any,
        *,
        headers: dict[str, str] | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        """Ask a question that a board takes by POST only: one that changes nothing and may be asked again.

        JSON goes out, and JSON must come back. A redirect is not followed, so that what was sent stays with
        the host that it was meant for. A redirect, or a web page where the JSON should be, is how boards
        answer while they are out of order: the question is asked again, as after a failure of the server.

        Args:
            url: An http or https URL.
            document: What to send, as JSON.
            headers: To send besides our own.
            limits: What this may cost, instead of the door's own.

        Raises:
            FetchError: With its reason, in words for the owner.
        """
        sent = {"accept": "application/json", **(headers or {}), "content-type": "application/json"}
        body = json.dumps(document, separators=(",", ":")).encode()
        return self._counted(url, sent, body, limits or self._limits)

    def _counted(self, url: str, headers: dict[str, str], body: bytes | None, limits: Limits) -> Answer:
        """The answer, and the metrics of how it was had. `body` is what a POST sends; None is a GET."""
        began = time.monotonic()
        outcome = "error"
        self._asking = ""
        try:
            if self.permit is not None and body is None:
                self.permit.check(self, url)
            answer = self._tried(url, headers, body, limits)
            outcome = "not_modified" if answer.status == 304 else "ok"  # noqa: PLR2004 - Not Modified
            self._tell_courtesy(None)
        except FetchError as error:
            self._tell_courtesy(error.reason)
            catalogue.OUTBOUND_ERRORS.inc(kind=self.kind, reason=error.reason)
            if error.reason in {Reason.ADDRESS, Reason.SCHEME, Reason.URL}:
                catalogue.OUTBOUND_BLOCKED.inc(reason=error.reason)
            raise
        else:
            return answer
        finally:
            catalogue.OUTBOUND_REQUESTS.inc(kind=self.kind, outcome=outcome)
            catalogue.OUTBOUND_DURATION.observe(time.monotonic() - began, kind=self.kind, outcome=outcome)

    def _tell_courtesy(self, reason: Reason | None) -> None:
        """Tell whether the origin that was asked last answered."""
        if self.courtesy is None or not self._asking or reason in _NOT_SENT:
            return
        if reason in _ORIGIN_FAILED:
            self.courtesy.failed(self._asking)
        else:
            self.courtesy.answered(self._asking)

    def _tried(self, url: str, headers: dict[str, str], body: bytes | None, limits: Limits) -> Answer:
        """The answer after as many tries as the limits allow."""
        deadline = self._gate.deadline
        deadline.start(limits.total, limits.read)
        self._gate.connect = limits.connect
        for attempt in range(1, limits.tries + 1):
            try:
                if body is not None:
                    return self._posted(url, headers, body, limits)
                return self._followed(url, headers, limits)
            except _Transient as transient:
                error = transient.error
                # Full jitter: anything up to a bound that doubles.
                pause = self._chance() * min(8.0, 0.5 * 2**attempt)
                pause = max(pause, error.retry_after or 0.0)
                self._hold(error)
                # With courtesy no worker sleeps out a long wait: the scan ends, and comes back after it.
                longest = deadline.left() if self.courtesy is None else min(deadline.left(), PATIENCE)
                if attempt == limits.tries or pause >= longest:
                    raise error from transient.__cause__
                catalogue.OUTBOUND_RETRIES.inc(kind=self.kind)
                self._sleep(pause)
        raise AssertionError("limits.tries is at least one")

    def _hold(self, error: FetchError) -> None:
        """Have all workers leave the origin alone that asks for it."""
        asks = error.reason is Reason.RATE_LIMITED or error.retry_after is not None
        if self.courtesy is not None and self._asking and asks:
            self.courtesy.hold(self._asking, error.retry_after)

    @contextlib.contextmanager
    def _turn(self, target: Target) -> Iterator[None]:
        """The turn of one request on the wire, until its answer was read.

        Raises:
            FetchError: No turn came, or the origin is to be left alone.
        """
        self._asking = ""
        there = self._overrides.target(target) or target
        if self.courtesy is None or (is_here(there) and not self.courtesy.everywhere):
            yield
            return
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self.courtesy.turn(target.origin, left=self._gate.deadline.left()))
            except NotNow as not_now:
                raise FetchError(
                    Reason(not_now.why), _no_turn(target.host, not_now), not_now.seconds
                ) from not_now
            # Our own wait is not the server's time: no request fails since its turn came late.
            self._gate.deadline.extend(time.monotonic() - began)
            self._asking = target.origin
            yield

    def _followed(self, url: str, headers: dict[str, str], limits: Limits) -> Answer:
        """One try, through its redirects."""
        target = check(url)
        sent = self._sent(headers)
        for _ in range(limits.redirects + 1):
            with self._turn(target):
                response, there = self._asked(target, sent)
                try:
                    if response.status not in _REDIRECTS:
                        return self._answer(response, target, sent, limits)
                    location = response.headers.get("location", "")
                finally:
                    # A body that was read to its end has given its connection back already; any other is cut.
                    response.close()
            if not location:
                raise FetchError(
                    Reason.REDIRECTS,
                    f"{there} answered with a redirect that leads nowhere. Open it in a browser.",
                )
            following = check(urljoin(target.url, location))
            if following.origin != target.origin:
                sent = {name: value for name, value in sent.items() if name in _CROSSING}
            target = following
        raise FetchError(
            Reason.REDIRECTS,
            f"{_shown(url)} redirects more than {limits.redirects} times. Find its final address in a "
            "browser and use that.",
        )

    def _posted(self, url: str, headers: dict[str, str], body: bytes, limits: Limits) -> Answer:
        """One try of a question."""
        target = check(url)
        sent = self._sent(headers)
        with self._turn(target):
            response, there = self._asked(target, sent, body)
            try:
                if response.status in _REDIRECTS:
                    raise _Transient(
                        FetchError(
                            Reason.REDIRECTS,
                            f"{there} answered with a redirect (status {response.status}) where its list "
                            "should be, as boards do while they are out of order. The next scan tries again.",
                        )
                    )
                answer = self._answer(response, target, sent, limits)
            finally:
                response.close()
        if not answer.body[:1024].lstrip().startswith(b"<"):
            return answer
        if is_challenge(answer.headers, answer.body):
            raise FetchError(
                Reason.BOT_CHALLENGE,
                f"{there} answered with a page that checks for humans. It cannot be scanned from here now; "
                "look at it in a browser.",
            )
        raise _Transient(
            FetchError(
                Reason.NOT_A_LISTING,
                f"{there} answered with a web page where its list should be, as boards do while they are out "
                "of order. Its jobs stay as they were; the next scan tries again.",
            )
        )

    def _sent(self, headers: dict[str, str]) -> dict[str, str]:
        return {
            "user-agent": self._agent,
            "accept-encoding": "gzip, deflate",
            "accept": "*/*",
            **{name.lower(): value for name, value in headers.items()},
        }

    def _asked(
        self, target: Target, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[urllib3.BaseHTTPResponse, str]:
        """The answer's head, and the host's name for messages."""
        override = self._overrides.target(target)
        there = override or target
        shown = target.host if override is None else f"{target.host} (sent to {override.origin})"
        if override is not None:
            # One server may stand in for many hosts whose paths are alike: it is told which was meant.
            headers = {**headers, "x-forwarded-host": target.host}
        try:
            deadline = self._gate.deadline
            response = self._pools.pool(there.scheme, there.host, there.port).urlopen(
                "GET" if body is None else "POST",
                target.path,
                body=body,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=True,
                assert_same_host=False,
                timeout=Timeout(connect=deadline.step(self._gate.connect), read=deadline.step()),
            )
        except Exception as error:
            raise self._named(error, shown) from error
        return response, shown

    def _named(self, error: Exception, shown: str) -> Exception:  # noqa: PLR0911 - one return per name
        """What an exception of the network is called, and whether it may pass."""
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, (FetchError, _Transient)):
            match cause:
                case AddressRefused():
                    return FetchError(
                        Reason.ADDRESS,
                        f"{shown} leads to {cause.address}, and {cause.why}: it is never fetched. If this "
                        "is a server of your own, allow it with SCOUT_ALLOW_PRIVATE=host:port.",
                    )
                case NameNotFound():
                    found = FetchError(
                        Reason.DNS,
                        f"The name {shown} could not be looked up: {cause}. Check its spelling, and the "
                        "network's DNS.",
                    )
                    return _Transient(found) if cause.transient else found
                case PoolTimeoutError() | TimeoutError() if not isinstance(cause, NewConnectionError):
                    return _Transient(
                        FetchError(
                            Reason.TIMEOUT,
                            f"{shown} did not answer in time. It may be busy: the next scan tries again.",
                        )
                    )
                case InvalidHeader():
                    return _unclear_length(shown)
                case SSLError():
                    return FetchError(
                        Reason.TLS,
                        f"No secure connection to {shown}: {_first_words(cause)}. Check this machine's "
                        "clock and certificates, or the board's address.",
                    )
            cause = cause.__cause__ or cause.__context__
        if isinstance(error, (Unreachable, ProtocolError, NewConnectionError, OSError)):
            return _Transient(
                FetchError(
                    Reason.CONNECT,
                    f"No connection to {shown}: {_first_words(error)}. Check the network; the next scan "
                    "tries again.",
                )
            )
        if isinstance(error, (HTTPError, ValueError)):
            return FetchError(
                Reason.HTTP_STATUS, f"{shown} did not answer as a web server does: {_first_words(error)}."
            )
        return error

    def _answer(
        self, response: urllib3.BaseHTTPResponse, target: Target, sent: dict[str, str], limits: Limits
    ) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        status = response.status
        if status == 304 and not _CONDITIONAL.isdisjoint(sent):  # noqa: PLR2004 - Not Modified
            return Answer(url=target.url, status=status, headers=headers)
        if status in {200, 203}:
            body = self._body(response, target, limits)
            return Answer(url=target.url, status=status, headers=headers, body=body)
        if status == 204:  # noqa: PLR2004 - No Content
            return Answer(url=target.url, status=status, headers=headers)
        raise self._refused(response, headers, target)

    def _body(self, response: urllib3.BaseHTTPResponse, target: Target, limits: Limits) -> bytes:
        """The whole body, decoded."""
        self._check_framing(response, target)
        parts: list[bytes] = []
        size = 0
        try:
            while True:
                # One chunk decodes to one chunk: a bomb costs no more than the cap.
                part = response.read(_CHUNK)
                if not part:
                    break
                size += len(part)
                if size > limits.size:
                    raise FetchError(
                        Reason.TOO_LARGE,
                        f"{target.host} sends more than {limits.size // 1048576 or 1} MB for one listing. "
                        "It was left there; check that the address is a job board's.",
                    )
                parts.append(part)
                self._gate.deadline.step()
        except (IncompleteRead, ProtocolError, DecodeError) as error:
            named = self._named(error, target.host)
            if isinstance(named, _Transient) and named.error.reason is Reason.TIMEOUT:
                raise named from error
            raise FetchError(
                Reason.TRUNCATED,
                f"The answer of {target.host} was cut short or damaged: {_first_words(error)}. Nothing of "
                "it was used; the next scan tries again.",
            ) from error
        except (HTTPError, OSError) as error:
            raise self._named(error, target.host) from error
        finally:
            catalogue.OUTBOUND_BYTES.inc(size, kind=self.kind)
        return b"".join(parts)

    def _check_framing(self, response: urllib3.BaseHTTPResponse, target: Target) -> None:
        """Refuse lengths that contradict each other and encodings that were not asked for."""
        lengths = {
            part.strip() for value in response.headers.getlist("content-length") for part in value.split(",")
        }
        if len(lengths) > 1 or not all(_LENGTHS.fullmatch(length) for length in lengths):
            raise _unclear_length(target.host)
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise FetchError(
                Reason.NOT_A_LISTING,
                f"{target.host} packed its answer in a way that was not asked for ({encoding[:40]!r}). "
                "Check that the address is a job board's.",
            )

    def _refused(  # noqa: PLR0911 - one return per status
        self, response: urllib3.BaseHTTPResponse, headers: dict[str, str], target: Target
    ) -> Exception:
        """The error that a status stands for."""
        status = response.status
        host = target.host
        wait = retry_after(headers.get("retry-after"))
        later = "" if not wait else f" It asks to be left alone for {_duration(wait)}."
        if status in {401, 403, 429, 503}:
            try:
                start = response.read(16 * 1024)
            except (HTTPError, OSError, TimeoutError):
                start = b""
            if is_challenge(headers, start):
                return FetchError(
                    Reason.BOT_CHALLENGE,
                    f"{host} answers programs with a page that checks for humans. It cannot be scanned from "
                    "here now; look at it in a browser.",
                    wait,
                )
        if status in {401, 403}:
            return FetchError(
                Reason.DENIED,
                f"{host} refuses to show this (status {status}). The board may be private, or may refuse "
                "programs.",
                wait,
            )
        if status == 404:  # noqa: PLR2004 - Not Found
            return FetchError(
                Reason.NOT_FOUND,
                f"{host} has nothing at this address (status 404). Check the board's address.",
            )
        if status == 410:  # noqa: PLR2004 - Gone
            return FetchError(
                Reason.GONE, f"{host} says that this is gone for good (status 410). Remove the board."
            )
        if status == 429:  # noqa: PLR2004 - Too Many Requests
            return _Transient(
                FetchError(
                    Reason.RATE_LIMITED,
                    f"{host} says that it was asked too often (status 429).{later} The next scan waits for "
                    "that.",
                    wait,
                )
            )
        if status >= 500:  # noqa: PLR2004 - the server's errors
            return _Transient(
                FetchError(
                    Reason.SERVER_ERROR,
                    f"{host} has a fault of its own (status {status}).{later} The next scan tries again.",
                    wait,
                )
            )
        error = FetchError(
            Reason.HTTP_STATUS,
            f"{host} answered with status {status}, which is no listing. Check the address.",
            wait,
        )
        return _Transient(error) if status in _RETRIED_STATUSES else error


def _no_turn(host: str, not_now: NotNow) -> str:
    wait = _duration(max(1.0, not_now.seconds))
    match not_now.why:
        case Why.BUSY:
            return f"Other scans ask {host} as often as is polite. This one has its turn in {wait}."
        case Why.HELD:
            return f"{host} asked to be left alone, for another {wait}. Its jobs stay as they were."
        case Why.CIRCUIT_OPEN:
            return (
                f"Scans of {host} kept failing, so it is left alone for another {wait}; then one scan tries "
                "it. Its jobs stay as they were."
            )


def _unclear_length(host: str) -> FetchError:
    return FetchError(
        Reason.TRUNCATED,
        f"{host} does not say plainly how long its answer is. Nothing of it was used; the next scan tries "
        "again.",
    )


def _user_agent(settings: Settings) -> str:
    contact = re.sub(r"[^\x21-\x7e]", "", settings.contact) or PROJECT_PAGE
    return f"IAM-Job-Scout/{VERSION} (+{contact})"


def _first_words(error: BaseException) -> str:
    """What an exception says, without its objects and stack of wrappers: one short line."""
    text = str(error.args[-1]) if error.args else str(error)
    text = re.sub(r"<[^>]*>:? ?", "", text)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text.strip(" .")[:160] or type(error).__name__


def _duration(seconds: float) -> str:
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes"

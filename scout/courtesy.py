"""Courtesy towards boards: how often they are asked, by how many at once, and when they are left alone.

What is owed is owed to an origin (`https://boards-api.greenhouse.io`), whichever boards it serves, and by all
workers together: they agree in Redis, by its clock, in one step each time. A request takes its turn: a
moment of its own, and one of few places. Places end by themselves, so a worker that is killed holds none for
long. An origin at which three scans failed within ten minutes is left alone for thirty (its circuit is open);
then one scan may try, and its outcome decides. What one board of an origin asks of us (Retry-After) is kept
for all of them.

Without Redis each process keeps the rate by itself, and no request fails for that.
"""

from __future__ import annotations

import contextlib
import enum
import logging
import math
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import redis
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from metrics import catalogue
from metrics.instruments import count_error
from scout.settings import Settings

logger = logging.getLogger(__name__)

#: Scans that must fail at an origin within `FAILURE_WINDOW` seconds to open its circuit for `OPEN_SECONDS`.
FAILURES = 3
FAILURE_WINDOW = 600.0
OPEN_SECONDS = 1800.0
#: Seconds that the one scan which tries a half-open circuit has it for itself.
PROBE_SECONDS = 120.0
#: Seconds that an origin is left alone which answers 429 and does not say for how long.
HOLD_SECONDS = 10.0
#: Seconds that a request waits for its turn, at the most; or three turns, where they are slower.
PATIENCE = 10.0
#: Seconds between two turns that a site may ask for in its robots file; more is more than a scan can keep.
LONGEST_SPACING = 20.0
#: Turns come up to this part later than they need to, so that no pattern shows.
JITTER = 0.2
#: Seconds for which nothing is asked of a Redis that did not answer.
_ALONE_SECONDS = 30.0
#: Seconds that Redis keeps what it knows of an origin.
_KEPT = 86_400
#: Seconds that a place may be held past the time of its request.
_GRACE = 5.0
#: The part of a request's time that its turn is waited for at most.
_MOST_OF_IT = 0.75
#: Seconds between two looks at whether a place is free.
_LOOK = 0.05

_PREFIX = "scout:courtesy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How an origin is asked.

    Attributes:
        rate: Requests a second.
        concurrency: Requests at once.
    """

    rate: float = 2.0
    concurrency: int = 2

    @property
    def spacing(self) -> float:
        """Seconds from one request to the next."""
        return 1.0 / self.rate


#: How every origin is asked whose terms do not ask for less.
POLITE = Policy()


class Why(enum.StrEnum):
    """Why a request has no turn now; the names are also those of `scout.fetch.Reason`."""

    BUSY = "busy"
    HELD = "held"
    CIRCUIT_OPEN = "circuit_open"


class NotNow(Exception):  # noqa: N818 - told by the fetch door in its own words
    """An origin is not to be asked now.

    Attributes:
        why: What stands against it.
        seconds: After how long it may be tried again.
    """

    def __init__(self, why: Why, seconds: float) -> None:
        super().__init__(f"{why} for {seconds:.0f} s")
        self.why = why
        self.seconds = seconds


class CircuitState(enum.StrEnum):
    """How an origin stands: asked as usual, tried by one scan, or left alone."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an origin stands now.

    Attributes:
        origin: The origin.
        circuit: The state of its circuit.
        seconds: How long it is left alone from now, for its circuit or since it asked for that; else 0.
    """

    origin: str
    circuit: CircuitState = CircuitState.CLOSED
    seconds: float = 0.0

    @property
    def unusual(self) -> bool:
        """Whether it is not asked as usual."""
        return self.circuit is not CircuitState.CLOSED or self.seconds > 0


# Each script runs whole, by the clock of Redis. KEYS of all: state (a hash), places (by when they end),
# failures (runs by when they failed). Times are in milliseconds.
_NOW = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function number(value) return tonumber(value or '0') end
local function keep(key, least) redis.call('PEXPIRE', key, math.max(least, tonumber(ARGV[1]))) end
"""

# ARGV: kept, run, token, spacing, concurrency, patience, the place's length, the probe's length.
# Answers: what, milliseconds, whether the origin's failures are remembered.
_TAKE = (
    _NOW
    + """
local run, token = ARGV[2], ARGV[3]
local spacing, most, patience = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local state = redis.call('HMGET', KEYS[1], 'next', 'held', 'open', 'tripped', 'probe', 'probe_until')
local following, held, open = number(state[1]), number(state[2]), number(state[3])
if open > now then return {'circuit_open', open - now, 1} end
if state[4] and state[5] and state[5] ~= run and number(state[6]) > now then
  return {'circuit_open', number(state[6]) - now, 1}
end
if held > now then return {'held', held - now, 0} end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZCARD', KEYS[2]) >= most then return {'full', 0, 0} end
local at = math.max(now, following)
if at - now > patience then return {'busy', at - now, 0} end
redis.call('ZADD', KEYS[2], at + tonumber(ARGV[7]), token)
redis.call('HSET', KEYS[1], 'next', at + spacing)
if state[4] then redis.call('HSET', KEYS[1], 'probe', run, 'probe_until', now + tonumber(ARGV[8])) end
keep(KEYS[1], 0)
keep(KEYS[2], 0)
local marred = state[4] or redis.call('EXISTS', KEYS[3]) == 1
return {'go', at - now, marred and 1 or 0}
"""
)

# ARGV: kept, run, window, count, open. Answers whether this opened the circuit.
_FAILED = (
    _NOW
    + """
local run = ARGV[2]
local state = redis.call('HMGET', KEYS[1], 'open', 'tripped', 'probe')
if number(state[1]) > now then return 0 end
if state[2] and state[3] and state[3] ~= run then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[3]))
redis.call('ZADD', KEYS[3], now, run)
redis.call('PEXPIRE', KEYS[3], ARGV[3])
if not state[2] and redis.call('ZCARD', KEYS[3]) < tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], 'open', now + tonumber(ARGV[5]), 'tripped', 1)
redis.call('HDEL', KEYS[1], 'probe', 'probe_until')
redis.call('DEL', KEYS[3])
keep(KEYS[1], 0)
return 1
"""
)

_ANSWERED = """
redis.call('HDEL', KEYS[1], 'open', 'tripped', 'probe', 'probe_until')
redis.call('DEL', KEYS[3])
return 0
"""

# ARGV: kept, for how long.
_HOLD = (
    _NOW
    + """
local held = number(redis.call('HGET', KEYS[1], 'held'))
redis.call('HSET', KEYS[1], 'held', math.max(held, now + tonumber(ARGV[2])))
keep(KEYS[1], tonumber(ARGV[2]))
return 0
"""
)


def _keys(origin: str) -> list[str]:
    # The braces keep the keys of one origin together on a cluster.
    return [f"{_PREFIX}:{{{origin}}}:{part}" for part in ("state", "places", "failures")]


@dataclass(slots=True)
class _Alone:
    """What one process knows of an origin by itself. Times are those of `time.monotonic`."""

    following: float = 0.0
    held: float = 0.0
    places: set[str] = field(default_factory=set)


_alone: dict[str, _Alone] = {}
_alone_lock = threading.Lock()


class Courtesy:
    """The courtesy of one scan, or of one command, towards whichever origins it asks.

    Nothing is sent to Redis before the first turn is taken. It is a context manager.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Policy = POLITE,
        *,
        kind: str,
        everywhere: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Be courteous.

        Args:
            settings: Say where the queue's Redis is.
            policy: How origins are asked.
            kind: The kind of board, for the metrics' `kind` label.
            everywhere: Whether servers on this machine are owed it too.
            sleep: Waits; tests give one that does not.
            chance: A number from 0 to 1, for the jitter.
        """
        self.policy = policy
        self.kind = kind
        self.everywhere = everywhere
        self._settings = settings
        self._sleep = sleep
        self._chance = chance
        #: Turns that came: requests that were sent, or were about to be.
        self.turns = 0
        self._run = secrets.token_hex(8)
        self._spacing: dict[str, float] = {}
        self._marred: set[str] = set()
        self._client: Redis | None = None
        self._alone_until = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()

    def slow(self, origin: str, seconds: float) -> None:
        """Keep at least so many seconds between requests to an origin, as it asks; within reason."""
        self._spacing[origin] = min(seconds, LONGEST_SPACING)

    def spacing(self, origin: str) -> float:
        """Seconds between two requests to an origin."""
        return max(self.policy.spacing, self._spacing.get(origin, 0.0))

    def patience(self, origin: str) -> float:
        """Seconds that a request to an origin waits for its turn, at the most."""
        return max(PATIENCE, 3 * self.spacing(origin))

    @contextlib.contextmanager
    def turn(self, origin: str, *, left: float) -> Iterator[None]:
        """Wait for a turn to ask an origin, and keep its place until the block ends.

        Args:
            origin: The origin.
            left: Seconds that are left for the request. At most three quarters of them are waited away.

        Raises:
            NotNow: No turn came, or the origin is to be left alone.
        """
        token = secrets.token_hex(8)
        began = time.monotonic()
        ends = began + min(self.patience(origin), left * _MOST_OF_IT)
        try:
            try:
                wait = self._taken(origin, token, ends, left)
                if wait > 0:
                    self._sleep(wait)
            except NotNow as not_now:
                catalogue.OUTBOUND_TURNS_REFUSED.inc(kind=self.kind, reason=not_now.why)
                raise
            finally:
                catalogue.OUTBOUND_TURN_WAIT.observe(time.monotonic() - began, kind=self.kind)
            self.turns += 1
            yield
        finally:
            # Also when a worker that stops is interrupted while it waits.
            self._free(origin, token)

    def _taken(self, origin: str, token: str, ends: float, left: float) -> float:
        """Take a turn; the seconds until it comes."""
        spacing = self.spacing(origin) * (1 + JITTER * self._chance())
        while True:
            patience = max(0.0, ends - time.monotonic())
            what, seconds, marred = self._asked_for(origin, token, spacing, patience, left)
            if marred:
                self._marred.add(origin)
            if what == "go":
                return seconds
            if what == Why.CIRCUIT_OPEN or seconds > patience or patience <= 0:
                raise NotNow(Why.BUSY if what == "full" else Why(what), seconds or spacing)
            self._sleep(min(patience, max(seconds, _LOOK * (1 + self._chance()))))

    def _asked_for(
        self, origin: str, token: str, spacing: float, patience: float, left: float
    ) -> tuple[str, float, bool]:
        milliseconds = [math.ceil(each * 1000) for each in (spacing, patience, left + _GRACE, PROBE_SECONDS)]
        answer = self._script(
            _TAKE, origin, self._run, token, milliseconds[0], self.policy.concurrency, *milliseconds[1:]
        )
        if answer is None:
            return self._asked_alone(origin, token, spacing, patience)
        what, wait, marred = answer
        return bytes(what).decode(), int(wait) / 1000, bool(marred)

    def _asked_alone(
        self, origin: str, token: str, spacing: float, patience: float
    ) -> tuple[str, float, bool]:
        with _alone_lock:
            known = _alone.setdefault(origin, _Alone())
            now = time.monotonic()
            if known.held > now:
                return Why.HELD, known.held - now, False
            if len(known.places) >= self.policy.concurrency:
                return "full", 0.0, False
            at = max(now, known.following)
            if at - now > patience:
                return Why.BUSY, at - now, False
            known.places.add(token)
            known.following = at + spacing
            return "go", at - now, False

    def _free(self, origin: str, token: str) -> None:
        with _alone_lock:
            if origin in _alone:
                _alone[origin].places.discard(token)
        self._redis(lambda client: client.zrem(_keys(origin)[1], token))

    def answered(self, origin: str) -> None:
        """Note that an origin answered, whatever it said: its circuit closes, its failures are forgotten."""
        if origin in self._marred:
            self._marred.discard(origin)
            self._script(_ANSWERED, origin)

    def failed(self, origin: str) -> None:
        """Note that an origin failed to answer. However often it does so in one scan, it counts as one."""
        self._marred.add(origin)
        opened = self._script(
            _FAILED,
            origin,
            self._run,
            round(FAILURE_WINDOW * 1000),
            FAILURES,
            round(OPEN_SECONDS * 1000),
        )
        if opened:
            catalogue.OUTBOUND_CIRCUITS_OPENED.inc(kind=self.kind)
            logger.warning(
                "%s is left alone for %.0f minutes: scans of it keep failing", origin, OPEN_SECONDS / 60
            )

    def hold(self, origin: str, seconds: float | None) -> None:
        """Leave an origin alone as long as it asks, for all its boards; `HOLD_SECONDS` if it does not say."""
        wait = HOLD_SECONDS if seconds is None else seconds
        with _alone_lock:
            known = _alone.setdefault(origin, _Alone())
            known.held = max(known.held, time.monotonic() + wait)
        self._script(_HOLD, origin, math.ceil(wait * 1000))

    def kept(self, name: str) -> bytes | None:
        """What was kept for all workers under a name, if it still is."""
        found = self._redis(lambda client: client.get(f"{_PREFIX}:{name}"))
        return found if isinstance(found, bytes) else None

    def keep(self, name: str, value: bytes, seconds: int) -> None:
        """Keep something for all workers under a name, for so many seconds."""
        self._redis(lambda client: client.set(f"{_PREFIX}:{name}", value, ex=seconds))

    def _script(self, script: str, origin: str, *arguments: str | float) -> Any:
        """What a script answers; None where Redis is away."""
        kept = _KEPT * 1000
        keys = _keys(origin)
        return self._redis(lambda client: client.register_script(script)(keys, [kept, *arguments]))

    def _redis(self, ask: Callable[[Redis], Any]) -> Any:
        if time.monotonic() < self._alone_until:
            return None
        try:
            if self._client is None:
                self._client = connect(self._settings)
            return ask(self._client)
        except redis.RedisError as error:
            self._alone_until = time.monotonic() + _ALONE_SECONDS
            logger.warning("Redis is away: this scan alone keeps the pause between its requests: %s", error)
            count_error(error, "scan")
            return None


def connect(settings: Settings) -> Redis:
    """A client that does not wait long: without Redis there is another way."""
    return Redis.from_url(
        settings.redis, socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), retries=0)
    )


def standings(connection: Redis, origins: Sequence[str]) -> dict[str, Standing]:
    """How origins stand now.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    pipeline = connection.pipeline(transaction=False)
    pipeline.time()
    for origin in origins:
        pipeline.hmget(_keys(origin)[0], "open", "tripped", "held")
    (seconds, microseconds), *found = pipeline.execute()
    now = seconds * 1000 + microseconds // 1000
    return {origin: _standing(origin, now, *each) for origin, each in zip(origins, found, strict=True)}


def _standing(
    origin: str, now: int, opened: bytes | None, tripped: bytes | None, held: bytes | None
) -> Standing:
    alone = max(0.0, (max(float(opened or 0), float(held or 0)) - now) / 1000)
    if float(opened or 0) > now:
        return Standing(origin, CircuitState.OPEN, alone)
    return Standing(origin, CircuitState.HALF_OPEN if tripped else CircuitState.CLOSED, alone)

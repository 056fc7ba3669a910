"""How often a program may ask: counted for each token in Redis, for all processes together.

The headers are those of the IETF's draft "RateLimit header fields for HTTP": `RateLimit-Policy` says what
holds, `RateLimit` what is left of it.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask, Response, current_app, g
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import RedisError

from metrics import catalogue
from metrics.instruments import count_error
from webapp.api.problems import Problem

if TYPE_CHECKING:
    from scout.settings import Settings

log = logging.getLogger(__name__)

#: Requests in a minute, of each token and each browser.
PER_MINUTE = 600
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a caller's limit: whether this request was in it, how many are, seconds until more."""

    admitted: bool
    requests: int
    seconds: int


class Pace:
    """The limit. Redis being away limits nobody: it guards this machine's time, not a secret."""

    def __init__(self, settings: Settings, per_minute: int = PER_MINUTE) -> None:
        address = re.sub(r"^unix:", "redis+unix:", settings.redis)
        # Nothing connects before the first request, so this may be made before a fork.
        shared = RedisStorage(address, socket_timeout=1, socket_connect_timeout=1, key_prefix="scout-api")
        self._limiter = SlidingWindowCounterRateLimiter(shared)
        self._limit = RateLimitItemPerMinute(per_minute)
        self.per_minute = per_minute
        # Until when Redis is not asked again, by the monotonic clock: each request would wait for it.
        self._away_until = 0.0

    def count(self, name: str) -> Left | None:
        """Count a caller's request, and tell what is left; None where nobody can count."""
        if time.monotonic() < self._away_until:
            catalogue.API_LIMITS.inc(outcome="uncounted")
            return None
        try:
            admitted = self._limiter.hit(self._limit, name)
            stats = self._limiter.get_window_stats(self._limit, name)
        except RedisError as error:
            log.warning("Redis does not answer: requests of the API are not limited.")
            count_error(error, "web")
            catalogue.API_LIMITS.inc(outcome="uncounted")
            self._away_until = time.monotonic() + 5
            return None
        wait = max(1, min(_MINUTE, round(stats.reset_time - time.time())))
        return Left(admitted, stats.remaining, wait)


def keep(name: str) -> None:
    """Count this request of a caller.

    Raises:
        Problem: It asks more often than it may.
    """
    pace: Pace = current_app.extensions["scout_api_pace"]
    left = pace.count(name)
    if left is None:
        return
    g.api_left = (
        f'"minute";q={pace.per_minute};w={_MINUTE}',
        f'"minute";r={left.requests};t={left.seconds}',
    )
    if not left.admitted:
        catalogue.API_LIMITS.inc(outcome="limited")
        raise Problem(
            "too-many-requests",
            f"{pace.per_minute} requests a minute are allowed. Wait {left.seconds} seconds.",
            headers={"Retry-After": str(left.seconds)},
        )


def _tell(response: Response) -> Response:
    said = cast("tuple[str, str] | None", g.get("api_left"))
    if said is not None:
        response.headers["RateLimit-Policy"], response.headers["RateLimit"] = said
    return response


def install(app: Flask, settings: Settings) -> None:
    """Count from now on, and say on each answer what is left."""
    app.extensions["scout_api_pace"] = Pace(settings)
    app.after_request(_tell)

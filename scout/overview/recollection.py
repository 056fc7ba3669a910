"""What the last days were like, for who has no Prometheus: a few figures, kept in Redis by the sampler.

For each window there is a list of as many entries as it has points, and the sums of the last look, from which
the next figures follow. Everything is JSON and bounded: some 650 entries, in all about a megabyte. With Redis
it is gone, and grows again.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import TYPE_CHECKING, Any

from rq.utils import as_text

from metrics import queries
from metrics.forms import Keyed, Page
from scout.overview.windows import WINDOWS, Window

if TYPE_CHECKING:
    from redis import Redis

_PREFIX = "scout:recent:"
_LOOKS = f"{_PREFIX}looks"
#: Seconds after which nobody needs them any more.
_LIFETIME = 8 * 86_400
#: The most lines of one curve that are kept: past bounded labels, a page of a stranger's.
_MOST_KEYS = 64
_LONGEST_KEY = 200
#: A look that is so many steps old is no neighbour of the next one: the time between is a gap.
_TOO_OLD = 3
#: The sampler comes a little early now and then.
_NEARLY = 0.9

#: By question, curve and key: `http_requests.0` -> {"": 1.5}.
Figures = dict[str, Keyed]


def keep(connection: Redis, page: Page | None, up: Keyed, now: dt.datetime) -> None:
    """Keep the figures of now, in each window whose turn it is.

    Args:
        connection: Redis.
        page: The samples of the exporter's page; None when it could not be read, which is a gap.
        up: Which exporters answer, by job: 1 or 0.
        now: The time of the look.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    at = now.timestamp()
    looks: Any = connection.hgetall(_LOOKS)
    before = {as_text(name): json.loads(text) for name, text in looks.items()}
    seen = {**(page or {}), queries.UP.name: [({"job": job}, value) for job, value in up.items()]}
    totals = {
        _name(question, number): _bounded(curve.form.totals(seen, at))
        for question in queries.ALL
        for number, curve in enumerate(question.curves)
        if page is not None or queries.UP in question.about()
    }
    pipeline = connection.pipeline(transaction=True)
    for window in WINDOWS.values():
        then, sums = before.get(window.name, (-math.inf, {}))
        passed = at - then
        if 0 <= passed < window.step * _NEARLY:
            continue
        if 0 < passed <= window.step * _TOO_OLD:
            entry = json.dumps([round(at), _between(sums, totals, passed)], separators=(",", ":"))
            pipeline.rpush(f"{_PREFIX}{window.name}", entry)
            pipeline.ltrim(f"{_PREFIX}{window.name}", -window.points, -1)
            pipeline.expire(f"{_PREFIX}{window.name}", _LIFETIME)
        pipeline.hset(_LOOKS, window.name, json.dumps([at, totals], separators=(",", ":")))
        pipeline.expire(_LOOKS, _LIFETIME)
    pipeline.execute()


def entries(connection: Redis, window: Window) -> list[tuple[float, Figures]]:
    """What is kept of a window: the Unix time and the figures of each look, the oldest first.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    found: list[Any] = connection.lrange(f"{_PREFIX}{window.name}", 0, -1)
    return [(float(at), figures) for at, figures in map(json.loads, found)]


def last_look(connection: Redis) -> dt.datetime | None:
    """When figures were last kept; None when they never were.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    text: Any = connection.lindex(f"{_PREFIX}1h", -1)
    return dt.datetime.fromtimestamp(json.loads(text)[0], dt.UTC) if text else None


def _between(before: Figures, now: Figures, seconds: float) -> Figures:
    found: Figures = {}
    for question in queries.ALL:
        for number, curve in enumerate(question.curves):
            name = _name(question, number)
            # A look at a page that could not be read has no sums, and no figures follow from it.
            if name in now and name in before:
                figures = curve.form.between(before[name], now[name], seconds)
                rounded = {
                    key: float(f"{value:.6g}") for key, value in figures.items() if math.isfinite(value)
                }
                if rounded:
                    found[name] = rounded
    return found


def _name(question: queries.Question, number: int) -> str:
    return f"{question.name}.{number}"


def _bounded(totals: Keyed) -> Keyed:
    if len(totals) <= _MOST_KEYS:
        kept = list(totals.items())
    else:
        kept = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:_MOST_KEYS]
    return {key: value for key, value in kept if len(key) <= _LONGEST_KEY}

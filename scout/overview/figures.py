"""The figures of a window, from Prometheus where there is one, else from what the sampler kept."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import redis

from metrics import queries
from metrics.forms import SEPARATOR
from metrics.instruments import count_error
from scout.neighbours import Unreachable
from scout.overview import prometheus, recollection
from scout.overview.prometheus import Line
from scout.overview.windows import Window

if TYPE_CHECKING:
    from redis import Redis

    from scout.settings import Settings


class Origin(enum.StrEnum):
    """Where figures come from."""

    PROMETHEUS = "prometheus"
    REMEMBERED = "remembered"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a window.

    Attributes:
        window: The window.
        start: Its begin.
        end: Its end.
        origin: Where they come from.
        words: The same in a sentence, with what went wrong on the way.
        lines: The lines of each question, by its name.
    """

    window: Window
    start: dt.datetime
    end: dt.datetime
    origin: Origin
    words: str
    lines: dict[str, Sequence[Line]] = field(default_factory=dict)


def over(window: Window, settings: Settings, connection: Redis, now: dt.datetime) -> Figures:
    """The figures of the window that ends now. Whoever does not answer is told of, within two seconds."""
    start = now - dt.timedelta(seconds=window.seconds)
    trouble = ""
    if settings.prometheus_url:
        try:
            found, troubles = prometheus.lines(settings.prometheus_url, queries.ALL, window, now)
        except Unreachable as why:
            trouble = f"Prometheus cannot be asked: {why}. "
        else:
            words = "Drawn from Prometheus."
            if troubles:
                words += f" Not all of it could be had: {'; '.join(troubles)}."
            return Figures(
                window=window, start=start, end=now, origin=Origin.PROMETHEUS, words=words, lines=dict(found)
            )
    try:
        kept = recollection.entries(connection, window)
    except redis.RedisError as error:
        count_error(error, "web")
        words = f"{trouble}Redis, which keeps figures for that case, does not answer."
        return Figures(window=window, start=start, end=now, origin=Origin.NOWHERE, words=words.strip())
    words = f"{trouble}Drawn from what this program keeps by itself, every 30 seconds, for up to 7 days."
    if not kept:
        words = f"{trouble}No figures are kept yet: the scheduler keeps some every 30 seconds."
    return Figures(
        window=window, start=start, end=now, origin=Origin.REMEMBERED, words=words, lines=_lines(kept, window)
    )


def _lines(kept: Sequence[tuple[float, recollection.Figures]], window: Window) -> dict[str, Sequence[Line]]:
    return {
        question.name: [
            line
            for number, curve in enumerate(question.curves)
            for line in _of_curve(kept, f"{question.name}.{number}", curve, window)
        ]
        for question in queries.ALL
    }


def _of_curve(
    kept: Sequence[tuple[float, recollection.Figures]], name: str, curve: queries.Curve, window: Window
) -> list[Line]:
    keys = dict.fromkeys(key for _, figures in kept for key in figures.get(name, ()))
    found = []
    for key in sorted(keys, key=lambda each: each.split(SEPARATOR)):
        points: list[tuple[float, float | None]] = []
        for at, figures in kept:
            if points and at - points[-1][0] > window.step * 2.5:
                points.append((points[-1][0] + window.step, None))
            points.append((at, figures.get(name, {}).get(key)))
        found.append(Line(curve.named_by_key(key), points))
    return found

"""What the metrics lose on their way, counted where it happens and reported through the same pipe.

This module stands below the catalogue, so that series and labels can count here without an import circle. The
client turns the tallies into `statsd_client_dropped_samples` and `statsd_client_label_overflows_total`.
"""

from __future__ import annotations

import itertools
from collections import deque
from typing import Literal

Reason = Literal["send", "resolve", "full", "oversize", "invalid"]


class Tally:
    """A count that any thread may raise and one reader takes, without a lock.

    `itertools.count` steps atomically. The reader steps it too, and leaves its own steps out.
    """

    __slots__ = ("_reads", "_steps", "_taken", "tick")

    def __init__(self) -> None:
        self._steps = itertools.count()
        self._reads = 0
        self._taken = 0
        #: Add one. A C function, and always the same one: no Python frame on the hot path, and safe to keep.
        self.tick = self._steps.__next__

    def take(self) -> int:
        """The ticks since the last call."""
        ticks = next(self._steps) - self._reads
        self._reads += 1
        taken, self._taken = ticks - self._taken, ticks
        return taken


#: Samples lost before the kernel had them, by why.
DROPPED: dict[str, Tally] = {reason: Tally() for reason in ("send", "resolve", "full", "oversize", "invalid")}

#: Label values that became `__other__`, by metric. The keys are declared names, so they are bounded.
OVERFLOWS: dict[str, Tally] = {}

#: The last mistakes of callers, for the test kit and for a debugger. Bounded, and never sent.
MISTAKES: deque[str] = deque(maxlen=50)


def drop(reason: Reason, count: int = 1) -> None:
    """Count samples as lost."""
    tick = DROPPED[reason].tick
    for _ in range(count):
        tick()


def mistake(text: str) -> None:
    """Count a sample that was emitted wrongly: an unknown label, a value that is no number."""
    MISTAKES.append(text)
    DROPPED["invalid"].tick()


def overflow(metric: str) -> None:
    """Count a label value that became `__other__`."""
    tally = OVERFLOWS.get(metric)
    if tally is None:
        tally = OVERFLOWS.setdefault(metric, Tally())
    tally.tick()


def reset() -> None:
    """Forget everything, in a forked child for one."""
    for tally in (*DROPPED.values(), *OVERFLOWS.values()):
        tally.take()
    MISTAKES.clear()

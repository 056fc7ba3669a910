"""One time series in this process: where emissions gather until the client takes them.

The emitting side never takes a lock. It relies on operations that CPython runs as one step under its global
lock: `next()` of an `itertools.count`, `append` of a list or a deque. The taking side is one client at a time
(its own lock), and deletes exactly the values that it copied, so that a value appended meanwhile waits for
the next turn.
"""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING

from metrics import losses

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

#: A timer series that holds so many values asks for a flush before the second is over.
SOFT_LIMIT = 4_096
#: A timer series holds at most about so many values; the surplus is dropped and counted as `full`.
HARD_LIMIT = 16_384
#: A counter series that holds so many amounts adds them up.
_FOLD_AT = 1_024

#: Every series of this process that the catalogue's objects made, in the order of their birth.
LIVE: list[Series] = []


#: Whether a test captures what is emitted; the client then leaves it alone.
captured = False


def _nobody() -> bool:
    return False


#: Asks the running client for an early flush, and says whether there is one. The client puts itself here.
hurry: Callable[[], bool] = _nobody


def hurry_through(ask: Callable[[], bool] | None) -> None:
    """Let full series wake this client, or none."""
    global hurry  # noqa: PLW0603 - one process, one client
    hurry = ask or _nobody


class Series:
    """What all series have: a name on the wire, and the way their gatherings are taken.

    Attributes:
        wire: The dotted StatsD name, label values included.
        labels: The label values as they are sent, in wire order.
    """

    __slots__ = ("labels", "wire")

    def __init__(self, wire: str, labels: tuple[str, ...] = ()) -> None:
        self.wire = wire
        self.labels = labels

    def reset(self) -> None:
        """Forget what has gathered."""
        raise NotImplementedError


class CounterSeries(Series):
    """A count of one label combination: the bound handle that `Counter.bind` gives."""

    __slots__ = ("_amounts", "_folding", "_followed", "_ones", "add", "one")

    #: Amounts below are refused.
    least = 0.0

    def __init__(self, wire: str, labels: tuple[str, ...] = ()) -> None:
        super().__init__(wire, labels)
        self._ones = losses.Tally()
        #: Add one, for the hottest places: a C function.
        self.one = self._ones.tick
        self._amounts: list[float] = []
        #: Add any amount: a C function, for the hottest places that call `fold` by themselves now and then.
        self.add = self._amounts.append
        self._folding: list[None] = [None]
        # The timers that are followed, and how many durations of each are counted already.
        self._followed: dict[TimerSeries, int] = {}

    def follow(self, timer: TimerSeries) -> None:
        """Count one for each duration that a timer records from now on, also for one that it must drop.

        What is both counted and timed is then one emission instead of two.
        """
        self._followed.setdefault(timer, timer.recorded())

    def inc(self, amount: float = 1, /) -> None:
        """Add to the count. Never raises and never blocks.

        Args:
            amount: What to add, not negative; a negative or a non-number is refused and counted.
        """
        try:
            if amount == 1:
                self.one()
                return
        except Exception:  # noqa: BLE001, S110 - no number at all: refused with the others, where it is counted
            pass
        amounts = self._amounts
        amounts.append(amount)
        if len(amounts) >= _FOLD_AT:
            self.fold()

    def fold(self) -> None:
        """Add the waiting amounts up, so that they take no more room than one."""
        # The one token makes folding and taking exclude each other without anybody waiting.
        try:
            token = self._folding.pop()
        except IndexError:
            return
        try:
            self._amounts.append(self._sum())
        finally:
            self._folding.append(token)

    def _sum(self) -> float:
        amounts = self._amounts
        count = len(amounts)
        values = amounts[:count]
        del amounts[:count]
        return sum(_usable(values, self.wire, self.least))

    def take(self) -> float:
        """What was added since the last call."""
        total: float = self._ones.take()
        if self._followed:
            total += sum(map(self._since, list(self._followed)))
        if self._amounts:
            try:
                token = self._folding.pop()
            except IndexError:
                return total  # a thread is folding: its sum is there at the next turn
            try:
                total += self._sum()
            finally:
                self._folding.append(token)
        return total

    def _since(self, timer: TimerSeries) -> int:
        before, now = self._followed[timer], timer.recorded()
        self._followed[timer] = now
        return now - before if now >= before else now  # fewer than before: it was reset

    def reset(self) -> None:
        """Forget what has gathered."""
        self._ones.take()
        self._amounts.clear()  # the same list: `add` is bound to it
        self._folding = [None]
        for timer in list(self._followed):
            self._followed[timer] = 0  # all series are reset together, in whatever order


class GaugeSeries(Series):
    """The last value of one label combination: the bound handle that `Gauge.bind` gives."""

    __slots__ = ("_last",)

    def __init__(self, wire: str, labels: tuple[str, ...] = ()) -> None:
        super().__init__(wire, labels)
        self._last: deque[float] = deque(maxlen=1)

    def set(self, value: float, /) -> None:
        """Say what the value is now. Never raises and never blocks.

        Args:
            value: Not negative: on the wire a sign would make it relative. A negative value or a non-number
                is refused and counted.
        """
        self._last.append(value)

    def take(self) -> float | None:
        """The last value since the last call, or None when none was set."""
        try:
            value = self._last.popleft()
        except IndexError:
            return None
        usable = _usable([value], self.wire)
        return usable[0] if usable else None

    def reset(self) -> None:
        """Forget what has gathered."""
        self._last = deque(maxlen=1)


class TimerSeries(Series):
    """The durations of one label combination: the bound handle that `Timer.bind` gives.

    Attributes:
        pending: Those that no client has taken yet.
    """

    __slots__ = ("_dropped", "_taken", "pending")

    def __init__(self, wire: str, labels: tuple[str, ...] = ()) -> None:
        super().__init__(wire, labels)
        self.pending: list[float] = []
        self._taken = 0
        self._dropped = losses.Tally()

    def observe(self, seconds: float, /) -> None:
        """Record one duration. Never raises and never blocks.

        Args:
            seconds: Not negative; a negative value or a non-number is refused and counted.
        """
        pending = self.pending
        pending.append(seconds)
        if len(pending) > SOFT_LIMIT:
            self.overfull()

    def overfull(self) -> None:
        """Wake the client, and drop what is past the hard limit."""
        pending = self.pending
        if not hurry():
            pending.clear()  # nobody will ever take them
        elif len(pending) > HARD_LIMIT:
            try:
                pending.pop()
            except IndexError:  # taken meanwhile
                return
            self._dropped.tick()
            losses.drop("full")

    def recorded(self) -> int:
        """How many durations there were, those that were dropped included, since the last reset."""
        self._taken += self._dropped.take()
        return self._taken + len(self.pending)

    def time(self) -> AbstractContextManager[None]:
        """A context manager that records how long its block ran, also when the block raises."""
        return _Timing(self)

    def take(self) -> list[float]:
        """The durations since the last call, in seconds."""
        pending = self.pending
        count = len(pending)
        if not count:
            return []
        values = pending[:count]
        del pending[:count]
        self._taken += count
        return _usable(values, self.wire)

    def reset(self) -> None:
        """Forget what has gathered."""
        self.pending.clear()
        self._dropped.take()
        self._taken = 0


class _Timing:
    __slots__ = ("_begun", "_series")

    def __init__(self, series: TimerSeries) -> None:
        self._series = series

    def __enter__(self) -> None:
        self._begun = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._series.observe(time.perf_counter() - self._begun)


def _usable(values: list[float], wire: str, least: float = 0.0) -> list[float]:
    """The values that are numbers, finite and not below `least`; the others are counted as invalid."""
    try:
        if min(values, default=least) >= least and -math.inf < sum(values) < math.inf:
            return values
    except (TypeError, ValueError, ArithmeticError):
        pass  # something among them is no number
    good = []
    for value in values:
        try:
            number = float(value)
        except Exception:  # noqa: BLE001 - a caller's object may raise anything; its emission must not
            number = math.nan
        if least <= number < math.inf:
            good.append(number)
        else:
            losses.mistake(f"{wire}: {value!r} is not a finite number of {least:g} or more")
    return good

"""One drill: how long its alerts took to arrive, and to be over, by the receiver's own words."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from metrics.watch.receiver import WATCHDOG
from tests.drills.stack import Stack

#: Seconds that an alert may take to arrive, and after the repair to be over. Far more than any needs: those
#: that wait longest do so for three minutes, an hour being a minute here.
PATIENCE = 300.0
#: Seconds for alerts of an earlier drill to be over.
_QUIET_PATIENCE = 120.0
_LOOK = 0.1
#: Set when somebody asks to stop: what is waited for is given up, and everything ends.
stopping = threading.Event()


class NotAsExpected(Exception):  # noqa: N818 - reads as the sentence that it is
    """An alert did not come, or did not go. The text says which, and what there was instead."""


@dataclass(slots=True)
class Row:
    """What became of one alert.

    Attributes:
        fault: The kind of fault.
        alert: The alert.
        fired: Seconds from the fault to the alert's arrival; None if it did not come.
        over: Seconds from the repair to its end; None if it did not end.
        why: What was not as expected; empty if nothing.
        mended: When its fault was repaired, by the monotonic clock; 0 before.
    """

    fault: str
    alert: str
    fired: float | None = None
    over: float | None = None
    why: str = ""
    mended: float = 0.0


@dataclass(slots=True)
class Drill:
    """What a fault uses to say what it waits for.

    Attributes:
        stack: The stack that it happens to.
        fault: The kind of fault.
        wanted: The alerts that must come and go.
        rows: What became of them, by the alert.
    """

    stack: Stack
    fault: str
    wanted: Collection[str]
    rows: dict[str, Row] = field(default_factory=dict)
    _began: float = 0.0
    _repaired: float = 0.0
    _shown: set[str] = field(default_factory=set)

    def run(self, inject: Callable[[Drill], None]) -> list[Row]:
        """Make a fault, and wait for all that is wanted to come and to go."""
        self.rows = {alert: Row(self.fault, alert) for alert in self.wanted}
        why = ""
        try:
            self._await(
                lambda: not self._any(), _QUIET_PATIENCE, lambda: f"{', '.join(self._any())} before it"
            )
            self.begins()
            inject(self)
        except NotAsExpected as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - the other drills go on, and this one is told of in the table
            why = f"{type(error).__name__}: {error}"
        # What came after the last repair was held back until then.
        last = self._repaired or time.monotonic()
        for row in self.rows.values():
            row.mended = row.mended or last
            if row.fired is None:
                row.why = why or "the drill does not ask for it"
        try:
            self._await_ends()
        except NotAsExpected as error:
            for row in self.rows.values():
                row.why = row.why or (str(error) if row.over is None else "")
        return list(self.rows.values())

    def _any(self) -> list[str]:
        return sorted(set(self.wanted) & (self.stack.told.now() | (self._shown & self.stack.shown())))

    def begins(self) -> None:
        """A further fault of this kind begins."""
        self._began, self._repaired = time.monotonic(), 0.0

    def fires(self, *alerts: str) -> None:
        """Wait until the receiver has these alerts, those of them that are wanted.

        Raises:
            NotAsExpected: One did not arrive.
        """
        self._arrive(alerts, self.stack.told.firing)

    def shows(self, *alerts: str) -> None:
        """Wait until Prometheus' own page shows these alerts, of which nobody can be told.

        Raises:
            NotAsExpected: One does not show.
        """
        self._shown |= set(alerts)
        self._arrive(alerts, lambda alert: time.monotonic() if alert in self.stack.shown() else None)

    def falls_silent(self) -> None:
        """Wait until the receiver says that the watchdog stays away.

        Raises:
            NotAsExpected: It does not.
        """
        told = self.stack.told
        self._arrive([WATCHDOG], lambda _: next((each for each in told.silences if each > self._began), None))

    def _arrive(self, alerts: Collection[str], when: Callable[[str], float | None]) -> None:
        left = [alert for alert in alerts if alert in self.wanted]

        def all_there() -> bool:
            for alert in list(left):
                at = when(alert)
                if at is not None:
                    self.rows[alert].fired = max(at - self._began, 0.0)
                    left.remove(alert)
            return not left

        self._await(all_there, PATIENCE, lambda: f"{', '.join(left)} did not come; there is {self._there()}")

    def _there(self) -> str:
        pending = {each for each in self.stack.shown() if each != WATCHDOG} - self.stack.told.now()
        held = f", held back {', '.join(sorted(pending))}" if pending else ""
        return (", ".join(sorted(self.stack.told.now())) or "nothing") + held

    def repaired(self) -> None:
        """What has come so far should go from here on."""
        self._repaired = time.monotonic()
        for row in self.rows.values():
            if row.fired is not None:
                row.mended = row.mended or self._repaired

    def _await_ends(self) -> None:
        left = [row for row in self.rows.values() if row.fired is not None]

        def all_over() -> bool:
            for row in list(left):
                ended = self._end(row)
                if ended is not None:
                    row.over = max(ended - row.mended, 0.0)
                    left.remove(row)
            return not left

        self._await(
            all_over, PATIENCE, lambda: f"{', '.join(row.alert for row in left)} did not end; {self._there()}"
        )

    def _end(self, row: Row) -> float | None:
        """When an alert was over; None while it is not."""
        alert, stack = row.alert, self.stack
        if alert == WATCHDOG:
            return stack.told.watchdog(row.mended)
        on_the_page = alert in stack.shown() if alert in self._shown | set(stack.never_told_over) else False
        if on_the_page:
            return None
        if alert in self._shown:
            return time.monotonic()
        if alert in stack.never_told_over and stack.told.firing(alert) is not None:
            stack.told.forget(alert, time.monotonic())
        return stack.told.ended(alert) if stack.told.firing(alert) is None else None

    def _await(self, condition: Callable[[], bool], patience: float, what: Callable[[], str]) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            if stopping.is_set():
                raise NotAsExpected("stopped before it was done")
            if time.monotonic() > deadline:
                raise NotAsExpected(f"{what()}, {patience:.0f} s on")
            time.sleep(_LOOK)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a step of the fault itself.

        Raises:
            NotAsExpected: It did not happen.
        """
        self._await(lambda: bool(condition()), PATIENCE, lambda: f"{what} did not happen")


@contextmanager
def again_and_again(step: Callable[[], object], pause: float) -> Iterator[None]:
    """Do something over and over beside the block, until its end, whether it works or not."""
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            with suppress(Exception):  # what it asks may be what is broken just then
                step()
            over.wait(pause)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)

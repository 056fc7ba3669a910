"""What the receiver was told: `scout metrics receive-alerts` as a process of its own, and what it printed."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from metrics.watch.receiver import WATCHDOG

#: How an alert is named when the receiver says that the watchdog stays away.
SILENCE = "SILENCE"


@dataclass(slots=True)
class Told:
    """What arrived, as it stands now.

    Attributes:
        silences: When the receiver said that the watchdog stays away, by the monotonic clock.
    """

    silences: list[float] = field(default_factory=list)
    _firing: dict[str, dict[str, float]] = field(default_factory=dict)
    _ended: dict[str, float] = field(default_factory=dict)
    _watchdog: list[float] = field(default_factory=list)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def take(self, line: str, now: float) -> None:
        """Take a line that the receiver printed."""
        if SILENCE in line and not line.startswith("{"):
            self.silences.append(now)
        if not line.startswith("{"):
            return
        with self._changing:
            for alert in json.loads(line)["alerts"]:
                self._take(alert, now)

    def _take(self, alert: Mapping[str, Any], now: float) -> None:
        name = alert["labels"]["alertname"]
        if name == WATCHDOG:
            self._watchdog.append(now)
        which = self._firing.setdefault(name, {})
        said = json.dumps(alert["labels"], sort_keys=True)
        if alert["status"] == "firing":
            which.setdefault(said, now)
        else:
            which.pop(said, None)
            if not which:
                self._ended[name] = now

    def firing(self, name: str) -> float | None:
        """When an alert arrived that is not over yet: the first of its name; None if there is none."""
        with self._changing:
            return min(self._firing.get(name, {}).values(), default=None)

    def now(self) -> set[str]:
        """The names of the alerts that are not over, the watchdog left out."""
        with self._changing:
            return {name for name, which in self._firing.items() if which and name != WATCHDOG}

    def ended(self, name: str) -> float:
        """When the receiver was told that an alert is over, by the monotonic clock; 0 if it never was."""
        with self._changing:
            return self._ended.get(name, 0.0)

    def forget(self, name: str, now: float) -> None:
        """Take it that an alert is over: one that is never told to be (`send_resolved: false`)."""
        with self._changing:
            self._firing.pop(name, None)
            self._ended[name] = now

    def watchdog(self, since: float = 0.0) -> float | None:
        """When the watchdog came first after a moment of the monotonic clock; None if it did not."""
        return next((came for came in list(self._watchdog) if came > since), None)


@contextlib.contextmanager
def receiving(command: list[str], environ: Mapping[str, str]) -> Iterator[Told]:
    """The receiver, from its start to the end of the block."""
    told = Told()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(environ), bufsize=1
    )

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            told.take(line.strip(), time.monotonic())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        process.terminate()
        process.wait(10)
        thread.join(5)

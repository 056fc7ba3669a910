"""What was emitted, for tests of whoever emits."""

from __future__ import annotations

import pytest

from metrics.model import Counter, Timer


class Emitted:
    """Counts of emissions by metric and labels."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def add(self, name: str, amount: float, labels: dict[str, str]) -> None:
        key = (name, tuple(sorted((k, str(v)) for k, v in labels.items())))
        self._found[key] = self._found.get(key, 0) + amount

    def of(self, metric: Counter | Timer, **labels: str) -> float:
        """How much a counter rose, or how often a timer was observed, under exactly these labels."""
        return self._found.get((metric.name, tuple(sorted(labels.items()))), 0)


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> Emitted:
    """Everything emitted during the test."""
    found = Emitted()

    def inc(self: Counter, amount: float = 1, /, **labels: str) -> None:
        found.add(self.name, amount, labels)

    def observe(self: Timer, seconds: float, /, **labels: str) -> None:
        found.add(self.name, 1, labels)

    monkeypatch.setattr(Counter, "inc", inc)
    monkeypatch.setattr(Timer, "observe", observe)
    return found

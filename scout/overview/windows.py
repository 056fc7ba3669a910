"""The times that figures are shown for, and how coarse they are then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """A time up to now.

    Attributes:
        name: As addresses and the command line write it.
        words: As a button says it.
        seconds: How long it is.
        step: Seconds from one figure to the next.
    """

    name: str
    words: str
    seconds: int
    step: int

    @property
    def points(self) -> int:
        """How many figures of one kind there are at most."""
        return self.seconds // self.step


WINDOWS = {
    window.name: window
    for window in (
        Window("1h", "1 hour", 3_600, 30),
        Window("6h", "6 hours", 21_600, 120),
        Window("24h", "24 hours", 86_400, 600),
        Window("7d", "7 days", 604_800, 3_600),
    )
}
DEFAULT = WINDOWS["1h"]

"""Waiting for a condition, instead of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, timeout: float = 10.0, what: str = "the condition") -> T:
    """Ask again until the answer is truthy, and return it; fail the test after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = 0.01
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout:g} s; last answer: {answer!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)

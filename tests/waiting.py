"""Waiting for a condition, instead of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

#: Seconds, where a test does not say how many: a busy machine takes ten for what takes half of one.
PATIENCE = 30.0

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def wait_until(
    condition: Callable[[*Ts], T | None], *of: *Ts, timeout: float | None = None, what: str = "the condition"
) -> T:
    """Ask the condition of these again until the answer is truthy, and return it.

    Fails the test after `timeout` seconds, or `PATIENCE`. What a loop goes through is given in `of`: a
    function that is made in the loop would ask of its last.
    """
    timeout = PATIENCE if timeout is None else timeout
    deadline = time.monotonic() + timeout
    pause = 0.01
    while True:
        answer = condition(*of)
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout:g} s; last answer: {answer!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)

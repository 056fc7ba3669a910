"""Misbehaviour: what a board does instead of answering well, for how long, and a mild kind of its own."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any

from demo.openings import mix

#: What a board can be told to do. Any status from 400 to 599 may stand in place of `500`.
FAULTS = {
    "500": "answers with this status and a short error",
    "429": "answers 429 with Retry-After",
    "slow": "sends the right answer in small pieces, over `seconds`",
    "truncated": "promises the whole answer and hangs up after half of it",
    "html": "answers 200 with a page for browsers",
    "empty": "answers 200 with a listing without postings",
    "blank": "answers 200 with nothing at all",
    "garbage": "answers 200 with bytes that are no JSON and no XML",
    "hang": "takes the request and says nothing for `seconds`, then hangs up",
    "disconnect": "hangs up without an answer",
    "endless": "sends an answer that never ends",
    "redirect_inside": "redirects to `location`, an address inside the network",
    "redirect_loop": "redirects to itself",
    "none": "behaves well again",
}


class UnknownFaultError(ValueError):
    """A fault that no board can be told to have. Its text says what there is."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """A board's misbehaviour.

    Attributes:
        name: One of `FAULTS`, or a status from 400 to 599.
        count: How many answers it spoils; None means until it is told otherwise.
        retry_after: What `Retry-After` says, in seconds or as a date of HTTP; empty means no such header.
        seconds: How long `slow` and `hang` take.
        location: Where `redirect_inside` points.
        until_tick: The tick at which it ends by itself, or None.
    """

    name: str
    count: int | None = None
    retry_after: str = ""
    seconds: float = 30.0
    location: str = "http://169.254.169.254/latest/meta-data/"
    until_tick: int | None = None

    @classmethod
    def from_json(cls, asked: dict[str, Any]) -> Fault:
        """The fault that a control request asks for.

        Raises:
            UnknownFaultError: It is none of `FAULTS`, or a value has the wrong type.
        """
        name = str(asked.get("fault", ""))
        status = re.fullmatch("[45][0-9]{2}", name)  # RFC 9110, section 15: error classes
        if name not in FAULTS and not status:
            raise UnknownFaultError(
                f"{name!r} is no fault. There are {', '.join(FAULTS)}, and any status 400-599."
            )
        try:
            count = asked.get("count")
            made = cls(name=name, count=None if count is None else int(count))
            made.retry_after = str(asked.get("retry_after") or ("5" if name == "429" else ""))
            made.seconds = float(asked.get("seconds") or made.seconds)
            made.location = str(asked.get("location") or made.location)
        except (TypeError, ValueError) as error:
            raise UnknownFaultError(f"A value has the wrong type: {error}.") from error
        return made


class Faults:
    """The faults of all boards, safe for many threads.

    Args:
        boards: The boards' keys, in their order.
        mild: Whether now and then one board misbehaves by itself, chosen by seed and tick.
        seed: Decides which, when and how.
    """

    def __init__(self, boards: list[str], *, mild: bool = False, seed: int = 7) -> None:
        self._boards = boards
        self._mild = mild
        self._seed = seed
        self._set: dict[str, Fault] = {}
        self._lock = threading.Lock()

    def set(self, board: str, fault: Fault) -> None:
        """Let `board` misbehave from now on; `none` ends it. The board `*` stands for all of them."""
        with self._lock:
            for key in self._boards if board == "*" else [board]:
                if fault.name == "none":
                    self._set.pop(key, None)
                else:
                    self._set[key] = Fault(
                        name=fault.name,
                        count=fault.count,
                        retry_after=fault.retry_after,
                        seconds=fault.seconds,
                        location=fault.location,
                        until_tick=fault.until_tick,
                    )

    def take(self, board: str, tick: int) -> Fault | None:
        """The fault that spoils the next answer of `board`; counted as used."""
        with self._lock:
            fault = self._now(board, tick)
            if fault is not None and fault.count is not None:
                fault.count -= 1
                if fault.count <= 0:
                    del self._set[board]
            return fault

    def told(self, tick: int) -> dict[str, dict[str, Any]]:
        """The faults in force, for the state: key to name and remaining count."""
        with self._lock:
            found = {key: self._now(key, tick) for key in list(self._set)}
            return {
                key: {"fault": fault.name, "count": fault.count}
                for key, fault in found.items()
                if fault is not None
            }

    def tick(self, tick: int) -> None:
        """What a new tick brings: in the mild mode, a third of them make one board fail for a tick or two."""
        if not self._mild or not self._boards:
            return
        chance = mix(self._seed, 404, tick)
        if chance % 3:
            return
        board = self._boards[(chance >> 8) % len(self._boards)]
        with self._lock:
            if board in self._set:
                return
            until = tick + 1 + (chance >> 40) % 2
            if (chance >> 32) % 2:
                self._set[board] = Fault(name="500", until_tick=until)
            else:
                self._set[board] = Fault(name="429", retry_after="3", until_tick=until)

    def _now(self, board: str, tick: int) -> Fault | None:
        fault = self._set.get(board)
        if fault is not None and fault.until_tick is not None and tick >= fault.until_tick:
            del self._set[board]
            return None
        return fault

"""Lines and datagrams: how samples are written for the exporter.

Rules of statsd_exporter's parser (pkg/line) that shape this: only `ms`, `h` and `d` may carry several values
in one line; a timer's sampling factor is taken as `int(1 / factor)` copies; timers arrive in milliseconds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The largest datagram over UDP, in bytes: one Ethernet frame of 1500 less headers and some tunnels' share.
UDP_LIMIT = 1432
#: The largest datagram over a Unix socket, in bytes.
UNIX_LIMIT = 8192
#: The longest series name that is sent, in bytes: it leaves room for values in the smallest datagram.
LONGEST_NAME = 1024
# Up to here a float holds every whole number exactly.
_EXACT = 1e15
# "1.23457e+06" and the colon after it.
_VALUE_WIDTH = 12


def number(value: float) -> str:
    """A number as Go's ParseFloat reads it back to the same value."""
    return str(int(value)) if value == int(value) and abs(value) < _EXACT else repr(float(value))


def counter(name: str, amount: float) -> str:
    """The line that adds to a counter."""
    return f"{name}:{number(amount)}|c"


def gauge(name: str, value: float) -> str:
    """The line that sets a gauge. The value is not negative: a sign would make it relative."""
    return f"{name}:{number(value)}|g"


def timers(name: str, seconds: list[float], limit: int, every: int = 1) -> Iterator[tuple[str, int]]:
    """The lines that carry all these durations, each with how many samples are in it.

    Args:
        name: The wire name.
        seconds: The durations in seconds; sent in milliseconds with six significant digits.
        limit: The longest line, in bytes.
        every: One in so many was kept; the exporter counts each value so many times.
    """
    suffix = "|ms" if every == 1 else f"|ms|@{factor(every)!r}"
    room = max(1, (limit - len(name) - len(suffix)) // _VALUE_WIDTH)
    for start in range(0, len(seconds), room):
        chunk = [value * 1000.0 for value in seconds[start : start + room]]
        yield name + ":%.6g" * len(chunk) % tuple(chunk) + suffix, len(chunk)


def factor(every: int) -> float:
    """The sampling factor that the exporter's `int(1 / factor)` turns back into `every`."""
    found = 1.0 / every
    while int(1.0 / found) < every:
        found = math.nextafter(found, 0.0)
    return found


def pack(lines: Iterable[tuple[str, int]], limit: int) -> Iterator[tuple[bytes, int]]:
    """Datagrams of at most `limit` bytes, each with how many samples are in it.

    Every line is ASCII and fits by itself: names are bounded, and `timers` splits.
    """
    held: list[str] = []
    size = samples = 0
    for line, count in lines:
        if held and size + len(line) > limit:
            yield "\n".join(held).encode("ascii"), samples
            held, size, samples = [], 0, 0
        held.append(line)
        size += len(line) + 1
        samples += count
    if held:
        yield "\n".join(held).encode("ascii"), samples

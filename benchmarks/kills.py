"""What arrives when workers are killed: 8 processes that count 100,000 times a second in all, for a minute.

Now and then a worker is killed by SIGKILL at a random moment, or recycled cleanly, and another one takes its
place. Each worker keeps a ledger in memory that outlives it, shared with the process that watches:

- `emitted`: increments, noted one by one, each just before it happens;
- `intended`: what will have been sent when the datagram that is about to be sent has been taken;
- `acknowledged`: what the kernel has taken, noted after the system call.

At the end the exporter's total must be what was acknowledged, to the last count. Between the system call and
its note a kill leaves a datagram of which nobody can tell: those are counted apart, and may explain a
difference only by the very amounts that were in them. What was emitted and not acknowledged is lost: only in
killed processes, and what one lost is told in increments and in milliseconds of its rate.

The exporter has a receive buffer of 4 MiB (`--statsd.read-buffer`; the embedded one asks for that by itself):
what the kernel takes from a sender, it may still throw away where the receiver's buffer is full. It counts
that, and the count is shown.

`KILLS_SECONDS` makes it shorter, `KILLS_RATE` slower.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import metrics
from benchmarks import programs
from benchmarks.measure import table, write
from metrics import catalogue
from metrics.transport import Outcome, Transport

if TYPE_CHECKING:
    from types import FrameType

WORKERS = 8
SECONDS = float(os.environ.get("KILLS_SECONDS", "60"))
RATE = int(os.environ.get("KILLS_RATE", "100000"))
SHORT = {"seconds": 3.0, "rate": 20_000}
#: Seconds between two ends of a worker, on average.
_EVERY = 0.4
#: Seconds between two bursts of a worker's increments.
_TICK = 0.01
_MOST_LIVES = 4_096
_EMITTED, _INTENDED, _ACKNOWLEDGED, _WORDS = range(4)

_ending = False


class Ledger:
    """Three numbers for each life of a worker, in memory that all processes share.

    Each is one aligned word that is written at once, so that a kill leaves the old one or the new one.
    """

    def __init__(self) -> None:
        self._words = memoryview(mmap.mmap(-1, _MOST_LIVES * _WORDS * 8)).cast("Q")

    def of(self, life: int) -> memoryview:
        """The numbers of one life."""
        return self._words[life * _WORDS : (life + 1) * _WORDS]


@dataclass
class Life:
    """One process in one place."""

    place: int
    numbers: memoryview
    process: int
    killed: bool = False

    @property
    def lost(self) -> int:
        """Increments that the kernel surely never got, and those of which nobody knows."""
        return self.numbers[_EMITTED] - self.numbers[_ACKNOWLEDGED]

    @property
    def ambiguous(self) -> int:
        """Increments in a datagram that was sent or not: the kill came before that was noted."""
        return self.numbers[_INTENDED] - self.numbers[_ACKNOWLEDGED]


@dataclass
class Workers:
    """The places, who holds them, and who did."""

    statsd: str
    rate: float
    ledger: Ledger = field(default_factory=Ledger)
    lives: list[Life] = field(default_factory=list)
    living: dict[int, Life] = field(default_factory=dict)

    def fill(self, place: int) -> None:
        """Put a new worker into a place."""
        numbers = self.ledger.of(len(self.lives))
        # It may be told to end before it can listen: until then that waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        process = os.fork()
        if process == 0:
            status = 1
            try:
                _work(numbers, self.statsd, place, self.rate)
                status = 0
            finally:
                os._exit(status)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        life = Life(place, numbers, process)
        self.lives.append(life)
        self.living[place] = life

    def end(self, place: int, how: signal.Signals) -> None:
        """End the worker of a place, and wait until it has ended.

        Raises:
            ChildProcessError: It ended otherwise than it was told.
        """
        life = self.living.pop(place)
        life.killed = how == signal.SIGKILL
        os.kill(life.process, how)
        _, status = os.waitpid(life.process, 0)
        expected = -signal.SIGKILL if life.killed else 0
        if os.waitstatus_to_exitcode(status) != expected:
            raise ChildProcessError(
                f"a worker ended with {os.waitstatus_to_exitcode(status)}, not {expected}"
            )


def _work(numbers: memoryview, statsd: str, place: int, rate: float) -> None:
    signal.signal(signal.SIGTERM, _end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    series = catalogue.HTTP_REQUESTS.bind("GET", f"/worker-{place}", "200")
    _keep_books(numbers, f"{series.wire}:".encode())
    metrics.start(statsd, role="web")
    emitted = 0
    begun = time.monotonic()
    while not _ending:
        for number in range(emitted + 1, int((time.monotonic() - begun) * rate) + 1):
            emitted = numbers[_EMITTED] = number
            series.inc()
        time.sleep(_TICK)
    metrics.stop()


def _end(_number: int, _frame: FrameType | None) -> None:
    global _ending  # noqa: PLW0603 - a signal handler's only way to say something
    _ending = True


def _keep_books(numbers: memoryview, line: bytes) -> None:
    """Note in the ledger what is sent of one series, around the very call that sends it."""
    send = Transport.send

    def noted(self: Transport, datagram: bytes, samples: int) -> Outcome:
        amount = sum(
            int(text[len(line) :].partition(b"|")[0])
            for text in datagram.split(b"\n")
            if text.startswith(line)
        )
        numbers[_INTENDED] = numbers[_ACKNOWLEDGED] + amount
        outcome = send(self, datagram, samples)
        if outcome == "sent":
            numbers[_ACKNOWLEDGED] = numbers[_INTENDED]
        else:
            numbers[_INTENDED] = numbers[_ACKNOWLEDGED]
        return outcome

    Transport.send = noted  # type: ignore[method-assign]  # in the worker only, for good


def explained(difference: int, ambiguous: list[int]) -> bool:
    """Whether some of the ambiguous datagrams, each whole, make the difference."""
    sums = {0}
    for amount in ambiguous:
        sums |= {each + amount for each in sums}
    return difference in sums


def _arrived(exporter: programs.Exporter, place: int) -> int:
    return int(exporter.total(catalogue.HTTP_REQUESTS.name, endpoint=f"/worker-{place}"))


def _book(exporter: programs.Exporter, lives: list[Life]) -> list[dict[str, Any]]:
    """For each place: what its workers had acknowledged, and what the exporter has."""
    books = []
    for place in range(WORKERS):
        here = [life for life in lives if life.place == place]
        acknowledged = sum(life.numbers[_ACKNOWLEDGED] for life in here)
        ambiguous = [life.ambiguous for life in here if life.ambiguous]
        # The exporter may still be reading; what is there does not go away.
        programs.until(lambda at=place, of=acknowledged: _arrived(exporter, at) >= of, 5)  # type: ignore[misc]
        arrived = _arrived(exporter, place)
        books.append(
            {
                "emitted": sum(life.numbers[_EMITTED] for life in here),
                "acknowledged": acknowledged,
                "exporter": arrived,
                "ambiguous datagrams": len(ambiguous),
                "ambiguous": sum(ambiguous),
                "equal": explained(arrived - acknowledged, ambiguous),
            }
        )
    return books


def _storm(workers: Workers, seconds: float) -> float:
    """Let the workers work, and end one now and then; how long it took."""
    chance = random.Random(5)  # its first end is a kill, so that a short run has one
    begun = time.monotonic()
    for place in range(WORKERS):
        workers.fill(place)
    try:
        while (left := begun + seconds - time.monotonic()) > 0:
            time.sleep(min(left, chance.expovariate(1 / _EVERY)))
            place = chance.randrange(WORKERS)
            workers.end(place, chance.choice((signal.SIGKILL, signal.SIGTERM)))
            workers.fill(place)
    finally:
        for place in list(workers.living):
            workers.end(place, signal.SIGTERM)
    return time.monotonic() - begun


def run(seconds: float = SECONDS, rate: int = RATE) -> dict[str, Any]:
    """Run it, print the table, and write `results/kills.json`; ends the program where the totals differ."""
    kind = programs.kinds()[0]
    if kind == "embedded":
        print(
            "The real statsd_exporter is not here (`make components` brings it): the embedded one is asked."
        )
    with programs.running(kind, "--statsd.read-buffer=4194304") as exporter:
        workers = Workers(exporter.statsd, rate / WORKERS)
        took = _storm(workers, seconds)
        books = _book(exporter, workers.lives)
        drops = exporter.drops()
    losses = [life.lost for life in workers.lives if life.killed]
    clean = sum(life.lost for life in workers.lives if not life.killed)
    sums = {key: sum(book[key] for book in books) for key in books[0]}
    largest = max(losses, default=0)
    result: dict[str, Any] = {
        "through": kind,
        "workers": WORKERS,
        "seconds": round(took, 1),
        "increments per second": round(sums["emitted"] / took),
        "killed": len(losses),
        "recycled": len(workers.lives) - len(losses),
        "emitted": sums["emitted"],
        "acknowledged": sums["acknowledged"],
        "exporter's total": sums["exporter"],
        "datagrams thrown away": drops,
        "ambiguous datagrams": sums["ambiguous datagrams"],
        "increments in them": sums["ambiguous"],
        "equal": all(book["equal"] for book in books) and clean == 0,
        "lost in clean ends": clean,
        "lost in kills": sum(losses),
        "lost of all": round(sum(losses) / max(sums["emitted"], 1), 5),
        "largest loss": largest,
        "largest loss ms": round(largest / workers.rate * 1000, 1),
        "median loss ms": round(statistics.median(losses or [0]) / workers.rate * 1000, 1),
    }
    print(table(["workers killed", ""], [[name, _shown(value)] for name, value in result.items()]))
    write("kills", {**result, "places": books})
    if not result["equal"]:
        sys.exit("What the exporter has is not what was acknowledged.")
    return result


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)

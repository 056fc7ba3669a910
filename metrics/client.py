"""The client: gathers what the process emits, and sends it each second, aggregated, as StatsD datagrams.

It is a client of the `statsd` package too (`incr`, `decr`, `timing`, `gauge`, `timer`, `pipeline`), for names
that no catalogue knows. The process has one, configured by `start`.

Who waits for whom: emitters wait for nobody. Flushers (the thread, and whoever calls `flush`) exclude each
other while they take what has gathered, and hold no lock while they send.
"""

from __future__ import annotations

import atexit
import itertools
import os
import random
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from statsd.client.base import PipelineBase, StatsClientBase

from metrics import catalogue, losses, mapping, process, series, slots, wire
from metrics.model import Counter
from metrics.series import CounterSeries, GaugeSeries, Series, TimerSeries
from metrics.slots import Figure, Slot
from metrics.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

#: Seconds between two flushes.
FLUSH_EVERY = 1.0
#: Seconds between two reports of an idle process about itself.
REPORT_EVERY = 10.0
#: Seconds between two sendings of the zeros.
BORN_EVERY = 60.0
#: How many names the `statsd` methods may make.
_MOST_NAMES = 2_000
#: How many datagrams are sent before a moment's rest, so that a burst fits the exporter's receive buffer.
_BURST = 16
_REST = 0.001
# How long a flush waits for one that another thread has under way, or for the first look-up of the host.
_PATIENCE = 0.5

_TOTALS = (
    (Figure.QUEUED, catalogue.CLIENT_QUEUED),
    (Figure.SENT, catalogue.CLIENT_SENT),
    (Figure.DATAGRAMS, catalogue.CLIENT_DATAGRAMS),
    (Figure.BYTES, catalogue.CLIENT_BYTES),
    (Figure.UNCLEAN, catalogue.CLIENT_UNCLEAN_ENDS),
)
_DROPS = {reason: Figure[reason.upper()] for reason in losses.DROPPED}


class Pipeline(PipelineBase):  # type: ignore[misc]  # statsd ships no types
    """The `statsd` package's pipeline: holds samples until `send`, which then gathers them like any other."""

    def _send_stat(self, stat: str, value: str, rate: float) -> None:
        self._stats.append((stat, value, rate))

    def _send(self) -> None:
        while self._stats:
            self._client._send_stat(*self._stats.popleft())  # noqa: SLF001 - how statsd's classes work together


class _GaugeSteps(Series):
    """A gauge of the `statsd` methods, which may be relative: keeps the order of what was said."""

    __slots__ = ("_steps",)

    def __init__(self, wire: str) -> None:
        super().__init__(wire)
        self._steps: list[str] = []

    def add(self, step: str) -> None:
        if len(self._steps) < series.SOFT_LIMIT:
            self._steps.append(step)
        else:
            losses.drop("full")

    def take(self) -> list[str]:
        count = len(self._steps)
        steps = self._steps[:count]
        del self._steps[:count]
        absolute = [place for place, step in enumerate(steps) if step[0] not in "+-"]
        return steps[absolute[-1] :] if absolute else steps

    def reset(self) -> None:
        self._steps = []


class _SignedCounter(CounterSeries):
    """A counter of the `statsd` methods, which `decr` may lower; the exporter takes rises only."""

    __slots__ = ()

    least = -sys.float_info.max


class Client(StatsClientBase):  # type: ignore[misc]  # statsd ships no types
    """Gathers and sends. Thread-safe; usable after a fork; no method raises but the constructor.

    Args:
        url: `udp://host:port` or `unixgram:///path`.
        prefix: Put before the names of the `statsd` methods.
        shared: Whether to send what the catalogue's objects gathered too: true for the process's own client
            only.
        role: What part of the system this process is, for the gauges about it and its totals; empty for
            none.

    Raises:
        ValueError: The address cannot be used.
    """

    def __init__(self, url: str, prefix: str | None = None, *, shared: bool = False, role: str = "") -> None:
        self._prefix = prefix
        self._transport = Transport(url)
        self._shared = shared
        self._role = role
        self._slot: Slot | None = None
        self._told: list[int] = []
        self._own: dict[tuple[str, str, int], Series] = {}
        self._taking = threading.RLock()
        self._forking: list[int] = []
        self._under_way: set[tuple[int, int]] = set()
        self._tickets = itertools.count()
        self._wake = threading.Event()
        self._stopping = False
        #: The signal to raise again when the flush that it interrupted is through; 0 for none.
        self.signal_after_flush = 0
        self._looked_up = threading.Event()
        self._thread: threading.Thread | None = None
        self._born_at = self._reported_at = self._sampled_at = -float("inf")

    # --- As a client of the statsd package ---

    def pipeline(self) -> Pipeline:
        """A pipeline of the `statsd` package's kind."""
        return Pipeline(self)

    def incr(self, stat: str, count: float = 1, rate: float = 1) -> None:
        """Add to a counter; a sampled one is scaled here, so that totals stay right."""
        if rate < 1:
            if random.random() > rate:  # noqa: S311 - sampling
                return
            count = count / rate
        found = self._named(stat, "c", _SignedCounter)
        if found is not None:
            found.inc(count)

    def timing(self, stat: str, delta: Any, rate: float = 1) -> None:
        """Record a duration, in milliseconds or as a timedelta; of a rate, the nearest 1/n is used."""
        milliseconds = delta.total_seconds() * 1000.0 if hasattr(delta, "total_seconds") else delta
        every = max(1, round(1 / rate)) if 0 < rate < 1 else 1
        if every > 1 and random.randrange(every):  # noqa: S311 - sampling
            return
        found = self._named(stat, "ms", TimerSeries, every)
        if found is not None:
            try:
                found.observe(milliseconds / 1000.0)
            except TypeError:
                losses.mistake(f"{stat}: {delta!r} is no duration")

    def _send_stat(self, stat: str, value: str, rate: float) -> None:
        """What the other methods of the package, and its pipelines, end in."""
        text, _, kind = value.partition("|")
        try:
            if kind == "c":
                self.incr(stat, float(text), rate)
            elif kind == "ms":
                self.timing(stat, float(text), rate)
            elif kind == "g":
                float(text)
                found = self._named(stat, "g", _GaugeSteps)
                if found is not None and (rate >= 1 or random.random() <= rate):  # noqa: S311 - sampling
                    found.add(text)
            else:
                losses.mistake(f"{stat}: the exporter has no type {kind}")
        except ValueError:
            losses.mistake(f"{stat}: {text!r} is no number")

    def _named(self, stat: str, kind: str, make: Callable[[str], Any], every: int = 1) -> Any:
        name = f"{self._prefix}.{stat}" if self._prefix else stat
        key = (name, kind, every)
        try:
            found = self._own.get(key)
        except TypeError:
            found = None
        if found is None:
            if not _is_name(name):
                losses.mistake(f"{name!r} is no StatsD name")
                return None
            if len(self._own) >= _MOST_NAMES:
                losses.drop("full")
                return None
            found = self._own.setdefault(key, make(name))
        return found

    # --- Sending ---

    def run(self) -> None:
        """Begin flushing each second, in a thread of its own."""
        self._stopping = False
        self._wake.clear()
        self._thread = threading.Thread(target=self._loop, name="metrics", daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        while not self._stopping:
            self._transport.resolve()
            self._looked_up.set()
            self._wake.wait(FLUSH_EVERY)
            self._wake.clear()
            if not self._stopping:
                self._flush()

    def hurry(self) -> bool:
        """Flush soon; a series is filling up."""
        if not self._wake.is_set():
            self._wake.set()
        return self._thread is not None

    def flush(self) -> None:
        """Send now what has gathered, and return when the kernel has it or it is lost and counted.

        Safe in a signal handler: where it interrupts a flush of the same thread, that one finishes the work.
        """
        self._transport.resolve_numeric()
        if not self._transport.ready and self._thread is not None:
            self._looked_up.wait(_PATIENCE)
        self._flush(final=True)
        me = threading.get_ident()
        others = {ticket for ticket in list(self._under_way) if ticket[0] != me}
        deadline = time.monotonic() + _PATIENCE
        while others & self._under_way and time.monotonic() < deadline:
            time.sleep(_REST)
        if self._slot is not None and not self._under_way:
            self._slot.settled(settled=True)

    def close(self) -> None:
        """Send the rest, stop the thread, close the socket and give the slot back."""
        self._stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(_PATIENCE)
        self.flush()
        self._flush(final=True)  # what that one counted about itself
        self._transport.close()
        slot, self._slot = self._slot, None
        if slot is not None:
            slot.release()

    @property
    def place(self) -> tuple[str, str] | None:
        """The role and the slot of this process; None where it has none, or none yet after a fork."""
        slot = self._slot
        return (self._role, slot.number) if slot is not None else None

    @property
    def flushing(self) -> bool:
        """Whether this thread is in the middle of a flush: a signal handler may ask."""
        me = threading.get_ident()
        return any(thread == me for thread, _ in list(self._under_way))

    def _flush(self, *, final: bool = False) -> None:
        if self.flushing:
            return  # a signal handler, in the middle of a flush of this thread
        ticket = (threading.get_ident(), next(self._tickets))
        self._under_way.add(ticket)
        try:
            with self._taking:
                self._transport.check()
                slot = self.hold()
                datagrams = list(wire.pack(self._lines(slot, final=final), self._transport.limit))
            self._hand_over(datagrams, slot)
        except Exception as error:  # noqa: BLE001 - whatever it is, neither the caller nor the thread may feel it
            losses.mistake(f"a flush failed: {type(error).__name__}: {error}")
        finally:
            self._under_way.discard(ticket)
            if self.signal_after_flush and threading.current_thread() is threading.main_thread():
                number, self.signal_after_flush = self.signal_after_flush, 0
                signal.raise_signal(number)

    def hold(self) -> Slot | None:
        """The slot of this process, claimed if it has none yet; it is unsettled from here on."""
        if self._role and self._slot is None:
            self._slot = slots.claim(self._role)
        elif self._slot is not None:
            self._slot.settled(settled=False)
        return self._slot

    def _hand_over(self, datagrams: list[tuple[bytes, int]], slot: Slot | None) -> None:
        for place, (datagram, count) in enumerate(datagrams, start=1):
            if slot is not None:
                slot.add(Figure.QUEUED, count)
            outcome = self._transport.send(datagram, count)
            if outcome != "sent":
                losses.drop(outcome, count)
            elif slot is not None:
                slot.add(Figure.SENT, count)
                slot.add(Figure.DATAGRAMS, 1)
                slot.add(Figure.BYTES, len(datagram))
            if place % _BURST == 0:
                time.sleep(_REST)
        late, self._transport.late = self._transport.late, 0
        losses.drop("send", late)
        if slot is not None:
            _book_losses(slot)

    # --- Gathering ---

    def _lines(self, slot: Slot | None, *, final: bool) -> Iterator[tuple[str, int]]:
        if self._shared and not series.captured:
            yield from self._shared_lines(slot, final=final)
        for (name, _, every), each in list(self._own.items()):
            if isinstance(each, CounterSeries):
                yield from _counter_lines(each)
            elif isinstance(each, TimerSeries):
                yield from wire.timers(name, each.take(), self._transport.limit, every)
            elif isinstance(each, _GaugeSteps):
                for step in each.take():
                    yield f"{name}:{step}|g", 1

    def _shared_lines(self, slot: Slot | None, *, final: bool) -> Iterator[tuple[str, int]]:
        now = time.monotonic()
        if self._transport.restarted:
            self._transport.restarted = False
            self._born_at = -float("inf")
            self._told = []
            catalogue.CLIENT_EXPORTER_RESTARTS.inc()
        if now - self._born_at >= BORN_EVERY and (self._transport.ready or final):
            self._born_at = now
            yield from _born_lines()
        if slot is not None:
            self._tell(slot, now, final=final)
        _count_overflows()
        for each in list(series.LIVE):
            yield from _shared_line(each, self._transport.limit)

    def _tell(self, slot: Slot, now: float, *, final: bool) -> None:
        """Set what this process knows of itself, when it is due."""
        if final:
            process.count(self._role)
        elif now - self._sampled_at >= process.SAMPLE_EVERY:
            self._sampled_at = now
            process.sample(self._role, slot.number)
        if slot.kept and (final or now - self._reported_at >= REPORT_EVERY):
            self._reported_at = now
            _book_losses(slot)
            self._tell_totals(slot)

    def _tell_totals(self, slot: Slot) -> None:
        totals = [slot.total(figure) for figure in Figure]
        if totals == self._told:
            return
        self._told = totals
        where = {"role": self._role, "slot": slot.number}
        for figure, gauge in _TOTALS:
            gauge.set(slot.total(figure), **where)
        for reason, figure in _DROPS.items():
            catalogue.CLIENT_DROPPED.set(slot.total(figure), reason=reason, **where)

    # --- Around a fork ---

    def before_fork(self) -> None:
        """Wait until no thread is taking what has gathered, so that none is while the process forks.

        What a thread is in the middle of then stays so in the child for ever.
        """
        if self._taking.acquire(timeout=_PATIENCE):
            self._forking.append(threading.get_ident())

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if threading.get_ident() in self._forking:
            self._forking.remove(threading.get_ident())
            self._taking.release()

    def after_fork(self) -> None:
        """In a forked child: leave the parent's samples to the parent, begin with a thread and a socket."""
        running = self._thread is not None
        self._taking = threading.RLock()
        self._forking = []
        self._wake = threading.Event()
        self._looked_up = threading.Event()
        self._under_way = set()
        self._transport.close()
        self._transport.late = 0
        slot, self._slot = self._slot, None
        if slot is not None:
            slot.leave()
        self._told = []
        for each in list(self._own.values()):
            each.reset()
        # The parent has sent the zeros; its first figures about itself can wait for their time.
        self._born_at = self._reported_at = self._sampled_at = time.monotonic()
        if running:
            self.run()


def _is_name(name: object) -> bool:
    return (
        isinstance(name, str)
        and name.isascii()
        and name.isprintable()
        and 0 < len(name) <= wire.LONGEST_NAME
        and not any(sign in name for sign in ":|@#,[]")
    )


def _counter_lines(found: CounterSeries) -> Iterator[tuple[str, int]]:
    amount = found.take()
    if amount > 0:
        yield wire.counter(found.wire, amount), 1
    elif amount < 0:
        losses.mistake(f"{found.wire}: a counter cannot fall, and would by {-amount:g}")


def _shared_line(each: Series, limit: int) -> Iterator[tuple[str, int]]:
    if isinstance(each, CounterSeries):
        yield from _counter_lines(each)
    elif isinstance(each, TimerSeries):
        yield from wire.timers(each.wire, each.take(), limit)
    elif isinstance(each, GaugeSeries):
        value = each.take()
        if value is not None:
            yield wire.gauge(each.wire, value), 1


def _born_lines() -> Iterator[tuple[str, int]]:
    for metric in catalogue.ALL:
        if isinstance(metric, Counter):
            for name in metric.born():
                yield wire.counter(name, 0), 1


def _book_losses(slot: Slot) -> None:
    for reason, tally in losses.DROPPED.items():
        lost = tally.take()
        if lost:
            slot.add(_DROPS[reason], lost)


def _count_overflows() -> None:
    for name, tally in list(losses.OVERFLOWS.items()):
        count = tally.take()
        if count:
            catalogue.CLIENT_LABEL_OVERFLOWS.inc(count, metric=name)


# --- The process's client ---

_current: Client | None = None
_hooked = False


def start(url: str, *, role: str) -> None:
    """Configure the process's client and begin flushing each second. A second call replaces the first.

    What was emitted before is dropped silently. Forked children go on by themselves, with their own samples.

    A SIGTERM that nobody handles sends the rest before it ends the process.

    Args:
        url: `udp://host:port` or `unixgram:///path`.
        role: What part of the system the process is, a value of the `role` label: with it come gauges about
            the process, and totals of what it sent and lost. Empty for neither.

    Raises:
        ValueError: The address cannot be used.
    """
    global _current, _hooked  # noqa: PLW0603 - one process, one client
    new = Client(url, shared=True, role=role)
    stop()
    _forget()
    if not _hooked:
        _hooked = True
        os.register_at_fork(
            before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork
        )
        atexit.register(stop)
    _current = new
    if role:
        process.also(mapping.tell)
    series.hurry_through(new.hurry)
    new.hold()
    new.run()
    if threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    ):
        signal.signal(signal.SIGTERM, _end)


def _end(number: int, frame: FrameType | None) -> None:
    """Send the rest, then end by the signal as if nobody had handled it."""
    del frame
    if _current is not None and _current.flushing:
        _current.signal_after_flush = number  # it was interrupted between two steps, and goes on first
        return
    stop()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def place() -> tuple[str, str] | None:
    """The values of the `role` and `slot` labels for gauges about this process.

    None when the client is not started, and for a moment after a fork: samplers of `metrics.process` are told
    them.
    """
    return _current.place if _current is not None else None


def flush() -> None:
    """Send now what has gathered; before `os._exit`, for one. Does nothing when the client is not started."""
    if _current is not None:
        _current.flush()


def stop() -> None:
    """Send the rest and stop; emissions are dropped silently from then on. Safe to repeat."""
    global _current
    stopping, _current = _current, None
    if stopping is not None:
        series.hurry_through(None)
        stopping.close()


def _forget() -> None:
    for each in list(series.LIVE):
        each.reset()
    losses.reset()


def _before_fork() -> None:
    if _current is not None:
        _current.before_fork()


def _after_fork_in_parent() -> None:
    if _current is not None:
        _current.after_fork_in_parent()


def _after_fork() -> None:
    _forget()
    process.after_fork()
    if _current is None:
        return
    _current.after_fork()
    # A child of multiprocessing ends by os._exit and runs no atexit hooks, only its own finalizers. It
    # forgets those it inherited, but not what is registered like this.
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(_current, _finalize_in_child)


def _finalize_in_child(client: Client) -> None:
    util = sys.modules["multiprocessing.util"]
    util.Finalize(None, client.close, exitpriority=0)

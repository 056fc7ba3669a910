"""The test kit: captures what is emitted, and compares it readably.

    with captured() as emitted:
        client.get("/jobs/7")
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, endpoint="/jobs/{job_id}", status="200")

Labels that an assertion leaves out may have any value. `metrics.pytest_plugin` makes fixtures of it.
"""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from metrics import catalogue, client, losses, mapping, series, wire
from metrics.embedded import text
from metrics.embedded.exporter import counts, line, mapper, page, registry, rules, translator
from metrics.model import Counter, Gauge, Metric, Timer, wire_name
from metrics.series import CounterSeries, GaugeSeries, TimerSeries

if TYPE_CHECKING:
    from collections.abc import Iterator

V = TypeVar("V")
#: What a figure is compared with: a number, something equal to it (`pytest.approx`), a question about it, or
#: `ANY`, for more than none.
Wanted = float | Callable[[float], bool] | Any
# How many series are shown beside what was asked, and how many lines of everything else.
_NEAREST = 3
_MOST_SHOWN = 40


class _Any:
    def __repr__(self) -> str:
        return "any"


#: As a label: any value, as if the label were left out. As a figure: any, but some.
ANY: Final[Any] = _Any()


class Captured:
    """What was emitted since the capture began, up to the moment of each assertion, or to its end."""

    def __init__(self) -> None:
        self._over = False
        self._taking = threading.Lock()
        self._counts: dict[str, tuple[tuple[str, ...], float]] = {}
        self._gauges: dict[str, tuple[tuple[str, ...], float]] = {}
        self._durations: dict[str, tuple[tuple[str, ...], list[float]]] = {}
        #: Emissions that the client would have refused: unknown labels, values that are no numbers.
        self.mistakes: list[str] = []

    def gather(self) -> None:
        """Take in what was emitted meanwhile."""
        with self._taking:
            if not self._over:
                self._gather()

    def end(self) -> None:
        """Take in no more: what is emitted from now on belongs to somebody else."""
        self.gather()
        self._over = True

    def _gather(self) -> None:
        for each in list(series.LIVE):
            if isinstance(each, CounterSeries):
                amount = each.take()
                if amount:
                    held = self._counts.get(each.wire, ((), 0.0))[1]
                    self._counts[each.wire] = (each.labels, held + amount)
            elif isinstance(each, GaugeSeries):
                value = each.take()
                if value is not None:
                    self._gauges[each.wire] = (each.labels, value)
            elif isinstance(each, TimerSeries):
                durations = each.take()
                if durations:
                    self._durations.setdefault(each.wire, (each.labels, []))[1].extend(durations)
        while losses.MISTAKES:
            self.mistakes.append(losses.MISTAKES.popleft())

    def count(self, counter: Counter, **labels: str) -> float:
        """How far a counter rose, over all series that have these labels."""
        self.gather()
        return sum(amount for _, amount in _matching(counter, self._counts, labels))

    def durations(self, timer: Timer, **labels: str) -> list[float]:
        """The durations that a timer recorded, over all series that have these labels."""
        self.gather()
        return [value for _, values in _matching(timer, self._durations, labels) for value in values]

    def gauge(self, gauge: Gauge, **labels: str) -> float | None:
        """The last value of a gauge; None when it was not set.

        Raises:
            AssertionError: The labels fit several series.
        """
        self.gather()
        found = _matching(gauge, self._gauges, labels)
        if len(found) > 1:
            raise AssertionError(f"{_asked(gauge, labels)} fits several series.\n{self}")
        return found[0][1] if found else None

    def assert_incremented(self, metric: Counter, amount: Wanted = 1, **labels: str) -> None:
        """Fail unless the counter rose by `amount`, over all series that have these labels."""
        rose = self.count(metric, **labels)
        if not _fits(rose, amount):
            asked = f"{_asked(metric, labels)} rose by {rose:g}, not by {_shown(amount)}."
            raise AssertionError(f"{asked}\n{self._beside(metric, self._counts, labels, amount, float)}")

    def assert_observed(self, metric: Timer, count: Wanted = 1, **labels: str) -> None:
        """Fail unless the timer recorded `count` durations, over all series that have these labels."""
        found = len(self.durations(metric, **labels))
        if not _fits(found, count):
            asked = f"{_asked(metric, labels)} recorded {found} durations, not {_shown(count)}."
            raise AssertionError(f"{asked}\n{self._beside(metric, self._durations, labels, count, len)}")

    def assert_gauge(self, metric: Gauge, value: Wanted, **labels: str) -> None:
        """Fail unless the gauge's last value is `value`; with `ANY`, unless it was set in some series."""
        self.gather()
        if value is ANY and _matching(metric, self._gauges, labels):
            return
        found = self.gauge(metric, **labels)
        if found is None or not _fits(found, value):
            asked = f"{_asked(metric, labels)} is {found}, not {_shown(value)}."
            raise AssertionError(f"{asked}\n{self._beside(metric, self._gauges, labels, value, float)}")

    def assert_no_metrics(self, *metrics: Metric) -> None:
        """Fail if anything was emitted; with metrics given, if one of these was."""
        self.gather()
        asked = {metric.name for metric in metrics}
        for name in (*self._counts, *self._gauges, *self._durations):
            if not asked or name.split(".")[1] in asked:
                raise AssertionError(f"Nothing was to be emitted.\n{self}")

    def exposition(self, *more: Metric) -> str:
        """What statsd_exporter's page would say of all this: the families, as Prometheus reads them.

        The samples go through the generated mapping file into the embedded exporter, which is held to the
        real one by differential tests.

        Args:
            *more: Metrics that the catalogue does not have; without a rule they come out unmapped.
        """
        self.gather()
        own = counts.Counts()
        held = registry.Registry(own, page.RESERVED, time.monotonic)
        named = mapper.Mapper(rules.parse(mapping.render([*catalogue.ALL, *more])), 0)
        parser, into = line.Parser(own), translator.Translator(named, held, own)
        for sample in self._lines():
            into.take(parser.datagram(sample.encode("ascii")))
        return "".join(part for name in sorted(held.families()) for part in held.family_text(name))

    @contextlib.contextmanager
    def served(self, *more: Metric) -> Iterator[str]:
        """Serve `exposition`, anew for each scrape, as the exporter would: for tests of queries and rules.

        Yields:
            The address to scrape.
        """
        captured = self

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = captured.exposition(*more).encode()
                self.send_response(200)
                self.send_header("Content-Type", text.CONTENT_TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's names
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/metrics"
            finally:
                server.shutdown()
                thread.join()

    def _lines(self) -> Iterator[str]:
        yield from (wire.counter(name, amount) for name, (_, amount) in self._counts.items())
        yield from (wire.gauge(name, value) for name, (_, value) in self._gauges.items())
        for name, (_, durations) in self._durations.items():
            yield from (packed for packed, _ in wire.timers(name, durations, wire.UDP_LIMIT))

    def _beside(
        self,
        metric: Metric,
        held: dict[str, tuple[tuple[str, ...], V]],
        labels: dict[str, str],
        wanted: Wanted,
        figure: Callable[[V], float],
    ) -> str:
        """What was asked, beside the series of the metric that come nearest, label by label."""
        names = [label.name for label in metric.labels]
        asked = [labels.get(name, ANY) for name in names]

        def strange(entry: tuple[tuple[str, ...], V]) -> int:
            return sum(want not in (ANY, have) for want, have in zip(asked, entry[0], strict=True))

        found = sorted(_matching(metric, held, {}), key=strange)
        if not found:
            return f"Nothing of {metric.name} was emitted.\n{self}"
        near = found[:_NEAREST]
        rows = [["", "asked", *("emitted" for _ in near)]]
        for place, (name, want) in enumerate(zip(names, asked, strict=True)):
            marks = ["   " if want is ANY else " = " if want == entry[0][place] else "!= " for entry in near]
            shown = [mark + entry[0][place] for mark, entry in zip(marks, near, strict=True)]
            rows.append([name, str(want), *shown])
        rows.append(["", _shown(wanted), *(f"   {figure(entry[1]):g}" for entry in near)])
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        table = "\n".join(
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )
        further = f"\n  and {len(found) - _NEAREST} further series of it" if len(found) > _NEAREST else ""
        return f"{table}{further}\n{self}"

    def __str__(self) -> str:
        lines = [f"  {_told(wire)} rose by {amount:g}" for wire, (_, amount) in self._counts.items()]
        lines += [f"  {_told(wire)} is {value:g}" for wire, (_, value) in self._gauges.items()]
        lines += [f"  {_told(wire)} recorded {len(some)}" for wire, (_, some) in self._durations.items()]
        lines += [f"  refused: {mistake}" for mistake in self.mistakes]
        lines = sorted(lines) or ["  nothing"]
        if len(lines) > _MOST_SHOWN:
            lines = [*lines[:_MOST_SHOWN], f"  and {len(lines) - _MOST_SHOWN} more"]
        return "Everything emitted:\n" + "\n".join(lines)


class _Kept(deque[str]):
    """Mistakes, all of them: a client that starts forgets those that it finds, a test must not."""

    def clear(self) -> None:
        pass


@contextlib.contextmanager
def captured(*, strict: bool = True) -> Iterator[Captured]:
    """Capture what the catalogue's objects emit while the block runs, in all threads of this process.

    A started client sends none of it. Each label's bound counts from the block's begin, whatever values the
    process met before. Captures do not nest.

    Args:
        strict: Fail at the end of the block when something was emitted wrongly: with unknown labels, or with
            a value that is no finite number of 0 or more.

    Raises:
        AssertionError: Something was emitted wrongly, or a capture is under way already.
    """
    if series.captured:
        raise AssertionError("a capture is under way already")
    hurry, mistakes = series.hurry, losses.MISTAKES
    series.captured = True
    series.hurry_through(lambda: True)  # nothing is thrown away while nobody sends
    try:
        _take_all()  # what was left from before
        for metric in catalogue.ALL:
            if isinstance(metric, (Counter, Gauge, Timer)):
                metric._family.renew()  # noqa: SLF001 - the metric's own memory, of this package
        losses.MISTAKES = _Kept()
        losses.reset()
        emitted = Captured()
        try:
            yield emitted
        finally:
            emitted.end()
        if strict and emitted.mistakes:
            raise AssertionError(f"Emitted wrongly: {'; '.join(emitted.mistakes)}")
    finally:
        losses.MISTAKES = mistakes
        series.captured = False
        series.hurry_through(hurry)


@contextlib.contextmanager
def strictly() -> Iterator[None]:
    """Fail at the end of the block when something was emitted wrongly in it.

    That is in any thread, and whether it is sent or not. What a capture inside the block takes is its own
    affair.

    Raises:
        AssertionError: Something was emitted wrongly.
    """
    mistakes, kept = losses.MISTAKES, _Kept()
    losses.MISTAKES = kept
    try:
        yield
        settle()
        if kept:
            raise AssertionError(f"Emitted wrongly: {'; '.join(kept)}")
    finally:
        losses.MISTAKES = mistakes


def settle() -> None:
    """Have what was emitted looked at: it is sent where a client runs, and thrown away where none does."""
    if client._current is not None:  # noqa: SLF001 - the process's client, of this package
        client.flush()
    else:
        _take_all()


def _take_all() -> None:
    for each in list(series.LIVE):
        if isinstance(each, (CounterSeries, GaugeSeries, TimerSeries)):
            each.take()


def _fits(found: float, wanted: Wanted) -> bool:
    if wanted is None or wanted is ANY:
        return found > 0
    if callable(wanted):
        return bool(wanted(found))
    return bool(found == wanted)


def _shown(wanted: Wanted) -> str:
    if wanted is None or wanted is ANY:
        return "some"
    if callable(wanted):
        return f"what {getattr(wanted, '__name__', wanted)} takes"
    return f"{wanted:g}" if isinstance(wanted, (int, float)) else str(wanted)


def _matching(
    metric: Metric, held: dict[str, tuple[tuple[str, ...], V]], labels: dict[str, str]
) -> list[tuple[tuple[str, ...], V]]:
    names = [label.name for label in metric.labels]
    unknown = set(labels) - set(names)
    if unknown:
        raise AssertionError(f"{metric.name} has the labels {names}, not {sorted(unknown)}")
    asked = [(names.index(name), value) for name, value in labels.items() if value is not ANY]
    return [
        entry
        for wire, entry in held.items()
        if wire == wire_name(metric.name, entry[0])
        and all(entry[0][place] == value for place, value in asked)
    ]


def _asked(metric: Metric, labels: dict[str, str]) -> str:
    inside = ", ".join(f'{name}="{value}"' for name, value in labels.items() if value is not ANY)
    return f"{metric.name}{{{inside}}}"


def _told(wire: str) -> str:
    return wire.split(".", 1)[1].replace(".", " ", 1)

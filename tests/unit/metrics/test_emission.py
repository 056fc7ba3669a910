"""Counters, gauges and timers: what they hold until the client takes it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import pytest

from metrics import labels, losses, series
from metrics.model import MOST_BORN, MOST_SERIES, OTHER, Counter, Gauge, Label, Timer
from metrics.testing import Captured
from tests.unit.metrics.declaring import PLAIN

COLOUR = Label("colour", ("red", "green"))
ROUTE = Label("route", bound=3)


def counter(*its_labels: Label, name: str = "unit_things_total") -> Counter:
    return Counter(name=name, labels=its_labels, **PLAIN)


def test_a_counter_adds_up_by_label(emitted: Captured) -> None:
    things = counter(COLOUR, ROUTE)
    things.inc(colour="red", route="/")
    things.inc(2, route="/", colour="red")
    things.inc(0.5, colour="green", route="/")
    things.bind("red", "/").inc()
    things.bind(colour="red", route="/").inc()
    emitted.assert_incremented(things, 5, colour="red")
    emitted.assert_incremented(things, 0.5, colour="green", route="/")
    emitted.assert_incremented(things, 5.5)


def test_a_gauge_keeps_its_last_value(emitted: Captured) -> None:
    level = Gauge(name="unit_level", labels=(COLOUR,), **PLAIN)
    level.set(3, colour="red")
    level.set(0, colour="red")
    level.bind("green").set(1.5)
    emitted.assert_gauge(level, 0, colour="red")
    emitted.assert_gauge(level, 1.5, colour="green")


def test_a_timer_keeps_every_duration_and_can_time_a_block(emitted: Captured) -> None:
    took = Timer(name="unit_took_seconds", labels=(COLOUR,), **PLAIN)
    took.observe(0.5, colour="red")
    handle = took.bind("red")
    with handle.time():
        pass
    with pytest.raises(ZeroDivisionError), took.time(colour="red"):
        1 / 0  # noqa: B018 - it is there to raise
    emitted.assert_observed(took, 3, colour="red")
    assert max(emitted.durations(took)) == 0.5


@pytest.mark.emits_wrongly
def test_values_that_are_no_count_and_no_duration_are_refused_and_told(emitted: Captured) -> None:
    things, took = counter(), Timer(name="unit_took_seconds", **PLAIN)
    level = Gauge(name="unit_level", **PLAIN)
    nonsense: list[object] = [-1, math.nan, math.inf, -math.inf, "seven", None, object(), [1], 1j]
    for value in nonsense:
        things.inc(value)  # type: ignore[arg-type]
        took.observe(value)  # type: ignore[arg-type]
        level.set(value)  # type: ignore[arg-type]
        emitted.gather()
    things.inc(2)
    took.observe(2)
    emitted.assert_incremented(things, 2)
    emitted.assert_observed(took, 1)
    assert len(emitted.mistakes) == 3 * len(nonsense)
    assert losses.DROPPED["invalid"].take() == 3 * len(nonsense)


@pytest.mark.emits_wrongly
def test_labels_that_a_metric_does_not_have_are_refused_and_told(emitted: Captured) -> None:
    things = counter(COLOUR)
    things.inc()
    things.inc(shade="red")
    things.inc(colour="red", shade="red")
    things.bind("red", "extra").inc()
    things.bind().inc()
    emitted.assert_no_metrics(things)
    assert len(emitted.mistakes) == 5


def test_a_value_outside_the_declared_ones_becomes_other_and_is_told(emitted: Captured) -> None:
    things = counter(COLOUR)
    things.inc(colour="blue")
    things.inc(colour=["no", "key"])  # type: ignore[arg-type]
    emitted.assert_incremented(things, 2, colour=OTHER)
    assert losses.OVERFLOWS[things.name].take() == 2


def test_ten_thousand_values_make_no_more_series_than_the_bound(emitted: Captured) -> None:
    things = counter(ROUTE)
    for number in range(10_000):
        things.inc(route=f"/path/{number}")
    emitted.assert_incremented(things, 10_000)
    emitted.assert_incremented(things, 9_997, route=OTHER)
    assert len(things.series()) == ROUTE.bound + 1


def test_a_metric_has_a_limit_of_series_whatever_its_labels_allow(emitted: Captured) -> None:
    things = counter(Label("first", bound=100), Label("second", bound=100))
    for first in range(100):
        for second in range(100):
            things.inc(first=str(first), second=str(second))
    assert len(things.series()) == MOST_SERIES + 1
    emitted.assert_incremented(things, 10_000)
    emitted.assert_incremented(things, 10_000 - MOST_SERIES, first=OTHER, second=OTHER)


class _Unreadable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.emits_wrongly
def test_no_label_raises_into_the_caller(emitted: Captured) -> None:
    things = counter(Label("any", bound=1000))
    odd: tuple[object, ...] = (b"\xff", "\ud800", "", 7, None, 2.5, _Unreadable(), "x" * 10_000, [], {})
    for value in odd:
        things.inc(any=value)  # type: ignore[arg-type]
    emitted.assert_incremented(things, 9)
    assert len(emitted.mistakes) == 1


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("/jobs/{job_id}", "/jobs/{job_id}"),
        ("GET", "GET"),
        ("openapi.json", "openapi_json"),
        ("__unmatched__", "__unmatched__"),
        (200, "200"),
        *(
            (odd, OTHER)
            for odd in ("", "a b", "a:b", "a|b", "a#b", "a,b", "a@b", "[a", "a]", "a\nb", "ü", "a" * 65)
        ),
    ],
)
def test_label_values_are_made_safe_in_one_place(value: object, sent: str) -> None:
    assert labels.safe(value) == sent


def test_a_timer_that_nobody_empties_stays_bounded_and_tells_what_it_dropped(emitted: Captured) -> None:
    took = Timer(name="unit_took_seconds", **PLAIN)
    for _ in range(series.HARD_LIMIT + 100):
        took.observe(0.1)
    emitted.assert_observed(took, series.HARD_LIMIT)
    assert losses.DROPPED["full"].take() == 100


def test_without_a_client_nothing_piles_up() -> None:
    took = Timer(name="unit_took_seconds", **PLAIN).bind()
    for _ in range(series.SOFT_LIMIT * 3):
        took.observe(0.1)
    assert len(took.take()) <= series.SOFT_LIMIT


def test_threads_lose_no_count_while_another_takes(emitted: Captured) -> None:
    things = counter()
    handle = things.bind()

    def work() -> None:
        for _ in range(5_000):
            handle.inc()
            handle.inc(2)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        emitted.gather()
    emitted.assert_incremented(things, 8 * 5_000 * 3)


def test_counters_with_declared_values_are_born_at_zero() -> None:
    assert list(counter().born()) == ["scout.unit_things_total"]
    assert list(counter(COLOUR).born()) == ["scout.unit_things_total.red", "scout.unit_things_total.green"]
    assert list(counter(ROUTE).born()) == []
    too_many = Label("many", tuple(f"v{number}" for number in range(MOST_BORN + 1)))
    assert list(counter(too_many).born()) == []


def test_what_was_counted_is_born_again_too(emitted: Captured) -> None:
    things = counter(ROUTE)
    things.inc(route="/")
    assert list(things.born()) == ["scout.unit_things_total./"]


@pytest.mark.parametrize(
    "declare",
    [
        lambda: Label("x", ("a",)),
        lambda: Label("le-ss", ("a",)),
        lambda: Label("colour"),
        lambda: Label("colour", ("a",), bound=3),
        lambda: Label("colour", ("a.b",)),
        lambda: counter(name="things"),
        lambda: counter(name="Things_total"),
        lambda: counter(COLOUR, COLOUR),
        lambda: Timer(name="took_seconds", buckets=(2, 1), **PLAIN),
    ],
)
def test_a_declaration_that_the_exporter_would_not_take_is_refused(declare: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        declare()


# --- A count that follows durations -----------------------------------------------------------------------


def followed() -> tuple[Counter, Timer]:
    timer = Timer(name="unit_followed_seconds", labels=(COLOUR,), **PLAIN)
    counts = counter(COLOUR, name="unit_followed_total")
    counts.bind("red").follow(timer.bind("red"))
    return counts, timer


def test_a_count_follows_durations_by_whichever_way_they_come(emitted: Captured) -> None:
    counts, timer = followed()
    timer.bind("red").observe(0.1)
    timer.observe(0.2, colour="red")
    timer.observe(0.2, colour="green")
    emitted.assert_incremented(counts, 2, colour="red")
    timer.observe(0.3, colour="red")
    counts.inc(10, colour="red")
    emitted.assert_incremented(counts, 13)
    emitted.assert_observed(timer, 4)


def test_a_timer_that_is_followed_twice_counts_once_and_may_be_followed_by_several(emitted: Captured) -> None:
    counts, timer = followed()
    counts.bind("red").follow(timer.bind("red"))
    other = counter(name="unit_followed_too_total")
    other.bind().follow(timer.bind("red"))
    other.bind().follow(timer.bind("green"))
    timer.observe(0.1, colour="red")
    timer.observe(0.1, colour="green")
    emitted.assert_incremented(counts, 1)
    emitted.assert_incremented(other, 2)


def test_a_duration_that_is_dropped_is_counted_all_the_same(emitted: Captured) -> None:
    counts, timer = followed()
    handle = timer.bind("red")
    for _ in range(series.HARD_LIMIT + 7):
        handle.observe(0.1)
    emitted.assert_incremented(counts, series.HARD_LIMIT + 7)
    assert losses.DROPPED["full"].take() == 7


def test_what_was_before_is_not_counted_and_a_reset_begins_anew(emitted: Captured) -> None:
    timer = Timer(name="unit_followed_seconds", labels=(), **PLAIN)
    timer.observe(0.1)
    counts = counter(name="unit_followed_total")
    counts.bind().follow(timer.bind())
    timer.observe(0.1)
    emitted.assert_incremented(counts, 1)
    for forget in ([timer.bind(), counts.bind()], [counts.bind(), timer.bind()]):
        timer.observe(0.1)
        for each in forget:
            each.reset()
        timer.observe(0.1)
    timer.observe(0.1)
    assert counts.bind().take() == 2, "since the last reset"


def test_threads_lose_no_count_that_follows_durations(emitted: Captured) -> None:
    counts, timer = followed()
    handle = timer.bind("red")

    def work() -> None:
        for _ in range(5_000):
            handle.observe(0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        emitted.gather()
    emitted.assert_incremented(counts, 20_000)


def test_amounts_added_without_a_look_are_folded_on_demand(emitted: Captured) -> None:
    sizes = counter(name="unit_sizes_total")
    handle = sizes.bind()
    for _ in range(5_000):
        handle.add(3)
    handle.fold()
    assert handle._amounts == [15_000]
    handle.reset()
    handle.add(2)
    emitted.assert_incremented(sizes, 2)

"""Emitting by labels: the function that each metric gets when it is declared."""

from __future__ import annotations

from typing import Any

import pytest

from metrics.model import Counter, Gauge, Label, Timer
from metrics.testing import captured
from tests.unit.metrics.declaring import PLAIN


class Evil:
    """Raises whenever it is looked at."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError

    def __float__(self) -> float:
        raise RuntimeError


@pytest.mark.parametrize("labels", [(), ("one",), ("one", "two"), ("one", "two", "three")])
def test_any_number_of_labels_is_taken_by_name_in_any_order(labels: tuple[str, ...]) -> None:
    declared = tuple(Label(name, bound=3) for name in labels)
    counter = Counter(name="unit_labelled_total", labels=declared, **PLAIN)
    gauge = Gauge(name="unit_labelled", labels=declared, **PLAIN)
    timer = Timer(name="unit_labelled_seconds", labels=declared, **PLAIN)
    given = {name: f"value-{name}" for name in reversed(labels)}
    with captured() as emitted:
        for _ in range(2):
            counter.inc(**given)
            counter.inc(2.5, **given)
            gauge.set(4, **given)
            timer.observe(0.1, **given)
    emitted.assert_incremented(counter, 7, **given)
    emitted.assert_gauge(gauge, 4, **given)
    assert emitted.durations(timer, **given) == [0.1, 0.1]


@pytest.mark.parametrize("given", [{}, {"one": "x"}, {"one": "x", "two": "y", "three": "z"}, {"three": "z"}])
def test_missing_and_strange_labels_are_refused_and_told_each_time(given: dict[str, str]) -> None:
    declared = (Label("one", bound=3), Label("two", bound=3))
    counter = Counter(name="unit_refused_total", labels=declared, **PLAIN)
    gauge = Gauge(name="unit_refused", labels=declared, **PLAIN)
    timer = Timer(name="unit_refused_seconds", labels=declared, **PLAIN)
    with captured(strict=False) as emitted:
        counter.inc(one="x", two="y")
        for _ in range(2):
            counter.inc(**given)
            gauge.set(1, **given)
            timer.observe(1, **given)
    emitted.assert_incremented(counter)
    assert len(emitted.mistakes) == 6


def test_whatever_is_given_nothing_reaches_the_caller() -> None:
    label = (Label("one", bound=3),)
    counter = Counter(name="unit_evil_total", labels=label, **PLAIN)
    gauge = Gauge(name="unit_evil", labels=label, **PLAIN)
    timer = Timer(name="unit_evil_seconds", labels=label, **PLAIN)
    evil = Evil()
    odd: tuple[tuple[Any, Any], ...] = ((1, evil), (evil, "x"), ("text", "x"), (None, "x"), ([], []))
    with captured(strict=False) as emitted:
        for amount, value in odd:
            counter.inc(amount, one=value)
            gauge.set(amount, one=value)
            timer.observe(amount, one=value)
            counter.bind(value).inc(amount)
        counter.inc(one="good")
    emitted.assert_incremented(counter, one="good")
    assert emitted.mistakes


def test_a_label_that_is_a_word_of_python_is_refused() -> None:
    with pytest.raises(ValueError, match="word of Python"):
        Label("from", bound=3)

from __future__ import annotations

import pytest

from metrics.watch.promql import Matcher, PromqlError, Selector, read, seconds


def names(text: str) -> list[str]:
    return [selector.name for selector in read(text).selectors]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("up", ["up"]),
        ("up == 0", ["up"]),
        ("sum by (job) (rate(a_total[5m])) / sum without (x) (b)", ["a_total", "b"]),
        ("sum(a) by (job)", ["a"]),
        ("a and on (x) b unless ignoring (y) c or d", ["a", "b", "c", "d"]),
        ("a * on (x) group_left (y) b", ["a", "b"]),
        ("a != on (instance) group_left () b", ["a", "b"]),
        ("a offset 5m > bool 1.5e3", ["a"]),
        ("a @ start() + 0x1F", ["a"]),
        ("max_over_time(rate(a_total[5m])[1h:1m])", ["a_total"]),
        ("scout:a:rate5m{x='y'}", ["scout:a:rate5m"]),
        ('{__name__="a", x="y"}', ["a"]),
        ('{job="x"}', [""]),
        ("a # b\n + c", ["a", "c"]),
        ("time() - a > 5 * 86400", ["a"]),
        ("absent(a)", ["a"]),
        ("vector(1)", []),
        ("-a ^ 2 % b", ["a", "b"]),
        ('label_replace(a, "x", "$1", "y", "(b)")', ["a"]),
        ("NaN + Inf + a", ["a"]),
        ("BY_total AND rate", ["BY_total", "rate"]),
    ],
)
def test_every_metric_of_an_expression_is_found_and_nothing_else(text: str, found: list[str]) -> None:
    assert names(text) == found


def test_a_selector_tells_its_labels_its_window_and_what_is_called_with_it() -> None:
    (found,) = read(r'sum by (le) (rate(a_bucket{x="1", y=~"b|\"c", z!=`\d`,}[1h30m]))').selectors
    assert found == Selector(
        "a_bucket",
        (Matcher("x", "=", "1"), Matcher("y", "=~", 'b|"c'), Matcher("z", "!=", r"\d")),
        5400.0,
        "rate",
    )


def test_labels_that_group_and_match_are_found() -> None:
    text = "sum by (a, b) (m) * on (c) group_left (d) max without (e) (n) + ignoring (f) o"
    assert read(text).labels == ["a", "b", "c", "d", "e", "f"]


def test_parentheses_around_a_selector_do_not_hide_the_function() -> None:
    (found,) = read("rate((a_total[5m]))").selectors
    assert found.function == "rate"


@pytest.mark.parametrize("text", ["sum(a", "a)", "a{x=", "a{x~y}", "a[5m", "a $ b", "a[5 minutes]"])
def test_what_is_cut_off_or_no_promql_is_refused(text: str) -> None:
    with pytest.raises(PromqlError):
        read(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [("15s", 15.0), ("1h30m", 5400.0), ("250ms", 0.25), ("30d", 2592000.0), ("1w", 604800.0)],
)
def test_durations_are_read_as_prometheus_writes_them(text: str, found: float) -> None:
    assert seconds(text) == found


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5m!"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(PromqlError, match="no duration"):
        seconds(text)

"""Series: names and types, help, time to live, quantiles, the page."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.embedded import floats
from metrics.embedded.exporter import rules
from tests.unit.embedded_exporter import Bench


def test_a_series_is_forgotten_when_nobody_fed_it_for_its_ttl() -> None:
    bench = Bench("mappings: [{match: 'a.*', name: a, ttl: 10s, labels: {who: $1}}, {match: b, name: b}]")
    bench.take("a.x:1|c", "a.y:1|c", "b:1|c")
    bench.now += 8
    bench.take("a.x:1|c")
    bench.now += 3
    bench.registry.expire()
    assert bench.series() == {'a{who="x"}': 2, "b": 1}
    bench.now += 1000
    bench.registry.expire()
    assert bench.series() == {"b": 1}


def test_a_forgotten_counter_begins_again_at_nothing() -> None:
    bench = Bench("defaults: {ttl: 5s}")
    bench.take("a:7|c")
    bench.now += 6
    bench.registry.expire()
    bench.take("a:1|c")
    assert bench.series() == {"a": 1}


def test_a_signed_gauge_begins_again_at_nothing() -> None:
    bench = Bench("defaults: {ttl: 5s}")
    bench.take("a:7|g")
    bench.now += 6
    bench.registry.expire()
    bench.take("a:-2|g")
    assert bench.series() == {"a": -2}


def test_the_count_of_metrics_made_never_falls() -> None:
    bench = Bench("defaults: {ttl: 5s}")
    bench.take("a:1|c", "a:1|c|#some:tag", "a:1|c|#some:other", "b:1|g")
    bench.now += 6
    bench.registry.expire()
    assert bench.series() == {}
    assert dict(bench.counts.metrics) == {"counter": 2, "gauge": 1}


def test_a_new_time_to_live_is_for_series_that_begin_after_it() -> None:
    bench = Bench("mappings: [{match: a, name: a, ttl: 100s}]")
    bench.take("a:1|c")
    bench.mapper.use(rules.parse("mappings: [{match: a, name: a, ttl: 5s}]"))
    bench.take("a:1|c")
    bench.now += 50
    bench.registry.expire()
    assert bench.series() == {"a": 2}
    bench.now += 51
    bench.registry.expire()
    bench.take("a:1|c")
    bench.now += 6
    bench.registry.expire()
    assert bench.series() == {}


def test_a_ttl_is_counted_to_its_last_moment() -> None:
    bench = Bench("defaults: {ttl: 5s}")
    bench.take("a:1|c")
    bench.now += 5
    bench.registry.expire()
    assert bench.series() == {"a": 1}


def test_a_name_keeps_its_type_even_when_its_series_are_gone() -> None:
    bench = Bench("defaults: {ttl: 5s}")
    bench.take("a:1|c")
    bench.now += 6
    bench.registry.expire()
    bench.take("a:1|g")
    assert bench.series() == {}
    assert bench.own() == {'events_conflict_total{metric_name="a",type="gauge"}': 1}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a:1|c", "a:1|g"),
        ("a:1|ms", "a_sum:1|c"),
        ("a:1|ms", "a_count:1|g"),
        ("a_count:1|c", "a:1|ms"),
        ("a_sum:1|ms", "a:1|ms"),
        ("a:1|g", "a_sum:1|c"),
    ],
)
def test_a_name_that_another_type_needs_is_a_conflict(first: str, second: str) -> None:
    bench = Bench()
    bench.take(first, second)
    assert sum(bench.counts.conflicts.values()) == 1
    assert sum(bench.counts.events.values()) == 1


def test_label_sets_of_one_name_may_differ() -> None:
    bench = Bench()
    bench.take("a:1|c|#x:1,b:2", "a:1|c|#z:0", "a:1|c", "a:1|c|#x:0,b:3")
    assert list(bench.series()) == ["a", 'a{z="0"}', 'a{b="2",x="1"}', 'a{b="3",x="0"}']


def test_help_and_buckets_stay_those_of_the_first_series() -> None:
    bench = Bench(
        "mappings: [{match: a, name: n, help: First},"
        " {match: 'a.*', name: n, help: Second, labels: {who: $1}}]"
    )
    bench.take("a:1|c", "a.x:1|c")
    assert "# HELP n First\n# TYPE n counter\nn 1\n" in bench.page()
    assert "Second" not in bench.page()


def test_label_values_and_help_are_escaped() -> None:
    bench = Bench("mappings: [{match: 'a', name: a, help: 'back\\slash'}]")
    bench.take('a:1|c|#k:q"u\\o')
    assert "# HELP a back\\\\slash\n" in bench.page()
    assert 'a{k="q\\"u\\\\o"} 1\n' in bench.page()


@pytest.mark.parametrize(
    "line", ["a:1|c|#__x:1", "#k=v:1|c", "statsd_exporter_lines_total:1|c", "a:1|h|#quantile:1"]
)
def test_what_would_break_the_page_is_refused_and_counted(line: str) -> None:
    bench = Bench()
    bench.take(line)
    assert bench.series() == {}
    assert bench.counts.events_error == {"illegal_name": 1}


def test_a_page_may_be_read_while_samples_arrive() -> None:
    bench = Bench()
    for number in range(3000):
        bench.take(f"some:1|c|#number:{number}", f"other{number}:1|c")
    from metrics.embedded.exporter.page import page  # noqa: PLC0415  # only this test reads piece by piece

    pieces = []
    for number, piece in enumerate(page(bench.registry, bench.counts, bench.mapper)):
        pieces.append(piece)
        bench.take(f"late{number}:1|c", f"some:1|c|#number:late{number}", "other1:1|c")
        bench.now += 1
        bench.registry.expire()
    assert len(pieces) > 3
    assert max(map(len, pieces)) < 40_000
    text = b"".join(pieces).decode()
    assert text.count("# TYPE some counter\n") == 1
    assert text.count('some{number="') >= 3000
    assert text.endswith("\n")


def test_a_summary_forgets_what_is_older_than_its_age() -> None:
    bench = Bench("defaults: {summary_options: {max_age: 60s}}")
    bench.take("a:1:2:3:4:5|h")
    assert bench.series()['a{quantile="0.5"}'] == 3
    bench.now += 61
    assert math.isnan(bench.series()['a{quantile="0.5"}'])
    assert bench.series()["a_count"] == 5


def test_a_summary_holds_only_the_newest_values() -> None:
    bench = Bench()
    for number in range(2000):
        bench.take(f"a:{number}|h")
    assert 1744 <= bench.series()['a{quantile="0.5"}'] < 2000
    assert bench.series()["a_count"] == 2000


def test_a_counter_adds_whole_numbers_exactly() -> None:
    bench = Bench()
    bench.take("a:9007199254740992|c", "a:1|c", "a:1|c", "a:0.5|c")
    assert bench.series() == {"a": 9007199254740994.0}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (0.25, "0.25"),
        (1e6, "1e+06"),
        (999999.5, "999999.5"),
        (1234567.5, "1.2345675e+06"),
        (123456789.0, "1.23456789e+08"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e21, "1e+21"),
        (5e-324, "5e-324"),
        (-2.5e100, "-2.5e+100"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, text: str) -> None:
    assert floats.render(value) == text


@given(st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("d", raw)[0]))
def test_a_written_number_reads_back_as_itself(value: float) -> None:
    text = floats.render(value)
    assert floats.parse(text) == value or math.isnan(value)


@pytest.mark.parametrize(
    "text", ["1", "-1.5e3", ".5", "5.", "1_000", "0x1p-2", "inf", "-Infinity", "nan", "0x_1.8p1"]
)
def test_what_go_reads_as_a_number_is_one(text: str) -> None:
    floats.parse(text)


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1__0", "_1", "0x1", "+nan", "1e", "0b1", "\u0661", "infi", ".", "1\n"]
)
def test_what_go_refuses_as_a_number_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        floats.parse(text)

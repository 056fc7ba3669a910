"""StatsD lines: the contract vectors of the real exporter, one after the other."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.embedded.exporter.line import safe_name
from tests.unit.embedded_exporter import Bench


def error(reason: str, count: float = 1) -> dict[str, float]:
    return {f'sample_errors_total{{reason="{reason}"}}': count}


TAGGED = {"tags_total": 1.0}
TAG_ERROR = {"tag_errors_total": 1.0}

#: A line, the samples that come out of it (quantiles aside), and what is counted as unusual.
VECTORS: list[tuple[str, dict[str, float], dict[str, float]]] = [
    ("foo:2|c", {"foo": 2}, {}),
    ("foo:3|g|@0.2", {"foo": 3}, {}),
    ("foo:-10|g", {"foo": -10}, {}),
    ("foo:200|ms", {"foo_sum": 0.2, "foo_count": 1}, {}),
    ("foo:200|h", {"foo_sum": 200, "foo_count": 1}, {}),
    ("foo:200|d", {"foo_sum": 200, "foo_count": 1}, {}),
    ("foo:0.5|ms|@0.1", {"foo_sum": 0.005, "foo_count": 10}, {}),
    ("foo:2|c|@0", {"foo": 2}, {}),
    ("foo:2|c|@0.5", {"foo": 4}, {}),
    ("foo:1|c|@bar", {"foo": 1}, error("invalid_sample_factor")),
    ("foo:1|c:2|ms", {"foo": 1}, {'events_conflict_total{metric_name="foo",type="observer"}': 1}),
    (
        "foo:1:2:3|ms|@0.5|#a:b",
        {'foo_sum{a="b"}': 0.012, 'foo_count{a="b"}': 6},
        {"tags_total": 3},
    ),
    ("foo:1:2|c", {}, error("invalid_extended_aggregate_type")),
    ("foo:1:2|g", {}, error("invalid_extended_aggregate_type")),
    ("foo:1:x:3|h", {"foo_sum": 4, "foo_count": 2}, error("malformed_value")),
    ("foo#k=v:1|c", {'foo{k="v"}': 1}, TAGGED),
    ("foo,k=v:1|c", {'foo{k="v"}': 1}, TAGGED),
    ("foo[k=v]bar:1|c", {'foobar{k="v"}': 1}, TAGGED),
    ("foo[k=v:1|c", {"foo_k_v": 1}, TAG_ERROR),
    ("a]b[c:1|c", {"a_b_c": 1}, TAG_ERROR),
    ("foo#k=v:1|c|#a:b", {}, error("mixed_tagging_styles")),
    ("foo:1|c|#09d:0,t.w.d:1", {'foo{_09d="0",t_w_d="1"}': 1}, TAGGED),
    ("foo:1|c|#novalue,a:b", {'foo{a="b"}': 1}, TAGGED | TAG_ERROR),
    ("foo:1|c|#a:x:y", {'foo{a="x:y"}': 1}, TAGGED),
    ("foo:1|c|#a:1,a:2", {'foo{a="2"}': 1}, TAGGED),
    ("foo:1|c|#a:b|c:id9", {'foo{a="b",container_id="id9"}': 1}, TAGGED),
    ("foo:1|c|#a:b|c:", {}, error("malformed_container_id")),
    ("foo:1|c|#a:b|card:low", {}, error("malformed_container_id")),
    ("foo:1|c|#a:b|e:x", {}, error("invalid_sample_factor")),
    ("foo:1|c|T1656581400", {"foo": 1}, {}),
    ("foo:1|c|T", {"foo": 1}, {}),
    ("foo:1|c|@0.5|#a:b|c:x|Tnever", {'foo{a="b",container_id="x"}': 2}, {"tags_total": 1}),
    ("foo", {}, error("malformed_line")),
    (":1|c", {}, error("malformed_line")),
    ("foo:1", {}, error("not_enough_parts_after_colon")),
    ("foo:1o|c", {}, error("malformed_value")),
    ("foo:1e999|c", {}, error("malformed_value")),
    ("foo: 1|c", {}, error("malformed_value")),
    ("foo:1|c|", {}, error("malformed_component")),
    ("foo:1|c|@1|@1|@1|@1|@1", {}, error("malformed_component")),
    ("foo:1|s", {}, error("illegal_event")),
    ("foo:1|t", {}, error("illegal_event")),
    ("foo:1|c\r", {}, error("illegal_event")),
    ("foo:-1|c", {}, {'events_error_total{reason="illegal_negative_counter"}': 1}),
    ("foo:+5|c", {"foo": 5}, {}),
    ("foo:0|c", {"foo": 0}, {}),
    ("foo:inf|g", {"foo": float("inf")}, {}),
    ("foo:0x1p-2|g", {"foo": 0.25}, {}),
    ("foo:0.6|ms|@0.6", {"foo_sum": 0.0006, "foo_count": 1}, {}),
    ("foo:1|ms|@2", {}, {}),
    ("foo:1|c:|g", {"foo": 1}, error("malformed_value")),
    ("", {}, {}),
    ("foo:1|c\n", {"foo": 1}, {}),
    ("foo:1|c|#a:b\r", {'foo{a="b\r"}': 1}, TAGGED),
    ("foo]k=v:1|c", {"foo_k_v": 1}, TAG_ERROR),
    ("foo[k=v]:1|c", {'foo{k="v"}': 1}, TAGGED),
    ("foo#k=v,m=n:1|c", {'foo{k="v",m="n"}': 1}, TAGGED),
    ("foo#k:1|c", {"foo": 1}, TAG_ERROR),
    ("foo:1:2|s", {}, error("invalid_extended_aggregate_type")),
    ("foo:1|c:2|c", {"foo": 3}, {}),
    ("foo:1|c:2", {"foo": 1}, error("malformed_component")),
    ("foo:1|c|@1|@1|@1|@1", {"foo": 1}, {}),
    ("foo:nan|g", {"foo": float("nan")}, {}),
    ("foo:nan|c", {"foo": float("nan")}, {}),
    ("foo:1e3|c", {"foo": 1000}, {}),
    ("foo:-Infinity|g", {"foo": -float("inf")}, {}),
    ("foo:5|ms|@bar", {"foo_sum": 0.005, "foo_count": 1}, error("invalid_sample_factor")),
    ("foo:5|ms|@0", {"foo_sum": 0.005, "foo_count": 1}, {}),
    ("foo:5|h|@0.3", {"foo_sum": 15, "foo_count": 3}, {}),
    ("foo:1|c|@-1", {}, {'events_error_total{reason="illegal_negative_counter"}': 1}),
    ("foo:1|c|##a:b,#c:d", {'foo{a="b",c="d"}': 1}, TAGGED),
    ("foo:1|c|#:b,a:,,c:d", {'foo{c="d"}': 1}, TAGGED | {"tag_errors_total": 3}),
    ("foo:1|c|#a-b:1,a--c:2", {'foo{a_b="1",a_c="2"}': 1}, TAGGED),
    ("foo:1|c|cx", {}, error("malformed_container_id")),
    # Without tags, the colon of the container begins another sample.
    ("foo:1|c|c:id9", {}, error("malformed_container_id") | error("malformed_component")),
    ("foo.*.b--c:1|c", {"foo___b_c": 1}, {}),
    ("foo:1|C", {}, error("illegal_event")),
]

#: Those that the real program does not survive; `HAZARDS` of the differential tests has them.
DEADLY = frozenset({"a]b[c:1|c"})


@pytest.mark.parametrize(("line", "series", "unusual"), VECTORS, ids=[repr(line) for line, _, _ in VECTORS])
def test_a_line_becomes_what_the_real_exporter_makes_of_it(
    line: str, series: dict[str, float], unusual: dict[str, float]
) -> None:
    bench = Bench()
    bench.take(line)
    came_out = {name: value for name, value in bench.series().items() if "quantile" not in name}
    assert came_out == pytest.approx(series, nan_ok=True)
    assert bench.own() == unusual


def test_a_line_that_is_not_utf8_is_malformed_and_its_neighbours_are_not() -> None:
    bench = Bench()
    bench.take(b"a:1|c\nb\xff:1|c\nc:1|c")
    assert bench.series() == {"a": 1, "c": 1}
    assert bench.own() == error("malformed_line")
    assert bench.counts.lines == 3


def test_every_piece_between_newlines_counts_as_a_line() -> None:
    bench = Bench()
    bench.take("a:1|c\n\nb:1|c\n")
    assert bench.counts.lines == 4
    assert bench.counts.samples == 2


def test_a_signed_gauge_moves_and_a_plain_one_jumps() -> None:
    bench = Bench()
    bench.take("g:5|g", "g:-2|g", "g:+1.5|g")
    assert bench.series() == {"g": 4.5}
    bench.take("g:1|g")
    assert bench.series() == {"g": 1}


def test_packed_values_land_in_their_buckets() -> None:
    bench = Bench("defaults: {observer_type: histogram, histogram_options: {buckets: [0.1, 1]}}")
    bench.take("t:50:100:500:5000:nan|ms")
    assert {name: value for name, value in bench.series().items() if "bucket" in name or "count" in name} == {
        't_bucket{le="0.1"}': 2,
        't_bucket{le="1"}': 3,
        't_bucket{le="+Inf"}': 5,
        "t_count": 5,
    }


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.b", "a_b"),
        ("a.*.b", "a___b"),
        ("a--b", "a_b"),
        ("a---b--c", "a_b_c"),
        ("a-.-b", "a___b"),
        ("9a", "_9a"),
        ("ä", "_"),
        ("a:b", "a_b"),
        ("", ""),
    ],
)
def test_a_name_is_made_safe_as_the_real_exporter_does(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_rate_so_small_that_its_copies_would_fill_the_memory_costs_nothing() -> None:
    bench = Bench()
    bench.take("a:1|h|@0.000000001", "b:1|h|@1e-300")
    assert bench.series()["a_count"] == 999_999_999
    assert "b_count" not in bench.series()


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_random_bytes_never_raise(datagrams: list[bytes]) -> None:
    bench = Bench()
    bench.take(*datagrams)
    bench.page()


def test_random_pieces_of_lines_never_raise_and_leave_a_readable_page() -> None:
    chance = random.Random(1)
    pieces = [
        *"abc:|#@,=[]$%\n.-+ 1",
        "\x00",
        "é",
        "foo",
        "|c",
        "|ms",
        "|g",
        ":1",
        "@0.1",
        "#a:b",
        "inf",
        "__",
    ]
    bench = Bench()
    for _ in range(20_000):
        bench.take("".join(chance.choices(pieces, k=chance.randint(1, 25))))
    series = bench.series()
    assert series
    assert all(name.split("{")[0].isidentifier() for name in series)

"""Several pages become one valid page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from metrics.exposition import merged


def merge(*pages: bytes | str | Iterable[bytes]) -> str:
    pieces = [
        [page.encode()] if isinstance(page, str) else [page] if isinstance(page, bytes) else page
        for page in pages
    ]
    text = b"".join(merged(pieces)).decode()
    list(text_string_to_metric_families(text))
    assert all(text.count(line) == 1 for line in text.splitlines() if line.startswith("# TYPE"))
    return text


HISTOGRAM = """# HELP h Some help
# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 2
h_sum 3
h_count 2
"""


def test_families_of_both_pages_are_there_sorted_by_name() -> None:
    assert merge("# TYPE b gauge\nb 1\n", "# HELP a A.\n# TYPE a counter\na 2\n") == (
        "# HELP a A.\n# TYPE a counter\na 2\n# TYPE b gauge\nb 1\n"
    )


def test_a_family_that_both_have_stands_under_one_head() -> None:
    one = '# HELP a One.\n# TYPE a counter\na{x="1"} 1\n'
    two = '# HELP a Two.\n# TYPE a counter\na{x="2"} 2\n'
    assert merge(one, two) == '# HELP a One.\n# TYPE a counter\na{x="1"} 1\na{x="2"} 2\n'


def test_a_sample_that_both_have_is_the_first_ones_whatever_the_order_of_labels() -> None:
    one = '# TYPE a counter\na{x="1",y="2"} 1\n'
    two = '# TYPE a counter\na{y="2",x="1"} 2\n'
    assert merge(one, two) == one


def test_lines_of_a_histogram_stay_together() -> None:
    assert merge(HISTOGRAM, "a 1\n") == "# TYPE a untyped\na 1\n" + HISTOGRAM
    assert merge("", HISTOGRAM, HISTOGRAM) == HISTOGRAM


def test_what_programs_say_about_themselves_is_left_out() -> None:
    page = (
        "# HELP go_goroutines G.\n# TYPE go_goroutines gauge\ngo_goroutines 5\n"
        "# TYPE go_gc_duration_seconds summary\n"
        'go_gc_duration_seconds{quantile="0"} 1\n'
        "go_gc_duration_seconds_sum 1\ngo_gc_duration_seconds_count 1\n"
        "process_open_fds 3\npromhttp_metric_handler_requests_in_flight 1\npython_info 1\n"
        "statsd_exporter_lines_total 7\n"
    )
    assert merge(page) == "# TYPE statsd_exporter_lines_total untyped\nstatsd_exporter_lines_total 7\n"


def test_a_type_that_contradicts_an_earlier_page_is_left_out_and_named() -> None:
    text = merge("# TYPE a counter\na 1\n", '# TYPE a gauge\na{x="1"} 2\nb 3\n')
    assert "# TYPE a counter\na 1\n" in text
    assert 'a{x="1"}' not in text
    assert "b 3\n" in text
    assert "# Trouble with page 2: line 1: a is a gauge here and a counter before" in text


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("a 1\n<html>\nb 2\n", "line 2: this is no sample: b'<html>'"),
        ('a 1\nb{x="1} 2\nb 2\n', "line 2: this is no sample"),
        ("a 1\nb 1 2 3\nb 2\n", "line 2: this is no sample"),
        ("a 1\n# TYPE c bogus\nb 2\n", "c has no type that we know"),
        (b'a 1\nc{x="\xff"} 1\nb 2\n', "line 2: this is not UTF-8"),
    ],
)
def test_a_broken_line_is_named_and_the_rest_stays(broken: str | bytes, sentence: str) -> None:
    text = merge(broken, "# TYPE z gauge\nz 1\n")
    assert sentence in text
    assert "a 1\n" in text
    assert "b 2\n" in text
    assert "z 1\n" in text


def test_a_page_that_breaks_off_is_named_and_what_came_stays() -> None:
    def breaking() -> Iterator[bytes]:
        yield b"a 1\nb"
        raise ConnectionResetError("gone")

    text = merge(breaking(), "z 1\n")
    assert "a 1\n" in text
    assert "z 1\n" in text
    assert "# Trouble with page 1 broke off: gone\n" in text
    assert "its last line does not end" in merge("a 1\nb 2")


def test_an_endless_page_is_broken_off() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    assert "a line has more than" in merge(endless(), "z 1\n")
    assert "z 1\n" in merge(endless(), "z 1\n")


def test_pieces_may_be_cut_anywhere() -> None:
    whole = HISTOGRAM + '# TYPE i gauge\ni{x="ü \\" } \\\\"} -2.5e-3 1600000000000\n'
    assert merge([bytes([byte]) for byte in whole.encode()]) == whole


@given(st.lists(st.lists(st.binary(max_size=60), max_size=5), max_size=3))
def test_random_pages_give_a_page_that_can_be_decoded(pages: list[list[bytes]]) -> None:
    text = b"".join(merged(pages)).decode()
    assert not text or text.endswith("\n")


@given(st.lists(st.text(alphabet='ab_{}",=\\ #\n10.NTYPE', max_size=80), max_size=3))
def test_random_lines_give_a_page_whose_every_line_is_one(pages: list[str]) -> None:
    text = b"".join(merged([[page.encode()] for page in pages])).decode()
    types = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len({line.split(" ")[2] for line in types})

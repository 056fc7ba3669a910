"""Lines and datagrams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import wire


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (2.0, "2"), (0.5, "0.5"), (10**14, "100000000000000"), (1e300, "1e+300")]
)
def test_numbers_are_written_short_and_exact(value: float, text: str) -> None:
    assert wire.number(value) == text
    assert float(text) == value


@given(st.lists(st.floats(0, 1e9), max_size=400), st.sampled_from([wire.UDP_LIMIT, wire.UNIX_LIMIT]))
def test_packed_durations_keep_every_value_and_fit(seconds: list[float], limit: int) -> None:
    lines = list(wire.timers("scout.took_seconds./jobs/{job_id}", seconds, limit))
    assert all(len(line) <= limit for line, _ in lines)
    assert sum(count for _, count in lines) == len(seconds)
    values = [float(part) for line, _ in lines for part in line.split("|")[0].split(":")[1:]]
    assert values == pytest.approx([second * 1000 for second in seconds], rel=1e-5)
    assert all(line.endswith("|ms") for line, _ in lines)


@given(st.lists(st.integers(1, 300), max_size=200), st.integers(300, 1432))
def test_datagrams_hold_every_line_and_never_exceed_the_limit(sizes: list[int], limit: int) -> None:
    lines = [("x" * size, size) for size in sizes]
    datagrams = list(wire.pack(lines, limit))
    assert all(len(datagram) <= limit for datagram, _ in datagrams)
    assert [line for datagram, _ in datagrams for line in datagram.decode().split("\n")] == [
        "x" * s for s in sizes
    ]
    assert sum(count for _, count in datagrams) == sum(sizes)
    assert not any(datagram.endswith(b"\n") for datagram, _ in datagrams), (
        "an end of line would be an empty line more"
    )


@given(st.integers(2, 100_000))
def test_a_sampling_factor_is_read_back_as_it_was_meant(every: int) -> None:
    # statsd_exporter repeats a sample int(1 / factor) times.
    assert int(1 / wire.factor(every)) == every
    assert int(1 / float(repr(wire.factor(every)))) == every

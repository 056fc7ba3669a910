from __future__ import annotations

import math

import pytest

from metrics.quantities import Quantity, said


@pytest.mark.parametrize(
    ("value", "quantity", "words"),
    [
        (0, Quantity.SECONDS, "0 s"),
        (0.00042, Quantity.SECONDS, "0.42 ms"),
        (0.1204, Quantity.SECONDS, "120 ms"),
        (2.345, Quantity.SECONDS, "2.35 s"),
        (90, Quantity.SECONDS, "1.5 min"),
        (3 * 3600, Quantity.SECONDS, "3 h"),
        (47 * 3600, Quantity.SECONDS, "47 h"),
        (72 * 3600, Quantity.SECONDS, "3 days"),
        (0, Quantity.BYTES, "0 B"),
        (1_400_000, Quantity.BYTES, "1.4 MB"),
        (999, Quantity.BYTES, "999 B"),
        (5e12, Quantity.BYTES, "5 TB"),
        (1_400, Quantity.BYTES_PER_SECOND, "1.4 kB/s"),
        (0.025, Quantity.RATIO, "2.5 %"),
        (1, Quantity.RATIO, "100 %"),
        (0.0004, Quantity.RATIO, "0.04 %"),
        (12_300, Quantity.COUNT, "12,300"),
        (1_250_000, Quantity.COUNT, "1.25 M"),
        (0.5, Quantity.PER_SECOND, "0.5/s"),
        (3, Quantity.PER_HOUR, "3/h"),
        (-3, Quantity.COUNT, "-3"),
        (1e300, Quantity.COUNT, "1.0e+300"),
        (1e300, Quantity.SECONDS, "1.2e+295 days"),
        (1e-300, Quantity.COUNT, "0"),
        (math.nan, Quantity.RATIO, "no figure"),
        (math.inf, Quantity.BYTES, "no figure"),
        (-math.inf, Quantity.SECONDS, "no figure"),
    ],
)
def test_figures_are_said_with_their_unit_and_the_digits_that_are_read(
    value: float, quantity: Quantity, words: str
) -> None:
    assert said(value, quantity) == words


def test_every_quantity_has_words_for_every_size() -> None:
    for quantity in Quantity:
        for power in range(-320, 309):
            assert said(10.0**power, quantity)

from __future__ import annotations

import pytest

from scout import digits


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("2147483647", 2**31 - 1), ("0" * 5000 + "12", 12)]
)
def test_plain_digits_are_a_number(text: str, number: int) -> None:
    assert digits.whole(text) == number


@pytest.mark.parametrize(
    "text", ["", " 7", "7 ", "-1", "+1", "1.0", "1e3", "1_0", "²", "٣", "0x10", "2147483648", "9" * 5000]
)
def test_anything_else_is_none(text: str) -> None:
    assert digits.whole(text) is None


@pytest.mark.parametrize(
    ("text", "most", "number"),
    [("23", 23, 23), ("24", 23, None), ("00", 6, 0), ("100", 99, None), ("0", 0, 0), ("0", -1, None)],
)
def test_a_number_may_have_a_most(text: str, most: int, number: int | None) -> None:
    assert digits.whole(text, most) == number

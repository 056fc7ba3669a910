"""Whole numbers that come as text: of an address, a form, a header, a setting, a command."""

from __future__ import annotations

#: What the databases' integers hold: no id, version or page is more.
MOST = 2**31 - 1


def whole(text: str, most: int = MOST) -> int | None:
    """The number that a text says with the digits 0 to 9 alone, or None.

    `isdigit` takes `²`, which `int` refuses, as it does what has more than 4,300 digits. Neither is a number
    here, nor are digits of other scripts, a sign, a point, a space, and the empty text.

    Args:
        text: What came.
        most: The largest number that is taken.
    """
    if not text.isascii() or not text.isdigit():
        return None
    said = text.lstrip("0") or "0"
    number = int(said) if len(said) <= len(str(most)) else most + 1
    return number if number <= most else None

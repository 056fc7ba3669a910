"""Where a list that is read from its beginning goes on: a number that only `next` knows the meaning of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from scout import digits
from webapp.api.problems import Problem

_T = TypeVar("_T")


def place(after: str) -> int | None:
    """The number after which a page begins; None for the first page.

    Raises:
        Problem: It was not taken from `next`.
    """
    if not after:
        return None
    number = digits.whole(after)
    if number is None:
        wrong = {"in": "query", "pointer": "/after", "detail": "This is no place of the list: take `next`."}
        raise Problem("invalid", errors=[wrong])
    return number


def cut(found: Sequence[_T], limit: int) -> tuple[Sequence[_T], bool]:
    """Of one more than a page holds: the page, and whether there is more after it."""
    return found[:limit], len(found) > limit

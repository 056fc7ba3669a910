"""Cursors: a place in a list as an opaque text, so that the next page is found without counting to it.

A cursor says the order, the last job's key in it, and its id. It holds nothing secret and is not signed:
whoever makes one up gets a page of what they may see anyway, and one that says nothing is the first page.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from dataclasses import dataclass

_LONGEST = 200
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list.

    Attributes:
        sort: The order that the list has.
        stretch: Which of the list's stretches it is in (`scout.searching.orders`).
        key: What that stretch is ordered by: a number, a time, or None where by ids alone.
        job_id: The job's id.
    """

    sort: str
    stretch: int
    key: int | dt.datetime | None
    job_id: int

    def __str__(self) -> str:
        """The cursor as text, of letters that an address holds as they are."""
        key = self.key.isoformat() if isinstance(self.key, dt.datetime) else self.key
        told = json.dumps([self.sort, self.stretch, key, self.job_id], separators=(",", ":"))
        return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def read(text: str, sort: str) -> Cursor | None:
    """The place that a text names in a list of this order; None where it names none."""
    if not text or len(text) > _LONGEST or not text.isascii():
        return None
    try:
        told = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        named, stretch, key, job_id = told
        if isinstance(key, str):
            key = dt.datetime.fromisoformat(key)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        return None
    whole = all(type(each) is int and 0 <= each <= _MOST for each in (stretch, job_id))
    fits = key is None or (isinstance(key, dt.datetime) and key.tzinfo is not None)
    if not whole or named != sort or not (fits or (type(key) is int and abs(key) <= _MOST)):
        return None
    return Cursor(sort, stretch, key, job_id)

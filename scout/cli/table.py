"""Columns of text for a terminal."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import unicodedata
from collections.abc import Sequence

import click

from scout import clock

_GAP = "  "
_LEAST = 8


def show(headings: Sequence[str], rows: Sequence[Sequence[str]], *, shrink: Sequence[int] = ()) -> None:
    """Print rows in columns under headings.

    Args:
        headings: The columns' names.
        rows: The cells. Control characters in them are made harmless: much of it comes from outside.
        shrink: The columns that give up width on a narrow terminal. Away from a terminal, none does.
    """
    table = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(headings, *table, strict=True)]
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns
        while (over := sum(widths) + len(_GAP) * (len(widths) - 1) - room) > 0:
            widest = max(shrink, key=lambda column: widths[column], default=None)
            if widest is None or widths[widest] <= _LEAST:
                break
            widths[widest] -= min(over, max(widths[widest] // 8, 1), widths[widest] - _LEAST)
    click.secho(_line(headings, widths), bold=True)
    for row in table:
        click.echo(_line(row, widths))


def plain(text: str) -> str:
    """The text as one line, without what moves a terminal's cursor or changes its colours."""
    return " ".join("".join(" " if unicodedata.category(c).startswith("C") else c for c in text).split())


def paragraphs(text: str) -> str:
    """The same for a longer text, which keeps its lines."""
    return "\n".join(plain(line) for line in text.splitlines())


def ago(time: dt.datetime | None) -> str:
    """How long ago something was, in the unit that says most: `5 min`, `3 h`, `12 d`; `never` for None."""
    if time is None:
        return "never"
    seconds = max((clock.now() - time).total_seconds(), 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


def until(time: dt.datetime | None) -> str:
    """How soon something is, in the unit that says most: `in 5 min`, `in 3 h`; `now` if it is past."""
    seconds = 0.0 if time is None else (time - clock.now()).total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"in {int(seconds // size)} {unit}"
    return "in 1 min" if seconds > 0 else "now"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(_fit(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _fit(text: str, width: int) -> str:
    if _width(text) <= width:
        return text + " " * (width - _width(text))
    while _width(text) > width - 1:
        text = text[:-1]
    return f"{text}…" + " " * (width - 1 - _width(text))


def _width(text: str) -> int:
    # East Asian wide letters take two columns, combining marks none.
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )

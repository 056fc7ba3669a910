"""Where panels lie on a dashboard: line by line, each as wide as the page."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from metrics.watch.errors import WatchError
from metrics.watch.grafana.panels import Panel, Row

#: Grafana's grid has so many columns.
COLUMNS = 24


def placed(row: Row, top: int) -> Iterator[tuple[Panel, int, int]]:
    """The panels of a row with their x and y.

    Args:
        row: The row.
        top: The y below its heading.

    Raises:
        WatchError: A line of panels leaves a gap, or one is too wide or of another height.
    """
    for line in _lines(row):
        x = 0
        for panel in line:
            yield panel, x, top
            x += panel.wide
        top += line[0].tall


def height(row: Row) -> int:
    """Grid rows that its panels take."""
    return sum(line[0].tall for line in _lines(row))


def _lines(row: Row) -> list[Sequence[Panel]]:
    found: list[list[Panel]] = [[]]
    for panel in row.panels:
        if sum(each.wide for each in found[-1]) == COLUMNS:
            found.append([])
        found[-1].append(panel)
        if sum(each.wide for each in found[-1]) > COLUMNS:
            raise WatchError(f"{row.title}: {panel.title} is too wide for what is left of its line.")
        if panel.tall != found[-1][0].tall:
            raise WatchError(f"{row.title}: {panel.title} is not as tall as the others of its line.")
    if sum(each.wide for each in found[-1]) != COLUMNS:
        raise WatchError(f"{row.title}: the line of {found[-1][-1].title} leaves a gap.")
    return [*found]


def number(title: str) -> int:
    """The id of a panel within its dashboard. It follows from the title, so that links to it stay true."""
    return zlib.crc32(title.encode()) % 1_000_000 + 1

"""Lists of boards in files: one address a line, a table (CSV), or the outline of a feed reader (OPML)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from scout.errors import ScoutError
from scout.html import elements
from scout.normalise import line

#: More than the largest list that anybody keeps, and little enough to be read at once.
LARGEST = 10 * 1024 * 1024
_ADDRESS_COLUMNS = ("url", "address", "link", "board_url", "board", "feed", "xmlurl")
_NAME_COLUMNS = ("name", "company", "title")


class UnreadableList(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A file holds no list of boards. The text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One board of a list.

    Attributes:
        line: Where it stands, from 1: the line, or in an outline which of its feeds it is.
        address: As written.
        name: What to call it, or empty.
    """

    line: int
    address: str
    name: str = ""


def entries(text: str) -> list[Entry]:
    """The boards of a list.

    Args:
        text: The file's text. Empty lines, and lines that begin with #, say nothing.

    Raises:
        UnreadableList: There is nothing in it.
    """
    text = text.lstrip("\ufeff")
    if re.match(r"\s*(?:<\?xml|<opml|<!--)", text, re.IGNORECASE):
        found = list(_outline(text))
    else:
        table = _table(text)
        found = list(_lines(text)) if table is None else table
    if not found:
        raise UnreadableList(
            "There is no address in this file. Write one a line, or give a CSV file with a column url, or an "
            "OPML file."
        )
    return found


def _lines(text: str) -> Iterator[Entry]:
    for number, written in enumerate(text.splitlines(), 1):
        address = written.strip()
        if address and not address.startswith("#"):
            yield Entry(number, address)


def _table(text: str) -> list[Entry] | None:
    """The entries of a table with headings; None if it has no column that is known for addresses."""
    first = next((each for each in text.splitlines() if each.strip() and not each.startswith("#")), "")
    separator = next((each for each in (",", ";", "\t") if each in first), ",")
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    found: list[Entry] = []
    columns: tuple[int, int] | None = None
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if columns is None:
                headings = [cell.lower() for cell in cells]
                address = next((headings.index(each) for each in _ADDRESS_COLUMNS if each in headings), -1)
                if address < 0:
                    return None
                columns = (
                    address,
                    next((headings.index(each) for each in _NAME_COLUMNS if each in headings), -1),
                )
            elif len(cells) > columns[0] and cells[columns[0]]:
                name = cells[columns[1]] if 0 <= columns[1] < len(cells) else ""
                found.append(Entry(rows.line_num, cells[columns[0]], line(name, 200)))
    except csv.Error as error:
        raise UnreadableList(f"Line {rows.line_num} is no line of a CSV file: {error}.") from error
    return found


def _outline(text: str) -> Iterator[Entry]:
    """The feeds of an outline, numbered one by one."""
    number = 0
    for tag, given in elements(text):
        address = given.get("xmlurl") or given.get("htmlurl") or given.get("url")
        if tag == "outline" and address:
            number += 1
            yield Entry(number, address, line(given.get("title") or given.get("text") or "", 200))

"""Rows out of a file that somebody brings: a table (CSV and its kin), an array of JSON, or JSON Lines.

Read as a stream: a file may be larger than memory, one row may not.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from scout.errors import ScoutError

#: The largest file that is read, and the largest row of one, in bytes and characters.
LARGEST = 8 * 1024**3
LARGEST_ROW = 8 * 1024**2

_CHUNK = 256 * 1024
_SEPARATORS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnreadableFile(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A file cannot be read at all. The text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        number: Where it stands: in a table as a spreadsheet counts, the headings being row 1; else from 1.
        values: What it says, by heading or name.
        fault: Why it could not be read; then `values` is empty.
    """

    number: int
    values: dict[str, Any]
    fault: str = ""


def rows(path: Path, encoding: str = "") -> Iterator[Row]:
    """The rows of a file, told apart by how it begins: `[` an array, `{` JSON Lines, anything else a table.

    Args:
        path: The file.
        encoding: How a table's letters are written; empty means UTF-8 or UTF-16 where the file is that, else
            the Windows code page 1252.

    Raises:
        UnreadableFile: It is not there, is empty, too large or of an encoding that it is not in.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UnreadableFile(f"{path} is larger than {LARGEST // 1024**3} GB: split it.")
        with path.open(encoding=encoding or _encoding(path), newline="") as file:
            start = file.read(_CHUNK)
            file.seek(0)
            match start.lstrip("\ufeff \t\r\n")[:1]:
                case "":
                    raise UnreadableFile(f"{path} is empty.")
                case "[":
                    yield from _array(file)
                case "{":
                    yield from _json_lines(file)
                case _:
                    # The module's own limit of a cell is less than a long description, and is everybody's.
                    usual = csv.field_size_limit(LARGEST_ROW)
                    try:
                        yield from _table(path, file, _separator(start))
                    finally:
                        csv.field_size_limit(usual)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeError, LookupError) as error:
        raise UnreadableFile(
            f"{path} is not written in {encoding or 'an encoding that is known'}: {error}. Name another one "
            "with --encoding."
        ) from error


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
        found = next((name for mark, name in _MARKS if start.startswith(mark)), "")
        if found:
            return found
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _separator(start: str) -> str:
    """What stands between the cells: that which makes the most headings."""
    first = start.lstrip("\ufeff").splitlines()[:1] or [""]
    if first[0].lower().startswith("sep=") and len(first[0]) == len("sep=,"):
        return first[0][-1]  # Excel's own way to say it
    return max(_SEPARATORS, key=lambda each: len(next(csv.reader(first, delimiter=each), [])))


def _table(path: Path, file: IO[str], separator: str) -> Iterator[Row]:
    table = csv.reader(file, delimiter=separator)
    headings: list[str] | None = None
    number = 0
    while True:
        number += 1
        try:
            cells = next(table)
        except StopIteration:
            break
        except csv.Error as error:
            yield Row(number, {}, f"it is no row of a table: {error}")
            continue
        if headings is None:
            if any(cell.strip() for cell in cells) and not cells[0].lower().startswith("sep="):
                headings = _headings(cells)
        elif any(cell.strip() for cell in cells):
            if len(cells) > len(headings) and any(cell.strip() for cell in cells[len(headings) :]):
                fault = f"it has {len(cells)} cells, and there are {len(headings)} headings"
                yield Row(number, {}, fault)
            else:
                yield Row(number, dict(zip(headings, cells, strict=False)))
    if headings is None:
        raise UnreadableFile(f"{path} is empty.")


def _headings(cells: list[str]) -> list[str]:
    """The headings, each once: a second `Notes` is `Notes 2`."""
    found: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = " ".join(cell.lstrip("\ufeff").split()) or f"column {place}"
        number = 1
        while (name if number == 1 else f"{name} {number}") in found:
            number += 1
        found.append(name if number == 1 else f"{name} {number}")
    return found


def _json_lines(file: IO[str]) -> Iterator[Row]:
    number = 0
    while line := file.readline(LARGEST_ROW):
        number += 1
        if not line.strip("\ufeff \t\r\n"):
            continue
        try:
            yield _object(number, json.loads(line.lstrip("\ufeff")))
        except (ValueError, RecursionError) as error:
            yield Row(number, {}, f"it is no JSON: {error}")


def _array(file: IO[str]) -> Iterator[Row]:
    decoder = json.JSONDecoder()
    text = file.read(_CHUNK).lstrip("\ufeff \t\r\n").removeprefix("[")
    number = 0
    while True:
        text = text.lstrip(" \t\r\n,")
        if text.startswith("]"):
            return
        try:
            value, end = decoder.raw_decode(text)
        except (ValueError, RecursionError) as error:
            more = file.read(max(_CHUNK, len(text))) if len(text) < LARGEST_ROW else ""
            if not more:
                # Where the next object would begin, nobody can tell.
                yield Row(number + 1, {}, f"from here on it is no JSON, so nothing was read: {error}")
                return
            text += more
            continue
        number += 1
        yield _object(number, value)
        text = text[end:]


def _object(number: int, value: Any) -> Row:
    if not isinstance(value, dict):
        return Row(number, {}, "it is no object")
    return Row(number, {str(name): each for name, each in value.items()})

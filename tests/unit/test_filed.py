from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from scout import filed
from scout.filed import Row, UnreadableFile, rows


def written(tmp_path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


TABLE = "Firma;Stelle\r\nMüller;Identität\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_and_encodings_are_told(tmp_path: Path, encoding: str, separator: str) -> None:
    path = written(tmp_path, TABLE.replace(";", separator), encoding)
    assert list(rows(path)) == [Row(2, {"Firma": "Müller", "Stelle": "Identität"})]


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\nИмя,x\n", "koi8-r")
    assert next(rows(path, "koi8-r")).values["a"] == "Имя"
    with pytest.raises(UnreadableFile, match="--encoding"):
        list(rows(path, "klingon"))
    with pytest.raises(UnreadableFile, match="not written in utf-8"):
        list(rows(path, "utf-8"))


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    path = written(tmp_path, 'sep=;\nA;B\n"one\nor two";x\n\n;\nlast;y\n')
    assert [(row.number, row.values["A"]) for row in rows(path)] == [(3, "one\nor two"), (6, "last")]


def test_headings_are_each_there_once(tmp_path: Path) -> None:
    path = written(tmp_path, "Notes,Notes,,\na,b,c,\n")
    assert next(rows(path)).values == {"Notes": "a", "Notes 2": "b", "column 3": "c", "column 4": ""}


def test_a_row_with_too_many_cells_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    bad, good = rows(written(tmp_path, "A,B\n1,2,3\n4,5,,\n"))
    assert (bad.number, bad.fault) == (2, "it has 3 cells, and there are 2 headings")
    assert good.values == {"A": "4", "B": "5"}


def test_a_cell_that_is_too_large_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filed, "LARGEST_ROW", 200_000)
    large, good = rows(written(tmp_path, f'A,B\n"{"x" * 200_001}",2\n3,{"y" * 150_000}\n'))
    assert large.number == 2
    assert "field larger" in large.fault
    assert good.values["A"] == "3"
    assert csv.field_size_limit() == 131_072  # everybody else's is as it was


OBJECTS = [{"title": "Ä" * 1000, "n": n, "list": [1, "]"]} for n in range(2000)]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_piece_by_piece(tmp_path: Path, indent: int | None) -> None:
    path = written(tmp_path, "\ufeff " + json.dumps(OBJECTS, indent=indent, ensure_ascii=False))
    assert [row.values for row in rows(path)] == OBJECTS
    assert list(rows(written(tmp_path, "[]"))) == []


def test_what_is_wrong_in_an_array_is_named(tmp_path: Path) -> None:
    first, second, rest = rows(written(tmp_path, '[{"a": 1}, 7, {"a": 2'))
    assert first.values == {"a": 1}
    assert second.fault == "it is no object"
    assert rest.number == 3
    assert rest.fault.startswith("from here on it is no JSON")


def test_lines_of_json_are_read_one_by_one(tmp_path: Path) -> None:
    one, bad, other = rows(written(tmp_path, '{"a": 1}\n\n{"a": \n{"a": 3}'))
    assert (one.values, other.values) == ({"a": 1}, {"a": 3})
    assert bad.number == 3
    assert "no JSON" in bad.fault


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="is empty"):
        list(rows(written(tmp_path, content)))


def test_a_file_that_is_not_there_or_too_large_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        list(rows(tmp_path / "nothing"))
    with pytest.raises(UnreadableFile, match="cannot be read"):
        list(rows(tmp_path))
    monkeypatch.setattr(filed, "LARGEST", 10)
    with pytest.raises(UnreadableFile, match="split it"):
        list(rows(written(tmp_path, TABLE)))

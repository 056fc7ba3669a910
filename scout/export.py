"""Jobs as files for other programs: a table (CSV), one array (JSON), or an object a line (JSON Lines).

`docs/DATA.md` tells every column. A cell of a table that a spreadsheet would take for a formula gets an
apostrophe in front, and so does one that has an apostrophe there already: whoever takes one apostrophe off
each cell that begins with one has what was kept (`safe`, `unsafe`).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, get_args

from scout import jobs
from scout.database import Database
from scout.jobs import JobQuery
from scout.models import Job

Form = Literal["csv", "json", "jsonl"]
FORMS: tuple[Form, ...] = get_args(Form)

#: What a browser or a mail program should take each for.
MEDIA_TYPES: dict[Form, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
}

#: Jobs that are held in memory at once.
BATCH = 200

#: The columns of a table. They keep their names and meaning; new ones are added at the end.
COLUMNS = (
    "id", "title", "company", "status", "score", "url", "locations", "remote", "remote_regions", "level",
    "salary_minimum", "salary_maximum", "salary_currency", "salary_period", "salary_origin", "salary_text",
    "employment_type", "department", "language", "posted_at", "first_seen_at", "last_seen_at", "closed_at",
    "applied_at", "reasons", "sources", "listings", "notes_count", "notes", "history", "description",
    "next_action_on", "next_action",
)  # fmt: skip

#: Between the values of one cell.
BETWEEN = " | "

# What Excel, LibreOffice and Google's Sheets may begin a formula with, their full-width forms included.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith((*_FORMULA, "'")) else cell


def unsafe(cell: str) -> str:
    """What `safe` was given."""
    return cell.removeprefix("'")


def write(database: Database, query: JobQuery, form: Form, *, mark: bool = False) -> Iterator[str]:
    """The jobs that a query asks for, as pieces of a file's text. Pages do not count: it is all of them.

    Each batch of jobs is read in a transaction of its own, so that nobody who reads slowly holds one open: a
    job is as it was when it was read, and one that was removed meanwhile is left out.

    Args:
        database: The database.
        query: Which jobs, in which order.
        form: What kind of file.
        mark: Whether to begin with a byte order mark, for an Excel that takes UTF-8 for something else.
    """
    with database.reading() as session:
        wanted = jobs.every_id(session, query)
    if mark:
        yield "\ufeff"
    yield from _WRITERS[form](_batches(database, wanted))


def _batches(database: Database, wanted: list[int]) -> Iterator[list[Job]]:
    for start in range(0, len(wanted), BATCH):
        ids = wanted[start : start + BATCH]
        with database.reading() as session:
            found = {job.id: job for job in jobs.get_many(session, ids)}
        yield [found[each] for each in ids if each in found]


def as_dict(job: Job) -> dict[str, Any]:
    """A job as an object of JSON: all that is kept of it."""
    whole = jobs.in_full(job)
    del whole["next_statuses"]  # it follows from the status
    return whole


def _json(batches: Iterable[list[Job]]) -> Iterator[str]:
    before = "[\n"
    for batch in batches:
        for job in batch:
            yield before + json.dumps(as_dict(job), ensure_ascii=False)
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _json_lines(batches: Iterable[list[Job]]) -> Iterator[str]:
    for batch in batches:
        for job in batch:
            yield json.dumps(as_dict(job), ensure_ascii=False) + "\n"


def _csv(batches: Iterable[list[Job]]) -> Iterator[str]:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    table.writeheader()
    for batch in batches:
        for job in batch:
            table.writerow({name: safe(cell) for name, cell in _cells(as_dict(job)).items()})
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


_WRITERS: dict[Form, Callable[[Iterable[list[Job]]], Iterator[str]]] = {
    "csv": _csv,
    "json": _json,
    "jsonl": _json_lines,
}


def _cells(job: dict[str, Any]) -> dict[str, str]:
    pay = job["salary"] or {}
    steps = [each for each in job["history"] if "to" in each]
    applied = next((step["at"] for step in steps if step["to"] == "applied"), None)
    told = job | {
        "locations": BETWEEN.join(map(str, job["locations"])),
        "remote_regions": BETWEEN.join(job["remote_regions"]),
        "salary_minimum": pay.get("minimum"),
        "salary_maximum": pay.get("maximum"),
        "salary_currency": pay.get("currency"),
        "salary_period": pay.get("period"),
        "salary_origin": pay.get("origin"),
        "salary_text": pay.get("raw"),
        "applied_at": applied,
        "reasons": BETWEEN.join(f"{each['term']} {each['points']:+}" for each in job["reasons"]),
        "sources": BETWEEN.join(dict.fromkeys(each["source"] for each in job["listings"])),
        "listings": json.dumps(job["listings"], ensure_ascii=False) if job["listings"] else "",
        "notes_count": len(job["notes"]),
        "notes": "\n\n".join(f"[{note['created_at']}] {_kept_apart(note['body'])}" for note in job["notes"]),
        "history": "\n".join(f"{step['at']} {step['from']} > {step['to']} ({step['by']})" for step in steps),
        "description": job["description_text"],
    }
    return {name: "" if told[name] is None else str(told[name]) for name in COLUMNS}


def _kept_apart(note: str) -> str:
    # A line of a note that looks like the beginning of another one is marked; `notes` takes the mark off.
    return re.sub(r"^(?=[\\\[])", r"\\", note, flags=re.MULTILINE)


def notes(cell: str) -> list[tuple[str, str]]:
    """The notes of a table's cell, each with its time; none where the cell is no writing of ours."""
    parts = re.split(r"(?:\A|\n\n)\[([^\]\n]{1,40})\] ", cell)
    if parts[0]:
        return []
    bodies = (re.sub(r"^\\(?=[\\\[])", "", body, flags=re.MULTILINE) for body in parts[2::2])
    return list(zip(parts[1::2], bodies, strict=True))


def history(cell: str) -> list[tuple[str, str, str, str]]:
    """The steps of a table's cell: when, from, to, by whom."""
    steps = (re.fullmatch(r"(\S+) (\w+) > (\w+) \((\w+)\)", each) for each in cell.splitlines())
    return [(step[1], step[2], step[3], step[4]) for step in steps if step]

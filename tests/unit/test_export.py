from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import Any

import pytest
from sqlalchemy import event

from scout import export, jobs
from scout.cli.export import export as export_command
from scout.cli.jobs import list_ as list_command
from scout.database import Database
from scout.export import COLUMNS, Form, safe, unsafe
from scout.jobs import JobQuery
from scout.models import Job, Note, Status
from tests import kept


@pytest.fixture
def filled(any_database: Database) -> Database:
    """Three jobs: one with everything, one with next to nothing, one with dangerous words."""
    with any_database.session() as session:
        acme = kept.source(session)
        full = kept.job(
            session,
            "Identität; „Engineer“",
            at=acme,
            locations=["Zürich", "Bern, CH"],
            salary={"minimum": 90000.0, "maximum": None, "currency": "CHF", "period": "year", "raw": "90k"},
            description_text="Keep\nthe keys.",
            score=80,
            reasons=[{"term": "identity", "where": "title", "points": 80}],
            first_seen_at=kept.DAY + dt.timedelta(days=3),
        )
        jobs.change_status(session, full.id, Status.APPLIED, by="owner")
        session.add(Note(job=full, body="Ask Ruth.\n\n[2026-01-01] her words\n\\o/", created_at=kept.DAY))
        session.add(Note(job=full, body="Second", created_at=kept.DAY))
        kept.job(session, "Bare", first_seen_at=kept.DAY + dt.timedelta(days=2))
        kept.job(session, '=HYPERLINK("http://x","y")', company="'quoted", first_seen_at=kept.DAY)
    return any_database


def text(database: Database, form: Form, **query: Any) -> str:
    return "".join(export.write(database, JobQuery(**query), form))


def table(database: Database, **query: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(database, "csv", **query), newline="")))


def test_a_table_has_a_row_for_each_job_in_the_lists_order(filled: Database) -> None:
    rows = table(filled)
    assert [row["title"] for row in rows] == [
        "Identität; „Engineer“",
        "Bare",
        '\'=HYPERLINK("http://x","y")',
    ]
    assert list(rows[0]) == list(COLUMNS)
    full = rows[0]
    assert full["locations"] == "Zürich | Bern, CH"
    assert (full["salary_minimum"], full["salary_maximum"], full["salary_text"]) == ("90000.0", "", "90k")
    assert full["status"] == "applied"
    assert full["applied_at"]
    assert full["notes_count"] == "2"
    assert full["reasons"] == "identity +80"
    assert full["sources"] == "acme"
    assert full["description"] == "Keep\nthe keys."


def test_notes_and_history_can_be_read_out_of_a_cell_as_they_were(filled: Database) -> None:
    row = table(filled)[0]
    assert export.notes(row["notes"]) == [
        ("2026-03-01T12:00:00Z", "Ask Ruth.\n\n[2026-01-01] her words\n\\o/"),
        ("2026-03-01T12:00:00Z", "Second"),
    ]
    ((at, before, after, by),) = export.history(row["history"])
    assert (at, before, after, by) == (row["applied_at"], "new", "applied", "owner")
    assert export.notes("Call them [soon] please") == []
    assert export.history("we talked") == []


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_holds_all_that_is_kept_of_a_job(filled: Database, form: Form) -> None:
    written = text(filled, form)
    found = json.loads(written) if form == "json" else [json.loads(line) for line in written.splitlines()]
    with filled.reading() as session:
        whole = jobs.in_full(jobs.get(session, 1))
    del whole["next_statuses"]
    assert found[0] == whole
    assert [note["body"] for note in found[0]["notes"]][1] == "Second"
    assert len(found) == 3


def test_what_is_asked_for_is_what_is_written(filled: Database) -> None:
    assert [row["title"] for row in table(filled, text="identität")] == ["Identität; „Engineer“"]
    assert [row["title"] for row in table(filled, statuses=(Status.NEW,), sort="posted")][-1] == "Bare"
    assert [row["id"] for row in table(filled, min_score=50)] == ["1"]
    assert [row["id"] for row in table(filled, source="acme")] == ["1"]
    # A page is for people; a file has all.
    assert len(table(filled, per_page=1)) == 3


def test_nothing_found_is_a_file_too(filled: Database) -> None:
    assert text(filled, "json", text="nowhere") == "[]\n"
    assert text(filled, "jsonl", text="nowhere") == ""
    assert text(filled, "csv", text="nowhere") == ",".join(COLUMNS) + "\r\n"


def test_a_byte_order_mark_is_written_only_when_asked_for(filled: Database) -> None:
    assert not text(filled, "csv").startswith("\ufeff")
    assert "".join(export.write(filled, JobQuery(), "csv", mark=True)).startswith("\ufeffid,")


@pytest.mark.parametrize(
    "cell", ["=1+1", "+49 30", "-5", "@SUM(A1)", "\tx", "\r=1", "\uff1d1", "'x", "''=1", "'"]
)
def test_a_cell_is_no_formula_and_can_be_read_back(cell: str) -> None:
    assert safe(cell)[0] == "'"
    assert unsafe(safe(cell)) == cell


@pytest.mark.parametrize("cell", ["", "IAM", "2026-01-01", "a=b", "90000.0"])
def test_an_ordinary_cell_stays_as_it_is(cell: str) -> None:
    assert safe(cell) == unsafe(cell) == cell


def test_jobs_are_read_in_batches_and_no_transaction_waits_for_the_reader(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 2)
    open_now = 0

    def changed(by: int) -> Any:
        def note(*_: object) -> None:
            nonlocal open_now
            open_now += by

        return note

    event.listen(filled.engine, "checkout", changed(1))
    event.listen(filled.engine, "checkin", changed(-1))
    pieces = export.write(filled, JobQuery(), "jsonl")
    assert '"id": 1' in next(pieces)
    assert open_now == 0
    with filled.session() as session:
        session.delete(session.get_one(Job, 3))
    assert [json.loads(piece)["id"] for piece in pieces] == [2]


def test_the_command_takes_every_filter_of_the_list() -> None:
    of_the_list = {option.name: option.opts for option in list_command.params}
    ours = {option.name: option.opts for option in export_command.params}
    del of_the_list["limit"], of_the_list["as_json"]
    assert {name: ours.get(name) for name in of_the_list} == of_the_list

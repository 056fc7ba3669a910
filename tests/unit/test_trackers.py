from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from scout import trackers
from scout.filed import Row
from scout.models import Status
from scout.postings import Remote
from scout.trackers import WORDS, NotUnderstood, UnknownColumn


def brought(values: dict[str, Any], **chosen: str) -> trackers.Brought:
    row = Row(2, values)
    return trackers.read(row, trackers.columns([row], chosen))


#: Rows as the trackers and people named write them, and what they are.
FILES = {
    "huntr": {
        "Job Title": "IAM Engineer", "Company": "Acme", "List": "Interviewing", "URL": "https://acme.com/1",
        "Date Applied": "01/15/2026", "Location": "Berlin", "Salary": "$120,000 - $140,000",
    },
    "teal": {
        "Job Position": "IAM Engineer", "Company": "Acme", "Status": "Interviewing",
        "Date Applied": "Jan 15, 2026", "Location": "Berlin", "Min. Salary": "120000",
        "Max. Salary": "140000",
        "Link": "https://acme.com/1",
    },
    "jobsync": {
        "title": "IAM Engineer", "company": "Acme", "status": "interview",
        "appliedDate": "2026-01-15T09:00:00Z",
        "jobUrl": "https://acme.com/1", "location": "Berlin", "salaryRange": "120k - 140k USD",
    },
    "notion": {
        "Name": "Acme", "Role": "IAM Engineer", "Stage": "🎤 Interview", "Applied": "January 15, 2026",
        "Posting": "https://acme.com/1", "City": "Berlin", "Comp": "$120k-$140k",
    },
    "spreadsheet": {
        "Company": "Acme", "Position": "IAM Engineer", "Status": "3. Interviewing",
        "Date of application": "46037",
        "Where I found it": "https://acme.com/1", "Place": "Berlin", "Pay": "120,000 - 140,000",
    },
    "german": {
        "Firma": "Acme", "Stelle": "IAM Engineer", "Status": "Interview", "Bewerbungsdatum": "15.01.2026",
        "Link": "https://acme.com/1", "Ort": "Berlin", "Gehalt": "120.000 - 140.000 EUR",
    },
}  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_rows_of_other_trackers_are_understood(file: str) -> None:
    chosen = {"Job Position": "title"} if file == "teal" else {}
    found = brought(FILES[file], **chosen)
    posting = found.posting
    assert (posting.title, posting.company, posting.url) == ("IAM Engineer", "Acme", "https://acme.com/1")
    assert posting.locations == ("Berlin",)
    assert found.status is Status.INTERVIEWING
    assert found.applied_at is not None
    assert found.applied_at.date() == dt.date(2026, 1, 15)
    assert posting.salary is not None
    assert (posting.salary.minimum, posting.salary.maximum) == (120_000, 140_000)


@pytest.mark.parametrize(
    ("status", "word"), [(key[0], word) for key, words in WORDS.items() for word in words]
)
def test_every_word_for_a_status_is_known(status: Status, word: str) -> None:
    found = brought({"title": "A", "company": "B", "status": word.title()})
    assert found.status is status
    assert found.unknown_status == ""


def test_every_status_of_ours_is_a_word() -> None:
    for status in Status:
        assert brought({"title": "A", "company": "B", "status": status.value}).status is status


@pytest.mark.parametrize("word", ["Ghosted", "Phone Screen", "Applied (LinkedIn)", "Archived"])
def test_a_word_that_says_more_than_our_own_is_kept_in_a_note(word: str) -> None:
    found = brought({"title": "A", "company": "B", "status": word, "notes": "Nice."})
    assert [body for _, body in found.notes] == ["Nice.", f"Status in the file that this came from: {word}"]


def test_a_word_that_nobody_knows_is_kept_and_told() -> None:
    found = brought({"title": "A", "company": "B", "status": "Xyzzy"})
    assert (found.status, found.unknown_status) == (Status.SAVED, "Xyzzy")
    assert "Xyzzy" in found.notes[0][1]


def test_without_a_status_a_date_of_application_is_one() -> None:
    assert brought({"title": "A", "company": "B", "applied": "2026-01-15"}).status is Status.APPLIED
    assert brought({"title": "A", "company": "B"}).status is Status.SAVED


@pytest.mark.parametrize(
    ("written", "others", "day"),
    [
        ("03/04/2026", [], dt.date(2026, 3, 4)),
        ("03/04/2026", ["13/04/2026"], dt.date(2026, 4, 3)),
        ("03/04/2026", ["03/13/2026"], dt.date(2026, 3, 4)),
        ("3-4-26", ["25-3-26"], dt.date(2026, 4, 3)),
        ("3.4.2026", [], dt.date(2026, 4, 3)),
        ("2026/04/03", [], dt.date(2026, 4, 3)),
        ("3 Apr 2026", [], dt.date(2026, 4, 3)),
        ("April 3, 2026 2:30 PM", [], dt.date(2026, 4, 3)),
        ("46115", [], dt.date(2026, 4, 3)),
        ("1775174400000", [], dt.date(2026, 4, 3)),
        ("31/31/2026", [], None),
        ("0000045000" + "9" * 20, [], None),
        ("9" * 5_000, [], None),
        ("¹²", [], None),
        ("soon", [], None),
        ("2999-01-01", [], None),
    ],
)
def test_dates_are_read_as_people_and_spreadsheets_write_them(
    written: str, others: list[str], day: dt.date | None
) -> None:
    every = [Row(2, {"title": "A", "company": "B", "applied": each}) for each in [written, *others]]
    found = trackers.read(every[0], trackers.columns(every, {})).applied_at
    assert (found.date() if found else None) == day


def test_dates_that_nothing_tells_of_are_said_to_be_so() -> None:
    def ambiguous(*dates: str) -> bool:
        return trackers.columns([Row(2, {"title": "A", "applied": each}) for each in dates], {}).ambiguous

    assert ambiguous("03/04/2026")
    assert not ambiguous("03/04/2026", "03/13/2026")
    assert not ambiguous("3.4.2026")
    assert not ambiguous("2026-04-03")


@pytest.mark.parametrize(
    ("values", "least", "most", "raw"),
    [
        ({"salary": "90000"}, 90_000, 90_000, "90000"),
        ({"salary": "competitive"}, None, None, "competitive"),
        ({"min salary": "50", "max salary": "60", "currency": "eur", "pay period": "hourly"}, 50, 60, ""),
    ],
)
def test_pay_is_read_or_kept_as_it_was_written(
    values: dict[str, Any], least: float | None, most: float | None, raw: str
) -> None:
    pay = brought({"title": "A", "company": "B"} | values).posting.salary
    assert pay is not None
    assert (pay.minimum, pay.maximum, pay.raw) == (least, most, raw)
    if "currency" in values:
        assert (pay.currency, pay.period) == ("EUR", "hour")


@pytest.mark.parametrize(
    ("values", "remote"),
    [
        ({"remote": "Yes"}, Remote.REMOTE),
        ({"remote": True}, Remote.REMOTE),
        ({"remote": "No"}, Remote.UNKNOWN),
        ({"work mode": "Hybrid"}, Remote.HYBRID),
        ({"location": "Remote"}, Remote.REMOTE),
    ],
)
def test_remote_work_is_told(values: dict[str, Any], remote: Remote) -> None:
    assert brought({"title": "A", "company": "B"} | values).posting.remote is remote


def test_several_columns_may_be_notes() -> None:
    found = brought({"title": "A", "company": "B", "notes": "Nice.", "Contact": "Ruth"}, Contact="notes")
    assert found.notes == ((None, "Contact: Ruth\nnotes: Nice."),)


def test_what_a_column_is_can_be_said_and_what_is_left_is_told() -> None:
    row = Row(2, {"Was": "IAM Engineer", "Wer": "Acme", "Laune": "gut"})
    told = trackers.columns([row], {"was": "title", "WER": "company"})
    assert trackers.read(row, told).posting.company == "Acme"
    assert told.unknown == ["Laune"]
    with pytest.raises(UnknownColumn, match="no column 'wie'"):
        trackers.columns([row], {"wie": "title"})
    with pytest.raises(UnknownColumn, match="no field 'boss'"):
        trackers.columns([row], {"Was": "boss"})
    with pytest.raises(UnknownColumn, match='--map "Was=title"'):
        trackers.columns([row], {})


@pytest.mark.parametrize(
    ("values", "why"),
    [({"title": "", "company": "B"}, "no title"), ({"title": "A", "company": ""}, "neither a company nor")],
)
def test_a_row_that_is_no_job_says_why(values: dict[str, Any], why: str) -> None:
    with pytest.raises(NotUnderstood, match=why):
        brought(values)


def test_nothing_harmful_is_taken_along() -> None:
    found = brought({
        "title": "A", "company": "'=1+1", "url": "javascript:alert(1)",
        "description": "<script>x</script>\n& y",
    })  # fmt: skip
    assert found.posting.company == "=1+1"
    assert found.posting.url == ""
    assert found.posting.description_html == "<p>&lt;script&gt;x&lt;/script&gt;</p><p>&amp; y</p>"

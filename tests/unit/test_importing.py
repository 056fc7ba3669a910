"""Jobs out of files: nothing lost, nothing doubled, nothing of the owner's overwritten."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from metrics import catalogue
from metrics.testing import Captured
from scout import export, importing, jobs
from scout.database import Database
from scout.export import FORMS, Form
from scout.importing import Outcome, Refused, address_key, bring_in
from scout.jobs import JobQuery
from scout.models import Job, Listing, Note, Status, StatusChange
from scout.postings import Remote
from scout.settings import Settings
from tests import kept
from tests.databases import make_tables

EVERYTHING = (
    "title", "company", "url", "locations", "remote", "remote_regions", "level", "language", "salary",
    "employment_type", "department", "status", "posted_at", "first_seen_at", "closed_at", "description_text",
    "next_action_on", "next_action",
)  # fmt: skip


@pytest.fixture
def other(tmp_path: Path) -> Any:
    """Another machine's database, with the same board but none of its jobs."""
    settings = Settings(data_dir=tmp_path / "other")
    make_tables(settings)
    database = Database.open(settings)
    with database.session() as session:
        kept.source(session, "elsewhere")
        kept.source(session, "acme")
    yield database
    database.dispose()


@pytest.fixture
def filled(any_database: Database) -> Database:
    with any_database.session() as session:
        acme = kept.source(session)
        job = kept.job(
            session,
            "=Senior „IAM“ Engineer; (all)",
            at=acme,
            locations=["Zürich", "Bern; CH"],
            remote=Remote.HYBRID,
            remote_regions=["CH", "EU"],
            level="senior",
            language="de",
            salary={
                "minimum": 90000.0, "maximum": 110000.5, "currency": "CHF", "period": "year",
                "origin": "employer", "raw": "90'000",
            },
            employment_type="full_time",
            department="Sicherheit",
            posted_at=kept.DAY,
            first_seen_at=kept.DAY + dt.timedelta(microseconds=17),
            description_html="<p>Keep</p><p>the keys.</p>",
            description_text="Keep\nthe keys.",
            places=[{"raw": "Zürich", "city": "Zürich", "region": "", "country": "CH"}],
            next_action_on=dt.date(2026, 6, 12),
            next_action="Call Dana",
        )  # fmt: skip
        jobs.change_status(session, job.id, Status.APPLIED, by="owner")
        jobs.change_status(session, job.id, Status.INTERVIEWING, by="owner")
        session.add(Note(job=job, body="Ask Ruth.\n\n[2026-01-01] again", created_at=kept.DAY))
        # Two postings with one address, as some boards have them, and two without any.
        for number in range(2):
            kept.job(session, "Twin", at=acme, locations=[f"Town {number}"])
            kept.job(session, "Nowhere", url="", first_seen_at=kept.DAY + dt.timedelta(days=number))
        kept.job(
            session, "Gone", at=acme, url="https://example.com/gone", status=Status.CLOSED, closed_at=kept.DAY
        )
    return any_database


def saved(database: Database, tmp_path: Path, form: Form) -> Path:
    path = tmp_path / f"jobs.{form}"
    path.write_text("".join(export.write(database, JobQuery(), form)), encoding="utf-8", newline="")
    return path


def content(database: Database) -> list[dict[str, Any]]:
    """All jobs with what belongs to them, without ids."""
    with database.reading() as session:
        found = [jobs.get(session, job_id) for job_id in session.scalars(select(Job.id))]
        told = [
            {name: getattr(job, name) for name in EVERYTHING}
            | {
                "notes": [(note.body, note.created_at) for note in job.notes],
                "history": [(step.from_status, step.to_status, step.at, step.by) for step in job.history],
                "listings": [(each.source.slug, each.source_job_id, each.url) for each in job.listings],
            }
            for job in found
        ]
    return sorted(told, key=lambda job: (job["title"], job["locations"], job["first_seen_at"]))


@pytest.mark.parametrize("form", FORMS)
def test_an_export_brought_in_elsewhere_loses_nothing(
    filled: Database, other: Database, tmp_path: Path, form: Form
) -> None:
    report = bring_in(other, saved(filled, tmp_path, form), {})
    assert report.outcomes == {Outcome.ADDED: 6}
    assert content(other) == content(filled)
    # And once more, and from there back: nothing is doubled.
    assert bring_in(other, saved(filled, tmp_path, form), {}).outcomes == {Outcome.KNOWN: 6}
    assert bring_in(filled, saved(other, tmp_path, form), {}).outcomes == {Outcome.KNOWN: 6}
    assert content(other) == content(filled)


@pytest.mark.parametrize("form", FORMS)
def test_boards_that_are_not_watched_are_named_and_their_jobs_stand_alone(
    filled: Database, sqlite_settings: Settings, tmp_path: Path, form: Form
) -> None:
    bare = Settings(data_dir=tmp_path / "bare")
    make_tables(bare)
    database = Database.open(bare)
    path = saved(filled, tmp_path, form)
    report = bring_in(database, path, {})
    assert report.unwatched == {"acme": 4}
    assert report.outcomes == {Outcome.ADDED: 6}
    assert bring_in(database, path, {}).outcomes == {Outcome.KNOWN: 6}
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(Listing)) == 0
        kept.source(session, "acme")
    # Once the board is watched, its jobs are its jobs.
    assert bring_in(database, path, {}).outcomes == {Outcome.UPDATED: 4, Outcome.KNOWN: 2}
    assert content(database) == content(filled)
    database.dispose()


TRACKER = """Company,Role,Stage,Link,Date applied,Notes
Acme,IAM Engineer,Applied,https://acme.com/jobs/1?utm_source=x,2026-01-15,Nice
Beta,Okta Admin,Phone Screen,,2026-01-16,
,,,,,only a note
Gamma,SailPoint Developer,Ghosted,https://gamma.com/2,,
"""


def tracker(tmp_path: Path, text: str = TRACKER) -> Path:
    path = tmp_path / "tracker.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_another_trackers_table_is_brought_in_once(any_database: Database, tmp_path: Path) -> None:
    report = bring_in(any_database, tracker(tmp_path), {})
    assert report.outcomes == {Outcome.ADDED: 3, Outcome.REFUSED: 1}
    assert report.faults == [(4, "it has no title")]
    before = content(any_database)
    assert bring_in(any_database, tracker(tmp_path), {}).outcomes == {Outcome.KNOWN: 3, Outcome.REFUSED: 1}
    assert content(any_database) == before
    acme = next(job for job in before if job["company"] == "Acme")
    applied = dt.datetime(2026, 1, 15, tzinfo=dt.UTC)
    assert acme["history"] == [(Status.NEW, Status.APPLIED, applied, "import")]
    assert [body for body, _ in acme["notes"]] == ["Nice"]
    beta = next(job for job in before if job["company"] == "Beta")
    assert [step[:2] for step in beta["history"]] == [
        (Status.NEW, Status.APPLIED),
        (Status.APPLIED, Status.INTERVIEWING),
    ]


def test_jobs_that_are_brought_in_are_scored_and_found(any_database: Database, tmp_path: Path) -> None:
    bring_in(any_database, tracker(tmp_path), {})
    with any_database.reading() as session:
        (found,) = jobs.find(session, JobQuery(text="sailpoint", min_score=10)).jobs
        assert found.status is Status.REJECTED
        assert found.last_seen_at == found.first_seen_at
        assert found.listings == []
        assert found.reasons


def test_a_job_that_a_board_lists_is_met_by_its_address_and_keeps_what_was_decided(
    any_database: Database, tmp_path: Path, emitted: Captured
) -> None:
    with any_database.session() as session:
        acme = kept.source(session)
        job = kept.job(session, at=acme, url="https://www.acme.com/jobs/1/")
        gamma = kept.job(session, at=acme, url="https://gamma.com/2", status=Status.SAVED)
    report = bring_in(any_database, tracker(tmp_path), {})
    assert report.outcomes == {Outcome.ADDED: 1, Outcome.UPDATED: 2, Outcome.REFUSED: 1}
    with any_database.reading() as session:
        met = jobs.get(session, job.id)
        assert (met.status, met.version, met.title) == (Status.APPLIED, 2, "IAM Engineer")
        assert jobs.get(session, gamma.id).status is Status.SAVED
    emitted.assert_incremented(catalogue.STATUS_UPDATES, from_status="new", to_status="applied")
    emitted.assert_incremented(catalogue.STATUS_UPDATES)


def test_what_came_of_rows_is_counted(any_database: Database, tmp_path: Path, emitted: Captured) -> None:
    with any_database.session() as session:
        kept.job(session, url="https://acme.com/jobs/1")
    bring_in(any_database, tracker(tmp_path), {})
    bring_in(any_database, tracker(tmp_path), {})
    for outcome, count in {"added": 2, "updated": 1, "known": 3, "refused": 2}.items():
        emitted.assert_incremented(catalogue.IMPORTED_ROWS, count, outcome=outcome)


def test_strictly_one_bad_row_keeps_all_out(any_database: Database, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"Row 4 cannot be used, since it has no title; 1 in all\. Nothing"):
        bring_in(any_database, tracker(tmp_path), {}, strict=True)
    assert content(any_database) == []
    good = tracker(tmp_path, TRACKER.replace(",,,,,only a note\n", ""))
    assert bring_in(any_database, good, {}, strict=True).outcomes == {Outcome.ADDED: 3}


def test_an_import_that_is_cut_off_can_be_repeated(
    any_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    write = importing._Writer.write
    batches = iter([None])

    def dies(self: importing._Writer, batch: list[Any], entries: Any) -> Any:
        yield from write(self, batch, entries)
        if next(batches, "end") == "end":
            raise KeyboardInterrupt

    rows = "".join(f"Acme,IAM {n},Applied,https://acme.com/{n},,\n" for n in range(5))
    path = tracker(tmp_path, TRACKER.splitlines()[0] + "\n" + rows)
    with monkeypatch.context() as patch:
        patch.setattr(importing._Writer, "write", dies)
        with pytest.raises(KeyboardInterrupt):
            bring_in(any_database, path, {})
    assert len(content(any_database)) == 2
    assert bring_in(any_database, path, {}).outcomes == {Outcome.KNOWN: 2, Outcome.ADDED: 3}
    with any_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(StatusChange)) == 5


def test_our_own_rows_that_somebody_changed_are_named(
    filled: Database, other: Database, tmp_path: Path
) -> None:
    path = saved(filled, tmp_path, "csv")
    path.write_text(
        path.read_text(encoding="utf-8").replace(",interviewing,", ",daydreaming,"), encoding="utf-8"
    )
    report = bring_in(other, path, {})
    ((number, why),) = report.faults
    assert "daydreaming" in why
    assert number > 1
    assert report.outcomes == {Outcome.ADDED: 5, Outcome.REFUSED: 1}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://acme.com/jobs/1", "http://www.ACME.com/jobs/1/?utm_source=x#top", True),
        ("https://acme.com/jobs?gh_jid=1", "https://acme.com/jobs?gh_jid=2", False),
        ("https://acme.com/jobs?id=1&b=2&ref=x", "https://acme.com/jobs?b=2&id=1", True),
        ("https://acme.com/jobs?reference=1", "https://acme.com/jobs?reference=2", False),
    ],
)
def test_addresses_are_one_whatever_led_there(one: str, other: str, *, same: bool) -> None:
    assert (address_key(one) == address_key(other)) is same

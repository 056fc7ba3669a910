from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, StatementError

from scout import clock
from scout.database import Database
from scout.models import Job, StatusChange, fold
from tests import kept

pytest_plugins = ("tests.databases",)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="has no time zone"), database.session() as session:
        kept.job(session, posted_at=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


def test_defaults_ask_the_clock_when_they_are_needed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: kept.DAY)
    with database.session() as session:
        assert kept.job(session).first_seen_at == kept.DAY


def test_one_listing_of_a_source_is_one_row(any_database: Database) -> None:
    with any_database.session() as session:
        source = kept.source(session)
        kept.job(session, at=source)
        job = kept.job(session, "Another")
        with pytest.raises(IntegrityError):
            kept.listed(session, job, source, source_job_id="j1")
        session.rollback()


def test_what_a_search_reads_follows_the_job(any_database: Database) -> None:
    with any_database.session() as session:
        job = kept.job(session, "Ingénieur IAM", locations=["Genève"], department="Sécurité")
        assert job.search_text.split("\n") == ["ingénieur iam", "acme", "genève", "sécurité"]
        job.title = "IAM Architekt STRASSE"
        session.flush()
        assert job.search_text.startswith("iam architekt strasse\n")


def test_bulk_inserts_have_the_search_text_too(any_database: Database) -> None:
    rows = [{"title": f"Title {n}", "company": "Acme", "url": "u"} for n in range(3)]
    with any_database.session() as session:
        session.execute(insert(Job), rows)
        found = session.scalars(select(Job.search_text).order_by(Job.id)).all()
    assert found == ["title 0\nacme\n", "title 1\nacme\n", "title 2\nacme\n"]


def test_folding_makes_letters_alike_whatever_their_case_and_form() -> None:
    assert fold("STRAßE \uff26\uff35\uff2c\uff2c É") == fold("strasse full É")


def test_removing_a_job_removes_what_belongs_to_it(any_database: Database) -> None:
    with any_database.session() as session:
        job = kept.job(session, at=kept.source(session))
        session.add(StatusChange(job_id=job.id, from_status="new", to_status="saved", by="owner"))
    with any_database.session() as session:
        session.delete(session.get_one(Job, job.id))
    with any_database.reading() as session:
        assert session.scalars(select(StatusChange)).all() == []

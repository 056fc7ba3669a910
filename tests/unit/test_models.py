from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, StatementError

from scout import clock
from scout.database import Database
from scout.models import Job, StatusChange, fold
from tests import kept


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


PAY = {
    "minimum": 5_000.0,
    "maximum": None,
    "currency": "EUR",
    "period": "month",
    "origin": "employer",
    "raw": "",
}
PLACES = [{"raw": each, "city": "", "region": "", "country": each} for each in ("DE", "AT", "", "DE")]


def test_what_filters_compare_follows_the_job(any_database: Database) -> None:
    with any_database.session() as session:
        job = kept.job(session, places=PLACES, salary=PAY)
        assert (job.countries, job.pay_yearly, job.pay_currency) == ("DE AT", 60_000, "EUR")
        job.places, job.salary = [], PAY | {"period": "hour", "currency": "USD", "maximum": 50.0}
        session.flush()
        assert (job.countries, job.pay_yearly, job.pay_currency) == ("", 104_000, "USD")
        job.salary = None
        session.flush()
        assert (job.pay_yearly, job.pay_currency) == (None, "")


def test_bulk_inserts_have_what_filters_compare_too(any_database: Database) -> None:
    row = {"title": "Title", "company": "Acme", "url": "u"}
    with any_database.session() as session:
        session.execute(
            insert(Job), [row | {"places": PLACES, "salary": PAY}, row | {"places": [], "salary": None}]
        )
        found = session.execute(
            select(Job.countries, Job.pay_yearly, Job.pay_currency).order_by(Job.id)
        ).all()
    assert found == [("DE AT", 60_000, "EUR"), ("", None, "")]


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

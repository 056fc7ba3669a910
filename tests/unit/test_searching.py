"""Searches against both databases: what is found, in which order, with which counts, marked where."""

from __future__ import annotations

import datetime as dt
import functools
import sqlite3
from dataclasses import replace
from typing import Any, cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy import text as sql

from scout import clock, jobs
from scout.database import Database
from scout.jobs import JobQuery, Sort
from scout.models import Job, Status
from scout.postings import Remote
from scout.searching import conditions, cursors, gathering, index, orders, reading
from scout.searching.cursors import Cursor
from scout.searching.language import Key, parse
from scout.searching.marking import marked, snippet
from scout.searching.words import words_of
from tests import kept
from tests.unit.test_jobs import Statements

NOW = kept.DAY + dt.timedelta(days=30)


def place(city: str, country: str) -> dict[str, str]:
    return {"raw": city, "city": city, "region": "", "country": country}


def pay(amount: float, currency: str = "USD", period: str = "year") -> dict[str, Any]:
    stated = {"minimum": None, "maximum": amount, "currency": currency, "period": period}
    return {**stated, "origin": "employer", "raw": ""}


@pytest.fixture
def five(any_database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    with any_database.session() as session:
        lever, other = kept.source(session, "lever-veeva"), kept.source(session, "globex", kind="ashby")
        first = kept.job(
            session, "Senior Identity Engineer", at=lever, company="1Password Inc", remote=Remote.REMOTE,
            level="senior", language="en", locations=["Zürich"], places=[place("Zürich", "CH")], score=80,
            salary=pay(150_000), employment_type="full_time", first_seen_at=NOW - dt.timedelta(days=1),
            description_text="You know Okta. Access management is what we do.",
        )  # fmt: skip
        kept.listed(session, first, other)
        kept.job(
            session, "Identity Architect", at=other, company="Okta", remote=Remote.HYBRID, level="principal",
            locations=["New York"], places=[place("New York", "US")], score=60, salary=pay(50, "EUR", "hour"),
            first_seen_at=NOW - dt.timedelta(days=5), status=Status.SAVED, edit_unseen=True,
            description_text="Management of access.",
        )  # fmt: skip
        kept.job(
            session, "Nurse", at=other, company="Straße & Söhne", locations=["Berlin", "Paris"],
            places=[place("Berlin", "DE"), place("Paris", "FR")], first_seen_at=NOW - dt.timedelta(days=20),
            closed_at=NOW, status=Status.CLOSED, description_text="Identity of patients; security.",
        )  # fmt: skip
        noted = kept.job(session, "Security Intern", level="intern", score=10, posted_at=NOW)
        jobs.add_note(session, noted.id, "Ask.")
        kept.job(session, "C++ Developer", company="Acme", next_action="Call", department="Zugriffsrechte")
    return any_database


FOUND: list[tuple[str, list[int]]] = [
    ("identity", [3, 2, 1]),
    ("IDENT -okta", [3]),
    ("okta", [2, 1]),
    ('"access management"', [1]),
    ("access management", [2, 1]),
    ('-"access management" identity', [3, 2]),
    ("title:identity", [2, 1]),
    ("company:okta", [2]),
    ("company:okta,1password", [2, 1]),
    ("strasse sohne", [3]),
    ("place:zurich", [1]),
    ("place:paris", [3]),
    ("country:france,switzerland", [3, 1]),
    ("-country:france identity", [2, 1]),
    ("zugriff", [5]),
    ("c++", [5]),
    ("source:lever-veeva", [1]),
    ("source:ashby", [3, 2, 1]),
    ("-source:ashby", [5, 4]),
    ("remote:yes,hybrid", [2, 1]),
    ("level:none", [5, 3]),
    ("-level:none", [4, 2, 1]),
    ("language:english", [1]),
    ("type:full_time", [1]),
    ("new:2d", [5, 4, 1]),
    ("new:>1w", [3]),
    ("posted:1h", [4]),
    ("-posted:1h", [5, 3, 2, 1]),
    ("score:>60", [1]),
    ("score:10..60", [4, 2]),
    ("salary:>100k", [2, 1]),
    ("salary:>100k-eur", [2]),
    ("-salary:>120k", [5, 4, 3, 2]),
    ("status:saved,closed", [3, 2]),
    ("is:closed", [3]),
    ("is:open -is:changed", [5, 4, 1]),
    ("is:planned", [5]),
    ("has:salary", [2, 1]),
    ("has:notes", [4]),
    ("-has:description", [5, 4]),
    ("level:boss identity", [3, 2, 1]),
    ("", [5, 4, 3, 2, 1]),
]


def test_what_is_written_is_what_is_found(five: Database) -> None:
    with five.reading() as session:
        for text, found in FOUND:
            page = jobs.find(session, JobQuery(text=text))
            assert (text, sorted((job.id for job in page.jobs), reverse=True)) == (text, found)
            assert (page.total, page.more) == (len(found), False)
            assert set(session.scalars(jobs.ids(session, JobQuery(text=text)))) == set(found)


def test_titles_come_before_texts_and_pay_before_none(five: Database) -> None:
    with five.reading() as session:
        assert [job.id for job in jobs.find(session, JobQuery(text="security", sort="relevance")).jobs] == [
            4,
            3,
        ]
        assert [job.id for job in jobs.find(session, JobQuery(sort="salary")).jobs] == [1, 2, 5, 4, 3]


def test_facets_count_each_value_and_say_how_to_add_or_drop_it(five: Database) -> None:
    with five.reading() as session:
        found = jobs.facets(session, JobQuery(text="identity level:senior,principal"))
        assert (found.of, found.whole) == (2, True)
        facets = {facet.key: facet for facet in found.facets}
        assert [(each.value, each.count) for each in facets["status"].values] == [("new", 1), ("saved", 1)]
        assert {(each.value, each.words, each.count) for each in facets["source"].values} == {
            ("globex", "Globex", 2),
            ("lever-veeva", "Lever-Veeva", 1),
        }
        assert [(each.value, each.count) for each in facets["score"].values] == [
            ("80..100", 1),
            ("60..79", 1),
        ]
        assert [(each.value, each.count) for each in facets["new"].values] == [
            ("1d", 1),
            ("3d", 1),
            ("1w", 2),
            ("1m", 2),
        ]
        (hybrid,) = (each for each in facets["remote"].values if each.value == "hybrid")
        assert hybrid.query == "identity level:senior,principal remote:hybrid"
        for facet in found.facets:
            for each in facet.values:
                assert jobs.find(session, JobQuery(text=each.query)).total >= each.count
        chosen = jobs.facets(session, JobQuery(text="identity level:senior")).facets
        (senior,) = (each for facet in chosen if facet.key == "level" for each in facet.values)
        assert (senior.chosen, senior.query) == (True, "identity")


def test_of_very_many_only_so_many_are_counted_and_pages_hold_all_the_same(
    five: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST", 2)
    for text in ("identity", "is:open", "identity -sales is:open,closed", '-"nowhere"', "source:ashby"):
        with five.reading() as session:
            whole = jobs.every_id(session, JobQuery(text=text, sort="score"))
            page = jobs.find(session, JobQuery(text=text, sort="score", per_page=1))
            assert (page.total, page.more) == (2, True)
            seen = [job.id for job in page.jobs]
            while page.next:
                page = jobs.find(session, JobQuery(text=text, sort="score", per_page=1, after=page.next))
                seen += [job.id for job in page.jobs]
            assert seen == whole
            facets = jobs.facets(session, JobQuery(text=text))
            assert (facets.of, facets.whole) == (2, False)


def test_of_many_jobs_with_few_that_fit_pages_hold_all_the_same(
    five: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST", 1)
    monkeypatch.setattr(gathering, "_READ", 1)
    monkeypatch.setattr(gathering, "_FIRST", 1)
    monkeypatch.setattr(gathering, "_COMPARED", 1)
    monkeypatch.setattr(gathering, "_TRIED", 2)
    monkeypatch.setattr(gathering, "_AT_ONCE", 1)
    monkeypatch.setattr(orders, "_TRIED", 2)
    monkeypatch.setattr(orders, "_AT_ONCE", 1)
    for text in ("identity", "-okta", "identity -okta is:open,closed", "security status:new,closed"):
        with five.reading() as session:
            for sort in get_args(Sort):
                whole = jobs.every_id(session, JobQuery(text=text, sort=sort))
                page = jobs.find(session, JobQuery(text=text, sort=sort, per_page=1))
                seen = [job.id for job in page.jobs]
                while page.next:
                    page = jobs.find(session, JobQuery(text=text, sort=sort, per_page=1, after=page.next))
                    seen += [job.id for job in page.jobs]
                while page.previous:
                    page = jobs.find(
                        session, JobQuery(text=text, sort=sort, per_page=1, before=page.previous)
                    )
                    seen += [job.id for job in page.jobs]
                assert seen == whole + whole[-2::-1], (text, sort)


def test_reading_jobs_finds_what_the_index_finds(five: Database) -> None:
    more = (
        "title:ident", "company:stra,okt", '"you know okt"', "-title:identity -place:berlin", "ide engin",
        '"is what" -country:germany', "enginee,nurs zurich,berlin", "-zugriffsr", "engineer -zugriffsr",
    )  # fmt: skip
    postgres = five.engine.dialect.name == "postgresql"
    with five.reading() as session:
        every = list(session.scalars(select(Job.id)))
        for text in (*more, *(text for text, _ in FOUND)):
            sought = conditions.sought(
                parse(text), postgres=postgres, begun=functools.partial(index.begun, session)
            )
            bare = replace(sought, others=())
            if bare.words or bare.without:
                wanted = session.scalars(select(Job.id).where(*bare.where()))
                assert bare.among(session, every) == set(wanted), text


def test_words_that_begin_so_are_told_unless_they_are_very_many(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session() as session:
        kept.job(session, "Secure Security Secu secs Zebra", description_text="securing; Sécurité")
    monkeypatch.setattr(index, "MOST_BEGUN", 5)
    with database.reading() as session:
        assert index.begun(session, "secu") == ["secu", "secure", "securing", "securite", "security"]
        assert index.begun(session, "secur") == ["secure", "securing", "securite", "security"]
        assert index.begun(session, "zebra") == ["zebra"]
        assert index.begun(session, "zzz") == []
        monkeypatch.setattr(index, "MOST_BEGUN", 4)
        assert index.begun(session, "secu") is None
        assert jobs.find(session, JobQuery(text="secu zebr -zzzz")).total == 1


def test_a_job_whose_text_follows_is_indexed_once(database: Database) -> None:
    indexed: list[str] = []

    def placed(locations: str, _places: str) -> str:
        indexed.append(locations)
        return ""

    with database.session() as session:
        own = cast("sqlite3.Connection", session.connection().connection.dbapi_connection)
        own.create_function("scout_placed", 2, placed)
        with index.texts_follow():
            for text in ("okta", ""):
                kept.job(session, "Engineer", description_text=text)
        assert len(indexed) == 2
        index.add_functions(own)
        kept.job(session, "Engineer", description_text="okta")
    with database.reading() as session:
        assert jobs.find(session, JobQuery(text="engineer")).total == 3
        assert jobs.find(session, JobQuery(text="okta")).total == 2


def test_counts_of_statuses_follow_every_change(any_database: Database) -> None:
    with any_database.session() as session:
        job = kept.job(session)
        assert jobs.counts_by_status(session)[Status.NEW] == 1
    for _ in range(2):
        with any_database.reading() as session:
            assert jobs.counts_by_status(session)[Status.NEW] == 1
    with any_database.session() as session:
        jobs.change_status(session, job.id, Status.SAVED, "owner")
        assert jobs.counts_by_status(session)[Status.SAVED] == 1
    with any_database.reading() as session:
        assert (jobs.counts_by_status(session)[Status.NEW], jobs.counts_by_status(session)[Status.SAVED]) == (
            0,
            1,
        )


def test_counting_again_without_a_change_reads_no_job(any_database: Database) -> None:
    with any_database.reading() as session:
        jobs.counts_by_status(session)
    statements = Statements(any_database.engine)
    with any_database.reading() as session:
        jobs.counts_by_status(session)
    assert not [each for each, _ in statements.seen if "jobs" in each]


HOT = ("remote:yes level:senior", "language:de type:contract", "okta", "okta remote:yes", "score:>60")


def test_no_search_goes_through_the_rows_of_all_jobs(any_database: Database) -> None:
    database = any_database
    postgres = database.engine.dialect.name == "postgresql"
    explain = "EXPLAIN" if postgres else "EXPLAIN QUERY PLAN"
    with database.session() as session:
        for number in range(60):
            kept.job(session, score=number, description_text="okta" if number % 2 else "")
    for text in HOT:
        statements = Statements(database.engine)
        with database.reading() as session:
            query = JobQuery(text=text, statuses=(Status.NEW,), sort="score")
            jobs.find(session, query)
            jobs.facets(session, query)
            seen = list(statements.seen)
            if postgres:
                # So it goes through a whole table only where no index would do.
                session.execute(sql("SET LOCAL enable_seqscan = off"))
            plans = [
                str(row[-1])
                for statement, parameters in seen
                if "jobs" in statement or "job_words" in statement
                for row in session.connection().exec_driver_sql(f"{explain} {statement}", parameters)
            ]
        assert plans
        assert [plan for plan in plans if "Seq Scan on job" in plan] == []
        # Through an index that has all that is compared, by ids, or not at all.
        assert [plan for plan in plans if plan.startswith("SCAN jobs") and "COVERING INDEX" not in plan] == []


def test_hits_are_marked_and_all_else_is_escaped() -> None:
    read = parse('zurich "identity engineer" secur title:<b')
    assert marked("<b>ZÜRICH</b> & Identity  Engineer", read) == (
        "&lt;b&gt;<mark>ZÜRICH</mark>&lt;/b&gt; &amp; <mark>Identity  Engineer</mark>"
    )
    assert marked("Security insecure", read) == "<mark>Security</mark> insecure"
    assert marked("b", read, Key.TITLE) == "<mark>b</mark>"
    assert marked("<script>", parse("")) == "&lt;script&gt;"


def test_a_piece_of_a_text_begins_before_the_first_hit() -> None:
    text = "word " * 100 + "<Okta> is here " + "tail " * 100
    piece = snippet(text, parse("okta"))
    assert piece is not None
    assert "&lt;<mark>Okta</mark>&gt; is here" in piece
    assert piece.startswith("… word")
    assert piece.endswith("tail …")
    assert len(piece) < 300
    assert snippet("nothing", parse("okta")) is None
    assert snippet("okta", parse("title:okta -okta")) is None
    assert snippet("straße", parse("strasse")) == "<mark>straße</mark>"


def test_hits_of_a_page_tell_of_each_job(five: Database) -> None:
    with five.reading() as session:
        query = JobQuery(text="okta title:identity")
        found = jobs.hits(session, query, jobs.find(session, query).jobs)
        assert found[1].title == "Senior <mark>Identity</mark> Engineer"
        assert found[1].piece == "You know <mark>Okta</mark>. Access management is what we do."
        assert found[2].piece is None
        assert jobs.hits(session, JobQuery(text="remote:yes"), [session.get_one(Job, 1)]) == {}


@given(st.text() | st.binary().map(lambda raw: raw.hex()))
def test_a_made_up_cursor_is_none_or_whole(text: str) -> None:
    found = cursors.read(text, "score")
    assert found is None or cursors.read(str(found), "score") == found


def test_a_cursor_is_read_again_in_its_own_order_alone() -> None:
    for key in (5, None, NOW):
        cursor = Cursor("score", 0, key, 7)
        assert cursors.read(str(cursor), "score") == cursor
        assert cursors.read(str(cursor), "newest") is None


@given(
    text=st.text(alphabet="ab _-", max_size=14),
    row=st.lists(st.sampled_from(["a", "b", "ab", "aa"]), min_size=1, max_size=2),
    begins=st.booleans(),
)
def test_a_text_is_read_word_by_word(*, text: str, row: list[str], begins: bool) -> None:
    there = words_of(text)
    runs = [there[at : at + len(row)] for at in range(len(there) - len(row) + 1)]
    wanted = any(
        run[:-1] == row[:-1] and (run[-1].startswith(row[-1]) if begins else run[-1] == row[-1])
        for run in runs
    )
    fits = reading.term(Key.TITLE, [(row, begins)], negated=False)
    assert fits((text, "", "", "")) is wanted
    assert reading.term(Key.WORDS, [(row, begins)], negated=True)(("", "", "", text)) is not wanted

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from sqlalchemy import Engine, event, inspect, select, text, update

from metrics import catalogue
from metrics.testing import Captured
from scout import briefs, clock, jobs
from scout.database import Database, migrate
from scout.jobs import Conflict, IllegalChange, JobNotFound, JobQuery
from scout.models import Job, Listing, Status
from scout.postings import Remote
from scout.settings import Settings
from tests import kept

OWNERS = tuple(status for status in Status if status is not Status.CLOSED)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The status changes that were counted."""
    found: list[tuple[str, str]] = []

    def inc(*, from_status: str, to_status: str) -> None:
        found.append((str(from_status), str(to_status)))

    monkeypatch.setattr(jobs, "catalogue", SimpleNamespace(STATUS_UPDATES=SimpleNamespace(inc=inc)))
    return found


class Statements:
    """The statements that an engine runs, with their parameters."""

    def __init__(self, engine: Engine) -> None:
        self.seen: list[tuple[str, Any]] = []
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            self.seen.append((statement, parameters))


@pytest.fixture
def forty(any_database: Database) -> Database:
    """Forty jobs on two boards, one a day."""
    with any_database.session() as session:
        acme, globex = kept.source(session), kept.source(session, "globex")
        for n in range(40):
            job = kept.job(
                session,
                f"Job {n}",
                at=acme if n % 2 else globex,
                company="Müller & Söhne" if n % 10 == 0 else "Acme",
                locations=["Zürich"] if n % 4 == 0 else ["Paris", "London"],
                description_text="We use SailPoint 100% of the time." if n % 5 == 0 else "We_bake bread.",
                score=n,
                posted_at=None if n < 10 else kept.DAY + dt.timedelta(days=100 - n),
                first_seen_at=kept.DAY + dt.timedelta(days=n),
                status=Status.SAVED if n % 8 == 0 else Status.NEW,
            )
            if n == 0:
                kept.listed(session, job, acme, source_job_id="also")
    return any_database


def titles(database: Database, **query: Any) -> list[str]:
    with database.reading() as session:
        return [job.title for job in jobs.find(session, JobQuery(**query)).jobs]


def test_jobs_are_found_newest_first(forty: Database) -> None:
    assert titles(forty, per_page=3) == ["Job 39", "Job 38", "Job 37"]


def test_jobs_are_sorted_by_score_or_by_the_boards_date(forty: Database) -> None:
    assert titles(forty, sort="score", per_page=2) == ["Job 39", "Job 38"]
    assert titles(forty, sort="posted", per_page=2) == ["Job 10", "Job 11"]
    # Those without a date come last, and the newest of them first.
    assert titles(forty, sort="posted", per_page=40)[-10:] == [f"Job {n}" for n in range(9, -1, -1)]


def test_every_word_must_occur_in_whatever_field(forty: Database) -> None:
    assert titles(forty, text="müller sailpoint zürich") == ["Job 20", "Job 0"]
    assert titles(forty, text="MÜLLER Job sailp 30 paris") == ["Job 30"]
    # What begins with one or two letters would be half of all words: those are looked for as they are.
    assert titles(forty, text="müller 3") == []
    assert titles(forty, text="müller nowhere") == []


def test_signs_of_the_database_are_plain_letters_in_a_search(forty: Database) -> None:
    assert len(titles(forty, text="100%")) == 8
    assert len(titles(forty, text="we_bake")) == 32
    assert len(titles(forty, text="%")) == 40
    assert titles(forty, text="'; DROP TABLE jobs; --") == []
    assert len(titles(forty, text="\\ \x00 \ud800")) == 40
    assert titles(forty, text="NEAR(job 1) OR * ^ AND {title}: 'x'") == []
    assert titles(forty, source="\x00") == []


def test_jobs_in_brief_are_the_same_jobs(forty: Database) -> None:
    with forty.reading() as session:
        query = JobQuery(sort="score", per_page=10)
        whole, short = jobs.find(session, query), jobs.find_briefly(session, query)
        assert short.jobs == [briefs.of(job) for job in whole.jobs]
        assert (short.total, short.next, short.previous) == (whole.total, whole.next, whole.previous)
        assert {job.times_listed for job in short.jobs} == {len(job.listings) for job in whole.jobs}


def test_jobs_are_filtered_by_status_source_and_score(forty: Database) -> None:
    assert titles(forty, statuses=(Status.SAVED,), min_score=20) == ["Job 32", "Job 24"]
    assert len(titles(forty, statuses=(Status.SAVED, Status.NEW))) == 40
    assert titles(forty, statuses=(Status.OFFER,)) == []
    assert len(titles(forty, source="globex")) == 20
    assert titles(forty, source="acme")[-2:] == ["Job 1", "Job 0"]
    assert titles(forty, source="nobody") == []


def test_pages_tell_how_many_there_are_and_where_the_next_begins(forty: Database) -> None:
    with forty.reading() as session:
        first = jobs.find(session, JobQuery(per_page=25))
        assert (len(first.jobs), first.total, first.more, first.previous) == (25, 40, False, "")
        last = jobs.find(session, JobQuery(per_page=25, after=first.next))
        assert (len(last.jobs), last.total, last.next) == (15, 40, "")
        again = jobs.find(session, JobQuery(per_page=25, before=last.previous))
        assert ([job.id for job in again.jobs], again.previous) == ([job.id for job in first.jobs], "")
        assert again.next == first.next
        none = jobs.find(session, JobQuery(text="nowhere"))
        assert none == jobs.JobPage(jobs=[], total=0)


def test_a_page_behind_what_is_gone_is_the_first(forty: Database) -> None:
    with forty.reading() as session:
        last = jobs.find(session, JobQuery(per_page=39))
    with forty.session() as session:
        session.delete(session.get(Job, 1))
    assert titles(forty, per_page=2, after=last.next) == ["Job 39", "Job 38"]


@pytest.mark.parametrize("sort", get_args(jobs.Sort))
@pytest.mark.parametrize("text", ["", "job", "-nowhere status:new,saved"])
def test_all_pages_together_hold_each_job_once_there_and_back(forty: Database, sort: Any, text: str) -> None:
    with forty.reading() as session:
        query = JobQuery(text=text, sort=sort, per_page=7)
        page = jobs.find(session, query)
        there = [job.id for job in page.jobs]
        while page.next:
            page = jobs.find(session, replace(query, after=page.next))
            there += [job.id for job in page.jobs]
        assert sorted(there) == list(range(1, 41))
        assert there == jobs.every_id(session, query)
        back = [job.id for job in page.jobs]
        while page.previous:
            page = jobs.find(session, replace(query, before=page.previous))
            back = [job.id for job in page.jobs] + back
        assert back == there


def test_a_page_takes_five_statements_and_no_description(forty: Database) -> None:
    statements = Statements(forty.engine)
    with forty.reading() as session:
        page = jobs.find(session, JobQuery(text="job", per_page=30))
        as_json = [jobs.as_dict(job) for job in page.jobs]
        assert len(as_json) == 30
        assert all("description" in inspect(job).unloaded for job in page.jobs)
    # What the index of words holds, how many fit, their ids; the jobs, and their listings.
    assert len(statements.seen) <= 5


def test_one_job_comes_with_all_that_belongs_to_it(any_database: Database) -> None:
    with any_database.session() as session:
        number = kept.job(
            session, at=kept.source(session), description_html="<p>x</p>", description_text="x"
        ).id
        jobs.change_status(session, number, Status.SAVED, by="owner")
        jobs.add_note(session, number, "  Ask Ruth.  ")
    with any_database.reading() as session:
        job = jobs.get(session, number)
    found = jobs.in_full(job)
    assert found["description_html"] == "<p>x</p>"
    assert [note["body"] for note in found["notes"]] == ["Ask Ruth."]
    assert [(step["what"], step.get("from"), step.get("to"), step["by"]) for step in found["history"]] == [
        ("found", None, None, "scan"),
        ("status", "new", "saved", "owner"),
    ]
    assert found["listings"][0]["source"] == "acme"


@pytest.mark.parametrize("number", [0, -1, 1, 2**31, 2**63, 2**70])
def test_a_job_that_is_not_there_is_named(any_database: Database, number: int) -> None:
    with any_database.session() as session:
        for call in (
            lambda: jobs.get(session, number),
            lambda: jobs.change_status(session, number, Status.SAVED, by="owner"),
            lambda: jobs.add_note(session, number, "x"),
        ):
            with pytest.raises(JobNotFound, match=f"no job {number}"):
                call()


def test_an_empty_note_is_refused(database: Database) -> None:
    with pytest.raises(jobs.EmptyNote), database.session() as session:
        jobs.add_note(session, kept.job(session).id, " \n ")


def test_every_step_of_the_table_is_taken_and_every_other_refused(database: Database) -> None:
    with database.session() as session:
        for current, to in itertools.product(Status, Status):
            job = kept.job(session, status=current)
            if to is current or to in jobs.next_statuses(current):
                assert jobs.change_status(session, job.id, to, by="owner").status is to
            else:
                with pytest.raises(IllegalChange) as refused:
                    jobs.change_status(session, job.id, to, by="owner")
                for allowed in jobs.next_statuses(current):
                    assert allowed in str(refused.value)
                assert job.status is current


def test_whatever_the_owner_sets_can_be_undone() -> None:
    for status in OWNERS:
        assert status is Status.NEW or Status.NEW in jobs.next_statuses(status)


def test_every_status_can_be_reached_from_new() -> None:
    reached = {Status.NEW}
    while more := {to for status in reached for to in jobs.next_statuses(status)} - reached:
        reached |= more
    assert reached == set(OWNERS)


def test_a_change_is_written_down_and_counted_once_committed(
    any_database: Database, counted: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: kept.DAY)
    with any_database.session() as session:
        number = kept.job(session).id
    with any_database.session() as session:
        job = jobs.change_status(session, number, Status.APPLIED, by="owner", version=1)
        assert (job.status, job.version) == (Status.APPLIED, 2)
        assert counted == []
    assert counted == [("new", "applied")]
    with any_database.reading() as session:
        (step,) = jobs.get(session, number).history
        assert (step.from_status, step.to_status, step.by, step.at) == (
            Status.NEW,
            Status.APPLIED,
            "owner",
            kept.DAY,
        )


def test_a_change_that_is_rolled_back_counts_for_nothing(
    database: Database, counted: list[tuple[str, str]]
) -> None:
    with database.session() as session:
        number = kept.job(session).id

    def fail() -> None:
        with database.session() as session:
            jobs.change_status(session, number, Status.SAVED, by="owner")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert counted == []
    with database.reading() as session:
        assert jobs.get(session, number).status is Status.NEW


def test_two_tabs_never_lose_a_change_silently(any_database: Database) -> None:
    with any_database.session() as session:
        number = kept.job(session).id
    with any_database.session() as session:
        jobs.change_status(session, number, Status.DISMISSED, by="owner", version=1)
    with pytest.raises(Conflict, match="is dismissed now"), any_database.session() as session:
        jobs.change_status(session, number, Status.SAVED, by="owner", version=1)


def test_a_double_click_changes_once(database: Database, counted: list[tuple[str, str]]) -> None:
    with database.session() as session:
        number = kept.job(session).id
    for _ in range(2):
        with database.session() as session:
            jobs.change_status(session, number, Status.SAVED, by="owner", version=1)
    assert counted == [("new", "saved")]


def test_a_scan_that_touches_a_job_is_no_conflict(database: Database) -> None:
    with database.session() as session:
        number = kept.job(session).id
    with database.session() as session:
        session.get_one(Job, number).changed_at = kept.DAY
    with database.session() as session:
        jobs.change_status(session, number, Status.SAVED, by="owner", version=1)


def test_scans_close_and_reopen_only_what_the_owner_left_alone(database: Database) -> None:
    with database.session() as session:
        for status in OWNERS:
            job = kept.job(session, status=status)
            jobs.close(session, job, kept.DAY)
            closed_at = job.closed_at
            assert closed_at == kept.DAY
            assert job.status is (Status.CLOSED if status is Status.NEW else status)
            jobs.reopen(session, job)
            assert job.closed_at is None
            assert job.status is status


def test_a_scan_may_not_decide_for_the_owner(database: Database) -> None:
    with database.session() as session:
        for status in OWNERS:
            job = kept.job(session, status=status)
            for to in OWNERS:
                if to is not status:
                    with pytest.raises(IllegalChange):
                        jobs.change_status(session, job.id, to, by="scan")


def test_undoing_the_decision_about_an_unlisted_job_closes_it(
    database: Database, counted: list[tuple[str, str]]
) -> None:
    with database.session() as session:
        job = kept.job(session, status=Status.SAVED)
        jobs.close(session, job)
        assert jobs.change_status(session, job.id, Status.NEW, by="owner").status is Status.CLOSED
    assert counted == [("saved", "closed")]


def test_decisions_are_taken_back_one_after_the_other(any_database: Database) -> None:
    with any_database.session() as session:
        number = kept.job(session).id
        for to in (Status.SAVED, Status.APPLIED, Status.REJECTED):
            jobs.change_status(session, number, to, by="owner")
    for to in (Status.APPLIED, Status.SAVED, Status.NEW):
        with any_database.session() as session:
            before = jobs.get(session, number)
            assert jobs.undo_to(before) is to
            assert jobs.undo(session, number, "command", before.version).status is to
    with any_database.session() as session:
        assert jobs.undo_to(jobs.get(session, number)) is None
        with pytest.raises(jobs.NothingToUndo, match="no decision of yours"):
            jobs.undo(session, number, "owner")
        with pytest.raises(JobNotFound):
            jobs.undo(session, number + 1, "owner")


def test_a_decision_after_an_undo_is_the_next_to_be_taken_back(database: Database) -> None:
    with database.session() as session:
        job = kept.job(session)
        for to in (Status.SAVED, Status.APPLIED):
            jobs.change_status(session, job.id, to, by="owner")
        jobs.undo(session, job.id, "owner")
        jobs.change_status(session, job.id, Status.DISMISSED, by="owner")
        assert jobs.undo(session, job.id, "owner").status is Status.SAVED
        assert jobs.undo(session, job.id, "owner").status is Status.NEW


def test_an_undo_leaves_what_scans_did_meanwhile(database: Database) -> None:
    with database.session() as session:
        job = kept.job(session)
        jobs.change_status(session, job.id, Status.SAVED, by="owner")
        jobs.close(session, job)
        assert jobs.undo(session, job.id, "owner").status is Status.CLOSED
        jobs.change_status(session, job.id, Status.SAVED, by="owner")
        jobs.reopen(session, job)
        assert jobs.undo(session, job.id, "owner").status is Status.NEW


def test_an_undo_of_a_page_that_is_out_of_date_is_refused(database: Database) -> None:
    with database.session() as session:
        number = kept.job(session).id
        jobs.change_status(session, number, Status.SAVED, by="owner")
        with pytest.raises(Conflict):
            jobs.undo(session, number, "owner", version=1)


def test_an_undo_is_counted(database: Database, emitted: Captured) -> None:
    with database.session() as session:
        number = kept.job(session).id
        jobs.change_status(session, number, Status.SAVED, by="owner")
        jobs.undo(session, number, "owner")
    emitted.assert_incremented(catalogue.STATUS_UNDOS)
    emitted.assert_incremented(catalogue.STATUS_UPDATES, from_status="saved", to_status="new")


def test_many_jobs_are_changed_by_a_query_whatever_its_page(
    any_database: Database, emitted: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_AT_ONCE", 7)
    with any_database.session() as session:
        for n in range(30):
            kept.job(session, f"Intern {n}", status=Status.NEW if n % 2 else Status.OFFER)
        unlisted = kept.job(session, "Intern, gone", status=Status.SAVED)
        jobs.close(session, unlisted)
        other = kept.job(session, "Engineer").id
    query = JobQuery(text="intern", per_page=1, sort="posted")
    with any_database.reading() as session:
        plan = jobs.change_many(session, query, Status.SAVED, "owner", dry_run=True)
        assert (plan.changed, plan.unchanged, plan.illegal) == (15, 1, {Status.OFFER: 15})
        assert jobs.counts_by_status(session)[Status.SAVED] == 1
    emitted.assert_no_metrics(catalogue.BULK_UPDATES)
    with any_database.session() as session:
        done = jobs.change_many(session, query, Status.SAVED, "owner")
        assert (done.changed, done.unchanged, done.refused, len(done.named)) == (15, 1, 15, 15)
        assert set(done.named.values()) == {"is offer and cannot become saved"}
        emitted.assert_no_metrics(catalogue.BULK_UPDATES)
    with any_database.session() as session:
        assert jobs.change_many(session, query, Status.NEW, "owner").changed == 31
        counts = jobs.counts_by_status(session)
        assert (counts[Status.NEW], counts[Status.CLOSED]) == (31, 1)
        assert jobs.get(session, other).history == []
        job = jobs.get(session, unlisted.id)
        assert [(step.from_status, step.to_status) for step in job.history] == [(Status.SAVED, Status.CLOSED)]
        assert job.version == 2
    emitted.assert_incremented(catalogue.BULK_UPDATES, 2)
    emitted.assert_incremented(catalogue.BULK_UPDATED_JOBS, 46, outcome="changed")
    emitted.assert_incremented(catalogue.BULK_UPDATED_JOBS, outcome="unchanged")
    emitted.assert_incremented(catalogue.STATUS_UPDATES, 15, from_status="new", to_status="saved")
    emitted.assert_incremented(catalogue.STATUS_UPDATES, 1, from_status="saved", to_status="closed")


def test_many_jobs_are_changed_by_their_ids_and_each_can_be_taken_back(any_database: Database) -> None:
    with any_database.session() as session:
        numbers = [kept.job(session).id for _ in range(3)]
        jobs.change_status(session, numbers[2], Status.APPLIED, by="owner")
    with any_database.session() as session:
        done = jobs.change_many(
            session,
            [*numbers, numbers[0], 999, 2**40, -1],
            Status.DISMISSED,
            "owner",
            versions={numbers[2]: 1},
        )
        assert (done.changed, done.conflicts, done.missing, done.refused) == (2, 1, 3, 4)
        assert done.named[numbers[2]] == "was changed meanwhile and is applied now"
        assert {done.named[each] for each in (999, 2**40, -1)} == {"is not there"}
    with any_database.session() as session:
        assert jobs.undo(session, numbers[0], "owner").status is Status.NEW


def test_a_bulk_change_names_a_bounded_number_of_refused_jobs(database: Database) -> None:
    with database.session() as session:
        done = jobs.change_many(session, range(1, 2001), Status.SAVED, "owner")
    assert (done.missing, len(done.named)) == (2000, 100)


def test_a_bulk_change_that_is_rolled_back_changes_and_counts_nothing(
    database: Database, emitted: Captured
) -> None:
    with database.session() as session:
        number = kept.job(session).id

    def fail() -> None:
        with database.session() as session:
            jobs.change_many(session, [number], Status.SAVED, "owner")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    emitted.assert_no_metrics(catalogue.BULK_UPDATES, catalogue.STATUS_UPDATES)
    with database.reading() as session:
        assert jobs.get(session, number).status is Status.NEW


def test_counts_name_every_status(any_database: Database) -> None:
    with any_database.session() as session:
        kept.job(session)
        kept.job(session, status=Status.OFFER)
        counts = jobs.counts_by_status(session)
    assert counts == dict.fromkeys(Status, 0) | {Status.NEW: 1, Status.OFFER: 1}


def test_a_job_as_json_has_the_fields_that_programs_rely_on(database: Database) -> None:
    with database.session() as session:
        number = kept.job(
            session,
            at=kept.source(session),
            locations=["Bern"],
            places=[{"raw": "Bern", "city": "Bern", "region": "", "country": "CH"}],
            remote=Remote.HYBRID,
            level="senior",
            language="en",
            salary={"minimum": 1.0, "raw": "1"},
            posted_at=kept.DAY,
            first_seen_at=kept.DAY,
        ).id
        session.execute(update(Listing).values(last_seen_at=kept.DAY))
    with database.reading() as session:
        assert jobs.as_dict(jobs.get(session, number)) == {
            "id": number,
            "title": "IAM Engineer",
            "company": "Acme",
            "locations": ["Bern"],
            "places": [{"raw": "Bern", "city": "Bern", "region": "", "country": "CH"}],
            "remote": "hybrid",
            "remote_regions": [],
            "level": "senior",
            "language": "en",
            "salary": {"minimum": 1.0, "raw": "1"},
            "employment_type": "",
            "department": "",
            "url": "https://example.com/1",
            "status": "new",
            "version": 1,
            "score": 0,
            "reasons": [],
            "posted_at": "2026-03-01T12:00:00Z",
            "first_seen_at": "2026-03-01T12:00:00Z",
            "last_seen_at": "2026-03-01T12:00:00Z",
            "closed_at": None,
            "looked_at": None,
            "edit_unseen": False,
            "next_action": "",
            "next_action_on": None,
            "earlier": None,
            "listings": [
                {
                    "id": number,
                    "source": "acme",
                    "source_job_id": f"j{number}",
                    "url": "https://example.com/1",
                    "closed_at": None,
                }
            ],
        }


def test_a_decision_waits_for_one_that_is_being_made(postgres_settings: Settings) -> None:
    migrate(postgres_settings)
    any_database = Database.open(postgres_settings)
    with any_database.session() as session:
        number = kept.job(session).id
    with any_database.session() as first:
        jobs.change_status(first, number, Status.SAVED, by="owner")
        with any_database.engine.connect() as second:
            second.execute(text("SET lock_timeout = '50ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                second.execute(select(Job.id).where(Job.id == number).with_for_update())
            second.rollback()
    any_database.dispose()

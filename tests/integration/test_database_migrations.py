from __future__ import annotations

import datetime as dt
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Text, column, create_engine, func, inspect, select, text
from sqlalchemy import table as named_table
from sqlalchemy.exc import IntegrityError

from scout import database as databases
from scout.database import Database, DatabaseUnusable, differences, is_current, is_empty, migrate
from scout.models import (
    Account,
    ApiToken,
    Appointment,
    Asking,
    AuditEvent,
    Base,
    EventKind,
    FoundJob,
    Job,
    JobEvent,
    Mark,
    Merge,
    Message,
    Note,
    RecoveryCode,
    Replay,
    RunTrigger,
    SavedSearch,
    ScanResult,
    ScanRun,
    ScanState,
    Scoring,
    ScoringPart,
    Separation,
    Session,
    Setup,
    Status,
    StatusChange,
)
from scout.postings import Remote
from scout.settings import Settings
from tests import kept

EVERYTHING = [table.name for table in Base.metadata.sorted_tables]


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """New databases are empty here."""
    return "template1"


def fill(settings: Settings) -> None:
    database = Database.open(settings)
    with database.session() as session:
        source = kept.source(session)
        job = kept.job(
            session,
            at=source,
            locations=["Zürich"],
            remote=Remote.HYBRID,
            salary={"minimum": 1.5},
            description_html="<p>Keep the keys.</p>",
            description_text="Keep the keys.",
        )
        session.add(StatusChange(job=job, from_status=Status.NEW, to_status=Status.SAVED, by="owner"))
        session.add(Note(job=job, body="Ask Ruth."))
        session.add(Appointment(job=job, uid="u", what="Interview", starts_at=kept.DAY))
        session.add(JobEvent(job=job, what=EventKind.EDITED, changes=[{"field": "title"}]))
        other = kept.listed(session, job, kept.source(session, "globex"))
        session.add(Merge(job_id=job.id, listing_id=other.id, tier="role", by="scan"))
        session.add(Separation(listing_id=job.listings[0].id, other_id=other.id, by="owner"))
        session.add(Mark(job_id=job.id, mark=-(2**63)))
        run = ScanRun(trigger=RunTrigger.FIRST)
        session.add_all([run, ScanResult(run=run, source=source, state=ScanState.FAILED)])
        session.add(Asking(kind="remotive", number=0, asked_at=kept.DAY))
        search = SavedSearch(slug="iam", name="IAM", uid="u")
        session.add(search)
        session.flush()
        session.add(FoundJob(search_id=search.id, job_id=job.id, batch="b"))
        session.add(Message(search=search, batch="b", channel="mail"))
        session.add(Message(batch="day 2026-03-01", channel="mail"))
        session.add(Replay(caller="me", key="k", fingerprint="x"))
        scoring = Scoring(fingerprint="x", profile="iam")
        session.add_all([scoring, ScoringPart(scoring=scoring, number=0, at_id=0, last_id=1)])
        session.add_all([Account(password_hash="x"), Setup(welcomed_at=kept.DAY)])
        session.add(Session(token_hash="x", expires_at=kept.DAY))
        session.add(RecoveryCode(code_hash="x"))
        session.add(ApiToken(name="backup", prefix="x", secret_hash="x", scopes=["jobs:read"]))
        session.add(AuditEvent(action="jobs.set_status", words="Moved a job", by="command"))
    database.dispose()


def rows(settings: Settings) -> dict[str, int]:
    database = Database.open(settings)
    with database.reading() as session:
        found = {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }
    database.dispose()
    return found


def test_the_models_are_what_the_migrations_make(any_settings: Settings) -> None:
    migrate(any_settings)
    assert differences(any_settings) == []


def schema(engine: Any) -> dict[str, Any]:
    inspector = inspect(engine)
    found = {}
    for table in EVERYTHING:
        found[table] = {
            "columns": {c["name"]: (str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)},
            "checks": {(c["name"], c["sqltext"]) for c in inspector.get_check_constraints(table)},
            "uniques": {
                (u["name"], tuple(u["column_names"])) for u in inspector.get_unique_constraints(table)
            },
            "indexes": {
                (i["name"], tuple(i["column_names"]), bool(i["unique"])) for i in inspector.get_indexes(table)
            },
            "keys": {
                (
                    f["name"],
                    tuple(f["constrained_columns"]),
                    f["referred_table"],
                    f["options"].get("ondelete"),
                )
                for f in inspector.get_foreign_keys(table)
            },
        }
    return found


def test_the_two_schemas_agree_in_checks_indexes_and_keys_too(
    any_settings: Settings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    migrate(any_settings)
    migrated = Database.open(any_settings)
    by_migrations = schema(migrated.engine)
    with migrated.engine.begin() as connection:
        if migrated.engine.dialect.name == "sqlite":
            made = create_engine(f"sqlite:///{tmp_path / 'models.sqlite3'}")
        else:
            connection.execute(text("DROP TABLE alembic_version, job_words, stale_words"))
            Base.metadata.drop_all(connection)
            made = migrated.engine
    Base.metadata.create_all(made)
    assert schema(made) == by_migrations
    if made.dialect.name == "sqlite":
        sql = text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' ORDER BY name")
        with made.connect() as one, migrated.engine.connect() as other:
            assert (
                one.scalars(sql).all()
                == other.scalars(sql).all()
                == [
                    "api_tokens",
                    "appointments",
                    "audit_events",
                    "jobs",
                    "messages",
                    "scan_results",
                    "scan_runs",
                    "scorings",
                    "searches",
                    "sources",
                ]
            )
    made.dispose()
    migrated.dispose()


def test_up_down_and_up_again_works_with_data_in_it(any_settings: Settings) -> None:
    migrate(any_settings)
    fill(any_settings)
    assert all(rows(any_settings).values())
    with databases.migrating(any_settings) as connection:
        command.downgrade(databases.migration_config(connection), "base")
    database = Database.open(any_settings)
    assert is_empty(database)
    assert inspect(database.engine).get_table_names() == ["alembic_version"]
    database.dispose()
    migrate(any_settings)
    fill(any_settings)
    assert all(rows(any_settings).values())


def test_jobs_from_before_get_what_their_words_say(any_settings: Settings) -> None:
    with databases.migrating(any_settings) as connection:
        command.upgrade(databases.migration_config(connection), "0001")
    row: dict[str, Any] = {
        "title": "Senior IAM Engineer", "company": "Acme", "url": "https://example.com", "search_text": "",
        "locations": ["Remote - Germany", "Wien"], "remote": Remote.REMOTE, "remote_evidence": "",
        "salary": None, "employment_type": "", "department": "", "description_html": "",
        "description_text": "Gehalt: 80.000 € - 95.000 € pro Jahr. Wir suchen dich für unser Team.",
        "posted_at": None, "score": 0, "reasons": [], "status": Status.NEW, "first_seen_at": kept.DAY,
        "last_seen_at": kept.DAY, "changed_at": None, "closed_at": None, "version": 1,
    }  # fmt: skip
    stated = {"minimum": 1.0, "origin": "employer"}
    database = Database.open(any_settings)
    with database.engine.begin() as connection:
        types = {**Job.__table__.c, "last_seen_at": Job.__table__.c["first_seen_at"]}
        insert = named_table(
            "jobs", *(column(name, types[name].type if name in types else Text()) for name in row)
        ).insert()
        connection.execute(insert, [row] * 501 + [row | {"salary": stated, "description_text": ""}])
    database.dispose()
    migrate(any_settings)
    database = Database.open(any_settings)
    with database.reading() as session:
        *jobs, last = session.scalars(select(Job).order_by(Job.id))
        assert len(jobs) == 501
        for job in (jobs[0], jobs[-1]):
            assert [place["country"] for place in job.places] == ["DE", "AT"]
            assert [place["raw"] for place in job.places] == job.locations
            assert (job.level, job.language, job.remote_regions) == ("senior", "de", ["DE"])
            assert job.salary is not None
            assert (job.salary["minimum"], job.salary["origin"]) == (80_000, "parsed")
            assert job.changed_at is None
        assert (last.salary, last.language) == (stated, "")
        assert jobs[-1].description_text.startswith("Gehalt: 80.000 €")
        assert (last.description_text, last.description_html) == ("", "")
    database.dispose()


def test_migrating_again_changes_nothing(any_settings: Settings) -> None:
    migrate(any_settings)
    fill(any_settings)
    before = rows(any_settings)
    migrate(any_settings)
    assert rows(any_settings) == before


def test_a_database_is_current_only_after_its_migration(any_settings: Settings) -> None:
    database = Database.open(any_settings)
    assert not is_current(database)
    assert is_empty(database)
    migrate(any_settings)
    assert is_current(database)
    database.dispose()


def _migrate_in_a_process(settings: Settings, answers: Any) -> None:
    try:
        migrate(settings)
        answers.put("")
    except BaseException as error:  # noqa: BLE001 - the parent shows it
        answers.put(repr(error))


def test_processes_that_migrate_at_once_wait_for_each_other(any_settings: Settings) -> None:
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    processes = [spawn.Process(target=_migrate_in_a_process, args=(any_settings, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [answers.get(timeout=60) for _ in processes] == ["", "", "", ""]
    for process in processes:
        process.join(30)
    assert differences(any_settings) == []


def test_a_migration_that_would_leave_dangling_references_is_undone(sqlite_settings: Settings) -> None:
    migrate(sqlite_settings)
    with databases.migrating(sqlite_settings) as connection:
        connection.exec_driver_sql(
            "INSERT INTO notes (job_id, body, created_at, updated_at)"
            " VALUES (99, 'x', '2026-01-01', '2026-01-01')"
        )
        connection.commit()
    with databases.migrating(sqlite_settings) as connection, pytest.raises(RuntimeError, match="dangling"):
        command.stamp(databases.migration_config(connection), "head")


def test_a_database_url_that_names_no_server_is_one_sentence(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=f"postgresql://scout@/scout?host={tmp_path}")
    with pytest.raises(DatabaseUnusable, match=r"cannot be used: .*scout doctor"):
        migrate(settings)


@pytest.mark.parametrize("url", ["mysql://scout@localhost/scout", "nonsense"])
def test_a_database_url_that_is_not_postgresql_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(DatabaseUnusable, match="DATABASE_URL"):
        Database.open(Settings(data_dir=tmp_path, database_url=url))


def test_the_data_directory_is_for_its_owner_alone(sqlite_settings: Settings) -> None:
    migrate(sqlite_settings)
    assert sqlite_settings.data_dir.stat().st_mode & 0o777 == 0o700


def test_a_data_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatabaseUnusable, match=r"data directory .* cannot be used.*SCOUT_DATA_DIR"):
        migrate(Settings(data_dir=tmp_path / "file" / "data"))


def test_a_status_outside_the_list_is_refused_by_the_database(any_database: Database) -> None:
    statement = text(
        "INSERT INTO status_changes (job_id, from_status, to_status, at, by)"
        " VALUES (1, 'new', 'lost', '2026-01-01 00:00:00', 'owner')"
    )
    with any_database.session() as session:
        kept.job(session)
        with pytest.raises(IntegrityError, match="ck_status_changes_to_status"), session.begin_nested():
            session.execute(statement)


def test_times_come_back_in_utc_whatever_zone_they_were_in(any_database: Database) -> None:
    zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=zone)
    with any_database.session() as session:
        number = kept.job(session, posted_at=moment).id
    with any_database.reading() as session:
        found = session.scalars(select(Job).where(Job.id == number)).one().posted_at
    assert found == moment
    assert found is not None
    assert found.utcoffset() == dt.timedelta(0)


def test_the_id_of_a_removed_job_never_comes_back(any_database: Database) -> None:
    with any_database.session() as session:
        first = kept.job(session)
        number = first.id
        session.delete(first)
    with any_database.session() as session:
        assert kept.job(session).id > number


def test_a_forked_child_makes_its_own_connections(any_database: Database) -> None:
    with any_database.session() as session:
        kept.job(session)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with any_database.session() as session:
                kept.job(session)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with any_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 2

from __future__ import annotations

import sqlite3
import threading

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from scout import database as databases
from scout.database import Database, DatabaseUnusable, after_commit, explained, may_write
from scout.models import Job
from scout.settings import Settings
from tests import kept


def count(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Job)) or 0


def test_a_session_commits_at_its_end(any_database: Database) -> None:
    with any_database.session() as session:
        kept.job(session)
    assert count(any_database) == 1


def test_a_session_that_raises_leaves_nothing(any_database: Database) -> None:
    def write() -> None:
        with any_database.session() as session:
            kept.job(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert count(any_database) == 0


def test_what_was_read_can_be_used_after_its_session(any_database: Database) -> None:
    with any_database.session() as session:
        job = kept.job(session, "Kept")
    assert job.title == "Kept"


def test_a_reading_session_refuses_to_write(any_database: Database) -> None:
    with any_database.reading() as session:
        assert not may_write(session)
        with pytest.raises(RuntimeError, match="only reads"):
            kept.job(session)
    with any_database.reading() as session, pytest.raises(RuntimeError, match="only reads"):
        session.execute(update(Job).values(title="x"))
    assert count(any_database) == 0


def test_sqlite_is_opened_as_the_design_says(database: Database) -> None:
    with database.reading() as session:
        found = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000, "synchronous": 1}


def test_postgresql_answers_each_question_with_one_process(postgres_settings: Settings) -> None:
    database = Database.open(postgres_settings)
    for _ in range(2):
        # The second time on the connection that the first gave back, after its transaction was taken back.
        with database.reading() as session:
            assert session.scalar(text("SHOW max_parallel_workers_per_gather")) == "0"
    database.dispose()


def test_a_writer_on_sqlite_takes_the_lock_before_it_reads(
    database: Database, sqlite_settings: Settings
) -> None:
    other = sqlite3.connect(sqlite_settings.data_dir / "scout.sqlite3", timeout=0, isolation_level=None)
    try:
        with database.session() as session:
            session.scalar(select(func.count()).select_from(Job))
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    finally:
        other.close()


def test_a_reader_on_sqlite_sees_one_state_while_a_writer_commits(database: Database) -> None:
    with database.reading() as reader:
        before = reader.scalar(select(func.count()).select_from(Job))
        with database.session() as writer:
            kept.job(writer)
        assert reader.scalar(select(func.count()).select_from(Job)) == before == 0
    assert count(database) == 1


def test_many_writers_at_once_lose_no_row(any_database: Database) -> None:
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(5):
                with any_database.session() as session:
                    session.scalar(select(func.count()).select_from(Job))
                    kept.job(session)
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert count(any_database) == 30


def test_an_action_after_the_commit_happens_once(database: Database) -> None:
    done: list[str] = []
    with database.session() as session:
        kept.job(session)
        after_commit(session, lambda: done.append("outer"))
        with session.begin_nested():
            kept.job(session)
            after_commit(session, lambda: done.append("inner"))
        assert done == []
    assert done == ["outer", "inner"]


def test_an_action_of_what_was_rolled_back_never_happens(database: Database) -> None:
    done: list[str] = []

    def write() -> None:
        with database.session() as session:
            after_commit(session, lambda: done.append("never"))
            kept.job(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    with database.session() as session:
        after_commit(session, lambda: done.append("outer"))
        with session.begin_nested():
            savepoint = session.begin_nested()
            kept.job(session)
            after_commit(session, lambda: done.append("undone"))
            savepoint.rollback()
            after_commit(session, lambda: done.append("inner"))
    assert done == ["outer", "inner"]
    assert count(database) == 0


def test_a_savepoint_whose_parent_is_rolled_back_counts_for_nothing(database: Database) -> None:
    done: list[str] = []
    with database.session() as session:
        outer = session.begin_nested()
        with session.begin_nested():
            kept.job(session)
            after_commit(session, lambda: done.append("undone"))
        outer.rollback()
    assert done == []


def test_a_failure_of_the_database_is_told_in_one_sentence() -> None:
    with (
        pytest.raises(DatabaseUnusable, match=r"^The database cannot be used: disk I/O error\. "),
        explained(),
    ):
        raise OperationalError("SELECT 1", {}, sqlite3.OperationalError("disk I/O error\nand more"))


def test_a_command_makes_the_tables_of_a_new_database(sqlite_settings: Settings) -> None:
    with databases.for_command(sqlite_settings) as database:
        assert count(database) == 0


def test_a_command_refuses_the_tables_of_another_version(sqlite_settings: Settings) -> None:
    with databases.for_command(sqlite_settings) as database, database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'future'"))
    with pytest.raises(DatabaseUnusable, match="scout migrate"), databases.for_command(sqlite_settings):
        pass

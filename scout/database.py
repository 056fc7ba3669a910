"""The database: how it is opened, how transactions begin and end, and how its tables are migrated."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import sqlite3
import tempfile
import time
import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, Engine, NullPool, Table, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction
from sqlalchemy.pool import Pool

import metrics.database
from scout import traces
from scout.errors import ScoutError
from scout.models import Base
from scout.searching import index
from scout.settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is used: most processes never migrate, and it is as large as the rest together.

#: The execution option that marks connections whose transactions write.
_WRITES = "scout_writes"
_READS_ONLY = "scout_reads_only"
_ACTIONS = "scout_after_commit"
#: The advisory lock that keeps two migrations of one PostgreSQL database apart.
_MIGRATION_LOCK = zlib.crc32(b"iam-job-scout migrations")
#: Seconds that SQLite waits for another writer, and that a caller waits for a pooled connection.
_PATIENCE = 10
#: Pages of four kilobytes in SQLite's log before they are brought into its file.
_LOG_PAGES = 8192
#: Kilobytes of the file that each of SQLite's connections keeps in memory at the most.
_CACHE_KIB = 8192


class DatabaseUnusable(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The database cannot be opened, reached or used. The text says why and what to do."""


class Database:
    """One process's way to the database. Open it after forking, or not at all before."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{_WRITES: True})
        self._reader = engine.execution_options(postgresql_readonly=True)
        _opened.add(self)

    @classmethod
    def open(cls, settings: Settings) -> Database:
        """Make the engine that the settings ask for. Nothing is connected to yet.

        Raises:
            DatabaseUnusable: The data directory cannot be written, or DATABASE_URL names no database we know.
        """
        engine = _engine(settings)
        metrics.database.instrument(engine)
        return cls(engine)

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """A read-write transaction: committed at the end, rolled back when the block raises.

        On SQLite it takes the write lock with its first statement (`BEGIN IMMEDIATE`), so that it never fails
        halfway for a lock that somebody else took in between (sqlite.org, "Transaction", 2.2). Keep it short.
        """
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session
            if session.in_transaction():
                index.catch_up(session)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads: one consistent view, and no lock that a writer would wait for.

        Raises:
            RuntimeError: The block tried to write through the session.
        """
        with Session(self._reader, expire_on_commit=False, info={_READS_ONLY: True}) as session:
            event.listen(session, "before_flush", _refuse_flush)
            event.listen(session, "do_orm_execute", _refuse_writing)
            yield session

    def dispose(self, *, close: bool = True) -> None:
        """Let go of all pooled connections. With `close=False` they stay open: for a child after a fork."""
        if not close:
            _inherited.append(self.engine.pool)
        self.engine.dispose(close=close)


_opened: weakref.WeakSet[Database] = weakref.WeakSet()
# A child keeps its parent's connections and never uses or closes them: closing would speak on the parent's
# sockets, and SQLite forbids even closing a connection that was carried across a fork.
_inherited: list[Pool] = []


def _after_fork() -> None:
    for database in list(_opened):
        database.dispose(close=False)


os.register_at_fork(after_in_child=_after_fork)


def may_write(session: Session) -> bool:
    """Whether the session is one of `Database.session()`, rather than of `Database.reading()`."""
    return not session.info.get(_READS_ONLY, False)


def _refuse_flush(session: Session, _context: Any, _instances: Any) -> None:
    if session.new or session.deleted or any(session.is_modified(each) for each in session.dirty):
        raise RuntimeError("this session only reads: use Database.session() to write")


def _refuse_writing(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise RuntimeError("this session only reads: use Database.session() to write")


# --- After the commit -------------------------------------------------------------------------------------


def after_commit(session: Session, action: Callable[[], object]) -> None:
    """Do `action` when the session's transaction commits; never if it or its savepoint is rolled back."""
    if _ACTIONS not in session.info:
        session.info[_ACTIONS] = []
        event.listen(session, "after_commit", _committed)
        event.listen(session, "after_soft_rollback", _rolled_back)
    session.info[_ACTIONS].append((session.get_nested_transaction(), action))


def _committed(session: Session) -> None:
    # Also told of savepoints: what was done inside one now belongs to what is around it.
    savepoint = session.get_nested_transaction()
    actions = session.info[_ACTIONS]
    if savepoint is not None:
        outer = savepoint.parent if savepoint.parent is not None and savepoint.parent.nested else None
        session.info[_ACTIONS] = [(outer if at is savepoint else at, action) for at, action in actions]
        return
    session.info[_ACTIONS] = []
    for _, action in actions:
        action()


def _rolled_back(session: Session, transaction: SessionTransaction) -> None:
    kept = session.info[_ACTIONS] if transaction.nested else []
    session.info[_ACTIONS] = [(at, action) for at, action in kept if at is not transaction]


# --- The engine -------------------------------------------------------------------------------------------


def _engine(settings: Settings, **options: Any) -> Engine:
    try:
        url = make_url(settings.database)
    except ArgumentError:
        raise DatabaseUnusable(
            "DATABASE_URL is not an address: write postgresql://user:password@host:5432/name."
        ) from None
    options["hide_parameters"] = True  # errors are logged, and what is written may be private
    match url.get_backend_name():
        case "sqlite":
            prepare_folder(settings.data_dir)
            engine = create_engine(url, connect_args={"timeout": _PATIENCE}, **options)
            event.listen(engine, "connect", _on_sqlite_connect)
            event.listen(engine, "begin", _on_sqlite_begin)
        case "postgresql":
            if "poolclass" not in options:
                options |= {
                    "pool_pre_ping": True,
                    "pool_size": 5,
                    "max_overflow": 5,
                    "pool_timeout": _PATIENCE,
                    "pool_recycle": 1800,
                }
            connect = {"connect_timeout": 5, "application_name": "iam-job-scout"}
            engine = create_engine(url, connect_args=connect, **options)
            event.listen(engine, "connect", _on_postgresql_connect)
        case other:
            raise DatabaseUnusable(
                f"DATABASE_URL names {other}, and only PostgreSQL (postgresql://...) is supported. Unset it"
                " for SQLite in the data directory."
            )
    traces.instrument(engine)
    return engine


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling begins late and never for reads; we begin ourselves
    # (SQLAlchemy, "Enabling Non-Legacy SQLite Transactional Modes").
    connection.isolation_level = None
    index.add_functions(connection)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_PATIENCE * 1000}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute(
        "PRAGMA synchronous=NORMAL"
    )  # with WAL a power cut may lose the last commits, never the file
    # A scan stores megabytes: the log is brought over less often than every four, and indexes stay in memory.
    cursor.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
    cursor.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _on_postgresql_connect(connection: Any, _record: Any) -> None:
    # Many ask at once, and each core answers one. For several at one question all of a million jobs are read,
    # where one goes through an index in half of the time.
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    connection.commit()


def _on_sqlite_begin(connection: Connection) -> None:
    if not connection.get_execution_options().get(_WRITES, False):
        connection.exec_driver_sql("BEGIN")
        return
    # SQLite looks for the lock ever more seldom, up to ten times a second, while others hold it for some
    # milliseconds each: with several workers the lock would lie free for a third of the time.
    own = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    until = time.monotonic() + _PATIENCE
    own.execute("PRAGMA busy_timeout=2")
    try:
        while time.monotonic() < until:
            try:
                own.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the last try, which fails as statements do
    finally:
        own.execute(f"PRAGMA busy_timeout={_PATIENCE * 1000}")


#: SQLite takes 32,766 values a statement (sqlite.org/limits.html).
_IDS_PER_STATEMENT = 5000


def in_parts(ids: Sequence[int]) -> list[Sequence[int]]:
    """Ids in parts, each few enough for one statement."""
    return [ids[start : start + _IDS_PER_STATEMENT] for start in range(0, len(ids), _IDS_PER_STATEMENT)]


def reserved_ids(session: Session, model: type[Base], count: int) -> list[int]:
    """Ids for rows that are about to be inserted into a table, which nobody else is given.

    Args:
        session: A transaction that writes.
        model: The table's model, whose key is `id`.
        count: How many.
    """
    if not count:
        return []
    if session.get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(model.__tablename__, "id")
        series = func.generate_series(1, count).table_valued()
        return list(session.scalars(select(func.nextval(sequence)).select_from(series)))
    # SQLite has one writer at a time, and that is us. Where ids are never given again it keeps the last one
    # in a table that may be written (sqlite.org, "SQLite Autoincrement").
    table = cast("Table", model.__table__)
    if not table.dialect_options["sqlite"]["autoincrement"]:
        last = session.scalar(select(func.max(table.c.id))) or 0
        return list(range(last + 1, last + 1 + count))
    named = {"name": model.__tablename__, "count": count}
    kept = session.scalar(_RESERVE, named)
    if kept is None:
        session.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :count)"), named)
        kept = count
    return list(range(kept - count + 1, kept + 1))


_RESERVE = text("UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :name RETURNING seq")


def prepare_folder(folder: Path) -> None:
    """Make the data directory, for its owner alone (mode 0700), and see that it can be written.

    Raises:
        DatabaseUnusable: It cannot be made or written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DatabaseUnusable(
            f"The data directory {folder} cannot be used: {error.strerror or error}. Make it writable, or set"
            " SCOUT_DATA_DIR to another folder."
        ) from error


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn a failure to reach or use the database into one sentence for people.

    Raises:
        DatabaseUnusable: In place of the driver's errors of connection, lock and disk.
    """
    try:
        yield
    except (OperationalError, PoolTimeout) as error:
        cause = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()
        why = cause[0] if cause else type(error).__name__
        raise DatabaseUnusable(
            f"The database cannot be used: {why}. `scout doctor` shows where it is looked for."
        ) from error


def is_there(settings: Settings) -> bool:
    """Whether there is a database to open: of a file that is missing SQLite would make an empty one."""
    return bool(settings.database_url) or (settings.data_dir / "scout.sqlite3").exists()


@contextlib.contextmanager
def for_command(settings: Settings) -> Iterator[Database]:
    """The database for one command: with tables when it is new, and closed at the end.

    Raises:
        DatabaseUnusable: It cannot be used, or its tables are those of another version of the program.
    """
    database = Database.open(settings)
    try:
        with explained():
            if is_empty(database):
                migrate(settings)
            elif not is_current(database):
                raise DatabaseUnusable(
                    "The database was made by another version of the program: run `scout migrate`, or update"
                    " the program if it is the older one."
                )
            yield database
    finally:
        database.dispose()


# --- Migrations -------------------------------------------------------------------------------------------


def migration_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, made here so that no ini file is needed."""
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    # `%` would begin an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@functools.cache
def _newest() -> tuple[str, ...]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    return tuple(ScriptDirectory.from_config(migration_config()).get_heads())


def stored_bytes(session: Session) -> int:
    """Bytes of the database, on SQLite without what only waits in the write-ahead log."""
    if session.get_bind().dialect.name == "postgresql":
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    pages = session.scalar(text("PRAGMA page_count")) or 0
    return int(pages) * int(session.scalar(text("PRAGMA page_size")) or 0)


def version(session: Session) -> str:
    """Which database this is, and its release: `SQLite 3.45.1`, `PostgreSQL 16.4`."""
    if session.get_bind().dialect.name == "postgresql":
        return f"PostgreSQL {str(session.scalar(text('SHOW server_version'))).split()[0]}"
    return f"SQLite {session.scalar(text('SELECT sqlite_version()'))}"


def is_current(database: Database) -> bool:
    """Whether the database's tables are those of this version of the program."""
    return _revisions(database) == set(_newest())


def is_empty(database: Database) -> bool:
    """Whether no migration was ever run on the database."""
    return not _revisions(database)


def _revisions(database: Database) -> set[str]:
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - see above

    with database.engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads())


def revision(connection: Connection) -> str:
    """The migration that the connection's database is at; empty when none was ever run."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - see above

    return ",".join(MigrationContext.configure(connection).get_current_heads())


def migrate(settings: Settings) -> None:
    """Bring the tables up to date. Whoever comes second waits, and then finds nothing to do.

    Raises:
        DatabaseUnusable: The database cannot be reached, is locked by somebody else, or cannot be written.
    """
    from alembic import command  # noqa: PLC0415 - see above

    with migrating(settings) as connection:
        command.upgrade(migration_config(connection), "head")


def differences(settings: Settings) -> list[Any]:
    """What alembic would change to make the database's tables those of the models; empty when they agree."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - see above
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - see above

    engine = _engine(settings, poolclass=NullPool)
    with explained(), engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": _is_of_the_models}
        )
        return list(compare_metadata(context, Base.metadata))


def _is_of_the_models(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or not index.is_of_the_index(name or "")


@contextlib.contextmanager
def migrating(settings: Settings) -> Iterator[Connection]:
    """A connection that alone may change the tables, until the block ends."""
    engine = _engine(settings, poolclass=NullPool)
    with explained(), contextlib.ExitStack() as stack:
        if engine.dialect.name == "sqlite":
            stack.enter_context(_file_lock(settings.data_dir / "migrate.lock"))
        connection = stack.enter_context(engine.execution_options(**{_WRITES: True}).connect())
        if engine.dialect.name == "sqlite":
            # SQLite changes a table by copying and dropping it, and dropping one deletes what refers to it
            # (sqlite.org, "ALTER TABLE", "DROP TABLE"). env.py checks the references before it commits.
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        else:
            # Another process's migration may take a while; a lock that users hold must not stop the site.
            connection.exec_driver_sql("SET lock_timeout = '120s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})")
            connection.exec_driver_sql("SET lock_timeout = '10s'")
            connection.exec_driver_sql("SET statement_timeout = '3600s'")
            connection.commit()
        yield connection


@contextlib.contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    # The kernel frees it when the process ends, however it ends.
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

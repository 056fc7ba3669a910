"""Database calls, timed and counted without a thought: `instrument(engine)` and nothing else."""

from __future__ import annotations

import functools
import re
import weakref
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from metrics import catalogue, process

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine, Pool
    from sqlalchemy.engine import ExceptionContext

#: The `table` of a statement that names none, such as `SELECT 1`.
NO_TABLE = "none"

#: How many statement texts are remembered with what they do. SQLAlchemy's texts carry placeholders, so few
#: suffice.
_MOST_TEXTS = 1_000

_BEGUN = "metrics_begun"
_COMMITTING = "metrics_committing"
_NAME = r'[\s(]*(?:["`\[]?\w+["`\]]?\.)?["`\[]?(\w+)'
_TABLE_AFTER = {
    "select": re.compile(rf"\bFROM\b{_NAME}", re.IGNORECASE),
    "insert": re.compile(rf"\bINTO\b{_NAME}", re.IGNORECASE),
    "update": re.compile(rf"\bUPDATE\b(?:\s+ONLY\b)?{_NAME}", re.IGNORECASE),
    "delete": re.compile(rf"\bFROM\b(?:\s+ONLY\b)?{_NAME}", re.IGNORECASE),
}
_SPACE_AND_COMMENTS = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/|\()*", re.DOTALL)
_WORD = re.compile(r"[A-Za-z]+")

_texts: dict[str, tuple[str, str]] = {}
# Not kept alive: an engine that is let go of leaves the list by itself.
_engines: list[weakref.ref[Engine]] = []
#: Classes of pools, and those like them that time how long callers wait for a connection.
_timed: dict[type[Pool], type[Pool]] = {}


def what(statement: str) -> tuple[str, str]:
    """What a statement does, and to which table first: `("select", "jobs")`.

    Good for the SQL that SQLAlchemy writes, and cheap; not a parser. What is none of the four operations is
    `begin` or `other`, and a statement without a table has the table `none`.
    """
    known = _texts.get(statement)
    if known is None:
        known = _read(statement)
        if len(_texts) >= _MOST_TEXTS:
            _texts.clear()
        _texts[statement] = known
    return known


def _read(statement: str) -> tuple[str, str]:
    rest = _main(statement)
    word = _WORD.match(rest)
    operation = word[0].lower() if word else ""
    pattern = _TABLE_AFTER.get(operation)
    if pattern is None:
        return "begin" if operation == "begin" else "other", NO_TABLE
    found = pattern.search(rest)
    if found is None:
        return operation, NO_TABLE
    if found[1].lower() == "select":  # a subquery stands there: its table is the main one
        return operation, _read(rest[found.start(1) :])[1]
    return operation, found[1].lower()


def _main(statement: str) -> str:
    """The statement from its main verb on, past comments and past common table expressions."""
    rest = statement[_SPACE_AND_COMMENTS.match(statement).end() :]  # type: ignore[union-attr]  # matches always
    if rest[:4].upper() != "WITH":
        return rest
    depth = 0
    for sign in re.finditer(r"[()]|\b(?:SELECT|INSERT|UPDATE|DELETE)\b", rest, re.IGNORECASE):
        if sign[0] == "(":
            depth += 1
        elif sign[0] == ")":
            depth -= 1
        elif depth == 0:
            return rest[sign.start() :]
    return rest


def instrument(engine: Engine) -> None:
    """Time every statement and commit of an engine, count its errors, and watch its pool of connections.

    A statement's time is that of the database call itself (`execute` of the driver's cursor), fetching not
    included. The wait for a connection is timed for every kind of pool; how many connections there are is
    told where the pool has a size (`QueuePool`), in sums over the engines of a process.

    Args:
        engine: Instrumented once, however often this is called.
    """
    from sqlalchemy import event  # noqa: PLC0415 - metrics must not need SQLAlchemy where none is

    if event.contains(engine, "before_cursor_execute", _before):
        return
    event.listen(engine, "before_cursor_execute", _before)
    event.listen(engine, "after_cursor_execute", _after)
    event.listen(engine, "handle_error", _failed)
    # No event tells when a commit is over, nor how long a caller waited for a connection.
    engine.dialect.do_commit = functools.partial(_commit, engine.dialect.do_commit)  # type: ignore[method-assign]
    # By its class: a pool that is disposed of is followed by a new one of the same class.
    kind = type(engine.pool)
    engine.pool.__class__ = _timed.get(kind) or _timed.setdefault(kind, _timing(kind))
    _engines.append(weakref.ref(engine, _engines.remove))
    process.also(sample_pools)


def _before(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:  # noqa: FBT001, PLR0917 - SQLAlchemy's signature
    del cursor, statement, parameters, context, many
    connection.info[_BEGUN] = perf_counter()


def _after(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:  # noqa: FBT001, PLR0917 - SQLAlchemy's signature
    del cursor, parameters, context, many
    _took(connection, statement)


def _took(connection: Any, statement: str) -> None:
    begun = connection.info.pop(_BEGUN, None)
    if begun is not None:
        operation, table = what(statement)
        catalogue.DB_QUERY_DURATION.observe(perf_counter() - begun, operation=operation, table=table)


def _commit(commit: Callable[[Any], None], connection: Any) -> None:
    begun = perf_counter()
    try:
        commit(connection)
    except BaseException:
        connection.info[_COMMITTING] = True  # for the event that follows
        raise
    finally:
        took = perf_counter() - begun
        catalogue.DB_QUERY_DURATION.observe(took, operation="commit", table=NO_TABLE)


def _failed(context: ExceptionContext) -> None:
    statement = context.statement or ""
    if context.connection is None:
        operation = "connect"
    elif context.connection.info.pop(_COMMITTING, False):
        operation = "commit"
    else:
        operation = what(statement)[0]
        _took(context.connection, statement)
    _count(operation, context.sqlalchemy_exception or context.original_exception)


def _count(operation: str, error: BaseException) -> None:
    catalogue.DB_ERRORS.inc(operation=operation, type=type(error).__name__)


# --- The pool ---------------------------------------------------------------------------------------------


def _timing(kind: type[Pool]) -> type[Pool]:
    from sqlalchemy.exc import TimeoutError as PoolTimeout  # noqa: PLC0415 - as in `instrument`

    def connect(pool: Pool) -> Any:
        begun = perf_counter()
        try:
            return kind.connect(pool)
        except PoolTimeout as error:  # the pool's own, which the engine's events never see
            _count("connect", error)
            raise
        finally:
            catalogue.DB_POOL_WAIT.observe(perf_counter() - begun)

    # The names stay those of the original: SQLAlchemy's loggers are called by them.
    return cast(
        "type[Pool]", type(kind.__name__, (kind,), {"connect": connect, "__module__": kind.__module__})
    )


def sample_pools(role: str, slot: str) -> None:
    """Set the gauges of this process's connections; nothing, where no engine has a pool of some size."""
    from sqlalchemy import QueuePool  # noqa: PLC0415 - as in `instrument`

    engines = [each() for each in list(_engines)]  # a copy: another thread may make an engine meanwhile
    pools = [engine.pool for engine in engines if engine is not None]
    sized = [pool for pool in pools if isinstance(pool, QueuePool)]
    if not sized:
        return
    counts = {
        "active": sum(pool.checkedout() for pool in sized),
        "idle": sum(pool.checkedin() for pool in sized),
        "overflow": sum(max(0, pool.overflow()) for pool in sized),
    }
    for state, count in counts.items():
        # Read without a lock, while others check in and out: a sum may be off by one for a moment.
        catalogue.DB_POOL_CONNECTIONS.set(max(0, count), state=state, role=role, slot=slot)

"""Database calls, timed and counted without a thought: `instrument(engine)` and nothing else."""

from __future__ import annotations

import re
from time import perf_counter
from typing import TYPE_CHECKING, Any

from metrics import catalogue

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import ExceptionContext

#: The `table` of a statement that names none, such as `SELECT 1`.
NO_TABLE = "none"

#: How many statement texts are remembered with what they do. SQLAlchemy's texts carry placeholders, so few
#: suffice.
_MOST_TEXTS = 1_000

_BEGUN = "metrics_begun"
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


def what(statement: str) -> tuple[str, str]:
    """What a statement does, and to which table first: `("select", "jobs")`.

    Good for the SQL that SQLAlchemy writes, and cheap; not a parser. What is none of the four operations is
    `other`, and a statement without a table has the table `none`.
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
        return "other", NO_TABLE
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
    """Time every statement of an engine and count its errors, by operation and main table.

    The time is that of the database call itself (`execute` of the driver's cursor), fetching not included.

    Args:
        engine: Instrumented once, however often this is called.
    """
    from sqlalchemy import event  # noqa: PLC0415 - metrics must not need SQLAlchemy where none is

    if event.contains(engine, "before_cursor_execute", _before):
        return
    event.listen(engine, "before_cursor_execute", _before)
    event.listen(engine, "after_cursor_execute", _after)
    event.listen(engine, "handle_error", _failed)


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


def _failed(context: ExceptionContext) -> None:
    statement = context.statement or ""
    if context.connection is not None and statement:
        _took(context.connection, statement)
    error = context.sqlalchemy_exception or context.original_exception
    catalogue.DB_ERRORS.inc(operation=what(statement)[0], type=type(error).__name__)

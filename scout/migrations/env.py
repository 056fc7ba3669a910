"""What Alembic runs to migrate: on the one connection that `scout.database.migrating` gives it."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON, Connection, inspect

from scout.models import Base, UTCDateTime
from scout.searching import index


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    # A migration says what the column is, not how the models wrap it today.
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def _run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_as_batch=True,  # SQLite changes a table by copying it
        transactional_ddl=True,  # SQLite's too, since we begin its transactions ourselves
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()
        if inspect(connection).has_table("job_words"):
            index.attach(connection)
        if sqlite:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(
                    f"the migration would leave {len(broken)} dangling references: {broken[:3]}"
                )


_run(context.config.attributes["connection"])

"""Runs that are cancelled, how many pages a scan has read, and what the owner chose at first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
BEFORE = ("queued", "running", "succeeded", "partial", "failed")
NOW = (*BEFORE, "cancelled")
#: Each column that names a state, with its table.
STATES = (("scan_runs", "state"), ("scan_results", "state"), ("sources", "last_state"))


def allow(states: tuple[str, ...]) -> None:
    named = ", ".join(f"'{state}'" for state in states)
    for table, column in STATES:
        # SQLite copies the table for that: it must stay one that never gives an id again.
        with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True}) as changed:
            changed.drop_constraint(op.f(f"ck_{table}_{column}"), type_="check")
            changed.create_check_constraint(op.f(f"ck_{table}_{column}"), f"{column} IN ({named})")


def upgrade() -> None:
    allow(NOW)
    op.add_column("scan_runs", sa.Column("cancel_asked_at", TIME, nullable=True))
    op.add_column("scan_results", sa.Column("pages", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "setup",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("welcomed_at", TIME, nullable=True),
        sa.Column("profile", sa.String(length=200), nullable=False),
        sa.Column("profile_text", sa.Text(), nullable=False),
        sa.Column("profile_at", TIME, nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_setup_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setup")),
    )
    # Who has an account already knows the place, and is not welcomed anew.
    op.execute(
        "INSERT INTO setup (id, welcomed_at, profile, profile_text)"
        " SELECT 1, created_at, '', '' FROM account WHERE id = 1"
    )


def downgrade() -> None:
    op.drop_table("setup")
    op.drop_column("scan_results", "pages")
    op.drop_column("scan_runs", "cancel_asked_at")
    for table, column in STATES:
        op.execute(f"UPDATE {table} SET {column} = 'partial' WHERE {column} = 'cancelled'")  # noqa: S608 - the names above
    allow(BEFORE)

"""Appointments; when a next action was planned; messages that are no search's; the calendar's address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ACCOUNT_COLUMNS = ("calendar_renewals", "calendar_digest", "calendar_changed_at")


def upgrade() -> None:
    op.create_table(
        "appointments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=1000), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("minutes BETWEEN 1 AND 1440", name=op.f("ck_appointments_minutes")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_appointments_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
        sa.UniqueConstraint("uid", name=op.f("uq_appointments_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_appointments_job_id"), "appointments", ["job_id"])
    op.create_index(op.f("ix_appointments_starts_at"), "appointments", ["starts_at"])
    op.add_column("jobs", sa.Column("planned_at", TIME, nullable=True))
    day = sa.text("next_action_on IS NOT NULL")
    op.create_index(
        op.f("ix_jobs_next_action_on"), "jobs", ["next_action_on"], sqlite_where=day, postgresql_where=day
    )
    op.create_index(op.f("ix_status_changes_to_status_job_id"), "status_changes", ["to_status", "job_id"])
    undone = sa.text("undid IS NOT NULL")
    op.create_index(
        op.f("ix_status_changes_undid"),
        "status_changes",
        ["undid"],
        sqlite_where=undone,
        postgresql_where=undone,
    )
    op.add_column("account", sa.Column("calendar_renewals", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "account", sa.Column("calendar_digest", sa.String(length=64), nullable=False, server_default="")
    )
    op.add_column("account", sa.Column("calendar_changed_at", TIME, nullable=True))
    let_messages_be_without_a_search(nullable=True)


def let_messages_be_without_a_search(*, nullable: bool) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("messages", "search_id", existing_type=sa.Integer(), nullable=nullable)
        return
    with op.batch_alter_table("messages", table_kwargs={"sqlite_autoincrement": True}) as messages:
        messages.alter_column("search_id", existing_type=sa.Integer(), nullable=nullable)


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE search_id IS NULL")
    let_messages_be_without_a_search(nullable=False)
    for column in reversed(ACCOUNT_COLUMNS):
        op.drop_column("account", column)
    op.drop_index(op.f("ix_status_changes_undid"), table_name="status_changes")
    op.drop_index(op.f("ix_status_changes_to_status_job_id"), table_name="status_changes")
    op.drop_index(op.f("ix_jobs_next_action_on"), table_name="jobs")
    op.drop_column("jobs", "planned_at")
    op.drop_table("appointments")

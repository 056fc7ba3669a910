"""What boards edited, closed and reopened; steps that were taken back; what the owner means to do next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
KINDS = ("edited", "closed", "reopened")
JOB_COLUMNS = ("edit_unseen", "next_action_on", "next_action")


def upgrade() -> None:
    op.create_table(
        "job_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column(
            "what",
            sa.Enum(*KINDS, name="what", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_events_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_events")),
    )
    op.create_index(op.f("ix_job_events_job_id"), "job_events", ["job_id"], unique=False)
    op.add_column("status_changes", sa.Column("undid", sa.Integer(), nullable=True))
    # Added in place: none of them copies the table.
    op.add_column("jobs", sa.Column("edit_unseen", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("jobs", sa.Column("next_action_on", sa.Date(), nullable=True))
    op.add_column("jobs", sa.Column("next_action", sa.String(length=500), nullable=False, server_default=""))


def downgrade() -> None:
    for column in JOB_COLUMNS:
        op.drop_column("jobs", column)
    op.drop_column("status_changes", "undid")
    op.drop_table("job_events")

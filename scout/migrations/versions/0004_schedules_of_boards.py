"""A board's own schedule, how often it changes, scans that wait for their turn, and allowances by the day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sources") as sources:
        sources.add_column(sa.Column("interval_minutes", sa.Float(), nullable=True))
        sources.add_column(sa.Column("quiet_hours", sa.String(length=20), nullable=True))
        sources.add_column(sa.Column("time_zone", sa.String(length=60), nullable=True))
        sources.add_column(sa.Column("changes", sa.Float(), nullable=False, server_default="0.5"))
    with op.batch_alter_table("scan_results") as results:
        results.add_column(sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "askings",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "number", name=op.f("pk_askings")),
    )


def downgrade() -> None:
    op.drop_table("askings")
    with op.batch_alter_table("scan_results") as results:
        results.drop_column("not_before")
    with op.batch_alter_table("sources") as sources:
        for column in ("interval_minutes", "quiet_hours", "time_zone", "changes"):
            sources.drop_column(column)

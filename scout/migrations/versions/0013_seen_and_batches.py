"""Which jobs the owner has seen, and which steps were one change of many jobs.

What the owner decided about already counts as seen.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0009"
branch_labels = None
depends_on = None

UNDECIDED = ("new", "closed")


def upgrade() -> None:
    # Added in place: neither of them copies the table.
    op.add_column("jobs", sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("status_changes", sa.Column("batch", sa.String(length=32), nullable=True))
    op.create_index(op.f("ix_status_changes_batch"), "status_changes", ["batch"], unique=False)
    jobs = sa.table("jobs", *(sa.column(name) for name in ("status", "first_seen_at", "looked_at")))
    op.execute(jobs.update().where(jobs.c.status.not_in(UNDECIDED)).values(looked_at=jobs.c.first_seen_at))


def downgrade() -> None:
    op.drop_index(op.f("ix_status_changes_batch"), table_name="status_changes")
    op.drop_column("status_changes", "batch")
    op.drop_column("jobs", "looked_at")

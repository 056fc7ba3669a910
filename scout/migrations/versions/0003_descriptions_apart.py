"""Descriptions in a table of their own; when a board was last read to its end.

A description is ten times as large as the rest of its job. Beside it, each change of a score or a status
wrote it anew, and so did every scan that saw the job again. When a job was last seen follows from its
listings and their sources.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "descriptions",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_descriptions_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_descriptions")),
    )
    op.execute(
        "INSERT INTO descriptions (job_id, html, text) "
        "SELECT id, description_html, description_text FROM jobs"
    )
    op.add_column("sources", sa.Column("listed_at", TIME, nullable=True))
    # Dropped in place: both databases can, and no table is copied.
    for column in ("description_html", "description_text", "last_seen_at"):
        op.drop_column("jobs", column)


def downgrade() -> None:
    for column in ("description_html", "description_text"):
        op.add_column("jobs", sa.Column(column, sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE jobs SET description_html = told.html, description_text = told.text "
        "FROM descriptions AS told WHERE told.job_id = jobs.id"
    )
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("last_seen_at", TIME, nullable=True))
        for column in ("description_html", "description_text"):
            jobs.alter_column(column, server_default=None)
    op.execute(
        "UPDATE jobs SET last_seen_at = coalesce("
        "(SELECT max(last_seen_at) FROM listings WHERE listings.job_id = jobs.id), first_seen_at)"
    )
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("last_seen_at", nullable=False)
    op.drop_column("sources", "listed_at")
    op.drop_table("descriptions")

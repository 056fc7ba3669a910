"""An index of the words of every job, and of a job's countries and pay what filters and orders compare."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from scout.searching import index, standing

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BATCH = 1000

JOBS = sa.table(
    "jobs",
    sa.column("id", sa.Integer()),
    sa.column("places", JSON),
    sa.column("salary", JSON),
    sa.column("countries", sa.String()),
    sa.column("pay_yearly", sa.Integer()),
    sa.column("pay_currency", sa.String()),
)
INDEXES = {
    "ix_jobs_facts": (
        "jobs",
        ["status", "score", "remote", "level", "employment_type", "language", "countries", "pay_yearly",
         "first_seen_at", "posted_at", "closed_at", "edit_unseen", "id"],
    ),
    "ix_jobs_pay_yearly_id": ("jobs", ["pay_yearly", "id"]),
    "ix_listings_job_id_source_id": ("listings", ["job_id", "source_id"]),
    "ix_listings_source_id_job_id": ("listings", ["source_id", "job_id"]),
}  # fmt: skip


def upgrade() -> None:
    op.add_column("jobs", sa.Column("countries", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("pay_yearly", sa.Integer(), nullable=True))
    op.add_column("jobs", sa.Column("pay_currency", sa.String(length=3), nullable=False, server_default=""))
    fill()
    # The words that were searched through before.
    op.drop_column("jobs", "search_text")
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns, unique=False)
    # One that begins with the same column is there now.
    op.drop_index(op.f("ix_listings_job_id"), table_name="listings")
    index.create(op.get_bind())


def fill() -> None:
    connection = op.get_bind()
    wanted = sa.select(JOBS.c.id, JOBS.c.places, JOBS.c.salary).order_by(JOBS.c.id).limit(BATCH)
    fresh = (
        sa.update(JOBS)
        .where(JOBS.c.id == sa.bindparam("job"))
        .values(
            countries=sa.bindparam("told"), pay_yearly=sa.bindparam("yearly"), pay_currency=sa.bindparam("in")
        )
    )
    last = 0
    while rows := connection.execute(wanted.where(JOBS.c.id > last)).all():
        values = [
            {
                "job": row.id,
                "told": standing.countries(row.places or ()),
                "yearly": standing.yearly(row.salary),
                "in": standing.currency(row.salary),
            }
            for row in rows
        ]
        told = [each for each in values if each["told"] or each["yearly"] is not None or each["in"]]
        if told:
            connection.execute(fresh, told)
        last = rows[-1].id


def downgrade() -> None:
    connection = op.get_bind()
    index.drop(connection)
    op.create_index(op.f("ix_listings_job_id"), "listings", ["job_id"], unique=False)
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
    op.add_column("jobs", sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
    for column in ("pay_currency", "pay_yearly", "countries"):
        op.drop_column("jobs", column)

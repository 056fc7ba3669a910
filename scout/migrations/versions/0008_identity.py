"""What tells that two postings are one job: keys, merges, what was split, reposts, marks of texts.

Jobs that are stored already get their keys from their own words. None is merged here: `scout jobs duplicates`
shows those that look like one.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from scout.identity import keys
from scout.postings import Posting

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BATCH = 1000

JOBS = sa.table(
    "jobs", sa.column("id", sa.Integer()), sa.column("title", sa.Text()), sa.column("company", sa.String())
)
LISTINGS = sa.table(
    "listings",
    sa.column("id", sa.Integer()),
    sa.column("job_id", sa.Integer()),
    sa.column("url", sa.Text()),
    sa.column("address_key", sa.BigInteger()),
    sa.column("role_key", sa.BigInteger()),
    sa.column("requisition", sa.String()),
)


def upgrade() -> None:
    op.add_column("jobs", sa.Column("repost_of_id", sa.Integer(), nullable=True))
    op.add_column("listings", sa.Column("address_key", sa.BigInteger(), nullable=True))
    op.add_column("listings", sa.Column("role_key", sa.BigInteger(), nullable=True))
    op.add_column(
        "listings", sa.Column("requisition", sa.String(length=100), nullable=False, server_default="")
    )
    op.add_column("listings", sa.Column("content", JSON, nullable=True))
    fill()
    op.create_index(op.f("ix_jobs_repost_of_id"), "jobs", ["repost_of_id"], unique=False)
    op.create_index(op.f("ix_listings_address_key"), "listings", ["address_key"], unique=False)
    op.create_index(op.f("ix_listings_role_key"), "listings", ["role_key"], unique=False)
    op.create_table(
        "merges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("tier", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=20), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("absorbed_id", sa.Integer(), nullable=True),
        sa.Column("absorbed", JSON, nullable=True),
        sa.Column("undone_at", TIME, nullable=True),
        sa.Column("undone_by", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_merges_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listings.id"], name=op.f("fk_merges_listing_id_listings"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    op.create_index(op.f("ix_merges_job_id"), "merges", ["job_id"], unique=False)
    op.create_index(op.f("ix_merges_listing_id"), "merges", ["listing_id"], unique=False)
    op.create_index(op.f("ix_merges_absorbed_id"), "merges", ["absorbed_id"], unique=False)
    op.create_table(
        "separations",
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("by", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"],
            ["listings.id"],
            name=op.f("fk_separations_listing_id_listings"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["listings.id"], name=op.f("fk_separations_other_id_listings"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("listing_id", "other_id", name=op.f("pk_separations")),
    )
    op.create_index(op.f("ix_separations_other_id"), "separations", ["other_id"], unique=False)
    op.create_table(
        "marks",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_marks_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "mark", name=op.f("pk_marks")),
    )
    op.create_index(op.f("ix_marks_mark"), "marks", ["mark"], unique=False)


def fill() -> None:
    connection = op.get_bind()
    wanted = sa.select(LISTINGS.c.id, LISTINGS.c.url, JOBS.c.title, JOBS.c.company).join_from(
        LISTINGS, JOBS, JOBS.c.id == LISTINGS.c.job_id
    )
    fresh = (
        sa.update(LISTINGS)
        .where(LISTINGS.c.id == sa.bindparam("listing"))
        .values(
            address_key=sa.bindparam("address"),
            role_key=sa.bindparam("role"),
            requisition=sa.bindparam("number"),
        )
    )
    last = 0
    while rows := connection.execute(
        wanted.where(LISTINGS.c.id > last).order_by(LISTINGS.c.id).limit(BATCH)
    ).all():
        values: list[dict[str, Any]] = []
        for row in rows:
            told = keys.of(Posting(source_job_id="", title=row.title, company=row.company, url=row.url))
            values.append(
                {"listing": row.id, "address": told.address, "role": told.role, "number": told.requisition}
            )
        connection.execute(fresh, values)
        last = rows[-1].id


def downgrade() -> None:
    for table in ("marks", "separations", "merges"):
        op.drop_table(table)
    for name in ("ix_listings_role_key", "ix_listings_address_key"):
        op.drop_index(op.f(name), table_name="listings")
    for column in ("content", "requisition", "role_key", "address_key"):
        op.drop_column("listings", column)
    op.drop_index(op.f("ix_jobs_repost_of_id"), table_name="jobs")
    op.drop_column("jobs", "repost_of_id")

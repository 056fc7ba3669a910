"""What is told of a job's places, its level, its language, and from where remote work may be done.

Jobs that are stored already get theirs from their own words, as a scan would have given them; pay that only
the text states is filled in the same way, and says that it is `parsed`.
"""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from scout.normalise import completed
from scout.postings import Posting, Remote

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BATCH = 500

JOBS = sa.table(
    "jobs",
    sa.column("id", sa.Integer()),
    sa.column("title", sa.Text()),
    sa.column("locations", JSON),
    sa.column("remote", sa.String()),
    sa.column(
        "salary", sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    ),
    sa.column("description_text", sa.Text()),
    sa.column("places", JSON),
    sa.column("remote_regions", JSON),
    sa.column("level", sa.String()),
    sa.column("language", sa.String()),
)


def upgrade() -> None:
    # With a default each is added in place: no copy of a table full of descriptions.
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("places", JSON, nullable=False, server_default="[]"))
        jobs.add_column(sa.Column("remote_regions", JSON, nullable=False, server_default="[]"))
        jobs.add_column(sa.Column("level", sa.String(length=20), nullable=False, server_default=""))
        jobs.add_column(sa.Column("language", sa.String(length=8), nullable=False, server_default=""))
    fill()


def fill() -> None:
    connection = op.get_bind()
    wanted = sa.select(
        JOBS.c.id, JOBS.c.title, JOBS.c.locations, JOBS.c.remote, JOBS.c.salary, JOBS.c.description_text
    )
    last = 0
    while rows := connection.execute(wanted.where(JOBS.c.id > last).order_by(JOBS.c.id).limit(BATCH)).all():
        for row in rows:
            known = completed(
                Posting(
                    source_job_id=str(row.id),
                    title=row.title,
                    company="",
                    url="",
                    locations=tuple(each for each in row.locations if isinstance(each, str)),
                    remote=Remote(row.remote),
                    description_text=row.description_text,
                )
            )
            pay = row.salary or (dataclasses.asdict(known.salary) if known.salary else None)
            connection.execute(
                sa.update(JOBS)
                .where(JOBS.c.id == row.id)
                .values(
                    places=[dataclasses.asdict(each) for each in known.places],
                    remote_regions=list(known.remote_regions),
                    level=known.level,
                    language=known.language,
                    salary=pay,
                )
            )
        last = rows[-1].id


def downgrade() -> None:
    with op.batch_alter_table("jobs") as jobs:
        for column in ("places", "remote_regions", "level", "language"):
            jobs.drop_column(column)

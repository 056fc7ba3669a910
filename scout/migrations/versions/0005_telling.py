"""Saved searches, what they found, and the messages that tell of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def one_of(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def upgrade() -> None:
    op.create_table(
        "searches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("query", JSON, nullable=False),
        sa.Column("tells", one_of("instant", "digest", "feed", name="tells"), nullable=False),
        sa.Column("every", one_of("daily", "weekly", name="every"), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("channels", JSON, nullable=False),
        sa.Column("quiet", sa.String(length=11), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("feed_renewals", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("looked_to", TIME, nullable=True),
        sa.Column("digest_at", TIME, nullable=True),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name=op.f("ck_searches_hour")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_searches_weekday")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
        sa.UniqueConstraint("slug", name=op.f("uq_searches_slug")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "found_jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("search_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("found_at", TIME, nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_found_jobs_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["search_id"], ["searches.id"], name=op.f("fk_found_jobs_search_id_searches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_found_jobs")),
        sa.UniqueConstraint("search_id", "job_id", name=op.f("uq_found_jobs_search_id_job_id")),
    )
    with op.batch_alter_table("found_jobs") as found:
        found.create_index(found.f("ix_found_jobs_batch"), ["batch"])
        found.create_index(found.f("ix_found_jobs_job_id"), ["job_id"])
        found.create_index(found.f("ix_found_jobs_search_id_batch"), ["search_id", "batch"])
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("search_id", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column(
            "state", one_of("waiting", "sent", "parked", "empty", name="message_state"), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", TIME, nullable=False),
        sa.Column("lease_by", sa.String(length=80), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["search_id"], ["searches.id"], name=op.f("fk_messages_search_id_searches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("batch", "channel", name=op.f("uq_messages_batch_channel")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("messages") as messages:
        messages.create_index(messages.f("ix_messages_search_id"), ["search_id"])
        messages.create_index(messages.f("ix_messages_state_next_try_at"), ["state", "next_try_at"])
    op.create_index(op.f("ix_jobs_changed_at"), "jobs", ["changed_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_jobs_changed_at"), "jobs")
    op.drop_table("messages")
    op.drop_table("found_jobs")
    op.drop_table("searches")

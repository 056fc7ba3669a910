"""Rounds of scoring what is kept, after the profile changed.

The stored scores were of whatever profile a scan had loaded. Which one they are of, and how far a new one has
come, is one row; a mark on each job would have to be rewritten for all of them at each change.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "scorings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("profile", sa.String(length=200), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scorings")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "scoring_parts",
        sa.Column("scoring_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_id", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scoring_id"],
            ["scorings.id"],
            name=op.f("fk_scoring_parts_scoring_id_scorings"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("scoring_id", "number", name=op.f("pk_scoring_parts")),
    )


def downgrade() -> None:
    op.drop_table("scoring_parts")
    op.drop_table("scorings")

"""A person may have tasks ahead of the one in hand, and an answer may carry the id that its browser gave it."""

import sqlalchemy as sa
from alembic import op

from data.columns import UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("ahead", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("tasks", sa.Column("leased_at", UtcTime(), nullable=True))
    op.add_column("reviews", sa.Column("act", sa.String(), nullable=True))
    still_open = {"sqlite_where": sa.text("state = 'open'"), "postgresql_where": sa.text("state = 'open'")}
    op.create_index("ix_tasks_kind_rank", "tasks", ["site_id", "kind", "rank", "id"], **still_open)
    op.drop_index("ix_tasks_counts", "tasks")  # the new one counts as well and finds the first of a kind, too
    given = {"sqlite_where": sa.text("act IS NOT NULL"), "postgresql_where": sa.text("act IS NOT NULL")}
    op.create_index("uq_reviews_act", "reviews", ["by", "act"], unique=True, **given)


def downgrade() -> None:
    still_open = {"sqlite_where": sa.text("state = 'open'"), "postgresql_where": sa.text("state = 'open'")}
    op.create_index("ix_tasks_counts", "tasks", ["site_id", "kind"], **still_open)
    op.drop_index("ix_tasks_kind_rank", "tasks")
    op.drop_index("uq_reviews_act", "reviews")
    op.drop_column("reviews", "act")
    op.drop_column("tasks", "leased_at")
    op.drop_column("tasks", "ahead")

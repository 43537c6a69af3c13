"""People's own eyes are checked: parts with a known answer and second looks, each at a share that a site sets."""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("sites", sa.Column("gold_share", sa.Float(), server_default="0", nullable=False))
    op.add_column("sites", sa.Column("second_share", sa.Float(), server_default="0", nullable=False))
    op.create_table(
        "gold_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("defective", sa.Boolean(), nullable=False),
        sa.Column("classes", JSON, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("retired_by", sa.String(), nullable=True),
        sa.Column("retired_at", UtcTime(), nullable=True),
        sa.Column("retired_reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_gold_items_site_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_gold_items_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold_items")),
    )
    in_use = {"sqlite_where": sa.text("retired_at IS NULL"), "postgresql_where": sa.text("retired_at IS NULL")}
    op.create_index("uq_gold_items_part", "gold_items", ["part_id"], unique=True, **in_use)
    op.create_index("ix_gold_items_site", "gold_items", ["site_id"])
    op.create_index("ix_decisions_decided", "decisions", ["decided_at"])


def downgrade() -> None:
    op.drop_index("ix_decisions_decided", "decisions")
    op.drop_index("ix_gold_items_site", "gold_items")
    op.drop_index("uq_gold_items_part", "gold_items")
    op.drop_table("gold_items")
    op.drop_column("sites", "second_share")
    op.drop_column("sites", "gold_share")

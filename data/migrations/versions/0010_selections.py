"""Batches of pictures chosen for labelling, each with why, and a random arm beside it."""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "selections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("model_sha256", sa.String(), nullable=False),
        sa.Column("asked", JSON, nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("sent_by", sa.String(), nullable=True),
        sa.Column("sent_at", UtcTime(), nullable=True),
        sa.CheckConstraint("state IN ('proposed', 'sending', 'sent', 'discarded')", name=op.f("ck_selections_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selections")),
    )
    op.create_table(
        "selection_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("selection_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("chance", sa.Float(), nullable=True),
        sa.Column("point", JSON, nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("skipped", sa.String(), nullable=False),
        sa.CheckConstraint("arm IN ('strategy', 'quota', 'random')", name=op.f("ck_selection_items_arm")),
        sa.ForeignKeyConstraint(["selection_id"], ["selections.id"], name=op.f("fk_selection_items_selection_id")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_selection_items_image_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_selection_items_part_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_selection_items_site_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_selection_items_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection_items")),
        sa.UniqueConstraint("selection_id", "part_id", name=op.f("uq_selection_items_selection_id_part_id")),
    )
    op.create_index("ix_selection_items_selection_id", "selection_items", ["selection_id"])
    op.create_index("ix_selection_items_task_id", "selection_items", ["task_id"])
    again = {"sqlite_where": sa.text("again"), "postgresql_where": sa.text("again")}
    op.create_index("ix_selection_items_again", "selection_items", ["site_id"], **again)


def downgrade() -> None:
    op.drop_table("selection_items")
    op.drop_table("selections")

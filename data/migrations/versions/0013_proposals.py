"""Memories of good parts judge novelty; new classes are proposed from parts that resemble nothing in them."""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "memories",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("part_type", sa.String(), nullable=True),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("card", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_memories_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memories")),
        sa.UniqueConstraint("name", name=op.f("uq_memories_name")),
    )
    op.create_index(op.f("ix_memories_site_id"), "memories", ["site_id"])
    op.create_table(
        "memory_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("part_type", sa.String(), nullable=True),
        sa.Column("memory_id", sa.Integer(), nullable=True),
        sa.Column("before_id", sa.Integer(), nullable=True),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("uncalibrated", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_memory_changes_site_id")),
        sa.ForeignKeyConstraint(["memory_id"], ["memories.id"], name=op.f("fk_memory_changes_memory_id")),
        sa.ForeignKeyConstraint(["before_id"], ["memories.id"], name=op.f("fk_memory_changes_before_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memory_changes")),
    )
    op.create_index("ix_memory_changes_site", "memory_changes", ["site_id", "id"])
    op.create_table(
        "novel_parts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("novelty", sa.Float(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("found_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_novel_parts_site_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_novel_parts_part_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_novel_parts_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_novel_parts")),
        sa.UniqueConstraint("part_id", name=op.f("uq_novel_parts_part_id")),
    )
    op.create_index("ix_novel_parts_site", "novel_parts", ["site_id", "found_at"])
    op.create_table(
        "class_proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("class_id", sa.String(), nullable=True),
        sa.Column("taxonomy", sa.Integer(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'accepted', 'declined')", name=op.f("ck_class_proposals_state")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_class_proposals_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_proposals")),
    )
    op.create_index("ix_class_proposals_site", "class_proposals", ["site_id", "state", "id"])
    for table in ("memories", "memory_changes"):
        protect(table)


def downgrade() -> None:
    for table in ("class_proposals", "novel_parts", "memory_changes", "memories"):
        op.drop_table(table)

"""Originals can be encrypted, and what was covered is recorded."""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "covering_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False, server_default=""),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_at", UtcTime(), nullable=False),
        sa.CheckConstraint("mode IN ('always', 'labels', 'never')", name=op.f("ck_covering_rules_mode")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_covering_rules_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_covering_rules")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_covering_rules_site_id_number")),
    )
    op.create_table(
        "coverings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("found_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_coverings_image_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverings")),
    )
    op.create_index("ix_coverings_image", "coverings", ["image_id", "id"])
    op.create_table(
        "vault_keys",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("first_used_at", UtcTime(), nullable=False),
        sa.Column("retired_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_vault_keys")),
    )
    for table in ("covering_rules", "coverings"):
        protect(table)


def downgrade() -> None:
    op.drop_table("vault_keys")
    op.drop_index("ix_coverings_image", "coverings")
    op.drop_table("coverings")
    op.drop_table("covering_rules")

"""Claims, and what the evidence says of them."""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "claim_limits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_claim_limits_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_limits")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_claim_limits_site_id_number")),
    )
    op.create_table(
        "claim_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("checked_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_claim_checks_part_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_claim_checks_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_checks")),
    )
    op.create_index("ix_claim_checks_part", "claim_checks", ["part_id", "id"])
    protect("claim_limits")
    protect("claim_checks")


def downgrade() -> None:
    op.drop_index("ix_claim_checks_part", "claim_checks")
    op.drop_table("claim_checks")
    op.drop_table("claim_limits")

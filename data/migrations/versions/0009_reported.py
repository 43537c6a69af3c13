"""What customers report and what a site started from are kept beside what was measured.

A site's scores may be fitted anew, and decided parts may be audited by their score.
"""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("sites", sa.Column("score_map", JSON, nullable=True))
    op.add_column("policies", sa.Column("audit_steps", JSON, nullable=True))
    op.create_table(
        "baselines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_baselines_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_baselines")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_baselines_site_id_number")),
    )
    op.create_table(
        "escape_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("reported_on", sa.Date(), nullable=False),
        sa.Column("shipped_on", sa.Date(), nullable=True),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("class_id", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("takes_back", sa.Integer(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("entered_at", UtcTime(), nullable=False),
        sa.CheckConstraint("parts > 0", name=op.f("ck_escape_reports_parts")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_escape_reports_site_id")),
        sa.ForeignKeyConstraint(["takes_back"], ["escape_reports.id"], name=op.f("fk_escape_reports_takes_back")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escape_reports")),
        sa.UniqueConstraint("takes_back", name=op.f("uq_escape_reports_takes_back")),
    )
    op.create_index("ix_escape_reports_site", "escape_reports", ["site_id", "reported_on"])
    for table in ("baselines", "escape_reports"):
        protect(table)


def downgrade() -> None:
    op.drop_index("ix_escape_reports_site", "escape_reports")
    op.drop_table("escape_reports")
    op.drop_table("baselines")
    op.drop_column("policies", "audit_steps")
    op.drop_column("sites", "score_map")

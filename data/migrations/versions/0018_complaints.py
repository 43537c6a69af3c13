"""Complaints and returns, and the acts and notices that follow from them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect

revision = "0018"
down_revision = "0017"


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "complaints",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("shipped_on", sa.Date(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("covered", JSON, nullable=False),
        sa.Column("order_name", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("part_name", sa.String(), nullable=False),
        sa.Column("tracking", sa.String(), nullable=False),
        sa.Column("seller", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("entered_at", UtcTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reading", JSON, nullable=False),
        sa.Column("confirm", sa.Boolean(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=True),
        sa.Column("linked_how", sa.String(), nullable=False),
        sa.Column("link_why", sa.String(), nullable=False),
        sa.Column("candidates", JSON, nullable=False),
        sa.Column("sight_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('complaint', 'return')", name=op.f("ck_complaints_kind")),
        sa.CheckConstraint("state IN ('open', 'set aside', 'answered')", name=op.f("ck_complaints_state")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_complaints_part_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_complaints_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
        sa.UniqueConstraint("site_id", "reference", name=op.f("uq_complaints_site_id_reference")),
    )
    op.create_index("ix_complaints_part", "complaints", ["part_id"])
    op.create_index("ix_complaints_site", "complaints", ["site_id", "state", "id"])
    op.create_index("ix_complaints_told", "complaints", ["site_id", "told_on"])
    op.create_table(
        "complaint_sights",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=True),
        sa.Column("sight", sa.String(), nullable=False),
        sa.Column("passed", sa.String(), nullable=False),
        sa.Column("passed_by", sa.String(), nullable=False),
        sa.Column("passed_at", UtcTime(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("policy", sa.Integer(), nullable=True),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("delay_days", sa.Integer(), nullable=True),
        sa.Column("report_id", sa.Integer(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("said_at", UtcTime(), nullable=False),
        sa.CheckConstraint(
            "passed IN ('model', 'inspector', 'caught', 'unknown')", name=op.f("ck_complaint_sights_passed")
        ),
        sa.CheckConstraint(
            "sight IN ('visible', 'not visible', 'cannot tell')", name=op.f("ck_complaint_sights_sight")
        ),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.id"], name=op.f("fk_complaint_sights_complaint_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_complaint_sights_decision_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_complaint_sights_part_id")),
        sa.ForeignKeyConstraint(["report_id"], ["escape_reports.id"], name=op.f("fk_complaint_sights_report_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_complaint_sights_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_sights")),
    )
    op.create_index("ix_complaint_sights_complaint", "complaint_sights", ["complaint_id", "id"])
    op.create_table(
        "complaint_acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("proposed_at", UtcTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=True),
        sa.CheckConstraint("kind IN ('relabel', 'repack', 'rework', 'notify')", name=op.f("ck_complaint_acts_kind")),
        sa.CheckConstraint("state IN ('proposed', 'confirmed', 'declined')", name=op.f("ck_complaint_acts_state")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.id"], name=op.f("fk_complaint_acts_complaint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_acts")),
        sa.UniqueConstraint("complaint_id", "kind", name=op.f("uq_complaint_acts_complaint_id_kind")),
    )
    op.create_table(
        "complaint_notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("drafted_by", sa.String(), nullable=False),
        sa.Column("drafted_at", UtcTime(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'approved', 'declined')", name=op.f("ck_complaint_notices_state")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_complaint_notices_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_notices")),
    )
    op.create_index("ix_complaint_notices_site", "complaint_notices", ["site_id", "id"])
    op.create_index(
        "uq_complaint_notices_draft",
        "complaint_notices",
        ["site_id", "about", "name"],
        unique=True,
        **_only("state = 'draft'"),
    )
    op.create_table(
        "complaint_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'given up')", name=op.f("ck_complaint_messages_state")),
        sa.ForeignKeyConstraint(["notice_id"], ["complaint_notices.id"], name=op.f("fk_complaint_messages_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_messages")),
        sa.UniqueConstraint("notice_id", "channel", name=op.f("uq_complaint_messages_notice_id_channel")),
    )
    op.create_index("ix_complaint_messages_due", "complaint_messages", ["next_at"], **_only("state = 'waiting'"))
    op.create_table(
        "complaint_volumes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("set_at", UtcTime(), nullable=False),
        sa.CheckConstraint("about IN ('seller', 'batch')", name=op.f("ck_complaint_volumes_about")),
        sa.CheckConstraint("parts > 0", name=op.f("ck_complaint_volumes_parts")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_complaint_volumes_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_volumes")),
        sa.UniqueConstraint("site_id", "about", "name", name=op.f("uq_complaint_volumes_site_id_about_name")),
    )
    protect("complaint_sights")


def downgrade() -> None:
    for table in (
        "complaint_volumes",
        "complaint_messages",
        "complaint_notices",
        "complaint_acts",
        "complaint_sights",
        "complaints",
    ):
        op.drop_table(table)

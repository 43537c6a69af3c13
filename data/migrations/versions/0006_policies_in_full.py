"""Policies for lines, part types and classes, with costs and staffed hours; requests that a second agrees to."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect
from data.store.engine.unlocked import unlocked

revision = "0006"
down_revision = "0005"


def _columns() -> list[sa.Column[Any]]:
    """Of policies."""
    return [
        sa.Column("line_id", sa.Integer(), nullable=True),
        sa.Column("part_type_id", sa.Integer(), nullable=True),
        sa.Column("class_confidence", sa.Float(), nullable=True),
        sa.Column("classes", JSON, nullable=True),
        sa.Column("costs", JSON, nullable=True),
        sa.Column("attendance", JSON, nullable=True),
        sa.Column("when_nobody", sa.String(), server_default="hold", nullable=False),
        sa.Column("ends", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("kind", sa.String(), server_default="change", nullable=False),
        sa.Column("rolls_back_to", sa.Integer(), nullable=True),
        sa.Column("optimum", JSON, nullable=True),
    ]


def upgrade() -> None:
    for column in _columns():
        op.add_column("policies", column)
    op.add_column("policy_approvals", sa.Column("optimum", JSON, nullable=True))
    op.add_column("sites", sa.Column("paused_at", UtcTime(), nullable=True))
    op.add_column("sites", sa.Column("calibrated_until", UtcTime(), nullable=True))
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_requests_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_index("ix_requests_site_id", "requests", ["site_id"])
    op.create_table(
        "request_approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("approved_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_request_approvals_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_approvals")),
        sa.UniqueConstraint("request_id", name=op.f("uq_request_approvals_request_id")),
    )
    protect("requests")
    protect("request_approvals")


def downgrade() -> None:
    _pause_what_an_older_version_cannot_read()
    op.drop_table("request_approvals")
    op.drop_table("requests")
    op.drop_column("sites", "calibrated_until")
    op.drop_column("sites", "paused_at")
    op.drop_column("policy_approvals", "optimum")
    for column in reversed(_columns()):
        op.drop_column("policies", column.name)


def _pause_what_an_older_version_cannot_read() -> None:
    """An older version takes the policy approved last for the whole site, and knows no limits of classes.

    So a site that has such a policy passes nothing by itself any more until somebody has looked; approvals of policies
    for a line or part type are taken away, which leaves those for the whole site. An overdue calibration ends too.
    """
    reason = "an older version of Holdpoint was installed, which cannot read every policy of this site"
    strange = "line_id IS NOT NULL OR part_type_id IS NOT NULL OR classes IS NOT NULL"
    change = sa.text(
        "UPDATE sites SET paused = :reason WHERE paused IS NULL "
        f"AND id IN (SELECT site_id FROM policies WHERE {strange})"
    )
    op.get_bind().execute(change, {"reason": reason})
    sites = sa.table("sites", sa.column("calibrated", sa.Boolean), sa.column("calibrated_until", UtcTime))
    overdue = sites.c.calibrated_until < datetime.now(UTC)
    op.get_bind().execute(sa.update(sites).where(overdue).values(calibrated=False))
    with unlocked(op.get_bind(), "policy_approvals"):
        # It also refuses to read a policy that one person put in force alone, which only tightened: it is kept.
        op.execute(
            'UPDATE policy_approvals SET "by" = "by" || \' (alone)\' '
            "WHERE policy_id IN (SELECT id FROM policies WHERE kind = 'tightening')"
        )
        op.execute(
            "DELETE FROM policy_approvals WHERE policy_id IN "
            "(SELECT id FROM policies WHERE line_id IS NOT NULL OR part_type_id IS NOT NULL)"
        )

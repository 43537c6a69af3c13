"""Boxes of a detector stand beside those of a heatmap."""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "detectors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("card", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_detectors")),
        sa.UniqueConstraint("name", name=op.f("uq_detectors_name")),
    )
    op.create_table(
        "detector_trials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("detector_id", sa.Integer(), nullable=False),
        sa.Column("against", sa.String(), nullable=False),
        sa.Column("against_sha256", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("split", sa.String(), nullable=False),
        sa.Column("refusal", sa.String(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_detector_trials_site_id")),
        sa.ForeignKeyConstraint(["detector_id"], ["detectors.id"], name=op.f("fk_detector_trials_detector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_detector_trials")),
    )
    op.create_index("ix_detector_trials_site", "detector_trials", ["site_id", "id"])
    op.create_table(
        "detector_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("detector_id", sa.Integer(), nullable=True),
        sa.Column("before_id", sa.Integer(), nullable=True),
        sa.Column("trial_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_detector_changes_site_id")),
        sa.ForeignKeyConstraint(["detector_id"], ["detectors.id"], name=op.f("fk_detector_changes_detector_id")),
        sa.ForeignKeyConstraint(["before_id"], ["detectors.id"], name=op.f("fk_detector_changes_before_id")),
        sa.ForeignKeyConstraint(["trial_id"], ["detector_trials.id"], name=op.f("fk_detector_changes_trial_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_detector_changes")),
    )
    op.create_index("ix_detector_changes_site", "detector_changes", ["site_id", "id"])
    op.create_table(
        "detector_boxes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("detector_id", sa.Integer(), nullable=False),
        sa.Column("regions", JSON, nullable=False),
        sa.Column("milliseconds", sa.Float(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("drawn_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_detector_boxes_image_id")),
        sa.ForeignKeyConstraint(["detector_id"], ["detectors.id"], name=op.f("fk_detector_boxes_detector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_detector_boxes")),
        sa.UniqueConstraint("image_id", "detector_id", name=op.f("uq_detector_boxes_image_id_detector_id")),
    )
    for name in ("detectors", "detector_trials", "detector_changes"):
        protect(name)


def downgrade() -> None:
    for name in ("detector_boxes", "detector_changes", "detector_trials", "detectors"):
        op.drop_table(name)

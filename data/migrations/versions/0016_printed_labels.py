"""Printed labels are read and checked against rules and a catalogue."""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "print_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("part_type", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_print_rules_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_rules")),
        sa.UniqueConstraint("site_id", "part_type", "number", name=op.f("uq_print_rules_site_id_part_type_number")),
    )
    op.create_table(
        "catalogue_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("part_type", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_catalogue_items_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_items")),
        sa.UniqueConstraint("site_id", "sku", name=op.f("uq_catalogue_items_site_id_sku")),
    )
    op.create_table(
        "readings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("read_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_readings_image_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
    )
    op.create_index("ix_readings_image", "readings", ["image_id", "id"])
    op.create_table(
        "reading_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("checked_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["reading_id"], ["readings.id"], name=op.f("fk_reading_checks_reading_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_checks")),
        sa.UniqueConstraint("reading_id", "by", name=op.f("uq_reading_checks_reading_id_by")),
    )
    protect("print_rules")


def downgrade() -> None:
    op.drop_table("reading_checks")
    op.drop_index("ix_readings_image", "readings")
    op.drop_table("readings")
    op.drop_table("catalogue_items")
    op.drop_table("print_rules")

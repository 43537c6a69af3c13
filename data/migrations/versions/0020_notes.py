"""Notes, the functions that label them, and checks of these labels."""

import sqlalchemy as sa
from alembic import op

from data.columns import JSON, UtcTime
from data.migrations.append_only import protect

revision = "0020"
down_revision = "0019"

_GROWING = ("note_imports", "note_rules", "note_labels", "note_overrides", "note_checks")


def upgrade() -> None:
    op.create_table(
        "note_imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("imported_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_note_imports_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_imports")),
    )
    op.create_index("ix_note_imports_site", "note_imports", ["site_id", "id"])
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("said_at", UtcTime(), nullable=True),
        sa.Column("covered", JSON, nullable=False),
        sa.Column("draw", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_notes_site_id")),
        sa.ForeignKeyConstraint(["import_id"], ["note_imports.id"], name=op.f("fk_notes_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
        sa.UniqueConstraint("site_id", "fingerprint", name=op.f("uq_notes_site_id_fingerprint")),
    )
    op.create_index("ix_notes_site", "notes", ["site_id", "id"])
    op.create_table(
        "note_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_note_rules_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_rules")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_note_rules_site_id_number")),
    )
    op.create_table(
        "note_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("tally", JSON, nullable=True),
        sa.Column("upto", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("begun_at", UtcTime(), nullable=False),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_note_versions_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_versions")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_note_versions_site_id_number")),
    )
    op.create_table(
        "note_labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("note_id", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("aside", sa.String(), nullable=True),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["note_versions.id"], name=op.f("fk_note_labels_version_id")),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name=op.f("fk_note_labels_note_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_labels")),
        sa.UniqueConstraint("version_id", "note_id", name=op.f("uq_note_labels_version_id_note_id")),
    )
    op.create_index("ix_note_labels_waiting", "note_labels", ["version_id", "waiting"])
    op.create_index("ix_note_labels_note", "note_labels", ["note_id"])
    op.create_table(
        "note_overrides",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("note_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("begins", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name=op.f("fk_note_overrides_note_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_overrides")),
        sa.UniqueConstraint("note_id", "number", name=op.f("uq_note_overrides_note_id_number")),
    )
    op.create_table(
        "note_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("note_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("document", JSON, nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("checked_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name=op.f("fk_note_checks_note_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_checks")),
    )
    op.create_index("ix_note_checks_note", "note_checks", ["note_id", "id"])
    for table in _GROWING:
        protect(table)


def downgrade() -> None:
    op.drop_table("note_checks")
    op.drop_table("note_overrides")
    op.drop_table("note_labels")
    op.drop_table("note_versions")
    op.drop_table("note_rules")
    op.drop_table("notes")
    op.drop_table("note_imports")

"""Each class has a page in the defect book, with pictures in an order."""

import sqlalchemy as sa
from alembic import op

from data.columns import UtcTime
from data.migrations.append_only import protect

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "book_pages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("written_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_book_pages_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_pages")),
    )
    op.create_index("ix_book_pages_class", "book_pages", ["site_id", "class_id", "id"])
    protect("book_pages")
    op.create_table(
        "book_examples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.String(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("really", sa.String(), nullable=True),
        sa.Column("caption", sa.String(), nullable=False),
        sa.Column("x", sa.Float(), nullable=True),
        sa.Column("y", sa.Float(), nullable=True),
        sa.Column("width", sa.Float(), nullable=True),
        sa.Column("height", sa.Float(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("added_at", UtcTime(), nullable=False),
        sa.Column("removed_by", sa.String(), nullable=True),
        sa.Column("removed_at", UtcTime(), nullable=True),
        sa.CheckConstraint("kind IN ('good', 'counter', 'borderline')", name=op.f("ck_book_examples_kind")),
        sa.CheckConstraint("(x IS NULL) = (width IS NULL)", name=op.f("ck_book_examples_box")),
        sa.CheckConstraint("(kind = 'counter') = (really IS NOT NULL)", name=op.f("ck_book_examples_really")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_book_examples_site_id")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_book_examples_image_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_examples")),
    )
    there = {"sqlite_where": sa.text("removed_at IS NULL"), "postgresql_where": sa.text("removed_at IS NULL")}
    op.create_index("ix_book_examples_class", "book_examples", ["site_id", "class_id", "kind", "place"], **there)
    op.create_index("ix_book_examples_image", "book_examples", ["image_id"], **there)


def downgrade() -> None:
    op.drop_table("book_examples")
    op.drop_table("book_pages")

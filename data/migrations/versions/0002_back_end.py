"""Predictions name the library, precision and device that made them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("predictions", sa.Column("back_end", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("predictions", "back_end")

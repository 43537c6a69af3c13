"""Run by Alembic with the connection that `data.migrations.config` was given."""

from alembic import context

import data.tables  # noqa: F401 - fills the metadata
from data.columns import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()

"""The one way around append-only: inside a transaction that says in the audit trail what it did there."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection


@contextmanager
def unlocked(connection: Connection, *names: str) -> Iterator[None]:
    """Let the block change rows of append-only tables.

    Others never see the tables unprotected: both databases keep this inside the transaction.

    Args:
        connection: in a write transaction.
        names: of tables, from our own code.
    """
    if connection.dialect.name == "sqlite":
        query = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name")
        triggers = [row for name in names for row in connection.execute(query, {"name": name})]
        for trigger, _ in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        yield
        for _, made in triggers:
            connection.exec_driver_sql(made)
        return
    for name in names:
        connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    yield
    for name in names:
        connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE TRIGGER USER")

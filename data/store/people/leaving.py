"""A leaver's name, wherever a row names who did something, gives way to a number; the audit trail has none."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from data.columns import METADATA
from data.store.engine.unlocked import unlocked
from data.tables import APPEND_ONLY

_ENDS = ("by",)  # a column that names a person is called so, or ends so: proposed_by, leased_by
_NOT_NAMES = ("audit_events",)


def name_columns() -> dict[str, list[str]]:
    """Every table with its columns that hold the name of an account."""
    found = {}
    for table in METADATA.sorted_tables:
        names = [column.name for column in table.columns if column.name.split("_")[-1] in _ENDS]
        if names and table.name not in _NOT_NAMES:
            found[table.name] = names
    return found


def rename(connection: Connection, name: str, becomes: str) -> dict[str, int]:
    """Replace a name in the transaction of the act.

    Returns:
        Rows changed, by table.
    """
    columns = name_columns()
    changed: dict[str, int] = {}
    with unlocked(connection, *(table for table in columns if table in APPEND_ONLY)):
        for table, names in columns.items():
            rows = METADATA.tables[table]
            for one in names:
                done = connection.execute(sa.update(rows).where(rows.c[one] == name).values({one: becomes}))
                changed[table] = changed.get(table, 0) + done.rowcount
    return {table: count for table, count in changed.items() if count}

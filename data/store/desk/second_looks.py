"""Which answers a second person is asked for, too, and where a third has to settle it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.records import TaskKind, Verdict
from data.store.desk.labelling import standing_rows
from data.store.engine.database import Database
from data.tables import sites

_SHARE = sa.select(sites.c.second_share).where(sites.c.id == sa.bindparam("site"))


def wants_another_look(database: Database, connection: Connection, task: Any, verdict: Verdict) -> bool:
    """Whether somebody else has to look at the part of a task that was answered just now.

    Always after UNSURE; after a second look where two people differ, so that a third settles it; and after any other
    answer with the share that the site has set.

    Args:
        database: whose chance draws.
        connection: of the transaction.
        task: its row.
        verdict: of the answer.
    """
    if verdict is Verdict.UNSURE:
        return True
    if task.kind == TaskKind.SECOND_LOOK:
        return _undecided(connection, task.part_id)
    share = float(connection.scalar(_SHARE, {"site": task.site_id}) or 0)
    return share > 0 and database.draw() < share


def _undecided(connection: Connection, part_id: int) -> bool:
    """Whether as many people call the part good as call it defective."""
    last = {
        row.by: Verdict(row.verdict).defective
        for row in standing_rows(connection, [part_id])
        if row.task_id is not None and row.task_kind != TaskKind.GOLD
    }
    said = [defective for defective in last.values() if defective is not None]
    return said.count(True) == said.count(False)

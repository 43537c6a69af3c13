"""What an answer writes beside itself: regions, the end of its task, a second look, what the line is told.

Statements are built once, as in `leasing`: an answer is what the most people wait for.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput
from core.records import Region, Route, TaskKind, Verdict
from data.columns import UtcTime
from data.store.desk.leasing import NOBODYS
from data.store.line.deciding import task_values
from data.store.rows import region_values
from data.tables import IS_OPEN, decisions, images, outbox, regions, reviews, tasks

_ACT = re.compile(r"[0-9A-Za-z-]{8,64}")
_SAID = sa.select(reviews.c.id, reviews.c.task_id).where(
    reviews.c.by == sa.bindparam("me"), reviews.c.act == sa.bindparam("act_id"), reviews.c.act.is_not(None)
)
_SIZES = sa.select(images.c.id, images.c.width, images.c.height).where(images.c.part_id == sa.bindparam("part"))
_DECISION = sa.select(decisions.c.outcome, decisions.c.model, decisions.c.policy).where(
    decisions.c.id == sa.bindparam("decision")
)
_INSERT = sa.insert(reviews).returning(reviews.c.id)
_DONE = (
    sa.update(tasks)
    .where(tasks.c.id == sa.bindparam("task"))
    .values(
        NOBODYS
        | {
            "state": "done",
            "revision": sa.bindparam("now_revision", type_=sa.Integer()),
            "closed_by": sa.bindparam("me", type_=sa.String()),
            "closed_at": sa.bindparam("now", type_=UtcTime()),
        }
    )
)
_TELL = sa.insert(outbox)


def said_in(connection: Connection, me: str, act: str, task_id: int) -> int | None:
    """The review that this act of a person's stored; None when it is new.

    Raises:
        BadInput: when it is no id, or stands for the answer to another task.
    """
    if not _ACT.fullmatch(act):
        raise BadInput("An act is named by 8 to 64 letters, digits and hyphens, such as a UUID.")
    row = connection.execute(_SAID, {"me": me, "act_id": act}).one_or_none()
    if row is not None and row.task_id != task_id:
        raise BadInput(f"The act {act} stands for the answer to task {row.task_id}: give each answer its own.")
    return None if row is None else int(row.id)


def sizes_of(connection: Connection, part_id: int) -> dict[int, tuple[int, int]]:
    """Width and height of a part's images."""
    return {row.id: (row.width, row.height) for row in connection.execute(_SIZES, {"part": part_id})}


def seen_decision(connection: Connection, decision_id: int | None) -> dict[str, Any]:
    """What the answer answers: the columns of a review that say so."""
    found: dict[str, Any] = {"decision_id": decision_id, "outcome": None, "model": None, "policy": None}
    if decision_id is not None:
        found |= connection.execute(_DECISION, {"decision": decision_id}).one()._asdict()
    return found


def insert_review(connection: Connection, values: Mapping[str, Any], drawn: Mapping[int, Sequence[Region]]) -> int:
    """Write a review with its regions; its id."""
    review_id = int(connection.execute(_INSERT, values).scalar_one())
    rows = [region_values(one, image_id, review_id=review_id) for image_id, some in drawn.items() for one in some]
    if rows:
        connection.execute(sa.insert(regions), rows)
    return review_id


def close_task(connection: Connection, task_id: int, revision: int, by: str, now: datetime) -> None:
    """The task is done, at this revision."""
    connection.execute(_DONE, {"task": task_id, "now_revision": revision, "me": by, "now": now})


def ask_for_second_look(connection: Connection, row: Any, now: datetime) -> None:
    """Somebody else is asked; one open second look for a part is enough."""
    kind = str(TaskKind.SECOND_LOOK)
    open_one = sa.select(tasks.c.id).where(tasks.c.part_id == row.part_id, tasks.c.kind == kind, IS_OPEN)
    if connection.scalar(open_one) is not None:
        return
    values = task_values(row.site_id, row.part_id, TaskKind.SECOND_LOOK, row.decision_id, row.risk, row.novelty, now)
    connection.execute(sa.insert(tasks).values(values | {"rank": row.rank, "created_at": row.created_at}))


def tell_the_line(connection: Connection, row: Any, verdict: Verdict | None, review_id: int, now: datetime) -> None:
    """Where the part goes after the review, or that it is held again."""
    route = Route.HOLD
    if verdict is Verdict.PASS:
        route = Route.SHIP
    elif verdict is not None and verdict.defective:
        route = Route.REWORK
    event = {
        "topic": "review",
        "site_id": row.site_id,
        "part_id": row.part_id,
        "payload": {"review": review_id, "verdict": None if verdict is None else str(verdict), "route": str(route)},
        "created_at": now,
        "sent_at": None,
    }
    connection.execute(_TELL, event)

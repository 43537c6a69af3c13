"""Drawing parts with a known answer into the queue, in the transaction that puts other parts into it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.roles import Role
from data.store.engine.database import Database
from data.tables import IS_OPEN, decisions, gold_items, reviews, tasks, user_sites, users


def drawn_gold(database: Database, connection: Connection, site: Any, opened: int) -> list[Any]:
    """Gold items that join the tasks opened just now: part_id, decision_id, risk and novelty of each.

    Each new task brings one along with the probability that makes them the site's share of all tasks. An item is
    chosen that is not in the queue and that some inspector of the site has neither answered nor made.

    Args:
        database: whose chance draws.
        connection: of the transaction.
        site: a row of `sites`.
        opened: how many other tasks are new.
    """
    share = float(site.gold_share)
    wanted = sum(database.draw() < share / (1 - share) for _ in range(opened)) if share > 0 else 0
    if not wanted:
        return []
    free = list(connection.execute(_ASKABLE, {"site": site.id}))
    return [free.pop(int(database.draw() * len(free))) for _ in range(min(wanted, len(free)))]


def _askable() -> sa.Select[Any]:
    newer = decisions.alias("newer")
    last = decisions.c.part_id == gold_items.c.part_id
    newest = ~sa.exists().where(newer.c.part_id == decisions.c.part_id, newer.c.number > decisions.c.number)
    site = sa.bindparam("site", type_=sa.Integer())
    mine = sa.exists().where(user_sites.c.user_id == users.c.id, user_sites.c.site_id == site)
    somebody = sa.exists().where(
        users.c.role == str(Role.INSPECTOR),
        ~users.c.disabled,
        sa.or_(users.c.all_sites, mine),
        users.c.name != gold_items.c.by,
        ~sa.exists()
        .where(reviews.c.part_id == gold_items.c.part_id, reviews.c.by == users.c.name)
        .correlate(gold_items, users),
    )
    return (
        sa.select(gold_items.c.part_id, decisions.c.id.label("decision_id"), decisions.c.score.label("risk"),
                  sa.null().label("novelty"))
        .select_from(gold_items)
        .outerjoin(decisions, sa.and_(last, newest))
        .where(gold_items.c.site_id == site, gold_items.c.retired_at.is_(None), somebody)
        .where(~sa.exists().where(tasks.c.part_id == gold_items.c.part_id, IS_OPEN))
        .order_by(gold_items.c.id)
    )  # fmt: skip


_ASKABLE = _askable()

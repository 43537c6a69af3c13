"""Novel parts, written down in the transaction that holds them; the first of a day come before other work.

All of them are held. The quota says only how many are asked about first: a lamp that fails makes every part novel, and
that must not bury the queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.decision import NOT_COMPARED, PartEvidence, PartPicture
from core.decide.urgency import SOONER
from core.learn.novelty.records import QUOTA, scope_of
from core.records import TaskKind
from data.store.rows import chunks
from data.store.science.memories import memories_in_force
from data.tables import IS_OPEN, novel_parts, tasks


def all_compared(
    connection: Connection, site: Any, found: Mapping[int, PartEvidence], kinds: Mapping[int, str | None]
) -> dict[int, PartEvidence]:
    """The same evidence; where a memory judges, a picture that it has not judged says so and holds its part.

    Such a picture was scored before the memory was in force, or filed without the part type that its part has.

    Args:
        connection: of the transaction.
        site: a row of `sites`.
        found: by part.
        kinds: part type of each part; None where nobody said.
    """
    in_force = memories_in_force(connection, site.id)
    if not in_force:
        return dict(found)
    return {
        part_id: one if scope_of(in_force, kinds.get(part_id)) is None else _compared(one)
        for part_id, one in found.items()
    }


def _compared(evidence: PartEvidence) -> PartEvidence:
    return replace(evidence, pictures=tuple(_marked(one) for one in evidence.pictures))


def _marked(picture: PartPicture) -> PartPicture:
    said = picture.prediction
    missing = said is not None and said.novelty is None and picture.error is None
    return replace(picture, error=NOT_COMPARED) if missing else picture


def note_novel(
    connection: Connection, site: Any, found: Mapping[int, tuple[int, float, str | None]], now: datetime
) -> set[int]:
    """Write down which parts were held as novel, and hurry those within the day's quota.

    Call it once their tasks are open.

    Args:
        connection: of the transaction, with nobody else filing at the site.
        site: a row of `sites`.
        found: by part, the decision that holds it, its novelty and its part type's name.
        now: aware UTC.

    Returns:
        The parts that come first.
    """
    if not found:
        return set()
    known: dict[int, bool] = {}
    for some in chunks(found):
        query = sa.select(novel_parts.c.part_id, novel_parts.c.asked).where(novel_parts.c.part_id.in_(some))
        known.update(connection.execute(query).all())
    fresh = [part_id for part_id in found if part_id not in known]
    first = {part_id for part_id, asked in known.items() if asked}
    if fresh:
        asked_today = _asked_today(connection, site, now)
        quotas = memories_in_force(connection, site.id)
        rows = []
        for part_id in sorted(fresh, key=lambda one: (-found[one][1], one)):
            decision, novelty, kind = found[part_id]
            scope = scope_of(quotas, kind)
            asked = asked_today < (QUOTA if scope is None else scope.quota)
            asked_today += asked
            if asked:
                first.add(part_id)
            rows.append({"site_id": site.id, "part_id": part_id, "decision_id": decision, "novelty": novelty,
                         "asked": asked, "found_at": now})  # fmt: skip
        connection.execute(sa.insert(novel_parts), rows)
    hurry(connection, sorted(first))
    return first


def hurry(connection: Connection, part_ids: Sequence[int]) -> None:
    """Let the open triage tasks of parts come sooner; call it after their rank was written."""
    for some in chunks(part_ids):
        mine = [tasks.c.part_id.in_(some), tasks.c.kind == str(TaskKind.TRIAGE), IS_OPEN]
        connection.execute(sa.update(tasks).where(*mine).values(rank=tasks.c.rank - SOONER))


def _asked_today(connection: Connection, site: Any, now: datetime) -> int:
    """How many came first since midnight, on the site's own clock."""
    midnight = now.astimezone(ZoneInfo(site.timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    today = [novel_parts.c.site_id == site.id, novel_parts.c.asked, novel_parts.c.found_at >= midnight]
    return int(connection.scalar(sa.select(sa.func.count()).where(*today)) or 0)

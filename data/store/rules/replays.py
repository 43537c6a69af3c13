"""Replays: the parts of the last weeks with their evidence, and what became known of them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.decision import score_of
from core.decide.labels import IMPORT
from core.decide.replay import PastPart
from core.records import Outcome
from core.roles import Action
from data.store.base import SubStore, site_row
from data.store.line.deciding import evidence, lines_of, reading_of
from data.store.line.part_types import part_types_by_id
from data.store.rows import chunks
from data.tables import decisions, images, label_classes, labels, parts

MOST = 20_000  # parts of one replay; older ones are left out


class Replays(SubStore):
    """For whoever sets a site's policy."""

    def parts(self, site: str, since: datetime, until: datetime | None = None, most: int = MOST) -> list[PastPart]:
        """Parts whose first decision fell into a time, newest first.

        A part has been drawn with a known probability where the plant held it (1) or audited it (the share at that
        moment). Scores are read as the site reads them now. A label that came otherwise, by an import or because
        somebody asked, says what a part is, but not for how many others it stands.

        Args:
            site: its name.
            since: decided then or later.
            until: decided before; now where none is given.
            most: at most so many.
        """
        end = self.now(until)
        with self.seeing(Action.POLICY) as (connection, rights):
            at: Any = site_row(connection, site)
            rights.need(Action.POLICY, at.id)
            query = (
                sa.select(parts, *(decisions.c[name] for name in ("outcome", "score", "audit_share", "audited")),
                          decisions.c.decided_at)
                .join(decisions, sa.and_(decisions.c.part_id == parts.c.id, decisions.c.number == 1))
                .where(parts.c.site_id == at.id, decisions.c.decided_at >= since, decisions.c.decided_at < end)
                .order_by(decisions.c.decided_at.desc(), parts.c.id.desc())
                .limit(most)
            )  # fmt: skip
            rows = connection.execute(query).all()
            types = part_types_by_id(connection, at.id)
            found = evidence(connection, rows, types, timed_out=True, reading=reading_of(at)[0])
            said, classes = _labels(connection, [row.id for row in rows])
            from_lines = lines_of(connection, [row.id for row in rows])
            return [
                PastPart(
                    part_id=row.id,
                    decided_at=row.decided_at,
                    evidence=found[row.id],
                    was=Outcome(row.outcome),
                    score=score_of(found[row.id]),
                    lines=tuple(from_lines.get(row.id, (None,))),
                    part_type=types[row.part_type_id].name if row.part_type_id in types else None,
                    defective=said[row.id][0] if row.id in said else None,
                    probability=_probability(row) if row.id in said and not said[row.id][1] else None,
                    audited=bool(row.audited),
                    classes=frozenset(classes.get(row.id, ())),
                )
                for row in rows
            ]


def _probability(row: Any) -> float | None:
    if row.outcome == Outcome.HOLD:
        return 1.0
    return float(row.audit_share) if row.audited and row.audit_share > 0 else None


def _labels(
    connection: Connection, part_ids: Iterable[int]
) -> tuple[dict[int, tuple[bool, bool]], dict[int, set[str]]]:
    """By part: whether it is defective, and whether only an import says so; and its classes."""
    said: dict[int, tuple[bool, bool]] = {}
    classes: dict[int, set[str]] = defaultdict(set)
    for some in chunks(part_ids):
        query = (
            sa.select(images.c.part_id, labels.c.defective, labels.c.by)
            .join(labels, labels.c.image_id == images.c.id)
            .where(images.c.part_id.in_(some))
        )
        for row in connection.execute(query):
            bad, imported = said.get(row.part_id, (False, True))
            said[row.part_id] = (bad or bool(row.defective), imported and str(row.by).startswith(IMPORT))
        named = (
            sa.select(images.c.part_id, label_classes.c.class_id)
            .join(label_classes, label_classes.c.image_id == images.c.id)
            .where(images.c.part_id.in_(some), label_classes.c.class_id.is_not(None))
        )
        for part_id, class_id in connection.execute(named):
            classes[part_id].add(class_id)
    return said, classes

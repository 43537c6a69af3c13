"""Auditing: what the estimates of audits and the figures about people's answers are made of."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.audits.estimates import Cell, Eyes, Look, Stratum
from core.audits.facts import AuditFacts, Said
from core.decide.labels import IMPORT, Answer, settled
from core.decide.leaning import EVEN
from core.records import Outcome, TaskKind, Verdict
from core.roles import Action
from data.store.base import SubStore, site_row
from data.store.desk.labelling import drawn_regions, review_of, standing_rows
from data.store.rows import chunks
from data.store.rules.in_force import policies_in_force
from data.tables import decisions, gold_items, images, parts, reviews

# Edges of the score bins within which an answered part stands for others; narrower at both ends, where most parts lie.
EDGES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)
_DAY_S = 86400.0


class Auditing(SubStore):
    """For whoever sets a site's policy; a single person's answers are never told to another."""

    def facts(self, site: str, since: datetime, until: datetime | None = None) -> AuditFacts:
        """What was decided at a site in a time, and what people said of the parts that were drawn or held.

        Args:
            site: its name.
            since: decided then or later.
            until: decided before; now where none is given.
        """
        end = self.now(until)
        with self.seeing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            # Adding nothing keeps SQLite from going through every part that the site has ever made.
            here = parts.c.site_id + sa.literal_column("0") == row.id
            within = [here, decisions.c.decided_at >= since, decisions.c.decided_at < end]
            cells = tuple(
                Cell(Outcome(one.outcome), _stratum(one), one.parts, float(one.scores or 0.0))
                for one in connection.execute(_cells(within))
            )
            drawn = connection.execute(_drawn(within)).all()
            answers = _answers(connection, drawn)
            first, final, leanings = [], [], []
            waiting: Counter[str] = Counter()
            for one in drawn:
                mine = answers.get(one.part_id, [])
                if not mine:
                    waiting[one.outcome] += 1
                    continue
                share = 1.0 if one.outcome == Outcome.HOLD else float(one.audit_share)
                common = (Outcome(one.outcome), _stratum(one), share)
                first.append(Look(*common, bool(mine[0].review.verdict.defective), one.score))
                final.append(Look(*common, bool(settled(mine).defective), one.score))
                leanings.append(one.score is not None and one.score >= EVEN)
            return AuditFacts(
                cells=cells,
                first=tuple(first),
                settled=tuple(final),
                leanings=tuple(leanings),
                waiting=dict(waiting),
                eyes=_eyes(connection, row.id),
                days=max(1.0, (end - since).total_seconds() / _DAY_S),
                pass_share=_pass_share(connection, row.id, site, within),
            )

    def said(self, site: str, since: datetime | None = None) -> list[Said]:
        """Sure answers about parts that more than one person was asked about, and about gold items, oldest first."""
        with self.seeing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            kinds = (str(TaskKind.SECOND_LOOK), str(TaskKind.GOLD))
            query = sa.select(reviews.c.part_id).where(reviews.c.site_id == row.id, reviews.c.task_kind.in_(kinds))
            if since is not None:
                query = query.where(reviews.c.reviewed_at >= since)
            wanted = sorted(set(connection.scalars(query)))
            items = sa.select(gold_items).where(gold_items.c.site_id == row.id, gold_items.c.retired_at.is_(None))
            gold = {one.part_id: one for one in connection.execute(items)}
            rows = [
                one
                for one in standing_rows(connection, wanted)
                if _by_person(one) and (one.task_kind != TaskKind.GOLD or one.part_id in gold)
            ]
            drawn = drawn_regions(connection, [one.id for one in rows])
            found = []
            for one in rows:
                review = review_of(one, drawn)
                known = gold.get(one.part_id) if one.task_kind == TaskKind.GOLD else None
                boxes = {image: some for image, some in review.regions.items() if some}
                names = [box.class_id or box.name for some in boxes.values() for box in some]
                found.append(
                    Said(
                        part_id=one.part_id,
                        by=one.by,
                        defective=bool(review.verdict.defective),
                        classes=tuple(dict.fromkeys([*names, *review.classes])),
                        regions=boxes,
                        known=None if known is None else known.defective,
                        known_classes=() if known is None else tuple(known.classes),
                    )
                )
            return found


def _pass_share(connection: Connection, site_id: int, site: str, within: list[Any]) -> float | None:
    """Of the policy in force; where lines, part types or scores have shares of their own, as it was in the time.

    Then it is the one share that would tell as much: each pass counts by its score, which is how likely it is to be
    defective, and 1 / share is what an audit of it stands for; a sum of those is what the variance grows with.
    """
    in_force = policies_in_force(connection, site_id, site)
    if len(in_force) == 1 and not in_force[0].audit_steps:
        return in_force[0].audit_pass
    passed = [*within, decisions.c.outcome == str(Outcome.PASS)]
    share, score = decisions.c.audit_share, decisions.c.score
    unseen = sa.func.sum(sa.case((share > 0, 0), else_=1))
    query = sa.select(
        sa.func.sum(score), sa.func.sum(sa.case((share > 0, score / share))), unseen, sa.func.count()
    ).join(parts, parts.c.id == decisions.c.part_id)  # fmt: skip
    scores, counted, never, n = connection.execute(query.where(*passed)).one()
    if not n:
        return None
    if never or not scores or not counted:  # some passed unaudited: those stand for nobody
        plain = sa.select(sa.func.avg(share)).join(parts, parts.c.id == decisions.c.part_id).where(*passed)
        return float(connection.scalar(plain) or 0.0)
    return float(scores / counted)


def _by_person(row: Any) -> bool:
    return row.task_id is not None and row.verdict != Verdict.UNSURE and not row.by.startswith(IMPORT)


def _bin() -> sa.ColumnElement[int]:
    """The score's bin; the last one for a part that could not be scored."""
    score = decisions.c.score
    rungs = [(score < edge, number) for number, edge in enumerate(EDGES)]
    return sa.case((score.is_(None), len(EDGES) + 1), *rungs, else_=len(EDGES)).label("bin")


def _kinds(within: list[Any], *more: Any) -> sa.Select[Any]:
    """Decisions in force with what divides them."""
    newer = decisions.alias("newer")
    line = sa.select(sa.func.min(images.c.line_id)).where(images.c.part_id == parts.c.id).scalar_subquery()
    return (
        sa.select(decisions.c.outcome, _bin(), line.label("line"), parts.c.part_type_id.label("kind"),
                  decisions.c.score, *more)
        .join(parts, parts.c.id == decisions.c.part_id)
        .where(*within)
        .where(~sa.exists().where(newer.c.part_id == decisions.c.part_id, newer.c.number > decisions.c.number))
    )  # fmt: skip


def _cells(within: list[Any]) -> sa.Select[Any]:
    one = _kinds(within).subquery()
    keys = (one.c.outcome, one.c.bin, one.c.line, one.c.kind)
    return sa.select(*keys, sa.func.count().label("parts"), sa.func.sum(one.c.score).label("scores")).group_by(*keys)


def _drawn(within: list[Any]) -> sa.Select[Any]:
    looked_at = sa.or_(decisions.c.audited, decisions.c.outcome == str(Outcome.HOLD))
    columns = (decisions.c.part_id, decisions.c.audit_share, decisions.c.decided_at)
    return _kinds([*within, looked_at], *columns).order_by(decisions.c.id)


def _stratum(row: Any) -> Stratum:
    return (f"bin {row.bin:02}", f"line {row.line or 0}", f"type {row.kind or 0}")


def _answers(connection: Connection, drawn: Iterable[Any]) -> dict[int, list[Answer]]:
    """Sure answers of people since the decision, by part, oldest first."""
    decided = {row.part_id: row.decided_at for row in drawn}
    found: dict[int, list[Answer]] = {}
    for some in chunks(decided):
        for row in standing_rows(connection, some):
            kept = row.task_kind != TaskKind.GOLD and row.reviewed_at >= decided[row.part_id]
            if _by_person(row) and kept:
                answer = Answer(review_of(row, {}), TaskKind(row.task_kind))
                found.setdefault(row.part_id, []).append(answer)
    return found


def _eyes(connection: Connection, site_id: int) -> Eyes:
    """How often standing sure answers to gold items were right."""
    undo = reviews.alias("undo")
    bad = sa.case((reviews.c.verdict == "PASS", 0), else_=1).label("said")
    query = (
        sa.select(gold_items.c.defective, bad, sa.func.count().label("n"))
        .join(reviews, reviews.c.part_id == gold_items.c.part_id)
        .where(gold_items.c.site_id == site_id, gold_items.c.retired_at.is_(None))
        .where(reviews.c.task_kind == str(TaskKind.GOLD), reviews.c.undoes.is_(None), reviews.c.verdict != "UNSURE")
        .where(~sa.exists().where(undo.c.undoes == reviews.c.id))
        .group_by(gold_items.c.defective, bad)
    )
    counts = {(bool(row.defective), bool(row.said)): int(row.n) for row in connection.execute(query)}
    on_bad = counts.get((True, True), 0) + counts.get((True, False), 0)
    on_good = counts.get((False, True), 0) + counts.get((False, False), 0)
    return Eyes(counts.get((True, True), 0), on_bad, counts.get((False, False), 0), on_good)

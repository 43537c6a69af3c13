"""Gold: parts with a known answer, and how a site checks its own eyes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.audits.facts import GoldItem, Shares
from core.errors import BadInput, Conflict, NotFound
from core.records import LabelStatus, TaskKind
from core.roles import Action
from data.store.base import SubStore, site_row
from data.store.desk.leasing import NOBODYS
from data.store.line.parts import part_row
from data.store.rules.in_force import taxonomy_in_force
from data.store.science.book import in_book
from data.store.trail.audit import entry, record
from data.tables import IS_OPEN, gold_items, images, labels, parts, reviews, sites, tasks


class Gold(SubStore):
    """Whoever sets a site's policy vouches for its gold items; what people answer to them is told of nobody alone."""

    def shares(self, site: str) -> Shares:
        """How often known parts and second people are asked."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            return Shares(row.gold_share, row.second_share)

    def set_shares(self, site: str, shares: Shares, reason: str, now: datetime | None = None) -> None:
        """Set them; from the next task and the next answer on.

        While either is above 0, inspectors of the site answer before they see what the model or anybody else says.

        Raises:
            BadInput: without a reason.
        """
        why = _reason(reason, "these shares")
        with self.writing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site, lock=True)
            rights.need(Action.POLICY, row.id)
            values = {"gold_share": shares.gold, "second_share": shares.second}
            connection.execute(sa.update(sites).where(sites.c.id == row.id).values(values))
            old = asdict(Shares(row.gold_share, row.second_share))
            record(connection, entry(self.now(now), self.actor.name, "eyes checked", f"site {site}", site_id=row.id,
                                     old=old, new=asdict(shares), reason=why))  # fmt: skip

    def add(
        self, part_id: int, defective: bool, reason: str, classes: Sequence[str] = (), now: datetime | None = None
    ) -> int:
        """Vouch for the answer about a part.

        Args:
            part_id: of the part.
            defective: the known answer.
            reason: how it is known.
            classes: what is wrong, by class id; none for a good part.
            now: aware UTC.

        Returns:
            The item's id.

        Raises:
            BadInput: without a reason, or for classes that the site does not have or a good part cannot have.
            Conflict: when the part is in the queue, or a gold item already.
        """
        why = _reason(reason, "this answer is known")
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            part = part_row(connection, part_id)
            rights.need(Action.POLICY, part.site_id)
            self.database.one_at_a_time(connection, "filing", part.site_id)
            chosen = sorted(set(classes))
            unknown = sorted(set(chosen) - set(taxonomy_in_force(connection, part.site_id)[1].ids))
            if unknown or (chosen and not defective):
                raise BadInput(f"{', '.join(unknown or chosen)}: no class that this part can have at {part.site}.")
            if connection.scalar(sa.select(tasks.c.id).where(tasks.c.part_id == part_id, IS_OPEN).limit(1)) is not None:
                raise Conflict("The part is in the queue: its answer is known only when nobody is asked any more.")
            if in_book(connection, part_id):
                raise Conflict("A picture of the part is in the defect book: everybody can read there what it shows.")
            known = sa.select(gold_items.c.id).where(gold_items.c.part_id == part_id, gold_items.c.retired_at.is_(None))
            if connection.scalar(known) is not None:
                raise Conflict(f"Part {part.name} is a gold item already: retire it first to change its answer.")
            values = {"site_id": part.site_id, "part_id": part_id, "defective": defective, "classes": chosen,
                      "reason": why, "by": self.actor.name, "made_at": when, "retired_by": None, "retired_at": None,
                      "retired_reason": ""}  # fmt: skip
            item = int(connection.execute(sa.insert(gold_items).values(values).returning(gold_items.c.id)).scalar_one())
            record(connection, entry(when, self.actor.name, "gold item made", f"part {part_id}", site_id=part.site_id,
                                     new={"item": item, "defective": defective, "classes": chosen},
                                     reason=why))  # fmt: skip
            return item

    def retire(self, item_id: int, reason: str, now: datetime | None = None) -> None:
        """Ask it no more; answers to it do not count any longer, and an open task about it is withdrawn.

        Raises:
            NotFound: when there is none of that id.
            Conflict: when it is retired already.
        """
        why = _reason(reason, "it goes")
        when = self.now(now)
        with self.writing(Action.POLICY) as (connection, rights):
            row = connection.execute(sa.select(gold_items).where(gold_items.c.id == item_id)).one_or_none()
            if row is None:
                raise NotFound(f"There is no gold item {item_id}.")
            rights.need(Action.POLICY, row.site_id)
            if row.retired_at is not None:
                raise Conflict(f"Gold item {item_id} was retired by {row.retired_by} already.")
            gone = {"retired_by": self.actor.name, "retired_at": when, "retired_reason": why}
            connection.execute(sa.update(gold_items).where(gold_items.c.id == item_id).values(gone))
            about_it = (tasks.c.part_id == row.part_id) & (tasks.c.kind == str(TaskKind.GOLD)) & IS_OPEN
            closed = {"state": "withdrawn", "closed_by": self.actor.name, "closed_at": when}
            connection.execute(sa.update(tasks).where(about_it).values(NOBODYS | closed))
            record(connection, entry(when, self.actor.name, "gold item retired", f"part {row.part_id}",
                                     site_id=row.site_id, old={"item": item_id, "defective": row.defective},
                                     reason=why))  # fmt: skip

    def items(self, site: str, retired: bool = False) -> list[GoldItem]:
        """The site's items, the newest first, with how often all people together were right."""
        with self.seeing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            query = (
                sa.select(gold_items, parts.c.name.label("part"))
                .join(parts, parts.c.id == gold_items.c.part_id)
                .where(gold_items.c.site_id == row.id)
                .order_by(gold_items.c.id.desc())
            )
            if not retired:
                query = query.where(gold_items.c.retired_at.is_(None))
            found = connection.execute(query).all()
            answered = _answered(connection, row.id)
            return [_item(one, answered.get((one.part_id, True), 0), answered.get((one.part_id, False), 0))
                    for one in found]  # fmt: skip

    def candidates(self, site: str, limit: int = 20) -> list[tuple[int, str, bool, tuple[str, ...]]]:
        """Parts whose answer two people or more have settled: part id, name, whether it is defective, reviewed by.

        The newest first; what is in the queue or is a gold item already is left out.
        """
        with self.seeing(Action.POLICY) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.POLICY, row.id)
            settled = (str(LabelStatus.AGREED), str(LabelStatus.ADJUDICATED))
            # Of several pictures of a part, one that shows the defect tells.
            query = (
                sa.select(parts.c.id, parts.c.name, sa.func.max(sa.case((labels.c.defective, 1), else_=0)).label("bad"))
                .join(images, images.c.id == labels.c.image_id)
                .join(parts, parts.c.id == images.c.part_id)
                .where(labels.c.site_id == row.id, labels.c.status.in_(settled))
                .where(~sa.exists().where(tasks.c.part_id == parts.c.id, IS_OPEN))
                .where(~sa.exists().where(gold_items.c.part_id == parts.c.id, gold_items.c.retired_at.is_(None)))
                .group_by(parts.c.id, parts.c.name)
                .order_by(sa.func.max(labels.c.labelled_at).desc(), parts.c.id.desc())
                .limit(limit)
            )
            found = connection.execute(query).all()
            by = sa.select(reviews.c.part_id, reviews.c.by).where(reviews.c.part_id.in_([one.id for one in found]))
            people: dict[int, set[str]] = {}
            for one in connection.execute(by):
                people.setdefault(one.part_id, set()).add(one.by)
            return [(one.id, one.name, bool(one.bad), tuple(sorted(people.get(one.id, ())))) for one in found]


def _reason(reason: str, what: str) -> str:
    if not reason.strip():
        raise BadInput(f"Say in a sentence why {what}: it is kept with the act.")
    return reason.strip()


def _answered(connection: Connection, site_id: int) -> dict[tuple[int, bool], int]:
    """How many standing sure answers each gold part has, by part and whether they called it defective."""
    undo = reviews.alias("undo")
    said = sa.case((reviews.c.verdict == "PASS", 0), else_=1).label("said")
    query = (
        sa.select(reviews.c.part_id, said, sa.func.count().label("n"))
        .where(reviews.c.site_id == site_id, reviews.c.task_kind == str(TaskKind.GOLD), reviews.c.undoes.is_(None))
        .where(reviews.c.verdict != "UNSURE", ~sa.exists().where(undo.c.undoes == reviews.c.id))
        .group_by(reviews.c.part_id, said)
    )
    return {(row.part_id, bool(row.said)): row.n for row in connection.execute(query)}


def _item(row: Any, called_bad: int, called_good: int) -> GoldItem:
    return GoldItem(
        id=row.id,
        part_id=row.part_id,
        part=row.part,
        defective=row.defective,
        classes=tuple(row.classes),
        reason=row.reason,
        by=row.by,
        made_at=row.made_at,
        answered=called_bad + called_good,
        right=called_bad if row.defective else called_good,
        retired_by=row.retired_by,
        retired_at=row.retired_at,
    )

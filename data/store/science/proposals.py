"""Novel parts, and the classes that are proposed from those which people found defective and no class fits."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotFound
from core.learn.novelty.records import NovelPart, Proposal, ProposalState, Suggested
from core.records import TaskKind
from core.roles import Action
from core.taxonomy import DefectClass
from data.store.base import SubStore, site_row
from data.store.desk.queue import open_task
from data.store.line.parts import part_row
from data.store.rows import chunks
from data.store.rules.in_force import append_version, taxonomy_in_force
from data.store.trail.audit import entry, record
from data.tables import (
    IS_OPEN,
    class_proposals,
    images,
    label_classes,
    labels,
    novel_parts,
    part_types,
    parts,
    sites,
    tasks,
)

MOST_NOVEL = 2000
SAME = 0.5  # of a proposal's parts: one that shares more with another is the same
_PROPOSAL = sa.select(class_proposals, sites.c.name.label("site")).join(sites, sites.c.id == class_proposals.c.site_id)


class Proposals(SubStore):
    """Nothing becomes a class before a person has said so."""

    def novel(self, site: str, limit: int = MOST_NOVEL) -> list[NovelPart]:
        """Parts that resembled nothing known good, the newest first, with what people say of them."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = (
                sa.select(novel_parts, part_types.c.name.label("part_type"))
                .join(parts, parts.c.id == novel_parts.c.part_id)
                .outerjoin(part_types, part_types.c.id == parts.c.part_type_id)
                .where(novel_parts.c.site_id == row.id)
                .order_by(novel_parts.c.id.desc())
                .limit(limit)
            )
            rows = connection.execute(query).all()
            return _with_pictures(connection, rows)

    def propose(
        self, site: str, model: str, suggested: Sequence[Suggested], now: datetime | None = None
    ) -> list[Proposal]:  # fmt: skip
        """Enter what may be classes; what was proposed before, and is open or was answered, is passed over.

        Returns:
            The new ones.
        """
        when = self.now(now)
        with self.writing(Action.DATASET) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.DATASET, row.id)
            self.database.one_at_a_time(connection, "class proposals", row.id)
            query = sa.select(class_proposals.c.document).where(class_proposals.c.site_id == row.id)
            known = [set(document["part_ids"]) for document in connection.scalars(query)]
            made = []
            for one in suggested:
                mine = set(one.part_ids)
                if not mine or any(len(mine & theirs) > SAME * len(mine) for theirs in known):
                    continue
                known.append(mine)
                document = {"image_ids": list(one.image_ids), "part_ids": list(one.part_ids),
                            "apart": one.apart, "model": model}  # fmt: skip
                values = {"site_id": row.id, "state": str(ProposalState.OPEN), "document": document,
                          "by": self.actor.name, "made_at": when, "answer": ""}  # fmt: skip
                insert = sa.insert(class_proposals).values(values).returning(class_proposals.c.id)
                number = connection.execute(insert).scalar_one()
                record(connection, entry(when, self.actor.name, "class proposed", f"class proposal {number}",
                                         site_id=row.id, new=document))  # fmt: skip
                made.append(_proposal(_row(connection, number)))
            return made

    def all(self, site: str, state: ProposalState | None = None) -> list[Proposal]:
        """Of a site, the newest first."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = _PROPOSAL.where(class_proposals.c.site_id == row.id).order_by(class_proposals.c.id.desc())
            if state is not None:
                query = query.where(class_proposals.c.state == str(state))
            return [_proposal(one) for one in connection.execute(query)]

    def accept(
        self, number: int, class_id: str, label: str, reason: str, description: str = "", now: datetime | None = None
    ) -> Proposal:
        """Make it a class of the site: a new taxonomy version, and its parts are asked about once more, by its name.

        Args:
            number: of the proposal.
            class_id: of the new class.
            label: as people read it; the id where empty.
            reason: why it is a class of its own.
            description: for whoever has to tell it from others.
            now: aware UTC.

        Raises:
            Conflict: it was answered already, or the site has such a class.
            BadInput: without a reason, or a name that cannot be one.
        """
        if not reason.strip():
            raise BadInput("A new class needs a reason: say in a sentence what sets it apart from the others.")
        when = self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            row = self._open(connection, rights, number)
            self.database.one_at_a_time(connection, "taxonomy", row.site_id)
            _, taxonomy = taxonomy_in_force(connection, row.site_id)
            name = class_id.strip()
            means = taxonomy.match(name) or (taxonomy.match(label) if label.strip() else None)
            if means is not None:
                raise Conflict(f"'{name}' means {means} already: choose another name, or decline the proposal.")
            wider = taxonomy.with_class(DefectClass(name, label.strip(), description.strip()))
            if not taxonomy.classes:
                wider = type(taxonomy)(row.site, "1", wider.classes)
            version = append_version(connection, row.site_id, row.site, wider, f"{name}: {reason.strip()}",
                                     self.actor.name, when)  # fmt: skip
            opened = self._ask_again(connection, row, when)
            self._answer(connection, row, ProposalState.ACCEPTED, reason, when, name, version, opened)
            return _proposal(_row(connection, number))

    def decline(self, number: int, reason: str, now: datetime | None = None) -> Proposal:
        """Say that it is no class of its own; it is not proposed again.

        Raises:
            Conflict: it was answered already.
        """
        if not reason.strip():
            raise BadInput("Declining needs a reason: say in a sentence what these parts are instead.")
        when = self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            row = self._open(connection, rights, number)
            self._answer(connection, row, ProposalState.DECLINED, reason, when)
            return _proposal(_row(connection, number))

    def _open(self, connection: Connection, rights: Any, number: int) -> Any:
        row = _row(connection, number)
        rights.need(Action.TAXONOMY, row.site_id)
        self.database.one_at_a_time(connection, "class proposals", row.site_id)
        row = _row(connection, number)  # as it is now that nobody else answers
        if row.state != str(ProposalState.OPEN):
            raise Conflict(f"{row.answered_by} has {row.state} this proposal already.")
        return row

    def _answer(
        self, connection: Connection, row: Any, state: ProposalState, reason: str, when: datetime,
        class_id: str | None = None, taxonomy: int | None = None, opened: int = 0,
    ) -> None:  # fmt: skip
        values = {"state": str(state), "class_id": class_id, "taxonomy": taxonomy, "answered_by": self.actor.name,
                  "answered_at": when, "answer": reason.strip()}  # fmt: skip
        connection.execute(sa.update(class_proposals).where(class_proposals.c.id == row.id).values(values))
        new = {"state": str(state), "class": class_id, "taxonomy": taxonomy, "label_tasks": opened}
        record(connection, entry(when, self.actor.name, f"class {state}", f"class proposal {row.id}",
                                 site_id=row.site_id, old={"state": row.state}, new=new,
                                 reason=reason.strip()))  # fmt: skip

    def _ask_again(self, connection: Connection, row: Any, when: datetime) -> int:
        """Open label tasks for the proposal's parts that wait for none; how many."""
        self.database.one_at_a_time(connection, "filing", row.site_id)
        wanted = [int(one) for one in row.document["part_ids"]]
        waits: set[int] = set()
        for some in chunks(wanted):
            query = sa.select(tasks.c.part_id).where(tasks.c.part_id.in_(some), IS_OPEN)
            waits |= set(connection.scalars(query))
        fresh = [part_id for part_id in wanted if part_id not in waits]
        for part_id in fresh:
            open_task(connection, part_row(connection, part_id), TaskKind.LABEL, when)
        return len(fresh)


def _with_pictures(connection: Connection, rows: Sequence[Any]) -> list[NovelPart]:
    ids = [row.part_id for row in rows]
    shown: dict[int, list[Any]] = {}
    named: dict[int, set[str]] = {}
    for some in chunks(ids):
        query = (
            sa.select(images.c.part_id, images.c.id, images.c.path, images.c.sha256, labels.c.defective)
            .outerjoin(labels, labels.c.image_id == images.c.id)
            .where(images.c.part_id.in_(some), images.c.width > 0)
            .order_by(images.c.id)
        )
        for one in connection.execute(query):
            shown.setdefault(one.part_id, []).append(one)
        classes = (
            sa.select(images.c.part_id, label_classes.c.class_id)
            .join(label_classes, label_classes.c.image_id == images.c.id)
            .where(images.c.part_id.in_(some), label_classes.c.class_id.is_not(None))
        )
        for naming in connection.execute(classes):
            named.setdefault(naming.part_id, set()).add(naming.class_id)
    found = []
    for row in rows:
        pictures = shown.get(row.part_id, [])
        said = [one.defective for one in pictures if one.defective is not None]
        found.append(
            NovelPart(
                row.part_id, row.novelty, row.asked, row.found_at, any(said) if said else None,
                tuple(sorted(named.get(row.part_id, ()))), tuple(one.id for one in pictures),
                tuple(one.path for one in pictures), tuple(one.sha256 for one in pictures), row.part_type,
            )
        )  # fmt: skip
    return found


def _row(connection: Connection, number: int) -> Any:
    row = connection.execute(_PROPOSAL.where(class_proposals.c.id == number)).one_or_none()
    if row is None:
        raise NotFound(f"There is no class proposal {number}.")
    return row


def _proposal(row: Any) -> Proposal:
    document = row.document
    return Proposal(
        row.id, row.site, ProposalState(row.state), _numbers(document["image_ids"]), _numbers(document["part_ids"]),
        float(document["apart"]), str(document["model"]), row.by, row.made_at, row.class_id, row.answered_by,
        row.answered_at, row.answer,
    )  # fmt: skip


def _numbers(values: Iterable[Any]) -> tuple[int, ...]:
    return tuple(int(one) for one in values)

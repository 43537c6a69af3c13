"""Selections: batches of pictures to be labelled, proposed first and sent into the one queue when somebody says so."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import BadInput, Conflict, NotFound
from core.learn.select.batches import Batch, BatchState, Candidate, Item, Proposed
from core.records import ImageState, TaskKind
from core.roles import Action
from data.store.base import Rights, SubStore, site_row, within
from data.store.desk.labelling import standing_rows
from data.store.desk.queue import open_task
from data.store.line.parts import part_row
from data.store.rows import CHUNK, chunks
from data.store.trail.audit import entry, record
from data.tables import (
    IS_OPEN,
    cameras,
    gold_items,
    images,
    label_classes,
    labels,
    part_types,
    predictions,
    selection_items,
    selections,
    sites,
    tasks,
)

AT_ONCE = 20  # tasks opened in one transaction: reviewers must not wait behind a large batch
MOST_ITEMS = 100_000
_RELABELS = "relabel-suspects"


class Selections(SubStore):
    """Only who builds datasets sees why a picture was chosen: a reviewer must not know which task is of a batch."""

    def candidates(self, site: str | None = None, labelled: bool = False, model: str | None = None) -> list[Candidate]:
        """Readable pictures that nobody is asked about now, by id: those without a label, or those with one.

        A part that waits in the queue will be answered anyway, and one with a known answer teaches nothing.

        Args:
            site: only of one site; None for all that the actor sees.
            labelled: those that have a label instead, open tasks or not.
            model: whose novelty comes along.
        """
        with self.seeing(Action.DATASET) as (connection, rights):
            asked = None
            if site is not None:
                at: Any = site_row(connection, site)
                rights.need(Action.DATASET, at.id)
                asked = at.id
            found: list[Candidate] = []
            last = 0
            while True:
                query = _candidates(rights, asked, labelled, model).where(images.c.id > last).limit(20 * CHUNK)
                rows = connection.execute(query).all()
                if not rows:
                    return found
                last = rows[-1].id
                ids = [row.id for row in rows]
                named = _names(connection, ids) if labelled else {}
                by = _asked_by(connection, ids) if labelled else {}
                found += [_candidate(row, named.get(row.id, ()), by.get(row.id)) for row in rows]

    def propose(
        self,
        strategy: str,
        model: str,
        model_sha256: str,
        picks: Sequence[Proposed],
        asked: Mapping[str, Any],
        facts: Mapping[str, Any],
        price: float,
        seconds: float,
        now: datetime | None = None,
    ) -> int:
        """Keep a batch that was chosen; nobody is asked yet.

        Returns:
            Its number.

        Raises:
            BadInput: nothing was chosen, or one part twice.
            NotFound: a picture that is not there.
        """
        if not 0 < len(picks) <= MOST_ITEMS:
            raise BadInput(f"A batch of {len(picks)} pictures: choose 1 to {MOST_ITEMS:,}.")
        when = self.now(now)
        with self.writing(Action.DATASET) as (connection, rights):
            places: dict[int, Any] = {}
            for some in chunks(one.image_id for one in picks):
                query = sa.select(images.c.id, images.c.part_id, images.c.site_id).where(images.c.id.in_(some))
                places.update((row.id, row) for row in connection.execute(query))
            missing = [one.image_id for one in picks if one.image_id not in places]
            if missing:
                raise NotFound(f"There is no image {missing[0]}: choose anew.")
            for site_id in {row.site_id for row in places.values()}:
                rights.need(Action.DATASET, site_id)
            if len({places[one.image_id].part_id for one in picks}) < len(picks):
                raise BadInput("A part is in the batch twice: one of its pictures is enough to ask about it.")
            values = {
                "state": str(BatchState.PROPOSED), "strategy": strategy, "model": model, "model_sha256": model_sha256,
                "asked": dict(asked), "facts": dict(facts), "price": price, "seconds": seconds, "by": self.actor.name,
                "made_at": when, "sent_by": None, "sent_at": None,
            }  # fmt: skip
            number = int(
                connection.execute(sa.insert(selections).values(values).returning(selections.c.id)).scalar_one()
            )
            connection.execute(
                sa.insert(selection_items),
                [
                    {
                        "selection_id": number, "place": place, "image_id": one.image_id,
                        "part_id": places[one.image_id].part_id, "site_id": places[one.image_id].site_id,
                        "arm": one.arm, "value": one.value, "why": one.why, "chance": one.chance,
                        "point": None if one.point is None else list(one.point), "task_id": None, "again": False,
                        "skipped": "",
                    }
                    for place, one in enumerate(picks)
                ],
            )  # fmt: skip
            record(connection, entry(when, self.actor.name, "labelling batch proposed", f"selection {number}",
                                     new={"strategy": strategy, "model": model, "pictures": len(picks)}))  # fmt: skip
            return number

    def send(self, number: int, now: datetime | None = None) -> Batch:
        """Open a task for each picture of a batch; sent again after a crash, it goes on where it was.

        What has come into the queue or got its answer meanwhile is skipped, with the reason.

        Raises:
            Conflict: it was discarded, or is sent already.
        """
        when = self.now(now)
        with self.writing(Action.DATASET) as (connection, rights):
            row = _row(connection, number, lock=True)
            _need_sites(connection, rights, number)
            if row.state in (BatchState.SENT, BatchState.DISCARDED):
                raise Conflict(f"Batch {number} was {row.state} already: choose another one.")
            if row.state == BatchState.PROPOSED:
                sending = {"state": str(BatchState.SENDING), "sent_by": self.actor.name, "sent_at": when}
                connection.execute(sa.update(selections).where(selections.c.id == number).values(sending))
        while self._send_some(number, row.strategy == _RELABELS, when):
            pass
        with self.writing(Action.DATASET) as (connection, _):
            gone = sa.select(sa.func.count()).where(selection_items.c.selection_id == number)
            opened = connection.scalar(gone.where(selection_items.c.task_id.is_not(None)))
            ended = (
                sa.update(selections)
                .where(selections.c.id == number, selections.c.state == str(BatchState.SENDING))
                .values(state=str(BatchState.SENT))
            )
            if connection.execute(ended).rowcount:
                record(connection, entry(when, self.actor.name, "labelling batch sent", f"selection {number}",
                                         new={"strategy": row.strategy, "tasks": opened}))  # fmt: skip
        return self.get(number)

    def discard(self, number: int, now: datetime | None = None) -> None:
        """Throw a batch away that was not sent.

        Raises:
            Conflict: it is on its way to the queue or there.
        """
        with self.writing(Action.DATASET) as (connection, rights):
            row = _row(connection, number, lock=True)
            _need_sites(connection, rights, number)
            if row.state != BatchState.PROPOSED:
                raise Conflict(f"Batch {number} is {row.state}: what was asked stays asked.")
            gone = {"state": str(BatchState.DISCARDED)}
            connection.execute(sa.update(selections).where(selections.c.id == number).values(gone))
            record(connection, entry(self.now(now), self.actor.name, "labelling batch discarded",
                                     f"selection {number}"))  # fmt: skip

    def get(self, number: int) -> Batch:
        """One batch.

        Raises:
            NotFound: there is none of that number.
        """
        with self.seeing(Action.DATASET) as (connection, rights):
            row = _row(connection, number)
            _need_sites(connection, rights, number)
            return _batch(connection, row)

    def all(self, limit: int = 50) -> list[Batch]:
        """The newest first; only those whose sites the actor sees all of."""
        with self.seeing(Action.DATASET) as (connection, rights):
            query = sa.select(selections).order_by(selections.c.id.desc()).limit(limit)
            if rights.site_ids is not None:
                foreign = selection_items.c.site_id.not_in(sorted(rights.site_ids))
                mine = sa.exists().where(selection_items.c.selection_id == selections.c.id, foreign)
                query = query.where(~mine)
            return [_batch(connection, row) for row in connection.execute(query).all()]

    def items(self, number: int) -> list[Item]:
        """The pictures of a batch, in the order of choice."""
        with self.seeing(Action.DATASET) as (connection, rights):
            batch = _row(connection, number)
            _need_sites(connection, rights, number)
            rows = connection.execute(_ITEMS.where(selection_items.c.selection_id == number)).all()
            after = [row for row in rows if row.labelled_at is not None and batch.sent_at is not None]
            fresh = {row.image_id for row in after if row.labelled_at >= batch.sent_at}
            named = _names(connection, sorted(fresh))
            return [_item(row, row.image_id in fresh, named.get(row.image_id, ())) for row in rows]

    def _send_some(self, number: int, relabels: bool, now: datetime) -> bool:
        """Open the next few tasks; False when none is left."""
        with self.writing(Action.DATASET) as (connection, _):
            left = (
                sa.select(selection_items)
                .where(selection_items.c.selection_id == number, selection_items.c.task_id.is_(None))
                .where(selection_items.c.skipped == "")
                .order_by(selection_items.c.place)
                .limit(AT_ONCE)
            )
            rows = connection.execute(left).all()
            for site_id in sorted({row.site_id for row in rows}):
                self.database.one_at_a_time(connection, "filing", site_id)
            said = {one.part_id for one in standing_rows(connection, [row.part_id for row in rows])}
            for row in rows:
                values = _task_for(connection, row, relabels, row.part_id in said, now)
                connection.execute(sa.update(selection_items).where(selection_items.c.id == row.id).values(values))
            return len(rows) == AT_ONCE


def _task_for(connection: Connection, row: Any, relabels: bool, said: bool, now: datetime) -> dict[str, Any]:
    """What becomes of one picture: its task, or why it has none."""
    waits = sa.select(tasks.c.id).where(tasks.c.part_id == row.part_id, IS_OPEN).limit(1)
    if connection.scalar(waits) is not None:
        return {"skipped": "its part is in the queue already"}
    known = (gold_items.c.part_id == row.part_id) & gold_items.c.retired_at.is_(None)
    if connection.scalar(sa.select(gold_items.c.id).where(known)) is not None:
        return {"skipped": "the answer about its part is known"}
    label = connection.scalar(sa.select(labels.c.image_id).where(labels.c.image_id == row.image_id))
    if label is not None and not relabels:
        return {"skipped": "it has been labelled since"}
    state = connection.scalar(sa.select(images.c.state).where(images.c.id == row.image_id))
    if state != ImageState.OK:
        return {"skipped": f"its picture cannot be shown: {state}"}
    return {"task_id": open_task(connection, part_row(connection, row.part_id), TaskKind.LABEL, now), "again": said}


def _candidates(rights: Rights, asked: int | None, labelled: bool, model: str | None) -> sa.Select[Any]:
    query = (
        sa.select(images.c.id, images.c.part_id, images.c.path, images.c.sha256, images.c.width, images.c.height,
                  sites.c.name.label("site"), cameras.c.name.label("camera"), part_types.c.name.label("part_type"),
                  labels.c.defective, labels.c.labelled_at, predictions.c.novelty)
        .join(sites, sites.c.id == images.c.site_id)
        .outerjoin(cameras, cameras.c.id == images.c.camera_id)
        .outerjoin(part_types, part_types.c.id == images.c.part_type_id)
        .outerjoin(labels, labels.c.image_id == images.c.id)
        .outerjoin(predictions, sa.and_(predictions.c.image_id == images.c.id, predictions.c.model == (model or "")))
        .where(images.c.state == str(ImageState.OK), images.c.width > 0, *within(rights, images.c.site_id, asked))
        .order_by(images.c.id)
    )  # fmt: skip
    known = sa.exists().where(gold_items.c.part_id == images.c.part_id, gold_items.c.retired_at.is_(None))
    if labelled:
        return query.where(labels.c.image_id.is_not(None))
    waits = sa.exists().where(tasks.c.part_id == images.c.part_id, IS_OPEN)
    return query.where(labels.c.image_id.is_(None), ~waits, ~known)


def _names(connection: Connection, image_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Classes of labels by image; a name that no class was given for stands for itself."""
    found: dict[int, tuple[str, ...]] = {}
    for some in chunks(image_ids):
        query = sa.select(label_classes).where(label_classes.c.image_id.in_(some)).order_by(label_classes.c.name)
        for row in connection.execute(query):
            found[row.image_id] = (*found.get(row.image_id, ()), row.class_id or row.name)
    return found


def _asked_by(connection: Connection, image_ids: Sequence[int]) -> dict[int, str]:
    """The strategy, or chance, by which pictures were first asked about, by image."""
    found: dict[int, str] = {}
    for some in chunks(image_ids):
        query = (
            sa.select(selection_items.c.image_id, selection_items.c.arm, selections.c.strategy)
            .join(selections, selections.c.id == selection_items.c.selection_id)
            .where(selection_items.c.image_id.in_(some), selection_items.c.task_id.is_not(None))
            .where(selections.c.strategy != _RELABELS)
            .order_by(selection_items.c.id.desc())
        )
        for row in connection.execute(query):
            found[row.image_id] = "random" if row.arm == "random" else row.strategy
    return found


def _candidate(row: Any, classes: tuple[str, ...], asked_by: str | None) -> Candidate:
    return Candidate(row.id, row.part_id, row.site, row.camera, row.part_type, row.path, row.sha256, row.width,
                     row.height, row.defective, classes, row.labelled_at, row.novelty, asked_by)  # fmt: skip


def _row(connection: Connection, number: int, lock: bool = False) -> Any:
    query = sa.select(selections).where(selections.c.id == number)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"There is no labelling batch {number}.")
    return row


def _need_sites(connection: Connection, rights: Rights, number: int) -> None:
    query = sa.select(selection_items.c.site_id).where(selection_items.c.selection_id == number).distinct()
    for site_id in connection.scalars(query):
        rights.need(Action.DATASET, site_id)


def _batch(connection: Connection, row: Any) -> Batch:
    done = sa.func.sum(sa.case((tasks.c.state == "done", 1), else_=0))
    counted = (
        sa.select(sa.func.count().label("chosen"), done.label("done"))
        .select_from(selection_items)
        .outerjoin(tasks, tasks.c.id == selection_items.c.task_id)
        .where(selection_items.c.selection_id == row.id)
    )
    found = connection.execute(counted).one()
    return Batch(row.id, BatchState(row.state), row.strategy, row.model, row.asked, row.facts, row.price, row.seconds,
                 row.by, row.made_at, row.sent_by, row.sent_at, found.chosen, int(found.done or 0))  # fmt: skip


_ITEMS = (
    sa.select(selection_items, sites.c.name.label("site"), cameras.c.name.label("camera"),
              tasks.c.state.label("task_state"), labels.c.defective, labels.c.labelled_at)
    .join(images, images.c.id == selection_items.c.image_id)
    .join(sites, sites.c.id == selection_items.c.site_id)
    .outerjoin(cameras, cameras.c.id == images.c.camera_id)
    .outerjoin(tasks, tasks.c.id == selection_items.c.task_id)
    .outerjoin(labels, labels.c.image_id == selection_items.c.image_id)
    .order_by(selection_items.c.place)
)  # fmt: skip


def _item(row: Any, fresh: bool, classes: tuple[str, ...]) -> Item:
    return Item(row.image_id, row.part_id, row.site, row.camera, row.arm, row.value, row.why, row.chance,
                None if row.point is None else (row.point[0], row.point[1]), row.task_id, row.skipped,
                row.task_state or "", row.defective if fresh else None, classes if fresh else (),
                row.labelled_at if fresh else None)  # fmt: skip

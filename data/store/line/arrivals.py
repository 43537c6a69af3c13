"""Arrivals: image, prediction, regions, decision, task, outbox and audit of a batch, all or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import QuarantineReason
from core.plant import Arrival, Filed, PartState, PartType
from core.records import ImageState
from core.roles import Action
from data.store.base import SubStore, site_row
from data.store.line.deciding import decide_parts
from data.store.line.part_types import part_type_values, part_types_by_id
from data.store.line.preparing import Prepared, prepare
from data.store.line.print_rows import insert_readings
from data.store.line.privacy import insert_coverings
from data.store.rows import chunks, insert_many
from data.store.trail.audit import entry, record
from data.tables import (
    cameras,
    images,
    lines,
    machines,
    memories,
    orders,
    part_types,
    parts,
    predictions,
    readings,
    regions,
)

_BY_A_MODEL = predictions.c.model.not_in(sa.select(memories.c.name))  # what a memory says is no model's score
_NAMED = (("line", lines), ("camera", cameras), ("machine", machines), ("order", orders))


class Arrivals(SubStore):
    """Everything that comes in goes through here, whoever brings it."""

    def known(
        self, site: str, pictures: Iterable[tuple[str, str]], *, readable: bool = False, scored: bool = False
    ) -> dict[tuple[str, str], int]:
        """Which (source, sha256) pairs the site has already, with the image of each.

        Args:
            site: name of the site.
            pictures: asked for.
            readable: only images whose file was fine when last looked at.
            scored: only images that some model has scored.
        """
        asked = set(pictures)
        more = [images.c.state == str(ImageState.OK)] if readable else []
        if scored:
            more.append(sa.exists().where(predictions.c.image_id == images.c.id, _BY_A_MODEL))
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            found = {}
            for some in chunks(sorted({source for source, _ in asked})):
                for one in connection.execute(
                    sa.select(images.c.id, images.c.source, images.c.sha256).where(
                        images.c.site_id == row.id, images.c.source.in_(some), *more
                    )
                ):
                    if (one.source, one.sha256) in asked:
                        found[one.source, one.sha256] = one.id
            return found

    def file(
        self, site: str, arrivals: Sequence[Arrival], close_parts: bool = True, now: datetime | None = None,
        more_to_come: bool = False,
    ) -> list[Filed]:  # fmt: skip
        """File a batch in one transaction and decide the parts that it completes.

        Args:
            site: name of the site.
            arrivals: of any parts; a record that cannot be kept is left out and said so, the others go through.
            close_parts: decide complete parts; an import of labelled pictures decides nothing.
            now: aware UTC.
            more_to_come: pictures of one part arrive one by one. A part that its source names, and of which nobody
                said how many pictures it has, then waits for the time-out of its part type after each of them;
                `Parts.close_due` decides it.

        Returns:
            One for each arrival, in their order.
        """
        when = self.now(now)
        prepared = [prepare(arrival, when) for arrival in arrivals]  # everything slow happens before the turn to write
        action = Action.INGEST if close_parts else Action.IMPORT
        with self.writing(action) as (connection, rights):
            row: Any = site_row(connection, site, lock=True)
            rights.need(action, row.id)
            self.database.one_at_a_time(connection, "filing", row.id)
            filing = _Filing(connection, row, when, close_parts, more_to_come)
            answers = filing.run(prepared)
            touched = filing.touched
            if touched:
                record(connection, entry(when, self.actor.name, "filed", f"site {site}", site_id=row.id,
                                         new=filing.summary(answers)))  # fmt: skip
            if touched and close_parts:
                decide_parts(self.database, connection, row, touched, self.actor.name, when, complete_only=True)
            return answers


class _Filing:
    """One batch inside its transaction."""

    def __init__(self, connection: Connection, site: Any, now: datetime, decides: bool, more_to_come: bool) -> None:
        self.connection = connection
        self.site = site
        self.now = now
        self.decides = decides  # an import's parts wait for nothing
        self.more_to_come = more_to_come
        self.touched: set[int] = set()  # parts that have to be decided anew

    def run(self, prepared: Sequence[Prepared]) -> list[Filed]:
        answers: dict[int, Filed] = {}
        fresh: dict[int, Prepared] = {}
        before = self._images_by_source([one.source for one in prepared if one.fault is None])
        seen: dict[tuple[str, str], int] = {}
        repeats: dict[int, int] = {}
        for place, one in enumerate(prepared):
            if one.fault is not None:
                answers[place] = Filed(one.source, "quarantined", one.fault)
                continue
            known = next((row for row in before.get(one.source, ()) if row.sha256 == one.sha256), None)
            if known is not None:
                answers[place] = self._again(known, one)
            elif (one.source, one.sha256) in seen:
                repeats[place] = seen[one.source, one.sha256]
            else:
                seen[one.source, one.sha256] = place
                fresh[place] = one
                self._replaced(before.get(one.source, ()))
        answers.update(zip(fresh, self._insert(list(fresh.values())), strict=True))
        for place, first in repeats.items():
            same = answers[first]
            answers[place] = Filed(same.source, "known", "twice in one batch", same.image_id, same.part_id)
        return [answers[place] for place in range(len(prepared))]

    def summary(self, answers: Sequence[Filed]) -> dict[str, Any]:
        counts: dict[str, int] = {}
        for filed in answers:
            counts[filed.outcome] = counts.get(filed.outcome, 0) + 1
        new = [filed.image_id for filed in answers if filed.outcome != "known" and filed.image_id is not None]
        return {**counts, "images": new}

    def _images_by_source(self, sources: Iterable[str]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        columns = (images.c.id, images.c.part_id, images.c.source, images.c.sha256, images.c.state, images.c.error)
        for some in chunks(sorted(set(sources))):
            query = sa.select(*columns).where(images.c.site_id == self.site.id, images.c.source.in_(some))
            for row in self.connection.execute(query.order_by(images.c.id)):
                found.setdefault(row.source, []).append(row)
        return found

    def _again(self, row: Any, one: Prepared) -> Filed:
        """The same bytes from the same place: nothing new, unless what was wrong the last time is right now."""
        if one.reading is not None and one.reading.failed is None and not self._was_read(row.id):
            insert_readings(self.connection, [(row.id, one.reading)], self.now)
            if one.covering is not None:
                insert_coverings(self.connection, [(row.id, one.covering)], self.now)
            self.touched.add(row.part_id)
        healed = row.state != ImageState.OK and one.row["state"] == ImageState.OK
        scored = one.prediction is not None and self._unscored(row.id)
        if healed or scored:
            keep = ("state", "state_note", "reason", "error", "width", "height", "quality", "path")
            self.connection.execute(
                sa.update(images).where(images.c.id == row.id).values({name: one.row[name] for name in keep})
            )
            if scored:
                self._insert_predictions([(row.id, one)])
            self.touched.add(row.part_id)
        return Filed(one.source, "known", "filed before", row.id, row.part_id)

    def _unscored(self, image_id: int) -> bool:
        query = sa.select(predictions.c.id).where(predictions.c.image_id == image_id, _BY_A_MODEL)
        return self.connection.scalar(query.limit(1)) is None

    def _was_read(self, image_id: int) -> bool:
        failed = readings.c.document["failed"].as_string()
        query = sa.select(readings.c.id).where(readings.c.image_id == image_id, failed.is_(None))
        return self.connection.scalar(query.limit(1)) is not None

    def _replaced(self, rows: Iterable[Any]) -> None:
        """Other bytes lie where a known image lay: that image is not what was scored any more."""
        for row in rows:
            if row.state == ImageState.CHANGED:
                continue
            note = f"other bytes arrived from the same place on {self.now:%Y-%m-%d %H:%M} UTC"
            self.connection.execute(
                sa.update(images).where(images.c.id == row.id).values(state=str(ImageState.CHANGED), state_note=note)
            )
            self.touched.add(row.part_id)

    def _insert(self, fresh: Sequence[Prepared]) -> list[Filed]:
        if not fresh:
            return []
        types = self._part_types({one.part_type for one in fresh if one.part_type})
        named = {
            field: self._named(table, {name for one in fresh if (name := one.names[field])}) for field, table in _NAMED
        }
        part_ids = self._parts(fresh, types, named["order"])
        first = self._first_with({one.sha256 for one in fresh if one.sha256})
        twins: list[tuple[int, str]] = []
        rows = []
        for number, one in enumerate(fresh):
            values = one.row
            if self.site.requires_ids and not one.has_id and values["state"] == ImageState.OK:
                values = {
                    **values,
                    "state": str(ImageState.QUARANTINED),
                    "state_note": "the source gives no part id",
                    "reason": str(QuarantineReason.UNKNOWN_ID),
                }
            same_as = None
            if one.sha256 and values["state"] == ImageState.OK:
                same_as = first.get(one.sha256)
                if same_as is None:
                    first[one.sha256] = -1 - number  # becomes the id of this very row
                elif same_as < 0:
                    twins.append((number, one.sha256))
                    same_as = None
            rows.append(
                {
                    **values,
                    "site_id": self.site.id,
                    "part_id": part_ids[one.part],
                    "same_as": same_as,
                    "part_type_id": types[one.part_type][0] if one.part_type else None,
                    **{f"{field}_id": named[field].get(one.names[field]) for field, _ in _NAMED},
                }
            )
        ids = insert_many(self.connection, images, rows)
        for number, sha256 in twins:
            self.connection.execute(
                sa.update(images).where(images.c.id == ids[number]).values(same_as=ids[-1 - first[sha256]])
            )
        self._insert_predictions([(ids[number], one) for number, one in enumerate(fresh) if one.prediction])
        read = [(ids[number], one.reading) for number, one in enumerate(fresh) if one.reading is not None]
        insert_readings(self.connection, read, self.now)
        found = [(ids[number], one.covering) for number, one in enumerate(fresh) if one.covering is not None]
        insert_coverings(self.connection, found, self.now)
        self.touched.update(part_ids.values())
        return [
            Filed(
                one.source,
                "image" if row["state"] == ImageState.OK else "quarantined",
                "" if row["state"] == ImageState.OK else str(row["reason"] or row["state"]),
                image_id,
                row["part_id"],
            )
            for one, row, image_id in zip(fresh, rows, ids, strict=True)
        ]

    def _insert_predictions(self, scored: Sequence[tuple[int, Prepared]]) -> None:
        if not scored:
            return
        rows = [{**one.prediction, "image_id": image_id} for image_id, one in scored if one.prediction is not None]
        ids = insert_many(self.connection, predictions, rows)
        boxes = [
            {**box, "image_id": image_id, "prediction_id": prediction_id}
            for prediction_id, (image_id, one) in zip(ids, scored, strict=True)
            for box in one.regions
        ]
        if boxes:
            self.connection.execute(sa.insert(regions), boxes)

    def _named(self, table: sa.Table, names: set[str]) -> dict[str | None, int]:
        """Ids of lines, cameras, machines or orders by name; new ones are made."""
        found: dict[str | None, int] = {}
        if not names:
            return found
        for some in chunks(sorted(names)):
            query = sa.select(table.c.name, table.c.id).where(table.c.site_id == self.site.id, table.c.name.in_(some))
            found.update(self.connection.execute(query).all())
        missing = [name for name in sorted(names) if name not in found]
        if missing:
            rows = [{"site_id": self.site.id, "name": name} for name in missing]
            found.update(zip(missing, insert_many(self.connection, table, rows), strict=True))
        return found

    def _part_types(self, names: set[str]) -> dict[str, tuple[int, PartType]]:
        known = {
            kind.name: (type_id, kind) for type_id, kind in part_types_by_id(self.connection, self.site.id).items()
        }
        for name in sorted(names - known.keys()):
            kind = PartType(name)
            values = {"site_id": self.site.id, **part_type_values(kind)}
            known[name] = (
                self.connection.execute(sa.insert(part_types).values(values).returning(part_types.c.id)).scalar_one(),
                kind,
            )
        return known

    def _parts(
        self, fresh: Sequence[Prepared], types: Mapping[str, tuple[int, PartType]], order_ids: Mapping[str | None, int]
    ) -> dict[str, int]:
        """Ids of the parts by name; new ones are made and start to wait for their views."""
        wanted = {one.part: one for one in reversed(fresh)}  # the first picture of a part describes it
        found: dict[str, int] = {}
        for some in chunks(wanted):
            query = sa.select(parts.c.name, parts.c.id).where(parts.c.site_id == self.site.id, parts.c.name.in_(some))
            found.update(self.connection.execute(query).all())
        for some in chunks(found.values()):
            self.connection.execute(sa.update(parts).where(parts.c.id.in_(some)).values(last_at=self.now))
        if self.decides:
            self._wait_on({part_id: wanted[name] for name, part_id in found.items()}, types)
        missing = [one for name, one in wanted.items() if name not in found]
        if missing:
            rows = []
            for one in missing:
                type_id, kind = types[one.part_type] if one.part_type else (None, None)
                due = self.now + _time_out(kind) if self.decides and self._waits(one, kind) else None
                rows.append(
                    {
                        "site_id": self.site.id,
                        "name": one.part,
                        "order_id": order_ids.get(one.names["order"]),
                        "part_type_id": type_id,
                        "state": str(PartState.OPEN),
                        "first_at": self.now,
                        "last_at": self.now,
                        "due_at": due,
                    }
                )
            names = [one.part for one in missing]
            found.update(zip(names, insert_many(self.connection, parts, rows), strict=True))
        return found

    def _waits(self, one: Prepared, kind: PartType | None) -> bool:
        """Whether a part stays open for more pictures: it expects some, or nobody said how many there are."""
        return (kind is not None and kind.expected_views is not None) or (self.more_to_come and one.has_id)

    def _wait_on(self, known: Mapping[int, Prepared], types: Mapping[str, tuple[int, PartType]]) -> None:
        """An open part that nobody timed, as after an import, starts to wait; one of uncounted views starts anew."""
        counted = [type_id for type_id, kind in part_types_by_id(self.connection, self.site.id).items()
                   if kind.expected_views is not None]  # fmt: skip
        for part_id, one in known.items():
            kind = types[one.part_type][1] if one.part_type else None
            if self._waits(one, kind):
                mine = (parts.c.id == part_id) & (parts.c.state == str(PartState.OPEN))
                free = parts.c.due_at.is_(None) | parts.c.part_type_id.is_(None) | parts.c.part_type_id.not_in(counted)
                self.connection.execute(sa.update(parts).where(mine, free).values(due_at=self.now + _time_out(kind)))

    def _first_with(self, hashes: set[str]) -> dict[str, int]:
        """The first readable image of the site with each content."""
        found: dict[str, int] = {}
        for some in chunks(sorted(hashes)):
            query = (
                sa.select(images.c.sha256, sa.func.min(images.c.id))
                .where(images.c.site_id == self.site.id, images.c.sha256.in_(some))
                .where(images.c.state != str(ImageState.QUARANTINED))
                .group_by(images.c.sha256)
            )
            found.update(self.connection.execute(query).all())
        return found


def _time_out(kind: PartType | None) -> timedelta:
    return timedelta(seconds=PartType("any").time_out_s if kind is None else kind.time_out_s)

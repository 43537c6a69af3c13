"""Datasets: frozen lists of labelled images, and what a builder asks beside the labels."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.errors import BadInput, Conflict, NotFound
from core.learn.datasets.opinions import Opinion
from core.plant import DatasetVersion
from core.records import Image, Prediction, TaskKind, Verdict
from core.roles import Action
from data.store.base import SubStore, one_of, site_row, within
from data.store.rows import CHUNK, IMAGE, chunks, image_of
from data.store.trail.audit import entry, record
from data.tables import IS_OPEN, cameras, datasets, images, labels, part_types, predictions, regions, reviews, tasks


class Datasets(SubStore):
    """A dataset is never changed; another list has another name."""

    def add(self, name: str, manifest: Mapping[str, Any], sha256: str, now: datetime | None = None) -> DatasetVersion:
        """Enter a list; the same list twice is one.

        Raises:
            Conflict: when another list has that name.
        """
        if not name.strip():
            raise BadInput("A dataset needs a name.")
        when = self.now(now)
        with self.writing(Action.DATASET) as (connection, _):
            row = connection.execute(sa.select(datasets).where(datasets.c.name == name)).one_or_none()
            if row is not None:
                if row.sha256 != sha256:
                    raise Conflict(f"There is another dataset called {name}: give this one a new name.")
                return _dataset(row)
            values = {"name": name, "sha256": sha256, "manifest": dict(manifest), "by": self.actor.name,
                      "created_at": when}  # fmt: skip
            connection.execute(sa.insert(datasets).values(values))
            record(connection, entry(when, self.actor.name, "dataset built", f"dataset {name}", new={"sha256": sha256}))
            return DatasetVersion(name, sha256, dict(manifest), self.actor.name, when)

    def get(self, name: str) -> DatasetVersion:
        """One list.

        Raises:
            NotFound: naming those there are.
        """
        with self.seeing() as (connection, _):
            row = connection.execute(sa.select(datasets).where(datasets.c.name == name)).one_or_none()
            if row is None:
                known = connection.scalars(sa.select(datasets.c.name).order_by(datasets.c.id.desc()).limit(10))
                raise NotFound(f"There is no dataset '{name}': there are {', '.join(known) or 'none yet'}.")
            return _dataset(row)

    def names(self) -> list[DatasetVersion]:
        """Every list without its manifest, newest first: a manifest may have a quarter of a million rows."""
        light = [column for column in datasets.c if column.name != "manifest"]
        with self.seeing() as (connection, _):
            rows = connection.execute(sa.select(*light).order_by(datasets.c.id.desc()))
            return [DatasetVersion(row.name, row.sha256, {}, row.by, row.created_at) for row in rows]

    def sides(self, name: str) -> set[str]:
        """Which sides of a list hold pictures, without reading its items where the list has counted them.

        Raises:
            NotFound: no list of that name.
        """
        query = sa.select(datasets.c.manifest["counts"]).where(datasets.c.name == name)
        with self.seeing() as (connection, _):
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"There is no dataset '{name}'.")
        if row[0] is None:
            return {str(item["split"]) for item in self.get(name).manifest.get("items", ()) if "split" in item}
        return set(row[0])

    def opinions(self, part_ids: Collection[int]) -> dict[int, list[Opinion]]:
        """What has been said of parts, oldest first, without what was undone and answers to gold items.

        Of parts at the actor's sites only.
        """
        found: dict[int, list[Opinion]] = defaultdict(list)
        with self.seeing(Action.DATASET) as (connection, rights):
            for some in chunks(sorted(set(part_ids))):
                rows = connection.execute(_SAID, {"ids": some}).all()
                undone = {row.undoes for row in rows if row.undoes is not None}
                standing = [
                    row
                    for row in rows
                    if row.undoes is None
                    and row.id not in undone
                    and row.task_kind != TaskKind.GOLD
                    and rights.sees(row.site_id)
                ]
                named = _names_drawn(connection, [row.id for row in standing if Verdict(row.verdict).defective])
                for row in standing:
                    classes = frozenset([*row.classes, *named.get(row.id, ())])
                    defective = Verdict(row.verdict).defective
                    found[row.part_id].append(Opinion(row.id, row.by, defective, classes, row.sure, row.image_id))
        return found

    def unlabelled(self, model: str, sites: Collection[str]) -> Iterator[tuple[Image, Prediction]]:
        """Usable images that nobody has labelled, with what one model said of each, by id.

        Args:
            model: whose predictions.
            sites: at which to look.
        """
        with self.seeing(Action.DATASET) as (connection, rights):
            at = [int(site_row(connection, name).id) for name in sorted(set(sites))]
            for site_id in at:
                rights.need(Action.DATASET, site_id)
            if not at:
                return
            there = sa.exists().where(predictions.c.image_id == images.c.id, predictions.c.model == model)
            open_ = ~sa.exists().where(labels.c.image_id == images.c.id)
            wanted = [there, open_, images.c.state == "ok", images.c.width > 0, one_of(images.c.site_id, at)]
            last = 0
            while True:
                query = IMAGE.where(*wanted, images.c.id > last).order_by(images.c.id).limit(CHUNK)
                rows = connection.execute(query).all()
                if not rows:
                    return
                last = rows[-1].id
                said = {
                    row.image_id: Prediction(row.model, row.score, row.class_scores, novelty=row.novelty)
                    for row in connection.execute(
                        sa.select(predictions.c.image_id, predictions.c.model, predictions.c.score,
                                  predictions.c.class_scores, predictions.c.novelty)
                        .where(predictions.c.image_id.in_([row.id for row in rows]), predictions.c.model == model)
                    )
                    if row.score is not None
                }  # fmt: skip
                for row in rows:
                    if row.id in said:
                        yield image_of(row), said[row.id]

    def scores(self, image_ids: Collection[int]) -> dict[int, Prediction]:
        """What the last model said of images, without maps and boxes."""
        found: dict[int, Prediction] = {}
        with self.seeing(Action.DATASET) as (connection, rights):
            for some in chunks(sorted(set(image_ids))):
                query = (
                    sa.select(predictions.c.image_id, predictions.c.model, predictions.c.score,
                              predictions.c.class_scores, predictions.c.novelty)
                    .join(images, images.c.id == predictions.c.image_id)
                    .where(predictions.c.image_id.in_(some), predictions.c.score.is_not(None),
                           *within(rights, images.c.site_id))
                    .order_by(predictions.c.id)
                )  # fmt: skip
                for row in connection.execute(query):
                    found[row.image_id] = Prediction(row.model, row.score, row.class_scores, novelty=row.novelty)
        return found

    def being_labelled(self, part_ids: Collection[int]) -> set[int]:
        """Those parts about which somebody is asked for a label at this moment."""
        found: set[int] = set()
        with self.seeing(Action.DATASET) as (connection, rights):
            for some in chunks(sorted(set(part_ids))):
                asked = [tasks.c.part_id.in_(some), tasks.c.kind == str(TaskKind.LABEL), IS_OPEN]
                query = sa.select(tasks.c.part_id).where(*asked, *within(rights, tasks.c.site_id))
                found |= set(connection.scalars(query))
        return found

    def shares(self, site: str) -> dict[str, dict[str, int]]:
        """How many images of a site come from each camera and part type, for a look beside a dataset."""
        with self.seeing() as (connection, rights):
            at = int(site_row(connection, site).id)
            rights.need(Action.SEE, at)
            found = {}
            for name, table, column in (
                ("camera", cameras, images.c.camera_id), ("part_type", part_types, images.c.part_type_id)
            ):  # fmt: skip
                query = (
                    sa.select(table.c.name, sa.func.count())
                    .select_from(images.outerjoin(table, table.c.id == column))
                    .where(*within(rights, images.c.site_id, at))
                    .group_by(table.c.name)
                )
                found[name] = {told or "not known": count for told, count in connection.execute(query).all()}
            return found


# Few columns: those in JSON take longest to read, and a quarter of a million parts are asked about.
_SAID = (
    sa.select(reviews.c.id, reviews.c.part_id, reviews.c.site_id, reviews.c.image_id, reviews.c.task_kind,
              reviews.c.undoes, reviews.c.verdict, reviews.c.by, reviews.c.classes, reviews.c.sure)
    .where(reviews.c.part_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(reviews.c.id)
)  # fmt: skip
_DRAWN_NAMES = sa.select(regions.c.review_id, regions.c.class_id, regions.c.name).where(
    regions.c.review_id.in_(sa.bindparam("ids", expanding=True))
)


def _names_drawn(connection: sa.Connection, review_ids: Collection[int]) -> dict[int, set[str]]:
    """Classes, or names without one, of the regions of reviews."""
    found: dict[int, set[str]] = defaultdict(set)
    for some in chunks(review_ids):
        for row in connection.execute(_DRAWN_NAMES, {"ids": some}):
            found[row.review_id].add(row.class_id or row.name)
    return found


def _dataset(row: Any) -> DatasetVersion:
    return DatasetVersion(row.name, row.sha256, row.manifest, row.by, row.created_at)

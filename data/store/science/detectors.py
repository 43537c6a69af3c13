"""Detectors: entered, tried against heatmaps, put in force at a site, and the boxes they draw there.

A detector only draws. Nothing here is read by a decision, and no act here makes a model decide or a part pass.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.detection import DetectorChange, DetectorTrial, DetectorVersion, DrawnBoxes
from core.errors import BadInput, Conflict, GateFailed, NotFound
from core.records import Region
from core.roles import Action
from data.store.base import SubStore, site_row, within
from data.store.rows import chunks, mask_document, mask_read
from data.store.trail.audit import entry, record
from data.tables import detector_boxes, detector_changes, detector_trials, detectors, images, models, sites

_OLD = detectors.alias("old")
_TRIAL = (
    sa.select(detector_trials, sites.c.name.label("site"), detectors.c.name.label("detector"), detectors.c.sha256)
    .join(sites, sites.c.id == detector_trials.c.site_id)
    .join(detectors, detectors.c.id == detector_trials.c.detector_id)
)
_CHANGE = (
    sa.select(detector_changes, sites.c.name.label("site"), detectors.c.name.label("detector"),
              _OLD.c.name.label("before"))
    .join(sites, sites.c.id == detector_changes.c.site_id)
    .outerjoin(detectors, detectors.c.id == detector_changes.c.detector_id)
    .outerjoin(_OLD, _OLD.c.id == detector_changes.c.before_id)
)  # fmt: skip
MOST_REGIONS = 300  # of one picture


class Detectors(SubStore):
    """One draws at a site, or none does and the heatmap's boxes are shown."""

    def add(self, card: Mapping[str, Any], path: str, sha256: str, now: datetime | None = None) -> DetectorVersion:
        """Enter a trained detector under the name on its card; the same one twice is one.

        Raises:
            Conflict: another one has that name.
        """
        name = str(card.get("name") or "").strip()
        if not name:
            raise BadInput("The detector's card has no name.")
        when = self.now(now)
        with self.writing(Action.TRAIN) as (connection, _):
            row = connection.execute(sa.select(detectors).where(detectors.c.name == name)).one_or_none()
            if row is not None:
                if row.sha256 != sha256:
                    raise Conflict(f"There is another detector called {name}: give this one a new name.")
                return _version(row)
            values = {"name": name, "path": path, "sha256": sha256, "card": dict(card), "by": self.actor.name,
                      "made_at": when}  # fmt: skip
            connection.execute(sa.insert(detectors).values(values))
            record(connection, entry(when, self.actor.name, "detector added", f"detector {name}",
                                     new={"sha256": sha256}))  # fmt: skip
            return DetectorVersion(name, path, sha256, dict(card), self.actor.name, when)

    def get(self, name: str) -> DetectorVersion:
        """One detector.

        Raises:
            NotFound: naming those there are.
        """
        with self.seeing() as (connection, _):
            return _version(_row(connection, name))

    def all(self) -> list[DetectorVersion]:
        """Every detector, newest first."""
        with self.seeing() as (connection, _):
            return [_version(row) for row in connection.execute(sa.select(detectors).order_by(detectors.c.id.desc()))]

    def keep_trial(
        self, site: str, detector: str, sha256: str, against: str, dataset: str, split: str, refusal: str,
        document: Mapping[str, Any], now: datetime | None = None,
    ) -> DetectorTrial:  # fmt: skip
        """Keep what a detector has shown against the heatmap boxes of a model.

        Raises:
            Conflict: the store knows other weights under that name.
            NotFound: no such site, detector or model.
        """
        when = self.now(now)
        with self.writing(Action.TRAIN) as (connection, rights):
            place: Any = site_row(connection, site)
            rights.need(Action.TRAIN, place.id)
            row = _row(connection, detector)
            if row.sha256 != sha256:
                raise Conflict(f"The store knows other weights of {detector} than were measured: measure it again.")
            other = connection.scalar(sa.select(models.c.sha256).where(models.c.name == against))
            if other is None:
                raise NotFound(f"There is no model '{against}' to compare {detector} with.")
            values = {
                "site_id": place.id, "detector_id": row.id, "against": against, "against_sha256": other,
                "dataset": dataset, "split": split, "refusal": refusal, "document": dict(document),
                "by": self.actor.name, "made_at": when,
            }  # fmt: skip
            insert = sa.insert(detector_trials).values(values).returning(detector_trials.c.id)
            made = connection.execute(insert).scalar_one()
            record(connection, entry(when, self.actor.name, "detector tried", f"detector {detector}", site_id=place.id,
                                     new={"trial": made, "against": against, "dataset": dataset, "split": split},
                                     reason=refusal or "it finds more boxes"))  # fmt: skip
            return _trial(connection.execute(_TRIAL.where(detector_trials.c.id == made)).one())

    def trials(self, site: str, detector: str | None = None) -> list[DetectorTrial]:
        """What detectors have shown at a site, the newest first."""
        with self.seeing() as (connection, rights):
            place: Any = site_row(connection, site)
            rights.need(Action.SEE, place.id)
            query = _TRIAL.where(detector_trials.c.site_id == place.id).order_by(detector_trials.c.id.desc())
            if detector is not None:
                query = query.where(detectors.c.name == detector)
            return [_trial(row) for row in connection.execute(query)]

    def put_in_force(self, site: str, detector: str, reason: str, now: datetime | None = None) -> DetectorChange:
        """Let a detector draw at a site, if it is shown to find more boxes than the heatmaps of the model in use.

        Raises:
            GateFailed: it is not, with the figures.
            Conflict: it draws there already.
        """
        if not reason.strip():
            raise BadInput("Another hand that draws needs a reason: say in a sentence why this one.")
        when = self.now(now)
        with self.writing(Action.PROMOTE) as (connection, rights):
            place = self._site(connection, site)
            rights.need(Action.PROMOTE, place.id)
            row = _row(connection, detector)
            before = _last(connection, place.id)
            if before is not None and before.detector_id == row.id:
                raise Conflict(f"{detector} draws at {site} already.")
            passed, why_not = _hindrance(connection, place, row)
            if why_not:
                raise GateFailed(f"{detector} cannot draw at {site}: {why_not}")
            return self._change(connection, place, row, before, passed, reason.strip(), when)

    def stop(self, site: str, reason: str, now: datetime | None = None) -> DetectorChange:
        """Show the heatmap's boxes again.

        Raises:
            NotFound: no detector draws there.
        """
        if not reason.strip():
            raise BadInput("Going back to the heatmap's boxes needs a reason: say it in a sentence.")
        when = self.now(now)
        with self.writing(Action.PROMOTE) as (connection, rights):
            place = self._site(connection, site)
            rights.need(Action.PROMOTE, place.id)
            before = _last(connection, place.id)
            if before is None or before.detector_id is None:
                raise NotFound(f"No detector draws at {site}.")
            return self._change(connection, place, None, before, None, reason.strip(), when)

    def in_force(self, site: str) -> DetectorVersion | None:
        """The detector that draws at a site; None where the heatmap's boxes are shown."""
        with self.seeing() as (connection, rights):
            place: Any = site_row(connection, site)
            rights.need(Action.SEE, place.id)
            last = _last(connection, place.id)
            if last is None or last.detector_id is None:
                return None
            return _version(connection.execute(sa.select(detectors).where(detectors.c.id == last.detector_id)).one())

    def history(self, site: str, limit: int = 50) -> list[DetectorChange]:
        """Which detector drew at a site, since when and why, the newest first."""
        with self.seeing() as (connection, rights):
            place: Any = site_row(connection, site)
            rights.need(Action.SEE, place.id)
            query = _CHANGE.where(detector_changes.c.site_id == place.id).order_by(detector_changes.c.id.desc())
            return [_changed(row) for row in connection.execute(query.limit(limit))]

    def keep(self, drawn: Iterable[tuple[int, DrawnBoxes]], now: datetime | None = None) -> int:
        """Write down what a detector drew on images; what it has drawn already stays, a failure may be mended.

        Returns:
            How many are new.
        """
        when = self.now(now)
        given = {(image_id, one.detector): one for image_id, one in drawn}
        if not given:
            return 0
        with self.writing(Action.INGEST) as (connection, rights):
            numbers = {name: _row(connection, name).id for name in {name for _, name in given}}
            self.database.one_at_a_time(connection, "boxes", 0)
            wanted = sorted({image_id for image_id, _ in given})
            there, known = {}, {}
            for some in chunks(wanted):
                for row in connection.execute(sa.select(images.c.id, images.c.site_id).where(images.c.id.in_(some))):
                    rights.need(Action.INGEST, row.site_id)
                    there[row.id] = row.site_id
                query = sa.select(detector_boxes.c.id, detector_boxes.c.image_id, detector_boxes.c.detector_id,
                                  detector_boxes.c.error).where(detector_boxes.c.image_id.in_(some))  # fmt: skip
                known.update({(row.image_id, row.detector_id): row for row in connection.execute(query)})
            fresh = []
            for (image_id, name), one in given.items():
                before = known.get((image_id, numbers[name]))
                if image_id not in there or (before is not None and (not before.error or one.error)):
                    continue
                values = {
                    "image_id": image_id, "detector_id": numbers[name],
                    "regions": [_values(region) for region in one.regions[:MOST_REGIONS]],
                    "milliseconds": one.milliseconds, "error": one.error[:300], "drawn_at": when,
                }  # fmt: skip
                if before is None:
                    fresh.append(values)
                else:
                    at = detector_boxes.c.id == before.id
                    connection.execute(sa.update(detector_boxes).where(at).values(values))
            if fresh:
                connection.execute(sa.insert(detector_boxes), fresh)
            return len(fresh)

    def boxes(self, image_ids: Collection[int]) -> dict[int, DrawnBoxes]:
        """What the detector in force at each image's site drew on it; an image it never looked at is absent."""
        found: dict[int, DrawnBoxes] = {}
        with self.seeing() as (connection, rights):
            newest = (
                sa.select(sa.func.max(detector_changes.c.id))
                .where(detector_changes.c.site_id == images.c.site_id)
                .correlate(images)
                .scalar_subquery()
            )
            for some in chunks(sorted(set(image_ids))):
                query = (
                    sa.select(detector_boxes, detectors.c.name)
                    .join(images, images.c.id == detector_boxes.c.image_id)
                    .join(detector_changes, detector_changes.c.id == newest)
                    .join(detectors, detectors.c.id == detector_boxes.c.detector_id)
                    .where(detector_boxes.c.image_id.in_(some), *within(rights, images.c.site_id),
                           detector_changes.c.detector_id == detector_boxes.c.detector_id)
                )  # fmt: skip
                for row in connection.execute(query):
                    regions = tuple(_region(one) for one in row.regions)
                    found[row.image_id] = DrawnBoxes(row.name, regions, row.milliseconds, row.error)
        return found

    def _site(self, connection: Connection, name: str) -> Any:
        """The site's row; nobody else changes what draws there until the transaction ends."""
        row: Any = site_row(connection, name)
        self.database.one_at_a_time(connection, "detectors", row.id)
        return connection.execute(sa.select(sites).where(sites.c.id == row.id).with_for_update()).one()

    def _change(
        self, connection: Connection, place: Any, detector: Any, before: Any, trial: int | None, reason: str,
        when: datetime,
    ) -> DetectorChange:  # fmt: skip
        values = {
            "site_id": place.id, "detector_id": None if detector is None else detector.id,
            "before_id": None if before is None else before.detector_id, "trial_id": trial, "reason": reason,
            "by": self.actor.name, "at": when,
        }  # fmt: skip
        insert = sa.insert(detector_changes).values(values).returning(detector_changes.c.id)
        made = _changed(
            connection.execute(_CHANGE.where(detector_changes.c.id == connection.execute(insert).scalar_one())).one()
        )
        act = "detector stopped" if detector is None else "detector in force"
        record(connection, entry(when, self.actor.name, act, f"site {place.name}", site_id=place.id,
                                 old={"detector": made.before}, new={"detector": made.detector, "trial": trial},
                                 reason=reason))  # fmt: skip
        return made


def _hindrance(connection: Connection, place: Any, detector: Any) -> tuple[int | None, str]:
    """The trial that lets a detector draw, or why none does."""
    if bool((detector.card or {}).get("template")):
        return None, "it compares with a template, and the line has none to give it: it serves for measuring only."
    if place.model is None:
        return None, f"no model is in use at {place.name}, so there are no heatmap boxes that it could beat."
    query = _TRIAL.where(detector_trials.c.site_id == place.id, detector_trials.c.detector_id == detector.id)
    last = connection.execute(query.order_by(detector_trials.c.id.desc()).limit(1)).one_or_none()
    if last is None:
        return None, "it has not been tried against the heatmap's boxes here: see holdpoint detector try."
    sha256 = connection.scalar(sa.select(models.c.sha256).where(models.c.name == place.model))
    if (last.against, last.against_sha256) != (place.model, sha256):
        return None, f"it was tried against {last.against}, and {place.model} is in use now: try it again."
    if last.split != "test":
        return None, f"it was tried on {last.split} pictures, which helped to make it: try it on the test part."
    return (None, last.refusal) if last.refusal else (last.id, "")


def _row(connection: Connection, name: str) -> Any:
    row = connection.execute(sa.select(detectors).where(detectors.c.name == name)).one_or_none()
    if row is None:
        known = ", ".join(connection.scalars(sa.select(detectors.c.name).order_by(detectors.c.id.desc()).limit(10)))
        raise NotFound(f"There is no detector '{name}': there are {known or 'none yet'}.")
    return row


def _last(connection: Connection, site_id: int) -> Any:
    mine = detector_changes.c.site_id == site_id
    query = sa.select(detector_changes).where(mine).order_by(detector_changes.c.id.desc()).limit(1)
    return connection.execute(query).one_or_none()


def _version(row: Any) -> DetectorVersion:
    return DetectorVersion(row.name, row.path, row.sha256, row.card, row.by, row.made_at)


def _trial(row: Any) -> DetectorTrial:
    return DetectorTrial(
        row.id, row.site, row.detector, row.sha256, row.against, row.against_sha256, row.dataset, row.split,
        row.refusal, row.document, row.by, row.made_at,
    )  # fmt: skip


def _changed(row: Any) -> DetectorChange:
    return DetectorChange(row.id, row.site, row.detector, row.before, row.trial_id, row.reason, row.by, row.at)


def _values(region: Region) -> dict[str, Any]:
    return {
        "x": region.x, "y": region.y, "width": region.width, "height": region.height, "name": region.name,
        "class_id": region.class_id, "score": region.score, "key": region.key,
        **({} if region.mask is None else {"mask": mask_document(region.mask)}),
    }  # fmt: skip


def _region(values: Mapping[str, Any]) -> Region:
    return Region(
        values["x"], values["y"], values["width"], values["height"], values["name"], values["class_id"],
        score=values["score"], key=values["key"], mask=mask_read(values["mask"]) if values.get("mask") else None,
    )  # fmt: skip

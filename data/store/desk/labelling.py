"""Labels from the append-only reviews: as they are, and as they were at any time."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.labels import Answer, derive
from core.records import Label, Outcome, Prediction, Region, Review, TaskKind, Verdict
from core.taxonomy import Taxonomy
from data.store.rows import chunks, region_of
from data.store.rules.in_force import taxonomy_in_force
from data.tables import images, label_classes, labels, predictions, regions, reviews

# Built once: an answer asks all of these, and building a statement takes longer than the database takes for it.
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_PLACES = sa.select(images.c.id, images.c.part_id, images.c.site_id).where(images.c.id.in_(_IDS))
_REVIEWS = sa.select(reviews).where(reviews.c.part_id.in_(_IDS)).order_by(reviews.c.id)
_DRAWN = sa.select(regions).where(regions.c.review_id.in_(_IDS)).order_by(regions.c.id)
_BOXES = sa.select(regions).where(regions.c.prediction_id.in_(_IDS)).order_by(regions.c.id)
_NO_CLASSES = sa.delete(label_classes).where(label_classes.c.image_id.in_(_IDS))
_NO_LABELS = sa.delete(labels).where(labels.c.image_id.in_(_IDS))
_LABEL = sa.insert(labels)
_LABEL_CLASS = sa.insert(label_classes)
_LIGHT = [column for column in predictions.c if column.name not in ("heatmap", "where_map", "tiles")]
_SAID = (
    sa.select(*_LIGHT, images.c.part_id)
    .join(images, images.c.id == predictions.c.image_id)
    .where(predictions.c.image_id.in_(_IDS))
    .order_by(predictions.c.id)
)


def derive_labels(
    connection: Connection, image_ids: Iterable[int], at: datetime | None = None
) -> tuple[dict[int, Label], dict[int, Prediction]]:
    """Labels of images, and what the model had said when each was reviewed.

    Args:
        connection: of the transaction.
        image_ids: any images; those without a label are left out of the answer.
        at: leave out every review, undo, taxonomy and prediction after this time.
    """
    found: dict[int, Label] = {}
    said: dict[int, Prediction] = {}
    for some in chunks(sorted(set(image_ids))):
        places = connection.execute(_PLACES, {"ids": some}).all()
        labelled, predicted = derive_page(connection, places, at)
        found.update(labelled)
        said.update(predicted)
    return found, said


def derive_page(
    connection: Connection, places: Sequence[Any], at: datetime | None = None
) -> tuple[dict[int, Label], dict[int, Prediction]]:
    """The same of images whose rows (id, part_id, site_id) were read already; no more than CHUNK of them."""
    found: dict[int, Label] = {}
    said: dict[int, Prediction] = {}
    taxonomies: dict[int, Taxonomy] = {}
    answers = _answers(connection, {part_id for _, part_id, _ in places}, {image_id for image_id, _, _ in places}, at)
    for image_id, part_id, site_id in places:
        own = answers.get(part_id)
        if not own:
            continue
        if site_id not in taxonomies:
            taxonomies[site_id] = taxonomy_in_force(connection, site_id, at)[1]
        label = derive(image_id, own, taxonomies[site_id])
        if label is None:
            continue
        found[image_id] = label
        chosen = next(one for one in own if one.review.id == label.review_id)
        if image_id in chosen.predictions:
            said[image_id] = chosen.predictions[image_id]
    return found, said


def relabel(connection: Connection, image_ids: Collection[int]) -> None:
    """Write the labels that follow from the reviews, in the transaction that changed one."""
    found, _ = derive_labels(connection, image_ids)
    sites: dict[int, int] = {}
    for some in chunks(sorted(set(image_ids))):
        connection.execute(_NO_CLASSES, {"ids": some})
        connection.execute(_NO_LABELS, {"ids": some})
        sites.update((row.id, row.site_id) for row in connection.execute(_PLACES, {"ids": some}))
    if not found:
        return
    connection.execute(
        _LABEL,
        [
            {
                "image_id": label.image_id,
                "site_id": sites[label.image_id],
                "defective": label.defective,
                "verdict": str(label.verdict),
                "status": str(label.status),
                "by": label.by,
                "labelled_at": label.labelled_at,
                "review_id": label.review_id,
                "model": label.model,
                "policy": label.policy,
                "changed": label.changed,
                "probability": label.probability,
            }
            for label in found.values()
        ],
    )
    names = [
        {"image_id": label.image_id, "site_id": sites[label.image_id], "name": name, "class_id": class_id}
        for label in found.values()
        for name, class_id in [*((one, one) for one in label.classes), *((one, None) for one in label.unmapped)]
    ]
    if names:
        connection.execute(_LABEL_CLASS, names)


def review_of(row: Any, drawn: Mapping[int, Mapping[int, list[Region]]]) -> Review:
    """A row of `reviews` with the regions of its images."""
    mine = drawn.get(row.id, {})
    return Review(
        verdict=Verdict(row.verdict),
        by=row.by,
        regions={image_id: tuple(mine.get(image_id, ())) for image_id in row.images},
        classes=tuple(row.classes),
        sure=row.sure,
        note=row.note,
        reasons=tuple(row.reasons),
        seconds=row.seconds,
        source=row.source,
        id=row.id,
        reviewed_at=row.reviewed_at,
    )


def drawn_regions(
    connection: Connection, review_ids: Iterable[int], image_ids: Collection[int] | None = None
) -> dict[int, dict[int, list[Region]]]:
    """Regions by review and image; only of some images where they are given."""
    found: dict[int, dict[int, list[Region]]] = defaultdict(lambda: defaultdict(list))
    for some in chunks(review_ids):
        for row in connection.execute(_DRAWN, {"ids": some}):
            if image_ids is None or row.image_id in image_ids:
                found[row.review_id][row.image_id].append(region_of(row))
    return found


def standing_rows(connection: Connection, part_ids: Iterable[int], at: datetime | None = None) -> list[Any]:
    """Reviews of parts, oldest first, without undone ones and undos, as they stood at a time."""
    rows: list[Any] = []
    for some in chunks(part_ids):
        query = _REVIEWS if at is None else _REVIEWS.where(reviews.c.reviewed_at <= at)
        rows.extend(connection.execute(query, {"ids": some}))
    undone = {row.undoes for row in rows if row.undoes is not None}
    return [row for row in rows if row.undoes is None and row.id not in undone]


def _answers(
    connection: Connection, part_ids: Iterable[int], image_ids: Collection[int], at: datetime | None
) -> dict[int, list[Answer]]:
    """By part. Regions of images that nobody asked for still count as drawn, so all of a part's are read."""
    # What is said of a part with a known answer tells of the person, not of the part.
    rows = [row for row in standing_rows(connection, part_ids, at) if row.task_kind != TaskKind.GOLD]
    drawn = drawn_regions(connection, [row.id for row in rows if row.images])  # the others say nothing about where
    said = _predictions(connection, image_ids, at)
    answers: dict[int, list[Answer]] = defaultdict(list)
    for row in rows:
        answers[row.part_id].append(
            Answer(
                review=review_of(row, drawn),
                kind=None if row.task_kind is None else TaskKind(row.task_kind),
                image_id=row.image_id,
                outcome=None if row.outcome is None else Outcome(row.outcome),
                model=row.model,
                policy=row.policy,
                predictions={
                    image_id: prediction
                    for image_id, versions in said.get(row.part_id, _NOTHING).items()
                    if (prediction := _last(versions, row.reviewed_at)) is not None
                },
            )
        )
    return answers


_Versions = list[tuple[datetime, Prediction]]
_NOTHING: Mapping[int, _Versions] = {}


def _predictions(
    connection: Connection, image_ids: Collection[int], at: datetime | None
) -> dict[int, dict[int, _Versions]]:
    """What models said, by part and image, oldest first; without maps."""
    query = _SAID if at is None else _SAID.where(predictions.c.predicted_at <= at)
    rows = connection.execute(query, {"ids": sorted(image_ids)}).all()
    boxes: dict[int, list[Region]] = defaultdict(list)
    for some in chunks(row.id for row in rows):
        for box in connection.execute(_BOXES, {"ids": some}):
            boxes[box.prediction_id].append(region_of(box))
    found: dict[int, dict[int, _Versions]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        prediction = Prediction(
            row.model, row.score, row.class_scores, tuple(boxes[row.id]), row.novelty, milliseconds=row.milliseconds
        )
        found[row.part_id][row.image_id].append((row.predicted_at, prediction))
    return found


def _last(versions: _Versions, before: datetime) -> Prediction | None:
    return next((prediction for at, prediction in reversed(versions) if at <= before), None)

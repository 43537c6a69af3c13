"""Rows to records and back: JSON and packed maps on one side, frozen facts on the other."""

import math
import struct
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.urgency import urgency_at
from core.records import (
    Capture,
    Decision,
    Exposure,
    Floats,
    Grid,
    Image,
    ImageState,
    Mask,
    Outcome,
    Polygons,
    Prediction,
    Quality,
    Reason,
    Region,
    Rle,
    Route,
    Severity,
    Task,
    TaskKind,
    quick_region,
)
from data.tables import (
    cameras,
    decisions,
    images,
    lines,
    machines,
    orders,
    part_types,
    parts,
    predictions,
    regions,
    sites,
    tasks,
)

CHUNK = 500  # values in one IN list; SQLite allows 32,766 parameters, a plan is quicker with fewer
_FIGURES = ("sharpness", "brightness", "contrast", "dark", "bright")
_STATES = {str(state): state for state in ImageState}
_NO_EXPOSURE, _NOTHING_SAID = Exposure(), (None, None, None)  # of most pictures

IMAGE = (
    sa.select(
        images,
        sites.c.name.label("site"),
        parts.c.name.label("part"),
        orders.c.name.label("order_name"),
        machines.c.name.label("machine"),
        lines.c.name.label("line"),
        cameras.c.name.label("camera"),
        part_types.c.name.label("part_type"),
    )
    .join(sites, sites.c.id == images.c.site_id)
    .join(parts, parts.c.id == images.c.part_id)
    .outerjoin(orders, orders.c.id == images.c.order_id)
    .outerjoin(machines, machines.c.id == images.c.machine_id)
    .outerjoin(lines, lines.c.id == images.c.line_id)
    .outerjoin(cameras, cameras.c.id == images.c.camera_id)
    .outerjoin(part_types, part_types.c.id == images.c.part_type_id)
)
TASK = sa.select(tasks, sites.c.name.label("site")).join(sites, sites.c.id == tasks.c.site_id)
DECISION = sa.select(decisions, parts.c.site_id).join(parts, parts.c.id == decisions.c.part_id)


def chunks(values: Iterable[Any], size: int = CHUNK) -> Iterable[list[Any]]:
    """Lists of at most `size`, in order."""
    found = list(values)
    return (found[start : start + size] for start in range(0, len(found), size))


def insert_many(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> list[int]:
    """Insert rows and return their ids, in order.

    SQLite returns the ids of one row at a time only; there the transaction is the only writer, so it numbers them.
    """
    if not rows:
        return []
    if connection.dialect.name != "sqlite":
        insert = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
        return list(connection.scalars(insert, rows))
    first = int(connection.scalar(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))) or 0) + 1
    connection.execute(sa.insert(table), [{"id": first + place, **row} for place, row in enumerate(rows)])
    return list(range(first, first + len(rows)))


def image_of(row: Any) -> Image:
    """A row of IMAGE."""
    exposure = row.iso, row.aperture, row.shutter_s
    capture = Capture(
        source=row.source,
        part=row.part,
        order=row.order_name,
        machine=row.machine,
        line=row.line,
        camera=row.camera,
        stage=row.stage,
        view=row.view,
        part_type=row.part_type,
        taken_at=row.taken_at,
        exposure=_NO_EXPOSURE if exposure == _NOTHING_SAID else Exposure(*exposure),
    )
    return Image(
        id=row.id,
        site=row.site,
        part_id=row.part_id,
        capture=capture,
        path=row.path,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        state=_STATES[row.state],
        state_note=row.state_note,
        quality=quality_of(row.quality),
        arrived_at=row.arrived_at,
        same_as=row.same_as,
    )


def quality_of(document: Mapping[str, Any] | None) -> Quality | None:
    """As it was measured; figures that were not finite come back as NaN."""
    if document is None:
        return None
    sharpness, brightness, contrast, dark, bright = (
        math.nan if (value := document.get(name)) is None else float(value) for name in _FIGURES
    )
    return Quality(sharpness, brightness, contrast, dark, bright, tuple(document.get("flags", ())))


def quality_document(quality: Quality | None) -> dict[str, Any] | None:
    """JSON has no NaN, so a figure that is none is stored as nothing."""
    if quality is None:
        return None
    found: dict[str, Any] = {name: getattr(quality, name) for name in _FIGURES}
    for name in _FIGURES:
        found[name] = float(found[name]) if math.isfinite(found[name]) else None
    return found | {"flags": list(quality.flags)}


def task_of(row: Any, now: datetime) -> Task:
    """A row of TASK, as urgent as it is at this time."""
    return Task(
        id=row.id,
        site=row.site,
        part_id=row.part_id,
        kind=TaskKind(row.kind),
        urgency=urgency_at(row.rank, now),
        revision=row.revision,
        fence=row.fence,
        created_at=row.created_at,
        decision_id=row.decision_id,
        leased_by=row.leased_by,
        leased_until=row.leased_until,
        ahead=row.ahead,
    )


def decision_of(row: Any) -> Decision:
    """A row of DECISION."""
    return Decision(
        id=row.id,
        part_id=row.part_id,
        number=row.number,
        outcome=Outcome(row.outcome),
        reasons=tuple(Reason(code, text) for code, text in row.reasons),
        route=Route(row.route),
        score=row.score,
        class_scores=row.class_scores,
        policy=row.policy,
        model=row.model,
        decided_at=row.decided_at,
    )


def region_of(row: Any) -> Region:
    """A row of `regions`."""
    severity, mask = row.severity, row.mask
    return quick_region(
        row.x,
        row.y,
        row.width,
        row.height,
        row.name,
        row.class_id,
        None if severity is None else Severity(severity),
        row.score,
        None if mask is None else mask_read(mask),
        row.key,
    )


def region_values(region: Region, image_id: int, **owner: int) -> dict[str, Any]:
    """A new row of `regions`; the owner is prediction_id or review_id."""
    return {
        "prediction_id": None,
        "review_id": None,
        **owner,
        "image_id": image_id,
        "x": float(region.x),
        "y": float(region.y),
        "width": float(region.width),
        "height": float(region.height),
        "name": region.name,
        "class_id": region.class_id,
        "severity": None if region.severity is None else str(region.severity),
        "score": None if region.score is None else float(region.score),
        "mask": mask_document(region.mask),
        "key": region.key,
    }


def mask_document(mask: Mask | None) -> dict[str, Any] | None:
    """A mask as JSON."""
    if mask is None:
        return None
    if isinstance(mask, Rle):
        return {"size": list(mask.size_hw), "counts": list(mask.counts)}
    return {"rings": [list(ring) for ring in mask.rings]}


def mask_read(document: Mapping[str, Any]) -> Mask:
    """The reverse."""
    if "counts" in document:
        height, width = document["size"]
        return Rle((height, width), tuple(document["counts"]))
    return Polygons(tuple(tuple(ring) for ring in document["rings"]))


def pack_grid(grid: Grid | None) -> bytes | None:
    """Two 32-bit sizes and the cells, deflated."""
    if grid is None:
        return None
    rows, columns = grid.values.shape
    return zlib.compress(struct.pack("<II", rows, columns) + np.ascontiguousarray(grid.values, np.uint8).tobytes(), 1)


def grid_of(packed: bytes | None) -> Grid | None:
    """The opposite of `pack_grid`."""
    if packed is None:
        return None
    data = zlib.decompress(packed)
    return Grid(np.frombuffer(data, np.uint8, offset=8).reshape(struct.unpack_from("<II", data)))


def pack_tiles(tiles: Floats | None) -> bytes | None:
    """Rows of x, y, width, height, score as 32-bit floats, deflated."""
    return None if tiles is None else zlib.compress(np.ascontiguousarray(tiles, np.float32).tobytes(), 1)


def tiles_of(packed: bytes | None) -> Floats | None:
    """The opposite of `pack_tiles`."""
    return None if packed is None else np.frombuffer(zlib.decompress(packed), np.float32).reshape(-1, 5)


def predictions_of(connection: Connection, rows: Iterable[Any]) -> dict[int, Prediction]:
    """Predictions by image id from rows of `predictions`, with their regions; the newest of an image wins."""
    newest = {row.image_id: row for row in sorted(rows, key=lambda row: row.id)}
    found: dict[int, list[Region]] = {row.id: [] for row in newest.values()}
    for some in chunks(found):
        query = sa.select(regions).where(regions.c.prediction_id.in_(some)).order_by(regions.c.id)
        for row in connection.execute(query):
            found[row.prediction_id].append(region_of(row))
    return {
        image_id: Prediction(
            model=row.model,
            score=row.score,
            class_scores=row.class_scores,
            regions=tuple(found[row.id]),
            novelty=row.novelty,
            heatmap=grid_of(row.heatmap),
            where=grid_of(row.where_map),
            tiles=tiles_of(row.tiles),
            milliseconds=row.milliseconds,
            back_end=row.back_end or "",
        )
        for image_id, row in newest.items()
    }


def newest_predictions(connection: Connection, image_ids: Iterable[int]) -> dict[int, Prediction]:
    """What the last model said of each image."""
    rows: list[Any] = []
    for some in chunks(image_ids):
        rows.extend(connection.execute(sa.select(predictions).where(predictions.c.image_id.in_(some))))
    return predictions_of(connection, rows)

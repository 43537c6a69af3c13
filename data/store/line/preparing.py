"""What an arrival becomes before its transaction: checked, clipped and packed, so that the turn to write is short."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from core.pictures.covering import Covering
from core.plant import Arrival
from core.records import ImageState, Prediction, Region
from core.watch.embedding import sketch
from core.words.prints import Reading
from data.store.rows import pack_grid, pack_tiles, quality_document, region_values

MAX_TEXT = 4096


@dataclass(frozen=True)
class Prepared:
    """One arrival, ready for its row.

    Attributes:
        fault: why it cannot be kept at all; empty rows then.
        has_id: the source named the part.
        row: of `images`, without what only the transaction knows.
        prediction: of `predictions`, without its image; None where there is none to trust.
    """

    source: str
    sha256: str = ""
    part: str = ""
    part_type: str = ""
    has_id: bool = False
    names: Mapping[str, str | None] = field(default_factory=dict)
    row: Mapping[str, Any] = field(default_factory=dict)
    prediction: Mapping[str, Any] | None = None
    regions: tuple[Mapping[str, Any], ...] = ()
    reading: Reading | None = None
    covering: Covering | None = None
    fault: str | None = None


def prepare(arrival: Arrival, now: datetime) -> Prepared:
    """Check and pack one arrival."""
    capture = arrival.capture
    fault = _fault(arrival)
    if fault:
        return Prepared(capture.source, fault=fault)
    prediction, error = arrival.prediction, arrival.error
    if prediction is not None and (problem := not_a_number(prediction)):
        prediction, error = None, f"the model's answer is no number: {problem}"
    part = capture.part.strip() or capture.source
    row = {
        "source": capture.source,
        "path": arrival.path,
        "sha256": arrival.sha256,
        "width": arrival.width,
        "height": arrival.height,
        "state": str(arrival.state),
        "state_note": arrival.state_note,
        "reason": None if arrival.reason is None else str(arrival.reason),
        "error": error,
        "stage": capture.stage,
        "view": capture.view,
        "taken_at": capture.taken_at,
        "iso": capture.exposure.iso,
        "aperture": capture.exposure.aperture,
        "shutter_s": capture.exposure.shutter_s,
        "quality": _measured(arrival, prediction),
        "arrived_at": now,
    }
    names = {"line": capture.line, "camera": capture.camera, "machine": capture.machine, "order": capture.order}
    return Prepared(
        source=capture.source,
        sha256=arrival.sha256,
        part=part,
        part_type=capture.part_type or "",
        has_id=part != capture.source,
        names={kind: name or None for kind, name in names.items()},
        row=row,
        prediction=None if prediction is None else _prediction_row(prediction, now),
        regions=() if prediction is None else _region_rows(prediction.regions, arrival.width, arrival.height),
        reading=arrival.reading,
        covering=arrival.covering,
    )


def not_a_number(prediction: Prediction) -> str:
    """What in a model's answer is no number in its range; empty where all is well."""
    if not 0 <= prediction.score <= 1:
        return f"score {prediction.score}"
    for name, value in prediction.class_scores.items():
        if not 0 <= value <= 1:
            return f"{name} {value}"
    if prediction.novelty is not None and not math.isfinite(prediction.novelty):
        return f"novelty {prediction.novelty}"
    for region in prediction.regions:
        if not all(math.isfinite(value) for value in (region.x, region.y, region.width, region.height)):
            return f"region {region.name}"
    return ""


def clipped(region: Region, width: int, height: int) -> Region | None:
    """The part of a region that lies in the image; None where none does."""
    left, top = max(0.0, region.x), max(0.0, region.y)
    right, bottom = min(float(width), region.x + region.width), min(float(height), region.y + region.height)
    if right <= left or bottom <= top:
        return None
    if (left, top, right, bottom) == (region.x, region.y, region.x + region.width, region.y + region.height):
        return region
    return replace(region, x=left, y=top, width=right - left, height=bottom - top)


def _fault(arrival: Arrival) -> str | None:
    capture = arrival.capture
    if not capture.source.strip():
        return "bad record: it has no source"
    texts = (capture.source, arrival.path, capture.part, capture.view, capture.stage, capture.order, capture.machine,
             capture.line, capture.camera, capture.part_type)  # fmt: skip
    for text in texts:
        if text and (len(text) > MAX_TEXT or "\0" in text or not _encodable(text)):
            return "bad record: a name in it is too long or cannot be written down"
    if capture.taken_at is not None and capture.taken_at.tzinfo is None:
        return "bad record: its capture time has no time zone"
    if arrival.state is ImageState.OK and (arrival.width <= 0 or arrival.height <= 0 or not arrival.sha256):
        return "bad record: a readable picture has a size and a hash"
    exposure = (capture.exposure.iso, capture.exposure.aperture, capture.exposure.shutter_s)
    if any(value is not None and not math.isfinite(value) for value in exposure):
        return "bad record: its exposure is no number"
    return None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _measured(arrival: Arrival, prediction: Prediction | None) -> dict[str, Any] | None:
    """What was measured on the picture, and a sketch of what it looks like to the net, which drift is judged by."""
    document = quality_document(arrival.quality)
    kept = None if prediction is None else sketch(prediction.embedding)
    if document is None or prediction is None or kept is None:
        return document
    return document | {"seen": {"by": prediction.model, "sketch": kept}}


def _prediction_row(prediction: Prediction, now: datetime) -> dict[str, Any]:
    return {
        "model": prediction.model,
        "score": float(prediction.score),
        "class_scores": {name: float(value) for name, value in prediction.class_scores.items()},
        "novelty": None if prediction.novelty is None else float(prediction.novelty),
        "heatmap": pack_grid(prediction.heatmap),
        "where_map": pack_grid(prediction.where),
        "tiles": pack_tiles(prediction.tiles),
        "milliseconds": float(prediction.milliseconds),
        "back_end": prediction.back_end or None,
        "predicted_at": now,
    }


def _region_rows(regions: tuple[Region, ...], width: int, height: int) -> tuple[dict[str, Any], ...]:
    inside = (clipped(region, width, height) for region in regions)
    return tuple(region_values(region, 0, prediction_id=0) for region in inside if region is not None)

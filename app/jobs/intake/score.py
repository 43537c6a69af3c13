"""Score: what a model says of pictures, with nothing stored."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.files import write_whole
from app.jobs.intake.at_site import NOWHERE, AtSite
from app.jobs.intake.documents import answer
from app.jobs.intake.line import MODEL_FAILURES, Progress, decoders, open_model, quiet, sentence
from app.jobs.intake.sources import Source, find
from app.settings import Settings
from core.decide.decision import PartPicture
from core.errors import BadInput, Unreadable
from core.pictures import heatmaps
from core.pictures.sandbox import Read
from core.records import Floats, ImageState, Pixels, Prediction, Region

if TYPE_CHECKING:
    from data.store import Store
    from models.engine import Engine

HEAT = 0.45  # how much of an overlay is heatmap where it is hottest


def score(
    settings: Settings,
    sources: Sequence[str],
    model: str,
    overlays: Path | None = None,
    *,
    store: "Store | None" = None,
    at: AtSite | None = None,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> list[dict[str, Any]]:
    """The endpoint's answer for each picture, and with it `file`, `tiles` and `heatmap_ms`.

    Without a site there is no policy, so the decision is always HOLD; the prediction says what the model sees.

    Args:
        settings: of the plant.
        sources: files, folders, patterns or URLs.
        model: a name, or a model's folder.
        overlays: folder for a PNG of each picture with heatmap and regions; None draws nothing.
        store: knows models by name; None looks only at folders.
        at: the site whose decisions are wanted, from `at_site.at_site`.
        now: of the answers.
        progress: called after every picture.

    Raises:
        NotFound: no such model or source.
    """
    engine = open_model(store, settings, model)
    found = find(sources, settings.uploads, settings.upload_bytes)
    moment = now or datetime.now(UTC)
    names = _overlay_names(found)
    answers = []
    for source, read, prediction, error in _scored(settings, engine, found):
        heat_ms = 0.0
        if isinstance(read, Read) and prediction is not None and prediction.heatmap is not None:
            started = time.perf_counter()
            heat = heatmaps.upsample(prediction.heatmap, read.decoded.width, read.decoded.height)
            heat_ms = 1000 * (time.perf_counter() - started)
            if overlays is not None:
                write_whole(overlays / names[source.name], _png(overlay(read.decoded.pixels, heat, prediction.regions)))
        answered = _answer(source, read, prediction, error, at or NOWHERE, moment)
        answers.append(answered | {"heatmap_ms": round(heat_ms, 3)})
        progress(len(answers), len(found), source.path.name)
    return answers


def overlay(pixels: Pixels, heat: Floats, regions: Sequence[Region] = ()) -> Pixels:
    """A copy of a picture with the heatmap over it in warm colours and a line around each region.

    Args:
        pixels: (h, w, 3) uint8.
        heat: (h, w) in [0, 1]; where it is 0 the picture is left as it is.
        regions: in the picture's pixels.
    """
    drawn: Pixels = pixels.copy()
    for top in range(0, len(heat), 256):  # in strips, because floats take four times the room
        strip = heat[top : top + 256]
        weight = (HEAT * strip)[..., None]
        warm = np.stack([np.full_like(strip, 255), 200 * strip, np.zeros_like(strip)], axis=-1)
        blend = pixels[top : top + 256] * (1 - weight) + warm * weight
        drawn[top : top + 256] = np.clip(np.round(blend), 0, 255)
    height, width = heat.shape
    thick = max(1, round(max(width, height) / 400))
    for region in regions:
        left, top = max(0, int(region.x)), max(0, int(region.y))
        right, bottom = min(width, round(region.x + region.width)), min(height, round(region.y + region.height))
        for rows, columns in (
            (slice(top, top + thick), slice(left, right)),
            (slice(max(0, bottom - thick), bottom), slice(left, right)),
            (slice(top, bottom), slice(left, left + thick)),
            (slice(top, bottom), slice(max(0, right - thick), right)),
        ):
            drawn[rows, columns] = (255, 230, 0)
    return drawn


def _scored(
    settings: Settings, engine: "Engine", found: Sequence[Source]
) -> Iterator[tuple[Source, Read | Unreadable, Prediction | None, str | None]]:
    """Everything in order; a picture that spoils the stream is tried alone."""
    with decoders(settings) as pool:
        readable: deque[tuple[Source, Read]] = deque()
        answers = zip(found, _decoded(pool.decode, found), strict=True)
        for source, read in answers:
            if isinstance(read, Unreadable):
                yield from _score_some(engine, readable)
                yield source, read, None, None
                continue
            readable.append((source, read))
            if len(readable) >= settings.batch_images or sum(r.decoded.pixels.size for _, r in readable) > 3 << 26:
                yield from _score_some(engine, readable)
        yield from _score_some(engine, readable)


def _decoded(decode: Any, found: Sequence[Source]) -> Iterator[Read | Unreadable]:
    refused = {source.name: source.refused for source in found if source.refused is not None}
    reads = decode(source.path for source in found if source.refused is None)
    for source in found:
        reason = refused.get(source.name)
        yield next(reads) if reason is None else Unreadable(reason, f"{source.name}: {reason}")


def _score_some(
    engine: "Engine", readable: "deque[tuple[Source, Read]]"
) -> Iterator[tuple[Source, Read, Prediction | None, str | None]]:
    pictures = [read.decoded.pixels for _, read in readable]
    predictions: list[tuple[Prediction | None, str | None]] = []
    try:
        predictions = [(one, None) for one in engine.score(pictures)]
    except MODEL_FAILURES:
        for pixels in pictures:
            try:
                (one,) = engine.score([pixels])
            except MODEL_FAILURES as error:
                predictions.append((None, sentence(error)))
            else:
                predictions.append((one, None))
    for (source, read), (prediction, trouble) in zip(readable, predictions, strict=True):
        yield source, read, prediction, trouble
    readable.clear()


def _answer(
    source: Source,
    read: Read | Unreadable,
    prediction: Prediction | None,
    error: str | None,
    at: AtSite,
    moment: datetime,
) -> dict[str, Any]:
    if isinstance(read, Unreadable):
        picture = PartPicture(0, ImageState.QUARANTINED, str(read))
        name, size = read.sha256 or "", None
    else:
        picture = PartPicture(0, quality=read.quality, prediction=prediction, error=error)
        name, size = read.sha256, (read.decoded.width, read.decoded.height)
    decided = at.decide(picture)
    tiles: list[list[float]] = []
    if prediction is not None and prediction.tiles is not None:
        tiles = [[*(float(v) for v in row[:4]), round(float(row[4]), 6)] for row in prediction.tiles]
    document = answer(name, prediction, size, decided.outcome, decided.reasons, decided.route, moment,
                      policy=None if at.policy is None else at.policy.number)  # fmt: skip
    return {"file": source.name, **document, "tiles": tiles}


def _overlay_names(found: Sequence[Source]) -> dict[str, str]:
    """A PNG's name for each picture; pictures of one name in two folders do not overwrite each other."""
    taken: dict[str, int] = {}
    names = {}
    for source in found:
        stem = source.path.stem
        taken[stem] = taken.get(stem, 0) + 1
        names[source.name] = f"{stem}.png" if taken[stem] == 1 else f"{stem}-{taken[stem]}.png"
    return names


def _png(pixels: Pixels) -> bytes:
    import cv2

    done, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))
    if not done:
        raise BadInput("The overlay cannot be written as a PNG.")
    return data.tobytes()

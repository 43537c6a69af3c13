"""One picture that somebody just dropped: decoded, scored and made ready for the screen; nothing is stored."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter

from app.jobs.intake.line import MODEL_FAILURES, sentence
from app.settings import Settings
from core.errors import ModelError, Unreadable
from core.pictures.decode import Limits
from core.pictures.sandbox import DecodePool, Upload
from core.pictures.tiling import Look
from core.records import Prediction, Quality

PREVIEW_SIDE = 1600


@dataclass(frozen=True)
class Inspected:
    """What there is to show of one picture.

    Attributes:
        preview: a JPEG for the screen.
        decode_ms: of opening it, in a child process.
        back_end: library, precision and device that scored it.
    """

    name: str
    sha256: str
    width: int
    height: int
    quality: Quality
    prediction: Prediction
    preview: bytes
    decode_ms: float
    back_end: str


def _limits(settings: Settings) -> Limits:
    return Limits(bytes=settings.upload_bytes, pixels=settings.picture_pixels)


@cache
def _decoders(limits: Limits, seconds: float) -> DecodePool:
    return DecodePool(1, limits, seconds)


def inspect(settings: Settings, name: str, data: bytes, model: Path, look: Look | None = None) -> Inspected:
    """Decode, score and preview one picture; meant to run in a process of its own.

    Args:
        settings: of the plant.
        name: as its owner calls it; only text.
        data: the file's bytes.
        model: folder of the model version.
        look: how to look at it; None takes the model's own.

    Raises:
        Unreadable: the picture cannot be used.
        ModelError: the model cannot be used.
    """
    from models.engine import open_engine

    pool = _decoders(_limits(settings), settings.decode_seconds)
    source = Upload(name, data)
    start = perf_counter()
    read = next(iter(pool.decode([source])))
    if isinstance(read, Unreadable):
        raise read
    decode_ms = (perf_counter() - start) * 1000
    try:
        engine = open_engine(model, settings.device, cache=settings.compiled)
        (prediction,) = engine.score([read.decoded.pixels], look)
    except MODEL_FAILURES as error:
        raise ModelError(f"The model {model.name} could not score this picture: {sentence(error)}") from error
    return Inspected(
        name=name,
        sha256=read.sha256,
        width=read.decoded.width,
        height=read.decoded.height,
        quality=read.quality,
        prediction=prediction,
        preview=pool.preview(source, PREVIEW_SIDE),
        decode_ms=decode_ms,
        back_end=engine.back_end,
    )


def milliseconds(
    settings: Settings, model: Path, looks: list[Look], width: int, height: int
) -> list[tuple[int, float]]:
    """Tiles and time per picture for several ways to look, measured here and now on a grey picture of a size."""
    import numpy as np

    from core.pictures.tiling import tile_count
    from models.engine import open_engine

    engine = open_engine(model, settings.device, cache=settings.compiled)
    pixels = np.full((height, width, 3), 128, np.uint8)
    measured = []
    for look in looks:
        engine.score([pixels], look)  # a new shape costs extra once
        times = []
        for _ in range(3):
            start = perf_counter()
            engine.score([pixels], look)
            times.append((perf_counter() - start) * 1000)
        measured.append((tile_count(width, height, look), min(times)))  # the others met something else that ran
    return measured


def warm_up(settings: Settings, model: Path) -> None:
    """Load what the first picture would have to wait for."""
    from models.engine import open_engine

    _decoders(_limits(settings), settings.decode_seconds)
    open_engine(model, settings.device, cache=settings.compiled)

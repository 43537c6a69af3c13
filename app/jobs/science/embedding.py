"""Embeddings of pictures by one model: computed once from the pass that scores, kept in Parquet, resumed where it was.

A picture that cannot be read or has changed gets none and is named in the count; nothing is chosen by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from app.jobs.intake.line import Progress, decoders, quiet
from app.jobs.intake.opening import MODEL_FAILURES, look_of
from app.settings import Settings
from core.errors import ModelError, NotFound, Unreadable
from core.pictures.tiling import Look
from data.embeddings import Embedded, Embeddings

if TYPE_CHECKING:
    from core.records import Pixels
    from data.store import Store
    from models.engine import Engine, Observation

PICTURES_A_FILE = 512
PIXELS_AT_ONCE = 1 << 27  # of pictures that wait for the engine together
GOOD = "NO_DEFECT"  # the first column of what a model says


class Picture(Protocol):
    """What has to be known of a picture to look at it."""

    @property
    def image_id(self) -> int: ...
    @property
    def path(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def site(self) -> str: ...
    @property
    def part_type(self) -> str | None: ...


@dataclass(frozen=True)
class Computed:
    """How it went.

    Attributes:
        new: pictures that were looked at now.
        unreadable: pictures that have no embedding, because their file is gone, changed or broken.
    """

    new: int
    unreadable: int


def embeddings_of(settings: Settings, engine: "Engine") -> Embeddings:
    """Those of the engine's model."""
    return Embeddings(settings.home / "embeddings", engine.card.sha256)


def columns(engine: "Engine") -> tuple[str, ...]:
    """What the probabilities of an embedding are of, in order; a model without classes says only "defect"."""
    return (GOOD, *(engine.card.classes or ("DEFECT",)))


def compute(
    settings: Settings,
    engine: "Engine",
    pictures: Sequence[Picture],
    *,
    store: "Store | None" = None,
    kept: Embeddings | None = None,
    look: Look | None = None,
    progress: Progress = quiet,
) -> Computed:
    """Look at every picture that has no embedding by this model yet, and keep them.

    Stopped at any moment it loses at most `PICTURES_A_FILE` pictures' work, and goes on from there.

    Args:
        settings: of the plant.
        engine: of the model.
        pictures: any number.
        store: knows how part types are looked at; None looks as the card says.
        kept: where they are written; the plant's own of this model where None.
        look: for all of them; the part types' or the card's own where None.
        progress: told every few pictures.

    Raises:
        Busy: another process computes this model's.
        ModelError: the model failed.
    """
    files = embeddings_of(settings, engine) if kept is None else kept
    with files.writing():
        by_id = {one.image_id: one for one in pictures}
        todo = [by_id[image_id] for image_id in files.missing({one.image_id: one.sha256 for one in by_id.values()})]
        looks = _looks(store, engine, todo, look)
        done = unreadable = pixels = 0
        waiting: list[tuple[Picture, Pixels]] = []
        fresh: list[Embedded] = []
        progress(0, len(todo), "embeddings")
        with decoders(settings) as pool:
            for one, read in zip(todo, pool.decode(Path(one.path) for one in todo), strict=True):
                done += 1
                if isinstance(read, Unreadable) or read.sha256 != one.sha256:
                    unreadable += 1
                else:
                    waiting.append((one, read.decoded.pixels.copy()))  # its shared memory goes back to the decoder
                    pixels += read.decoded.pixels.size
                if len(waiting) >= settings.batch_images or pixels > PIXELS_AT_ONCE:
                    fresh += _seen(engine, waiting, looks)
                    waiting, pixels = [], 0
                    progress(done, len(todo), "embeddings")
                if len(fresh) >= PICTURES_A_FILE:
                    files.add(fresh)
                    fresh = []
        files.add(fresh + _seen(engine, waiting, looks))
        progress(len(todo), len(todo), "embeddings")
        return Computed(done - unreadable, unreadable)


def _looks(
    store: "Store | None", engine: "Engine", pictures: Sequence[Picture], every: Look | None
) -> dict[tuple[str, str | None], Look]:
    found: dict[tuple[str, str | None], Look] = {}
    for one in pictures:
        key = (one.site, one.part_type)
        if key not in found:
            look = every
            if look is None and store is not None and one.part_type is not None:
                try:
                    look = look_of(store.part_types.get(one.site, one.part_type))
                except NotFound:
                    look = None
            found[key] = look or engine.card.look
    return found


def _seen(
    engine: "Engine",
    waiting: "Sequence[tuple[Picture, Pixels]]",
    looks: dict[tuple[str, str | None], Look],
) -> list[Embedded]:
    chosen = [looks[(one.site, one.part_type)] for one, _ in waiting]
    try:
        seen = list(engine.observe([pixels for _, pixels in waiting], chosen)) if waiting else []
    except MODEL_FAILURES as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"The model failed ({type(error).__name__}: {error}): check its card.") from error
    return [_embedded(engine, one, found) for (one, _), found in zip(waiting, seen, strict=True)]


def _embedded(engine: "Engine", one: Picture, seen: "Observation") -> Embedded:
    from models.engine import prediction_of

    said = prediction_of(seen, engine.card)
    shares = np.array(list(said.class_scores.values()) or [1.0])
    total = float(shares.sum())
    shares = shares / total if total > 0 else np.full(len(shares), 1 / len(shares))
    vector = seen.embedding
    if vector is None:
        raise ModelError(f"{engine.card.name} gives no features: take another model.")
    return Embedded(one.image_id, one.sha256, vector, np.r_[1 - said.score, said.score * shares])

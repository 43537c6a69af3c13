"""Which net a memory sees through: the site's own model where it sees well enough, since then scoring stays one pass.

site's model ─▶ memory, measured on planted defects ─┐
a frozen net ─▶ memory, measured on the same ones   ─┴─▶ not worse beyond the interval? ─▶ the site's model
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from app.jobs.intake.line import Progress
from app.jobs.intake.opening import find_model
from app.jobs.science.backtest import backbone_folder
from app.settings import Settings
from core.errors import BadInput, NotFound
from core.learn.novelty.planted import choose
from core.learn.select.farthest import Products
from core.pictures.tiling import Look
from core.records import Floats, Pixels

if TYPE_CHECKING:
    from data.store import Store
    from models.checkpoint import Checkpoint
    from models.novelty.eye import Eye
    from models.novelty.fitting import Fitted
    from models.novelty.patches import Lens

Trunk = Literal["auto", "shared", "frozen"]
PLANTED = 2  # copies of each held-out picture, each with one planted defect


@dataclass(frozen=True)
class Candidate:
    """A net that a memory may see through.

    Attributes:
        folder: of the model.
        relative: the same below the plant's home, where the store does not know it.
        shared: a model that scores; its own pass gives the patches.
        why: it is taken where it is the only one.
    """

    folder: Path
    relative: str
    shared: bool
    why: str


@dataclass(frozen=True)
class Asked:
    """What is asked of a fit, whatever the net.

    Attributes:
        parts: of each good picture.
        pictures: gives the pixels of rows.
        look: None for each net's own.
    """

    settings: Settings
    device: Literal["cpu", "cuda"]
    parts: Sequence[str]
    pictures: Callable[[Sequence[int]], Iterable[Pixels]]
    look: Look | None
    rate: float
    budget_bytes: int
    even_light: bool
    seed: int
    progress: Progress


@dataclass(frozen=True, eq=False)
class Tried:
    """A memory through one net."""

    candidate: Candidate
    checkpoint: "Checkpoint"
    look: Look
    fitted: "Fitted"
    eye: "Eye"


def candidates(
    store: "Store", settings: Settings, site: str, model: str | None, arch: str, weights: str | None, trunk: Trunk
) -> list[Candidate]:
    """The nets that may be taken, the preferred one first; two of them are to be compared.

    Args:
        store: of the plant.
        settings: of the plant.
        site: whose model scores.
        model: that has to be taken, if any.
        arch: of the frozen net.
        weights: of it; without them it is compared only where this machine has them already.
        trunk: "shared" wants the site's model, "frozen" the other one, "auto" what measures well enough.

    Raises:
        NotFound: no such model or weights; or the site has no model to share.
    """
    chosen = model or (None if trunk == "frozen" else store.sites.get(site).model)
    if chosen is None:
        if trunk == "shared":
            raise NotFound(f"{site} has no model in use, so there is no pass to share: name a model, or leave --trunk.")
        return [_frozen(settings, arch, weights, "A frozen net was asked for." if trunk == "frozen" else
                        "No model is in use at the site, so there is no pass to share.")]  # fmt: skip
    folder = find_model(store, settings, chosen)
    by_name = "/" not in chosen and not chosen.startswith(".")
    own = Candidate(folder, "" if by_name else str(folder.absolute()), True,
                    "No other net was named or lies on this machine, so nothing was compared.")  # fmt: skip
    if model is not None or trunk == "shared":
        return [replace(own, why="This net was asked for.")]
    try:
        here = settings if weights is not None else settings.model_copy(update={"offline": True})
        return [own, _frozen(here, arch, weights, "")]
    except NotFound:
        if weights is not None:
            raise
        return [own]


def fit_best(tried_with: Sequence[Candidate], asked: Asked) -> tuple[Tried, str]:
    """A memory through the first net, or through the second where the first is worse; and why, in a sentence.

    Raises:
        BadInput: too few good parts.
        ModelError: a net failed.
    """
    tried = [_through(one, asked, compare=len(tried_with) > 1) for one in tried_with]
    if len(tried) == 1:
        return tried[0], tried_with[0].why
    first, second = (one.fitted.planted for one in tried)
    if first is None or second is None:
        raise BadInput("Nothing was held out to compare two nets on: give more good parts.")
    choice = choose(first, second, np.random.default_rng([asked.seed, 19]))
    return tried[1 if choice.worse else 0], choice.sentence


def _through(candidate: Candidate, asked: Asked, compare: bool) -> Tried:
    from models.checkpoint import load
    from models.engine import open_engine
    from models.novelty import fitting
    from models.novelty.eye import own_eye, shared_eye
    from models.novelty.pasting import pasted
    from models.novelty.patches import lens_of

    checkpoint = load(candidate.folder)
    look = asked.look or checkpoint.card.look
    lens = lens_of(checkpoint.net(), look.tile, asked.seed)
    shared = candidate.shared and not asked.even_light  # the engine sees pictures under the light they were taken in
    compiled = asked.settings.compiled

    def open_eye(ready: "Lens") -> "Eye":
        if shared:
            engine = open_engine(candidate.folder, asked.device, cache=compiled, levels=ready.levels)
            return shared_eye(engine, ready, look)
        return own_eye(checkpoint, ready, look, asked.device, compiled, asked.even_light)

    def plant(row: int, pixels: Pixels) -> list[Pixels]:
        return [pasted(pixels, np.random.default_rng([asked.seed, 23, row, copy])) for copy in range(PLANTED)]

    fitted = fitting.fit(
        open_eye, lens, asked.parts, asked.pictures, np.random.default_rng([asked.seed, 13]), rate=asked.rate,
        budget_bytes=asked.budget_bytes, products=_products if asked.device == "cuda" else _here, told=asked.progress,
        plant=plant if compare else None,
    )  # fmt: skip
    return Tried(replace(candidate, shared=shared), checkpoint, look, fitted, open_eye(fitted.lens))


def _frozen(settings: Settings, arch: str, weights: str | None, why: str) -> Candidate:
    folder = backbone_folder(settings, arch, weights)
    return Candidate(folder, str(folder.relative_to(settings.home)), False, why)


def _products(points: Floats) -> Products | None:
    """On the card."""
    from models.products import Products as OnCard

    return OnCard(points, "cuda")


def _here(_points: Floats) -> Products | None:
    return None

"""A site's judge of novelty: a memory, the eye it was fitted with, and what they say of a picture."""

import contextlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Literal

from core.errors import ModelError
from core.learn.novelty.limit import as_score, novelty, p_value
from core.learn.novelty.memory import distance_of, distances
from core.pictures import heatmaps
from core.records import Grid, Pixels, Prediction
from models.checkpoint import load, probe_tiles
from models.engine import Engine, Observation, open_engine
from models.novelty.eye import Eye, own_eye, shared_eye
from models.novelty.file import Kept, read

PROBE_TOLERANCE = 0.02  # of a distance, between machines
SHARED_TOLERANCE = 0.05  # the same where it was fitted in an engine's precision: bfloat16 was 2.4% off float32
HOT = 2.0  # novelty of a place that is shown at full strength: the limit lies at half


@dataclass(frozen=True, eq=False)
class Judged:
    """What a memory says of one picture.

    Attributes:
        distance: to everything good; novelty: 1 at the limit; p_value: how often a good part lies as far, at most.
        milliseconds: it took.
        heat: where, 255 at twice the limit; None beside a model's prediction, which has a map of its own.
    """

    distance: float
    novelty: float
    p_value: float
    milliseconds: float
    heat: Grid | None = None


class Judge:
    """Usable from several threads.

    Attributes:
        kept: the memory and its card.
        engine: whose passes it can see in; None where it always looks for itself.
    """

    def __init__(self, kept: Kept, eye: Eye, engine: Engine | None = None) -> None:
        """Check the eye against the memory's probe.

        Raises:
            ModelError: this machine sees otherwise than the one that fitted the memory.
        """
        self.kept, self._eye, self.engine = kept, eye, engine
        allowed = SHARED_TOLERANCE if kept.card.shared else PROBE_TOLERANCE
        for found, expected in zip(probe_of(kept, eye), kept.card.probe, strict=True):
            if not abs(found - expected) <= allowed * max(expected, kept.card.limit.distance):
                raise ModelError(
                    f"{kept.card.name} measures its probe at {found:.4g}, {expected:.4g} when it was fitted, through "
                    f"{eye.back_end}: fit it again on this machine."
                )

    @property
    def back_end(self) -> str:
        """One sentence on device and library."""
        return self._eye.back_end

    def judge(self, pixels: Pixels) -> Judged:
        """Of one (h, w, 3) uint8 picture.

        Raises:
            BadInput: something that the decoder would not have made.
            ModelError: the net failed, or a distance is no number.
        """
        started = perf_counter()
        seen = self._eye.see(pixels)
        found = distances(self.kept.memory, seen.patches, self.kept.card.neighbours)
        heat = heatmaps.to_grid(seen.stitched(found.patches), HOT * self.kept.card.limit.distance)
        return self._judged(found.picture, started, heat)

    def beside(self, pixels: Pixels, observed: Observation | None) -> Judged:
        """Of a picture that a model has scored: from what its pass has seen where that will do, without a map.

        Args:
            pixels: of the picture; looked at again where the model looked otherwise, or is another net.
            observed: by this judge's engine.

        Raises:
            BadInput: something that the decoder would not have made.
            ModelError: the net failed, or a distance is no number.
        """
        started = perf_counter()
        seen = self._eye.seen(observed) if self.engine is not None and observed is not None else None
        patches = (self._eye.see(pixels) if seen is None else seen).patches
        return self._judged(distance_of(self.kept.memory, patches, self.kept.card.neighbours), started)

    def _judged(self, distance: float, started: float, heat: Grid | None = None) -> Judged:
        limit, held_out = self.kept.card.limit, self.kept.held_out
        spent = 1000 * (perf_counter() - started)
        return Judged(distance, novelty(distance, limit), p_value(held_out, distance), spent, heat)

    def prediction(self, judged: Judged) -> Prediction:
        """What is filed where no model says anything: it sorts the queue and shows where, and nothing passes by it."""
        return Prediction(
            model=self.kept.card.name,
            score=as_score(judged.novelty),
            class_scores={},
            novelty=judged.novelty,
            heatmap=judged.heat,
            milliseconds=judged.milliseconds,
            back_end=self.back_end,
        )


def probe_of(kept: Kept, eye: Eye) -> tuple[float, float]:
    """Distances of the two tiles that are the same on every machine."""
    maps = eye.see_tiles(probe_tiles(kept.card.look.tile))
    first, second = (
        distances(kept.memory, one.reshape(-1, one.shape[-1]), kept.card.neighbours).picture for one in maps
    )
    return first, second


def open_judge(
    file: Path, sha256: str, net: Path, device: Literal["cpu", "cuda"], cache: Path | None = None,
    engine: Engine | None = None,
) -> Judge:  # fmt: skip
    """The judge of a memory's file; the last few stay open, known by their hash.

    Args:
        file: of the memory.
        sha256: that its bytes have to have.
        net: folder of the model that it sees through.
        device: one that answers.
        cache: folder for converted nets.
        engine: that scores; its pass is shared where it is of the same net, opened with the memory's levels, and
            measures the memory's probe as the memory was fitted.

    Raises:
        NotFound: no such file or model.
        ModelError: other bytes, another net, or a machine that sees otherwise.
    """
    key = (sha256, str(net), device, engine)  # an engine is known by itself; it stays while its judge does
    with _opening:
        if key in _open_judges:
            _open_judges.move_to_end(key)
            return _open_judges[key]
        kept = read(file, sha256)
        judge = None if engine is None else _sharing(kept, engine)
        if judge is None:
            judge = _alone(kept, net, device, cache)
        _open_judges[key] = judge
        while len(_open_judges) > _KEPT:
            _open_judges.popitem(last=False)
        return judge


def _sharing(kept: Kept, engine: Engine) -> Judge | None:
    """None where the pass of the engine is not what the memory was fitted through, or near enough to it."""
    card = kept.card
    if engine.card.sha256 != card.net_sha256 or engine.levels != card.levels or card.even_light:
        return None
    try:
        return Judge(kept, shared_eye(engine, kept.lens, card.look), engine)
    except ModelError:
        return None  # such as bfloat16 where the memory was fitted in float32: it gets a pass of its own


def _alone(kept: Kept, net: Path, device: Literal["cpu", "cuda"], cache: Path | None) -> Judge:
    """A judge that looks for itself, as the memory was fitted where that is possible."""
    card, checkpoint = kept.card, load(net)
    if checkpoint.card.sha256 != card.net_sha256:
        raise ModelError(
            f"{card.name} was fitted with {card.net} ({card.net_sha256[:12]}), and {net.name} holds "
            f"other weights ({checkpoint.card.sha256[:12]}): fit it again."
        )
    if card.shared:
        with contextlib.suppress(ModelError):
            engine = open_engine(net, device, cache=cache, levels=card.levels)
            return Judge(kept, shared_eye(engine, kept.lens, card.look))
    return Judge(kept, own_eye(checkpoint, kept.lens, card.look, device, cache, card.even_light))


_KEPT = 4
_open_judges: OrderedDict[tuple[str, str, str, Engine | None], Judge] = OrderedDict()
_opening = Lock()

"""A site's judge of novelty: a memory, the eye it was fitted with, and what they say of a picture."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Literal

from core.errors import ModelError
from core.learn.novelty.limit import as_score, novelty, p_value
from core.learn.novelty.memory import distances
from core.pictures import heatmaps
from core.records import Grid, Pixels, Prediction
from models.checkpoint import load, probe_tiles
from models.novelty.eye import Eye
from models.novelty.file import Kept, read

PROBE_TOLERANCE = 0.02  # of a distance, between machines
HOT = 2.0  # novelty of a place that is shown at full strength: the limit lies at half


@dataclass(frozen=True, eq=False)
class Judged:
    """What a memory says of one picture.

    Attributes:
        distance: to everything good; novelty: 1 at the limit; p_value: how often a good part lies as far, at most.
        heat: where, 255 at twice the limit.
        milliseconds: it took.
    """

    distance: float
    novelty: float
    p_value: float
    heat: Grid
    milliseconds: float


class Judge:
    """Usable from several threads.

    Attributes:
        kept: the memory and its card.
    """

    def __init__(self, kept: Kept, eye: Eye) -> None:
        """Check the eye against the memory's probe.

        Raises:
            ModelError: this machine sees otherwise than the one that fitted the memory.
        """
        self.kept, self._eye = kept, eye
        for found, expected in zip(probe_of(kept, eye), kept.card.probe, strict=True):
            if not abs(found - expected) <= PROBE_TOLERANCE * max(expected, kept.card.limit.distance):
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
        limit = self.kept.card.limit
        heat = heatmaps.to_grid(seen.stitched(found.patches), HOT * limit.distance)
        return Judged(
            found.picture, novelty(found.picture, limit), p_value(self.kept.held_out, found.picture), heat,
            1000 * (perf_counter() - started),
        )  # fmt: skip

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
    file: Path, sha256: str, net: Path, device: Literal["cpu", "cuda"], cache: Path | None = None
) -> Judge:  # fmt: skip
    """The judge of a memory's file; the last few stay open, known by their hash.

    Args:
        file: of the memory.
        sha256: that its bytes have to have.
        net: folder of the model that it sees through.
        device: one that answers.
        cache: folder for converted nets.

    Raises:
        NotFound: no such file or model.
        ModelError: other bytes, another net, or a machine that sees otherwise.
    """
    key = (sha256, str(net), device)
    with _opening:
        if key in _open_judges:
            _open_judges.move_to_end(key)
            return _open_judges[key]
        kept = read(file, sha256)
        checkpoint = load(net)
        if checkpoint.card.sha256 != kept.card.net_sha256:
            raise ModelError(
                f"{kept.card.name} was fitted with {kept.card.net} ({kept.card.net_sha256[:12]}), and {net.name} holds "
                f"other weights ({checkpoint.card.sha256[:12]}): fit it again."
            )
        judge = Judge(kept, Eye(checkpoint, kept.lens, kept.card.look, device, cache, kept.card.even_light))
        _open_judges[key] = judge
        while len(_open_judges) > _KEPT:
            _open_judges.popitem(last=False)
        return judge


_KEPT = 4
_open_judges: OrderedDict[tuple[str, str, str], Judge] = OrderedDict()
_opening = Lock()

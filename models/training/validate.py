"""What a net says of whole pictures: the same tiles and the same joining as when it serves."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from core.learn import metrics
from core.pictures.tiling import Look, Plan, plan
from core.records import Floats, Pixels
from models.calibrate import fit_calibration
from models.joining import Join, joined
from models.nets import DefectNet
from models.preprocess import tiles_of, to_input
from models.training.examples import BEYOND, Example, labels_of
from models.training.step import cells


@dataclass(frozen=True)
class Observed:
    """The net's raw answers for one picture.

    Attributes:
        logits: (tiles,) of a defect.
        classes: (tiles, k) logits.
        cams: (tiles, gh, gw); None without a linear head.
        dense: (tiles, h/8, w/8) logits; None without the map.
    """

    example: Example
    plan: Plan
    logits: Floats
    classes: Floats
    cams: Floats | None
    dense: Floats | None


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Mixed precision for the forward pass: bf16 on CPU and GPU alike, float32 where asked."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


@torch.no_grad()
def observe(
    net: DefectNet,
    pictures: Iterable[tuple[Example, Pixels]],
    look: Look,
    device: torch.device,
    precision: str = "bf16",
    batch: int = 16,
) -> Iterator[Observed]:
    """Look at whole pictures tile by tile; one picture in memory at a time."""
    net.eval()
    for example, pixels in pictures:
        cut = plan(pixels.shape[1], pixels.shape[0], look)
        tiles = tiles_of(pixels, cut)
        parts = []
        for i in range(0, len(tiles), batch):
            x = to_input(tiles[i : i + batch], net.preprocessing).to(device, memory_format=torch.channels_last)
            with autocast(device, precision):
                parts.append(net(x))
        yield Observed(
            example,
            cut,
            _joined([p.defect for p in parts]),
            _joined([p.classes for p in parts]),
            None if parts[0].cam is None else _joined([p.cam for p in parts]),
            None if parts[0].dense is None else _joined([p.dense for p in parts]),
        )


def _joined(parts: Sequence[torch.Tensor]) -> Floats:
    return torch.cat([p.float() for p in parts]).cpu().numpy()


def coarser(look: Look) -> Look:
    """Tiles side by side: a quarter of the work, for a look after every epoch."""
    return replace(look, stride=look.tile)


@dataclass(frozen=True)
class Progress:
    """How far a training has come, as measured on the validation pictures.

    Attributes:
        log_loss: of the pictures' calibrated scores; the prior's own where the model knows nothing.
        auroc: by picture; None where there is only one kind.
        dense_precision: average precision of the map's cells; None where nothing was drawn.
        pointed: share of the drawn pictures whose hottest cell is marked; None where nothing was drawn.
    """

    log_loss: float
    auroc: float | None
    dense_precision: float | None
    pointed: float | None = None

    @property
    def worth(self) -> float | None:
        """What the best epoch has most of: sharp, honest scores, and a map that knows where.

        Scores count where there are both kinds of picture to tell apart: of defective ones alone, whoever calls
        everything defective has the smallest loss. None where there are not, and nothing was drawn either.
        """
        if self.auroc is None and self.pointed is None:
            return None
        scores = 0.0 if self.auroc is None else -self.log_loss
        return scores + 0.25 * (self.dense_precision or 0.0) + 0.25 * (self.pointed or 0.0)


def progress_of(observed: Iterable[Observed], join: Join) -> Progress:
    """Sum up one look at the validation pictures."""
    logits, targets, cell_scores, cell_labels, hits = [], [], [], [], []
    for seen in observed:
        logits.append(joined(seen.logits, join, None if seen.dense is None else float(seen.dense.max())))
        targets.append(seen.example.target)
        if seen.dense is not None and seen.example.placed:
            said, wanted = known_cells(seen)
            cell_scores.append(said)
            cell_labels.append(wanted)
            if wanted.any():
                hits.append(bool(wanted[said.argmax()]))
    calibration = fit_calibration(np.array(logits), np.array(targets))
    probabilities = calibration.probability(np.array(logits, np.float32))
    defective = np.array(targets) > 0.5
    drawn = bool(cell_labels) and any(c.any() for c in cell_labels)
    return Progress(
        metrics.log_loss(probabilities, targets) or 0.0,
        metrics.auroc(logits, defective),
        metrics.average_precision(np.concatenate(cell_scores), np.concatenate(cell_labels)) if drawn else None,
        float(np.mean(hits)) if hits else None,
    )


def known_cells(seen: Observed) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The dense map's logits and labels, where the labels are known."""
    dense = seen.dense
    if dense is None:
        return np.zeros(0, np.float32), np.zeros(0, bool)
    cut = seen.plan
    size = int(cut.boxes[0, 2])
    labels = labels_of(seen.example.regions, cut.picture_wh, cut.working_wh)
    width, height = int(cut.boxes[:, 0].max()) + size, int(cut.boxes[:, 1].max()) + size
    padded = np.full((max(height, labels.shape[0]), max(width, labels.shape[1])), BEYOND, np.uint8)
    padded[: labels.shape[0], : labels.shape[1]] = np.minimum(labels, 1)
    marked = np.stack([padded[y : y + size, x : x + size] for x, y, _, _ in cut.boxes.tolist()])
    wanted, known = cells(torch.from_numpy(marked))
    at = known.numpy()
    return dense[: len(cut.boxes)][at], wanted.numpy()[at] > 0

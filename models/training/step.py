"""One training step's loss: good or defective, which class, and where."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F

from core.errors import BadInput
from models.nets import DENSE_STRIDE, NetOutput
from models.training.examples import BEYOND
from models.training.sampling import Window

TOUCHED = 0.1  # of a cell's pixels must be marked before the cell counts as defective


@dataclass(frozen=True)
class ClassWeights:
    """What one example of each kind counts for; both kinds together then count the same."""

    defective: float
    good: float


def class_weights(prevalence: float) -> ClassWeights:
    """Weights n / (2 · n of the kind) from the share of defective examples.

    A kind that does not occur counts as it is: there is nothing to balance it against.

    Source: King and Zeng 2001; scikit-learn's "balanced".
    """
    if not 0 <= prevalence <= 1:
        raise BadInput(f"A prevalence of {prevalence}: it must lie between 0 and 1.")
    if prevalence in (0.0, 1.0):
        return ClassWeights(1.0, 1.0)
    return ClassWeights(1 / (2 * prevalence), 1 / (2 * (1 - prevalence)))


@dataclass(frozen=True)
class Targets:
    """What a batch should say.

    Attributes:
        defect: (n,) probabilities.
        classes: (n,) index of the class, -1 where it is not known.
        marked: (n, h, w) uint8 of pixels: 1 defect, 0 good, BEYOND unknown.
    """

    defect: torch.Tensor
    classes: torch.Tensor
    marked: torch.Tensor

    def to(self, device: torch.device) -> "Targets":
        """The same on another device."""
        return Targets(self.defect.to(device), self.classes.to(device), self.marked.to(device))


def targets_of(windows: Sequence[Window]) -> Targets:
    """Stack what is known of the windows."""
    return Targets(
        torch.tensor([w.defect for w in windows], dtype=torch.float32),
        torch.tensor([w.class_index for w in windows], dtype=torch.int64),
        torch.stack([w.marked for w in windows]),
    )


@dataclass(frozen=True)
class LossRule:
    """How the parts of the loss add up.

    Attributes:
        weights: of good and defective tiles.
        classes, dense: what the class heads and the map count for beside good/defective.
        exclusive: classes exclude each other (cross-entropy) or may appear together (one yes/no each).
        smoothing: how far hard 0 and 1 are pulled towards 1/2.
    """

    weights: ClassWeights = field(default_factory=lambda: ClassWeights(1.0, 1.0))
    classes: float = 0.3
    dense: float = 1.0
    exclusive: bool = True
    smoothing: float = 0.0


class Loss(NamedTuple):
    """The sum that is minimised and its parts, each a scalar."""

    total: torch.Tensor
    defect: torch.Tensor
    classes: torch.Tensor
    dense: torch.Tensor


def loss_of(output: NetOutput, targets: Targets, rule: LossRule) -> Loss:
    """What is minimised for one batch; logits are read as float32 whatever the net computed in."""
    defect = defect_loss(output.defect.float(), targets.defect, rule.weights, rule.smoothing)
    classes = class_loss(output.classes.float(), targets.classes, rule.exclusive)
    dense = defect.new_zeros(()) if output.dense is None else dense_loss(output.dense.float(), targets.marked)
    return Loss(defect + rule.classes * classes + rule.dense * dense, defect, classes, dense)


def defect_loss(
    logits: torch.Tensor, targets: torch.Tensor, weights: ClassWeights, smoothing: float = 0.0
) -> torch.Tensor:
    """Binary cross-entropy with logits, each kind weighted; a soft target shares both weights.

    loss = mean(-(w₁ · t · log σ(z) + w₀ · (1 - t) · log(1 - σ(z))))
    """
    soft = targets * (1 - smoothing) + 0.5 * smoothing
    return (-weights.defective * soft * F.logsigmoid(logits) - weights.good * (1 - soft) * F.logsigmoid(-logits)).mean()


def class_loss(logits: torch.Tensor, classes: torch.Tensor, exclusive: bool) -> torch.Tensor:
    """Of the tiles whose class is known; 0 where there are none."""
    known = classes >= 0
    if logits.shape[1] == 0 or not bool(known.any()):
        return logits.sum() * 0
    if exclusive:
        return F.cross_entropy(logits[known], classes[known])
    wanted = F.one_hot(classes[known], logits.shape[1]).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits[known], wanted)


def dense_loss(logits: torch.Tensor, marked: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each known cell, marked ones five times, plus half the Dice loss of the batch.

    A cell that a region only grazes, or that lies beyond the picture, counts neither way.

    Args:
        logits: (n, h/8, w/8).
        marked: (n, h, w) as in Targets.
    """
    defect, known = cells(marked)
    if not bool(known.any()):
        return logits.sum() * 0
    weight = known.float() * (1 + 4 * defect)
    entropy = F.binary_cross_entropy_with_logits(logits, defect, reduction="none")
    said = torch.sigmoid(logits) * known
    wanted = defect * known
    dice = 1 - (2 * (said * wanted).sum() + 1) / (said.sum() + wanted.sum() + 1)
    return 3 * (entropy * weight).sum() / known.sum() + 0.5 * dice


def cells(marked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Marked pixels as cells of the dense map: what each should say, and whether that is known."""
    inside = (marked != BEYOND).float()[:, None]
    share = F.avg_pool2d((marked == 1).float()[:, None], DENSE_STRIDE, ceil_mode=True)[:, 0]
    seen = F.avg_pool2d(inside, DENSE_STRIDE, ceil_mode=True)[:, 0]
    defect = (share >= TOUCHED).float()
    return defect, (seen > 0.5) & ((share >= TOUCHED) | (share == 0))

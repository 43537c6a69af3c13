"""A sanity check of heatmaps: a map that does not change when the net's weights do explains nothing about the net."""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats

from core.records import Floats
from models.explain import explainer_for
from models.nets import DefectNet

STILL_ALIKE = 0.5  # mean rank correlation above which the maps do not follow the weights


@dataclass(frozen=True)
class Sanity:
    """How alike maps stay when weights are replaced by chance.

    Attributes:
        alike: mean rank correlation with the real net's maps after each step: head, then the whole net.
    """

    alike: dict[str, float]

    @property
    def follows(self) -> bool:
        """The maps follow the weights: with all of them random, little is left."""
        return self.alike["everything"] <= STILL_ALIKE


def randomised(net: DefectNet, tiles: torch.Tensor, seed: int = 0) -> Sanity:
    """Replace weights by chance, from the head downwards, and compare the maps.

    The net that is given stays as it is.

    Args:
        net: in evaluation mode.
        tiles: (n, 3, h, w) normalised.
        seed: of the weights by chance.

    Source: Adebayo et al. 2018, "Sanity checks for saliency maps": the model parameter randomisation test.
    """
    explain = explainer_for(net)
    real = explain(net, tiles, 0).numpy()
    other = deepcopy(net)
    rng = torch.Generator().manual_seed(seed)
    _shuffle(other.head, rng)
    head = explain(other, tiles, 0).numpy()
    _shuffle(other.trunk, rng)
    whole = explain(other, tiles, 0).numpy()
    return Sanity({"head": _alike(real, head), "everything": _alike(real, whole)})


def _shuffle(module: torch.nn.Module, rng: torch.Generator) -> None:
    """Put the numbers of each weight in another order: their sizes stay as they were, what they mean does not."""
    with torch.no_grad():
        for weight in module.parameters():
            order = torch.randperm(weight.numel(), generator=rng)
            weight.copy_(weight.flatten()[order].reshape(weight.shape))


def _alike(one: Floats, other: Floats) -> float:
    """Mean absolute rank correlation of two stacks of maps; a map of one value everywhere is like none."""
    found = []
    for a, b in zip(one, other, strict=True):
        if np.ptp(a) > 0 and np.ptp(b) > 0:
            found.append(abs(float(stats.spearmanr(a.ravel(), b.ravel()).statistic)))
        else:
            found.append(0.0)
    return float(np.mean(found)) if found else 0.0

"""Why a score came out as it did: one method a file, chosen by name.

The engine takes `forward` where the net's head is linear (it costs nothing there) and `library` elsewhere.
"""

from collections.abc import Callable, Mapping

import torch

from models.explain import forward
from models.nets import DefectNet

Explainer = Callable[[DefectNet, torch.Tensor, int], torch.Tensor]
"""(net, (n, 3, h, w) normalised tiles, row of the head: 0 is the defect logit) to (n, gh, gw), unscaled, 0 and more."""


def _library(net: DefectNet, x: torch.Tensor, row: int = 0) -> torch.Tensor:
    from models.explain.library import explain  # it brings 180 MB that most nets never need

    return explain(net, x, row)


EXPLAINERS: Mapping[str, Explainer] = {"forward": forward.explain, "library": _library}


def explainer_for(net: DefectNet) -> Explainer:
    """The cheapest one that is right for this net."""
    return EXPLAINERS["forward" if net.linear else "library"]

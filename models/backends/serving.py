"""The net as it is served: uint8 tiles in, logits and maps out, normalisation inside."""

from collections.abc import Sequence

import torch
from torch import nn

from models.nets import DefectNet
from models.novelty.patches import patches_of
from models.preprocess import normalise


class ServingNet(nn.Module):
    """(n, h, w, 3) uint8 to (n, 1 + k) logits, the maps the net gives (cam, dense), pooled features; all float32.

    With levels of the trunk, their patches come last, (n, gh, gw, c), for whoever compares them with good ones.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, net: DefectNet, levels: Sequence[int] = ()) -> None:
        super().__init__()
        self.net = net.eval()
        self.levels = list(levels)
        self.register_buffer("mean", torch.tensor(net.preprocessing.mean))
        self.register_buffer("std", torch.tensor(net.preprocessing.std))

    def forward(self, tiles: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Tiles are normalised in float32 whatever the net computes in."""
        x = normalise(tiles, self.mean, self.std).to(self.net.head.weight.dtype)
        out, middle = self.net.with_middle(x, self.levels)
        logits = torch.cat([out.defect[:, None], out.classes], dim=1)
        found = tuple(o.float() for o in (logits, out.cam, out.dense, out.features) if o is not None)
        return (*found, patches_of(middle, tiles.shape[1], tiles.shape[2])) if self.levels else found

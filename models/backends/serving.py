"""The net as it is served: uint8 tiles in, logits and maps out, normalisation inside."""

import torch
from torch import nn

from models.nets import DefectNet
from models.preprocess import normalise


class ServingNet(nn.Module):
    """(n, h, w, 3) uint8 to (n, 1 + k) logits, the maps the net gives (cam, dense), pooled features; all float32."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, net: DefectNet) -> None:
        super().__init__()
        self.net = net.eval()
        self.register_buffer("mean", torch.tensor(net.preprocessing.mean))
        self.register_buffer("std", torch.tensor(net.preprocessing.std))

    def forward(self, tiles: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Tiles are normalised in float32 whatever the net computes in."""
        x = normalise(tiles, self.mean, self.std).to(self.net.head.weight.dtype)
        out = self.net(x)
        logits = torch.cat([out.defect[:, None], out.classes], dim=1)
        return tuple(o.float() for o in (logits, out.cam, out.dense, out.features) if o is not None)

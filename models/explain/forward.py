"""Grad-CAM without a backward pass, for nets with a linear head after global average pooling."""

import torch

from core.errors import BadInput
from models.nets import DefectNet, gradient_cam


@torch.no_grad()
def explain(net: DefectNet, x: torch.Tensor, row: int = 0) -> torch.Tensor:
    """See models.explain.Explainer.

    Raises:
        BadInput: the net's head is not linear in its map.
    """
    if not net.linear:
        raise BadInput(f"{net.arch} has no linear head after average pooling: use the library explainer.")
    maps, _ = net.maps(x)
    return gradient_cam(net.spatial(maps), net.head.weight[row])

"""Grad-CAM by the grad-cam library, for any net."""

from typing import Any

import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from core.errors import BadInput
from models.nets import DefectNet


class _Unscaled(GradCAM):  # type: ignore[misc]
    """The library stretches every map to [0, 1], so that a clean picture glows; this one leaves them as they are."""

    def compute_cam_per_layer(self, input_tensor: torch.Tensor, targets: Any, eigen_smooth: bool) -> list[Any]:
        """As the library's, without its scaling."""
        layers = zip(
            self.target_layers,
            self.activations_and_grads.activations,
            self.activations_and_grads.gradients,
            strict=True,
        )
        return [
            np.maximum(self.get_cam_image(input_tensor, layer, targets, a.numpy(), g.numpy(), eigen_smooth), 0)[:, None]
            for layer, a, g in layers
        ]

    def aggregate_multi_layers(self, cam_per_target_layer: list[Any]) -> Any:
        """One layer only."""
        return cam_per_target_layer[0][:, 0]


class _Logits(nn.Module):
    """One tensor out, as the library wants it."""

    def __init__(self, net: DefectNet) -> None:
        super().__init__()
        self.net = net
        self.map = nn.Identity()  # its output is the trunk's last map

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net.head(self.net.pool(self.map(self.net.trunk.forward_features(x))))  # type: ignore[no-any-return]


def explain(net: DefectNet, x: torch.Tensor, row: int = 0) -> torch.Tensor:
    """See models.explain.Explainer.

    Raises:
        BadInput: the trunk has neither a map nor blocks of tokens.
    """
    was_training = net.training
    net.eval()
    wrapped = _Logits(net)
    layer, reshape = _layer(net, wrapped)
    try:
        with torch.enable_grad(), _Unscaled(wrapped, [layer], reshape_transform=reshape) as cam:
            maps = cam(x.detach().requires_grad_(), [ClassifierOutputTarget(row)] * len(x))
    finally:
        net.train(was_training)
    return torch.from_numpy(np.ascontiguousarray(maps, dtype=np.float32))


def _layer(net: DefectNet, wrapped: _Logits) -> tuple[nn.Module, Any]:
    """Where to look: the last map, or for tokens the last block's first norm (after it only the class token counts)."""
    trunk: Any = net.trunk
    if not hasattr(trunk, "blocks") or not hasattr(trunk, "num_prefix_tokens"):
        return wrapped.map, net.spatial
    if not hasattr(trunk.blocks[-1], "norm1"):
        raise BadInput(f"{net.arch} has neither a feature map nor blocks with norms: take another architecture.")
    rows, columns = trunk.patch_embed.grid_size

    def as_map(tokens: torch.Tensor) -> torch.Tensor:
        patches = tokens[:, int(trunk.num_prefix_tokens) :]  # (n, rows·columns, c)
        return patches.reshape(len(patches), rows, columns, -1).permute(0, 3, 1, 2)

    return trunk.blocks[-1].norm1, as_map

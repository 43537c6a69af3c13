"""What a trunk's middle layers say of each place of a picture.

    tiles ─▶ trunk, up to stride 16 ─▶ 3x3 mean ─▶ scaled ─▶ projected where wide ─▶ patches

Early layers see edges wherever they are and late ones only what they were trained to tell apart; the middle ones tell
textures and shapes of a kind that nobody had to label. Layers behind them are not computed. On magnetic tiles stride
16 alone was better than strides 8 and 16 side by side, as the paper has them, and half the work.

Source: arXiv:2106.08265, section 3.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from core.errors import BadInput
from core.records import Floats
from models.nets import DefectNet
from models.preprocess import normalise

STRIDE = 16
WIDTH = 192  # numbers of a patch at most; what is wider is projected at random
CELL = 16  # px of a tile between two patches


@dataclass(frozen=True, eq=False)
class Lens:
    """How maps become patches, fitted once on good pictures and kept with the memory.

    Attributes:
        levels: indices of the trunk's maps.
        scale: (c,) by which each channel is multiplied.
        projection: (c, d); None where a patch is narrow enough as it is.
        widths: channels of each map; they add up to c.
    """

    levels: tuple[int, ...]
    scale: Floats
    projection: Floats | None = None
    widths: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Numbers in a patch."""
        return len(self.scale) if self.projection is None else self.projection.shape[1]


class PatchNet(nn.Module):
    """(n, h, w, 3) uint8 tiles to (n, gh, gw, d) patches, float32."""

    mean: torch.Tensor
    std: torch.Tensor
    scale: torch.Tensor
    projection: torch.Tensor | None

    def __init__(self, net: DefectNet, lens: Lens) -> None:
        super().__init__()
        self.trunk = net.trunk.eval()
        self.levels = list(lens.levels)
        self.register_buffer("mean", torch.tensor(net.preprocessing.mean))
        self.register_buffer("std", torch.tensor(net.preprocessing.std))
        self.register_buffer("scale", torch.from_numpy(np.ascontiguousarray(lens.scale)).view(1, 1, 1, -1))
        projection = None if lens.projection is None else torch.from_numpy(np.ascontiguousarray(lens.projection))
        self.register_buffer("projection", projection)

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        """Each cell of `CELL` px of a tile is one patch."""
        x = normalise(tiles, self.mean, self.std).to(next(self.trunk.parameters()).dtype)
        maps = self.trunk.forward_intermediates(
            x, indices=self.levels, output_fmt="NCHW", intermediates_only=True, stop_early=True
        )
        found = patches_of(maps, tiles.shape[1], tiles.shape[2]) * self.scale
        return found if self.projection is None else found @ self.projection


def patches_of(maps: Sequence[torch.Tensor], height: int, width: int) -> torch.Tensor:
    """(n, gh, gw, c) float32 of a trunk's (n, c, h, w) maps of tiles of that size, channels as they are."""
    side = (-(-height // CELL), -(-width // CELL))
    return torch.cat([_on_grid(one.float(), side) for one in maps], dim=1).permute(0, 2, 3, 1)


def _on_grid(maps: torch.Tensor, side: tuple[int, int]) -> torch.Tensor:
    """(n, c, h, w) to (n, c, *side): each cell with its neighbours' mean."""
    around = F.avg_pool2d(maps, 3, 1, 1, count_include_pad=False)
    return around if tuple(around.shape[2:]) == side else F.interpolate(around, side, mode="area")


@torch.no_grad()
def levels_of(net: DefectNet, tile: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The trunk's deepest map of the middle stride, and the channels of each map that is taken.

    A trunk of one stride, such as a vision transformer, gives the maps at half and three quarters of its depth.

    Raises:
        BadInput: the trunk has no such maps.
    """
    trunk: Any = net.trunk
    trunk.eval()
    x = torch.zeros(1, 3, tile, tile)
    maps = trunk.forward_intermediates(x, output_fmt="NCHW", intermediates_only=True)
    strides = [round(tile / one.shape[2]) for one in maps]
    deepest = {stride: at for at, stride in enumerate(strides)}
    chosen: tuple[int, ...] = (deepest[STRIDE],) if STRIDE in deepest else ()
    if len(set(strides)) == 1:
        chosen = tuple(dict.fromkeys((len(maps) // 2, 3 * len(maps) // 4)))
    if not chosen:
        raise BadInput(f"{net.arch} has no map of stride {STRIDE}: take another net.")
    return chosen, tuple(int(maps[at].shape[1]) for at in chosen)


def lens_of(net: DefectNet, tile: int, seed: int = 0) -> Lens:
    """A lens that takes channels as they are, and projects them where there are many.

    The projection is drawn from a seed, so that the same net always has the same lens.

    Source: Johnson and Lindenstrauss 1984; Achlioptas 2003 for signs in place of normal draws.
    """
    levels, widths = levels_of(net, tile)
    channels, projection = sum(widths), None
    if channels > WIDTH:
        signs = np.random.default_rng([seed, channels]).integers(0, 2, (channels, WIDTH))
        projection = ((2 * signs - 1) / np.sqrt(WIDTH)).astype(np.float32)
    return Lens(levels, np.ones(channels, np.float32), projection, widths)


def brought(lens: Lens, patches: Floats) -> Floats:
    """(..., d) patches as the lens would have given them, from (..., c) as they are."""
    found: Floats = patches * lens.scale
    return found if lens.projection is None else np.ascontiguousarray(found @ lens.projection, np.float32)


def scaled(lens: Lens, patches: Sequence[Floats]) -> Floats:
    """(c,) that brings each map's good patches to one spread, all its channels alike.

    A channel that never speaks on good pictures keeps its weight: one that speaks on another picture is what is looked
    for. A map that says the same everywhere stays as it is.

    Args:
        lens: that gave the patches, without a projection.
        patches: (n, c) of good pictures.
    """
    variance = np.concatenate(list(patches)).var(axis=0, dtype=np.float64)
    scale = np.ones(len(variance), np.float32)
    ends = np.cumsum(lens.widths or (len(variance),))
    for start, end in zip(np.r_[0, ends[:-1]].tolist(), ends.tolist(), strict=True):
        total = float(variance[start:end].sum())
        scale[start:end] = total**-0.5 if total > 0 else 1.0
    return scale

"""Whether a map's hottest spot lies on what a person drew."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.errors import BadInput
from core.learn.metrics.counts import ratio
from core.learn.metrics.proportions import proportion_interval


def points_inside(
    heat: npt.NDArray[np.floating], size_wh: tuple[int, int], mask: npt.NDArray[np.bool_], slack_px: int = 0
) -> bool:
    """Whether the hottest cell of a coarse map lies on the mask.

    Args:
        heat: (rows, columns) over the whole image; of equally hot cells the one among the hottest neighbours
            counts, since maps are stored in 8 bits and saturate.
        size_wh: of the image, in pixels.
        mask: (h, w) of that size.
        slack_px: how far beside the mask still counts; 0 asks for a hit.

    Source: Zhang et al. 2016, "Top-down neural attention by excitation backprop" (there with 15 px of slack).
    """
    width, height = size_wh
    if mask.shape != (height, width):
        raise BadInput(f"Mask is {mask.shape[1]}x{mask.shape[0]} but the image is {width}x{height}: redraw it here.")
    row, column = hottest_cell(heat)
    y = min(height - 1, int((row + 0.5) * height / heat.shape[0]))
    x = min(width - 1, int((column + 0.5) * width / heat.shape[1]))
    top, left = max(0, y - slack_px), max(0, x - slack_px)
    return bool(mask[top : y + slack_px + 1, left : x + slack_px + 1].any())


def hottest_cell(heat: npt.NDArray[np.floating]) -> tuple[int, int]:
    """Row and column of the hottest cell; of equally hot ones the one among the hottest neighbours."""
    around = ndimage.uniform_filter(heat.astype(np.float64), 3, mode="constant")
    row, column = np.unravel_index(int(np.argmax(np.where(heat == heat.max(), around, -np.inf))), heat.shape)
    return int(row), int(column)


@dataclass(frozen=True)
class PointingGame:
    """In how many defective images the hottest spot lies on a drawn region."""

    hits: int
    n: int

    @property
    def score(self) -> float | None:
        return ratio(self.hits, self.n)

    def as_json(self) -> dict[str, float | int | list[float] | None]:
        interval = proportion_interval(self.hits, self.n)
        return {
            "score": self.score,
            "interval": None if interval is None else list(interval),
            "hits": self.hits,
            "n": self.n,
        }

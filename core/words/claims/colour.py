"""Which colours a picture shows: the share of its pixels of each, by hue."""

from collections.abc import Mapping

import numpy as np

from core.records import Pixels

MOST_SIDE = 256  # pixels a side that are looked at, evenly taken
LEAST_SATURATION = 0.25  # of a pixel that has a colour at all
LEAST_VALUE = 0.15
# Upper ends of the hues in degrees, in order around the circle; brown is dark orange.
_HUES = ((15, "red"), (45, "orange"), (70, "yellow"), (165, "green"), (195, "cyan"), (255, "blue"), (290, "purple"),
         (335, "pink"), (360, "red"))  # fmt: skip


def colours(pixels: Pixels) -> Mapping[str, float]:
    """Share of the pixels that have each colour; grey ones have none, so the shares need not add up to 1.

    Args:
        pixels: (h, w, 3) uint8 RGB.
    """
    step = max(1, -(-max(pixels.shape[:2]) // MOST_SIDE))
    small = pixels[::step, ::step].reshape(-1, 3).astype(np.float32) / 255
    if not len(small):
        return {}
    most, least = small.max(axis=1), small.min(axis=1)
    spread = most - least
    coloured = (spread >= LEAST_SATURATION * np.maximum(most, 1e-6)) & (most >= LEAST_VALUE)
    safe = np.where(spread > 0, spread, 1)
    red, green, blue = small.T
    hue = np.select(
        [most == red, most == green],
        [((green - blue) / safe) % 6, (blue - red) / safe + 2],
        (red - green) / safe + 4,
    )
    degrees = 60 * hue
    names = np.array([name for _, name in _HUES])
    which = np.minimum(np.searchsorted([end for end, _ in _HUES], degrees, side="right"), len(_HUES) - 1)
    found = {name: float((coloured & (names[which] == name)).mean()) for name in dict.fromkeys(names.tolist())}
    dark = coloured & (names[which] == "orange") & (most < 0.6)
    brown = float(dark.mean())
    found["orange"] -= brown
    return {name: share for name, share in {**found, "brown": brown}.items() if share > 0}

"""Is the picture itself good enough to decide on: measured on decoded pixels, judged against a site's limits.

Everything is measured on the grey picture averaged down to about a megapixel, so that a figure means the same for
every camera and costs milliseconds. OpenCV does the averaging, as part of decoding: NumPy would take longer than the
decoder itself.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.records import Pixels, Quality

_PIXELS = 1_000_000  # measured at most at about this size
_DARK, _BRIGHT = 32, 250  # grey levels below which a pixel is dark, from which it is burnt out

# A broken transfer leaves a band without any variation that ends in mid-picture, straight across.
_BAND_SHARE = 0.06  # of the side that the band must take
_BAND_SPREAD = 1  # grey levels within the band, for rounding
_CUT_ROWS = 32  # a JPEG is cut within a row of 16-pixel blocks: by the one before, the picture must be there
_CUT_STEP = 6  # grey levels by which a pixel differs from the band
_CUT_SHARE = 0.6  # of the columns that are picture right behind the band
_BLACK = 8  # grey levels below which a pixel is black
_GREYS_SHARE = 0.15  # of what lies behind that is neither black nor white; binarised pictures have bands of their own


@dataclass(frozen=True)
class QualityLimits:
    """Where a picture is doubted. A flagged picture is kept and its part goes to HOLD.

    The defaults only catch what nobody could judge; a site sets its own from its own pictures.

    Attributes:
        contrast: below this standard deviation, on a scale of 0 to 1, there is "no variance".
        sharpness: below this variance of the Laplacian it is "blurry".
        dark: above this share of dark pixels it is "dark".
        bright: above this share of burnt-out pixels it is "over-exposed".
        partial: whether a cut-off band at an edge is looked for.
    """

    contrast: float = 0.004
    sharpness: float = 1.0
    dark: float = 0.95
    bright: float = 0.985
    partial: bool = True

    def __post_init__(self) -> None:
        shares = (self.contrast, self.dark, self.bright)
        if not (all(0 <= share <= 1 for share in shares) and 0 <= self.sharpness < float("inf")):
            raise BadInput(f"Quality limits are shares from 0 to 1 and a variance of 0 or more, found {self}.")


def measure(pixels: Pixels, limits: QualityLimits = QualityLimits()) -> Quality:
    """Measure a picture and flag it.

    Args:
        pixels: (h, w, 3) RGB.
        limits: where it is doubted.
    """
    grey = _grey(pixels)
    shares = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(np.float64) / grey.size
    levels = np.arange(256) / 255
    brightness = float(shares @ levels)
    quality = Quality(
        sharpness=_sharpness(grey),
        brightness=brightness,
        contrast=float(np.sqrt(shares @ (levels - brightness) ** 2)),
        dark=float(shares[:_DARK].sum()),
        bright=float(shares[_BRIGHT:].sum()),
        flags=("partial",) if _partial(grey) else (),
    )
    return replace(quality, flags=flags(quality, limits))


def flags(quality: Quality, limits: QualityLimits) -> tuple[str, ...]:
    """Judge figures anew under other limits; "partial" was seen in the pixels and is only kept or left out."""
    flat = quality.contrast < limits.contrast
    found = {
        "no variance": flat,
        "blurry": not flat and quality.sharpness < limits.sharpness,
        "dark": quality.dark > limits.dark,
        "over-exposed": quality.bright > limits.bright,
        "partial": limits.partial and "partial" in quality.flags,
    }
    return tuple(flag for flag, raised in found.items() if raised)


def _grey(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """(h, w) grey, averaged by 2, 4, 8, ... down to a megapixel or so; two rows of each cell are enough for that."""
    height, width = pixels.shape[:2]
    factor = 1
    while height * width > _PIXELS * (2 * factor) ** 2 / 2 and min(height, width) >= 2 * factor:
        factor *= 2
    if factor > 1:
        size = (width // factor, height // factor)
        # Cut to whole cells: OpenCV averages a whole number of pixels several times faster than a fraction.
        rows = pixels[: size[1] * factor : factor // 2, : size[0] * factor]
        pixels = cv2.resize(rows, size, interpolation=cv2.INTER_AREA)
    grey: npt.NDArray[np.uint8] = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return grey


def _sharpness(grey: npt.NDArray[np.uint8]) -> float:
    """Variance of the four-neighbour Laplacian (Pech-Pacheco et al. 2000)."""
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S, ksize=1))
    return float(deviation[0, 0]) ** 2


def _partial(grey: npt.NDArray[np.uint8]) -> bool:
    """Whether a constant band at one edge ends straight across the picture.

    A plain background ends at the part's own outline; a broken transfer stops wherever it was. Hence both are asked:
    no variation at all within the band, and picture in most columns right behind it. Of the 966 pictures in the sets
    that this was tried on, none is flagged but for drawings in black and white, which are therefore left out.
    """
    return any(_cut_at_the_end(side) for side in (grey, grey[::-1], grey.T, grey.T[::-1]))


def _cut_at_the_end(grey: npt.NDArray[np.uint8]) -> bool:
    rows = len(grey)
    if rows < 2 * _CUT_ROWS or abs(int(grey[-1, 0]) - int(grey[-1, -1])) > _BAND_SPREAD:
        return False
    low, high = grey.min(axis=1).astype(int), grey.max(axis=1).astype(int)
    level = int(low[-1])
    plain = (high - low <= _BAND_SPREAD) & (abs(low - level) <= _BAND_SPREAD)
    band = rows if plain.all() else int(np.argmin(plain[::-1]))
    if band >= rows or band < max(2, _BAND_SHARE * rows):
        return False
    rest = grey[: rows - band]
    if ((rest >= _BLACK) & (rest < _BRIGHT)).mean() < _GREYS_SHARE:
        return False
    differs = abs(rest[-_CUT_ROWS:].astype(int) - level) > _CUT_STEP
    return float(differs.any(axis=0).mean()) >= _CUT_SHARE

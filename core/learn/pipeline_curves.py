"""Whether a training has learned its pictures by heart: validation rises while training goes on falling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import BadInput

WINDOW = 5  # epochs
RISE = 0.02  # of validation loss over the window, as a share of its smallest value


@dataclass(frozen=True)
class Overfitting:
    """Where the two curves part.

    Attributes:
        first, last: number of the first and the last epoch of the stretch, from 1.
        training: change of the training loss over it, below 0.
        validation: change of the validation loss over it, above 0.
    """

    first: int
    last: int
    training: float
    validation: float

    @property
    def sentence(self) -> str:
        """What it means and what to do."""
        return (
            f"From epoch {self.first} to {self.last} the validation loss rose by {self.validation:.3g} while the "
            f"training loss fell by {-self.training:.3g}: the net learns these pictures by heart. Label more, augment "
            "more, or stop earlier."
        )


def overfitting(
    training: Sequence[float], validation: Sequence[float | None], window: int = WINDOW, rise: float = RISE
) -> Overfitting | None:
    """The longest stretch up to the last epoch in which validation rises and training falls; None without one.

    Both slopes are fitted by least squares over at least `window` epochs, so that one lucky epoch is no trend.

    Args:
        training: loss of each epoch.
        validation: the same; None where the validation pictures could not tell.
        window: fewest epochs of a trend.
        rise: of the fitted validation loss over the stretch, as a share of the smallest one so far; less is noise.

    Raises:
        BadInput: curves of different lengths, or a window of one epoch.
    """
    if len(training) != len(validation):
        raise BadInput(f"{len(training)} epochs of training but {len(validation)} of validation.")
    if window < 2:
        raise BadInput("A trend takes two epochs or more.")
    n = len(training)
    if n < window or any(one is None for one in validation[-window:]):
        return None
    checked = np.array([np.nan if one is None else one for one in validation], np.float64)
    taught = np.asarray(training, np.float64)
    least = float(np.nanmin(checked))
    found = None
    for first in range(n - window, -1, -1):
        y, t = checked[first:], taught[first:]
        if not (np.isfinite(y).all() and np.isfinite(t).all()):
            break
        up, down = _change(y), _change(t)
        if down < 0 and up > rise * max(abs(least), 1e-12):
            found = Overfitting(first + 1, n, down, up)
    return found


def _change(values: npt.NDArray[np.float64]) -> float:
    """Fitted slope times the number of steps."""
    x = np.arange(len(values), dtype=np.float64)
    slope = float(np.polyfit(x, values, 1)[0])
    return slope * (len(values) - 1)

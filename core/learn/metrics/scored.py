"""Scores beside labels: what every measure takes."""

import numpy as np
import numpy.typing as npt

from core.errors import BadInput

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def checked(scores: npt.ArrayLike, defective: npt.ArrayLike) -> tuple[Array, Flags]:
    """Both as arrays of one length.

    Raises:
        BadInput: lengths differ, or a score is not a number.
    """
    s = np.asarray(scores, dtype=np.float64).ravel()
    d = np.asarray(defective, dtype=bool).ravel()
    if len(s) != len(d):
        raise BadInput(f"{len(s)} scores but {len(d)} labels: give one label for each score.")
    if np.isnan(s).any():
        raise BadInput(f"{int(np.isnan(s).sum())} of {len(s)} scores are not numbers: score those images again.")
    return s, d

"""A flat map of a pool: its two widest directions."""

import numpy as np
import numpy.typing as npt

from core.learn.select.pool import Ints
from core.records import Floats

SAMPLED = 4000  # rows that settle the directions
_ROUNDS = 12


def directions(points: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The mean and the two first principal directions, (d,) and (2, d), from a random sample.

    A direction points where its largest entry is positive, so that the map does not flip.

    Source: subspace iteration, Golub and Van Loan 2013, section 8.2.
    """
    n, d = points.shape
    sample = points if n <= SAMPLED else points[np.sort(rng.choice(n, SAMPLED, replace=False))]
    middle = sample.mean(axis=0, dtype=np.float64)
    away = sample - middle
    wide = min(2, d, len(sample))
    basis = rng.normal(size=(d, wide + 2 if d > 4 else wide))
    for _ in range(_ROUNDS):
        basis, _upper = np.linalg.qr(away.T @ (away @ basis))
    _left, _sizes, right = np.linalg.svd(away @ basis, full_matrices=False)
    found = (basis @ right.T)[:, :wide].T
    signs = np.sign(found[np.arange(wide), np.abs(found).argmax(axis=1)])
    ways = np.zeros((2, d), np.float32)
    ways[:wide] = found * np.where(signs == 0, 1, signs)[:, None]
    return middle.astype(np.float32), ways


def flat(points: Floats, rows: Ints, middle: Floats, ways: Floats) -> npt.NDArray[np.float64]:
    """(k, 2) where rows of the points lie on the map."""
    found: npt.NDArray[np.float64] = ((points[rows] - middle) @ ways.T).astype(np.float64)
    return found

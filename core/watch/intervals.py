"""Intervals that hold at every moment at once: for figures that somebody watches."""

import numpy as np

from core.errors import BadInput
from core.learn.metrics.proportions import Interval
from core.watch.detector import BETS, Array

_GRID = np.concatenate([np.geomspace(1e-5, 0.02, 160, endpoint=False), np.linspace(0.02, 0.9999, 500)])


def ratio_interval(above: Array, below: Array, n: Array, confidence: float = 0.95) -> Interval | None:
    """A confidence sequence for the mean of `above` over the mean of `below`, from a fixed start until now.

    A rate is kept for as long as nobody who bets on a higher one, or on a lower one, has multiplied their capital by
    2 / (1 - confidence). Whoever looks at it every minute still finds the truth outside with probability
    1 - confidence at most, once in all.

    Args:
        above: (k,) what counts, such as 1 / inclusion probability of a defective part that passed; 0 otherwise.
        below: (k,) what it is a share of, in the same unit; at least `above`.
        n: (k,) how many parts there are of each kind.
        confidence: of the sequence as a whole.

    Returns:
        None without anything to share in.

    Source: Waudby-Smith and Ramdas 2024, section 4, with fixed bets mixed; ratio as in their appendix on sampling
    with unequal probability.
    """
    x, y, count = (np.asarray(one, np.float64) for one in (above, below, n))
    if x.shape != y.shape or x.shape != count.shape:
        raise BadInput("Numerators, denominators and counts have to be of one length.")
    if np.any(x > y) or np.any(x < 0):
        raise BadInput("What counts has to lie between 0 and what it is a share of.")
    if not np.any(y * count > 0):
        return None
    z = x[None, :] - _GRID[:, None] * y[None, :]  # (grid, k)
    most = float(y.max())
    up = _capital(z, count, _GRID * most)
    down = _capital(-z, count, (1 - _GRID) * most)
    kept = _GRID[(up < np.log(2 / (1 - confidence))) & (down < np.log(2 / (1 - confidence)))]
    if not kept.size:  # between two points of the grid
        at = float((x * count).sum() / (y * count).sum())
        return Interval(at, at)
    low = 0.0 if kept[0] == _GRID[0] else float(kept[0])
    high = 1.0 if kept[-1] == _GRID[-1] else float(kept[-1])
    return Interval(low, high)


def _capital(z: Array, n: Array, least: Array) -> Array:
    """(grid,) logarithm of the mixture of bettors; `least` is how far below 0 an item may lie."""
    logs = np.stack([np.log1p(bet * z / least[:, None]) @ n for bet in BETS])
    top = logs.max(axis=0)
    mixed: Array = top + np.log(np.exp(logs - top).mean(axis=0))
    return mixed

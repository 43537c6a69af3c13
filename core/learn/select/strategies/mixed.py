"""Diversity and uncertainty: among the pictures that the model is unsure of, those that differ most."""

import numpy as np

from core.learn.select.pool import Flags, Ints, Pool, Ranked, Strategy
from core.learn.select.strategies.entropy import entropy
from core.learn.select.strategies.k_center import centres_of, farthest, why

SHARE = 0.5  # of the pool, the unsure half, stays for the choice
FEWEST = 4  # times what is to be picked stays at least


def choose(pool: Pool, n: int, allowed: Flags, taken: Ints, rng: np.random.Generator) -> Ranked:
    """k-center among the unsure part of what is allowed; where that is not enough, among all of it."""
    rows = np.flatnonzero(allowed)
    kept = max(int(SHARE * len(rows)), FEWEST * n)
    order = np.lexsort((rng.random(len(rows)), -entropy(pool.probabilities[rows])))[:kept]
    unsure = np.zeros(pool.n, bool)
    unsure[rows[order]] = True
    return farthest(pool, n, unsure, centres_of(pool, taken))


STRATEGY = Strategy(
    "diversity-uncertainty",
    "Diversity and uncertainty",
    "Of the half of the pool that the model is less sure of, the pictures that differ most from all that is labelled.",
    lambda value: f"unsure, and {why(value)}",
    choose,
)

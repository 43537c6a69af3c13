"""Random: every picture with the same chance; what the others are measured against."""

import numpy as np

from core.learn.select.pool import Flags, Ints, Pool, Ranked, Strategy


def choose(pool: Pool, n: int, allowed: Flags, _taken: Ints, rng: np.random.Generator) -> Ranked:
    """Any n, in any order."""
    rows = rng.permutation(np.flatnonzero(allowed))[:n]
    return Ranked(rows, np.zeros(len(rows)))


STRATEGY = Strategy(
    "random",
    "Random",
    "Every picture has the same chance: nothing is learned faster than by this until a comparison shows it.",
    lambda _: "drawn at random",
    choose,
)

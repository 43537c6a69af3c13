"""Novelty: pictures unlike anything known."""

import numpy as np

from core.errors import BadInput
from core.learn.select.pool import Flags, Ints, Pool, Ranked, Strategy, by_value, nearest_squared


def choose(pool: Pool, n: int, allowed: Flags, _taken: Ints, rng: np.random.Generator) -> Ranked:
    """The largest novelty, as the model measured it; else the largest distance to anything labelled.

    Raises:
        BadInput: nothing is labelled and no model measured novelty.
    """
    if pool.novelty is not None and np.isfinite(pool.novelty[allowed]).all():
        return by_value(pool.novelty, n, allowed, rng)
    if not len(pool.labelled):
        raise BadInput("Novelty compares with what is known, and nothing is labelled yet: choose k-center first.")
    return by_value(np.sqrt(nearest_squared(pool.embeddings, pool.labelled)), n, allowed, rng)


STRATEGY = Strategy(
    "novelty",
    "Novelty",
    "Pictures unlike anything known: new kinds of defect, new materials, new light.",
    lambda value: f"novelty {value:.3g}",
    choose,
)

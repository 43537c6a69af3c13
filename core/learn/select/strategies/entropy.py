"""Entropy: pictures about which the model's whole answer is least sure."""

import numpy as np

from core.learn.select.pool import Flags, Ints, Pool, Ranked, Strategy, Wide, by_value


def entropy(probabilities: Wide) -> Wide:
    """How spread each row is.

    Args:
        probabilities: (n, k); each row adds up to 1.

    Returns:
        (n,) in [0, 1]; 1 where all k are as likely.

    Source: Shannon 1948, divided by log k.
    """
    k = probabilities.shape[1]
    if k < 2:
        return np.zeros(len(probabilities))
    p = np.clip(probabilities, 1e-12, 1)
    found: Wide = np.clip(-(p * np.log(p)).sum(axis=1) / np.log(k), 0, 1)
    return found


def choose(pool: Pool, n: int, allowed: Flags, _taken: Ints, rng: np.random.Generator) -> Ranked:
    """The n with the largest entropy."""
    return by_value(entropy(pool.probabilities), n, allowed, rng)


STRATEGY = Strategy(
    "entropy",
    "Entropy",
    "Pictures about which the model's whole answer, good and every class, is least sure.",
    lambda value: f"entropy {value:.2f}",
    choose,
)

"""Least confidence: pictures whose likeliest answer is least likely."""

import numpy as np

from core.learn.select.pool import Flags, Ints, Pool, Ranked, Strategy, Wide, by_value


def least_confidence(probabilities: Wide) -> Wide:
    """How unlikely the likeliest answer is.

    Args:
        probabilities: (n, k); each row adds up to 1.

    Returns:
        (n,) in [0, 1]; 1 where all k are as likely.

    Source: Culotta and McCallum 2005, as in Settles 2009, section 3.1.
    """
    k = probabilities.shape[1]
    if k < 2:
        return np.zeros(len(probabilities))
    found: Wide = np.clip((1 - probabilities.max(axis=1)) * k / (k - 1), 0, 1)
    return found


def choose(pool: Pool, n: int, allowed: Flags, _taken: Ints, rng: np.random.Generator) -> Ranked:
    """The n whose best answer is weakest."""
    return by_value(least_confidence(pool.probabilities), n, allowed, rng)


STRATEGY = Strategy(
    "least-confidence",
    "Least confidence",
    "Pictures whose likeliest answer is least likely.",
    lambda value: f"{value:.2f} of the way to a blind guess",
    choose,
)

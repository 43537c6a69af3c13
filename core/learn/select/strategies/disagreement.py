"""Disagreement with a shadow: pictures of which two models say different things."""

import numpy as np

from core.errors import BadInput
from core.learn.select.pool import Flags, Ints, Pool, Ranked, Strategy, Wide, by_value


def divergence(one: Wide, other: Wide) -> Wide:
    """(n,) in [0, 1]: the Jensen-Shannon divergence of each pair of rows, in bits.

    Source: Lin 1991.
    """
    p, q = np.clip(one, 1e-12, 1), np.clip(other, 1e-12, 1)
    middle = (p + q) / 2
    found: Wide = np.clip(((p * np.log2(p / middle)).sum(1) + (q * np.log2(q / middle)).sum(1)) / 2, 0, 1)
    return found


def choose(pool: Pool, n: int, allowed: Flags, _taken: Ints, rng: np.random.Generator) -> Ranked:
    """The n about which the two differ most.

    Raises:
        BadInput: there is no second model.
    """
    if pool.shadow is None:
        raise BadInput("Disagreement needs a second model: name one with --shadow.")
    return by_value(divergence(pool.probabilities, pool.shadow), n, allowed, rng)


STRATEGY = Strategy(
    "disagreement",
    "Disagreement with a shadow",
    "Pictures of which the model and a second one say different things.",
    lambda value: f"the two models are {value:.2f} bits apart",
    choose,
    frozenset({"shadow"}),
)

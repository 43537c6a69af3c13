"""Margin: pictures whose two likeliest answers are nearly as likely."""

import numpy as np

from core.errors import BadInput
from core.learn.select.pool import Flags, Ints, Pool, Ranked, Strategy, Wide, by_value


def margin(probabilities: Wide) -> Wide:
    """How close the two likeliest answers are.

    Args:
        probabilities: (n, k); each row adds up to 1.

    Returns:
        (n,) in [0, 1]; at 1 the model cannot tell the two apart.

    Raises:
        BadInput: with fewer than two answers.

    Source: Scheffer et al. 2001, as in Settles 2009, section 3.1.
    """
    if probabilities.shape[1] < 2:
        raise BadInput("Margin needs two answers or more: add a class, or rank by entropy.")
    ranked = np.partition(probabilities, -2, axis=1)
    found: Wide = 1 - (ranked[:, -1] - ranked[:, -2])
    return found


def choose(pool: Pool, n: int, allowed: Flags, _taken: Ints, rng: np.random.Generator) -> Ranked:
    """The n with the closest answers."""
    return by_value(margin(pool.probabilities), n, allowed, rng)


STRATEGY = Strategy(
    "margin",
    "Margin",
    "Pictures whose two likeliest answers are nearly as likely.",
    lambda value: f"two answers {1 - value:.2f} apart",
    choose,
)

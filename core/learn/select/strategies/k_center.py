"""k-center: pictures farthest from all that is labelled, so that nothing in the pool is far from a label."""

import numpy as np

from core.learn.select.farthest import greedy_k_center
from core.learn.select.pool import Flags, Ints, Pool, Ranked, Strategy
from core.records import Floats


def choose(pool: Pool, n: int, allowed: Flags, taken: Ints, _rng: np.random.Generator) -> Ranked:
    """The greedy k-center's picks, with what is labelled and what is in the batch as centres."""
    return farthest(pool, n, allowed, centres_of(pool, taken))


def farthest(pool: Pool, n: int, allowed: Flags, centres: Floats) -> Ranked:
    """Greedy picks and how far each was, the first being the most usual picture where there are no centres."""
    points, first = pool.embeddings, 0
    if not len(centres):
        middle = points[allowed].mean(axis=0) if allowed.any() else 0
        gap = np.where(allowed, np.einsum("ij,ij->i", points - middle, points - middle), np.inf)
        first = int(gap.argmin())
    rows, squares = greedy_k_center(points, n, centres if len(centres) else None, first, allowed, pool.products)
    return Ranked(rows, np.sqrt(squares.astype(np.float64)))


def centres_of(pool: Pool, taken: Ints) -> Floats:
    """(c, d) of what is labelled and of what is in the batch already."""
    return np.concatenate([pool.labelled, pool.embeddings[taken]]) if len(taken) else pool.labelled


def why(value: float) -> str:
    """In words."""
    if np.isinf(value):
        return "the most usual picture, where nothing is labelled yet"
    return f"{value:.3g} from the nearest labelled or chosen one"


STRATEGY = Strategy(
    "k-center",
    "k-center",
    "Pictures farthest from everything that is labelled: the pool is covered evenly, whatever the model thinks.",
    why,
    choose,
)

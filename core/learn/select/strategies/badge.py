"""BADGE-like: pictures that would change the last layer much, and each in its own way."""

import numpy as np

from core.learn.select.pool import Flags, Ints, Pool, Ranked, Strategy, Wide


def choose(pool: Pool, n: int, allowed: Flags, _taken: Ints, rng: np.random.Generator) -> Ranked:
    """k-means++ over the gradients that the last layer would get if the likeliest answer were true.

    A gradient is (probabilities - answer) ⊗ embedding; distances between two of them come from the products of their
    factors, so none is ever written down.

    Source: Ash et al. 2020, "Deep batch active learning by diverse, uncertain gradient lower bounds".
    """
    rows = np.flatnonzero(allowed)
    if not len(rows) or n <= 0:
        return Ranked(np.empty(0, np.intp), np.empty(0))
    error = pool.probabilities[rows].copy()
    error[np.arange(len(rows)), error.argmax(axis=1)] -= 1
    lengths = np.einsum("ij,ij->i", pool.embeddings, pool.embeddings)[rows].astype(np.float64)
    sizes = np.einsum("ij,ij->i", error, error) * lengths  # squared lengths of the gradients

    def squared_to(at: int) -> Wide:
        products = (pool.embeddings @ pool.embeddings[rows[at]])[rows].astype(np.float64)
        found: Wide = np.maximum(sizes + sizes[at] - 2 * (error @ error[at]) * products, 0)
        return found

    first = int(sizes.argmax())
    picks, values = [first], [float(np.sqrt(sizes[first]))]
    near = squared_to(first)
    near[first] = 0
    while len(picks) < min(n, len(rows)):
        total = near.sum()
        if total > 0:
            at = int(np.searchsorted(np.cumsum(near), rng.random() * total, side="right"))
            at = min(at, int(np.flatnonzero(near)[-1]))
        else:  # what is left has the gradients of what is picked
            left = np.setdiff1d(np.arange(len(rows)), picks)
            at = int(rng.choice(left))
        picks.append(at)
        values.append(float(np.sqrt(near[at])))
        near = np.minimum(near, squared_to(at))
        near[at] = 0
    return Ranked(rows[picks], np.array(values))


STRATEGY = Strategy(
    "badge",
    "BADGE-like",
    "Pictures that would change the last layer much, and each in its own way.",
    lambda value: f"changes the last layer by {value:.3g} in a way of its own",
    choose,
)

"""Relabel suspects: labelled pictures whose neighbours have other labels."""

import numpy as np

from core.errors import BadInput
from core.learn.select.pool import BLOCK_BYTES, Flags, Ints, Pool, Ranked, Strategy, Wide, by_value
from core.records import Floats

NEIGHBOURS = 10


def suspicion(embeddings: Floats, given: Ints, parts: Ints, neighbours: int = NEIGHBOURS) -> Wide:
    """How many of each picture's nearest neighbours have another label.

    Args:
        embeddings: (n, d).
        given: (n,) label of each, as a number.
        parts: (n,) pictures of one part do not speak for each other.
        neighbours: how many are asked.

    Returns:
        (n,) in [0, 1]; nearer neighbours count for more.

    Source: edited nearest neighbours, Wilson 1972, as a share instead of a vote.
    """
    n = len(embeddings)
    squares = np.einsum("ij,ij->i", embeddings, embeddings, dtype=np.float64)
    found = np.zeros(n)
    step = max(1, BLOCK_BYTES // (8 * max(1, n)))
    for start in range(0, n, step):
        stop = min(n, start + step)
        gaps = squares - 2.0 * (embeddings[start:stop] @ embeddings.T)
        gaps[parts[start:stop, None] == parts[None, :]] = np.inf
        k = min(neighbours, n - 1)
        near = np.argpartition(gaps, k - 1, axis=1)[:, :k] if k else np.empty((stop - start, 0), np.intp)
        there = np.take_along_axis(gaps, near, axis=1)
        place = np.argsort(np.argsort(there, axis=1, kind="stable"), axis=1)
        weight = np.where(np.isfinite(there), 1.0 / (1 + place), 0.0)
        other = given[near] != given[start:stop, None]
        total = weight.sum(axis=1)
        found[start:stop] = np.where(total > 0, (weight * other).sum(axis=1) / np.maximum(total, 1e-12), 0.0)
    return found


def choose(pool: Pool, n: int, allowed: Flags, _taken: Ints, rng: np.random.Generator) -> Ranked:
    """The n whose neighbours disagree most with their label.

    Raises:
        BadInput: the pool has no labels.
    """
    if pool.given is None:
        raise BadInput("Suspects are looked for among labelled pictures, and none of these has a label.")
    return by_value(suspicion(pool.embeddings, pool.given, pool.parts), n, allowed, rng)


STRATEGY = Strategy(
    "relabel-suspects",
    "Relabel suspects",
    "Labelled pictures whose nearest neighbours have other labels: either they are special, or their label is wrong.",
    lambda value: f"{value:.0%} of its neighbours, by weight, have another label",
    choose,
    frozenset({"given"}),
)

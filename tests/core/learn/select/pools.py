"""Simulated pools on which it is known which pictures are worth a label."""

import numpy as np

from core.learn.select.pool import Pool

NAMES = ("good", "CRACK", "PIT")


def pool_of(n=120, d=8, seed=0, labelled=10, sites=("Lyon", "Turin"), names=NAMES, pictures_of_a_part=1, **more):
    """Any pool: everything in it is drawn."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(len(names)), n)
    columns = {
        "embeddings": rng.normal(size=(n, d)).astype(np.float32),
        "probabilities": p,
        "names": names,
        "parts": np.arange(n) // pictures_of_a_part,
        "sites": [sites[i % len(sites)] for i in range(n)],
        "labelled": rng.normal(size=(labelled, d)).astype(np.float32) if isinstance(labelled, int) else labelled,
        "novelty": None,
        "shadow": rng.dirichlet(np.ones(len(names)), n),
        "given": rng.integers(0, len(names), n),
    }
    return Pool(**(columns | more))


def worth(strategy, seed=0, n=400):
    """A pool on which the strategy should win, and what each of its rows is worth: the larger the sum, the better."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 6)).astype(np.float32)
    sure = np.tile([0.98, 0.01, 0.01], (n, 1))
    rare = rng.random(n) < 0.08
    value = rare.astype(float)
    if strategy == "diversity-uncertainty":  # what lies far out is worth a label only where the model is unsure of it
        far = rare | (rng.random(n) < 0.08)
        points[far] *= 15
        unsure = rare | (~far & (rng.random(n) < 0.3))
        p = np.where(unsure[:, None], np.array([0.4, 0.35, 0.25]), sure)
        return pool_of(n, 6, seed, embeddings=points, probabilities=p), value
    if strategy in ("entropy", "margin", "least-confidence", "badge"):
        p = np.where(rare[:, None], np.array([0.4, 0.35, 0.25]), sure)
        return pool_of(n, 6, seed, embeddings=points, probabilities=p), value
    if strategy in ("k-center", "novelty"):
        points[rare] *= 15
        return pool_of(n, 6, seed, 30, embeddings=points), value
    if strategy == "disagreement":
        shadow = np.where(rare[:, None], np.array([0.02, 0.49, 0.49]), sure)
        return pool_of(n, 6, seed, embeddings=points, probabilities=sure, shadow=shadow), value
    if strategy == "relabel-suspects":
        given = (points[:, 0] > 0).astype(np.intp)
        points[:, 0] *= 6
        given = np.where(rare, 1 - given, given)
        return pool_of(n, 6, seed, embeddings=points, given=given), value
    return pool_of(n, 6, seed, embeddings=points), value  # random wins nothing

"""Whether scores mean what they say: reliability, calibration error, log loss."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.learn.metrics.scored import checked


class Bin(NamedTuple):
    """One bar of a reliability diagram."""

    low: float
    high: float
    said: float
    seen: float
    n: int


def reliability(probabilities: npt.ArrayLike, defective: npt.ArrayLike, bins: int = 10) -> list[Bin]:
    """Mean probability said and share of defects seen, in equal bins; empty bins are left out."""
    p, d = checked(probabilities, defective)
    if len(p) and (p.min() < 0 or p.max() > 1):
        raise BadInput(f"Probabilities run from {p.min():g} to {p.max():g}: calibrate the scores into [0, 1] first.")
    at = np.minimum((p * bins).astype(int), bins - 1)
    return [
        Bin(i / bins, (i + 1) / bins, float(p[at == i].mean()), float(d[at == i].mean()), int((at == i).sum()))
        for i in range(bins)
        if (at == i).any()
    ]


def calibration_error(probabilities: npt.ArrayLike, defective: npt.ArrayLike, bins: int = 10) -> float | None:
    """Expected calibration error: the mean gap of a reliability diagram, weighted by how many are in each bar."""
    bars = reliability(probabilities, defective, bins)
    n = sum(b.n for b in bars)
    return sum(b.n * abs(b.said - b.seen) for b in bars) / n if n else None


def log_loss(probabilities: npt.ArrayLike, targets: npt.ArrayLike) -> float | None:
    """Mean cross-entropy in nats; targets may be probabilities themselves."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64).ravel(), 1e-7, 1 - 1e-7)
    t = np.asarray(targets, dtype=np.float64).ravel()
    if len(p) != len(t):
        raise BadInput(f"{len(p)} probabilities but {len(t)} targets: give one target for each.")
    return float(-np.mean(t * np.log(p) + (1 - t) * np.log1p(-p))) if len(p) else None

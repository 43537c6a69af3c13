"""Sites whose true miss rate is known at every threshold, sampled plainly or with unequal inclusion probabilities."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

Design = Callable[[np.ndarray, np.random.Generator], np.ndarray]

# Inclusion probability of a part by its score. The hostile ones put the heaviest weights where a miss would hide.
DESIGNS: Mapping[str, Design] = {
    "plain": lambda s, rng: np.full(s.shape, 0.5),
    "passes audited at a third": lambda s, rng: np.where(s < 0.3, 1 / 3, 1.0),
    "passes and fails audited at a tenth": lambda s, rng: np.where((s < 0.2) | (s > 0.8), 0.1, 1.0),
    "by chance, one to four": lambda s, rng: rng.uniform(0.25, 1.0, s.shape),
    "two strata by chance": lambda s, rng: np.where(rng.random(s.shape) < 0.3, 0.2, 1.0),
    "rising with the score": lambda s, rng: np.clip(0.2 + s, 0, 1),
    "heavy where nothing is missed": lambda s, rng: np.where(s > 0.5, 0.1, 1.0),
}


@dataclass(frozen=True)
class TrueSite:
    """Scores are logistic-normal.

    Attributes:
        prevalence: share of defective parts.
        bad, good: mean log-odds of each kind.
        spread: of both, in log-odds.
    """

    prevalence: float = 0.2
    bad: float = 1.6
    good: float = -2.2
    spread: float = 1.2

    def miss_rate(self, threshold: float) -> float:
        """P(score under it | defective)."""
        if threshold <= 0:
            return 0.0
        return float(stats.norm.cdf((special.logit(threshold) - self.bad) / self.spread))

    def hold_rate(self, threshold: float) -> float:
        """Share of the parts that do not pass by themselves."""
        if threshold <= 0:
            return 1.0
        good = float(stats.norm.sf((special.logit(threshold) - self.good) / self.spread))
        return self.prevalence * (1 - self.miss_rate(threshold)) + (1 - self.prevalence) * good

    def oracle(self, miss: float) -> float:
        """The threshold of one who knows the truth."""
        return float(special.expit(self.bad + self.spread * stats.norm.ppf(miss)))

    def draw(self, n: int, design: Design, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scores, labels and weights of n sampled parts."""
        scores, labels, weights, drawn = [], [], [], 0
        while drawn < n:
            d = rng.random(2 * n) < self.prevalence
            s = special.expit(rng.normal(np.where(d, self.bad, self.good), self.spread))
            p = design(s, rng)
            kept = rng.random(len(s)) < p
            scores.append(s[kept])
            labels.append(d[kept])
            weights.append(1 / p[kept])
            drawn += int(kept.sum())
        s, d, w = (np.concatenate(one)[:n] for one in (scores, labels, weights))
        return s, d, w


def naive(scores: np.ndarray, defective: np.ndarray, weights: np.ndarray, miss: float) -> float:
    """What tuning by the point estimate takes: the highest threshold whose observed miss rate is small enough."""
    order = np.argsort(scores[defective])
    s, w = scores[defective][order], weights[defective][order]
    at = int(np.searchsorted(np.cumsum(w) / w.sum(), miss, side="right"))
    return float(s[at]) if at < len(s) else 1.0

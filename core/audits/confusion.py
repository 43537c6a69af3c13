"""What each person tends to call what: confusion matrices without a known truth, and with it where gold items give it.

Truth and confusion are estimated together by expectation and maximisation (Dawid and Skene 1979, "Maximum likelihood
estimation of observer error-rates using the EM algorithm"). A person with few answers is drawn towards everybody's
common matrix: their own counts are joined by that matrix as if it had been seen in a number of answers, the posterior
mode under a Dirichlet distribution (Paun et al. 2018, "Comparing Bayesian models of annotation", hierarchical form).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.audits.agreement import Answers, Floats64
from core.errors import BadInput
from core.learn.metrics.proportions import Interval

STRENGTH = 20.0  # answers about one truth that a person needs before their own count as much as everybody's
# Everybody's matrix is joined by a little of what anybody would expect, or a few answers that happen to agree would
# make all people perfect: this many answers about each truth, so many of them right.
EXPECTED, EXPECTED_RIGHT = 5.0, 0.8
MOST_ROUNDS = 500
SETTLED = 1e-7
_TINY = 1e-9


@dataclass(frozen=True)
class Confusions:
    """What was found.

    Attributes:
        truth: (items, k) probability of each category; rows of items without an answer are the prevalence.
        prevalence: (k,) of the items whose truth was not known before.
        counts: (people, k, k) expected number of answers: rows what it was, columns what was said.
        rates: (people, k, k) the same as shares of each row, shrunk.
        common: (k, k) everybody's.
    """

    truth: Floats64
    prevalence: Floats64
    counts: Floats64
    rates: Floats64
    common: Floats64
    strength: float

    def interval(self, person: int, true: int, said: int, confidence: float = 0.95) -> Interval:
        """Of one rate of one person: the middle of its posterior distribution."""
        mine = self.counts[person, true] + self.strength * self.common[true]
        hit, other = float(mine[said]), float(mine.sum() - mine[said])
        low, high = stats.beta.ppf([(1 - confidence) / 2, (1 + confidence) / 2], hit + 0.5, other + 0.5)  # Jeffreys
        return Interval(float(low), float(high))


def confusions(answers: Answers, known: Mapping[int, int] | None = None, strength: float = STRENGTH) -> Confusions:
    """Estimate truth and each person's confusion.

    Args:
        answers: of people to items.
        known: the true category of gold items; it is never doubted.
        strength: of the shrinkage; 0 is Dawid and Skene's own.

    Raises:
        BadInput: without any answer.
    """
    if not answers.items.size:
        raise BadInput("Nobody has answered anything yet.")
    k = answers.categories
    known = known or {}
    items, people = int(answers.items.max()) + 1, int(answers.people.max()) + 1
    fixed = np.zeros((items, k), bool)
    for item, category in known.items():
        if 0 <= item < items:
            fixed[item, category] = True
    is_fixed = fixed.sum(axis=1) > 0
    votes = np.zeros((items, k))
    np.add.at(votes, (answers.items, answers.said), 1)
    answered = votes.sum(axis=1) > 0
    truth = np.where(is_fixed[:, None], fixed, votes / np.maximum(votes.sum(axis=1, keepdims=True), 1))
    free = answered & ~is_fixed
    counts, rates, common, prevalence = _maximise(answers, truth, free, people, strength)
    for _ in range(MOST_ROUNDS):
        logs = np.tile(np.log(prevalence), (items, 1))
        np.add.at(logs, answers.items, np.log(rates)[answers.people, :, answers.said])
        logs -= logs.max(axis=1, keepdims=True)
        guess = np.exp(logs)
        guess /= guess.sum(axis=1, keepdims=True)
        guess = np.where(is_fixed[:, None], fixed, guess)
        moved = float(np.abs(guess - truth).max())
        truth = guess
        counts, rates, common, prevalence = _maximise(answers, truth, free, people, strength)
        if moved < SETTLED:
            break
    return Confusions(truth, prevalence, counts, rates, common, strength)


def _maximise(
    answers: Answers, truth: Floats64, free: npt.NDArray[np.bool_], people: int, strength: float
) -> tuple[Floats64, Floats64, Floats64, Floats64]:
    k = answers.categories
    counts = np.zeros((people, k, k))
    for said in range(k):
        mine = answers.said == said
        np.add.at(counts[:, :, said], answers.people[mine], truth[answers.items[mine]])
    expected = np.full((k, k), (1 - EXPECTED_RIGHT) / max(k - 1, 1))
    np.fill_diagonal(expected, EXPECTED_RIGHT)
    common = _rows(counts.sum(axis=0) + (EXPECTED * expected if strength > 0 else 0))
    rates = _rows(counts + strength * common)
    some = truth[free] if free.any() else truth
    prevalence = np.maximum(some.mean(axis=0), _TINY)
    return counts, rates, common, prevalence / prevalence.sum()


def _rows(counts: Floats64) -> Floats64:
    """Shares of each row, none of them quite 0, so that no answer is impossible."""
    sums = counts.sum(axis=-1, keepdims=True)
    shares = np.divide(counts, sums, out=np.full_like(counts, 1 / counts.shape[-1]), where=sums > 0)
    shares = np.maximum(shares, _TINY)
    found: Floats64 = shares / shares.sum(axis=-1, keepdims=True)
    return found

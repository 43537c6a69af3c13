"""Scores fitted anew: the truth comes back through unequal draws, and a fit is called better only where it is."""

import numpy as np
import pytest
from scipy.special import expit, logit

from core.audits.refit import ENOUGH, Better, refit
from core.decide.score_map import ScoreMap
from core.errors import BadInput


def plant(rng: np.random.Generator, n: int, slope: float, intercept: float, shares: tuple[float, float] = (0.1, 1.0)):
    """Parts whose true log-odds are `slope` times the model's plus `intercept`; middling scores are drawn oftener."""
    odds = rng.normal(-1.5, 2.2, n)
    defective = rng.random(n) < expit(slope * odds + intercept)
    scores = expit(odds)
    share = np.where((scores > 0.15) & (scores < 0.85), shares[1], shares[0])
    drawn = rng.random(n) < share
    return scores[drawn], defective[drawn], 1 / share[drawn]


def test_the_truth_comes_back_though_parts_were_drawn_unequally():
    rng = np.random.default_rng(3)
    found = refit(*plant(rng, 40_000, 0.6, 0.8), "net", rng)
    assert found.fitted.slope == pytest.approx(0.6, abs=0.05)
    assert found.fitted.intercept == pytest.approx(0.8, abs=0.1)
    assert found.better is Better.YES
    assert found.new.gap < found.old.gap


def test_scores_that_are_right_already_are_not_called_worse_than_a_fit():
    rng = np.random.default_rng(4)
    found = refit(*plant(rng, 6_000, 1.0, 0.0), "net", rng)
    assert found.better is not Better.YES
    assert abs(found.gain) < 0.01


def test_the_present_reading_is_what_a_new_one_is_compared_with():
    rng = np.random.default_rng(5)
    scores, defective, weights = plant(rng, 20_000, 0.6, 0.8)
    found = refit(scores, defective, weights, "net", rng, ScoreMap("net", 0.6, 0.8))
    assert found.better is not Better.YES
    wrong = refit(scores, defective, weights, "net", rng, ScoreMap("net", 3.0, -2.0))
    assert wrong.better is Better.YES
    assert wrong.fitted == found.fitted  # the fit itself is of the model's own scores


def test_a_fit_is_called_better_by_chance_no_more_often_than_it_says():
    """300 sites whose scores are right: 2.5 in a hundred may seem better by chance, within three deviations."""
    rng = np.random.default_rng(6)
    runs, wrong = 300, 0
    for _ in range(runs):
        found = refit(*plant(rng, 900, 1.0, 0.0, (0.3, 1.0)), "net", rng)
        wrong += found.better is Better.YES
    assert wrong / runs <= 0.025 + 3 * (0.025 * 0.975 / runs) ** 0.5


def test_the_confusion_matrix_counts_parts_and_not_weights():
    rng = np.random.default_rng(7)
    scores, defective, weights = plant(rng, 4_000, 1.0, 0.0)
    found = refit(scores, defective, weights, "net", rng)
    for reading in (found.new, found.old):
        counts = reading.counts
        assert counts.tp + counts.fn == defective.sum() == found.defective
        assert counts.fp + counts.tn == (~defective).sum() == found.good
    assert found.old.counts.tp == int(((scores >= 0.5) & defective).sum())


@pytest.mark.parametrize("bad", [0, ENOUGH - 1])
def test_too_few_parts_of_either_kind_fit_nothing(bad: int):
    scores = np.linspace(0.1, 0.9, 200)
    defective = np.arange(200) < bad
    with pytest.raises(BadInput, match="are needed"):
        refit(scores, defective, np.ones(200), "net", np.random.default_rng(1))


def test_a_perfect_split_ends_in_no_certainty():
    scores = np.concatenate([np.full(40, 0.2), np.full(40, 0.8)])
    found = refit(scores, np.arange(80) >= 40, np.ones(80), "net", np.random.default_rng(1))
    assert 0.5 < found.fitted.read(0.8) < 0.999
    assert logit(found.fitted.read(0.8)) > logit(0.8)

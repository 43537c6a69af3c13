import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from core.decide.bounds import allowed_misses, clean_needed, exact_intervals, miss_rate_p_value, upper_bound
from core.errors import BadInput
from core.learn.metrics import proportion_interval


def test_a_miss_rate_under_one_percent_at_95_takes_299_clean_audits():
    assert clean_needed(0.01, 0.05) == 299
    assert allowed_misses(298, 0.01, 0.05) is None
    assert allowed_misses(299, 0.01, 0.05) == 0


def test_three_misses_of_360_cracks_are_bounded_where_the_design_says():
    assert 1 - upper_bound(3, 360, 0.05) == pytest.approx(0.9786, abs=5e-5)


@given(st.integers(1, 2000), st.floats(0.005, 0.3), st.floats(0.01, 0.2))
def test_the_allowed_misses_are_the_most_whose_exact_bound_keeps_the_rate(n, miss, delta):
    k = allowed_misses(n, miss, delta)
    if k is None:
        assert upper_bound(0, n, delta) > miss - 1e-9
    else:
        assert upper_bound(k, n, delta) <= miss + 1e-9
        assert upper_bound(k + 1, n, delta) > miss - 1e-9


def test_many_intervals_at_once_are_those_of_clopper_and_pearson():
    hits, trials = np.array([0, 3, 7, 10, 0]), np.array([10, 360, 9, 10, 0])
    low, high = exact_intervals(hits, trials)
    for i in range(4):
        assert_allclose((low[i], high[i]), proportion_interval(int(hits[i]), int(trials[i])))
    assert (low[4], high[4]) == (0.0, 1.0)


@given(st.integers(0, 40), st.integers(1, 400), st.floats(0.01, 0.3), st.floats(0.1, 50))
def test_with_equal_weights_the_weighted_test_is_the_exact_binomial_one(missed, caught, miss, weight):
    p = miss_rate_p_value(np.full(missed, weight), np.full(caught, weight), weight, miss)
    assert_allclose(p, stats.binom.cdf(missed, missed + caught, miss), rtol=1e-6, atol=1e-12)


def test_without_a_miss_it_is_the_largest_bet_against_the_hypothesis(rng):
    weights, miss = rng.uniform(1, 9, 150), 0.04
    stake = 1 / ((1 - miss) * 9.0)
    capital = math.prod(1 + stake * miss * weights)
    assert miss_rate_p_value([], weights, 9.0, miss) == pytest.approx(1 / capital)


def test_it_agrees_with_drawing_exponentials_by_chance(rng):
    missed, caught, miss = np.array([1.0, 4.0, 4.0]), rng.uniform(1, 4, 120), 0.07
    e = rng.exponential(size=(200_000, 124))
    sums = e @ np.r_[(1 - miss) * missed, (1 - miss) * 4.0, -miss * caught]
    assert miss_rate_p_value(missed, caught, 4.0, miss) == pytest.approx((sums >= 0).mean(), abs=0.004)


@given(st.lists(st.floats(1, 20), min_size=2, max_size=30), st.floats(0.01, 0.4))
def test_missing_one_more_never_makes_it_less_likely(weights, miss):
    w = np.array(weights)
    found = [miss_rate_p_value(w[:k], w[k:], 20.0, miss) for k in range(len(w) + 1)]
    assert all(one <= other + 1e-9 for one, other in itertools.pairwise(found))


def test_very_many_weights_are_rounded_to_the_safe_side_and_hardly_at_all(rng, monkeypatch):
    missed, caught = rng.uniform(1, 10, 40), rng.uniform(1, 10, 3000)
    exact = miss_rate_p_value(missed, caught, 10.0, 0.02)
    monkeypatch.setattr("core.decide.bounds._grouped.__defaults__", (500,))
    rounded = miss_rate_p_value(missed, caught, 10.0, 0.02)
    assert exact <= rounded < 1.25 * exact


@pytest.mark.parametrize(("miss", "delta"), [(0, 0.05), (1, 0.05), (0.01, 0), (0.01, 1), (float("nan"), 0.05)])
def test_figures_that_cannot_be_meant_are_refused(miss, delta):
    with pytest.raises(BadInput, match="cannot be asked for"):
        allowed_misses(100, miss, delta)

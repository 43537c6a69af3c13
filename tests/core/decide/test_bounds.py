import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import special

from core.decide.bounds import (
    allowed_misses,
    beta_quantiles,
    clean_needed,
    exact_intervals,
    times_needed,
    upper_bound,
)
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


@pytest.mark.parametrize("level", [1e-6, 0.005, 0.025, 0.5, 0.975, 0.995, 1 - 1e-6])
def test_quantiles_of_any_size_are_those_of_scipy(level):
    rng = np.random.default_rng(1)
    a, b = 10 ** rng.uniform(-0.3, 8, (2, 3000))
    a[:100], b[100:200] = rng.uniform(19, 21, (2, 100))  # where one method takes over from the other
    found = beta_quantiles(a, b, level)
    spread = np.sqrt(a * b / (a + b + 1)) / (a + b)
    assert_allclose(found, special.betaincinv(a, b, level), rtol=1e-9, atol=1e-300)
    assert (np.abs(found - special.betaincinv(a, b, level)) <= 1e-6 * spread).all()


def test_intervals_of_a_hundred_million_parts_are_those_of_scipy():
    hits = np.unique(np.geomspace(1, 1e8 - 1, 400).round())
    low, high = exact_intervals(hits, np.full(len(hits), 1e8))
    assert_allclose(low, special.betaincinv(hits, 1e8 - hits + 1, 0.025), rtol=1e-9)
    assert_allclose(high, special.betaincinv(hits + 1, 1e8 - hits, 0.975), rtol=1e-9)


@given(st.integers(1, 30), st.integers(100, 3000), st.floats(0.01, 0.2))
def test_so_many_times_as_many_would_show_it_and_a_little_fewer_would_not(k, n, miss):
    times = times_needed(k, n, miss, 0.05, 1e6)
    if not np.isfinite(times):
        assert k / n > 0.99 * miss
        return
    if times > 1.01:
        assert special.betaincc(0.99 * k * times + 1, 0.99 * (n - k) * times, miss) > 0.05
    assert special.betaincc(k * times + 1, (n - k) * times, miss) <= 0.0501


@pytest.mark.parametrize(("miss", "delta"), [(0, 0.05), (1, 0.05), (0.01, 0), (0.01, 1), (float("nan"), 0.05)])
def test_figures_that_cannot_be_meant_are_refused(miss, delta):
    with pytest.raises(BadInput, match="cannot be asked for"):
        allowed_misses(100, miss, delta)

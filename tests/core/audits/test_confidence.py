"""Draws whose quantiles are intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.audits.confidence import interval, proportion_draws, total_draws
from core.errors import BadInput
from core.learn.metrics.proportions import proportion_interval


@settings(deadline=None)  # a busy machine may take its time
@given(st.integers(0, 60), st.integers(1, 60))
def test_an_interval_of_a_rate_lies_within_the_exact_one(hits, trials):
    hits = min(hits, trials)
    found = interval(proportion_draws(hits, trials, np.random.default_rng(1)))
    exact = proportion_interval(hits, trials)
    assert exact.low - 1e-3 <= found.low <= hits / trials + 1e-3
    assert hits / trials - 1e-3 <= found.high <= exact.high + 1e-3


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("trials", [40, 400])
def test_intervals_of_a_rate_cover_it_on_average(rate, trials):
    rng = np.random.default_rng(2)
    possible = np.arange(trials + 1)
    chance = stats.binom.pmf(possible, trials, rate)
    likely = possible[chance > 1e-5]
    covered = [interval(proportion_draws(int(hits), trials, rng)) for hits in likely]
    coverage = sum(chance[hits] for hits, (low, high) in zip(likely, covered, strict=True) if low <= rate <= high)
    assert coverage > 0.925  # a mid-P interval may lie a little under its level at one rate, and is above it at most


def test_nothing_that_was_tried_tells_nothing():
    found = interval(proportion_draws(0, 0, np.random.default_rng(3)))
    assert found.low < 0.03
    assert found.high > 0.97


def test_more_hits_than_trials_are_refused():
    with pytest.raises(BadInput, match="between 0"):
        proportion_draws(3, 2, np.random.default_rng(4))


@pytest.mark.parametrize("events", [0, 1, 4, 30])
def test_equal_weights_give_the_exact_limits_of_a_count(events):
    """Fay and Feuer's limits are Garwood's where every event counts 1; the mid-P ones lie inside."""
    found = interval(total_draws(events, events, 1, 1, np.random.default_rng(5)))
    low = stats.chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    high = stats.chi2.ppf(0.975, 2 * events + 2) / 2
    assert low - 0.02 <= found.low <= max(events, 0.02)
    assert events <= found.high <= high + 0.02


def test_what_is_certain_has_no_spread():
    found = interval(total_draws(7.0, 0.0, 0.0, 0.0, np.random.default_rng(6)))
    assert found == (7.0, 7.0)

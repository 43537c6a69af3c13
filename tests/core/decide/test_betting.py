import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decide.betting import expected_times, miss_rate_p_value, random_order

ROWS = st.lists(st.tuples(st.floats(1, 20), st.booleans()), min_size=1, max_size=30)


def at_the_edge(miss: float, heavy: float, share: float, lean: float) -> tuple[float, float]:
    """Chances of a miss under a heavy and under a light weight, so that the true miss rate is exactly `miss`."""
    mean = share * heavy + 1 - share
    often_heavy = min(1.0, lean * miss * mean / (share * heavy))
    return often_heavy, (miss * mean - often_heavy * share * heavy) / (1 - share)


@pytest.mark.parametrize("lean", [0.0, 0.3, 0.7])
@pytest.mark.parametrize(("miss", "heavy", "share"), [(0.3, 3.0, 0.4), (0.1, 5.0, 0.2), (0.4, 1.5, 0.5)])
def test_counted_out_over_every_possible_sample_it_is_small_no_more_often_than_it_says(miss, heavy, share, lean):
    often_heavy, often_light = at_the_edge(miss, heavy, share, lean)
    kinds = [(heavy, True, share * often_heavy), (heavy, False, share * (1 - often_heavy)),
             (1.0, True, (1 - share) * often_light), (1.0, False, (1 - share) * (1 - often_light))]  # fmt: skip
    found = []
    for sample in itertools.product(kinds, repeat=6):
        weights, missed = np.array([one[0] for one in sample]), np.array([one[1] for one in sample])
        p = miss_rate_p_value(weights, missed, heavy, miss, 0.3)
        found.append((p, math.prod(one[2] for one in sample)))
    found.sort()
    chances = np.cumsum([chance for _, chance in found])
    assert chances[-1] == pytest.approx(1)
    assert all(chance <= p + 1e-12 for (p, _), chance in zip(found, chances, strict=True))


@pytest.mark.parametrize("heavy", [2.0, 10.0, 100.0])
@pytest.mark.parametrize("share", [0.02, 0.2])
@pytest.mark.parametrize("lean", [0.0, 0.5, 1.0])
def test_misses_that_hide_under_heavy_weights_do_not_break_it(heavy, share, lean):
    rng, miss, delta, m, runs = np.random.default_rng(6), 0.05, 0.1, 300, 1500
    often_heavy, often_light = at_the_edge(miss, heavy, share, lean)
    broken = 0
    for _ in range(runs):
        is_heavy = rng.random(m) < share
        missed = rng.random(m) < np.where(is_heavy, often_heavy, often_light)
        broken += miss_rate_p_value(np.where(is_heavy, heavy, 1.0), missed, heavy, miss, delta) <= delta
    assert broken / runs <= delta + 3 * np.sqrt(delta * (1 - delta) / runs)


@given(ROWS, st.floats(0.01, 0.4))
def test_missing_one_more_never_makes_it_less_likely(rows, miss):
    w, missed = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    before = miss_rate_p_value(w, missed, 20.0, miss, 0.05)
    for at in np.flatnonzero(~missed):
        more = missed.copy()
        more[at] = True
        assert miss_rate_p_value(w, more, 20.0, miss, 0.05) >= before * (1 - 1e-12)


@given(ROWS, st.floats(0.01, 0.4), st.floats(0.01, 0.4))
def test_a_larger_miss_rate_is_never_more_likely(rows, one, other):
    w, missed = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    low, high = sorted((one, other))
    at_low, at_high = (miss_rate_p_value(w, missed, 20.0, miss, 0.05) for miss in (low, high))
    assert at_high <= at_low * (1 + 1e-9)


def test_299_clean_examples_show_one_percent_as_they_do_where_sampling_is_plain():
    for n, shown in ((299, True), (298, False)):
        assert (miss_rate_p_value(np.ones(n), np.zeros(n, bool), 1.0, 0.01, 0.05) <= 0.05) is shown


def test_no_stake_is_larger_than_what_the_worst_miss_would_take():
    w = np.r_[np.ones(5), 9.0]
    assert miss_rate_p_value(w, np.arange(6) == 5, 9.0, 0.2, 1e-9) <= 1  # the capital is 0 then, and never below


def test_what_is_forecast_is_about_what_it_takes(rng):
    w, missed = np.tile([1.0, 4.0], 100), np.isin(np.arange(200), (0, 41, 80, 121))
    times = expected_times(w, missed, 4.0, 0.05, 0.05, 1e6)
    assert 1 < times < 10
    again = [miss_rate_p_value(rng.choice(w, n := round(1.3 * times * 200)), rng.random(n) < missed.mean(), 4.0, 0.05,
                               0.05) for _ in range(60)]  # fmt: skip
    assert np.median(again) <= 0.05


def test_what_would_never_be_shown_is_forecast_as_never():
    missed = np.arange(100) < 10
    assert math.isinf(expected_times(np.ones(100), missed, 1.0, 0.05, 0.05, 1e6))


def test_the_order_is_a_seeded_one_that_mixes_the_scores():
    s, w = np.linspace(0, 1, 2000), np.ones(2000)
    order = random_order(s, w)
    assert sorted(order) == list(range(2000))
    assert list(order) == list(random_order(s, w))
    assert list(order) != list(random_order(np.sqrt(s), w))
    assert abs(np.corrcoef(np.arange(2000), order)[0, 1]) < 0.1


def test_nothing_labelled_surprises_nobody():
    assert miss_rate_p_value(np.zeros(0), np.zeros(0, bool), 1.0, 0.05, 0.05) == 1

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.metrics import precision_recall_curve

from core.decide.sweep import sweep, weighted_sweep
from core.errors import BadInput

ROWS = st.lists(st.tuples(st.one_of(st.floats(0, 1), st.sampled_from([0.0, -0.0, 0.5, 1.0, 5e-324])), st.booleans()),
                min_size=1, max_size=60)  # fmt: skip


@given(ROWS)
def test_counts_are_those_of_counting_one_by_one(rows):
    s, d = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = sweep(s, d)
    for low in (0.0, 0.5, *s[:5]):
        for high in (low, 1.0):
            cells = found.cells(low, high)
            assert cells.passed_bad == (d & (s < low)).sum()
            assert cells.passed_good == (~d & (s < low)).sum()
            assert cells.failed_bad == (d & (s > high)).sum()
            assert cells.failed_good == (~d & (s > high)).sum()
            assert cells.n == len(rows)


@given(ROWS)
@pytest.mark.filterwarnings("ignore:No positive class")
def test_every_threshold_is_scikit_learns_to_the_last_bit(rows):
    s, d = np.array([row[0] for row in rows]) + 0.0, np.array([row[1] for row in rows])
    for mine, theirs in zip(sweep(s, d).precision_recall(), precision_recall_curve(d, s), strict=True):
        assert_array_equal(mine, theirs)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_ties_and_neighbours_are_kept_apart_and_together(kind, rng):
    s = rng.integers(0, 50, 5000).astype(kind) / kind(50)
    s[::7] = np.nextafter(s[::7], kind(1))
    d = rng.random(5000) < 0.3
    for mine, theirs in zip(sweep(s, d).precision_recall(), precision_recall_curve(d, s), strict=True):
        assert_array_equal(mine, theirs)


SHAPES = {
    "evenly": lambda rng: rng.random(30_000),
    "most near nothing": lambda rng: rng.random(30_000) ** 9,
    "all in one place": lambda rng: 0.5 + 1e-7 * rng.random(30_000),
    "all in one place but one": lambda rng: np.r_[1.0, np.full(29_999, 0.25), 0.0],
    "rounded": lambda rng: np.round(rng.beta(1.5, 8, 30_000), 3),
    "rising": lambda rng: np.sort(rng.random(30_000)),
    "falling": lambda rng: np.sort(rng.random(30_000))[::-1],
}


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_however_many_scores_lie_close_together_every_threshold_is_scikit_learns(shape, kind, rng):
    s = SHAPES[shape](rng).astype(kind)
    d = rng.random(len(s)) < 0.2
    for mine, theirs in zip(sweep(s, d).precision_recall(), precision_recall_curve(d, s), strict=True):
        assert_array_equal(mine, theirs)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.floats(0.05, 20), st.integers(0, 2**32 - 1), st.integers(10_000, 12_000))
def test_a_few_ten_thousand_scores_are_counted_as_one_sort_counts_them(levels, power, seed, n):
    rng = np.random.default_rng(seed)
    s = (rng.integers(0, levels + 1, n) / levels) ** power + (rng.random(n) < 0.5) * 2.0**-60
    s, d = np.minimum(s, 1.0), rng.random(n) < 0.3
    found, order = sweep(s, d), np.argsort(s, kind="stable")
    levels_there, first = np.unique(s[order], return_index=True)
    assert_array_equal(found.levels, levels_there)
    assert_array_equal(found.below, np.r_[first, n])
    assert_array_equal(found.bad_below, np.r_[0, np.cumsum(d[order])][found.below])


def test_nothing_scored_is_nothing_counted():
    found = sweep([], [])
    assert found.cells(0.2, 0.8).n == found.n == found.good == 0
    assert found.shown().tolist() == [0, 1]


def test_the_callers_scores_stay_as_they_were(rng):
    s = rng.random(100)
    before = s.copy()
    sweep(s, s > 0.5)
    assert_array_equal(s, before)


def test_weights_count_as_so_many_parts(rng):
    s, d, w = rng.integers(0, 30, 300) / 30, rng.random(300) < 0.3, rng.integers(1, 5, 300)
    weighted = weighted_sweep(s, d, w)
    repeated = sweep(np.repeat(s, w), np.repeat(d, w))
    assert_array_equal(weighted.levels, repeated.levels)
    assert weighted.cells(0.2, 0.7) == repeated.cells(0.2, 0.7)
    halves = weighted_sweep(s, d, w / 2)  # no part is lost because a sum of weights is not whole
    assert halves.cells(0.2, 0.7).n == weighted.cells(0.2, 0.7).n / 2


def test_few_thresholds_are_drawn_however_many_there_are(rng):
    found = sweep(rng.random(20_000), rng.random(20_000) < 0.1)
    shown = found.shown(400)
    assert 390 <= len(shown) <= 402
    assert (shown[0], shown[-1]) == (0, 1)
    good, bad = found.under(shown)
    assert np.diff(good + bad).max() <= 2 * 20_000 / 400


@pytest.mark.parametrize("scores", [[0.5, 1.5], [0.5, -0.1], [0.5, float("nan")], [0.5]])
def test_what_is_no_probability_is_refused(scores):
    with pytest.raises(BadInput):
        sweep(scores, [True, False])


def test_a_band_turned_round_is_refused():
    with pytest.raises(BadInput, match="turned round"):
        sweep([0.5], [True]).cells(0.8, 0.2)

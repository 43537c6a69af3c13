"""Exact k-center greedy: the picks of the naive loop, whatever the data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.learn.select import farthest as module
from core.learn.select.farthest import greedy_k_center, squared


def naive(points, n, centres=None, first=0, allowed=None):
    """The loop of the docstring, word by word."""
    may = np.ones(len(points), bool) if allowed is None else allowed
    nearest = np.full(len(points), np.inf, np.float32)
    for centre in () if centres is None else centres:
        nearest = np.minimum(nearest, squared(points, centre))
    nearest[~may] = -1
    picks, values = [], []
    while len(picks) < min(n, may.sum()):
        pick = int(nearest.argmax())
        if not picks and (centres is None or not len(centres)):
            pick = first if may[first] else int(np.flatnonzero(may)[0])
        picks.append(pick)
        values.append(nearest[pick])
        nearest = np.minimum(nearest, squared(points, points[pick]))
        nearest[~may] = -1
        nearest[picks] = -1
    return picks, values


def same(points, n, **more):
    rows, values = greedy_k_center(points, n, **more)
    wanted, worth = naive(points, n, **more)
    assert rows.tolist() == wanted
    np.testing.assert_array_equal(values, np.array(worth, np.float32))


def normal(n, d, seed=0, spread=1.0, away=0.0):
    return (np.random.default_rng(seed).normal(away, spread, (n, d))).astype(np.float32)


@pytest.mark.parametrize(("n", "d", "k"), [(1, 1, 1), (5, 3, 5), (300, 8, 40), (2000, 64, 120), (900, 700, 60)])
def test_the_picks_are_those_of_the_naive_loop(n, d, k):
    same(normal(n, d), k)


def test_far_from_the_origin_they_are_too():
    same(normal(800, 32, spread=0.01, away=100.0), 100)


def test_duplicates_are_picked_last_and_in_order():
    points = np.repeat(normal(30, 6), 20, axis=0)
    same(points, 100)
    rows, values = greedy_k_center(points, 600)
    assert sorted(rows.tolist()) == list(range(600))
    assert (values[30:] == 0).all()
    assert rows[30:].tolist() == sorted(rows[30:].tolist())


def test_equal_distances_go_to_the_first():
    grid = np.array([[x, y] for x in range(12) for y in range(12)], np.float32)
    same(grid, 144)
    same(np.zeros((50, 4), np.float32), 50)


def test_clusters_of_very_different_size_do_not_matter():
    rng = np.random.default_rng(3)
    places = rng.normal(0, 20, (25, 40))
    points = (places[rng.integers(0, 25, 3000) ** 2 % 25] + rng.normal(0, 0.3, (3000, 40))).astype(np.float32)
    same(points, 200)


def test_what_is_labelled_counts_as_a_centre():
    points = normal(700, 16)
    same(points[100:], 50, centres=points[:100])
    same(points, 50, centres=points[:100])  # of which the pool holds copies


def test_only_what_is_allowed_is_picked():
    points, allowed = normal(400, 10), np.random.default_rng(1).random(400) < 0.3
    same(points, 60, allowed=allowed)
    rows, _ = greedy_k_center(points, 1000, allowed=allowed)
    assert set(rows.tolist()) == set(np.flatnonzero(allowed).tolist())
    assert greedy_k_center(points, 5, allowed=np.zeros(400, bool))[0].tolist() == []


def test_a_small_gathering_gives_the_same_picks(monkeypatch):
    monkeypatch.setattr(module, "_FEWEST", 3)
    monkeypatch.setattr(module, "_MOST", 3)
    same(normal(300, 5), 60)
    same(np.repeat(normal(20, 3), 9, axis=0), 120)


def test_products_from_elsewhere_give_the_same_picks_although_they_round_otherwise():
    points = normal(1500, 48)

    def backwards(rows, vectors):
        return points[rows][:, ::-1] @ np.ascontiguousarray(vectors[:, ::-1]).T

    rows, _ = greedy_k_center(points, 150, products=backwards)
    assert rows.tolist() == naive(points, 150)[0]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 60), st.integers(1, 7), st.integers(1, 60), st.integers(0, 10**6), st.sampled_from([1e-6, 1, 1e4])
)
def test_coarse_points_with_many_ties_never_differ(n, d, k, seed, scale):
    rng = np.random.default_rng(seed)
    points = (rng.integers(-2, 3, (n, d)) * scale).astype(np.float32)
    same(points, k, first=int(rng.integers(0, n)), allowed=rng.random(n) < 0.8)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(1, 700), st.integers(0, 10**6))
def test_a_row_has_the_same_distance_alone_and_among_others(n, d, seed):
    rng = np.random.default_rng(seed)
    points, centre = rng.normal(size=(n, d)).astype(np.float32), rng.normal(size=d).astype(np.float32)
    every = squared(points, centre)
    some = rng.permutation(n)[: max(1, n // 3)]
    np.testing.assert_array_equal(every[some], squared(points[some], centre))
    np.testing.assert_array_equal(every[:1], squared(points[:1], centre))


def test_values_that_are_no_numbers_are_refused():
    points = normal(10, 3)
    points[4, 1] = np.nan
    with pytest.raises(BadInput, match="not finite"):
        greedy_k_center(points, 3)
    with pytest.raises(BadInput, match="embeddings"):
        greedy_k_center(normal(10, 3), 3, centres=normal(4, 5))


def test_the_callers_points_are_left_as_they_are():
    points = normal(200, 7)
    before = points.copy()
    greedy_k_center(points, 30)
    np.testing.assert_array_equal(points, before)

"""What a few labels are worth, on pools where the answer is known."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from core.errors import BadInput
from core.learn.few_labels import METHODS, band, compare_few, nearest_kind


def _pool(n=160, d=12, seed=0):
    """Defects of one kind lie off to one side; pictures come in groups of two."""
    rng = np.random.default_rng(seed)
    bad = np.arange(n) // 2 % 2 == 0
    features = rng.normal(size=(n, d)).astype(np.float32)
    features[bad, 0] += 3
    synthetic = (features[:, None] + rng.normal(0, 0.3, (n, 3, d))).astype(np.float32)
    synthetic[:, :, 0] += 3
    return features, synthetic, bad, [str(one // 2) for one in range(n)]


def _far(features):
    def novelty(good, rows):
        return np.linalg.norm(features[rows][:, None] - features[good][None], axis=2).min(axis=1).astype(np.float64)

    return novelty


def test_more_labels_are_worth_more_and_every_way_is_measured():
    features, synthetic, bad, groups = _pool()
    found = compare_few(features, synthetic, bad, groups, _far(features), (5, 20, 50), seeds=4)
    assert tuple(found) == METHODS
    assert all(list(steps) == [5, 20, 50] for steps in found.values())
    assert found["head"][50].mean > found["head"][5].mean
    assert found["head"][50].mean > 0.9
    for steps in found.values():
        for one in steps.values():
            assert one.low is not None
            assert one.low <= one.mean <= one.high
            assert len(one.seeds) == 4


def test_what_needs_no_label_is_the_same_at_every_number_of_labels():
    features, synthetic, bad, groups = _pool()
    found = compare_few(features, synthetic, bad, groups, _far(features), (5, 50), seeds=2)
    alone = found["novelty, all good"]
    assert alone[5].mean == alone[50].mean


def test_pasted_defects_help_where_they_look_like_the_real_ones():
    features, synthetic, bad, groups = _pool(seed=3)
    found = compare_few(features, synthetic, bad, groups, _far(features), (5,), seeds=6)
    assert found["synthetic"][5].mean > found["head"][5].mean


def test_the_same_seeds_give_the_same_figures():
    features, synthetic, bad, groups = _pool()
    one, two = (compare_few(features, synthetic, bad, groups, _far(features), (5, 10), seeds=2) for _ in range(2))
    for name, steps in one.items():
        for n, mine in steps.items():
            theirs = two[name][n]
            assert (mine.mean, mine.low, mine.high) == pytest.approx((theirs.mean, theirs.low, theirs.high), abs=1e-9)


def test_too_little_to_divide_is_said():
    features, synthetic, bad, groups = _pool(24)
    with pytest.raises(BadInput, match="fewer than any"):
        compare_few(features, synthetic, bad, groups, _far(features), (50,), seeds=1)
    with pytest.raises(BadInput, match="groups cannot be divided"):
        compare_few(features, synthetic, np.zeros(24, bool), groups, _far(features), (5,), seeds=1)


def test_the_nearest_kind_is_that_of_the_nearest_neighbour():
    features, _, bad, _ = _pool(60)
    known, rows = np.arange(30), np.arange(30, 60)
    middle, scale = features[known].mean(axis=0), features[known].std(axis=0)
    said = nearest_kind(features, bad, known, rows, middle, scale) > 0
    oracle = KNeighborsClassifier(1).fit((features[known] - middle) / scale, bad[known])
    assert said.tolist() == oracle.predict((features[rows] - middle) / scale).tolist()


def test_a_band_holds_the_true_value_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(60):
        bad = np.arange(80) % 2 == 0
        scores = rng.normal(0, 1, (1, 80)) + 1.0 * bad
        found = band(scores, bad, np.arange(80), draws=200)
        inside += found.low <= 0.7602 <= found.high  # the normal distribution function at 1 / sqrt(2)
    assert inside >= 51

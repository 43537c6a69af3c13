"""The flat map of a pool."""

import numpy as np
import pytest

from core.learn.select.plane import directions, flat


def test_the_map_shows_the_two_widest_directions():
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(900, 20)) * np.r_[9, 5, np.full(18, 0.2)] + 40).astype(np.float32)
    middle, ways = directions(points, np.random.default_rng(1))
    np.testing.assert_allclose(np.abs(ways[:, :2]), np.eye(2), atol=0.08)
    found = flat(points, np.arange(900), middle, ways)
    assert found.std(axis=0) == pytest.approx([9, 5], rel=0.1)
    assert found.mean(axis=0) == pytest.approx([0, 0], abs=0.01)


def test_the_same_pool_has_the_same_map_and_it_does_not_flip():
    points = np.random.default_rng(2).normal(size=(300, 7)).astype(np.float32)
    one, two = (directions(points, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one[1], two[1])
    assert (one[1][np.arange(2), np.abs(one[1]).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize(("n", "d"), [(1, 5), (2, 1), (3, 2), (5000, 3)])
def test_a_pool_of_any_size_has_a_map(n, d):
    points = np.random.default_rng(4).normal(size=(n, d)).astype(np.float32)
    middle, ways = directions(points, np.random.default_rng(5))
    assert np.isfinite(flat(points, np.arange(n), middle, ways)).all()

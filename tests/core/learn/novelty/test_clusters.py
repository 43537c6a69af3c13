"""Novel parts that look alike."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from core.errors import BadInput
from core.learn.novelty.clusters import clusters, silhouettes


def _kinds(sizes, d=256, spread=0.3, seed=0):
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(len(sizes), d))
    rows = np.vstack([m / np.linalg.norm(m) + rng.normal(0, spread / np.sqrt(d), (n, d))
                      for m, n in zip(middles, sizes, strict=True)])  # fmt: skip
    return rows.astype(np.float32), np.repeat(np.arange(len(sizes)), sizes)


def test_two_kinds_of_novel_parts_are_two_proposals_and_strays_are_none():
    vectors, kinds = _kinds([8, 5, 1, 1])
    found = clusters(vectors, list(range(len(vectors))))
    assert [one.parts for one in found] == [8, 5]
    for one in found:
        assert len(set(kinds[list(one.rows)])) == 1
        assert one.apart > 0.2


def test_one_kind_alone_is_found_beside_good_parts():
    vectors, _ = _kinds([6, 30])
    found = clusters(vectors[:6], list(range(6)), vectors[6:])
    assert [sorted(one.rows) for one in found] == [list(range(6))]


def test_novel_parts_that_look_like_good_ones_are_no_class():
    vectors, _ = _kinds([36])
    assert clusters(vectors[:6], list(range(6)), vectors[6:]) == []


def test_parts_of_no_kind_are_no_class():
    strays = np.random.default_rng(2).normal(size=(40, 256)).astype(np.float32)
    assert clusters(strays[:12], list(range(12)), strays[12:]) == []


def test_many_pictures_of_two_parts_are_no_class():
    vectors, _ = _kinds([12, 4])
    parts = ["a"] * 6 + ["b"] * 6 + ["c", "d", "e", "f"]
    assert [one.parts for one in clusters(vectors, parts)] == [4]


def test_nothing_and_single_parts_make_no_proposal():
    assert clusters(np.empty((0, 4), np.float32), []) == []
    assert clusters(np.ones((2, 4), np.float32), [1, 2]) == []


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(BadInput):
        clusters(np.full((4, 2), np.nan, np.float32), [1, 2, 3, 4])
    with pytest.raises(BadInput):
        clusters(np.ones((3, 2), np.float32), [1])
    with pytest.raises(BadInput):
        clusters(np.ones((1001, 2), np.float32), list(range(1001)))


def test_the_most_typical_picture_comes_first():
    vectors, _ = _kinds([9, 9], spread=0.1)
    vectors[3] += 0.4 * np.random.default_rng(1).normal(size=256).astype(np.float32) / np.sqrt(256)
    found = next(one for one in clusters(vectors, list(range(18))) if 3 in one.rows)
    assert found.rows[-1] == 3


def test_silhouettes_are_those_of_scikit_learn():
    points = np.random.default_rng(0).normal(size=(40, 3))
    groups = np.r_[np.arange(39) % 4, 4]  # the last one is alone
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    expected = silhouette_samples(distance, groups, metric="precomputed")
    np.testing.assert_allclose(silhouettes(distance, groups), expected, atol=1e-12)

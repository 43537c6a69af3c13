"""A bounded memory of good patches and distances to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from core.errors import BadInput, ModelError
from core.learn.novelty.memory import (
    LOOKED_AT,
    Memory,
    distance_of,
    distances,
    memory_of,
    nearest,
    room_for,
    share_of_each,
    some_of,
)


def _patches(n: int, d: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def test_a_memory_keeps_to_its_bytes():
    memory = memory_of([_patches(500), _patches(500, seed=1)], budget_bytes=100 * 8 * 4)
    assert memory.bytes == 100 * 8 * 4


def test_a_memory_with_room_for_everything_lies_on_every_good_patch():
    good = _patches(60)
    memory = memory_of([good])
    assert len(memory.vectors) == 60
    assert distances(memory, good).patches.max() == 0


def test_patches_that_are_all_equal_are_remembered_once():
    memory = memory_of([np.ones((50, 4), np.float32)])
    assert memory.vectors.tolist() == [[1, 1, 1, 1]]


def test_no_good_patch_is_farther_from_the_memory_than_the_last_one_it_took():
    good = _patches(400, 3)
    memory = memory_of([good], budget_bytes=40 * 3 * 4)
    apart = np.linalg.norm(memory.vectors[-1] - memory.vectors[:-1], axis=1).min()
    assert distances(memory, good, neighbours=1).patches.max() <= apart + 1e-5


def test_distances_are_those_of_subtraction_however_large_the_vectors():
    memory = Memory(_patches(70, 6) + 1000)
    some = _patches(90, 6, seed=2) + 1000
    found, which = nearest(memory, some)
    every = np.linalg.norm(some[:, None].astype(np.float64) - memory.vectors[None], axis=2)
    assert_allclose(found, every.min(axis=1), rtol=1e-3)
    assert_allclose(found, every[np.arange(90), which], rtol=1e-4)


def test_the_patches_beyond_the_good_ones_are_the_pictures_distance():
    memory = memory_of([_patches(200)])
    odd = np.vstack([_patches(20, seed=3), np.full((1, 8), 9.0, np.float32)])
    found = distances(memory, odd)
    assert found.patches.argmax() == 20
    assert 0 < found.picture <= found.patches[20]
    assert distances(memory, odd, neighbours=1, farthest=1).picture == found.patches[20]
    assert distances(memory, odd, neighbours=1).picture == pytest.approx(np.sort(found.patches)[-3:].mean())
    assert distances(memory, odd[-2:], neighbours=1).picture == pytest.approx(found.patches[-2:].mean(), rel=1e-5)


def test_far_from_an_odd_good_patch_means_less_than_far_from_a_crowd():
    crowd = np.zeros((20, 4), np.float32) + np.random.default_rng(0).normal(0, 1e-3, (20, 4)).astype(np.float32)
    lone = np.array([[100.0, 0, 0, 0]], np.float32)
    memory = Memory(np.vstack([crowd, lone]))
    near_crowd = distances(memory, np.array([[0, 10.0, 0, 0]], np.float32))
    near_lone = distances(memory, np.array([[100.0, 10.0, 0, 0]], np.float32))
    assert near_crowd.patches[0] == pytest.approx(near_lone.patches[0], rel=1e-3)
    assert near_crowd.picture < near_crowd.patches[0]
    assert near_lone.picture != near_crowd.picture


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused_and_never_near(value):
    memory = memory_of([_patches(30)])
    odd = _patches(5)
    odd[2, 3] = value
    with pytest.raises(ModelError):
        distances(memory, odd)
    with pytest.raises(ModelError):
        memory_of([odd])
    with pytest.raises(ModelError):
        Memory(odd)


def test_nothing_good_makes_no_memory():
    with pytest.raises(BadInput):
        memory_of([])
    with pytest.raises(BadInput):
        Memory(np.empty((0, 4), np.float32))
    with pytest.raises(BadInput):
        distances(memory_of([_patches(3)]), _patches(3, 5))
    with pytest.raises(BadInput):
        room_for(128, 100)


def test_a_share_of_each_picture_bounds_what_is_looked_at():
    budget = 64 * 4 * 100
    assert share_of_each(1, 64, budget) == LOOKED_AT * 100
    assert share_of_each(1000, 64, budget) * 1000 <= LOOKED_AT * 100
    some = some_of(_patches(50), 7, np.random.default_rng(1))
    assert some.shape == (7, 8)
    assert some_of(_patches(5), 7, np.random.default_rng(1)).shape == (5, 8)


def test_the_same_patches_and_draws_make_the_same_memory():
    one, two = (memory_of([some_of(_patches(300), 90, np.random.default_rng(4))], 64 * 32) for _ in range(2))
    assert one.vectors.tobytes() == two.vectors.tobytes()


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 400), st.integers(1, 300), st.integers(1, 12), st.sampled_from([0, 1, 9]),
    st.integers(1, 60), st.booleans(),
)  # fmt: skip
def test_leaving_out_what_cannot_count_changes_no_distance(seed, held, seen, width, neighbours, farthest, rough):
    rng = np.random.default_rng(seed)
    memory, patches = (rng.normal(size=(n, width)).astype(np.float32) for n in (held, seen))
    if rough:  # many patches at one place, many at one distance
        memory, patches = np.round(memory), np.round(patches)
    remembered = Memory(memory)
    expected = distances(remembered, patches, neighbours, farthest).picture
    assert distance_of(remembered, patches, neighbours, farthest) == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_on_a_memory_of_its_own_kind_leaving_out_changes_nothing_at_all():
    memory = memory_of([_patches(3000, 24)], budget_bytes=800 * 24 * 4)
    for seed in range(20):
        some = np.vstack([_patches(400, 24, seed=50 + seed), 1.5 * _patches(8, 24, seed=90 + seed)])
        assert distance_of(memory, some) == distances(memory, some).picture


def test_what_is_no_patch_of_this_memory_is_refused_either_way():
    memory = Memory(_patches(10, 4))
    for wrong in (np.zeros((0, 4), np.float32), _patches(3, 5)):
        with pytest.raises(BadInput):
            distance_of(memory, wrong)
    with pytest.raises(ModelError):
        distance_of(memory, np.full((2, 4), np.nan, np.float32))

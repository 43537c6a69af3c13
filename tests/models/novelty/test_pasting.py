"""Pieces cut and pasted."""

import numpy as np
import pytest

from models.novelty.pasting import pasted


@pytest.mark.parametrize("size", [(96, 130), (20, 300), (5, 5), (1, 1)])
def test_a_pasted_picture_differs_in_one_place_and_leaves_its_source_alone(size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    before = pixels.copy()
    for seed in range(20):
        made = pasted(pixels, np.random.default_rng(seed))
        assert made.shape == pixels.shape
        assert made.dtype == np.uint8
        assert (pixels == before).all()
        if min(size) > 15:
            changed = (made != pixels).any(axis=2).mean()
            assert 0 < changed < 0.5


def test_the_same_draws_paste_the_same():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    one, two = (pasted(pixels, np.random.default_rng(5)) for _ in range(2))
    assert (one == two).all()

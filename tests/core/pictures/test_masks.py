"""Masks as pixels: shared, joined, and the same whichever way they are told."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.pictures.masks import Patch, areas, filled, overlaps, pixels_of, together
from core.records import Polygons, Region

SIDES = st.tuples(st.integers(0, 15), st.integers(0, 15), st.integers(1, 8), st.integers(1, 8))
W, H = 24, 26


def patch(sides, seed=0):
    x, y, width, height = sides
    return Patch(x, y, np.random.default_rng(seed).random((height, width)) < 0.6)


@given(SIDES, SIDES)
def test_overlap_is_that_of_the_whole_masks(one, other):
    first, second = patch(one, 1), patch(other, 2)
    a, b = together([first], W, H), together([second], W, H)
    joint = (a | b).sum()
    expected = (a & b).sum() / joint if joint else 0.0
    assert overlaps([first], [second])[0, 0] == expected
    assert overlaps([second], [first])[0, 0] == expected
    assert areas([first])[0] == a.sum()


def test_nothing_overlaps_nothing():
    assert overlaps([], [patch((0, 0, 3, 3))]).shape == (0, 1)
    assert overlaps([patch((0, 0, 3, 3))], []).shape == (1, 0)
    assert not together([], W, H).any()


def test_a_box_and_the_outline_along_its_edge_cover_the_same_pixels():
    box = Region(3, 4, 6, 5, "pit")
    outline = Region(3, 4, 6, 5, "pit", mask=Polygons(((3, 4, 9, 4, 9, 9, 3, 9),)))
    assert (filled([box], W, H) == filled([outline], W, H)).all()
    assert pixels_of(box, W, H).inside.sum() == 30

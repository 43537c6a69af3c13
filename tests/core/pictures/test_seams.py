"""Boxes on seams: none lost, none twice, wherever the seams lie."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from core.errors import BadInput
from core.pictures.boxes import iou, match
from core.pictures.seams import Finds, check_overlap, nothing, stitched, suppressed
from core.pictures.tiling import Look, plan

SHOWN = 0.3  # of a box, from which on a tile's net would name it


def seen_by_tiles(boxes, look, size_wh, shift=0.0, rng=None):
    """What a net without mistakes but with a shaky hand finds in each tile: the part of each box that shows."""
    tiles = plan(*size_wh, look).picture_boxes
    rows, at = [], []
    for number, (x, y, width, height) in enumerate(tiles):
        for bx, by, bw, bh in boxes:
            low = np.maximum([bx, by], [x, y])
            high = np.minimum([bx + bw, by + bh], [x + width, y + height])
            if (high <= low).any() or np.prod(high - low) < SHOWN * bw * bh:
                continue
            if rng is not None and shift:
                off = shift * (high - low)
                low, high = (
                    np.clip(low + off * rng.uniform(-1, 1, 2), [x, y], None),
                    np.clip(high + off * rng.uniform(-1, 1, 2), None, [x + width, y + height]),
                )
            rows.append([*low, *(high - low)])
            at.append(number)
    n = len(rows)
    scores = np.full(n, 0.9) if rng is None else rng.uniform(0.5, 1, n)
    return Finds(np.array(rows).reshape(-1, 4), scores, np.zeros(n, np.int64), np.array(at, np.int64)), tiles


@pytest.mark.parametrize("x", range(0, 97, 3))
def test_a_box_is_found_once_wherever_a_seam_crosses_it(x):
    look, size, box = Look(64, 32), (160, 70), np.array([[float(x), 20.0, 28.0, 18.0]])
    finds, tiles = seen_by_tiles(box, look, size)
    found = stitched(finds, tiles, size)
    assert len(found.boxes) == 1
    assert_allclose(found.boxes, box)


@pytest.mark.parametrize("x", range(0, 60, 4))
def test_a_box_larger_than_any_tile_is_put_together_from_its_pieces(x):
    look, size, box = Look(64, 32), (220, 70), np.array([[float(x), 10.0, 150.0, 30.0]])
    tiles = plan(*size, look).picture_boxes
    rows = [
        (number, max(x, tx), min(x + 150, tx + tw))
        for number, (tx, _, tw, _) in enumerate(tiles)
        if min(x + 150, tx + tw) - max(x, tx) > 8
    ]
    boxes = np.array([[low, 10.0, high - low, 30.0] for _, low, high in rows])
    finds = Finds(boxes, np.linspace(0.6, 0.9, len(rows)), np.zeros(len(rows), np.int64),
                  np.array([n for n, _, _ in rows]))  # fmt: skip
    found = stitched(finds, tiles, size)
    assert len(found.boxes) == 1
    assert_allclose(found.boxes, box)


def boxes_apart():
    """Boxes on a grid whose cells keep them apart, each somewhere in its cell, of any size that a cell holds."""
    cell = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(6, 40), st.floats(6, 40), st.booleans())
    return st.lists(cell, min_size=20, max_size=20)


@settings(
    max_examples=150, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)  # shrinking takes minutes
@given(boxes_apart(), st.integers(0, 2**32 - 1), st.floats(0, 0.08), st.sampled_from([(96, 48), (128, 64), (96, 40)]))
def test_no_box_is_lost_or_doubled_by_a_shaky_net(cells, seed, shift, cut):
    tile, stride = cut
    size = (260, 208)
    boxes = []
    for number, (across, down, width, height, there) in enumerate(cells):
        if there:
            left, top = (number % 5) * 52, (number // 5) * 52
            boxes.append([left + across * (46 - width), top + down * (46 - height), width, height])
    drawn = np.array(boxes).reshape(-1, 4)
    finds, tiles = seen_by_tiles(drawn, Look(tile, stride), size, shift, np.random.default_rng(seed))
    found = stitched(finds, tiles, size)
    assert len(found.boxes) == len(drawn)
    assert len(match(found.boxes, drawn, 0.4)) == len(drawn)


def test_two_neighbours_on_a_seam_stay_two():
    look, size = Look(64, 32), (128, 64)
    drawn = np.array([[40.0, 10, 20, 20], [61.0, 10, 20, 20], [40.0, 32, 20, 20]])
    finds, tiles = seen_by_tiles(drawn, look, size)
    found = stitched(finds, tiles, size)
    assert len(match(found.boxes, drawn, 0.9)) == len(found.boxes) == 3


def test_the_tile_that_has_a_box_deepest_inside_says_how_large_and_what_it_is():
    tiles = np.array([[0.0, 0, 64, 64], [32, 0, 64, 64]])
    boxes = np.array([[38.0, 10, 24, 20], [38.0, 10, 22, 20]])
    finds = Finds(boxes, np.array([0.95, 0.6]), np.array([1, 0]), np.array([0, 1]))
    found = stitched(finds, tiles, (96, 64))
    assert_allclose(found.boxes, boxes[1:])  # the first tile's edge is 2 px away, the second's 6
    assert (found.scores.tolist(), found.classes.tolist()) == ([0.95], [0])


def test_one_tile_that_hesitates_between_classes_names_a_place_once():
    finds = Finds(
        np.array([[5.0, 5, 20, 20], [6.0, 5, 20, 20]]), np.array([0.4, 0.7]), np.array([0, 1]), np.zeros(2, np.int64)
    )
    found = stitched(finds, np.array([[0.0, 0, 64, 64]]), (64, 64))
    assert (found.classes.tolist(), found.scores.tolist()) == ([1], [0.7])


def test_nothing_found_stays_nothing():
    assert not len(stitched(nothing(), np.array([[0.0, 0, 64, 64]]), (64, 64)).boxes)


@given(st.lists(st.tuples(*[st.floats(0, 50)] * 2, *[st.floats(1, 30)] * 2, st.floats(0, 1)), max_size=12))
def test_what_is_suppressed_overlaps_something_surer(rows):
    boxes = np.array([row[:4] for row in rows]).reshape(-1, 4)
    scores = np.array([row[4] for row in rows])
    kept = suppressed(boxes, scores, 0.5)
    shared = iou(boxes, boxes)
    for i in range(len(boxes)):
        if i not in kept:
            assert any(shared[i, k] > 0.5 and scores[k] >= scores[i] for k in kept)
    assert all(shared[a, b] <= 0.5 for a in kept for b in kept if a != b)


def test_tiles_that_hardly_overlap_are_refused():
    check_overlap(Look(128, 96))
    with pytest.raises(BadInput, match="stride of at most 96"):
        check_overlap(Look(128, 128))

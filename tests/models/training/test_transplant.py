"""Defects set into good windows: the label follows the piece, and only the piece changes."""

import numpy as np
import torch

from models.training.examples import BEYOND
from models.training.sampling import Window
from models.training.transplant import MARGIN, transplanted

SIZE = 96


def window(grey, mark=None, defect=0.0, class_index=-1):
    """One grey level, with a square of 10 where it is marked."""
    pixels = np.full((SIZE, SIZE, 3), grey, np.uint8)
    marked = np.zeros((SIZE, SIZE), np.uint8)
    if mark is not None:
        pixels[mark] = 10
        marked[mark] = 1
    return Window(torch.from_numpy(pixels), defect, class_index, torch.from_numpy(marked))


SQUARE = (slice(40, 52), slice(40, 52))


def shape_of(one):
    return (one.marked == 1).numpy()


def test_a_good_window_takes_over_the_defect_with_its_class_and_its_place():
    good, donor = window(200), window(100, SQUARE, 1.0, 3)
    made = transplanted(good, donor, shape_of(donor))
    assert (made.defect, made.class_index) == (1.0, 3)
    assert (shape_of(made) == shape_of(donor)).all()


def test_the_piece_is_as_light_as_what_it_is_set_into():
    made = transplanted(window(200), window(100, SQUARE, 1.0), shape_of(window(100, SQUARE)))
    pixels = made.pixels.numpy().astype(int)
    assert abs(pixels[45, 45, 0] - (10 + 100)) <= 2  # as much darker than its surroundings as it was
    assert abs(pixels[38, 38, 0] - 200) <= 2


def test_nothing_changes_far_from_the_piece():
    made = transplanted(window(200), window(100, SQUARE, 1.0), shape_of(window(100, SQUARE)))
    far = np.ones((SIZE, SIZE), bool)
    reach = 4 * MARGIN
    far[40 - reach : 52 + reach, 40 - reach : 52 + reach] = False
    assert (made.pixels.numpy()[far] == 200).all()


def test_a_piece_of_a_good_window_leaves_the_window_good():
    made = transplanted(window(200), window(100), shape_of(window(100, SQUARE)))
    assert made.defect == 0.0
    assert (made.marked == 0).all()


def test_a_large_region_is_not_moved():
    large = window(100, (slice(0, 60), slice(0, 60)), 1.0)
    good = window(200)
    assert transplanted(good, large, shape_of(large)) is good


def test_what_lies_beyond_either_picture_is_neither_moved_nor_claimed():
    good, donor = window(200), window(100, SQUARE, 1.0)
    good.marked[:, :42] = BEYOND
    donor.marked[:42] = BEYOND
    made = transplanted(good, donor, shape_of(window(100, SQUARE)))
    assert (made.marked[:, :42] == BEYOND).all()
    rows, columns = np.nonzero(shape_of(made))
    assert rows.min() == columns.min() == 42


def test_a_piece_that_would_fall_mostly_beyond_the_picture_is_left_out():
    good, donor = window(200), window(100, SQUARE, 1.0)
    good.marked[:, :48] = BEYOND
    assert transplanted(good, donor, shape_of(donor)) is good


def test_neither_window_is_changed():
    good, donor = window(200), window(100, SQUARE, 1.0)
    before = [t.clone() for w in (good, donor) for t in (w.pixels, w.marked)]
    transplanted(good, donor, shape_of(donor))
    assert all(torch.equal(a, b) for a, b in zip(before, [good.pixels, good.marked, donor.pixels, donor.marked],
                                                 strict=True))  # fmt: skip

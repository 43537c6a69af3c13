"""What is switched off because it would hide or make defects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.pictures.augment import SEEN, UPRIGHT, Asked, By, Op, Shown, heavy, hidden_by, settled, visibility

ALL = Asked(180.0, True, True, 0.02, 0.2, 0.2, (0.8, 1.0))


def piece(grey: float, flaw: float, size: int = 12, grain: float = 2.0, seed: int = 0):
    """A plain surface with a square flaw in its middle."""
    rng = np.random.default_rng(seed)
    pixels = np.clip(rng.normal(grey, grain, (48, 48, 1)).repeat(3, 2), 0, 255)
    mask = np.zeros((48, 48), bool)
    mask[18 : 18 + size, 18 : 18 + size] = True
    pixels[mask] = np.clip(pixels[mask] + flaw, 0, 255)
    return pixels.astype(np.uint8), mask


def test_a_dark_pit_is_seen_and_nothing_is_not():
    assert visibility(*piece(150, -60)) > SEEN
    assert visibility(*piece(150, 0)) < SEEN


def test_more_contrast_is_seen_better_and_grain_makes_it_worse():
    faint, strong = (visibility(*piece(150, flaw)) for flaw in (-6, -30))
    assert faint < strong
    assert visibility(*piece(150, -6), 20.0) < faint


def test_a_region_that_fills_its_piece_stands_out_from_nothing():
    pixels, _ = piece(150, 0)
    assert visibility(pixels, np.ones((48, 48), bool)) == 0.0


@pytest.mark.parametrize("mask", [np.zeros((48, 48), bool), np.ones((5, 5), bool)])
def test_a_region_that_is_not_of_the_picture_is_refused(mask):
    with pytest.raises(BadInput):
        visibility(piece(150, -60)[0], mask)


def test_grain_hides_hairlines_and_not_holes():
    hairlines = [piece(150, -7, 3, 1.0, seed) for seed in range(8)]
    holes = [piece(150, -80, 12, 1.0, seed) for seed in range(8)]
    shares, seen = hidden_by(hairlines, Asked(noise=0.06))
    assert seen == 8
    assert shares[Op.NOISE] == 1.0
    assert hidden_by(holes, Asked(noise=0.06)) == ({Op.NOISE: 0.0}, 8)


def test_light_hides_what_is_nearly_white():
    bright = [piece(225, 20, 12, 1.0, seed) for seed in range(6)]
    shares, seen = hidden_by(bright, Asked(brightness=0.2))
    assert (shares[Op.BRIGHTNESS], seen) == (1.0, 6)
    assert hidden_by([piece(120, 20)], Asked(brightness=0.2))[0][Op.BRIGHTNESS] == 0.0


def test_a_region_that_nobody_can_see_anyway_is_hidden_by_nothing():
    assert hidden_by([piece(150, 0)], Asked(noise=0.1)) == ({Op.NOISE: 0.0}, 0)


def test_what_hides_too_much_is_switched_off_and_says_so():
    shown = Shown(hidden={Op.NOISE: 0.2, Op.BRIGHTNESS: 0.04}, regions=25)
    found, off = settled(ALL, shown, {})
    assert (found.noise, found.brightness) == (0.0, 0.2)
    assert [(one.op, one.why) for one in off] == [
        (Op.NOISE, "it hides 20% of 25 drawn regions that can be seen without it")
    ]


def test_a_handful_of_regions_forbids_nothing():
    assert settled(ALL, Shown(hidden={Op.NOISE: 1.0}, regions=4), {}) == (ALL, ())


def test_a_part_that_has_a_way_up_is_neither_mirrored_nor_turned_over():
    found, off = settled(ALL, Shown(flips=False), {})
    assert (found.flip_x, found.flip_y, found.rotation) == (False, False, UPRIGHT)
    assert {one.op for one in off} == {Op.FLIP_X, Op.FLIP_Y, Op.ROTATION}
    assert settled(Asked(rotation=3.0), Shown(flips=False), {})[0].rotation == 3.0


@pytest.mark.parametrize(
    ("by", "gone"),
    [
        (By.BRIGHTNESS, {Op.BRIGHTNESS, Op.CONTRAST}),
        (By.SIZE, {Op.CROP}),
        (By.DIRECTION, {Op.ROTATION, Op.FLIP_X, Op.FLIP_Y}),
    ],
)
def test_a_change_that_a_class_is_judged_by_is_off_where_the_class_occurs(by, gone):
    found, off = settled(ALL, Shown(classes=["STAIN"]), {by: ["STAIN", "OTHER"]})
    assert {one.op for one in off} == gone
    assert all("STAIN is judged by" in one.why for one in off)
    assert found != ALL
    assert settled(ALL, Shown(classes=["CRACK"]), {by: ["STAIN"]}) == (ALL, ())


def test_pictures_whose_defects_nobody_drew_are_not_cut():
    found, off = settled(ALL, Shown(placed=False), {})
    assert found.crop == (1.0, 1.0)
    assert [one.op for one in off] == [Op.CROP]


@given(
    st.booleans(), st.booleans(), st.sets(st.sampled_from(["A", "B"])),
    st.dictionaries(st.sampled_from(list(By)), st.sets(st.sampled_from(["A", "B"]))),
    st.dictionaries(st.sampled_from([Op.NOISE, Op.BRIGHTNESS, Op.CONTRAST]), st.floats(0, 1)),
)  # fmt: skip
def test_settling_only_takes_away_and_each_change_is_named_once(flips, placed, classes, judged, hidden):
    shown = Shown(flips, sorted(classes), hidden, 30, placed)
    found, off = settled(ALL, shown, {by: sorted(names) for by, names in judged.items()})
    assert len({one.op for one in off}) == len(off)
    assert found.noise <= ALL.noise
    assert found.brightness <= ALL.brightness
    assert found.contrast <= ALL.contrast
    assert settled(found, shown, {})[0].noise == found.noise
    for one in off:
        assert one.op in Op
    assert set(heavy(found)) <= set(heavy(ALL))

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.pictures.tiling import Look
from core.records import Region
from models.training.examples import BEYOND, Example, TileRule
from models.training.sampling import Augmentation, draw, epoch_order, picture_of, windows_of

LOOK = Look(tile=64, stride=32)


def picture(width=100, height=80, regions=((40, 30, 12, 12),), defective=True, classes=("PIT",), probability=None):
    """A grey picture whose regions are white, so that pixels and labels can be compared."""
    pixels = np.full((height, width, 3), 90, np.uint8)
    boxes = tuple(Region(float(x), float(y), float(w), float(h), "pit", "PIT") for x, y, w, h in regions)
    for x, y, w, h in regions:
        pixels[y : y + h, x : x + w] = 255
    example = Example(
        "a", "a", "train", "g", defective, width, height, probability, classes if defective else (), boxes
    )
    return picture_of(example, pixels, ("CRACK", "PIT"), LOOK)


GEOMETRY = Augmentation(light=0.0, noise=0.0)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_labels_move_along_with_the_pixels(seed):
    window = draw(picture(), 64, TileRule(), GEOMETRY, np.random.default_rng(seed))
    pixels, marked = window.pixels.numpy()[..., 0], window.marked.numpy()
    inside = marked != BEYOND
    white = (pixels > 172) & inside
    drawn = marked == 1
    assert (white ^ drawn).sum() <= 0.35 * max(drawn.sum(), white.sum()) + 12  # only along the edges
    if drawn.sum() > 50:
        assert window.defect == 1.0
        assert window.class_index == 1


def test_no_flip_and_no_turn_means_exactly_that():
    pixels = np.random.default_rng(1).integers(0, 256, (48, 50, 3), dtype=np.uint8)
    still = picture_of(Example("a", "a", "train", "g", False, 50, 48), pixels, (), LOOK)
    for seed in range(20):
        window = draw(still, 64, TileRule(), Augmentation.none(), np.random.default_rng(seed))
        assert (window.pixels.numpy()[8:56, 7:57] == pixels).all()


def test_upright_parts_are_never_mirrored():
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32] = 200
    upright = replace(Augmentation.upright(), light=0.0, noise=0.0)
    still = picture_of(Example("a", "a", "train", "g", False, 64, 64), pixels, (), LOOK)
    for seed in range(20):
        window = draw(still, 64, TileRule(), upright, np.random.default_rng(seed)).pixels.numpy()
        assert window[:, :16].mean() > window[:, -16:].mean() + 100


def test_a_part_that_may_be_mirrored_is_now_and_then():
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32] = 200
    still = picture_of(Example("a", "a", "train", "g", False, 64, 64), pixels, (), LOOK)
    only_flips = Augmentation(flip_x=True, flip_y=False, turn=0, scale=1, light=0, noise=0)
    left = [
        draw(still, 64, TileRule(), only_flips, np.random.default_rng(s)).pixels[:, :16].float().mean() > 100
        for s in range(30)
    ]
    assert 5 < sum(left) < 25


def test_a_small_picture_is_mirrored_beyond_its_edges_and_nothing_is_claimed_there():
    window = draw(picture(40, 20, ((2, 2, 10, 10),)), 64, TileRule(), Augmentation.none(), np.random.default_rng(0))
    beyond = (window.marked == BEYOND).numpy()
    assert (~beyond).sum() == 40 * 20
    assert set(np.unique(window.pixels.numpy())) <= {90, 255}


def test_three_windows_in_four_look_at_a_region():
    wide = picture(2000, 80, ((40, 30, 12, 12),))
    rng = np.random.default_rng(0)
    hits = np.mean([draw(wide, 64, TileRule(), Augmentation.none(), rng).defect for _ in range(300)])
    assert 0.6 < hits < 0.85


def test_a_defect_that_nobody_drew_is_only_known_of_the_whole_picture():
    whole = picture(600, 300, (), True)
    assert whole.pixels.shape == (32, 64, 3)
    window = draw(whole, 64, TileRule(), Augmentation(), np.random.default_rng(0))
    assert window.defect == 1.0
    assert window.class_index == 1
    assert (window.marked == BEYOND).all()


def framed(width, height, defective=True):
    """A picture whose defect nobody drew, with a white frame three pixels wide."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[3:-3, 3:-3] = 90
    return picture_of(Example("a", "a", "train", "g", defective, width, height), pixels, (), LOOK)


@pytest.mark.parametrize("defective", [True, False], ids=["defective", "good"])
def test_what_a_whole_pictures_label_is_about_is_never_cut_away(defective):
    how = replace(GEOMETRY, shift=0.0)
    for seed in range(20):
        window = draw(framed(64, 40, defective), 64, TileRule(), how, np.random.default_rng(seed), whole=1.0)
        white = window.pixels.numpy()[..., 0] > 172
        rows, columns = np.nonzero(white)
        sides = sorted([np.ptp(rows), np.ptp(columns)])
        assert sides[0] >= 0.75 * 37  # the frame is there on all sides, at most a fifth smaller


def test_a_whole_picture_is_turned_by_quarters_unless_it_has_an_upright():
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:16] = 200
    still = picture_of(Example("a", "a", "train", "g", True, 64, 64), pixels, (), LOOK)

    def tops(how):
        windows = (draw(still, 64, TileRule(), how, np.random.default_rng(s)).pixels.numpy() for s in range(40))
        return [int(np.argmax([w[:16].mean(), w[-16:].mean(), w[:, :16].mean(), w[:, -16:].mean()])) for w in windows]

    assert set(tops(Augmentation(light=0.0, noise=0.0))) == {0, 1, 2, 3}
    assert set(tops(replace(Augmentation.upright(), light=0.0, noise=0.0))) == {0}


def test_a_share_of_the_windows_shows_all_of_a_drawn_picture():
    large = picture(640, 320, ((40, 30, 60, 60),))
    rng = np.random.default_rng(0)
    still = Augmentation.none()
    inside = [(draw(large, 64, TileRule(), still, rng, whole=0.25).marked != BEYOND).float().mean() for _ in range(200)]
    assert 0.15 < np.mean([share < 0.6 for share in inside]) < 0.35  # 64x32 of 64x64


def test_a_probability_is_a_soft_target():
    window = draw(picture(64, 64, (), False, (), 1 / 3), 64, TileRule(), Augmentation(), np.random.default_rng(0))
    assert window.defect == pytest.approx(1 / 3)


def test_the_same_generator_draws_the_same_window():
    first, second = (draw(picture(), 64, TileRule(), Augmentation(), np.random.default_rng(3)) for _ in range(2))
    assert (first.pixels == second.pixels).all()
    assert (first.marked == second.marked).all()


def test_drawing_does_not_change_the_picture():
    kept = picture()
    before = kept.pixels.copy(), kept.labels.copy()
    for seed in range(5):
        draw(kept, 64, TileRule(), Augmentation(), np.random.default_rng(seed))
    assert (kept.pixels == before[0]).all()
    assert (kept.labels == before[1]).all()


@pytest.mark.parametrize("wrong", [{"turn": 270}, {"scale": 0.5}, {"light": -1}])
def test_augmentation_outside_its_ranges_is_refused(wrong):
    with pytest.raises(BadInput, match="turn runs from 0 to 180"):
        Augmentation(**wrong)


def test_every_picture_is_drawn_in_every_round():
    order = epoch_order([1, 4, 2], 30, np.random.default_rng(0))
    assert np.bincount(order).tolist() == [5, 20, 10]


def test_what_weighs_less_is_drawn_less_and_full_weights_change_nothing():
    plain = epoch_order([1, 1], 4000, np.random.default_rng(0))
    same = epoch_order([1, 1], 4000, np.random.default_rng(0), np.array([1.0, 1.0]))
    assert np.array_equal(plain, same)
    counts = np.bincount(epoch_order([1, 1], 4000, np.random.default_rng(0), np.array([1.0, 0.25])))
    assert counts[0] == 2000
    assert counts[1] == pytest.approx(500, abs=100)  # five standard deviations


def test_a_turn_in_which_chance_drew_nothing_shows_everything_once():
    assert sorted(epoch_order([1, 1], 1, np.random.default_rng(0), np.array([1e-9, 1e-9]))) == [0, 1]


def test_large_pictures_are_drawn_more_often_within_reason():
    example = Example("a", "a", "train", "g", False, 64, 64)
    assert windows_of(example, LOOK) == 1
    assert windows_of(replace(example, width=128, height=64), LOOK) == 2
    assert windows_of(replace(example, width=6400, height=6400), LOOK) == 4

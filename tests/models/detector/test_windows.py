"""Windows to learn from: every box whole in one of them, boxes moving with the pixels, nothing told half."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pictures.tiling import Look
from core.records import Region
from models.detector.windows import Drawn, Place, cover, cut_window, drawn_of, epoch_places, places_of, target_of
from models.training.examples import Example
from models.training.sampling import Augmentation

FILL = (9, 9, 9)
HOW = Augmentation(light=0.0, noise=0.0)


def boxes_within(width=300, height=200, side=60):
    def box(values):
        x, y, w, h = values
        return [x * (width - w), y * (height - h), x * (width - w) + w, y * (height - h) + h]

    share = st.floats(0, 1)
    size = st.floats(3, side)
    return st.lists(st.tuples(share, share, size, size).map(box), min_size=1, max_size=12)


@settings(deadline=None)
@given(boxes_within(), st.integers(0, 2**32 - 1), st.sampled_from([64.0, 96.0, 150.0, 400.0]))
def test_every_box_lies_whole_in_a_window(boxes, seed, reach):
    drawn = np.array(boxes)
    middles = cover(drawn, (300, 200), reach, np.random.default_rng(seed))
    for box in drawn:
        assert any(
            (box[:2] >= np.array(m) - reach / 2 - 1e-5).all() and (box[2:] <= np.array(m) + reach / 2 + 1e-5).all()
            for m in middles
        )


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_windows_stay_on_the_picture(seed):
    boxes = np.array([[0.0, 0, 20, 20], [280, 180, 300, 200]])
    for x, y in cover(boxes, (300, 200), 96.0, np.random.default_rng(seed)):
        assert 48 <= x <= 252
        assert 48 <= y <= 152


def test_a_box_larger_than_a_window_is_gone_through():
    middles = cover(np.array([[0.0, 0, 250, 50]]), (300, 200), 96.0, np.random.default_rng(0))
    assert len(middles) >= 3


def test_a_picture_without_boxes_gets_one_window():
    assert len(cover(np.zeros((0, 4)), (300, 200), 96.0, np.random.default_rng(0))) == 1


def marked_picture():
    """A dark picture whose boxes are bright, so that pixels say where a box went."""
    pixels = np.zeros((120, 160, 3), np.uint8)
    boxes = np.array([[30.0, 40, 62, 60], [100, 70, 116, 110]])
    for x1, y1, x2, y2 in boxes.astype(int):
        pixels[y1:y2, x1:x2] = 200
    return Drawn(pixels, None, boxes, np.array([0, 1]))


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True)])
def test_boxes_move_with_the_pixels(quarters, flips):
    drawn = marked_picture()
    place = Place(0, (80.0, 60.0), 1.0, quarters, flips)
    window = cut_window(drawn, place, 192, FILL, Augmentation.none(), np.random.default_rng(0))
    bright = window.pixels[..., 0] > 100
    assert len(window.target.boxes) == 2
    covered = np.zeros_like(bright)
    for x1, y1, x2, y2 in window.target.boxes.round().int().tolist():
        assert bright[y1:y2, x1:x2].mean() > 0.98
        covered[y1:y2, x1:x2] = True
    assert not bright[~covered].any()


def test_a_scaled_window_has_scaled_boxes():
    window = cut_window(
        marked_picture(), Place(0, (80.0, 60.0), 0.5), 96, FILL, Augmentation.none(), np.random.default_rng(0)
    )
    assert window.target.boxes[0].tolist() == pytest.approx([23, 38, 39, 48])


def test_most_of_a_box_is_found_as_far_as_it_shows_and_little_of_it_is_nothing_to_learn_from():
    drawn = marked_picture()
    most = target_of(drawn, Place(0, (20.0, 50.0)), 64)  # x up to 52 of a box from 30 to 62
    assert most.boxes.tolist() == [[42, 22, 64, 42]]
    assert len(most.unknown) == 0
    little = target_of(drawn, Place(0, (10.0, 50.0)), 64)  # x up to 42
    assert len(little.boxes) == 0
    assert little.unknown.tolist() == [[52, 22, 64, 42]]


def test_a_box_of_no_known_class_is_nothing_to_learn_from():
    regions = (Region(10, 10, 20, 20, "odd"), Region(50, 10, 20, 20, "PIT", "PIT"))
    example = Example("a.png", "0" * 64, "train", "g", True, 100, 80, regions=regions)
    drawn = drawn_of(example, np.zeros((80, 100, 3), np.uint8), None, ["PIT"], Look(96, 48, 0.5))
    assert drawn.labels.tolist() == [-1, 0]
    assert drawn.boxes[1].tolist() == [25, 5, 35, 15]
    target = target_of(drawn, Place(0, (25.0, 20.0)), 64)
    assert (len(target.boxes), len(target.unknown)) == (1, 1)


def test_beyond_the_picture_there_is_nothing_and_no_mirror_image():
    window = cut_window(marked_picture(), Place(0, (10.0, 10.0)), 64, FILL, Augmentation.none(),
                        np.random.default_rng(0))  # fmt: skip
    assert (window.pixels[:20, :20] == 9).all()


def test_clean_pictures_are_few_beside_those_with_boxes():
    marked, clean = marked_picture(), Drawn(np.zeros((60, 60, 3), np.uint8), None, np.zeros((0, 4)), np.zeros(0, int))
    places = epoch_places([marked] * 8 + [clean] * 20, 64, HOW, 0.25, np.random.default_rng(3))
    of_clean = sum(p.picture >= 8 for p in places)
    assert 1 <= of_clean <= 0.25 * (len(places) - of_clean) + 1
    assert {p.picture for p in places} >= set(range(8))


def test_the_same_chance_gives_the_same_windows():
    drawn = marked_picture()
    first, second = (places_of(0, drawn, 64, HOW, np.random.default_rng(5)) for _ in range(2))
    assert first == second


def test_a_template_turns_along_and_is_sometimes_left_away():
    drawn = Drawn(marked_picture().pixels, marked_picture().pixels, marked_picture().boxes, np.array([0, 1]))
    window = cut_window(drawn, Place(0, (80.0, 60.0), 1.0, 1), 160, FILL, HOW, np.random.default_rng(0))
    assert (window.template == window.pixels).all()
    alone = [p.alone for s in range(40) for p in places_of(0, drawn, 200, HOW, np.random.default_rng(s))]
    assert 0 < sum(alone) < len(alone)
    none = cut_window(drawn, Place(0, (80.0, 60.0), alone=True), 160, FILL, HOW, np.random.default_rng(0))
    assert none.template is None

import numpy as np
import pytest

from app.widgets.desk.regions.outlines import box_of, followed, is_closed, points_of, rings_of
from core.records import Polygons, Rle

SIZE = (1000, 800)


def area(ring):
    x, y = np.array(ring[::2]), np.array(ring[1::2])
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def test_an_outline_becomes_whole_image_pixels():
    drawn = {"type": "Polygon", "points": [{"x": 10, "y": 10}, {"x": 60, "y": 10}, {"x": 10, "y": 40}]}
    assert rings_of(drawn, (0.5, 0.25), SIZE) == Polygons(((20, 40, 120, 40, 20, 160),))


def test_a_closed_path_covers_its_inside():
    path = [["M", 10, 10], ["L", 60, 10], ["L", 10, 40], ["z"]]
    assert is_closed(path)
    assert rings_of({"path": path}, (1, 1), SIZE) == Polygons(((10, 10, 60, 10, 10, 40),))


def test_a_stroke_covers_what_the_brush_touched():
    drawn = {"path": [["M", 100, 100], ["L", 300, 100]], "strokeWidth": 10}
    mask = rings_of(drawn, (1, 1), SIZE)
    assert area(mask.rings[0]) == pytest.approx(200 * 10 + np.pi * 25, rel=0.03)
    assert box_of(mask) == pytest.approx((95, 95, 210, 10), abs=0.5)


def test_a_stroke_around_something_covers_it():
    square = [["M", 100, 100], ["L", 200, 100], ["L", 200, 200], ["L", 100, 200], ["L", 100, 100]]
    mask = rings_of({"path": square, "strokeWidth": 4}, (1, 1), SIZE)
    assert len(mask.rings) == 1
    assert area(mask.rings[0]) == pytest.approx(104 * 104, rel=0.02)


def test_curves_are_followed_within_a_tenth_of_a_pixel():
    points = points_of([["M", 0, 0], ["Q", 10, 0, 10, 10]])
    t = np.linspace(0, 1, 9)
    assert points[:, 0] == pytest.approx(2 * t * (1 - t) * 10 + t**2 * 10, abs=0.1)


def test_what_lies_outside_the_picture_is_cut_and_nothing_is_no_mask():
    drawn = {"points": [{"x": -50, "y": 10}, {"x": 60, "y": 10}, {"x": 10, "y": 40}]}
    assert min(rings_of(drawn, (1, 1), SIZE).rings[0]) == 0
    assert rings_of({"points": [{"x": 5, "y": 5}, {"x": 9, "y": 5}, {"x": 7, "y": 5}]}, (1, 1), SIZE) is None
    assert rings_of({"path": []}, (1, 1), SIZE) is None


def test_a_mask_follows_its_box_and_run_lengths_cannot():
    mask = Polygons(((10, 10, 30, 10, 30, 30),))
    assert followed(mask, (10, 10, 20, 20), (50, 20, 40, 10)) == Polygons(((50, 20, 90, 20, 90, 30),))
    assert followed(mask, (10, 10, 20, 20), (10, 10, 20, 20)) is mask
    assert followed(Rle((4, 4), (16,)), (0, 0, 2, 2), (1, 0, 2, 2)) is None

import numpy as np
import pytest

from core.gates.records import Answer
from core.learn.located import Pointed, by_class, energy_inside, mask_of, pointed_at
from core.learn.showing import hidden_because
from core.records import Region

SIZE = (160, 120)


def heat_at(row: int, column: int) -> np.ndarray:
    heat = np.zeros((12, 16), np.float32)
    heat[row, column] = 1.0
    return heat


def test_a_map_that_is_hottest_on_the_box_points_at_its_class_and_at_no_other():
    regions = [Region(100, 60, 30, 30, "crack", "CRACK"), Region(0, 0, 20, 20, "burr", "BURR")]
    found = {one.class_id: one for one in pointed_at(heat_at(7, 11), regions, SIZE, 5)}
    assert found["CRACK"].pointed
    assert not found["BURR"].pointed
    assert found["CRACK"].energy > 0.8
    assert found["BURR"].energy == 0
    assert found["CRACK"].covered == pytest.approx(900 / (160 * 120))


def test_an_even_map_has_as_much_energy_in_a_box_as_the_box_covers():
    mask = mask_of([Region(40, 30, 40, 30, "crack")], SIZE)
    assert energy_inside(np.ones((12, 16), np.float32), SIZE, mask) == pytest.approx(mask.mean())


def test_a_cold_map_points_nowhere_and_has_no_energy():
    (found,) = pointed_at(np.zeros((12, 16), np.float32), [Region(0, 0, 160, 120, "crack", "CRACK")], SIZE, 1)
    assert not found.pointed
    assert found.energy is None


def test_boxes_that_reach_over_the_edge_are_cut_there():
    assert mask_of([Region(-10, -10, 20, 20, "crack"), Region(150, 110, 50, 50, "crack")], SIZE).sum() == 200


def test_a_class_is_shown_only_where_it_is_shown_to_point_right():
    good = [Pointed("CRACK", n, n % 10 != 0, 0.6, 0.02) for n in range(200)]
    poor = [Pointed("PIT", n, n % 5 == 0, 0.1, 0.02) for n in range(200)]
    few = [Pointed("BURR", n, True, 0.5, 0.02) for n in range(4)]
    found = {one.class_id: one for one in by_class([*good, *poor, *few])}
    assert found["CRACK"].shown
    assert not found["PIT"].shown
    assert not found["BURR"].shown
    assert (found["PIT"].answer, found["BURR"].answer) == (Answer.FAIL, Answer.UNSURE)
    assert found["BURR"].more_needed > 0


def test_the_queue_hides_what_does_not_point_right_and_says_why():
    document = {
        "classes": [one.to_json() for one in by_class(
            [Pointed("CRACK", n, True, 0.6, 0.02) for n in range(100)]
            + [Pointed("PIT", n, n % 5 == 0, 0.1, 0.02) for n in range(100)]
        )],
        "follows_the_weights": True,
    }  # fmt: skip
    assert hidden_because(document, {"CRACK": 0.9, "PIT": 0.1}) == ""
    assert hidden_because(document, {"CRACK": 0.1, "PIT": 0.9}) == "for PIT it points right in 20% of 100 pictures"
    assert hidden_because(document, {"BURR": 1.0}) == ""
    assert hidden_because(None, {"CRACK": 1.0}) == ""
    assert "replaced by chance" in hidden_because({**document, "follows_the_weights": False}, {"CRACK": 1.0})

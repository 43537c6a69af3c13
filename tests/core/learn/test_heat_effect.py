import pytest

from core.learn.heat_effect import effect
from core.learn.showing import Answered


def test_answers_with_and_without_the_heatmap_stand_side_by_side_with_intervals():
    seen = [Answered(True, True, True, 3.0)] * 9 + [Answered(True, False, True, 5.0)]
    unseen = [Answered(False, True, False)] * 2 + [Answered(False, False, False)] * 8
    with_map, without = effect([*seen, *unseen])["groups"]
    assert (with_map["n"], with_map["agreed"], with_map["to_good"], with_map["seconds"]) == (10, 9, 1, 3.0)
    assert (without["share"], without["to_defective"], without["seconds"]) == (0.8, 2, None)
    low, high = with_map["interval"]
    assert low == pytest.approx(0.555, abs=1e-3)
    assert high == pytest.approx(0.9975, abs=1e-4)


def test_without_an_answer_nothing_is_claimed():
    found = effect([])
    assert [(one["n"], one["share"], one["interval"]) for one in found["groups"]] == [(0, None, None)] * 2
    assert "drew by lot" in found["caution"]

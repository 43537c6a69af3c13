"""Two nets compared on planted defects: which tells them from good parts, and by more than chance."""

import numpy as np
import pytest

from core.errors import BadInput
from core.learn.metrics.ranking import auroc
from core.learn.novelty.planted import Planted, choose


def measured(rng: np.random.Generator, gap: float, parts: int = 60, copies: int = 2) -> Planted:
    good = rng.normal(0, 1, parts)
    return Planted([f"p{at // 2}" for at in range(parts)], good, rng.normal(gap, 1, (parts, copies)))


def test_the_areas_are_those_of_the_ranking():
    rng = np.random.default_rng(0)
    one, other = measured(rng, 1.0), measured(rng, 0.5)
    found = choose(one, other, rng)
    for area, of in ((found.shared, one), (found.other, other)):
        flags = np.r_[np.zeros(len(of.good), bool), np.ones(of.planted.size, bool)]
        assert area == pytest.approx(auroc(np.r_[of.good, of.planted.ravel()], flags))
    assert found.parts == 30


def test_ties_count_half():
    same = Planted(["a", "b", "c", "d"], np.ones(4), np.ones((4, 1)))
    found = choose(same, same, np.random.default_rng(0))
    assert (found.shared, found.other, found.low, found.high) == (0.5, 0.5, 0.0, 0.0)
    assert not found.worse


def test_a_net_that_is_far_worse_is_not_shared_and_a_better_one_is():
    rng = np.random.default_rng(1)
    poor, good = measured(rng, 0.0), measured(rng, 3.0)
    assert choose(poor, good, rng).worse
    assert "net of its own" in choose(poor, good, rng).sentence
    assert not choose(good, poor, rng).worse
    assert choose(good, poor, rng).sentence.endswith("shared.")


def test_of_two_equal_nets_the_shared_one_is_seldom_called_worse():
    rng = np.random.default_rng(2)
    worse = sum(choose(measured(rng, 1.0), measured(rng, 1.0), rng, draws=300).worse for _ in range(200))
    assert worse <= 15  # 2.5% is the aim; 15 of 200 would be 7.5%


def test_too_few_parts_give_no_interval_and_leave_the_pass_shared():
    few = Planted(["a", "b"], np.array([0.0, 1.0]), np.array([[2.0], [0.5]]))
    found = choose(few, few, np.random.default_rng(0))
    assert (found.low, found.high, found.worse) == (None, None, False)
    assert "too few" in found.sentence


def test_what_was_not_measured_on_the_same_pictures_is_not_compared():
    rng = np.random.default_rng(0)
    with pytest.raises(BadInput, match="same pictures"):
        choose(measured(rng, 1.0), measured(rng, 1.0, copies=3), rng)
    with pytest.raises(BadInput):
        Planted(["a"], np.zeros(1), np.zeros((1, 0)))
    with pytest.raises(BadInput):
        Planted(["a"], np.zeros(2), np.zeros((2, 1)))

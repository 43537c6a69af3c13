import numpy as np
import pytest

from core.decide.optimum import Prices, optimum
from core.decide.staffing import Staffing, simulate_queue
from core.decide.sweep import sweep
from core.errors import BadInput


def test_200_parts_of_45_seconds_are_two_and_a_half_hours_of_a_shift():
    shift = Staffing(200 / 8, 45)
    assert shift.parts_per_day == 200
    assert shift.hours_needed(1.0) == pytest.approx(2.5)
    assert shift.capacity == 1.0
    assert "2.5 hours" in shift.said


def test_capacity_is_the_share_that_can_be_looked_at():
    assert Staffing(1200, 20, inspectors=1, hours=8, running_hours=8).capacity == pytest.approx(0.15)
    assert Staffing(0, 20).capacity == 1.0
    assert Staffing(100, 20, inspectors=0).capacity == 0.0


@pytest.mark.parametrize("load", [0.8, 0.9])
def test_below_capacity_the_backlog_does_not_grow(load):
    site = Staffing(600, 30, inspectors=2, hours=8, running_hours=16)
    queue = simulate_queue(site, load * site.capacity, 40, np.random.default_rng(0))
    assert not queue.grows
    assert queue.busy == pytest.approx(load, abs=0.04)


def test_above_capacity_it_grows_from_week_to_week():
    site = Staffing(600, 30, inspectors=2, hours=8, running_hours=8)
    queue = simulate_queue(site, 1.15 * site.capacity, 40, np.random.default_rng(0))
    assert queue.grows
    assert queue.waiting[-1] > queue.waiting[10] > 0


def test_nobody_there_leaves_everything_waiting():
    queue = simulate_queue(Staffing(100, 30, inspectors=0), 0.1, 5, np.random.default_rng(0))
    assert queue.grows
    assert queue.waiting[-1] == pytest.approx(400, rel=0.2)


def test_nothing_held_is_nothing_waiting():
    queue = simulate_queue(Staffing(100, 30), 0.0, 5, np.random.default_rng(0))
    assert (queue.waiting.sum(), queue.longest_h, queue.busy, queue.grows) == (0, 0, 0, False)


def test_a_look_that_starts_late_ends_on_the_next_day():
    site = Staffing(60, 60, inspectors=1, hours=1, running_hours=1)
    queue = simulate_queue(site, 1.0, 3, np.random.default_rng(1))
    assert queue.longest_h < 24 * 3
    assert queue.waiting[0] >= 0


def test_the_optimum_under_capacity_is_one_that_the_queue_can_carry():
    rng = np.random.default_rng(2)
    s = rng.random(3000)
    found = sweep(s, rng.random(3000) < s**3)
    site = Staffing(600, 30, inspectors=1, hours=8, running_hours=16)
    best = optimum(found, Prices(1000, 20, 0.3), 0.9 * site.capacity)
    assert best.bound
    assert not simulate_queue(site, best.held, 60, rng).grows


@pytest.mark.parametrize(
    "figures", [(-1, 30), (100, 0), (100, float("nan")), (100, 30, -1), (100, 30, 1, 25), (100, 30, 1, 8, 30)]
)
def test_figures_that_cannot_be_meant_are_refused(figures):
    with pytest.raises(BadInput):
        Staffing(*figures)

"""Figures without audits: confidence sequences, drift, throughput, slow minutes."""

import numpy as np
import pytest

from core.errors import BadInput
from core.watch.checklist import differences
from core.watch.detector import BETS, fires, growth, items, share_of_quarter, start, step
from core.watch.intervals import ratio_interval
from core.watch.streams import (
    crossed,
    distance,
    drift_growth,
    gaps,
    label_items,
    mean_items,
    minute_of,
    reference_of,
    running_minutes,
    slow_run,
    throughput_growth,
)


def test_an_interval_looked_at_after_every_answer_covers_the_truth_all_the_way():
    """A tenth of the 200 simulated shifts may leave it once; a fixed-time interval would leave it in far more."""
    rng = np.random.default_rng(1)
    left = 0
    for _ in range(200):
        hits = np.cumsum(rng.random(300) < 0.1)
        found = [
            ratio_interval(np.array([1.0, 0.0]), np.ones(2), np.array([hits[k], k + 1 - hits[k]]), 0.90)
            for k in range(19, 300, 20)
        ]
        left += any(not one.low <= 0.1 <= one.high for one in found)
    assert left <= 20 + 3 * np.sqrt(200 * 0.1 * 0.9)


def test_an_interval_narrows_with_what_is_known_and_stays_in_range():
    wide = ratio_interval(np.array([1.0, 0.0]), np.ones(2), np.array([2, 98]))
    narrow = ratio_interval(np.array([1.0, 0.0]), np.ones(2), np.array([200, 9800]))
    assert 0 <= wide.low < narrow.low < 0.02 < narrow.high < wide.high <= 1
    assert ratio_interval(np.array([]), np.array([]), np.array([])) is None
    with pytest.raises(BadInput):
        ratio_interval(np.array([2.0]), np.ones(1), np.ones(1))
    with pytest.raises(BadInput):
        ratio_interval(np.ones(1), np.ones(2), np.ones(2))


def test_a_mean_below_its_limit_wins_for_those_who_bet_on_it():
    assert growth(mean_items(np.full(200, 0.7), 0.85)).max() > 5
    assert growth(mean_items(np.full(200, 0.9), 0.85)).max() < 0
    with pytest.raises(BadInput):
        mean_items([0.5], 1.0)


def shifted(by: float, seed: int = 3) -> bool:
    """Whether a day of 24 looks at 30 pictures fires."""
    rng = np.random.default_rng(seed)
    reference = reference_of(rng.normal(size=500))
    levels = np.tile(start((0.05, 0.2, 0.5)), (18, 1))
    for _ in range(24):
        grown = drift_growth(crossed(rng.normal(by, size=30), reference), 0.2, (0.05, 0.2, 0.5))
        levels = step(levels, grown, share_of_quarter(3600))
        if fires(levels.reshape(-1), 0.05):
            return True
    return False


@pytest.mark.parametrize(("by", "seen"), [(0.0, False), (0.3, False), (1.5, True), (-1.5, True)])
def test_a_shift_beyond_the_limit_is_seen_and_one_within_it_is_not(by, seen):
    assert shifted(by) is seen


def test_a_feature_that_was_always_the_same_is_seen_when_it_moves_either_way():
    reference = reference_of(np.ones(300))
    for moved in (0.5, 1.5):
        assert drift_growth(crossed(np.full(50, moved), reference), 0.2, BETS).max() > 5
    assert drift_growth(crossed(np.ones(50), reference), 0.2, BETS).max() < 0.1


def test_bettors_on_drift_grow_as_the_detector_says_of_their_items():
    reference = reference_of(np.random.default_rng(1).normal(size=300))
    seen = crossed([-3.0, 0.1, 0.2, 5.0, 0.0], reference)
    found = drift_growth(seen, 0.2, BETS)
    for place, (hits, usual) in enumerate(zip(seen.hits, seen.usual, strict=True)):
        allowed = min(usual + 0.2, 0.999)
        assert found[place] == pytest.approx(growth(items([1 - allowed, -allowed], [hits, 5 - hits], -allowed)))


def test_too_few_values_are_no_reference():
    assert reference_of(np.ones(199)) is None


def test_the_distance_is_that_of_kolmogorov_and_smirnov():
    rng = np.random.default_rng(4)
    first, second = rng.normal(size=5000), rng.normal(1.0, size=5000)
    reference = reference_of(first)
    from scipy import stats

    together = gaps(crossed(second[:2000], reference)) + gaps(crossed(second[2000:], reference))
    assert distance(together, 5000) == pytest.approx(stats.ks_2samp(first, second).statistic, abs=0.03)
    assert distance(np.zeros(18), 0) == 0


def test_a_new_class_among_the_labels_is_seen():
    bets = label_items({"good": 50, "RUST": 50}, {"good": 0.9, "CRACK": 0.1}, 0.15)
    assert max(growth(one).max() for one in bets) > 5
    same = label_items({"good": 90, "CRACK": 10}, {"good": 0.9, "CRACK": 0.1}, 0.15)
    assert max(growth(one).max() for one in same) < 0.1


def test_a_line_that_rests_is_not_slow():
    assert running_minutes([0, 0, 0]) == []
    assert running_minutes([20, 0, 0, 0, 0, 0, 0, 21]) == [20, 21]
    assert running_minutes([20, 0, 3, 0, 0]) == [20, 0, 3]


def test_a_slow_line_wins_for_those_who_bet_on_it():
    assert throughput_growth([10] * 30, 20).max() > 5
    assert throughput_growth([24] * 30, 20).max() < 0
    regular = throughput_growth([20] * 30, 20)
    assert (regular < 0).all()


def test_a_minute_is_judged_by_its_ninety_ninth_percentile():
    found = minute_of([100.0] * 99 + [900.0], 200)
    assert (found.n, found.p99, found.over) == (100, 100.0, 1)
    assert minute_of([], 200).n == 0


def test_one_hiccup_among_a_dozen_pictures_makes_no_slow_minute_and_two_do():
    assert not minute_of([50.0] * 11 + [900.0], 200).slow
    assert minute_of([50.0] * 10 + [900.0] * 2, 200).slow
    assert minute_of([900.0], 200).slow
    assert not minute_of([100.0] * 990 + [900.0] * 10, 200).slow  # 1%, as it may be
    assert minute_of([100.0] * 970 + [900.0] * 30, 200).slow
    assert not minute_of([], 200).slow


@pytest.mark.parametrize("n", [5, 12, 40, 200, 3000])
def test_a_minute_of_a_fast_engine_seems_slow_no_more_often_than_it_says(n):
    rng = np.random.default_rng(n)
    runs = 2_000
    slow = sum(minute_of(np.where(rng.random(n) < 0.01, 900.0, 50.0), 200).slow for _ in range(runs))
    assert slow / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_slow_minutes_count_only_in_a_row():
    assert slow_run([True, True, False, True, True]) == 2
    assert slow_run([]) == 0


def test_the_checklist_puts_what_moved_most_first():
    rng = np.random.default_rng(5)
    then = {"sharpness": list(rng.normal(50, 5, 60)), "brightness": list(rng.normal(0.5, 0.1, 60)), "iso": [100.0] * 3}
    now = {"sharpness": list(rng.normal(20, 5, 60)), "brightness": list(rng.normal(0.5, 0.1, 60)), "iso": [None, 200.0]}
    found = differences(then, now)
    assert found[0].feature == "sharpness"
    assert found[0].stands_out
    assert not any(one.stands_out for one in found[1:])
    iso = next(one for one in found if one.feature == "iso")
    assert (iso.then, iso.now, iso.distance) == (100.0, 200.0, None)


def test_four_views_of_a_part_count_as_one_so_that_a_healthy_line_never_seems_slow():
    """24 parts a minute are dealt to lines by chance; pictures come in fours, and would break the promise."""
    rng = np.random.default_rng(8)
    parts = rng.binomial(24, 4.5 / 24, 200_000)  # just at the limit
    slower = 0.5
    by_parts = np.exp(parts * np.log(slower) + 4.5 * (1 - slower)).mean()
    by_pictures = np.exp(4 * parts * np.log(slower) + 18 * (1 - slower)).mean()
    assert by_parts <= 1
    assert by_pictures > 2
    levels = np.zeros(3)
    for _ in range(5_000):  # ten minutes each, of a line that gets five parts a minute
        grown = throughput_growth(rng.binomial(24, 0.2, 10).tolist(), 4.5)
        levels = step(levels, grown, share_of_quarter(600.0, 4))
        assert not fires(levels, 0.05)


def test_a_line_that_gets_a_quarter_of_its_parts_is_seen_within_half_an_hour():
    rng = np.random.default_rng(9)
    levels, seen = np.zeros(3), False
    for _ in range(30):
        levels = step(levels, throughput_growth([int(rng.binomial(24, 0.05))], 4.5), share_of_quarter(60.0, 4))
        seen = seen or fires(levels, 0.05)
    assert seen

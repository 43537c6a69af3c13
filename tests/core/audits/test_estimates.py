"""Rates from audited parts: right on average, with intervals that hold."""

import numpy as np
import pytest

from core.audits.estimates import Cell, Eyes, Look, estimate, joined, override_only
from core.errors import BadInput
from core.learn.metrics.proportions import proportion_interval
from core.records import Outcome
from tests.core.audits.months import Plant, month

PASS, HOLD, FAIL = Outcome.PASS, Outcome.HOLD, Outcome.FAIL
ONE = ("bin 00", "line 1")
RATES = ("miss", "escape", "false_reject")


def rng():
    return np.random.default_rng(11)


def looks(outcome, bad, good, share=1.0, stratum=ONE):
    return [Look(outcome, stratum, share, True)] * bad + [Look(outcome, stratum, share, False)] * good


def test_where_every_part_was_looked_at_the_rates_are_known():
    cells = [Cell(PASS, ONE, 100), Cell(HOLD, ONE, 20), Cell(FAIL, ONE, 30)]
    found = estimate(cells, looks(PASS, 2, 98) + looks(HOLD, 10, 10) + looks(FAIL, 28, 2), rng())
    assert [found.miss.value, found.miss.low, found.miss.high] == pytest.approx([2 / 40] * 3)
    assert [found.escape.value, found.escape.low, found.escape.high] == pytest.approx([0.02] * 3)
    assert [found.false_reject.value, found.false_reject.low] == pytest.approx([2 / 110] * 2)
    assert found.defective.value == pytest.approx(40)


def test_a_part_stands_for_as_many_as_its_probability_says():
    """One defect among parts drawn at 1 in 50 counts fifty, one among those drawn at 1 in 5 counts five."""
    near, far = ("bin 01",), ("bin 00",)
    cells = [Cell(PASS, far, 5000), Cell(PASS, near, 500), Cell(HOLD, far, 50), Cell(FAIL, far, 10)]
    seen = looks(PASS, 1, 99, 0.02, far) + looks(PASS, 1, 99, 0.2, near) + looks(HOLD, 30, 20, 1.0, far)
    found = estimate(cells, seen + looks(FAIL, 10, 0, 1.0, far), rng())
    assert found.escape.value == pytest.approx((50 + 5) / 5500)
    assert found.miss.value == pytest.approx(55 / (55 + 30 + 10))
    assert found.escape.low < found.escape.value < found.escape.high


def test_a_zone_without_any_miss_still_has_an_upper_end():
    """The rule of three: none in 300 leaves up to about 3 in 300 credible."""
    found = estimate([Cell(PASS, ONE, 30_000)], looks(PASS, 0, 300, 0.01), rng())
    assert (found.escape.value, found.escape.low) == (0, 0)
    assert found.escape.high == pytest.approx(3 / 300, rel=0.05)


def test_what_nobody_looked_at_is_said_and_not_guessed():
    found = estimate([Cell(PASS, ONE, 100), Cell(HOLD, ONE, 20)], looks(HOLD, 5, 15), rng())
    assert (found.miss, found.escape) == (None, None)
    assert found.missing == ("None of 100 parts decided PASS has been looked at.",)


def test_a_time_without_parts_says_so():
    found = estimate([], [], rng())
    assert (found.miss, found.escape, found.false_reject) == (None, None, None)
    assert found.missing == ("Nothing was decided in this time.",)


def test_gold_items_that_were_all_answered_right_change_little_but_widen_the_interval():
    cells = [Cell(PASS, ONE, 10_000), Cell(HOLD, ONE, 500), Cell(FAIL, ONE, 100)]
    seen = looks(PASS, 10, 990, 0.1) + looks(HOLD, 300, 200) + looks(FAIL, 95, 5)
    plain = estimate(cells, seen, rng())
    restated = estimate(cells, seen, rng(), eyes=Eyes(200, 200, 400, 400))
    assert restated.escape.value == pytest.approx(plain.escape.value)
    assert restated.escape.width > plain.escape.width


def test_false_alarms_are_taken_off_and_what_people_overlook_is_added():
    """Rogan and Gladen by hand: (0.02 - 0.01) / (0.9 + 0.99 - 1)."""
    found = estimate([Cell(PASS, ONE, 10_000)], looks(PASS, 20, 980, 0.1), rng(), eyes=Eyes(180, 200, 990, 1000))
    assert found.escape.value == pytest.approx(0.01 / 0.89)


@pytest.mark.parametrize("eyes", [Eyes(50, 50), Eyes(9, 9, 50, 50), Eyes(10, 20, 10, 20)])
def test_without_gold_of_both_kinds_or_with_answers_like_chance_nothing_is_restated(eyes):
    found = estimate([Cell(PASS, ONE, 100)], looks(PASS, 1, 99), rng(), eyes=eyes)
    assert found.escape is None
    assert "gold items" in found.missing[0]


def test_a_probability_that_is_none_and_an_unknown_stratum_are_refused():
    with pytest.raises(BadInput, match="probability 0"):
        estimate([Cell(PASS, ONE, 100)], looks(PASS, 1, 9, 0.0), rng())
    with pytest.raises(BadInput, match="none was decided"):
        estimate([Cell(PASS, ONE, 100)], looks(PASS, 1, 9, 0.1, ("bin 07",)), rng())


def test_small_strata_join_those_that_are_like_them():
    parts = {("a", "x"): 50, ("a", "y"): 50, ("b", "x"): 50, ("b", "y"): 1, ("c", "x"): 5}
    answered = {("a", "x"): 12, ("a", "y"): 11, ("b", "x"): 9, ("b", "y"): 2}
    groups = joined(parts, answered)
    assert groups["a", "x"] != groups["a", "y"]
    assert groups["b", "x"] == groups["b", "y"] not in (groups["a", "x"], groups["a", "y"])
    assert groups["c", "x"] in groups.values()
    assert set(joined(parts, {("a", "x"): 5}).values()) == {0}


def test_scores_that_tell_good_from_defective_make_the_estimate_sharper():
    """Strata that had to be joined leave something for the scores to explain."""
    chance = np.random.default_rng(5)
    score = chance.beta(0.5, 2, 4000)
    bad = chance.random(4000) < score
    drawn = chance.random(4000) < 0.05
    cells = [Cell(HOLD, ONE, 4000, float(score.sum()))]
    seen = [Look(HOLD, ONE, 0.05, bool(b), float(s)) for b, s in zip(bad[drawn], score[drawn], strict=True)]
    plain = estimate(cells, [look._replace(score=None) for look in seen], rng())
    powered = estimate(cells, seen, rng())
    assert powered.powered == (HOLD,)
    assert plain.powered == ()
    assert powered.defective.width < 0.92 * plain.defective.width
    assert powered.defective.low < bad.sum() < powered.defective.high


UNEQUAL = {"shares": ((0.04, 0.10), (0.20, 0.10)), "near": 3.0, "parts": 16_000}


@pytest.mark.parametrize(
    "plant",
    [Plant("every eye is right", **UNEQUAL), Plant("eyes err", **UNEQUAL, sees=0.93, clears=0.99)],
    ids=lambda plant: plant.name,
)
def test_intervals_cover_the_truth_and_are_hardly_wider_than_an_oracles(plant):
    """The full size, 2,000 months of each, is `bench_audits`."""
    chance = np.random.default_rng(20)
    rows = {name: [] for name in RATES}
    overrides = {name: [] for name in RATES}
    for _ in range(150):
        made = month(plant, chance)
        found = estimate(made.cells, made.looks, chance, eyes=made.eyes, draws=1000)
        naive = override_only(made.looks, made.leanings)
        for name in RATES:
            rate, truth = getattr(found, name), made.truth[name]
            rows[name].append((rate.value, rate.low, rate.high, truth))
            low, high = proportion_interval(*naive[name])
            overrides[name].append(low <= truth <= high)
    for name in RATES:
        value, low, high, truth = np.array(rows[name]).T
        covered = ((low <= truth) & (truth <= high)).mean()
        oracle = 2 * np.quantile(np.abs(value - truth), 0.95)  # the width that covers 95%, with the truth at hand
        assert covered >= 0.90, (name, covered)  # 0.95 less three standard errors of 150 months
        assert (high - low).mean() <= 1.5 * oracle, name
        assert np.mean(overrides[name]) < 0.2, name  # what overrides say is wrong nearly always

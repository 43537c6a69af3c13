import numpy as np
import pytest

from core.errors import BadInput
from core.kpis.acceptance import TARGETS, Measured, Met, Oee, median_of, quantile_ranks, standing
from core.kpis.baseline import Baseline
from core.kpis.interrupted import interrupted

RECALL = next(one for one in TARGETS if one.name == "recall")
MISSES = next(one for one in TARGETS if one.name == "miss rate")


def test_a_target_is_met_or_missed_only_where_the_whole_interval_says_so():
    assert standing(RECALL, Measured(0.97, 0.96, 0.98, 900)) is Met.MET
    assert standing(RECALL, Measured(0.97, 0.90, 0.99, 40)) is Met.UNSURE
    assert standing(RECALL, Measured(0.90, 0.88, 0.93, 900)) is Met.MISSED
    assert standing(MISSES, Measured(0.0, 0.0, 0.02, 100)) is Met.UNSURE
    assert standing(MISSES, Measured(0.0, 0.0, 0.009, 400)) is Met.MET
    assert standing(MISSES, Measured(None, None, None, 0)) is Met.UNKNOWN


def test_three_misses_in_360_are_not_evidence_for_one_percent():
    assert standing(MISSES, Measured(3 / 360, 0.0017, 0.0242, 360)) is Met.UNSURE


def test_the_interval_of_a_percentile_covers_it():
    rng = np.random.default_rng(4)
    n, runs, true = 2000, 2000, -np.log(0.01)
    _, low, high = quantile_ranks(n, 0.99)
    values = np.sort(rng.exponential(size=(runs, n)), axis=1)
    covered = np.mean((values[:, low - 1] <= true) & (true <= values[:, high - 1]))
    assert covered >= 0.94


def test_a_median_of_few_hours_has_a_wide_interval():
    assert median_of([]) == (None, None, None, 0)
    assert median_of([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0, 3)
    with pytest.raises(BadInput):
        quantile_ranks(0, 0.5)


def test_oee_is_the_product_of_its_three_inputs():
    line = Oee("A", parts=900, good=855, planned_minutes=100, running_minutes=90, ideal_per_minute=20)
    assert (line.availability, line.performance, line.quality) == (0.9, 0.5, 0.95)
    assert line.oee == pytest.approx(0.9 * 0.5 * 0.95)
    assert Oee("A", 0, 0, 0, 0, 20).oee is None


def test_a_baseline_that_does_not_fit_together_says_so():
    assert "2.5 h" in Baseline().contradiction
    assert "more than the shift" in Baseline(parts_per_shift=900).contradiction
    assert Baseline(parts_per_shift=600).contradiction == ""
    with pytest.raises(BadInput):
        Baseline(detection=1.2)


def test_a_step_is_found_beyond_a_trend_that_was_there_anyway():
    rng = np.random.default_rng(1)
    weeks = np.arange(40)
    values = 10 + 0.5 * weeks + np.where(weeks >= 20, 6.0, 0) + rng.normal(0, 1, 40)
    found = interrupted(list(values), 20)
    assert found is not None
    assert found.low < 6 < found.high
    assert found.p < 0.001
    only_trend = interrupted(list(10 + 0.5 * weeks + rng.normal(0, 1, 40)), 20)
    assert only_trend is not None
    assert only_trend.low < 0 < only_trend.high


def test_too_few_weeks_on_a_side_show_no_effect():
    assert interrupted([1.0] * 3 + [2.0] * 20, 3) is None
    assert interrupted([1.0, None, None, None, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0], 6) is None


@pytest.mark.parametrize("resemblance", [0.0, 0.3, 0.5])
def test_intervals_of_an_effect_cover_it_also_when_weeks_resemble_each_other(resemblance):
    """52 weeks, half of them after a change that did nothing."""
    rng = np.random.default_rng(6)
    runs, covered = 400, 0
    for _ in range(runs):
        noise = rng.normal(size=52)
        for week in range(1, 52):
            noise[week] += resemblance * noise[week - 1]
        found = interrupted(list(noise), 26)
        assert found is not None
        covered += found.low <= 0 <= found.high
    assert covered / runs >= 0.95 - 3 * (0.95 * 0.05 / runs) ** 0.5

import numpy as np
import pytest

from core.kpis.trends import controlled, trend


def test_fewer_than_four_periods_make_no_trend():
    assert trend([0.1, 0.2, 0.3]) is None
    assert trend([0.1, None, None, 0.2, 0.3]) is None


def test_a_rate_that_rises_by_the_same_step_has_that_slope():
    found = trend([0.10 + 0.01 * week for week in range(13)])
    assert found is not None
    assert found.slope == pytest.approx(0.01)
    assert found.low == pytest.approx(0.01)
    assert found.p < 0.001


def test_a_level_rate_has_no_trend():
    found = trend([0.2] * 13)
    assert found is not None
    assert (found.slope, found.p) == (0.0, 1.0)


def test_a_week_without_answers_is_left_out_but_keeps_its_place():
    found = trend([0.1, 0.2, None, 0.4, 0.5])
    assert found is not None
    assert found.slope == pytest.approx(0.1)


def test_one_wild_week_makes_no_trend():
    found = trend([0.1, 0.11, 0.1, 0.12, 0.11, 0.1, 0.9, 0.11, 0.1, 0.12, 0.1, 0.11, 0.1])
    assert found is not None
    assert found.p > 0.05


def test_a_trend_is_claimed_in_about_one_of_twenty_where_there_is_none():
    """Also when counts come in clusters, which a test on the counts themselves would take for a trend."""
    rng = np.random.default_rng(3)
    runs = 1000
    clustered = rng.beta(2, 18, size=(runs, 13))
    rates = rng.binomial(60, clustered) / 60
    claimed = sum(1 for row in rates if (found := trend(list(row))) is not None and found.p <= 0.05)
    assert claimed / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5


def test_p_values_are_adjusted_together_and_gaps_stay():
    assert controlled([0.01, None, 0.04, 0.5]) == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.5)]
    assert controlled([]) == []

from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from core.learn import metrics


def test_three_misses_in_360_guarantee_less_than_they_show():
    assert_allclose(metrics.lower_bound(357, 360), 0.97860, atol=5e-5)
    assert_allclose(357 / 360, 0.99167, atol=5e-5)


@given(st.integers(0, 30), st.integers(1, 30))
@limits(deadline=None)
def test_a_rate_lies_in_its_interval(successes, more):
    interval = metrics.proportion_interval(successes, successes + more)
    assert interval.low <= successes / (successes + more) <= interval.high


def test_a_rate_of_nothing_has_no_interval():
    assert metrics.proportion_interval(0, 0) is None

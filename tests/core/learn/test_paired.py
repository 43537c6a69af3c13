import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.errors import BadInput
from core.learn.paired import Paired, compare, difference_interval

COUNTS = st.integers(0, 60)


def test_only_where_the_two_differ_says_who_is_better():
    assert Paired(80, 14, 3, 3).p_value == pytest.approx(stats.binomtest(14, 17, 0.5).pvalue)
    assert Paired(8000, 14, 3, 300).p_value == Paired(80, 14, 3, 3).p_value
    assert Paired(100, 0, 0, 5).p_value == 1.0


def test_four_cells_are_counted_from_two_rows_of_answers():
    found = compare([True, True, False, False, True], [True, False, True, False, True])
    assert found == Paired(2, 1, 1, 1)
    assert found.difference == 0
    with pytest.raises(BadInput, match="the same parts"):
        compare([True], [True, False])
    with pytest.raises(BadInput, match="below 0"):
        Paired(1, -1, 0, 0)


def test_the_interval_ends_where_a_score_test_would_begin_to_refuse():
    """At the ends, with the shares that differ estimated under that difference, the statistic is 1.96."""
    low, high = difference_interval(14, 3, 100)
    for end, sign in ((low, 1), (high, -1)):
        # The likelihood of (gained, lost) under a difference, maximised by brute force over the share lost.
        lost = np.linspace(max(0.0, -end) + 1e-7, (1 - end) / 2, 400_001)
        gained = lost + end
        likelihood = 14 * np.log(gained) + 3 * np.log(lost) + 83 * np.log(np.maximum(1 - gained - lost, 1e-300))
        at = lost[int(np.argmax(likelihood))]
        statistic = (14 - 3 - 100 * end) / math.sqrt(100 * (2 * at + end * (1 - end)))
        assert statistic == pytest.approx(sign * 1.959964, abs=1e-3)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_interval_holds_the_difference_and_turns_round_with_the_models(both, gained, lost, neither):
    found = Paired(both, gained, lost, neither)
    between = found.interval()
    if found.n == 0:
        assert between is None
        return
    assert -1 <= between.low <= found.difference + 1e-9
    assert found.difference - 1e-9 <= between.high <= 1
    turned = Paired(both, lost, gained, neither).interval()
    assert turned.low == pytest.approx(-between.high, abs=1e-6)


@pytest.mark.parametrize(("gained", "lost", "n"), [(0.05, 0.05, 60), (0.15, 0.05, 60), (0.02, 0.0, 80)])
def test_the_interval_holds_the_truth_in_95_of_100_cases(gained, lost, n):
    rng = np.random.default_rng(8)
    held = 0
    for g, b in rng.multinomial(n, [gained, lost, 1 - gained - lost], size=1000)[:, :2]:
        low, high = difference_interval(int(g), int(b), n)
        held += low <= gained - lost <= high
    assert held >= 1000 * 0.95 - 3 * math.sqrt(1000 * 0.95 * 0.05)

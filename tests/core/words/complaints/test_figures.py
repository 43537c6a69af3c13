"""Trend, patterns and what complaints prove: exact where they say so, and shown by simulation."""

from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from core.errors import BadInput
from core.learn.metrics.proportions import Interval
from core.words.complaints.late import Escaped, at_least, contradicts, delays_of, proven
from core.words.complaints.notices import MOST_BODY, about_pattern
from core.words.complaints.patterns import Group, find_patterns
from core.words.complaints.trend import WEEK, Week, before_after, clumping, garwood, points, ratio_interval

TODAY = date(2026, 6, 1)  # a Monday


def week(back: int, told: int = 0, left: int = 1000, stopped: int = 0) -> Week:
    return Week(TODAY - back * WEEK, left, left + stopped, stopped, told, 0)


def test_a_poisson_interval_is_the_exact_one():
    low, high = garwood(3)
    assert stats.poisson.sf(2, low) == pytest.approx(0.025)
    assert stats.poisson.cdf(3, high) == pytest.approx(0.025)
    assert garwood(0).low == 0
    assert garwood(0).high == pytest.approx(-np.log(0.025))


def test_a_week_has_its_rates_and_a_young_one_is_marked():
    old, young = points([week(8, told=4, left=2000, stopped=50), week(2, told=1)], TODAY, 28)
    assert old.rate == 2.0
    assert old.within.low < 2.0 < old.within.high
    assert old.intercepted == pytest.approx(50 / 2050)
    assert (old.young, young.young) == (False, True)
    [empty] = points([Week(TODAY - 8 * WEEK, 0, 0, 0, 0, 0)], TODAY, 28)
    assert (empty.rate, empty.within, empty.intercepted, empty.intercepted_within) == (None, None, None, None)


def test_a_ratio_is_exact_and_turns_over_when_its_sides_do():
    ratio, within, p = ratio_interval(10, 1000, 20, 1000)
    back, turned, p_back = ratio_interval(20, 1000, 10, 1000)
    assert ratio == 2
    assert (turned.low, turned.high) == pytest.approx((1 / within.high, 1 / within.low))
    assert back == 0.5
    assert p == pytest.approx(p_back)
    assert p == pytest.approx(stats.binomtest(20, 30, 0.5).pvalue)
    assert ratio_interval(0, 10, 0, 10) == (None, None, None)
    assert ratio_interval(0, 10, 3, 10)[0] == np.inf
    with pytest.raises(BadInput):
        ratio_interval(-1, 1, 1, 1)


def test_the_ratios_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(1500):
        before, after = rng.poisson(4.0), rng.poisson(2 * 3.0)
        _, within, _ = ratio_interval(before, 4000, after, 3000)
        held += within is None or within.low <= 2.0 <= within.high
    assert held / 1500 >= 0.95


def test_before_and_after_leave_out_the_week_of_the_change_and_young_weeks():
    weeks = [week(12, 10), week(11, 10), week(10, 99), week(9, 2), week(8, 2), week(1, 50)]
    found = before_after(weeks, TODAY - 10 * WEEK + timedelta(days=2), TODAY, 28)
    assert (found.before.told, found.after.told) == (20, 4)
    assert found.ratio == pytest.approx(0.2)
    assert found.within.high < 1
    assert before_after([], TODAY, TODAY).ratio is None


def test_complaints_in_heaps_are_told_of():
    even, heaps = [week(n, 5) for n in range(8, 20)], [week(n, 30 * (n % 6 == 0)) for n in range(8, 20)]
    assert clumping([even]) > 0.9
    assert clumping([heaps]) < 1e-6
    assert clumping([[week(8, 1)]]) is None


def groups(rng: np.random.Generator, bad: int, n: int = 60, parts: int = 400, rate: float = 0.01) -> list[Group]:
    rates = np.where(np.arange(n) < bad, 5 * rate, rate)
    return [Group("order", f"{'bad' if k < bad else 'good'} {k}", int(rng.binomial(parts, rates[k])), parts)
            for k in range(n)]  # fmt: skip


@pytest.mark.parametrize("bad", [0, 6])
def test_of_what_is_shown_at_most_the_promised_share_is_chance(bad: int):
    rng = np.random.default_rng(11)
    shares, found_bad = [], 0
    for _ in range(300):
        shown = find_patterns(groups(rng, bad), q=0.10).patterns
        false = sum(one.group.name.startswith("good") for one in shown)
        shares.append(false / max(1, len(shown)))
        found_bad += len(shown) - false
    assert np.mean(shares) <= 0.10
    if bad:
        assert found_bad / (300 * bad) > 0.8


def test_the_test_is_fishers_exact_one_against_the_others():
    mine = [Group("seller", "A", 9, 100), Group("seller", "B", 3, 300), Group("seller", "C", 2, 200)]
    [one] = find_patterns(mine, q=0.05).patterns
    p = stats.fisher_exact([[9, 91], [5, 495]], alternative="greater").pvalue
    assert one.p == pytest.approx(p)
    assert one.ratio == pytest.approx(0.09 / (5 / 500))
    assert (one.share, one.elsewhere) == pytest.approx((0.09, 0.01))
    assert "seller A" in one.sentence


def test_names_are_compared_with_their_own_kind_and_one_complaint_alone_is_no_pattern():
    mine = [Group("seller", "A", 50, 100), Group("batch", "B", 0, 100), Group("batch", "C", 0, 100)]
    assert find_patterns(mine).patterns == ()
    lonely = [Group("order", "one", 1, 1), *(Group("order", str(n), 0, 500) for n in range(40))]
    assert find_patterns(lonely).patterns == ()


def test_a_notice_names_figures_and_pictures_and_fits_into_a_message():
    looked = find_patterns([Group("seller", "A", 9, 100), Group("seller", "B", 3, 300)], q=0.5)
    made = about_pattern("Lyon", looked.patterns[0], looked, [f"R-{n}" for n in range(200)], list(range(40)))
    assert "9 of the 100 parts of seller A" in made.body
    assert "adjusted for 2 tests" in made.body
    assert "and 188 more" in made.body
    assert len(made.body) <= MOST_BODY
    assert made.evidence["complaints"][-1] == "R-199"


def escaped(rng: np.random.Generator, rate: float, mean_days: float, age: int = 120, per_day: int = 500):
    """Parts that leave every day, some of which come back after a geometric time, as far as today sees them."""
    left, found, number = {}, [], 0
    for back in range(age):
        day = TODAY - timedelta(days=back)
        left[day] = per_day
        for _ in range(rng.poisson(rate * per_day)):
            number += 1
            delay = int(rng.geometric(1 / mean_days)) - 1
            if delay <= back:
                found.append(Escaped(number, day, day + timedelta(days=delay)))
    return found, left


def test_a_part_counts_once_however_often_it_is_complained_about():
    left = {TODAY - timedelta(days=30): 100}
    twice = [Escaped(1, TODAY - timedelta(days=30), TODAY - timedelta(days=9)),
             Escaped(1, TODAY - timedelta(days=30), TODAY - timedelta(days=20))]  # fmt: skip
    found = proven(twice, left, TODAY, np.random.default_rng(0))
    assert found.parts == 1
    assert found.rate == 0.01
    assert 0 < found.at_least < 0.01
    assert found.delays is None
    assert proven([], {}, TODAY, np.random.default_rng(0)).rate is None


def test_delays_are_set_right_for_reports_still_to_come():
    """The plain share of early reports is too large, because late ones of young parts are missing."""
    rng = np.random.default_rng(5)
    found, _ = escaped(rng, 0.02, 25.0, age=60)
    truth = (1 - (1 - 1 / 25) ** 15) / (1 - (1 - 1 / 25) ** 60)
    plain = np.mean([one.delay <= 14 for one in found])
    corrected = delays_of(found, TODAY).by(14)
    assert plain > truth + 0.05
    assert corrected == pytest.approx(truth, abs=0.05)


def test_the_corrected_rate_holds_the_truth_as_often_as_it_says_and_the_plain_one_lies_below():
    rng = np.random.default_rng(6)
    held, plain_below, runs = 0, 0, 200
    rate = 0.002
    for _ in range(runs):
        found, left = escaped(rng, rate, 12.0, age=90)
        shown = proven(found, left, TODAY, rng)
        longest = shown.delays.days[-1]
        truth = rate * (1 - (1 - 1 / 12) ** (longest + 1))
        held += shown.reported_within.low <= truth <= shown.reported_within.high
        plain_below += shown.rate < rate
    assert held / runs >= 0.93
    assert plain_below / runs > 0.9


def test_a_lower_bound_above_the_audits_interval_is_a_contradiction_and_below_it_is_none():
    day = TODAY - timedelta(days=40)
    many = [Escaped(n, day, TODAY) for n in range(60)]
    assert "either the audits" in contradicts(at_least(many, 1000), Interval(0.001, 0.01))
    assert contradicts(at_least(many, 1000), Interval(0.02, 0.09)) == ""
    assert contradicts(at_least(many, 1000), None) == ""
    assert at_least([], 0) is None

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.decide.bounds import clean_needed, upper_bound
from core.decide.guarantee import Status, bound_at, guarantee
from core.errors import BadInput
from tests.core.decide.simulated_sites import DESIGNS, TrueSite, naive

MISS, DELTA, SITES = 0.05, 0.1, 200
SLACK = 3 * np.sqrt(DELTA * (1 - DELTA) / SITES)


def plainly(scores, defective, miss=0.05, confidence=0.95, **more):
    return guarantee(scores, defective, np.ones(len(scores)), miss, confidence, **more)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_true_miss_rate_is_too_large_no_more_often_than_promised(design):
    site, rng = TrueSite(), np.random.default_rng(4)
    worse = sum(
        site.miss_rate(guarantee(*site.draw(1000, DESIGNS[design], rng), MISS, 1 - DELTA).pass_below) > MISS
        for _ in range(SITES)
    )
    assert worse / SITES <= DELTA + SLACK


def test_tuning_by_the_point_estimate_breaks_the_promise_every_other_time():
    site, rng = TrueSite(), np.random.default_rng(4)
    worse = sum(site.miss_rate(naive(*site.draw(1500, DESIGNS["plain"], rng), MISS)) > MISS for _ in range(SITES))
    assert worse / SITES > 0.35


@pytest.mark.parametrize("design", DESIGNS)
def test_it_holds_not_much_more_than_one_who_knows_the_truth(design):
    site, rng = TrueSite(), np.random.default_rng(5)
    best = site.hold_rate(site.oracle(MISS))
    ratios = [
        site.hold_rate(guarantee(*site.draw(5000, DESIGNS[design], rng), MISS, 0.95).pass_below) / best
        for _ in range(30)
    ]
    assert np.mean(ratios) < 1.5


def test_299_clean_defective_parts_are_met_and_298_ask_for_one_more():
    good = np.linspace(0, 0.4, 50)
    for n, status, more in ((299, Status.MET, 0), (298, Status.INSUFFICIENT, 1)):
        scores = np.r_[good, np.linspace(0.5, 1, n)]
        found = plainly(scores, np.arange(len(scores)) >= 50, 0.01)
        assert (found.status, found.more_needed) == (status, more)
    assert found.pass_below == 0


def test_the_threshold_is_the_highest_that_the_exact_bound_allows():
    rng = np.random.default_rng(1)
    bad = np.sort(rng.uniform(0.3, 1, 500))
    found = plainly(np.r_[np.zeros(100), bad], np.arange(600) >= 100)
    missed = int((bad < found.pass_below).sum())
    assert found.families["site"].missed == missed
    assert found.miss_bound == pytest.approx(upper_bound(missed, 500, 0.05))
    assert upper_bound(missed + 1, 500, 0.05) > 0.05


def test_defects_that_score_like_the_best_good_parts_make_it_impossible_however_many_there_are():
    scores = np.r_[np.full(300, 0.0), np.full(30, 0.0), np.full(270, 0.9)]
    found = plainly(scores, np.arange(600) >= 300)
    assert (found.status, found.pass_below, found.more_needed) == (Status.IMPOSSIBLE, 0.0, None)
    assert "More data at that rate would not help" in found.sentence


def test_a_rate_that_could_be_shown_by_more_of_the_same_asks_for_them():
    scores = np.r_[np.zeros(300), np.zeros(9), np.full(291, 0.9)]  # 3% at the lowest good score: the bound is 5.2%
    found = plainly(scores, np.arange(600) >= 300)
    assert found.status is Status.INSUFFICIENT
    n = 300 + found.more_needed
    assert upper_bound(round(0.03 * n), n, 0.05) <= 0.052
    assert 5 <= found.more_needed <= 120


def test_one_miss_of_few_parts_proves_nothing_yet():
    scores = np.r_[np.full(20, 0.1), 0.05, np.full(9, 0.9)]
    found = plainly(scores, np.arange(30) >= 20, 0.01)
    assert (found.status, found.more_needed) == (Status.INSUFFICIENT, 289)


def test_only_good_parts_ask_for_as_many_as_a_clean_run_takes():
    found = plainly(np.linspace(0, 1, 40), np.zeros(40, bool), 0.01)
    assert (found.status, found.more_needed, found.miss_bound) == (Status.INSUFFICIENT, 299, 1.0)


@pytest.mark.parametrize(("score", "defective"), [(0.0, True), (1.0, True), (0.5, False), (0.0, False)])
def test_a_single_row_is_answered(score, defective):
    assert plainly([score], [defective]).status is Status.INSUFFICIENT
    assert plainly([], []).status is Status.INSUFFICIENT


def test_equal_scores_pass_together_or_not_at_all():
    scores = np.r_[np.full(500, 0.1), np.full(200, 0.3), np.full(400, 0.6)]
    defective = np.r_[np.zeros(500, bool), np.r_[np.ones(8, bool), np.zeros(192, bool)], np.ones(400, bool)]
    found = plainly(scores, defective)
    assert found.pass_below == 0.6  # 8 of 408 may be missed, the other 400 may not
    assert plainly(scores, defective, 0.03).pass_below == 0.3


def test_nobody_passes_a_score_of_one():
    assert plainly(np.ones(500), np.arange(500) > 9).status is Status.IMPOSSIBLE


def test_equal_weights_of_any_size_say_the_same():
    s, d, _ = TrueSite().draw(2000, DESIGNS["plain"], np.random.default_rng(2))
    found = [guarantee(s, d, np.full(2000, w), 0.05, 0.95).pass_below for w in (1.0, 7.3)]
    assert found[0] == found[1] > 0


def test_nearly_equal_weights_say_nearly_the_same():
    s, d, _ = TrueSite().draw(3000, DESIGNS["plain"], np.random.default_rng(2))
    w = 1 + 1e-6 * np.random.default_rng(3).random(3000)
    nearly, exactly = guarantee(s, d, w, 0.05, 0.95), plainly(s, d)  # bets instead of the exact binomial tail
    assert abs(nearly.families["site"].missed - exactly.families["site"].missed) <= 5


def test_the_order_of_rows_says_nothing():
    s, d, w = TrueSite().draw(1000, DESIGNS["two strata by chance"], np.random.default_rng(2))
    mixed = np.random.default_rng(3).permutation(1000)
    assert guarantee(s, d, w, 0.1, 0.9) == guarantee(s[mixed], d[mixed], w[mixed], 0.1, 0.9)


def test_a_weighted_bound_is_never_above_what_was_asked_and_close_to_it():
    s, d, w = TrueSite().draw(3000, DESIGNS["by chance, one to four"], np.random.default_rng(2))
    found = guarantee(s, d, w, 0.05, 0.95)
    assert 0.04 < found.miss_bound <= 0.05


def test_a_safety_class_shares_the_error_and_can_only_make_it_stricter():
    s, d, w = TrueSite().draw(5000, DESIGNS["plain"], np.random.default_rng(2))
    crack = d & (np.arange(5000) % 2 == 0)
    alone, both = guarantee(s, d, w, 0.05, 0.95), guarantee(s, d, w, 0.05, 0.95, {"CRACK": crack})
    assert both.delta == pytest.approx(0.025)
    assert set(both.families) == {"site", "CRACK"}
    assert 0 < both.pass_below <= alone.pass_below
    assert both.pass_below == min(one.pass_below for one in both.families.values())


def test_a_safety_class_without_examples_keeps_the_site_from_being_met():
    s, d, w = TrueSite().draw(5000, DESIGNS["plain"], np.random.default_rng(2))
    found = guarantee(s, d, w, 0.05, 0.95, {"CRACK": np.zeros(5000, bool)})
    assert (found.status, found.pass_below) == (Status.INSUFFICIENT, 0.0)
    assert found.more_needed == clean_needed(0.05, 0.025)
    assert "of class CRACK" in found.sentence


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.floats(0.5, 50)), max_size=60), st.floats(0.05, 0.5))
def test_whatever_is_labelled_gets_one_of_three_answers(rows, miss):
    s, d, w = (np.array([row[i] for row in rows]) for i in range(3))
    found = guarantee(s, d.astype(bool), w, miss, 0.9)
    assert 0 <= found.pass_below <= 1
    assert (found.status is Status.MET) == (found.pass_below > 0)
    if found.status is Status.MET:
        assert found.miss_bound <= miss
        assert found.more_needed == 0
    if found.status is Status.INSUFFICIENT:
        assert found.more_needed is None or found.more_needed >= 1
    assert found.sentence


@pytest.mark.parametrize(
    ("scores", "weights", "miss", "confidence", "word"),
    [
        ([0.5, 1.2], [1, 1], 0.1, 0.9, "0 to 1"),
        ([0.5, float("nan")], [1, 1], 0.1, 0.9, "no number"),
        ([0.5, 0.6], [1, 0], 0.1, 0.9, "weight"),
        ([0.5, 0.6], [1, float("inf")], 0.1, 0.9, "weight"),
        ([0.5, 0.6], [1], 0.1, 0.9, "one of each"),
        ([0.5, 0.6], [1, 1], 1.5, 0.9, "miss rate"),
        ([0.5, 0.6], [1, 1], 0.1, 95, "confidence"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(scores, weights, miss, confidence, word):
    with pytest.raises(BadInput, match=word):
        guarantee(scores, [True, False], weights, miss, confidence)


def test_the_bound_at_a_threshold_is_the_one_that_the_guarantee_found():
    s, d, w = TrueSite().draw(3000, DESIGNS["two strata by chance"], np.random.default_rng(2))
    found = guarantee(s, d, w, 0.05, 0.95)
    assert bound_at(s, d, w, found.pass_below, 0.95) == pytest.approx(found.miss_bound, abs=1e-6)
    assert bound_at(s, d, w, found.pass_below + 0.05, 0.95) > 0.05
    assert bound_at([], [], [], 0.5, 0.95) == 1.0

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.gates.limits import Limits
from core.gates.rates import Answer, Tally, bounds, further, judge, plain, rate_question, tally


def test_three_misses_in_360_cracks_are_not_enough_evidence_and_say_how_many_more_it_takes():
    found = judge(rate_question("recall of CRACK", plain(357, 360), 0.99, "cracks"), 0.05)
    assert found.answer is Answer.UNSURE
    assert found.value == pytest.approx(0.99167, abs=1e-5)
    assert found.low == pytest.approx(0.9786, abs=1e-4)
    assert found.more_needed is not None
    n = 360 + found.more_needed
    assert bounds(Tally(n * 357 / 360, n, n), 0.05)[0] >= 0.99
    assert bounds(Tally((n - 20) * 357 / 360, n - 20, n - 20), 0.05)[0] < 0.99
    assert "more cracks needed" in found.sentence


def test_a_rate_beyond_its_limit_has_no_number_of_examples_that_would_do():
    unsure = judge(rate_question("recall", plain(92, 100), 0.93, "defects"), 0.05)
    assert (unsure.answer, unsure.more_needed) == (Answer.UNSURE, None)
    failed = judge(rate_question("recall", plain(800, 1000), 0.93, "defects"), 0.05)
    assert (failed.answer, failed.more_needed) == (Answer.FAIL, None)


def test_a_rate_at_its_limit_is_never_shown_to_keep_it():
    found = judge(rate_question("precision", plain(9500, 10_000), 0.95, "flagged"), 0.05)
    assert (found.answer, found.more_needed) == (Answer.UNSURE, None)


def test_without_an_example_it_takes_as_many_clean_ones_as_the_limit_asks_for():
    found = judge(rate_question("recall", plain(0, 0), 0.99, "cracks"), 0.05)
    assert (found.answer, found.more_needed, found.value) == (Answer.UNSURE, 299, None)


def test_false_rejects_are_a_limit_from_above():
    kept = judge(rate_question("false rejects", plain(10, 1000), 0.05, "good", at_least=False), 0.05)
    broken = judge(rate_question("false rejects", plain(100, 1000), 0.05, "good", at_least=False), 0.05)
    near = judge(rate_question("false rejects", plain(40, 1000), 0.05, "good", at_least=False), 0.05)
    assert [one.answer for one in (kept, broken, near)] == [Answer.PASS, Answer.FAIL, Answer.UNSURE]
    assert near.more_needed is not None
    n = 1000 + near.more_needed
    assert bounds(Tally(0.04 * n, n, n), 0.05)[1] <= 0.05


def test_pictures_of_one_part_count_as_one_and_unequal_parts_as_fewer():
    assert tally([True] * 12).worth == 12
    assert tally([True] * 12, [number // 3 for number in range(12)]).worth == 4
    assert tally([True] * 12, [0] * 9 + [1, 2, 3]).worth == pytest.approx(144 / 84)
    assert tally([]) == Tally(0, 0, 0.0)


def test_more_pictures_are_counted_in_pictures_where_several_show_a_part():
    found = tally([True] * 60, [number // 3 for number in range(60)])
    needed = further(found, 0.93, 0.05)
    assert needed is not None
    parts = math.ceil(math.log(0.05) / math.log(0.93))
    assert needed == pytest.approx(3 * (parts - 20), abs=3)


@given(st.integers(0, 400), st.integers(1, 400), st.floats(0.5, 0.995), st.sampled_from([0.05, 0.01, 0.001]))
def test_the_answer_follows_from_the_bounds_and_enough_more_would_pass(hits, n, limit, level):
    hits = min(hits, n)
    found = judge(rate_question("recall", plain(hits, n), limit, "defects"), level)
    assert found.low <= hits / n <= found.high
    expected = Answer.PASS if found.low >= limit else Answer.FAIL if found.high < limit else Answer.UNSURE
    assert found.answer is expected
    if found.more_needed is not None:
        total = n + found.more_needed
        assert bounds(Tally(total * hits / n, total, total), level)[0] >= limit - 1e-9


@given(st.integers(1, 300), st.integers(0, 300))
def test_missing_one_more_never_helps(n, hits):
    hits = min(hits, n - 1)
    worse, better = (judge(rate_question("recall", plain(x, n), 0.9, "defects"), 0.05).low for x in (hits, hits + 1))
    assert worse <= better


@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_bounds_hold_however_alike_the_pictures_of_a_part_are(alike: float):
    """2,000 sets of 40 parts with 5 pictures each: a rate at the limit passes in 5% at most, within chance."""
    rng = np.random.default_rng(11)
    limit, passed = 0.93, 0
    groups = [number // 5 for number in range(200)]
    for _ in range(2000):
        own = rng.random(200) < limit
        whole = np.repeat(rng.random(40) < limit, 5)
        hits = np.where(np.repeat(rng.random(40) < alike, 5), whole, own)
        passed += bounds(tally(hits, groups), 0.05)[0] >= limit
    assert passed <= 2000 * 0.05 + 3 * math.sqrt(2000 * 0.05 * 0.95)


def test_limits_come_back_from_json_and_refuse_what_means_nothing():
    limits = Limits(recall=0.9, class_recall={"CRACK": 0.995})
    assert Limits.from_json(limits.to_json()) == limits
    assert Limits.from_json({}) == Limits()
    with pytest.raises(BadInput, match="no limit of a gate"):
        Limits.from_json({"accuracy": 0.9})
    with pytest.raises(BadInput, match="always or never kept"):
        Limits(recall=1.0)
    with pytest.raises(BadInput, match="no number"):
        Limits.from_json({"recall": "high"})


def test_what_a_gate_asks_less_of_than_usual_is_named():
    usual = Limits()
    assert Limits(precision=0.99, false_rejects=0.01).looser_than(usual) == []
    assert Limits(recall=0.8).looser_than(usual) == ["recall of 0.8, not 0.93"]
    assert Limits(class_recall={}).looser_than(usual) == ["CRACK recall of 0.93, not 0.99"]
    assert Limits(joint=0.2).looser_than(usual) == ["joint of 0.2, not 0.05"]

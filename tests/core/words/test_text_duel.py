"""Two text models compared while people look after every sentence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.words.text_duel import duel


def outcomes(rng, n, first_only, second_only):
    """Sentences of which these shares are right for one model only."""
    drawn = rng.random(n)
    return [(bool(u < first_only), bool(first_only <= u < first_only + second_only)) for u in drawn]


def test_nothing_seen_tells_nothing():
    found = duel([])
    assert (found.better, found.p_value, found.low, found.high) == ("", 1.0, 0.0, 1.0)
    assert duel([(True, True), (False, False)] * 50).better == ""


def test_the_better_one_is_named_whichever_side_it_is_on():
    clear = [(False, True)] * 30 + [(True, False)] * 2
    assert duel(clear).better == "second"
    assert duel([(b, a) for a, b in clear]).better == "first"
    assert duel(clear).p_value < 0.001


def test_looking_after_every_sentence_errs_no_more_often_than_was_said():
    rng = np.random.default_rng(11)
    wrong = sum(duel(outcomes(rng, 800, 0.15, 0.15)).better != "" for _ in range(400))
    assert wrong <= 30  # 5% of 400 are 20; more than 30 has chance 0.9% even where the error is exactly 5%


def test_the_interval_holds_at_every_moment_for_an_unequal_pair():
    rng = np.random.default_rng(12)
    missed = 0
    for _ in range(300):
        found = duel(outcomes(rng, 500, 0.10, 0.20))  # the interval is the narrowest of all moments so far
        missed += not found.low <= 2 / 3 <= found.high
    assert missed <= 24


def test_a_real_difference_is_found_within_a_few_hundred_sentences():
    rng = np.random.default_rng(13)
    found = [duel(outcomes(rng, 600, 0.03, 0.12)).better for _ in range(60)]
    assert found.count("second") >= 55
    assert "first" not in found


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_the_two_sides_are_alike_and_more_evidence_never_widens(seen):
    here, there = duel(seen), duel([(b, a) for a, b in seen])
    assert here.p_value == pytest.approx(there.p_value)
    assert here.low == pytest.approx(1 - there.high, abs=1e-9)
    before = duel(seen[:-1])
    assert here.low >= before.low
    assert here.high <= before.high
    assert here.low <= here.high or here.p_value < 1


def test_an_impossible_chance_is_refused():
    with pytest.raises(ValueError, match="no chance"):
        duel([], alpha=1.0)

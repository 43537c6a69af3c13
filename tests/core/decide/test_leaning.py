import pytest

from core.decide.leaning import CHIPS, chips_for, leaning, overrides
from core.records import Outcome, Verdict


@pytest.mark.parametrize(
    ("outcome", "score", "band", "expected"),
    [
        (Outcome.PASS, 0.9, (0.2, 0.8), Verdict.PASS),
        (Outcome.FAIL, 0.1, (0.2, 0.8), Verdict.FAIL),
        (Outcome.HOLD, 0.5, (0.2, 0.8), Verdict.FAIL),
        (Outcome.HOLD, 0.49, (0.2, 0.8), Verdict.PASS),
        (Outcome.HOLD, 0.49, (0.2, 0.4), Verdict.FAIL),
        (Outcome.HOLD, 0.49, None, Verdict.PASS),
        (Outcome.HOLD, None, (0.2, 0.8), None),
        (None, 0.7, None, None),
    ],
)
def test_a_held_part_leans_to_the_nearer_end_of_its_band(outcome, score, band, expected):
    assert leaning(outcome, score, band) is expected


def test_rework_against_pass_is_an_override_and_unsure_never_is():
    assert overrides(Verdict.REWORK, Verdict.PASS)
    assert overrides(Verdict.PASS, Verdict.FAIL)
    assert not overrides(Verdict.REWORK, Verdict.FAIL)
    assert not any(overrides(Verdict.UNSURE, one) for one in (Verdict.PASS, Verdict.FAIL, None))
    assert not overrides(Verdict.FAIL, None)


def test_no_answer_offers_more_than_six_reasons():
    assert all(0 < len(chips) <= 6 for chips in CHIPS.values())
    assert chips_for(Verdict.REWORK) == CHIPS[Verdict.FAIL]

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decide.policy import Policy, approve, provisional, widened
from core.errors import BadInput, NotAllowed
from core.records import Outcome, Route

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_an_old_policys_confidence_under_eighty_percent_is_the_band_from_20_to_80():
    assert widened(0.5, 0.5, 0.8) == (0.2, 0.8)


def test_an_old_policys_confidence_never_narrows_the_band():
    assert widened(0.1, 0.95, 0.8) == (0.1, 0.95)


def test_a_minimum_confidence_is_no_second_band():
    assert Policy(1, "lyon", 0.1, 0.6, minimum_confidence=0.8).band == (0.1, 0.6)


@pytest.mark.parametrize(
    ("score", "outcome"),
    [(0.0, Outcome.PASS), (0.1999, Outcome.PASS), (0.2, Outcome.HOLD), (0.8, Outcome.HOLD), (0.8001, Outcome.FAIL)],
)
def test_the_edges_of_the_band_are_held(score: float, outcome: Outcome):
    assert Policy(1, "lyon", 0.2, 0.8).sort(score) is outcome


@given(st.floats(0, 1))
def test_zero_passes_nothing_and_one_fails_nothing(score: float):
    assert Policy(1, "lyon", 0.0, 1.0).sort(score) is Outcome.HOLD


def test_a_site_without_a_policy_sorts_by_40_and_65_and_that_is_never_approved():
    rule = provisional("lyon")
    assert (rule.pass_below, rule.fail_above, rule.approved) == (0.40, 0.65, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pass_below": 0.8, "fail_above": 0.2},
        {"pass_below": -0.1},
        {"fail_above": 1.1},
        {"pass_below": float("nan")},
        {"audit_pass": 2.0},
        {"audit_fail": float("inf")},
        {"minimum_confidence": 0.0},
        {"minimum_confidence": 1.1},
        {"ends": True},
        {"novelty_limit": 0.0},
        {"novelty_limit": float("nan")},
        {"fail_route": Route.SHIP},
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(wrong: dict[str, float]):
    with pytest.raises(BadInput):
        Policy(**{"number": 1, "site": "lyon", "pass_below": 0.2, "fail_above": 0.8, **wrong})  # type: ignore[arg-type]


def test_nobody_approves_their_own_policy():
    proposed = Policy(1, "lyon", 0.2, 0.8, proposed_by="ada")
    with pytest.raises(NotAllowed):
        approve(proposed, "ada", "looks right", NOW)


def test_a_second_person_approves_with_a_reason_and_only_once():
    approved = approve(Policy(1, "lyon", 0.2, 0.8, proposed_by="ada"), "grace", " 412 parts, no miss ", NOW)
    assert (approved.approved_by, approved.approval, approved.approved_at) == ("grace", "412 parts, no miss", NOW)
    with pytest.raises(BadInput, match="approved already"):
        approve(approved, "linus", "again", NOW)


@pytest.mark.parametrize(("by", "reason"), [("grace", " "), (" ", "fine")])
def test_an_approval_needs_a_name_and_a_reason(by: str, reason: str):
    with pytest.raises(BadInput):
        approve(Policy(1, "lyon", 0.2, 0.8, proposed_by="ada"), by, reason, NOW)

"""How many audits a claim needs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.audits.planner import audits_needed, plan, sentence, share_needed
from core.errors import BadInput
from core.learn.metrics.proportions import proportion_interval


def test_one_percent_at_ninety_five_takes_299_clean_audits():
    assert audits_needed(0.01) == 299
    assert sentence(plan(0.01, 299 / 9)) == (
        "To show a miss rate under 1% at 95% you need 299 clean audits of defective items; at the present rate that is "
        "9 days."
    )


@settings(deadline=None)  # a busy machine may take its time
@given(st.floats(0.002, 0.5), st.floats(0.5, 0.999), st.integers(0, 6))
def test_the_number_is_the_first_whose_exact_bound_is_low_enough(limit, confidence, misses):
    needed = audits_needed(limit, confidence, misses)
    assert proportion_interval(misses, needed, 2 * confidence - 1).high <= limit + 1e-9
    if needed - 1 >= max(misses, 1):
        assert proportion_interval(misses, needed - 1, 2 * confidence - 1).high > limit - 1e-9


def test_eyes_that_overlook_some_need_more():
    assert audits_needed(0.01, sensitivity=0.9) == 332


def test_a_plan_without_audits_has_no_date():
    found = plan(0.01, 0.0)
    assert found.days is None
    assert sentence(found).endswith("because none come in.")


def test_a_plan_that_allows_a_miss_says_so():
    assert "473 audits of defective items with at most 1 missed" in sentence(plan(0.01, 100, misses=1))


def test_the_share_to_audit_follows_from_the_time_that_there_is():
    assert share_needed(0.01, 9, 299 / 9 / 0.02) == pytest.approx(0.02)
    assert share_needed(0.01, 1, 10) is None


@pytest.mark.parametrize(
    "wrong", [(0.0, 0.95, 0, 1.0), (0.01, 1.0, 0, 1.0), (0.01, 0.95, -1, 1.0), (0.01, 0.95, 0, 0.0)]
)
def test_what_cannot_be_meant_is_refused(wrong):
    with pytest.raises(BadInput):
        audits_needed(*wrong)

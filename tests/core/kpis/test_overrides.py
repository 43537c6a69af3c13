from datetime import date, timedelta

import pytest

from core.kpis.overrides import PatternAction, action_of, patterns

MONDAY = date(2026, 1, 5)
WEEKS = [MONDAY + timedelta(weeks=week) for week in range(13)]


def row(week, model, inspector, count):
    return {"week": week, "model_said": model, "inspector_said": inspector, "count": count}


def test_a_defect_that_the_model_did_not_see_is_a_case():
    assert action_of("PASS", "FAIL") is PatternAction.CASE


def test_another_class_feeds_the_labelling_queue():
    assert action_of("SCRATCH", "PIT") is PatternAction.LABELLING


def test_a_false_alarm_is_tracked():
    assert action_of("FAIL", "PASS") is PatternAction.TRACKED


def test_a_pattern_that_grows_is_seen_and_a_level_one_is_not():
    answers = dict.fromkeys(WEEKS, 100)
    rows = [row(week, "SCRATCH", "PIT", 2 + place) for place, week in enumerate(WEEKS)]
    rows += [row(week, "FAIL", "PASS", 5 + place % 2) for place, week in enumerate(WEEKS)]
    rising, level = patterns(rows, answers, WEEKS[-1] + timedelta(weeks=1))
    assert (rising.model_said, rising.inspector_said, rising.count) == ("SCRATCH", "PIT", 104)
    assert rising.trend is not None
    assert rising.trend.slope == pytest.approx(0.01)
    assert rising.p_adjusted < 0.01
    assert level.p_adjusted > 0.2


def test_a_week_that_is_not_over_makes_no_trend():
    answers = dict.fromkeys(WEEKS, 100)
    rows = [row(week, "FAIL", "PASS", 5) for week in WEEKS]
    (found,) = patterns(rows, answers, WEEKS[-1] + timedelta(days=2))
    assert found.trend is not None
    assert found.trend.periods == 12


def test_a_week_with_answers_and_none_of_the_pattern_counts_as_nought():
    answers = dict.fromkeys(WEEKS, 50)
    (found,) = patterns([row(WEEKS[0], "PASS", "FAIL", 10)], answers, WEEKS[-1] + timedelta(weeks=1))
    assert found.trend is not None
    assert found.trend.periods == 12  # whole weeks in ninety days
    assert found.trend.slope == 0


def test_only_the_last_ninety_days_make_the_trend():
    answers = {MONDAY - timedelta(weeks=week): 100 for week in range(40)}
    (found,) = patterns([row(MONDAY, "PASS", "FAIL", 1)], answers, MONDAY + timedelta(weeks=1))
    assert found.trend is not None
    assert found.trend.periods == 12

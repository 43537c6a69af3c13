from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.decide.decision import PartEvidence, PartPicture, SiteRules, decide
from core.decide.optimum import Prices
from core.decide.policy import ClassRule, Policy
from core.decide.rates import curves, grid
from core.decide.replay import PastPart, past, replay
from core.decide.staffing import Staffing
from core.pictures.quality import QualityLimits
from core.records import ImageState, Outcome, Prediction, Quality

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
FINE = Quality(500.0, 0.5, 0.2, 0.0, 0.0)
BASE = Policy(3, "Lyon", 0.2, 0.8)


def picture(score, number=1, quality=FINE, state=ImageState.OK, classes=None, novelty=None):
    said = Prediction("net", score, classes or {"CRACK": 0.9}, novelty=novelty)
    return PartPicture(number, state, quality=quality, prediction=said)


def part(number, score, was=Outcome.PASS, defective=None, hours=0.0, **more):
    about = {name: more.pop(name) for name in ("quality", "state", "classes", "novelty") if name in more}
    return PastPart(number, NOW + timedelta(hours=hours), PartEvidence((picture(score, number, **about),)), was, score,
                    defective=defective, **more)  # fmt: skip


PICTURES = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from([FINE, replace(FINE, flags=("blurry",))]),
        st.sampled_from([ImageState.OK, ImageState.QUARANTINED]),
        st.floats(0, 1),
        st.sampled_from([None, 0.5, 1.5]),
    ),
    max_size=12,
)
POLICIES = st.sampled_from(
    [
        BASE,
        replace(BASE, minimum_confidence=0.6),
        replace(BASE, novelty_limit=0.7),
        replace(BASE, quality_limits=QualityLimits()),
        replace(BASE, classes={"CRACK": ClassRule(pass_below=0.1, fail_above=0.3)}),
        replace(BASE, classes={"CRACK": ClassRule(fail_above=0.2)}, minimum_confidence=0.7),
    ]
)


@settings(max_examples=80, deadline=None)
@given(PICTURES, POLICIES, st.floats(0, 1), st.floats(0, 1))
def test_three_decisions_of_a_part_tell_what_every_pair_of_thresholds_makes_of_it(pictures, policy, one, other):
    low, high = min(one, other), max(one, other)
    parts = [
        part(n, score, quality=quality, state=state, classes={"CRACK": share}, novelty=novelty)
        for n, (score, quality, state, share, novelty) in enumerate(pictures)
    ]
    approved = replace(policy, pass_below=low, fail_above=high, approved_by="Quentin")
    told = past(parts, policy).decided(low, high).tolist()
    asked = [decide(p.evidence, SiteRules(approved, True)).outcome for p in parts]
    assert [(Outcome.PASS, Outcome.HOLD, Outcome.FAIL)[code] for code in told] == asked
    again = replay(parts, replace(policy, pass_below=low, fail_above=high))
    assert [again.would[one] for one in Outcome] == [asked.count(one) for one in Outcome]


def test_a_part_that_another_reason_holds_is_never_missed_however_loose_the_threshold():
    parts = [part(1, 0.01, state=ImageState.QUARANTINED), part(2, 0.01)]
    found = past(parts, BASE)
    assert found.passable.tolist() == [False, True]
    assert found.passing_scores.tolist() == [1.0, 0.01]


def test_what_would_change_is_listed_newest_first():
    parts = [part(1, 0.1), part(2, 0.3, Outcome.HOLD, hours=1), part(3, 0.95, Outcome.FAIL, hours=2)]
    again = replay(parts, replace(BASE, pass_below=0.4, fail_above=0.97))
    assert again.changed == ((3, Outcome.FAIL, Outcome.HOLD), (2, Outcome.HOLD, Outcome.PASS))
    assert again.was == {Outcome.PASS: 1, Outcome.HOLD: 1, Outcome.FAIL: 1}
    assert again.would == {Outcome.PASS: 2, Outcome.HOLD: 1, Outcome.FAIL: 0}


def test_held_per_hour_counts_the_hours_in_which_parts_came():
    parts = [part(n, 0.5, Outcome.HOLD, hours=h) for n, h in enumerate((0, 0.2, 0.4, 30))]
    again = replay(parts, replace(BASE, pass_below=0.6))
    assert again.held_per_hour == (2.0, 0.0)


def test_misses_that_audits_found_and_this_setting_would_have_held_are_counted():
    parts = [
        part(1, 0.15, defective=True, audited=True, probability=0.1),
        part(2, 0.05, defective=True, audited=True, probability=0.1),
        part(3, 0.15, defective=False, audited=True, probability=0.1),
        part(4, 0.15, defective=True),  # nobody drew it
        part(5, 0.5, Outcome.HOLD, defective=True, probability=1.0),
    ]
    stricter = replay(parts, replace(BASE, pass_below=0.1))
    assert (stricter.misses, stricter.misses_held, stricter.new_misses) == (2, 1, 0)
    assert replay(parts, replace(BASE, pass_below=0.6)).new_misses == 1


def test_cost_counts_an_audited_miss_for_those_that_were_not_looked_at():
    parts = [part(1, 0.15, defective=True, audited=True, probability=0.1), part(2, 0.5, Outcome.HOLD)]
    again = replay(parts, replace(BASE, pass_below=0.1), prices=Prices(100, 10, 1))
    assert again.cost == (1001.0, 2.0)


def test_the_policy_of_a_part_type_still_decides_its_parts():
    narrow = replace(BASE, number=4, part_type="bracket", pass_below=0.0, approved_by="Quentin")
    parts = [part(1, 0.1, part_type="bracket"), part(2, 0.1, part_type="housing")]
    again = replay(parts, replace(BASE, pass_below=0.3), [BASE, narrow])
    assert again.would[Outcome.HOLD] == again.would[Outcome.PASS] == 1


def test_a_part_whose_pictures_come_from_two_lines_meets_the_stricter_policy():
    strict = replace(BASE, number=4, line="B", pass_below=0.0, approved_by="Quentin")
    parts = [part(1, 0.1, lines=("A", "B"))]
    assert replay(parts, replace(BASE, pass_below=0.3), [strict]).would[Outcome.HOLD] == 1


def test_an_uncalibrated_site_passes_nothing_whatever_the_thresholds():
    assert (
        replay([part(1, 0.01)], replace(BASE, pass_below=0.9, fail_above=0.95), calibrated=False).would[Outcome.HOLD]
        == 1
    )


def test_no_parts_are_no_change():
    again = replay([], BASE, prices=Prices(1, 1, 1))
    assert (again.parts, again.changed, again.held_per_hour, again.cost) == (0, (), (0.0, 0.0), (0.0, 0.0))


@pytest.fixture
def year(rng):
    scores = rng.random(400)
    bad = rng.random(400) < scores**2
    parts = []
    for n, (score, defective) in enumerate(zip(scores, bad, strict=True)):
        was = BASE.sort(float(score))
        drawn = was is Outcome.HOLD or rng.random() < 0.4
        known = {"defective": bool(defective), "probability": 1.0 if was is Outcome.HOLD else 0.4} if drawn else {}
        parts.append(part(n, float(score), was, **known))
    return past(parts, BASE), scores, bad


def test_curves_lie_within_their_intervals_and_run_the_right_way(year):
    found, scores, _ = year
    at = grid(found, 60, 0.2, 0.8)
    made = curves(found, at, 0.8, Prices(100, 10, 1), Staffing(100, 45))
    for curve in made.values():
        there = ~np.isnan(curve.value)
        assert np.all(curve.low[there] <= curve.value[there] + 1e-12)
        assert np.all(curve.value[there] <= curve.high[there] + 1e-12)
    assert np.all(np.diff(made["recall"].value) <= 0)
    assert np.all(np.diff(made["false rejects"].value) <= 0)
    held = made["hold"].at(0.2)[0]
    assert held == pytest.approx(np.mean((scores >= 0.2) & (scores <= 0.8)))
    assert made["inspector-hours per shift"].at(0.2)[0] == pytest.approx(held * 100 * 8 * 45 / 3600)


def test_a_weighted_recall_is_near_the_truth_that_counting_alone_would_miss(year):
    found, scores, bad = year
    made = curves(found, np.array([0.3]), 0.8, Prices(100, 10, 1), Staffing(100, 45))
    value, low, high = made["recall"].at(0.3)
    assert low <= np.mean(scores[bad] >= 0.3) <= high
    assert value < 1


def test_nothing_known_is_drawn_as_nothing_known():
    made = curves(past([], BASE), np.array([0.1, 0.5]), 0.8, Prices(1, 1, 1), Staffing(0, 45))
    assert np.isnan(made["recall"].value).all()
    assert made["recall"].high.tolist() == [1, 1]

"""What a site's thresholds do and cost, of parts as a replay takes them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.jobs.quality import thresholds as job
from core.decide.attendance import Attendance, Rates, parse_hours
from core.decide.decision import PartEvidence, PartPicture
from core.decide.optimum import Prices
from core.decide.policy import Costs, Policy
from core.decide.replay import PastPart, past
from core.decide.staffing import Staffing
from core.records import ImageState, Outcome, Prediction, Quality, Severity

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
FINE = Quality(500.0, 0.5, 0.2, 0.0, 0.0)
BASE = Policy(3, "Lyon", 0.2, 0.8)
PRICES = Prices(100, 10, 1)


def part(number, score, defective=None, probability=None, state=ImageState.OK):
    seen = PartPicture(number, state, quality=FINE, prediction=Prediction("net", score, {"CRACK": 0.9}))
    was = BASE.sort(score)
    return PastPart(number, NOW + timedelta(minutes=number), PartEvidence((seen,)), was, score, defective=defective,
                    probability=probability, audited=was is not Outcome.HOLD)  # fmt: skip


@pytest.fixture
def found():
    """A thousand parts; passes and fails are audited at a fifth, every held one is answered."""
    rng = np.random.default_rng(5)
    parts = []
    for number, score in enumerate(rng.random(1000)):
        share = 1.0 if BASE.sort(score) is Outcome.HOLD else 0.2
        known = {"defective": bool(rng.random() < score**2), "probability": share} if rng.random() < share else {}
        parts.append(part(number, float(score), **known))
    return past(parts, BASE)


def test_a_band_is_counted_among_all_parts_and_its_misses_among_the_audited(found):
    made = job.effect(found, 0.2, 0.8, PRICES)
    assert made.passed == pytest.approx(0.2, abs=0.05)
    assert made.passed + made.held + made.failed == pytest.approx(1)
    assert made.missed + made.cleared == pytest.approx(200, rel=0.3)  # each audited pass stands for five
    assert made.miss_rate == pytest.approx(0.2**3 / 1.0, abs=0.03)  # a third of all parts is defective
    assert made.cost > made.held


def test_nothing_known_has_no_cost_and_no_rate():
    made = job.effect(past([part(1, 0.1)], BASE), 0.2, 0.8, PRICES)
    assert (made.cost, made.miss_rate, made.passed) == (None, None, 1.0)
    assert job.best_band(past([part(1, 0.1)], BASE), PRICES, Staffing(10, 45)) is None
    assert job.best_f2(past([part(1, 0.1)], BASE)) is None
    assert job.miss_bound(past([part(1, 0.1)], BASE), 0.2, 0.95) == 1.0


def test_the_best_band_costs_no_more_than_any_other_that_can_be_carried(found):
    staffing = Staffing(600, 30, inspectors=1, hours=8, running_hours=16)
    best = job.best_band(found, PRICES, staffing)
    assert best.held <= staffing.capacity + 1e-9
    for low in np.linspace(0, 1, 21):
        for high in np.linspace(low, 1, 11):
            other = job.effect(found, float(low), float(high), PRICES)
            if other.held <= staffing.capacity:
                assert best.cost <= other.cost + 1e-9
    assert best.cost == pytest.approx(job.effect(found, best.pass_below, best.fail_above, PRICES).cost)


def test_parts_that_another_reason_holds_take_their_share_of_the_looks_first(found):
    broken = [part(n, 0.1, state=ImageState.QUARANTINED) for n in range(2000, 2500)]
    good = [part(n, n / 1000, defective=n > 900, probability=1.0) for n in range(1, 1000)]
    staffing = Staffing(600, 30, inspectors=2, hours=8, running_hours=16)  # a fifth of the parts
    best = job.best_band(past([*good, *broken], BASE), PRICES, staffing)
    assert best.held == pytest.approx(500 / 1499)  # more than can be carried, and none of them by choice


def test_the_guarantee_counts_every_other_reason_for_hold():
    low = [part(n, 0.01, defective=True, probability=1.0, state=ImageState.QUARANTINED) for n in range(50)]
    high = [part(n, 0.5 + n / 2000, defective=True, probability=1.0) for n in range(100, 500)]
    good = [part(n, 0.1, defective=False, probability=1.0) for n in range(1000, 1100)]
    held = job.promise(past([*low, *high, *good], BASE), 0.01, 0.95)
    passed = job.promise(past([*(replace(one, evidence=part(1, 0.01).evidence) for one in low), *high, *good], BASE),
                         0.01, 0.95)  # fmt: skip
    assert (held.status, passed.status) == ("met", "impossible")


def test_typed_figures_are_assumptions_until_the_store_has_measured_them():
    rates = Rates(days=20, parts=4000, hours=160, held=400, answers=3, seconds_per_part=9.0)
    typed = Attendance(parse_hours("Mon-Fri 06:00-14:00"), 2, 45)
    staffing, assumed = job.staffing_of(typed, rates)
    assert (staffing.seconds_per_look, assumed, staffing.inspectors) == (45, True, 2)
    assert staffing.parts_per_hour == 25
    assert staffing.hours == pytest.approx(40 / 7)
    measured, assumed = job.staffing_of(typed, replace(rates, answers=100))
    assert (measured.seconds_per_look, assumed) == (9.0, False)
    nobody, assumed = job.staffing_of(None, Rates(0, 0, 0, 0, 0, None))
    assert (nobody.seconds_per_look, nobody.parts_per_hour, assumed) == (job.ASSUMED_SECONDS, 0, True)


def test_prices_are_those_of_the_policy_and_said_to_be_assumed_where_it_has_none():
    costs = Costs({Severity.MINOR: 50, Severity.CRITICAL: 900}, {Severity.MINOR: 5}, 36.0)
    assert job.prices_of(costs, 45.0) == (Prices(900, 5, 0.45), False)
    prices, assumed = job.prices_of(replace(costs, inspector_hour=None), 45.0)
    assert (prices.look, assumed) == (job.ASSUMED_PRICES.look, True)
    assert job.prices_of(None, 45.0) == (job.ASSUMED_PRICES, True)

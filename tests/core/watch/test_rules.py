"""Rules: what they say, what may be entered, and what counts as looser."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.watch.alarms import sentence
from core.watch.facts import Figure
from core.watch.rules import DEFAULTS, MEANING, RuleKind, Step, looser, spoken_limit, stated_rate

MISSES = DEFAULTS[RuleKind.MISSES]


def test_the_rules_that_come_with_holdpoint_are_those_that_were_asked_for():
    found = {kind: spoken_limit(kind, rule.limit) for kind, rule in DEFAULTS.items()}
    assert found[RuleKind.FALSE_REJECTS] == "5%"
    assert found[RuleKind.MISSES] == "1%"
    assert found[RuleKind.THROUGHPUT] == "20"
    assert found[RuleKind.LATENCY] == "200 ms"
    assert found[RuleKind.OVERRIDES] == "10%"
    assert found[RuleKind.CONFIDENCE] == "85%"
    assert found[RuleKind.AVAILABILITY] == "99.9%"
    assert set(found) == set(RuleKind) == set(MEANING)
    assert MISSES.pauses


@pytest.mark.parametrize("kind", RuleKind)
def test_every_rule_says_its_limit_in_a_sentence(kind):
    rule = DEFAULTS[kind]
    assert spoken_limit(kind, rule.limit) in rule.sentence
    assert "{" not in rule.sentence


@pytest.mark.parametrize("changes", [
    {"limit": 0.0}, {"limit": -1.0}, {"limit": float("nan")}, {"limit": 1.0}, {"rate": 0.0}, {"rate": 11.0},
    {"steps": (Step.PAUSE, Step.PAUSE)},
])  # fmt: skip
def test_what_could_not_be_meant_is_refused(changes):
    with pytest.raises(BadInput):
        replace(MISSES, **changes)


@given(st.floats(0.001, 0.5), st.floats(0.001, 0.5))
def test_of_two_limits_one_is_looser_and_never_both(one, other):
    a, b = replace(MISSES, limit=one), replace(MISSES, limit=other)
    assert bool(looser(a, b)) == (other > one)
    assert not (looser(a, b) and looser(b, a))


def test_a_limit_from_below_is_looser_the_lower_it_is():
    rule = DEFAULTS[RuleKind.THROUGHPUT]
    assert "limit to 10" in looser(rule, replace(rule, limit=10.0))
    assert looser(rule, replace(rule, limit=30.0)) == ""


def test_what_protects_less_is_named():
    assert "switches the rule off" in looser(MISSES, replace(MISSES, on=False))
    assert "more evidence" in looser(MISSES, replace(MISSES, rate=0.01))
    assert "pause auto-PASS" in looser(MISSES, replace(MISSES, steps=(Step.NOTIFY,)))
    assert looser(replace(MISSES, on=False), replace(MISSES, limit=0.5)) == ""
    with pytest.raises(BadInput):
        looser(MISSES, DEFAULTS[RuleKind.DRIFT])


def test_the_stated_rate_is_the_sum_over_rules_that_pause():
    assert stated_rate(DEFAULTS) == pytest.approx(0.05)
    drift = DEFAULTS[RuleKind.DRIFT]
    more = {**DEFAULTS, RuleKind.DRIFT: replace(drift, steps=(*drift.steps, Step.PAUSE), rate=0.1)}
    assert stated_rate(more) == pytest.approx(0.15)
    assert stated_rate({**more, RuleKind.DRIFT: replace(more[RuleKind.DRIFT], on=False)}) == pytest.approx(0.05)


def test_an_alarm_says_figure_interval_and_number():
    figure = Figure(RuleKind.MISSES, "", 0.021, 0.012, 0.034, 640, None, 1.0, True)
    assert sentence(figure, MISSES) == "More than 1% of the defective parts pass: 2.1% (1.2% to 3.4%) of 640."
    slow = Figure(RuleKind.THROUGHPUT, "line B", 12.0, None, None, 0, None, 1.0, True)
    assert sentence(slow, DEFAULTS[RuleKind.THROUGHPUT]).endswith("(line line B): 12 a minute.")

"""Audits by score: which share a part is drawn with, and what one person alone may change of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decide.audit_steps import AuditStep, audits_less, parse_steps, steps_in_words
from core.decide.policy import Policy
from core.decide.tighter import looser
from core.errors import BadInput
from core.records import Outcome

STEPS = parse_steps("pass .10-.30: 25%, fail .70-1: .5")
POLICY = Policy(1, "Lyon", 0.3, 0.7, audit_pass=0.05, audit_fail=0.1, audit_steps=STEPS, approved_by="x")


@pytest.mark.parametrize(
    ("outcome", "score", "share"),
    [
        (Outcome.PASS, 0.05, 0.05),
        (Outcome.PASS, 0.10, 0.25),
        (Outcome.PASS, 0.2999, 0.25),
        (Outcome.PASS, 0.30, 0.05),
        (Outcome.FAIL, 0.65, 0.1),
        (Outcome.FAIL, 1.0, 0.5),
        (Outcome.PASS, None, 0.05),
        (Outcome.HOLD, 0.2, 0.0),
    ],
)
def test_a_part_is_drawn_with_the_share_of_its_score(outcome: Outcome, score: float | None, share: float):
    assert POLICY.audit_share(outcome, score) == share


def test_every_part_keeps_a_chance():
    with pytest.raises(BadInput, match="never"):
        replace(POLICY, audit_pass=0.0)
    with pytest.raises(BadInput, match="above 0"):
        AuditStep(Outcome.PASS, 0.1, 0.2, 0.0)


@pytest.mark.parametrize(
    "text", ["pass .1-.3", "hold .1-.3: 10%", "pass .3-.1: 10%", "pass .1-.3: 200%", "pass .1-.3: 10%, pass .2-.4: 20%"]
)
def test_what_cannot_be_meant_is_refused(text: str):
    with pytest.raises(BadInput):
        replace(POLICY, audit_steps=parse_steps(text))


def test_a_stratum_that_is_looked_at_less_takes_a_second_person():
    more = replace(POLICY, audit_steps=parse_steps("pass .05-.30: 25%, fail .70-1: .5"))
    assert looser(more, POLICY) == []
    for text in ("pass .20-.30: 25%, fail .70-1: .5", "pass .10-.30: 24%, fail .70-1: .5", ""):
        less = replace(POLICY, audit_steps=parse_steps(text))
        assert looser(less, POLICY) == ["fewer decided parts are audited"], text


@st.composite
def steps(draw: st.DrawFn) -> tuple[AuditStep, ...]:
    edges = sorted(draw(st.sets(st.integers(0, 100), max_size=6)))
    shares = st.integers(1, 1000)
    return tuple(
        AuditStep(Outcome.PASS, low / 100, high / 100, draw(shares) / 1000)
        for low, high in zip(edges[::2], edges[1::2], strict=False)
    )


@given(steps())
def test_strata_are_read_as_they_are_written(some: tuple[AuditStep, ...]):
    assert parse_steps(steps_in_words(some)) == some


@given(steps(), steps(), st.integers(1, 100), st.integers(1, 100))
def test_less_is_less_at_some_score_and_never_elsewhere(one, other, base, other_base):
    scores = [k / 1000 for k in range(1001)]
    new = Policy(0, "x", 1, 1, audit_pass=base / 100, audit_steps=one)
    old = Policy(0, "x", 1, 1, audit_pass=other_base / 100, audit_steps=other)
    seen = any(new.audit_share(Outcome.PASS, s) < old.audit_share(Outcome.PASS, s) for s in scores)
    assert audits_less(one, base / 100, other, other_base / 100, Outcome.PASS) == seen

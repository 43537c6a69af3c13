"""Urgency: risk, age and novelty in one order that time does not change."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decide.urgency import AGE, NOVELTY, RISK, RULE, explain, points, rank, urgency, urgency_at

START = datetime(2026, 1, 1, tzinfo=UTC)
maybe_share = st.none() | st.floats(0, 1)
moments = st.integers(0, 10 * 365 * 86400).map(lambda seconds: START + timedelta(seconds=seconds))
tasks = st.tuples(maybe_share, maybe_share, moments)


@given(tasks, tasks, moments)
def test_rank_orders_as_urgency_does_at_any_time(one, other, now) -> None:
    at = [urgency(risk, (now - created).total_seconds(), novelty) for risk, novelty, created in (one, other)]
    places = [rank(risk, novelty, created) for risk, novelty, created in (one, other)]
    if abs(at[0] - at[1]) > 1e-6:
        assert (at[0] > at[1]) == (places[0] < places[1])


@given(tasks, moments)
def test_a_rank_gives_its_urgency_back(task, now) -> None:
    risk, novelty, created = task
    expected = urgency(risk, (now - created).total_seconds(), novelty)
    assert urgency_at(rank(risk, novelty, created), now) == pytest.approx(expected, abs=1e-6)


@given(st.floats(0, 1), st.floats(0, 1), maybe_share, st.floats(0, 1e6))
def test_more_risk_and_more_waiting_are_never_less_urgent(low, high, novelty, age) -> None:
    low, high = sorted((low, high))
    assert urgency(low, age, novelty) <= urgency(high, age, novelty)
    assert urgency(low, age, novelty) <= urgency(low, age + 1, novelty)


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_an_unknown_risk_counts_as_even_odds(nothing) -> None:
    assert points(nothing, None) == points(0.5, None)


def test_nothing_waits_for_ever() -> None:
    assert urgency(0, 11 * 3600) > urgency(1, 0, 1)
    assert RISK + NOVELTY < 11 * AGE


def test_the_page_says_why() -> None:
    assert explain(0.61, 25 * 60) == "risk .61, waiting 25 min: urgency 0.66"
    assert (
        explain(None, 3 * 3600, 0.5) == "no score, counted as even odds, waiting 3 h 00 min, novelty 0.50: urgency 1.00"
    )
    assert "risk" in RULE
    assert "hour" in RULE

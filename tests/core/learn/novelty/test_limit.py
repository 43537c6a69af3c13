"""Where "resembles nothing known good" begins, and how often a good part is held for it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, ModelError
from core.learn.novelty.limit import as_score, by_part, held_out_parts, limit_of, needed_for, novelty, p_value


def test_a_rate_needs_as_many_good_parts_as_it_has_places():
    assert needed_for(0.05) == 19
    assert needed_for(0.01) == 99
    assert needed_for(0.5) == 1
    nineteen = limit_of(np.arange(1.0, 20.0), 0.05)
    assert (nineteen.distance, nineteen.rate, nineteen.more_needed) == (19.0, 0.05, 0)
    assert "At most 5.0%" in nineteen.sentence


def test_too_few_good_parts_are_said_and_the_farthest_is_the_limit():
    few = limit_of(np.array([3.0, 1.0, 2.0]), 0.05)
    assert (few.distance, few.rate, few.more_needed) == (3.0, 0.25, 16)
    assert "Too few good parts" in few.sentence
    assert "25.0%" in few.sentence


def test_more_parts_keep_the_rate_with_a_closer_limit():
    ordered = np.arange(1.0, 100.0)  # 99 parts: five of a hundred places may lie above
    assert limit_of(ordered, 0.05).distance == 95.0
    assert limit_of(ordered, 0.05).rate == 0.05


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.floats(0.001, 0.999))
def test_the_rate_that_is_kept_is_the_one_asked_for_or_too_few_is_said(values, rate):
    found = limit_of(np.array(values), rate)
    assert found.rate <= rate + 1e-9 or found.more_needed > 0
    above = sum(value > found.distance for value in values)
    assert (above + 1) / (len(values) + 1) <= found.rate + 1e-12


@pytest.mark.parametrize(("parts", "rate"), [(19, 0.05), (40, 0.05), (99, 0.1), (30, 0.2)])
def test_good_parts_are_held_as_rarely_as_was_promised(parts, rate):
    """4,000 plants, each with a limit of its own and one further good part; distances of a heavy-tailed kind."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(4000):
        lies = rng.lognormal(0, 1.5, parts + 1)
        held += lies[-1] > limit_of(lies[:-1], rate).distance
    spread = 4 * math.sqrt(rate * (1 - rate) / 4000)
    assert held / 4000 <= rate + spread
    assert held / 4000 >= 0.4 * rate  # and the limit is not simply far away


def test_pictures_of_one_part_count_once_by_the_farthest():
    assert by_part([1.0, 5.0, 2.0, 0.5], ["a", "a", "b", "c"]).tolist() == [0.5, 2.0, 5.0]


def test_parts_with_many_alike_pictures_are_held_as_rarely_as_others():
    """Six pictures of a part move together: counted one by one, the promise would be broken."""
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(2000):
        own = rng.normal(0, 1, 20)
        lies = np.exp(own[:, None] + rng.normal(0, 0.1, (20, 6)))
        limit = limit_of(by_part(lies[:-1].ravel().tolist(), np.repeat(np.arange(19), 6).tolist()), 0.05)
        held += lies[-1].max() > limit.distance
    assert held / 2000 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 2000)


def test_good_parts_that_are_all_alike_leave_only_them_under_the_limit():
    limit = limit_of(np.zeros(30), 0.05)
    assert novelty(0.0, limit) == 0
    assert novelty(0.01, limit) > 1


@pytest.mark.parametrize("distance", [math.nan, math.inf, -1.0])
def test_a_distance_that_is_none_has_no_novelty(distance):
    with pytest.raises(ModelError):
        novelty(distance, limit_of(np.arange(30.0)))
    with pytest.raises(ModelError):
        by_part([1.0, distance], ["a", "b"])


def test_no_part_no_limit():
    with pytest.raises(BadInput):
        limit_of(np.array([]))
    with pytest.raises(BadInput):
        limit_of(np.array([1.0]), 0.0)
    with pytest.raises(BadInput, match="1 good part:"):
        held_out_parts(["a", "a", "a"], 0.05, np.random.default_rng(0))


@given(st.integers(2, 120), st.floats(0.01, 0.5))
def test_some_parts_are_held_out_and_at_least_half_are_remembered(parts, rate):
    names = [f"p{number % parts}" for number in range(parts * 2)]
    out = held_out_parts(names, rate, np.random.default_rng(1))
    assert 1 <= len(out) <= max(1, parts // 2)
    assert out < set(names)
    if parts >= 2 * needed_for(rate):
        assert len(out) >= needed_for(rate)


def test_a_p_value_is_small_where_good_parts_never_lie():
    seen = np.arange(1.0, 20.0)
    assert p_value(seen, 100.0) == 1 / 20
    assert p_value(seen, 0.0) == 1
    assert p_value(seen, 19.0) == 2 / 20


def test_as_a_score_novelty_keeps_its_order_and_never_reaches_one():
    values = [0.0, 0.5, 1.0, 3.0, 1e6]
    scores = [as_score(one) for one in values]
    assert scores == sorted(scores)
    assert scores[2] == 0.5
    assert 0 <= scores[0] < scores[-1] < 1

"""A site's own reading of scores: it never turns two of them round, and joining before or after gives the same."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decide.decision import join
from core.decide.score_map import ScoreMap, read_map
from core.errors import BadInput
from core.records import Prediction

# Within what has log-odds that can be told apart: from a billionth on, scores end.
maps = st.builds(ScoreMap, st.just("net"), st.floats(0.2, 2.5), st.floats(-4, 4))
scores = st.floats(0.01, 0.99)


@given(maps, scores, scores)
def test_two_scores_never_change_places(found: ScoreMap, one: float, other: float):
    if one < other:
        assert found.read(one) <= found.read(other)


@given(maps, scores)
def test_reading_can_be_undone(found: ScoreMap, score: float):
    assert found.unread(found.read(score)) == pytest.approx(score, abs=1e-6)


@given(maps, st.lists(st.tuples(st.sampled_from(["top", "side", None]), scores), min_size=1, max_size=6))
def test_joining_pictures_before_or_after_gives_the_same(found: ScoreMap, pictures):
    before = join((view, found.read(score)) for view, score in pictures)
    joined = join(pictures)
    assert joined is not None
    assert before == pytest.approx(found.read(joined), abs=1e-6)


@given(st.floats(0, 1))
def test_the_plain_reading_changes_nothing(score: float):
    assert ScoreMap("net").read(score) == pytest.approx(score, abs=1e-8)


def test_only_scores_of_its_own_model_are_read():
    found = ScoreMap("net", 2.0, 1.0)
    mine, other = (Prediction(name, 0.5, {}) for name in ("net", "older"))
    assert found.applied(mine).score == pytest.approx(1 / (1 + math.exp(-1)))
    assert found.applied(other) == other


@pytest.mark.parametrize(
    "document",
    ["net", [], {"model": "net"}, {"model": "net", "slope": "steep", "intercept": 0}, {"model": "net", "slope": -1,
     "intercept": 0}, {"model": "net", "slope": math.nan, "intercept": 0},
     {"model": "older", "slope": 1, "intercept": 0}],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(document):
    with pytest.raises(BadInput):
        read_map(document, "net")


def test_a_reading_comes_back_as_it_was_kept():
    found = ScoreMap("net", 1.5, -0.3)
    assert read_map(found.to_json(), "net") == found
    assert read_map(None, "net") is None

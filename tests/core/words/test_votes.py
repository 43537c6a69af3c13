"""Votes of labelling functions: order decides nothing, weights follow accuracy, ties go to a person."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.words.text import Span, tokens_of
from core.words.votes import (
    AMBIGUOUS,
    LIMIT,
    Ballot,
    Came,
    Record,
    ballot,
    decide,
    equal_weights,
    labelled,
    outcomes,
    records,
    standings,
    weights,
    words_of,
)

LABELS = ("line", "defect", "time")
NAMES = tuple("abcdefg")
VOTES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from((*LABELS, AMBIGUOUS))), unique_by=lambda v: v[0])
WEIGHTS = st.fixed_dictionaries(
    {
        (name, label): st.one_of(st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0]), st.floats(0, 8))
        for name in NAMES
        for label in LABELS
    }
)


@given(VOTES, WEIGHTS, st.randoms())
def test_the_order_of_voters_changes_nothing(votes, weigh, random):
    shuffled = list(votes)
    random.shuffle(shuffled)
    assert decide(shuffled, weigh) == decide(votes, weigh)


@given(st.lists(st.floats(0.05, 5), min_size=1, max_size=4), st.randoms())
def test_an_exact_tie_is_never_anybodys_label(sides, random):
    """The same weights on either side, in whatever order they are heard and added."""
    names = [f"f{at}" for at in range(2 * len(sides))]
    other = list(sides)
    random.shuffle(other)
    weigh = {(name, "line"): weight for name, weight in zip(names, sides, strict=False)}
    weigh |= {(name, "defect"): weight for name, weight in zip(names[len(sides) :], other, strict=True)}
    votes = [*((name, "line") for name in names[: len(sides)]), *((name, "defect") for name in names[len(sides) :])]
    random.shuffle(votes)
    came = decide(votes, weigh, 0.5)
    assert came.came is Came.TIE
    assert came.label == ""
    assert [label for label, _ in came.candidates] == ["defect", "line"]


def test_a_tie_of_sums_that_rounding_tells_apart_is_still_a_tie():
    weigh = {("a", "line"): 0.1, ("b", "line"): 0.2, ("c", "defect"): 0.3}
    assert decide([("a", "line"), ("b", "line"), ("c", "defect")], weigh, 0.5).came is Came.TIE


def test_half_of_all_is_no_dictator():
    """Weights .5, .3 and .2 would only ever tie; log-odds of .9, .7 and .6 do not."""
    found = {("a", "line"): Record(45, 50), ("b", "defect"): Record(35, 50), ("c", "defect"): Record(30, 50)}
    weigh = weights(found, "abc", LABELS)
    assert decide([("a", "line"), ("b", "defect"), ("c", "defect")], weigh, 0.5).label == "line"
    assert decide([("a", "line"), ("b", "defect")], weigh, 0.5).label == "line"


@given(st.integers(0, 200), st.integers(0, 200))
def test_more_right_never_weighs_less_and_below_chance_weighs_nothing(right, wrong):
    weight = Record(right, right + wrong).weight
    assert Record(right + 1, right + wrong + 1).weight >= weight
    assert Record(right, right + wrong + 1).weight <= weight
    if wrong > right + 1:
        assert weight == 0


@given(VOTES, WEIGHTS, st.sampled_from(LABELS))
def test_one_more_voter_for_a_label_never_takes_it_away(votes, weigh, label):
    before = decide(votes, weigh, 0.5)
    after = decide([*votes, ("more", label)], {**weigh, ("more", label): 1.0}, 0.5)
    if before.label == label:
        assert after.label == label


def test_who_weighs_nothing_is_not_heard():
    assert decide([("a", "line")], {("a", "line"): 0.0}).came is Came.OUTSIDE
    assert decide([], {}).came is Came.OUTSIDE
    assert decide([("stranger", "line")], {}).came is Came.OUTSIDE


def test_too_small_a_share_goes_to_a_person():
    weigh = {("a", "line"): 1.2, ("b", "defect"): 1.0}
    came = decide([("a", "line"), ("b", "defect")], weigh, LIMIT)
    assert came.came is Came.UNSURE
    assert came.share == pytest.approx(math.exp(1.2) / (1 + math.exp(1.2) + math.exp(1.0)))
    alone = decide([("a", "line")], {("a", "line"): math.log(4)}, LIMIT)
    assert (alone.came, alone.share) == (Came.LABEL, pytest.approx(0.8))


def test_ambiguous_needs_more_than_one_usual_voter_against_it():
    one = {("list", "brand"): Record().weight}
    assert decide([("context", AMBIGUOUS), ("list", "brand")], one).came is Came.AMBIGUOUS
    sure = {("list", "brand"): Record(98, 100).weight}
    assert decide([("context", AMBIGUOUS), ("list", "brand")], sure).label == "brand"


def test_votes_become_spans_and_what_is_undecided_waits():
    text = "burrs on line 3 since Monday"
    said = {
        "rule": [Span(9, 15, "line"), Span(16, 28, "time")],
        "list": [Span(0, 5, "defect"), Span(14, 15, "quantity")],
        "other": [Span(0, 5, "product")],
    }
    even = equal_weights(said, ("line", "time", "defect", "quantity", "product"))
    made = labelled(ballot(text, said), even, 0.4)
    assert [(text[one.start : one.end], one.label) for one in made.given] == [
        ("line", "line"),
        ("since Monday", "time"),
    ]
    assert [(text[one.start : one.end], one.came, one.candidates) for one in made.waiting] == [
        ("burrs", Came.TIE, ("defect", "product")),
        ("3", Came.TIE, ("line", "quantity")),
    ]


def test_two_spans_of_a_label_side_by_side_stay_two_where_the_weight_says_so():
    text = "line 3 line 4"
    both = [Span(0, 6, "line"), Span(7, 13, "line")]
    weigh = {("a", "line"): 2.0, ("b", "line"): 1.0}
    assert labelled(ballot(text, {"a": both, "b": [Span(0, 13, "line")]}), weigh).spans == tuple(both)
    assert labelled(ballot(text, {"b": both, "a": [Span(0, 13, "line")]}), weigh).spans == (Span(0, 13, "line"),)


def test_a_placeholder_is_one_word():
    assert [token.text for token in words_of("[NAME] told [NAME?] twice")] == ["[NAME]", "told", "[NAME?]", "twice"]
    assert [token.text for token in words_of("a [b] c")] == [token.text for token in tokens_of("a [b] c")]


def test_records_count_whole_spans():
    text = "burrs on line 3"
    heard = [ballot(text, {"a": [Span(9, 15, "line")], "b": [Span(6, 15, "line")], "c": [Span(0, 5, "line")]})]
    found = records(heard, [[Span(0, 5, "defect"), Span(9, 15, "line")]])
    assert (found["a", "line"], found["b", "line"], found["c", "line"]) == (Record(1, 1), Record(0, 1), Record(0, 1))
    with pytest.raises(BadInput, match="for 1 ballots"):
        records(heard, [])


def test_overlaps_and_conflicts_are_counted():
    heard = [
        ballot("burrs on line", {"a": [Span(0, 5, "defect")], "b": [Span(0, 5, "defect")], "c": [Span(0, 5, "time")]})
    ]
    a, b, c = standings(heard, {("a", "defect"): Record(3, 4)}, "abc")
    assert (a.texts, a.words, a.overlaps, a.conflicts, a.record) == (1, 1, 1, 1, Record(3, 4))
    assert (b.conflicts, c.conflicts) == (1, 1)


def test_a_ballot_with_too_few_tags_is_refused():
    with pytest.raises(BadInput, match="one tag"):
        Ballot(tokens_of("two words"), {"a": ("O",)})


def test_where_voters_differ_the_weighted_vote_beats_the_majority():
    """Three good voters among seven poor ones on 4,000 words of four labels; weights learned on 300 others."""
    rng = np.random.default_rng(5)
    skill = [0.9, 0.88, 0.85, *[0.35] * 7]
    names = [f"f{at}" for at in range(len(skill))]
    labels = ["line", "defect", "time", "product"]

    def drawn(n: int) -> tuple[list[Ballot], list[str]]:
        truth = [labels[i] for i in rng.integers(len(labels), size=n)]
        made = []
        for true in truth:
            tags = {}
            for name, right in zip(names, skill, strict=True):
                wrong = [label for label in labels if label != true]
                tags[name] = (f"B-{true if rng.random() < right else wrong[int(rng.integers(3))]}",)
            made.append(Ballot(tokens_of("word"), tags))
        return made, truth

    heard, truth = drawn(300)
    found = records(heard, [[Span(0, 4, label)] for label in truth])
    heard, truth = drawn(4000)
    right = {}
    for way, weigh in (("weighted", weights(found, names, labels)), ("majority", equal_weights(names, labels))):
        made = [outcomes(one, weigh, 0.0)[0] for one in heard]
        right[way] = sum(one.label == true for one, true in zip(made, truth, strict=True)) / len(truth)
    assert right["weighted"] > right["majority"] + 0.05
    assert right["weighted"] > 0.93

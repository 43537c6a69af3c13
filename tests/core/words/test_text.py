"""Words, tags and spans."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.words.text import Sentence, Span, from_columns, marked, plain_word, runs_of, spans_of, tags_of, tokens_of


def test_words_keep_their_places_in_the_text():
    text = "It's 12,5 cm – don't, ok?"
    tokens = tokens_of(text)
    assert [t.text for t in tokens] == ["It's", "12,5", "cm", "–", "don't", ",", "ok", "?"]
    assert all(text[t.start : t.end] == t.text for t in tokens)


def test_letters_and_digits_are_told_apart_but_not_where_spaces_rule():
    assert [t.text for t in tokens_of("line D4b")] == ["line", "D", "4", "b"]
    assert [t.text for t in tokens_of("line D4b", "space")] == ["line", "D4b"]


@given(st.text())
def test_no_text_breaks_the_cutting_and_no_sign_is_lost(text: str):
    for cut in ("space", "words"):
        tokens = tokens_of(text, cut)
        assert all(text[t.start : t.end] == t.text for t in tokens)
        assert all(a.end <= b.start for a, b in pairwise(tokens))


def test_a_word_reads_the_same_in_capitals_and_in_wide_letters():
    assert plain_word("ＫＩＮＧ") == plain_word("king") == plain_word("King")


def test_tags_and_spans_are_each_others_reverse():
    sentence = marked("show [burrs](defect) from [line D](line) [since Monday](time)", "1", ["show"])
    tokens = tokens_of(sentence.text)
    tags = tags_of(tokens, sentence.spans)
    assert tags == ("O", "B-defect", "O", "B-line", "I-line", "B-time", "I-time")
    assert spans_of(tokens, tags) == sentence.spans


def test_a_continuation_of_nothing_begins_a_span_as_conlleval_has_it():
    assert runs_of(["O", "I-a", "I-a", "I-b", "B-b", "O"], 6) == ((1, 3, "a"), (3, 4, "b"), (4, 5, "b"))


def test_a_word_that_a_span_covers_in_part_belongs_to_it():
    assert tags_of(tokens_of("the t-shirts fit"), [Span(4, 11, "product")]) == (
        "O",
        "B-product",
        "I-product",
        "I-product",
        "O",
    )


@pytest.mark.parametrize(
    ("tags", "words"), [(["O"], 2), (["X-a"], 1), (["B-"], 1), (["b-a"], 1)], ids=["short", "kind", "bare", "small"]
)
def test_tags_that_are_not_bio_are_refused(tags: list[str], words: int):
    with pytest.raises(BadInput):
        runs_of(tags, words)


@pytest.mark.parametrize("spans", [(Span(0, 9, "a"),), (Span(2, 2, "a"),), (Span(0, 3, "a"), Span(2, 4, "b"))])
def test_spans_outside_the_text_or_over_each_other_are_refused(spans: tuple[Span, ...]):
    with pytest.raises(BadInput):
        Sentence("1", "a cup", (), spans)


def test_columns_become_a_sentence_with_offsets():
    sentence = from_columns(["play", "take", "five"], ["O", "B-track", "I-track"], "PlayMusic", "x")
    assert (sentence.text, sentence.intent) == ("play take five", "PlayMusic")
    assert sentence.spans == (Span(5, 14, "track"),)


def test_a_bracket_without_its_label_is_refused():
    with pytest.raises(BadInput):
        marked("the [kettle leaks", "1", ["damaged"])

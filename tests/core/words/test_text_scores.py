"""Counting spans and sentences."""

import pytest

from core.errors import BadInput
from core.words.text import Sentence, Span
from core.words.text_gates import TextLimits, text_gate
from core.words.text_scores import Answer, calibration_error, new_word_rate, recall_by_label, score, span_counts

A, B = Span(0, 3, "a"), Span(4, 6, "b")
SENTENCES = [
    Sentence("1", "one two", ("x",), (A, B)),
    Sentence("2", "one two", ("y",), (A,)),
    Sentence("3", "one two", ("x", "y")),
    Sentence("4", "one two", ("oos",)),
]
ANSWERS = [
    Answer(("x",), (A, Span(4, 7, "b"))),
    Answer(("y",), (A,)),
    Answer(("y", "x"), ()),
    Answer(("x",), (), 0.2, out_of_scope=True),
]


def test_a_span_counts_only_where_place_and_label_agree():
    found = span_counts(SENTENCES, ANSWERS)
    assert (found.right, found.said, found.meant) == (2, 3, 3)
    assert found.f1 == pytest.approx(2 / 3)
    assert recall_by_label(SENTENCES, ANSWERS)["b"].recall == 0


def test_a_sentence_is_right_only_with_its_intents_and_every_span():
    found = score(SENTENCES, ANSWERS)
    assert found.intent_accuracy == 1
    assert found.sentence_accuracy == 3 / 4
    assert (found.in_scope_accuracy, found.out_of_scope_recall, found.held_back) == (1, 1, 0)


def test_a_sentence_in_scope_that_is_called_out_of_scope_is_held_back_and_not_right():
    answers = [Answer(("x",), (A, B), 0.3, out_of_scope=True), *ANSWERS[1:]]
    found = score(SENTENCES, answers)
    assert found.held_back == pytest.approx(1 / 3)
    assert found.in_scope_accuracy == pytest.approx(2 / 3)


def test_one_of_two_intents_is_not_both():
    assert score(SENTENCES[2:3], [Answer(("x",), ())]).intent_accuracy == 0


def test_without_sentences_out_of_scope_nothing_is_claimed_about_them():
    found = score(SENTENCES[:1], ANSWERS[:1])
    assert found.out_of_scope_recall is None
    assert found.in_scope_accuracy is None


def test_nothing_to_measure_is_refused_and_so_are_answers_too_few():
    with pytest.raises(BadInput):
        score([], [])
    with pytest.raises(BadInput):
        score(SENTENCES, ANSWERS[:1])


def test_confidence_that_keeps_its_word_has_no_calibration_error():
    assert calibration_error([0.5] * 100, [i % 2 == 0 for i in range(100)]) == 0
    assert calibration_error([1.0] * 10, [False] * 10) == 1
    assert calibration_error([], []) == 0


def test_new_words_are_those_the_model_never_saw():
    assert new_word_rate([["a", "b"], ["c", "a"]], {"a", "b"}) == 0.25
    assert new_word_rate([], {"a"}) == 0


def test_the_gate_asks_for_more_sentences_before_it_believes_four():
    verdict = text_gate(SENTENCES, ANSWERS, TextLimits())
    assert {str(c.answer) for c in verdict.criteria if c.decides} <= {"not enough evidence", "fail"}


def test_the_gate_passes_a_model_that_is_right_often_enough_and_fails_one_that_never_is():
    many = [Sentence(str(i), "one two", ("x",), (A,)) for i in range(300)]
    outside = [Sentence(f"o{i}", "one two", ("oos",)) for i in range(60)]
    good = [Answer(("x",), (A,))] * 300 + [Answer(("x",), (), 0.1, out_of_scope=True)] * 60
    bad = [Answer(("y",), ())] * 360
    assert {str(c.answer) for c in text_gate([*many, *outside], good, TextLimits()).criteria if c.decides} == {"pass"}
    failed = {c.name for c in text_gate([*many, *outside], bad, TextLimits()).criteria if str(c.answer) == "fail"}
    assert {"intents named", "slots found", "out of scope found"} <= failed


def test_a_label_with_a_limit_of_its_own_decides_and_the_others_are_reported():
    verdict = text_gate(SENTENCES, ANSWERS, TextLimits(by_label={"a": 0.5}))
    decides = {c.name: c.decides for c in verdict.criteria}
    assert decides["a found"]
    assert not decides["b found"]

"""Labelling functions: what each kind finds, and person against brand by the words around."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.words.labelling.context import names
from core.words.labelling.dates import parsers
from core.words.labelling.emerging import emerging
from core.words.labelling.lists import by_list, singular
from core.words.labelling.registry import (
    LABELS,
    LabelRules,
    ballots,
    fingerprint,
    functions,
    prepared,
    rules_document,
    rules_of,
    with_entry,
)
from core.words.labelling.relevance import EMPTY, LONG, MACHINE, NOTHING, set_aside
from core.words.labelling.written import read, written
from core.words.text import Span
from core.words.votes import AMBIGUOUS, label_of

EVERY = functions(LabelRules(entries={"brand": ("kestro",), "employee": ("zorb",)}))


def found(text: str, label: str) -> set[str]:
    """What any function labels so."""
    read_ = prepared(text)
    return {text[s.start : s.end] for one in EVERY for s in one.find([read_])[0] if s.label == label}


@pytest.mark.parametrize(
    ("text", "label", "words"),
    [
        ("burrs on line D", "line", "line D"),
        ("the packing line stopped", "line", "the packing line"),
        ("L3 is down", "line", "L3"),
        ("dust at station 14", "location", "station 14"),
        ("take it to the Lyon plant", "location", "the Lyon plant"),
        ("hand this to the night shift", "schedule", "the night shift"),
        ("hairline cracks again", "defect", "hairline cracks"),
        ("three boxes were scrapped", "quantity", "three"),
        ("three boxes were scrapped", "verdict", "scrapped"),
        ("a king size came", "size", "king size"),
        ("show it since Monday", "time", "since Monday"),
        ("from monday to friday", "time", "from monday to friday"),
        ("at half past six", "time", "half past six"),
        ("on 4 March 2026", "time", "4 March 2026"),
        ("two Legos are missing", "brand", "Legos"),
        ("Anna checked it", "employee", "Anna"),
        ("[NAME] checked it", "employee", "[NAME]"),
        ("[NAME?] came back", AMBIGUOUS, "[NAME?]"),
    ],
)
def test_each_kind_of_function_finds_what_it_says(text, label, words):
    assert words in found(text, label)


@given(st.text(max_size=120))
@settings(max_examples=150, deadline=None)
def test_no_function_leaves_the_text_or_breaks_on_it(text):
    read_ = prepared(text)
    for one in EVERY:
        for span in one.find([read_])[0]:
            assert 0 <= span.start < span.end <= len(text)
            assert span.label in (*LABELS, AMBIGUOUS)


def test_every_function_has_its_own_name_and_an_answer_for_each_text():
    assert len({one.name for one in EVERY}) == len(EVERY)
    texts = [prepared(text) for text in ("", "burrs on line 3", "?")]
    assert all(len(one.find(texts)) == 3 for one in EVERY)


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("Jordan has the night shift", "person"),
        ("put Jordan on the schedule for Friday", "person"),
        ("the Jordan boxes are back in the cart", "brand"),
        ("the cart held Jordan and Legos", "brand"),
        ("we saw Jordan near the wall", "ambiguous"),
        ("the cart for Jordan and the shift", "brand"),  # the nearer word counts more
        ("a shift Jordan cart", "ambiguous"),  # as much for one as for the other
    ],
)
def test_a_name_that_could_be_either_is_resolved_by_the_words_around_it(text, resolved):
    (one,) = names(prepared(text))
    assert one.resolved == resolved


def test_ambiguous_is_a_vote_and_not_a_guess():
    (heard,) = ballots(["we saw Jordan near the wall"], EVERY)
    assert [label_of(tag) for tag in heard.votes["person or brand"]] == ["O", "O", AMBIGUOUS, "O", "O", "O"]


def test_a_known_name_is_left_to_the_lists_unless_the_context_says_otherwise():
    assert names(prepared("we met Anna there")) == []
    (one,) = names(prepared("the brand Anna cart"))
    assert one.resolved == "brand"


def test_dates_take_labels_of_ones_own():
    text = prepared("tomorrow at 6 pm")
    got = {(s.label, text.text[s.start : s.end]) for one in parsers("date", "clock", None) for s in one.find([text])[0]}
    assert {("date", "tomorrow"), ("clock", "6 pm")} <= got


def test_lists_know_one_and_many_and_take_the_longest_entry():
    function = by_list("x", "defect", "", ["crack", "hairline crack", "box"])
    text = prepared("hairline cracks, a crack, boxes, boxer")
    assert [text.text[s.start : s.end] for s in function.find([text])[0]] == ["hairline cracks", "crack", "boxes"]
    assert singular("batteries") == "battery"
    assert singular("glass") == "glass"


def test_rules_come_back_from_json_and_nonsense_is_refused_in_a_sentence():
    rules = with_entry(LabelRules(off=("digits",), limit=0.7), "product", " Glimmer  Foil ")
    assert rules_of(rules_document(rules)) == rules
    assert "glimmer foil" in rules.entries["product"]
    for document in ({"entries": {"nonsense": ["x"]}}, {"limit": 0.2}, {"combine": "a dice"},
                     {"entries": {"line": [" "]}}, {"entries": 3}, {"limit": "x"}):  # fmt: skip
        with pytest.raises(BadInput):
            rules_of(document)
    with pytest.raises(BadInput, match="already"):
        with_entry(rules, "brand", "glimmer foil")


def test_a_silent_function_does_not_vote_and_the_fingerprint_tells():
    names_ = [one.name for one in functions(LabelRules(off=("digits",)))]
    assert "digits" not in names_
    assert fingerprint(LabelRules(), names_) != fingerprint(LabelRules(limit=0.7), names_)
    assert fingerprint(LabelRules(), names_) != fingerprint(LabelRules(), names_[1:])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("burrs on line 3", None),
        ("happy birthday", NOTHING),
        ("12 --- 44", EMPTY),
        ("2026-11-02 03:12:44 INFO conveyor ok", MACHINE),
        ("Traceback (most recent call last)", MACHINE),
        ('{"level": 3, "line": "burrs"}', MACHINE),
        ("burrs " * 2000, LONG),
    ],
)
def test_what_says_nothing_of_the_plant_is_set_aside_with_its_reason(text, why):
    (heard,) = ballots([text], EVERY)
    assert set_aside(prepared(text), heard) == why


def test_a_word_that_came_up_lately_is_listed_with_its_contexts_and_an_old_one_is_not():
    earlier = [f"burrs on line {n} near the widget" for n in range(60)]
    lately = [(f"the zorbium on line {n} is loose near the widget", (Span(15, 21, "line"),)) for n in range(8)]
    found_ = emerging(lately, earlier, known=())
    (new,) = [one for one in found_ if one.word == "zorbium"]
    assert all(one.word != "widget" for one in found_)
    assert (new.now, new.before, len(new.contexts)) == (8, 0, 3)
    assert "zorbium" not in {one.word for one in emerging(lately, earlier, known={"zorbium"})}
    assert emerging([], earlier, ()) == []


def test_labels_are_typed_one_a_line_and_come_back():
    text = "line 3 and line 4 have burrs"
    spans = (Span(0, 6, "line"), Span(11, 17, "line"), Span(23, 28, "defect"))
    assert read(text, written(text, spans)) == spans
    assert read("a a", "line: a\nline: a") == (Span(0, 1, "line"), Span(2, 3, "line"))
    assert read(text, "") == ()
    for lines in ("line 3", "nonsense: burrs", "defect: chips", "line: line 3\nline: line 3"):
        with pytest.raises(BadInput, match="Line"):
            read(text, lines)

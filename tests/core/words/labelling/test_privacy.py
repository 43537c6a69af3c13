"""What is personal leaves a note before it is stored, and labels follow their words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.words.labelling.privacy import deidentified
from core.words.redaction_lists import GIVEN
from core.words.text import Span


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Jordan takes the night shift", "[NAME] takes the night shift"),
        ("the Jordan boxes are in the cart", "the Jordan boxes are in the cart"),
        ("we saw Jordan near the wall", "we saw [NAME?] near the wall"),
        ("tell Peter Garcia about it", "tell [NAME] about it"),
        ("anna miller found burrs", "[NAME] found burrs"),
        ("mark kim gets line 3", "[NAME] gets line 3"),
        ("write to ann.lee@plant.example today", "write to [EMAIL] today"),
    ],
)
def test_names_become_placeholders_and_brands_stay(text, kept):
    assert deidentified(text, {}).text == kept


def test_a_sites_own_words_are_kept_and_its_own_people_covered():
    assert deidentified("we saw Kestro twice", {}).text == "we saw [NAME?] twice"
    assert deidentified("we saw Kestro twice", {"brand": ("kestro",)}).text == "we saw Kestro twice"
    assert deidentified("zorbi found burrs", {"employee": ("zorbi",)}).text == "[NAME] found burrs"


def test_who_a_model_takes_for_a_person_is_covered_unless_the_site_says_it_is_a_thing():
    assert deidentified("gerpla takes line 3", {}, people=[Span(0, 6, "employee")]).text == "[NAME] takes line 3"
    own = {"product": ("gerpla",)}
    assert deidentified("gerpla on line 3", own, people=[Span(0, 6, "employee")]).text == "gerpla on line 3"


def test_labels_follow_their_words():
    text = "Peter Garcia found burrs on line 3"
    spans = (Span(0, 12, "employee"), Span(19, 24, "defect"), Span(28, 34, "line"))
    kept = deidentified(text, {}, spans=spans)
    assert [(kept.text[s.start : s.end], s.label) for s in kept.spans] == [
        ("[NAME]", "employee"), ("burrs", "defect"), ("line 3", "line"),
    ]  # fmt: skip


def test_counts_tell_how_much_was_covered_and_nothing_else():
    kept = deidentified("Peter Garcia called Anna Miller", {})
    assert sum(kept.counts.values()) == 2
    assert not any("Peter" in kind or "Anna" in kind for kind in kept.counts)


@given(
    st.sampled_from(sorted(GIVEN)),
    st.sampled_from(["{} found burrs", "ask {} about line 3", "for {}: check station 4"]),
)
@settings(max_examples=80, deadline=None)
def test_no_given_name_of_the_list_is_left_however_it_is_written(name, frame):
    for written in (name, name.capitalize(), name.upper()):
        kept = deidentified(frame.format(written), {}).text
        assert written not in kept.split()


@given(st.text(max_size=200), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=3))
@settings(max_examples=150, deadline=None)
def test_any_text_and_any_labels_pass_and_the_labels_lie_in_it(text, places):
    spans, end = [], 0
    for start, stop in sorted(places):
        if end <= start < stop <= len(text):
            spans.append(Span(start, stop, "line"))
            end = stop
    kept = deidentified(text, {}, spans=spans)
    assert all(0 <= s.start < s.end <= len(kept.text) for s in kept.spans)
    assert all(a.end <= b.start for a, b in zip(kept.spans, kept.spans[1:], strict=False))

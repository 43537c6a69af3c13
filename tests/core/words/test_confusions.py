import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.words.confusions import Same, as_drawn, digits, distance, folded, likely, word_diff

TEXT = st.text(alphabet="ABCDEFGHIKLMNOPRSTUVXYZ0123456789 ", max_size=12)


@given(TEXT)
def test_a_text_is_at_no_distance_from_itself(text):
    assert distance(text, text) == 0
    assert distance(text.lower(), text) == 0


@given(TEXT, TEXT)
def test_another_text_is_at_some_distance(one, other):
    assert (distance(one, other) == 0) == (folded(one) == folded(other))


@pytest.mark.parametrize(("seen", "printed"), [("0", "O"), ("1", "I"), ("l", "1"), ("5", "S"), ("8", "B"), ("2", "Z")])
def test_a_usual_confusion_costs_less_than_another_character(seen, printed):
    assert 0 < distance(f"A{seen}C", f"A{printed}C") < distance("AXC", f"A{printed}C") - 2


def test_how_a_character_is_read_is_a_probability():
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    for printed in alphabet:
        assert 0.95 < sum(likely(one, printed) for one in alphabet) < 1.01
    assert digits("26", "26") > 0.9
    assert digits("2", "26") == 0


def test_words_run_together_cost_little():
    assert distance("BESTBEFORE", "BEST BEFORE") < distance("BESTBEFOE", "BESTBEFORE")


def test_accents_forms_and_digits_of_other_scripts_are_folded():
    assert folded("août") == "AOUT"
    assert folded("ﬁne  ①") == "FINE 1"
    assert folded("٢٠٢٧") == "2027"
    assert folded("유통기한") == "유통기한"
    assert folded("\u200fשלום\u200e") == "שלום"


def test_right_to_left_texts_are_compared_in_either_order():
    printed = "زيت زيتون"
    assert distance(printed, printed) == 0
    assert distance(as_drawn(printed), printed) == 0
    assert distance("حليب طازج", printed) > 10
    assert distance("שמן זית", "שמן זית") == 0
    assert distance(as_drawn("שמן זית"), "שמן זית") == 0


def test_words_are_laid_side_by_side():
    found = word_diff("NORDIC TFA K1NG", "NORDIC TEA KING SIZE")
    assert [(one.how, one.read, one.expected) for one in found] == [
        (Same.SAME, "NORDIC", "NORDIC"),
        (Same.LIKE, "TFA", "TEA"),
        (Same.LIKE, "K1NG", "KING"),
        (Same.MISSING, "", "SIZE"),
    ]
    assert [one.how for one in word_diff("TWIN SHEET", "KING SHEET")] == [Same.OTHER, Same.SAME]
    assert [one.how for one in word_diff("PURE GREEN SOAP", "PURE SOAP")] == [Same.SAME, Same.EXTRA, Same.SAME]
    assert word_diff("", "") == []

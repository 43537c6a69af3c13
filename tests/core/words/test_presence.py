from core.words.presence import Presence, Side, presence
from core.words.prints import Print

SIZE = (400, 300)
LABEL = Print("NORDIC TEA", 0.9, (100, 100, 120, 20))


def said(sides, *expected):
    return presence(sides, frozenset(expected))[0]


def test_a_label_on_its_side_is_present():
    assert said({"top": Side([LABEL], SIZE), "left": Side([], SIZE)}, "top") is Presence.PRESENT


def test_a_side_without_print_misses_its_label():
    assert said({"top": Side([], SIZE)}, "top") is Presence.MISSING
    assert said({"top": Side([Print("|.", 0.9, (9, 9, 4, 4))], SIZE)}, "top") is Presence.MISSING


def test_a_label_elsewhere_is_on_the_wrong_side():
    where, why = presence({"top": Side([], SIZE), "left": Side([LABEL], SIZE)}, {"top"})
    assert where is Presence.WRONG_SIDE
    assert "left" in why


def test_print_at_the_edge_of_the_picture_is_partly_visible():
    cut = [Print("NORDIC T", 0.9, (300, 100, 100, 20)), Print("12/2027", 0.9, (310, 130, 90, 20))]
    assert said({"top": Side(cut, SIZE)}, "top") is Presence.PARTLY


def test_one_word_at_the_edge_does_not_cut_a_label_off():
    lines = [LABEL, Print("EXP 12/2027", 0.9, (100, 130, 120, 20)), Print("KG", 0.9, (380, 160, 20, 20))]
    assert said({"top": Side(lines, SIZE)}, "top") is Presence.PRESENT


def test_a_side_that_could_not_be_read_is_unknown_and_not_missing():
    assert said({"top": Side([], SIZE, failed="out of time")}, "top") is Presence.UNKNOWN
    assert said({"left": Side([LABEL], SIZE)}, "top") is Presence.UNKNOWN


def test_any_side_will_do_where_none_is_named():
    assert said({"a": Side([], SIZE), "b": Side([LABEL], SIZE)}) is Presence.PRESENT
    assert said({}) is Presence.MISSING

import numpy as np
import pytest

from core.words.identity import Contradiction, Entry, identify

BEDS = [
    Entry("B-101", "COTTON SHEET KING", {"size": "king", "colour": "white"}),
    Entry("B-102", "COTTON SHEET TWIN", {"size": "twin", "colour": "white"}),
    Entry("B-103", "COTTON SHEET QUEEN", {"size": "queen", "colour": "blue"}),
]
SHOP = [*BEDS, Entry("K-204", "NORDIC TEA"), Entry("K-317", "ALMA CEREAL"), Entry("M-112", "PURE SOAP")]


def test_the_right_label_is_the_likeliest_and_gives_no_reason():
    found = identify("PURE SOAP 250 G EXP 12/2027", SHOP, "M-112")
    assert found.candidates[0].entry.sku == "M-112"
    assert found.candidates[0].probability > 0.95
    assert found.reason(0.5) is None


def test_twin_printed_on_a_king_size_is_a_contradiction():
    found = identify("COTTON SHEET TWIN WHITE", SHOP, "B-101")
    assert found.contradictions == (Contradiction("size", "twin", "king"),)
    assert found.reason(0.5) == "the label says size twin, expected is king"
    assert found.candidates[0].entry.sku == "B-102"


def test_usual_confusions_are_no_contradiction():
    assert identify("C0TTON SHEET K1NG WHITE", SHOP, "B-101").reason(0.5) is None


def test_another_product_is_named():
    found = identify("NORDIC TEA 100 BAGS", SHOP, "M-112")
    assert found.reason(0.5) == "the label reads like NORDIC TEA"
    assert found.margin < 0


def test_a_text_of_no_item_is_of_none():
    found = identify("ZXQWV KJHGF PLMNB", SHOP, "M-112")
    assert found.none > 0.5
    assert found.reason(0.5) == "the label reads like no item of the catalogue"


def test_nothing_read_is_never_the_right_label():
    for text in ("", "   ", "~"):
        assert identify(text, SHOP, "M-112").reason(0.5) is not None


def test_two_items_of_one_title_cannot_be_told_apart_without_the_number():
    twins = [Entry("S-1", "PURE SOAP"), Entry("S-2", "PURE SOAP")]
    found = identify("PURE SOAP", twins, "S-1")
    assert found.margin == pytest.approx(0)
    assert "cannot be told" in found.reason(0.5)
    assert identify("PURE SOAP S-2", twins, "S-2").reason(0.5) is None


def test_an_unknown_number_gives_candidates_but_no_margin():
    found = identify("ALMA CEREAL", SHOP, "X-9")
    assert found.margin is None
    assert found.candidates[0].entry.sku == "K-317"


def test_probabilities_with_none_add_up():
    found = identify("COTTON SHEET", SHOP, "B-101", most=len(SHOP))
    assert sum(one.probability for one in found.candidates) + found.none == pytest.approx(1)


def test_wrong_sizes_are_found_and_right_ones_left_alone_when_characters_are_misread():
    rng = np.random.default_rng(3)
    like = {"O": "0", "I": "1", "S": "5", "B": "8", "G": "6", "E": "F", "N": "M", "Q": "O"}
    missed = false = 0
    for _ in range(200):
        right, wrong = rng.choice(len(BEDS), 2, replace=False)
        for printed, expected in ((right, right), (wrong, right)):
            text = BEDS[printed].title
            seen = "".join(like[one] if one in like and rng.random() < 0.03 else one for one in text)
            held = identify(seen, SHOP, BEDS[expected].sku).reason(0.5) is not None
            missed += printed != expected and not held
            false += printed == expected and held
    assert missed <= 2
    assert false <= 20

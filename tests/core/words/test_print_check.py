import json
from datetime import date

import pytest

from core.errors import BadInput
from core.words.date_forms import Order
from core.words.expiry import Printing, Shelf
from core.words.identity import Entry
from core.words.presence import Presence, Side
from core.words.print_check import (
    EXPIRED,
    MISSING,
    UNREAD,
    WRONG,
    PrintRules,
    check_print,
    enough,
    rules_document,
    rules_of,
)
from core.words.prints import Print

TODAY = date(2026, 3, 1)
SHOP = [Entry("B-1", "COTTON SHEET KING", {"size": "king"}), Entry("B-2", "COTTON SHEET TWIN", {"size": "twin"})]
RULES = PrintRules(Printing(Order.DAY), frozenset({"top"}), short_days=30)


def side(*lines: str) -> Side:
    prints = [Print(text, 0.98, (50.0, 50.0 + 30 * row, 150.0, 20.0)) for row, text in enumerate(lines)]
    return Side(prints, (400, 300))


def codes(*lines: str, rules: PrintRules = RULES, expected: str | None = "B-1") -> list[str]:
    return [one.code for one in check_print({"top": side(*lines)}, rules, TODAY, SHOP, expected).reasons]


def test_a_label_in_order_gives_no_reason():
    assert codes("COTTON SHEET KING", "EXP 12/06/2027") == []


def test_each_fault_is_named():
    assert codes("COTTON SHEET KING", "EXP 12/02/2026") == [EXPIRED]
    assert codes("COTTON SHEET KING", "EXP 12/03/2026") == [EXPIRED]
    assert codes("COTTON SHEET TWIN", "EXP 12/06/2027") == [WRONG]
    assert codes("COTTON SHEET KING") == [UNREAD]
    assert codes("COTTON SHEET TWIN", "EXP 12/02/2026") == [EXPIRED, WRONG]


def test_what_is_not_asked_is_not_held():
    assert codes("COTTON SHEET KING", rules=PrintRules(expiry=False)) == []
    assert codes("COTTON SHEET TWIN", "EXP 12/06/2027", rules=PrintRules(Printing(Order.DAY), identity=False)) == []


def test_a_missing_or_unreadable_label_is_held():
    found = check_print({"top": side(), "left": side("COTTON SHEET KING")}, RULES, TODAY, SHOP, "B-1")
    assert found.presence is Presence.WRONG_SIDE
    assert [one.code for one in found.reasons] == [MISSING]
    broken = check_print({"top": Side([], (400, 300), failed="out of time")}, RULES, TODAY, SHOP, "B-1")
    assert [one.code for one in broken.reasons] == [UNREAD]


def test_the_date_of_a_short_dated_label_is_told():
    found = check_print({"top": side("COTTON SHEET KING", "EXP 12/03/2026")}, RULES, TODAY, SHOP, "B-1")
    assert found.shelf is not None
    assert found.shelf.shelf is Shelf.SHORT
    assert "2026-03-12" in found.reasons[0].text


def test_reading_stops_where_nothing_more_can_be_learnt():
    assert enough(side("COTTON SHEET KING", "EXP 12/06/2027"), RULES, TODAY, SHOP, "B-1")
    assert not enough(side("COTTON SHEET KING"), RULES, TODAY, SHOP, "B-1")
    assert not enough(side("COTTON SHEET TWIN", "EXP 12/06/2027"), RULES, TODAY, SHOP, "B-1")
    assert not enough(side(), RULES, TODAY, SHOP, "B-1")


def test_rules_are_the_same_after_being_kept():
    for rules in (
        RULES,
        PrintRules(),
        PrintRules(Printing(None, ("de", "ko"), julian=True, shelf_days=90), identity=False),
    ):
        assert rules_of(json.loads(json.dumps(rules_document(rules)))) == rules


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"printing": {"order": "sideways"}}, "cannot be read"),
        ({"printing": {"languages": ["xx"]}}, "no language 'xx'"),
        ({"short_days": -1}, "outside 0 to 3650"),
        ({"certain": 2}, "How sure"),
        ({"expiry": False, "identity": False}, "ask for nothing"),
    ],
)
def test_rules_that_make_no_sense_are_refused(document, said):
    with pytest.raises(BadInput, match=said):
        rules_of(document)

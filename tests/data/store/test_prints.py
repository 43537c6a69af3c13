from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import BadInput, Conflict, NotAllowed
from core.plant import Arrival, PartType
from core.records import Capture, Decision, Outcome, Prediction, Quality
from core.roles import Actor, Role
from core.words.date_forms import Order
from core.words.expiry import Printing
from core.words.identity import CatalogueItem, Entry
from core.words.print_check import EXPIRED, MISSING, UNREAD, WRONG, PrintRules
from core.words.prints import Print, Reading
from data.store import Store, open_store
from data.store.line.prints import ReadShare
from data.taxonomies import shipped

SITE = "Lyon"
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
RULES = PrintRules(Printing(Order.DAY), frozenset({"top"}), short_days=30)
GOOD = ("NORDIC TEA", "EXP 12/06/2027")
QUALITY = Quality(sharpness=400.0, brightness=0.5, contrast=0.2, dark=0.0, bright=0.0)


@pytest.fixture
def store(url: str) -> Any:
    opened = open_store(url)
    opened.sites.add(SITE, shipped("fulfilment"), "Europe/Paris", now=NOW)
    opened.part_types.put(SITE, PartType("carton", views=("top", "side")), now=NOW)
    opened.part_types.put(SITE, PartType("tray"), now=NOW)
    yield opened
    opened.close()


def reading(*lines: str) -> Reading:
    prints = tuple(Print(text, 0.98, (50.0, 50.0 + 30 * row, 150.0, 20.0)) for row, text in enumerate(lines))
    return Reading(prints, "rapidocr", None, 400.0)


def arrival(part: str, view: str, read: Reading | None, part_type: str = "carton") -> Arrival:
    capture = Capture(f"{part}-{view}.png", part, view=view, part_type=part_type)
    digest = (part + view).encode().hex().ljust(64, "0")
    return Arrival(capture, f"/x/{part}-{view}.png", digest, 400, 300, QUALITY, Prediction("m", 0.01, {}), reading=read)


def decided(store: Store, part: str) -> Decision:
    """The decision that stands."""
    found = store.parts.find(SITE, part)
    assert found is not None
    decision = store.parts.decision(found.id)
    assert decision is not None
    return decision


def codes(store: Store, top: Reading | None, side: Reading | None = None, part: str = "P-1") -> list[str]:
    """File a carton and say what it was held for."""
    store.arrivals.file(SITE, [arrival(part, "top", top), arrival(part, "side", side)], now=NOW)
    decision = decided(store, part)
    assert decision.outcome is Outcome.HOLD
    return [one.code for one in decision.reasons]


def ready(store: Store) -> None:
    """Rules and a catalogue."""
    store.prints.set_rules(SITE, "carton", RULES, "customers found old tea", now=NOW)
    items = [CatalogueItem(Entry("K-204", "NORDIC TEA"), "carton"), CatalogueItem(Entry("K-317", "ALMA CEREAL"))]
    store.prints.set_catalogue(SITE, items, now=NOW)


def test_what_the_label_says_joins_the_decision(store: Store) -> None:
    ready(store)
    faults = {EXPIRED, MISSING, UNREAD, WRONG}
    assert not faults & set(codes(store, reading(*GOOD), reading(), "P-1"))
    assert EXPIRED in codes(store, reading("NORDIC TEA", "EXP 12/02/2026"), reading(), "P-2")
    assert WRONG in codes(store, reading("ALMA CEREAL", "EXP 12/06/2027"), reading(), "P-3")
    assert MISSING in codes(store, reading(), reading(*GOOD), "P-4")
    assert UNREAD in codes(store, None, reading(*GOOD), "P-5")
    assert UNREAD in codes(store, Reading((), "rapidocr", "out of time"), reading(), "P-6")


def test_a_part_type_without_rules_is_not_asked(store: Store) -> None:
    ready(store)
    store.arrivals.file(SITE, [arrival("T-1", "top", None, "tray")], now=NOW)
    assert UNREAD not in [one.code for one in decided(store, "T-1").reasons]


def test_a_picture_that_is_read_later_is_decided_anew(store: Store) -> None:
    ready(store)
    assert UNREAD in codes(store, None, reading())
    store.arrivals.file(SITE, [arrival("P-1", "top", reading(*GOOD))], now=NOW)
    decision = decided(store, "P-1")
    assert decision.number == 2
    assert UNREAD not in [one.code for one in decision.reasons]
    (top,) = [one for one in store.prints.of_part(decision.part_id) if one.view == "top"]
    assert top.reading.prints[0].text == "NORDIC TEA"


def test_rules_are_superseded_and_two_who_set_them_at_once_are_told(store: Store) -> None:
    first = store.prints.set_rules(SITE, "carton", RULES, "a start", seen=0, now=NOW)
    assert first.number == 1
    with pytest.raises(Conflict):
        store.prints.set_rules(SITE, "carton", PrintRules(), "another", seen=0, now=NOW)
    store.prints.set_rules(SITE, "carton", None, "the printer is replaced", seen=1, now=NOW)
    (kept,) = store.prints.rules(SITE)
    assert kept.rules is None
    assert kept.number == 2


def test_rules_that_cannot_be_are_refused(store: Store) -> None:
    with pytest.raises(BadInput, match="reason"):
        store.prints.set_rules(SITE, "carton", RULES, " ", now=NOW)
    with pytest.raises(BadInput, match="no part type 'box'"):
        store.prints.set_rules(SITE, "box", RULES, "x", now=NOW)


def test_a_catalogue_replaces_the_one_before_and_its_faults_are_named(store: Store) -> None:
    ready(store)
    items = [CatalogueItem(Entry("A", "ONE", {"size": "king"}, "de"), "tray")]
    assert store.prints.set_catalogue(SITE, items, now=NOW) == 1
    assert store.prints.catalogue(SITE) == items
    for wrong, said in (([*items, *items], "twice"), ([CatalogueItem(Entry("A", " "))], "lacks")):
        with pytest.raises(BadInput, match=said):
            store.prints.set_catalogue(SITE, wrong, now=NOW)
    assert store.prints.catalogue(SITE) == items


def test_only_those_who_may_set_rules_and_catalogue(store: Store) -> None:
    store.people.add("Ines", "seven green tractors hum", Role.INSPECTOR, None, now=NOW)
    ines = store.acting_as(Actor("Ines"))
    with pytest.raises(NotAllowed):
        ines.prints.set_rules(SITE, "carton", RULES, "x", now=NOW)
    with pytest.raises(NotAllowed):
        ines.prints.set_catalogue(SITE, [], now=NOW)
    assert ines.prints.rules(SITE) == []


def test_what_was_set_is_in_the_trail(store: Store) -> None:
    ready(store)
    acts = [one.action for one in store.audit.recent(limit=20)]
    assert "print rules set" in acts
    assert "catalogue set" in acts


def test_people_say_which_readings_are_right(store: Store) -> None:
    ready(store)
    store.arrivals.file(SITE, [arrival(f"P-{n}", "top", reading(*GOOD)) for n in range(4)], now=NOW)
    store.people.add("Ines", "seven green tractors hum", Role.INSPECTOR, None, now=NOW)
    ines = store.acting_as(Actor("Ines"))
    order = [one.id for one in ines.prints.unchecked(SITE, 9)]
    assert len(order) == 4
    ines.prints.say_right(order[0], True, "en", now=NOW)
    ines.prints.say_right(order[1], True, "en", now=NOW)
    ines.prints.say_right(order[1], False, "en", now=NOW)
    assert [one.id for one in ines.prints.unchecked(SITE, 9)] == order[2:]
    assert store.prints.accuracy(SITE) == [ReadShare("en", 1, 2)]
    with pytest.raises(BadInput):
        ines.prints.say_right(10**6, True, "en", now=NOW)

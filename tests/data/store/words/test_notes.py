"""Notes in the store, on both databases."""

import pytest

from core.words.labelling.registry import LabelRules
from core.words.text import Span
from core.words.votes import Came, Given, Labelled, Waiting
from data.store import Store
from data.store.words.notes_rows import NewNote, learns

MADE = Labelled((Given(0, 5, "defect", 0.75),), (Waiting(9, 15, Came.TIE, ("line", "location")),))


@pytest.fixture
def labelled(store: Store) -> Store:
    """Two notes, one of them set aside, under one whole version."""
    store.sites.add("Lyon")
    new = [NewNote("a", "burrs on line 3"), NewNote("b", "happy birthday"), NewNote("a", "burrs on line 3")]
    made = store.notes.file("Lyon", "n.txt", new, {"read": 3, "uncleared": 0})
    assert (made.counts["new"], made.counts["known"]) == (2, 1)
    version = store.notes.begin_version("Lyon", 0, "mark", {"functions": []})
    store.notes.keep_labels(
        version.id, [(1, MADE, None), (2, Labelled(), "no known pattern")], {"counts": {}}, whole=True
    )
    return store


def test_labels_come_back_as_they_went_in(labelled: Store):
    assert labelled.notes.get(1).voted == MADE
    assert labelled.notes.get(2).aside == "no known pattern"
    assert labelled.notes.labels_in("Lyon", 1) == {1: (Span(0, 5, "defect"),), 2: ()}
    assert labelled.notes.counts("Lyon") == {"notes": 2, "labelled": 1, "aside": {"no known pattern": 1}, "waiting": 1}


def test_a_tie_waits_until_a_person_has_said_and_the_order_of_candidates_gives_nobody_the_label(labelled: Store):
    (waits,) = labelled.notes.find("Lyon", waiting=True)
    assert [one.label for one in waits.counts.given] == ["defect"]
    labelled.notes.override(1, 9, 15, "line")
    labelled.notes.override(1, 9, 15, "location")
    assert labelled.notes.find("Lyon", waiting=True) == []
    assert labelled.notes.counts("Lyon")["waiting"] == 0
    assert labelled.notes.get(1).counts.spans == (Span(0, 5, "defect"), Span(9, 15, "location"))


def test_pages_of_notes_follow_each_other(labelled: Store):
    assert [one.id for one in labelled.notes.find("Lyon", limit=1)] == [2]
    assert [one.id for one in labelled.notes.find("Lyon", before=2)] == [1]
    assert [one.id for one in labelled.notes.find("Lyon", aside=True)] == [2]
    assert [one.id for one in labelled.notes.find("Lyon", aside=False)] == [1]


def test_every_act_leaves_its_row_and_none_holds_the_text(labelled: Store):
    labelled.notes.override(1, 9, 15, "line")
    labelled.notes.check(1, [Span(0, 5, "defect")])
    labelled.notes.set_rules("Lyon", LabelRules(limit=0.7), "stricter")
    events = labelled.audit.recent(site="Lyon")
    assert {one.action for one in events} >= {
        "notes imported", "notes labelled anew", "notes labelled", "note labelled by hand", "note checked",
        "note rules set",
    }  # fmt: skip
    assert not any("burrs" in str(one) for one in events)


def test_checks_are_drawn_by_chance_and_the_last_one_counts(labelled: Store):
    (drawn,) = labelled.notes.to_check("Lyon", 5)
    assert drawn.id == 1
    labelled.notes.check(1, [Span(0, 5, "defect")])
    labelled.notes.check(1, [Span(0, 5, "product")])
    (one,) = labelled.notes.checks("Lyon")
    assert one.truth == (Span(0, 5, "product"),)
    assert one.learns == learns(drawn.draw)
    assert labelled.notes.to_check("Lyon") == []

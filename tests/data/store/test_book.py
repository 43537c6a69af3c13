"""The defect book: pages that everybody reads and few write, and pictures that give nothing away."""

import pytest
import sqlalchemy as sa

from core.defect_book import ExampleKind
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.records import NO_DEFECT, TaskKind, Verdict
from core.roles import Role
from core.taxonomy_edits import retired
from data.store import Store
from data.tables import audit_events, book_pages
from tests.data.store.plant import answer, arrival, file, person, site

GOOD, COUNTER, BORDERLINE = ExampleKind.GOOD, ExampleKind.COUNTER, ExampleKind.BORDERLINE


@pytest.fixture
def dora(store: Store) -> Store:
    site(store)
    return person(store, "dora", Role.DATA_SCIENTIST)


@pytest.fixture
def shown(store: Store, dora: Store) -> list[int]:
    """Three pictures of parts that failed by themselves, so that nobody is asked about them."""
    return [int(one.image_id or 0) for one in file(store, *(arrival(number, 0.95) for number in (1, 2, 3)))]


def page(store: Store, class_id: str = "CRACK"):
    return next(one for one in store.book.pages("Lyon") if one.class_id == class_id)


def test_a_page_is_written_read_by_everybody_and_what_it_said_before_stays(store: Store, dora: Store) -> None:
    dora.book.write("Lyon", "CRACK", "  A break that goes on.  ")
    dora.book.write("Lyon", "CRACK", "A break that goes on under load.")
    dora.book.write("Lyon", "CRACK", "A break that goes on under load.")
    vera = person(store, "vera", Role.VIEWER)
    assert [(one.class_id, one.text) for one in vera.book.pages("Lyon")] == [
        ("CRACK", "A break that goes on under load."), ("BURR", ""),
    ]  # fmt: skip
    assert page(vera).by == "dora"
    with store.database.reading() as connection:
        assert list(connection.scalars(sa.select(book_pages.c.text).order_by(book_pages.c.id))) == [
            "A break that goes on.", "A break that goes on under load.",
        ]  # fmt: skip
    for other in (vera, person(store, "ines")):
        with pytest.raises(NotAllowed):
            other.book.write("Lyon", "CRACK", "no")
    with pytest.raises(NotFound):
        dora.book.write("Lyon", "DENT", "no such class")


def test_examples_of_each_kind_keep_their_order_and_say_what_they_are(dora: Store, shown: list[int]) -> None:
    first, second, third = shown
    a = dora.book.add("Lyon", "CRACK", first, GOOD, "runs to the  edge", (10, 20, 30, 40))
    b = dora.book.add("Lyon", "CRACK", second, GOOD)
    c = dora.book.add("Lyon", "CRACK", third, GOOD)
    d = dora.book.add("Lyon", "CRACK", second, COUNTER, "a hair on the lens", really=NO_DEFECT)
    dora.book.move(c, -2)
    dora.book.move(a, 5)
    found = page(dora)
    assert [one.id for one in found.of(GOOD)] == [c, b, a]
    assert (found.of(GOOD)[2].caption, found.of(GOOD)[2].box) == ("runs to the edge", (10, 20, 30, 40))
    assert [(one.id, one.really) for one in found.of(COUNTER)] == [(d, NO_DEFECT)]
    dora.book.change(b, "hard to see", BORDERLINE)
    assert [one.caption for one in page(dora).of(BORDERLINE)] == ["hard to see"]
    dora.book.remove(a)
    assert [one.id for one in page(dora).of(GOOD)] == [c]
    with pytest.raises(NotFound):
        dora.book.remove(a)


def test_every_change_of_the_book_leaves_a_row_in_the_trail(store: Store, dora: Store, shown: list[int]) -> None:
    number = dora.book.add("Lyon", "CRACK", shown[0], GOOD, "seen from the side")
    dora.book.add("Lyon", "CRACK", shown[1], GOOD)
    dora.book.move(number, 1)
    dora.book.change(number, "seen from above", GOOD)
    dora.book.remove(number)
    with store.database.reading() as connection:
        rows = connection.execute(sa.select(audit_events).where(audit_events.c.subject == "class CRACK")).all()
    assert [row.action for row in rows] == [
        "book example added", "book example added", "book example moved", "book example changed",
        "book example removed",
    ]  # fmt: skip
    assert rows[3].old["caption"] == "seen from the side"
    assert rows[4].old["example"] == number


def test_what_makes_no_sense_is_refused(store: Store, dora: Store, shown: list[int]) -> None:
    with pytest.raises(BadInput, match="not inside the picture"):
        dora.book.add("Lyon", "CRACK", shown[0], GOOD, box=(600, 10, 100, 10))
    for really in (None, "CRACK", "DENT"):
        with pytest.raises(BadInput, match="say which class"):
            dora.book.add("Lyon", "CRACK", shown[0], COUNTER, really=really)
    with pytest.raises(BadInput, match="at most"):
        dora.book.add("Lyon", "CRACK", shown[0], GOOD, "x" * 400)
    dora.book.add("Lyon", "CRACK", shown[0], GOOD)
    with pytest.raises(Conflict, match="already"):
        dora.book.add("Lyon", "CRACK", shown[0], GOOD)
    store.sites.add("Turin")
    with pytest.raises(NotFound):
        dora.book.add("Turin", "CRACK", shown[0], GOOD)


def test_a_part_that_waits_for_an_answer_does_not_come_into_the_book_and_comes_out_of_sight(
    store: Store, dora: Store, shown: list[int]
) -> None:
    [held] = file(store, arrival(9, 0.5))
    with pytest.raises(Conflict, match="asked about this part"):
        dora.book.add("Lyon", "CRACK", held.image_id, GOOD)
    dora.book.add("Lyon", "CRACK", shown[0], GOOD, "a crack")
    ines, vera = person(store, "ines"), person(store, "vera", Role.VIEWER)
    assert len(page(ines).examples) == 1
    part = store.images.get(shown[0]).part_id
    sent = store.queue.send(part, TaskKind.SECOND_LOOK)
    assert (page(ines).examples, page(ines).held_back) == ((), 1)
    assert len(page(vera).examples) == 1  # nobody asks a viewer
    task = ines.queue.lease(kinds=[TaskKind.SECOND_LOOK])
    assert task.id == sent.id
    answer(ines, task, Verdict.FAIL)
    assert (len(page(ines).examples), page(ines).held_back) == (1, 0)


def test_a_part_with_a_known_answer_and_a_part_in_the_book_exclude_each_other(
    store: Store, dora: Store, shown: list[int]
) -> None:
    quentin = person(store, "quentin", Role.QA_LEAD)
    first, second = (store.images.get(one).part_id for one in shown[:2])
    item = quentin.gold.add(first, True, "cut open", ["CRACK"])
    with pytest.raises(Conflict, match="known"):
        dora.book.add("Lyon", "CRACK", shown[0], GOOD)
    dora.book.add("Lyon", "CRACK", shown[1], GOOD)
    with pytest.raises(Conflict, match="defect book"):
        quentin.gold.add(second, True, "cut open", ["CRACK"])
    quentin.gold.retire(item, "worn out")
    dora.book.add("Lyon", "CRACK", shown[0], GOOD)


def test_the_page_of_a_retired_class_stays_readable_behind_the_others(
    store: Store, dora: Store, shown: list[int]
) -> None:
    dora.book.add("Lyon", "CRACK", shown[0], GOOD)
    dora.taxonomies.append("Lyon", retired(dora.taxonomies.of("Lyon"), "CRACK"), "one class less")
    assert [(one.class_id, one.known, len(one.examples)) for one in dora.book.pages("Lyon")] == [
        ("BURR", True, 0), ("CRACK", False, 1),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        dora.book.write("Lyon", "CRACK", "too late")


def test_retention_spares_a_picture_in_the_book(store: Store, dora: Store, shown: list[int], clock) -> None:
    dora.book.add("Lyon", "CRACK", shown[0], GOOD)
    clock.pass_(days=400)
    assert {one.id for one in store.upkeep.old_images(clock.now)} == set(shown[1:])

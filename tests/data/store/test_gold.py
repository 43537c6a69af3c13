"""Parts with a known answer: drawn blind among the rest, answered like any, and of no effect on the part."""

import itertools
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.audits.facts import Shares
from core.errors import BadInput, Conflict, NotAllowed
from core.records import TaskKind, Verdict
from core.roles import Role
from data.store import Store
from data.tables import outbox
from tests.data.store.conftest import Clock
from tests.data.store.plant import answer, arrival, file, person, site


class Chance:
    """What is drawn, as a test wants it."""

    def __init__(self) -> None:
        self.draws = itertools.repeat(0.0)

    def __call__(self) -> float:
        return next(self.draws)


@pytest.fixture
def chance() -> Chance:
    return Chance()


@pytest.fixture
def store(store: Store, chance: Chance) -> Store:
    return Store(replace(store.database, draw=chance), store.actor)


@pytest.fixture
def lead(store: Store) -> Store:
    site(store)
    return person(store, "quentin", Role.QA_LEAD)


@pytest.fixture
def ana(store: Store, lead: Store) -> Store:
    return person(store, "ana")


@pytest.fixture
def known(store: Store, lead: Store) -> int:
    """A part that failed by itself, for which the QA lead vouches."""
    [filed] = file(store, arrival(900, 0.95))
    lead.gold.add(filed.part_id, True, "cut open in the laboratory", ["CRACK"])
    return filed.part_id


def always(lead: Store) -> None:
    lead.gold.set_shares("Lyon", Shares(gold=0.5), "to know how well we see")


def test_a_known_part_joins_the_queue_with_the_parts_that_are_held(
    store: Store, lead: Store, ana: Store, known: int
) -> None:
    always(lead)
    file(store, arrival(1, 0.5))
    kinds = {task.kind for task in lead.queue.next(9, site="Lyon")}
    assert kinds == {TaskKind.TRIAGE}  # whoever vouched for it is never asked
    assert {task.kind: task.part_id for task in ana.queue.next(9)}[TaskKind.GOLD] == known


def test_the_share_of_known_parts_among_all_tasks_is_the_one_that_was_set(
    store: Store, lead: Store, ana: Store, chance: Chance
) -> None:
    for number, filed in enumerate(file(store, *[arrival(500 + n, 0.95) for n in range(120)])):
        lead.gold.add(filed.part_id, number % 2 == 0, "measured")
    lead.gold.set_shares("Lyon", Shares(gold=0.2), "to know how well we see")
    chance.draws = ((n * 0.618034) % 1.0 for n in itertools.count())  # evenly spread, and the same each time
    file(store, *[arrival(n, 0.5) for n in range(240)])
    kinds = store.queue.counts("Lyon").kinds
    assert kinds["triage"] == 240
    assert kinds["gold"] / (kinds["gold"] + kinds["triage"]) == pytest.approx(0.2, abs=0.02)


def test_nothing_is_drawn_where_nobody_is_left_who_has_not_answered_it(
    store: Store, lead: Store, ana: Store, known: int
) -> None:
    always(lead)
    file(store, arrival(1, 0.5))
    task = ana.queue.lease(kinds=[TaskKind.GOLD])
    answer(ana, task, Verdict.FAIL)
    file(store, arrival(2, 0.5))
    assert "gold" not in store.queue.counts("Lyon").kinds


def test_who_has_answered_one_known_part_is_still_asked_about_another(
    store: Store, lead: Store, ana: Store, known: int
) -> None:
    [other] = file(store, arrival(901, 0.95))
    lead.gold.add(other.part_id, True, "measured")
    always(lead)
    asked = []
    for number in range(2):
        file(store, arrival(number, 0.5))
        task = ana.queue.lease(kinds=[TaskKind.GOLD])
        asked.append(task.part_id)
        answer(ana, task, Verdict.FAIL)
    assert sorted(asked) == sorted([known, other.part_id])


def test_an_answer_to_a_known_part_changes_neither_part_nor_label_and_tells_the_line_nothing(
    store: Store, lead: Store, ana: Store, known: int
) -> None:
    always(lead)
    file(store, arrival(1, 0.5))
    task = ana.queue.lease(kinds=[TaskKind.GOLD])
    image = store.images.of_part(known)[0].id
    before = _told(store)
    answer(ana, task, Verdict.PASS)
    assert store.labels.get(image) is None
    assert _told(store) == before
    assert store.reviews.overrides("Lyon") == []
    [item] = lead.gold.items("Lyon")
    assert (item.answered, item.right) == (1, 0)
    again = ana.reviews.undo(task_id=task.id)
    assert _told(store) == before
    answer(ana, again, Verdict.FAIL)
    [item] = lead.gold.items("Lyon")
    assert (item.answered, item.right) == (1, 1)


def test_a_passed_known_part_releases_nothing(store: Store, lead: Store, ana: Store) -> None:
    [filed] = file(store, arrival(1, 0.5))
    answer(ana, ana.queue.lease(), Verdict.FAIL)
    lead.gold.add(filed.part_id, True, "measured")
    always(lead)
    ben = person(store, "ben")
    file(store, arrival(2, 0.5))
    answer(ben, ben.queue.lease(kinds=[TaskKind.GOLD]), Verdict.PASS)
    file(store, arrival(3, 0.1, part="part-1"))
    assert store.parts.decision(filed.part_id).outcome == "HOLD"


def test_unsure_about_a_known_part_asks_nobody_else(store: Store, lead: Store, ana: Store, known: int) -> None:
    always(lead)
    file(store, arrival(1, 0.5))
    answer(ana, ana.queue.lease(kinds=[TaskKind.GOLD]), Verdict.UNSURE)
    assert "second_look" not in store.queue.counts("Lyon").kinds


def test_whoever_made_and_retired_an_item_is_on_record(store: Store, lead: Store, ana: Store, known: int) -> None:
    always(lead)
    file(store, arrival(1, 0.5))
    [item] = lead.gold.items("Lyon")
    assert (item.by, item.classes, item.defective) == ("quentin", ("CRACK",), True)
    lead.gold.retire(item.id, "the laboratory was wrong")
    assert lead.gold.items("Lyon") == []
    assert [one.retired_by for one in lead.gold.items("Lyon", retired=True)] == ["quentin"]
    assert "gold" not in store.queue.counts("Lyon").kinds
    acts = [event for event in store.audit.recent(50) if event.action.startswith(("gold", "eyes"))]
    assert [(event.action, event.by) for event in acts] == [
        ("gold item retired", "quentin"), ("eyes checked", "quentin"), ("gold item made", "quentin"),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="retired by quentin"):
        lead.gold.retire(item.id, "once more")


def test_what_cannot_be_vouched_for_is_refused(store: Store, lead: Store, ana: Store, known: int) -> None:
    [held] = file(store, arrival(1, 0.5))
    with pytest.raises(Conflict, match="in the queue"):
        lead.gold.add(held.part_id, True, "because")
    with pytest.raises(Conflict, match="gold item already"):
        lead.gold.add(known, False, "because")
    [good] = file(store, arrival(2, 0.1))
    with pytest.raises(BadInput, match="BURR"):
        lead.gold.add(good.part_id, False, "because", ["BURR"])
    with pytest.raises(BadInput, match="sentence"):
        lead.gold.add(good.part_id, False, " ")
    with pytest.raises(NotAllowed):
        ana.gold.items("Lyon")
    with pytest.raises(BadInput, match="outside"):
        Shares(gold=0.7)


def test_the_picture_of_a_known_part_is_kept_however_old_it_is(
    store: Store, lead: Store, known: int, clock: Clock
) -> None:
    [other] = file(store, arrival(1, 0.1))
    later = clock.pass_(days=400)
    assert [image.id for image in store.upkeep.old_images(later)] == [other.image_id]
    lead.gold.retire(lead.gold.items("Lyon")[0].id, "no longer needed")
    assert len(store.upkeep.old_images(later)) == 2


def test_a_site_that_checks_its_eyes_asks_for_a_persons_own_first_look(store: Store, lead: Store) -> None:
    assert not store.sites.get("Lyon").blind
    lead.gold.set_shares("Lyon", Shares(second=0.1), "agreement")
    assert store.sites.get("Lyon").blind


def _told(store: Store) -> int:
    with store.database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(outbox))

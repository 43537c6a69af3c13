"""Second looks are by a second person, and where two differ a third settles it."""

from dataclasses import replace

import pytest

from core.audits.facts import Shares
from core.errors import Conflict
from core.records import LabelStatus, TaskKind, Verdict
from core.roles import Role
from data.store import Store
from tests.data.store.plant import answer, arrival, file, person, site

DRAWN, NOT_DRAWN = 0.2, 0.25


@pytest.fixture
def draws() -> list[float]:
    """What chance says from now on."""
    return [DRAWN]


@pytest.fixture
def store(store: Store, draws: list[float]) -> Store:
    return Store(replace(store.database, draw=lambda: draws[-1]), store.actor)


@pytest.fixture
def people(store: Store) -> list[Store]:
    site(store)
    lead = person(store, "quentin", Role.QA_LEAD)
    lead.gold.set_shares("Lyon", Shares(second=0.25), "to see how far we agree")
    return [person(store, name) for name in ("ana", "ben", "eve")]


def label(store: Store, part_id: int):
    return store.labels.get(store.images.of_part(part_id)[0].id)


def test_a_drawn_answer_is_given_to_a_second_person_only(store: Store, people: list[Store]) -> None:
    ana, ben, _ = people
    file(store, arrival(1))
    answer(ana, ana.queue.lease(), Verdict.FAIL)
    assert ana.queue.lease() is None
    assert ben.queue.lease().kind is TaskKind.SECOND_LOOK


def test_an_answer_that_was_not_drawn_asks_nobody_else(store: Store, people: list[Store], draws: list[float]) -> None:
    draws.append(NOT_DRAWN)
    file(store, arrival(1))
    answer(people[0], people[0].queue.lease(), Verdict.FAIL)
    assert people[1].queue.lease() is None


def test_two_who_agree_need_no_third(store: Store, people: list[Store]) -> None:
    ana, ben, eve = people
    [filed] = file(store, arrival(1))
    answer(ana, ana.queue.lease(), Verdict.FAIL)
    answer(ben, ben.queue.lease(), Verdict.REWORK)
    assert eve.queue.lease() is None
    assert label(store, filed.part_id).defective


@pytest.mark.parametrize("third", [Verdict.PASS, Verdict.FAIL])
def test_two_who_differ_are_settled_by_a_third_and_neither_of_them_may_be_that(
    store: Store, people: list[Store], third: Verdict
) -> None:
    ana, ben, eve = people
    [filed] = file(store, arrival(1))
    answer(ana, ana.queue.lease(), Verdict.PASS)
    answer(ben, ben.queue.lease(), Verdict.FAIL)
    assert ana.queue.lease() is None
    assert ben.queue.lease() is None
    task = eve.queue.lease()
    assert (task.kind, task.part_id) == (TaskKind.SECOND_LOOK, filed.part_id)
    answer(eve, task, third)
    found = label(store, filed.part_id)
    assert (found.verdict, found.status, found.by) == (third, LabelStatus.ADJUDICATED, "eve")
    assert store.queue.counts("Lyon").kinds == {}


def test_after_a_doubt_one_sure_second_look_settles_it(store: Store, people: list[Store]) -> None:
    ana, ben, eve = people
    file(store, arrival(1))
    answer(ana, ana.queue.lease(), Verdict.UNSURE)
    answer(ben, ben.queue.lease(), Verdict.FAIL)
    assert eve.queue.lease() is None


def test_an_answer_stands_once_a_second_person_has_answered(store: Store, people: list[Store]) -> None:
    ana, ben, _ = people
    file(store, arrival(1))
    first = ana.queue.lease()
    answer(ana, first, Verdict.FAIL)
    answer(ben, ben.queue.lease(), Verdict.FAIL)
    with pytest.raises(Conflict, match="the answer stands"):
        ana.reviews.undo(task_id=first.id)


def test_a_second_look_that_differs_can_be_taken_back_with_the_third_that_it_asked_for(
    store: Store, people: list[Store]
) -> None:
    ana, ben, eve = people
    [filed] = file(store, arrival(1))
    answer(ana, ana.queue.lease(), Verdict.FAIL)
    wrong = ben.queue.lease()
    answer(ben, wrong, Verdict.PASS)  # the wrong key
    again = ben.reviews.undo(task_id=wrong.id)
    answer(ben, again, Verdict.FAIL)
    assert eve.queue.lease() is None
    assert label(store, filed.part_id).defective


def test_an_answer_that_is_taken_back_takes_its_second_look_along(store: Store, people: list[Store]) -> None:
    ana, ben, _ = people
    file(store, arrival(1))
    first = ana.queue.lease()
    answer(ana, first, Verdict.FAIL)
    ana.reviews.undo(task_id=first.id)
    assert ben.queue.lease() is None

"""Classes proposed from novel parts: entered once, accepted as a taxonomy version, or declined; on both databases."""

import pytest

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.learn.novelty.records import ProposalState, Suggested
from core.records import TaskKind, Verdict
from core.roles import Role
from data.store import Store
from tests.data.store.plant import answer, arrival, file, person, site
from tests.data.store.test_memories import _novel

SEEN = Suggested((3, 1, 2), (3, 1, 2), 0.41)


@pytest.fixture
def plant(store: Store) -> Store:
    site(store)
    file(store, *(_novel(number, 2.0) for number in range(1, 6)), arrival(9))
    return store


def test_novel_parts_say_what_people_found(plant: Store) -> None:
    ines = person(plant, "ines")
    for verdict, classes in ((Verdict.FAIL, ()), (Verdict.FAIL, ("CRACK",)), (Verdict.PASS, ())):
        task = ines.queue.lease()
        assert task is not None
        answer(ines, task, verdict, classes=classes)
    found = plant.proposals.novel("Lyon")
    assert len(found) == 5
    said = [one for one in found if one.defective is not None]
    assert sorted((one.defective, one.classes) for one in said) == [(False, ()), (True, ()), (True, ("CRACK",))]
    assert all(len(one.image_ids) == len(one.paths) == len(one.hashes) == 1 for one in found)


def test_an_accepted_proposal_is_a_class_and_its_parts_are_asked_about_by_name(plant: Store) -> None:
    (made,) = plant.proposals.propose("Lyon", "net-1", [SEEN])
    assert (made.state, made.image_ids, made.part_ids) == (ProposalState.OPEN, (3, 1, 2), (3, 1, 2))
    ines = person(plant, "ines")
    task = ines.queue.lease()
    assert task is not None
    answer(ines, task, Verdict.FAIL)
    before = plant.sites.get("Lyon").taxonomy_number
    done = plant.proposals.accept(made.id, " DENT ", "Dent", "a pushed-in place, no edge", "round and shallow")
    assert (done.state, done.class_id, done.answered_by) == (ProposalState.ACCEPTED, "DENT", plant.actor.name)
    now = plant.sites.get("Lyon")
    assert now.taxonomy_number == before + 1
    assert now.taxonomy.get("DENT").label == "Dent"
    assert now.taxonomy.get("DENT").description == "round and shallow"
    labelling = plant.queue.counts("Lyon").kinds.get(str(TaskKind.LABEL), 0)
    assert labelling == (1 if task.part_id in made.part_ids else 0)  # the others still wait for their first answer
    events = [one.action for one in plant.audit.recent(10)]
    assert {"class proposed", "class accepted", "taxonomy changed"} <= set(events)
    with pytest.raises(Conflict, match="has accepted"):
        plant.proposals.decline(made.id, "no")


def test_a_declined_proposal_is_not_made_again(plant: Store) -> None:
    (made,) = plant.proposals.propose("Lyon", "net-1", [SEEN])
    assert plant.proposals.propose("Lyon", "net-1", [SEEN]) == []
    assert plant.proposals.decline(made.id, "oil, not a defect").answer == "oil, not a defect"
    assert plant.proposals.propose("Lyon", "net-1", [Suggested((1, 2), (1, 2), 0.5)]) == []
    assert len(plant.proposals.propose("Lyon", "net-1", [Suggested((4, 5), (4, 5, 6), 0.5)])) == 1
    assert [one.state for one in plant.proposals.all("Lyon", ProposalState.DECLINED)] == [ProposalState.DECLINED]


def test_a_name_that_means_something_already_is_no_new_class(plant: Store) -> None:
    (made,) = plant.proposals.propose("Lyon", "net-1", [SEEN])
    for name, label in (("CRACK", ""), ("fracture", ""), ("NEW", "crack"), ("ok", "")):
        with pytest.raises(Conflict, match="means"):
            plant.proposals.accept(made.id, name, label, "why")
    for name, reason in (("", "why"), ("DENT", " ")):
        with pytest.raises(BadInput):
            plant.proposals.accept(made.id, name, "", reason)
    with pytest.raises(BadInput):
        plant.proposals.decline(made.id, "")
    with pytest.raises(NotFound):
        plant.proposals.decline(99, "why")
    assert plant.sites.get("Lyon").taxonomy_number == 1
    assert plant.proposals.all("Lyon")[0].state is ProposalState.OPEN


def test_a_site_without_classes_gets_its_first(store: Store) -> None:
    store.sites.add("Oslo")
    file(store, arrival(1), at="Oslo")
    (made,) = store.proposals.propose("Oslo", "net-1", [Suggested((1,), (1,), 0.5)])
    store.proposals.accept(made.id, "DENT", "", "the first")
    assert store.taxonomies.of("Oslo").ids == ("DENT",)


def test_who_was_not_given_the_site_answers_nothing(plant: Store) -> None:
    (made,) = plant.proposals.propose("Lyon", "net-1", [SEEN])
    plant.sites.add("Turin")
    quentin = person(plant, "quentin", Role.QA_LEAD, ["Turin"])
    with pytest.raises(NotAllowed):
        quentin.proposals.accept(made.id, "DENT", "", "why")
    with pytest.raises(NotAllowed):
        person(plant, "ines2").proposals.decline(made.id, "why")

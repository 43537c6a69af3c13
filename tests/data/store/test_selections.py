"""Labelling batches: proposed, sent into the one queue, followed; and none of their tasks can be told by others."""

import pytest

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.learn.select.batches import BatchState, Proposed
from core.records import Review, TaskKind, Verdict
from core.roles import Role
from data.store import Store
from data.store.science import selections as module
from tests.data.store.plant import answer, arrival, file, person, site


@pytest.fixture
def plant(store: Store) -> Store:
    """Twelve parts that passed by themselves, and one that is held."""
    site(store)
    file(store, *(arrival(n, 0.1) for n in range(1, 13)), arrival(13, 0.5))
    return store


def ids(store: Store, labelled: bool = False) -> list[int]:
    return [one.image_id for one in store.selections.candidates("Lyon", labelled)]


def picks(image_ids: list[int]) -> list[Proposed]:
    return [
        Proposed(
            image_id, "random" if n == 0 else "strategy", 0.5, f"why {n}", 0.1 if n == 0 else None, (0.0, float(n))
        )
        for n, image_id in enumerate(image_ids)
    ]


def propose(store: Store, image_ids: list[int], strategy: str = "entropy") -> int:
    return store.selections.propose(strategy, "net-1", "0" * 64, picks(image_ids), {"items": 3}, {"pool": 12}, 0.5, 30)


def test_what_waits_in_the_queue_or_has_a_label_is_no_candidate(plant: Store) -> None:
    free = ids(plant)
    assert len(free) == 12
    assert ids(plant, labelled=True) == []
    dora = person(plant, "dora", Role.DATA_SCIENTIST)
    task = dora.queue.lease(kinds=[TaskKind.TRIAGE])
    answer(dora, task)
    assert len(ids(plant)) == 12
    [labelled] = plant.selections.candidates("Lyon", labelled=True)
    assert (labelled.defective, labelled.asked_by) == (True, None)


def test_a_picture_whose_answer_is_known_is_no_candidate(plant: Store) -> None:
    first = plant.images.get(ids(plant)[0])
    plant.gold.add(first.part_id, False, "measured")
    assert first.id not in ids(plant)


def test_a_proposed_batch_asks_nobody_until_it_is_sent(plant: Store) -> None:
    chosen = ids(plant)[:3]
    number = propose(plant, chosen)
    assert plant.queue.counts().kinds == {"triage": 1}
    batch = plant.selections.get(number)
    assert (batch.state, batch.chosen, batch.done) == (BatchState.PROPOSED, 3, 0)
    sent = plant.selections.send(number)
    assert (sent.state, sent.sent_by) == (BatchState.SENT, "command line")
    assert plant.queue.counts().kinds == {"label": 3, "triage": 1}
    assert not set(chosen) & set(ids(plant))
    with pytest.raises(Conflict, match="sent already"):
        plant.selections.send(number)


def test_answers_to_a_batch_are_followed_by_arm(plant: Store, clock) -> None:
    number = propose(plant, ids(plant)[:3])
    clock.pass_(minutes=1)
    plant.selections.send(number)
    dora = person(plant, "dora", Role.DATA_SCIENTIST)
    for verdict in (Verdict.FAIL, Verdict.PASS):
        clock.pass_(minutes=1)
        task = dora.queue.lease(kinds=[TaskKind.LABEL])
        answer(dora, task, verdict, classes=("CRACK",) if verdict is Verdict.FAIL else ())
    items = plant.selections.items(number)
    assert plant.selections.get(number).done == 2
    assert sorted(str(one.defective) for one in items) == ["False", "None", "True"]
    assert [one.classes for one in items if one.defective] == [("CRACK",)]
    assert [one.arm for one in items] == ["random", "strategy", "strategy"]
    assert items[1].point == (0.0, 1.0)
    by = {one.image_id: one.asked_by for one in plant.selections.candidates("Lyon", labelled=True)}
    wanted = {one.image_id: "random" if one.arm == "random" else "entropy" for one in items}
    assert len(by) == 2
    assert by.items() <= wanted.items()


def test_what_changed_meanwhile_is_skipped_with_a_reason(plant: Store) -> None:
    chosen = ids(plant)[:4]
    number = propose(plant, chosen)
    parts = [plant.images.get(one).part_id for one in chosen]
    plant.queue.send(parts[0], TaskKind.AUDIT)
    review = Review(Verdict.PASS, "import:test", source={"source": "test"})
    plant.reviews.imported("Lyon", [(chosen[1], review)])
    plant.selections.send(number)
    told = [one.skipped for one in plant.selections.items(number)]
    assert told[0] == "its part is in the queue already"
    assert told[1] == "it has been labelled since"
    assert told[2:] == ["", ""]


def test_a_batch_that_stopped_half_way_goes_on_and_asks_nobody_twice(plant: Store, monkeypatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    number = propose(plant, ids(plant)[:7])
    real, calls = module._task_for, []

    def stops(*given):
        calls.append(given)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(module, "_task_for", stops)
    with pytest.raises(KeyboardInterrupt):
        plant.selections.send(number)
    assert plant.selections.get(number).state is BatchState.SENDING
    plant.selections.send(number)
    tasks = [one.task_id for one in plant.selections.items(number)]
    assert len(set(tasks)) == 7
    assert plant.queue.counts().kinds["label"] == 7


def test_what_was_discarded_is_not_sent_and_what_was_sent_not_discarded(plant: Store) -> None:
    first, second = propose(plant, ids(plant)[:2]), propose(plant, ids(plant)[:2])
    plant.selections.discard(first)
    with pytest.raises(Conflict, match="discarded"):
        plant.selections.send(first)
    plant.selections.send(second)
    with pytest.raises(Conflict, match="stays asked"):
        plant.selections.discard(second)
    assert [one.id for one in plant.selections.all()] == [second, first]


def test_every_step_leaves_an_event(plant: Store) -> None:
    number = propose(plant, ids(plant)[:2])
    plant.selections.send(number)
    plant.selections.discard(propose(plant, ids(plant)[:2]))
    told = [event.action for event in plant.audit.recent(10) if event.subject.startswith("selection ")]
    assert sorted(told) == ["labelling batch discarded", "labelling batch proposed", "labelling batch proposed",
                            "labelling batch sent"]  # fmt: skip


def test_a_batch_over_a_site_that_was_not_given_is_closed(plant: Store) -> None:
    number = propose(plant, ids(plant)[:2])
    plant.sites.add("Turin")
    away = person(plant, "tina", Role.DATA_SCIENTIST, ["Turin"])
    assert away.selections.all() == []
    for call in (away.selections.get, away.selections.items, away.selections.send, away.selections.discard):
        with pytest.raises(NotAllowed):
            call(number)
    with pytest.raises(NotAllowed):
        propose(away, ids(plant)[:2])
    assert away.selections.candidates() == []


def test_nonsense_is_refused(plant: Store) -> None:
    with pytest.raises(BadInput, match="0 pictures"):
        propose(plant, [])
    with pytest.raises(NotFound, match="no image 999"):
        propose(plant, [999])
    first = ids(plant)[0]
    with pytest.raises(BadInput, match="twice"):
        propose(plant, [first, first])
    with pytest.raises(NotFound, match="batch 7"):
        plant.selections.get(7)


def test_while_a_label_is_asked_for_again_every_look_at_the_site_is_a_first_one(plant: Store) -> None:
    dora = person(plant, "dora", Role.DATA_SCIENTIST)
    answer(dora, dora.queue.lease(kinds=[TaskKind.TRIAGE]), Verdict.PASS)
    assert not plant.queue.asks_again("Lyon")
    plant.selections.send(propose(plant, ids(plant)[:2]))
    assert not plant.queue.asks_again("Lyon")  # nobody has said anything about these yet
    plant.selections.send(propose(plant, ids(plant, labelled=True), "relabel-suspects"))
    assert plant.queue.asks_again("Lyon")
    ida = person(plant, "ida", Role.DATA_SCIENTIST)
    while (task := ida.queue.lease(kinds=[TaskKind.LABEL])) is not None:
        answer(ida, task, Verdict.PASS)
    assert not plant.queue.asks_again("Lyon")

"""Answers: checked, fenced, append-only, undone by a new row."""

import math

import pytest
import sqlalchemy as sa

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.records import LabelStatus, Polygons, Region, Review, Rle, Severity, TaskKind, Verdict
from core.roles import Role
from data import tables
from data.store import Store
from tests.data.store.plant import CLASSES, answer, arrival, file, person, site

BOX = Region(10, 20, 30, 40, "CRACK", "CRACK", Severity.MAJOR)


@pytest.fixture
def ana(store: Store) -> Store:
    site(store)
    return person(store, "ana")


@pytest.fixture
def ben(store: Store, ana: Store) -> Store:
    return person(store, "ben")


def test_an_answer_keeps_everything_and_labels_the_picture(store: Store, ana: Store, clock) -> None:
    [filed] = file(store, arrival(1))
    task = ana.queue.lease()
    said = Review(
        Verdict.FAIL, "somebody else", {filed.image_id: (BOX,)}, ("BURR",), 4, "at the edge", ("seen before",), 7.5
    )
    review_id = ana.reviews.add(task.id, task.revision, task.fence, said)
    [found] = store.reviews.of_part(filed.part_id)
    assert (found.id, found.by, found.reviewed_at, found.verdict) == (review_id, "ana", clock.now, Verdict.FAIL)
    assert (found.regions, found.classes, found.sure) == ({filed.image_id: (BOX,)}, ("BURR",), 4)
    assert (found.note, found.reasons, found.seconds) == ("at the edge", ("seen before",), 7.5)
    label = ana.labels.get(filed.image_id)
    assert (label.defective, label.classes, label.regions, label.by) == (True, ("BURR", "CRACK"), (BOX,), "ana")
    assert (label.model, label.policy, label.status, label.changed) == ("net-1", 1, LabelStatus.SINGLE, True)
    assert store.outbox.pending(topic="review")[0].payload["route"] == "rework"
    event = store.audit.recent(subject=f"part {filed.part_id}")[0]
    assert (event.by, event.action, event.new["verdict"], event.model, event.policy) == (
        "ana",
        "reviewed",
        "FAIL",
        "net-1",
        1,
    )


def test_one_key_pressed_twice_saves_once(store: Store, ana: Store) -> None:
    file(store, arrival(1))
    task = ana.queue.lease()
    answer(ana, task)
    with pytest.raises(Conflict):
        answer(ana, task)
    assert len(store.reviews.of_part(task.part_id)) == 1


def test_an_answer_to_a_task_that_nobody_leased_is_refused(store: Store, ana: Store) -> None:
    file(store, arrival(1))
    [task] = ana.queue.next(1)
    with pytest.raises(Conflict, match="no lease on this part"):
        answer(ana, task)


def test_unsure_is_no_label_and_asks_somebody_else(store: Store, ana: Store, ben: Store) -> None:
    [filed] = file(store, arrival(1))
    answer(ana, ana.queue.lease(), Verdict.UNSURE)
    assert ana.labels.get(filed.image_id) is None
    assert ana.queue.lease() is None
    task = ben.queue.lease()
    assert task.kind is TaskKind.SECOND_LOOK
    answer(ben, task, Verdict.PASS)
    label = ana.labels.get(filed.image_id)
    assert (label.defective, label.by, label.status) == (False, "ben", LabelStatus.ADJUDICATED)


def test_nobody_who_was_unsure_gets_the_third_look(store: Store, ana: Store, ben: Store) -> None:
    eve = person(store, "eve")
    file(store, arrival(1))
    answer(ana, ana.queue.lease(), Verdict.UNSURE)
    answer(ben, ben.queue.lease(), Verdict.UNSURE)
    assert ana.queue.lease() is None
    assert ben.queue.lease() is None
    assert eve.queue.lease().kind is TaskKind.SECOND_LOOK


def test_an_undone_answer_opens_the_task_again(store: Store, ana: Store, ben: Store) -> None:
    [filed] = file(store, arrival(1))
    task = ana.queue.lease()
    answer(ana, task)
    again = ana.reviews.undo(task_id=task.id)
    assert (again.id, again.revision, again.leased_by) == (task.id, 2, "ana")
    assert again.fence > task.fence
    assert ana.labels.get(filed.image_id) is None
    assert store.reviews.of_part(filed.part_id) == []
    assert len(store.reviews.of_part(filed.part_id, undone=True)) == 1
    assert ben.queue.lease() is None
    answer(ana, again, Verdict.PASS)
    assert ana.labels.get(filed.image_id).defective is False
    with store.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.reviews)) == 3


def test_undo_goes_back_twenty_acts(store: Store, ana: Store) -> None:
    file(store, *(arrival(number) for number in range(20)))
    done = []
    for _ in range(20):
        task = ana.queue.lease()
        answer(ana, task)
        done.append(task.id)
    for task_id in reversed(done):
        assert ana.reviews.undo(task_id=task_id).id == task_id
    assert ana.queue.counts().waiting == 19
    assert ana.queue.held().id == done[0]


def test_an_answer_is_taken_back_once_and_by_its_author(store: Store, ana: Store, ben: Store) -> None:
    file(store, arrival(1))
    task = ana.queue.lease()
    review_id = answer(ana, task)
    with pytest.raises(Conflict, match="Only ana"):
        ben.reviews.undo(review_id=review_id)
    ana.reviews.undo(review_id=review_id)
    with pytest.raises(Conflict, match="undone already"):
        ana.reviews.undo(review_id=review_id)
    with pytest.raises(NotFound):
        ana.reviews.undo(task_id=10**6)
    with pytest.raises(BadInput):
        ana.reviews.undo()


def test_taking_back_unsure_takes_the_second_look_along(store: Store, ana: Store, ben: Store) -> None:
    file(store, arrival(1))
    task = ana.queue.lease()
    answer(ana, task, Verdict.UNSURE)
    ana.reviews.undo(task_id=task.id)
    assert ben.queue.lease() is None


def test_unsure_stands_once_the_second_look_is_given(store: Store, ana: Store, ben: Store) -> None:
    file(store, arrival(1))
    task = ana.queue.lease()
    answer(ana, task, Verdict.UNSURE)
    second = ben.queue.lease()
    with pytest.raises(Conflict, match="ben is giving it a second look"):
        ana.reviews.undo(task_id=task.id)
    answer(ben, second)
    with pytest.raises(Conflict, match="ben has given a second look"):
        ana.reviews.undo(task_id=task.id)


@pytest.mark.parametrize(
    "region",
    [
        Region(math.nan, 0, 10, 10, "CRACK"),
        Region(0, 0, math.inf, 10, "CRACK"),
        Region(0, 0, 0, 10, "CRACK"),
        Region(0, 0, 10, -1, "CRACK"),
        Region(-0.6, 0, 10, 10, "CRACK"),
        Region(635, 0, 10, 10, "CRACK"),
        Region(0, 470, 10, 10.6, "CRACK"),
        Region(0, 0, 10, 10, ""),
        Region(0, 0, 10, 10, "x", "NOT_A_CLASS"),
        Region(0, 0, 10, 10, "CRACK", "CRACK", Severity.MINOR),
        Region(0, 0, 10, 10, "fracture", None, Severity.MINOR),
        Region(0, 0, 10, 10, "CRACK", mask=Rle((10, 10), (100,))),
        Region(0, 0, 10, 10, "CRACK", mask=Polygons(((0, 0, math.nan, 1),))),
    ],
)
def test_a_box_that_cannot_be_meant_is_refused_and_nothing_is_saved(store: Store, ana: Store, region: Region) -> None:
    [filed] = file(store, arrival(1))
    task = ana.queue.lease()
    with pytest.raises(BadInput):
        answer(ana, task, regions={filed.image_id: (region,)})
    assert store.reviews.of_part(filed.part_id) == []
    answer(ana, task)  # still in hand


def test_a_box_half_a_pixel_outside_is_clipped(store: Store, ana: Store) -> None:
    [filed] = file(store, arrival(1))
    answer(ana, ana.queue.lease(), regions={filed.image_id: (Region(-0.5, 440.25, 10, 40.25, "BURR"),)})
    [region] = ana.labels.get(filed.image_id).regions
    assert (region.x, region.y, region.width, region.height) == (0, 440.25, 9.5, 39.75)


def test_masks_come_back_as_they_were(store: Store, ana: Store) -> None:
    [filed] = file(store, arrival(1))
    masks = (Rle((480, 640), (5, 10, 480 * 640 - 15)), Polygons(((0.0, 0.0, 5.5, 0.0, 5.5, 7.25),)), None)
    given = tuple(Region(0, 0, 10, 10, "BURR", mask=mask, key=str(key)) for key, mask in enumerate(masks))
    answer(ana, ana.queue.lease(), regions={filed.image_id: given})
    assert [region.mask for region in ana.labels.get(filed.image_id).regions] == list(masks)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sure": 6},
        {"note": "x" * 5000},
        {"regions": {10**6: ()}},
        {"regions": {1: (Region(0, 0, 1, 1, "BURR", key="a"), Region(2, 2, 1, 1, "BURR", key="a"))}},
        {"verdict": Verdict.PASS, "classes": ("CRACK",)},
    ],
)
def test_an_answer_that_cannot_be_meant_is_refused(store: Store, ana: Store, wrong: dict) -> None:
    file(store, arrival(1))
    with pytest.raises(BadInput):
        answer(ana, ana.queue.lease(), **wrong)


def test_overrides_are_answers_that_disagree(store: Store, ana: Store) -> None:
    passed, failed, also = file(store, arrival(1, 0.1), arrival(2, 0.9), arrival(3, 0.95))
    for filed in (passed, failed, also):
        store.queue.send(filed.part_id)
    verdicts = {passed.part_id: Verdict.FAIL, failed.part_id: Verdict.PASS, also.part_id: Verdict.REWORK}
    for _ in range(3):
        task = ana.queue.lease()
        answer(ana, task, verdicts[task.part_id])
    found = ana.reviews.overrides("Lyon")
    assert {(one.part_id, one.outcome, one.review.verdict) for one in found} == {
        (passed.part_id, "PASS", "FAIL"),
        (failed.part_id, "FAIL", "PASS"),
    }


def test_an_import_speaks_for_its_source_and_only_once(store: Store, ana: Store) -> None:
    filed = store.arrivals.file("Lyon", [arrival(1, None), arrival(2, None)], close_parts=False)
    pairs = [
        (
            filed[0].image_id,
            Review(Verdict.FAIL, "import:set", {filed[0].image_id: (BOX,)}, source={"probability": 0.9}),
        ),
        (filed[1].image_id, Review(Verdict.PASS, "import:set")),
    ]
    assert len(store.reviews.imported("Lyon", pairs)) == 2
    assert store.reviews.imported("Lyon", pairs) == []
    first, second = (store.labels.get(one.image_id) for one in filed)
    assert (first.defective, first.regions, first.by, first.probability) == (True, (BOX,), "import:set", 0.9)
    assert (second.defective, second.by) == (False, "import:set")
    with pytest.raises(BadInput):
        store.reviews.imported("Lyon", [(filed[0].image_id, Review(Verdict.PASS, "ana"))])
    with pytest.raises(NotAllowed):
        ana.reviews.imported("Lyon", pairs)


def test_a_person_outranks_an_import_and_keeps_its_boxes(store: Store, ana: Store) -> None:
    [filed] = store.arrivals.file("Lyon", [arrival(1, None)], close_parts=False)
    store.reviews.imported("Lyon", [(filed.image_id, Review(Verdict.FAIL, "import:set", {filed.image_id: (BOX,)}))])
    store.queue.send(filed.part_id, TaskKind.LABEL)
    task = ana.queue.lease()
    answer(ana, task, Verdict.REWORK)
    label = ana.labels.get(filed.image_id)
    assert (label.by, label.verdict, label.regions) == ("ana", Verdict.REWORK, (BOX,))
    again = ana.reviews.undo(task_id=task.id)
    assert ana.labels.get(filed.image_id).by == "import:set"
    answer(ana, again, Verdict.PASS)
    assert ana.labels.get(filed.image_id).defective is False


def test_severities_are_the_sites_own(store: Store, ana: Store) -> None:
    person(store, "lea", Role.QA_LEAD)
    assert CLASSES.get("BURR").severities == (Severity.MINOR, Severity.MAJOR)
    [filed] = file(store, arrival(1))
    task = ana.queue.lease()
    with pytest.raises(BadInput, match="BURR cannot be critical"):
        answer(ana, task, regions={filed.image_id: (Region(0, 0, 9, 9, "BURR", "BURR", Severity.CRITICAL),)})

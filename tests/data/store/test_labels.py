"""Labels: as they are, as they were, and when a name gets its meaning."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.errors import BadInput, NotFound
from core.plant import LabelledFile
from core.records import LabelStatus, Region, TaskKind, Verdict
from core.taxonomy import DefectClass, Taxonomy
from data import tables
from data.store import Store
from tests.data.store.plant import CLASSES, answer, arrival, file, person, site

HAIR = Region(5, 5, 50, 5, "hair line")


@pytest.fixture
def ana(store: Store) -> Store:
    site(store)
    return person(store, "ana")


def test_an_unknown_name_is_kept_counted_and_mapped(store: Store, ana: Store, clock) -> None:
    filed = file(store, arrival(1), arrival(2))
    for one in filed:
        task = ana.queue.lease()
        answer(ana, task, regions={ana.images.of_part(task.part_id)[0].id: (HAIR,)})
        assert one.part_id
    label = store.labels.get(filed[0].image_id)
    assert (label.defective, label.classes, label.unmapped) == (True, (), ("hair line",))
    [unknown] = store.taxonomies.unmapped("Lyon")
    assert (unknown.name, unknown.count) == ("hair line", 2)
    assert set(unknown.nearest) == {"CRACK", "BURR"}
    before = clock.now
    clock.pass_(minutes=1)
    assert store.taxonomies.map_name("Lyon", "Hair-Line", "CRACK") == 2
    label = store.labels.get(filed[0].image_id)
    assert (label.classes, label.unmapped, label.regions[0].class_id) == (("CRACK",), (), "CRACK")
    assert label.regions[0].name == "hair line"
    assert store.taxonomies.unmapped("Lyon") == []
    assert [one.label.classes for one in store.labels.find("Lyon", class_id="CRACK")] == [("CRACK",), ("CRACK",)]
    assert [one.label.unmapped for one in store.labels.find("Lyon", as_of=before)] == [("hair line",)] * 2
    with store.database.reading() as connection:
        mine = sa.select(tables.regions.c.class_id).where(tables.regions.c.review_id.is_not(None))
        assert set(connection.scalars(mine)) == {None}  # history is not rewritten


def test_mapping_twice_changes_nothing_and_to_another_class_is_refused(store: Store, ana: Store) -> None:
    assert store.taxonomies.map_name("Lyon", "hair line", "CRACK") == 2
    assert store.taxonomies.map_name("Lyon", "hair line", "CRACK") == 2
    with pytest.raises(BadInput):
        store.taxonomies.map_name("Lyon", "hair line", "BURR")
    with pytest.raises(NotFound):
        store.taxonomies.map_name("Lyon", "other", "NO_SUCH_CLASS")
    assert [one.number for one in store.taxonomies.versions("Lyon")] == [2, 1]


def test_a_class_that_is_dropped_leaves_its_labels_unmapped(store: Store, ana: Store) -> None:
    [filed] = file(store, arrival(1))
    answer(ana, ana.queue.lease(), regions={filed.image_id: (Region(0, 0, 9, 9, "BURR", "BURR"),)})
    store.taxonomies.append("Lyon", Taxonomy("test", "2", (DefectClass("CRACK"),)), "burrs are no longer counted")
    assert store.labels.get(filed.image_id).unmapped == ("BURR",)
    store.taxonomies.append("Lyon", CLASSES, "they are")
    assert store.labels.get(filed.image_id).classes == ("BURR",)


def test_labels_as_of_a_time_are_those_that_stood_then(store: Store, ana: Store, clock) -> None:
    ben = person(store, "ben")
    [filed] = file(store, arrival(1))
    times = {}

    def standing(moment: str) -> str | None:
        found = list(store.labels.find("Lyon", as_of=times[moment]))
        return None if not found else f"{found[0].label.verdict} by {found[0].label.by} {found[0].label.status}"

    times["before"] = clock.now
    clock.pass_(minutes=1)
    task = ana.queue.lease()
    answer(ana, task, Verdict.FAIL)
    times["failed"] = clock.now
    clock.pass_(minutes=1)
    task = ana.reviews.undo(task_id=task.id)
    times["undone"] = clock.now
    clock.pass_(minutes=1)
    answer(ana, task, Verdict.UNSURE)
    times["unsure"] = clock.now
    clock.pass_(minutes=1)
    answer(ben, ben.queue.lease(), Verdict.PASS)
    times["settled"] = clock.now
    assert {moment: standing(moment) for moment in times} == {
        "before": None,
        "failed": "FAIL by ana single",
        "undone": None,
        "unsure": None,
        "settled": "PASS by ben adjudicated",
    }
    assert store.labels.get(filed.image_id).by == "ben"


def test_find_chooses_by_site_time_class_and_correction(store: Store, ana: Store, clock) -> None:
    filed = file(store, arrival(1, 0.7), arrival(2, 0.6), arrival(3, 0.5))
    said = ana.images.prediction(filed[0].image_id)
    answer(ana, ana.queue.lease(), regions={filed[0].image_id: said.regions})  # just what the model had drawn
    clock.pass_(hours=1)
    answer(ana, ana.queue.lease(), regions={filed[1].image_id: (Region(0, 0, 9, 9, "BURR", "BURR"),)})
    clock.pass_(hours=1)
    answer(ana, ana.queue.lease(), Verdict.PASS)

    def ids(**filters: object) -> list[int]:
        return [one.image.id for one in store.labels.find(**filters)]

    images = [one.image_id for one in filed]
    assert ids() == ids(site="Lyon") == images
    assert ids(class_id="BURR") == [images[1]]
    assert ids(class_id="BURR", as_of=clock.now) == [images[1]]
    assert ids(only_corrected=True) == images[1:]
    assert ids(since=clock.now - timedelta(hours=1)) == images[1:]
    assert ids(until=clock.now - timedelta(hours=1)) == images[:1]
    [first, *_] = store.labels.find("Lyon")
    assert first.prediction.regions == said.regions
    for filters in ({}, {"class_id": "BURR"}, {"only_corrected": True}, {"since": clock.now - timedelta(hours=1)},
                    {"until": clock.now - timedelta(hours=1)}, {"as_of": clock.now}):  # fmt: skip
        found = list(store.labels.find("Lyon", **filters))
        wanted = [LabelledFile(one.image.id, one.image.path, one.image.sha256, "Lyon") for one in found]
        assert store.labels.files("Lyon", **filters) == wanted
        with store.labels.again([one.image.id for one in reversed(found)], **filters) as read:
            assert list(read()) == list(read()) == found[::-1]
    assert store.labels.count("Lyon") == {"good": 1, "defective": 2, "BURR": 1, "CRACK": 1}


def test_labels_read_again_are_of_one_moment_and_those_that_went_are_left_out(store: Store, ana: Store) -> None:
    filed = file(store, arrival(1), arrival(2))
    tasks = []
    for _ in filed:
        tasks.append(ana.queue.lease())
        answer(ana, tasks[-1], Verdict.PASS)
    images = [one.image_id for one in filed]
    assert [one.image_id for one in store.labels.files()] == images
    ana.reviews.undo(task_id=tasks[1].id)
    with store.labels.again([*images, 999]) as read:
        [before] = read()
        ana.reviews.undo(task_id=tasks[0].id)
        assert list(read()) == [before]
    with store.labels.again(images) as read:
        assert list(read()) == []


def test_labels_at_other_sites_are_not_read_again(store: Store, ana: Store) -> None:
    [filed] = file(store, arrival(1))
    answer(ana, ana.queue.lease(), Verdict.PASS)
    store.sites.add("Bern")
    guest = person(store, "guest", sites=["Bern"])
    assert guest.labels.files() == []
    with guest.labels.again([filed.image_id]) as read:
        assert list(read()) == []


def test_two_people_who_agree_outweigh_one(store: Store, ana: Store, clock) -> None:
    [filed] = file(store, arrival(1))
    people = [ana, person(store, "ben"), person(store, "eve")]
    answer(people[0], people[0].queue.lease(), Verdict.FAIL)
    for who, verdict in ((people[1], Verdict.REWORK), (people[2], Verdict.PASS)):
        clock.pass_(minutes=1)
        store.queue.send(filed.part_id, TaskKind.AUDIT)
        answer(who, who.queue.lease(), verdict)
    label = store.labels.get(filed.image_id)
    assert (label.defective, label.verdict, label.status, label.by) == (True, Verdict.REWORK, LabelStatus.AGREED, "ben")


def test_a_box_on_one_picture_says_nothing_of_the_others(store: Store, ana: Store) -> None:
    top, side = file(store, arrival(1, part="P", view="top"), arrival(2, part="P", view="side"))
    answer(ana, ana.queue.lease(), regions={side.image_id: (HAIR,)})
    assert store.labels.get(top.image_id) is None
    assert store.labels.get(side.image_id).defective

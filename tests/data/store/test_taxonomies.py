"""Versions of a site's classes: each change is one more, and the names that came are counted as they came."""

from dataclasses import replace

import pytest

from core.errors import Conflict
from core.records import Region, Review, Verdict
from core.taxonomy_edits import retired
from data.store import Store
from tests.data.store.plant import answer, arrival, file, person, site


def box(name: str) -> Region:
    return Region(5, 5, 50, 5, name)


def told(store: Store, image_id: int, *names: str, classes: tuple[str, ...] = ()) -> None:
    """A file says so of a picture."""
    review = Review(Verdict.FAIL, "import:test", {image_id: tuple(box(one) for one in names)}, classes)
    store.reviews.imported("Lyon", [(image_id, review)])


@pytest.fixture
def images(store: Store) -> list[int]:
    site(store)
    return [int(one.image_id or 0) for one in file(store, *(arrival(number, 0.95) for number in range(1, 6)))]


def test_names_are_counted_by_picture_as_they_came_with_the_class_that_each_means_now(
    store: Store, images: list[int]
) -> None:
    told(store, images[0], "fracture", "fracture", "hair line")
    told(store, images[1], "Fracture")
    told(store, images[2], "fracture", classes=("fracture", "hair line"))
    found = [(one.name, one.pictures, one.class_id) for one in store.taxonomies.names("Lyon")]
    assert found == [("fracture", 2, "CRACK"), ("hair line", 2, None), ("Fracture", 1, "CRACK")]
    assert store.taxonomies.named("Lyon", "hair line") == [images[2], images[0]]
    assert store.taxonomies.named("Lyon", "hair line", limit=1) == [images[2]]


def test_what_was_taken_back_is_not_counted(store: Store, images: list[int]) -> None:
    [held] = file(store, arrival(20, 0.5))
    ana = person(store, "ana")
    task = ana.queue.lease()
    answer(ana, task, regions={held.image_id: (box("scratchy"),)}, classes=("dented",))
    assert {one.name for one in store.taxonomies.names()} == {"scratchy", "dented"}
    ana.reviews.undo(task_id=task.id)
    assert store.taxonomies.names() == []


def test_a_person_sees_the_names_of_their_own_sites_only(store: Store, images: list[int]) -> None:
    told(store, images[0], "fracture")
    store.sites.add("Turin")
    tomas = person(store, "tomas", sites=["Turin"])
    assert tomas.taxonomies.names() == []
    assert [one.site for one in store.taxonomies.names()] == ["Lyon"]


def test_a_change_of_a_version_that_is_not_in_force_any_more_is_refused(store: Store, images: list[int]) -> None:
    old = store.taxonomies.of("Lyon")
    store.taxonomies.append("Lyon", retired(old, "BURR"), "no burrs here", based_on=1)
    with pytest.raises(Conflict, match="Version 2 has come into force"):
        store.taxonomies.append("Lyon", replace(old, version="x"), "late", based_on=1)


def test_a_retired_class_gives_its_labels_to_another_and_a_further_version_gives_them_back(
    store: Store, images: list[int]
) -> None:
    told(store, images[0], "fracture")
    told(store, images[1], "CRACK")
    whole = store.taxonomies.of("Lyon")
    store.taxonomies.append("Lyon", retired(whole, "CRACK", "BURR"), "one class for both", based_on=1)
    assert [store.labels.get(one).classes for one in images[:2]] == [("BURR",), ("BURR",)]
    store.taxonomies.append("Lyon", whole, "as version 1 again", based_on=2)
    assert [store.labels.get(one).classes for one in images[:2]] == [("CRACK",), ("CRACK",)]
    store.taxonomies.append("Lyon", retired(whole, "CRACK"), "no cracks here", based_on=3)
    assert [store.labels.get(one).unmapped for one in images[:2]] == [("fracture",), ("CRACK",)]
    assert [one.number for one in store.taxonomies.versions("Lyon")] == [4, 3, 2, 1]

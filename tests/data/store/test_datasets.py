import pytest

from core.errors import NotFound
from data.store import open_store


def test_the_sides_of_a_dataset_are_those_that_hold_pictures(url: str) -> None:
    store = open_store(url)
    store.datasets.add("first", {"counts": {"train": {"images": 4}, "test": {"images": 2}}, "items": []}, "a")
    store.datasets.add("second", {"counts": {"val": {"images": 1}}, "items": []}, "b")
    assert store.datasets.sides("first") == {"train", "test"}
    assert store.datasets.sides("second") == {"val"}
    store.datasets.add("uncounted", {"items": [{"split": "val"}, {"split": "test"}, {"split": "val"}]}, "c")
    assert store.datasets.sides("uncounted") == {"val", "test"}
    with pytest.raises(NotFound, match="'third'"):
        store.datasets.sides("third")
    store.close()

import pytest

from core.learn.datasets.overview import overview, risks
from core.pictures.tiling import Look

LOOK = Look(tile=64, stride=64, scale=0.5)


def item(number, *regions, defective=None, classes=("CRACK",), part=None):
    bad = bool(regions) if defective is None else defective
    return {
        "site": "Lyon", "part": part or str(number), "group": str(number), "part_type": "bolt", "width": 256,
        "height": 128, "defective": bad, "classes": list(classes) if bad else [], "unmapped": [],
        "regions": [{"x": x, "y": y, "width": w, "height": h} for x, y, w, h in regions],
    }  # fmt: skip


def look(site, kind):
    assert (site, kind) == ("Lyon", "bolt")
    return LOOK


def test_prevalence_is_told_by_picture_part_and_tile():
    found = overview([item(1, (10, 10, 20, 20)), item(2, part="1"), item(3), item(4)], look)
    assert (found.pictures, found.parts, found.tiles) == (4, 3, 8)  # two tiles of 128 px each
    assert found.prevalence == {"picture": 0.25, "part": pytest.approx(1 / 3), "tile": 0.125}


def test_sizes_are_counted_in_the_pictures_own_pixels():
    found = overview([item(1, (0, 0, 9, 2), (0, 0, 10, 2), (0, 0, 49, 2), (0, 0, 50, 9), (0, 0, 100, 9))], look)
    assert list(found.sizes.values()) == [1, 1, 1, 1, 1]
    assert list(found.sizes) == ["under 10 px", "10–25 px", "25–50 px", "50–100 px", "100 px and more"]


def test_what_is_under_three_pixels_after_the_resize_is_told():
    found = overview([item(1, (0, 0, 40, 5), (0, 0, 40, 6))], look)  # 2.5 and 3 px at half scale
    assert found.tiny == 0.5
    assert not next(line for line in risks(found) if line.name == "Large enough to be seen").held


def test_a_defect_that_no_tile_holds_as_a_whole_is_cut():
    found = overview([item(1, (120, 10, 20, 20), (10, 10, 20, 20))], look)
    assert found.cut == 0.5
    twice = overview([item(1, (120, 10, 20, 20))], lambda site, kind: Look(tile=64, stride=32, scale=0.5))
    assert twice.cut == 0


def test_imbalance_and_what_nobody_drew_are_on_the_checklist():
    rows = [item(n, (10, 10, 20, 20)) for n in range(42)]
    rows += [item(50, (9, 9, 9, 9), (90, 90, 9, 9), classes=("BURR",)), item(51, defective=True, classes=("BURR",))]
    found = overview(rows, look)
    assert (found.imbalance, found.undrawn) == (21, 1)
    wrong = [line for line in risks(found) if line.held is False]
    assert {line.name for line in wrong} == {"Classes in balance", "Defects drawn"}
    assert risks(found)[: len(wrong)] == wrong


def test_nothing_is_known_of_nothing():
    found = overview([], look)
    assert found.prevalence == {"picture": None, "part": None, "tile": None}
    assert all(line.held is None for line in risks(found))

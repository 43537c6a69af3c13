"""Boxes written in columns are the same to the byte as boxes written one by one."""

import json
from dataclasses import replace
from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records import Polygons, Region, Severity
from data.formats import coco, columns, provenance, yolo
from data.formats.provenance import px, region_order
from tests.data.formats.test_contract import CLASSES, entry

NUMBER = {"CRACK": 0, "BURR": 1, "7": 2, "scratch": 3}
SIDES = st.one_of(
    st.floats(0.01, 300, allow_nan=False),
    st.integers(0, 40000).map(lambda n: n / 200),  # half way between two hundredths
    st.integers(1, 300).map(float),
)
REGIONS = st.builds(
    lambda x, y, w, h, name, more: Region(
        x, y, max(w, 0.01), max(h, 0.01), name, name if name != "scratch" else None, **more
    ),
    SIDES, SIDES, SIDES, SIDES, st.sampled_from(["CRACK", "BURR", "scratch"]),
    st.sampled_from([{}, {}, {}, {"severity": Severity.MAJOR}, {"score": 0.25},
                     {"mask": Polygons(((1.0, 1.0, 9.5, 1.0, 5.0, 8.25),))}]),
)  # fmt: skip


def one_by_one(entries):
    """The lines of annotations, each made by itself, as `coco` made them before there were columns."""
    number = {name: n for n, name in enumerate(("CRACK", "BURR", "7", "scratch"), 1)}
    count, lines = 0, []
    for n, one in enumerate(entries, 1):
        for region in sorted(one.label.regions, key=region_order(number)):
            count += 1
            lines.append(json.dumps(coco._annotation(count, n, region, number), ensure_ascii=False))
    return lines


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(REGIONS, max_size=6), max_size=5))
def test_coco_is_the_same_to_the_byte(pictures):
    entries = [entry(f"{n}.png", (400, 300), tuple(regions)) for n, regions in enumerate(pictures)]
    text = "".join("".join(pieces) for _, pieces in coco.write(entries, [*CLASSES, ("scratch", None)]))
    listed = text.split('"annotations": [\n')[1].split("\n],")[0]
    assert listed == ",\n".join(one_by_one(entries))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(REGIONS, max_size=6), max_size=5))
def test_yolo_is_the_same_to_the_byte(pictures):
    entries = [entry(f"{n}.png", (397, 301), tuple(regions)) for n, regions in enumerate(pictures)]
    wanted = {
        f"labels/{n}.txt": "".join(
            yolo._line(region, (397, 301), NUMBER) for region in sorted(one.label.regions, key=region_order(NUMBER))
        )
        for n, one in enumerate(entries)
    }
    found = {name: "".join(pieces) for name, pieces in yolo.write(iter(entries), [*CLASSES, ("scratch", None)])}
    assert {name: text for name, text in found.items() if name.startswith("labels/")} == wanted


def test_equal_boxes_are_ordered_by_what_else_they_say():
    one = Region(1, 2, 3, 4, "CRACK", "CRACK")
    said = [replace(one, score=0.25), replace(one, severity=Severity.MAJOR), replace(one, name="crack"), one]
    texts = set()
    for regions in permutations(said):
        pieces = dict(coco.write([entry("a.png", (400, 300), regions)], CLASSES))[coco.FILE]
        texts.add("".join(pieces))
    assert len(texts) == 1


def test_boxes_beyond_what_two_numbers_hold_are_ordered_all_the_same():
    regions = (
        Region(5e6, 1, 2, 2, "BURR", "BURR"),
        Region(-3.5, 1, 2, 2, "BURR", "BURR"),
        Region(9, 0, 1, 1, "CRACK", "CRACK"),
    )
    text = "".join(dict(coco.write([entry("a.png", (400, 300), regions)], CLASSES))[coco.FILE])
    assert [one["bbox"][0] for one in json.loads(text)["annotations"]] == [9, -3.5, 5e6]


def test_entries_are_gone_through_once_by_coco_and_yolo():
    entries = [entry(f"{n}.png", (400, 300), (Region(1, 2, 3, 4, "scratch"),)) for n in range(3)]
    for write in (coco.write, yolo.write):
        one, again = (
            {name: "".join(pieces) for name, pieces in write(given, CLASSES)} for given in (entries, iter(entries))
        )
        assert one == again


def test_whoever_passes_over_a_file_gets_the_others():
    entries = [entry("a.png", (400, 300), (Region(1, 2, 3, 4, "scratch"),))]
    found = dict(yolo.write(entries, CLASSES))
    assert "".join(found["labels/a.txt"]).startswith("3 ")


@given(st.lists(st.floats(-1e7, 1e7, allow_nan=False)))
def test_rounding_and_spelling_are_pythons_own(values):
    found = columns.rounded(np.array(values, float))
    assert found.tolist() == [px(value) for value in values]
    assert columns.spelt(found).to_pylist() == [repr(px(value)) for value in values]


@given(st.lists(st.floats(0, 1.5, allow_nan=False)))
def test_fixed_decimals_are_pythons_own(values):
    assert columns.fixed(np.array(values, float), 8).to_pylist() == [f"{value:.8f}" for value in values]


FRACTIONS = st.one_of(
    st.floats(0, 1, allow_nan=False, exclude_max=True),
    st.integers(0, 12799).map(lambda n: n / 12800),  # half way between two at eight decimals
    st.integers(0, 10**8 - 1).map(lambda n: (n + 0.5) / 1e8),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(*[FRACTIONS] * 4), min_size=1))
def test_rows_of_fractions_are_spelt_as_each_by_itself(rows):
    found = columns.fractions(np.array(rows), 8)
    spelt = [" ".join(f"{value:.8f}" for value in row) + "\n" for row in rows]
    if any("1." in text for text in spelt):
        assert found is None
    else:
        assert found.to_pylist() == spelt


def test_what_is_no_fraction_is_not_spelt_as_one():
    for odd in (1.0, 1.5, -0.25, 0.999999996, float("nan"), float("inf")):
        assert columns.fractions(np.array([[0.5, 0.25], [0.5, odd]]), 8) is None
    assert columns.fractions(np.array([[0.5, 0.25]]), 8).to_pylist() == ["0.50000000 0.25000000\n"]


def test_values_half_way_between_two_hundredths_round_as_ever():
    values = [n / 200 for n in range(1, 4001, 2)]
    assert columns.rounded(np.array(values)).tolist() == [round(value, provenance.DECIMALS) for value in values]


def test_large_and_odd_numbers_are_spelt_one_by_one():
    values = [1e12, 1e16, 123456789012345.6, -2.5, 0.0]
    assert columns.spelt(columns.rounded(np.array(values))).to_pylist() == [repr(px(value)) for value in values]

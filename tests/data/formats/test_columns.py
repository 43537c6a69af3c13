"""Boxes written in columns are the same to the byte as boxes written one by one."""

import json

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
    wanted = [
        "".join(yolo._line(region, one, NUMBER) for region in sorted(one.label.regions, key=region_order(NUMBER)))
        for one in entries
    ]
    assert list(yolo._texts(entries, NUMBER)) == wanted


@given(st.lists(st.floats(-1e7, 1e7, allow_nan=False)))
def test_rounding_and_spelling_are_pythons_own(values):
    found = columns.rounded(np.array(values, float))
    assert found.tolist() == [px(value) for value in values]
    assert columns.spelt(found).to_pylist() == [repr(px(value)) for value in values]


@given(st.lists(st.floats(0, 1.5, allow_nan=False)))
def test_fixed_decimals_are_pythons_own(values):
    assert columns.fixed(np.array(values, float), 8).to_pylist() == [f"{value:.8f}" for value in values]


def test_values_half_way_between_two_hundredths_round_as_ever():
    values = [n / 200 for n in range(1, 4001, 2)]
    assert columns.rounded(np.array(values)).tolist() == [round(value, provenance.DECIMALS) for value in values]


def test_large_and_odd_numbers_are_spelt_one_by_one():
    values = [1e12, 1e16, 123456789012345.6, -2.5, 0.0]
    assert columns.spelt(columns.rounded(np.array(values))).to_pylist() == [repr(px(value)) for value in values]

"""Plain boxes in columns say what the JSON says, or are left to the reader of JSON."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.formats import coco_columns
from data.formats.coco_columns import Reader

SIDES = st.one_of(st.integers(-5, 10**7), st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: "e" not in repr(x)))


def listed(n: int = 4, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": k,
            "image_id": k // 3,
            "category_id": 7 - k % 2,
            "bbox": [k, 0.5 * k, 3.25, 4],
            "segmentation": [],
            **more,
        }
        for k in range(n)
    ]


def inside(elements: list[Any], **spelt: Any) -> str:
    return json.dumps(elements, **spelt).strip()[1:-1].strip()


def said(text: str) -> list[tuple[int, int, list[float]]] | None:
    found = Reader()(text)
    if found is None:
        return None
    columns, length = found
    assert text[length - 1] == "}"
    rows = zip(columns.image.tolist(), columns.category.tolist(), columns.xywh.tolist(), strict=True)
    assert len(json.loads(f"[{text[:length]}]")) == len(columns.image)
    return list(rows)


@pytest.fixture(autouse=True, scope="module")
def few():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coco_columns, "_FEWEST", 1)
        yield


def meant(elements: list[dict[str, Any]]) -> list[tuple[int, int, list[float]]]:
    return [(one["image_id"], one["category_id"], [float(side) for side in one["bbox"]]) for one in elements]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.integers(-9, 2**62), st.integers(0, 99), st.tuples(SIDES, SIDES, SIDES, SIDES), SIDES),
             min_size=1, max_size=30),
    st.sampled_from([None, 0, 1, "\t"]),
    st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : ")]),
)  # fmt: skip
def test_columns_say_what_the_json_says(rows, indent, separators):
    elements = [
        {"image_id": image, "bbox": list(box), "segmentation": [], "area": area, "category_id": kind, "iscrowd": 0}
        for image, kind, box, area in rows
    ]
    assert said(inside([*elements, elements[0]], indent=indent, separators=separators)) == meant(
        [*elements, elements[0]]
    )


@pytest.mark.parametrize("odd", [
    {"holdpoint": {"severity": "major"}}, {"score": 0.5}, {"iscrowd": True}, {"segmentation": [[1, 2, 3, 4, 5, 6]]},
    {"image_id": "7"}, {"image_id": 7.5}, {"category_id": None}, {"bbox": [1, 2, 3]}, {"bbox": None},
    {"area": 1e300}, {"bbox": [1, 2, 3, 1e30]}, {"note": "a"}, {"id2": 5},
    {"bbox": [1, 2, 3, True]}, {"bbox": [1, 2, 3, "4"]},
])  # fmt: skip
def test_an_odd_one_ends_the_columns_and_begins_none(odd):
    elements = listed(6)
    mixed = [*elements[:4], elements[4] | odd, elements[5]]
    assert said(inside(mixed)) in (meant(elements[:4]), meant(elements[:3]), None)
    assert said(inside([elements[0] | odd, *elements])) is None


@pytest.mark.parametrize(("right", "wrong"), [
    ('"id": 1,', '"id": 01,'), ('"id": 1,', '"id": 1.,'), ('"id": 1,', '"id": .1,'), ('"id": 1,', '"id": -,'),
    ('"id": 1,', '"id": +1,'), ('"id": 1,', '"id": 1 1,'), ('"id": 1,', '"id": ,'), ('"id": 1,', '"i1d": ,'),
    ('"id": 1,', '"id": 1.2.3,'), ('"id": 1,', '"id": 1-2,'), ('"id": 1,', '"id": 1e3,'), ('"id": 1,', '"id" 1:,'),
    ('"image_id": 0', '"image_0id": 0'), ('"image_id": 0', '1"image_id": '), ('"id": 1,', '"id": 1/2,'),
    ('[1, 0.5, 3.25, 4]', '[10.5, , 3.25, 4]'), ('[1, 0.5, 3.25, 4]', '[1, 0.5, 3.25 4,]'), ("[]", "[5]"),
    ("[]", "5[]"), ("[]", "[NaN]"), ('"id": 1,', '"id": -01,'), ('"id": 1,', '"id": 00,'),
    ('"id": 1,', '"\\u0069d": 1,'),
])  # fmt: skip
def test_what_json_would_refuse_or_read_otherwise_is_left_to_it(right, wrong):
    text = inside(listed())
    first = text.index('{"id": 1,')
    assert right in text[first:]
    changed = text[:first] + text[first:].replace(right, wrong, 1)
    assert said(changed) in (None, meant(listed(1)))


def test_words_that_are_not_ascii_and_members_named_twice_are_left_to_json():
    text = inside(listed())
    assert said(text.replace('"id"', '"ïd"')) is None
    assert said(text.replace('"segmentation": []', '"bbox": [1, 2, 3, 4]')) is None


def test_a_reader_that_was_refused_asks_less_and_less_often():
    reader, asked = Reader(), []
    reader._read = lambda text: asked.append(text)  # type: ignore[method-assign,assignment]
    for _ in range(200):
        reader("x")
    assert 5 < len(asked) < 12


def test_a_program_that_writes_otherwise_from_here_on_is_followed():
    one, other = inside(listed(3)), inside(listed(3), separators=(",", ":"))
    reader = Reader()
    first = reader(f"{one}, {other}")
    assert first is not None
    assert len(first[0].image) in (2, 3)
    second = reader(other)
    assert second is not None
    assert len(second[0].image) == 3

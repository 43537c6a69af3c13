"""What every engine promises, by its own words to a browser and back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.widgets.desk.regions import ENGINES, Source, keyed, own
from app.widgets.desk.regions.drawable import frame_for
from core.records import Polygons, Region, Rle, Severity
from tests.editor_page import sheet

sizes = st.tuples(st.integers(64, 8192), st.integers(64, 8192))


class OwnHands:
    """A person at our own editor, which speaks whole pixels."""

    def start(self, laid, regions):
        shown = own.show(laid, regions)
        return {"item": shown["item"], "regions": shown["regions"]}

    def draw(self, laid, payload, box):
        x, y, width, height = box
        made = {"key": f"p-{len(payload['regions'])}-{'f' * 30}", "x": x, "y": y, "width": width, "height": height,
                "class": laid.new_class, "name": laid.new_class, "severity": None, "score": None, "rings": None,
                "rle": False, "by": "you"}  # fmt: skip
        return {**payload, "regions": [*payload["regions"], made]}

    def move(self, laid, payload, number, box):
        x, y, width, height = box
        moved = {**payload["regions"][number], "x": x, "y": y, "width": width, "height": height, "score": None}
        return {**payload, "regions": [moved if i == number else one for i, one in enumerate(payload["regions"])]}

    def remove(self, payload, number):
        return {**payload, "regions": [one for i, one in enumerate(payload["regions"]) if i != number]}


class CanvasHands:
    """A person at the canvas, which speaks canvas pixels and counts from wherever it likes."""

    def start(self, laid, regions):
        objects = ENGINES["drawable"].show(laid, regions)["objects"]
        return {"item": laid.item, "fresh": "d-1", "objects": objects}

    def _object(self, laid, box, **given):
        across, down = frame_for(laid.size_wh, laid.room_wh).scale_xy
        x, y, width, height = box
        return {**given, "left": x * across, "top": y * down, "width": width * across / 2, "height": height * down,
                "scaleX": 2, "scaleY": 1, "originX": "left", "originY": "top"}  # fmt: skip

    def draw(self, laid, payload, box):
        label = str(1 + sum(one["type"] == "LabeledRect" for one in payload["objects"]))
        made = self._object(laid, box, type="LabeledRect", label=label)
        return {**payload, "objects": [*payload["objects"], made]}

    def _boxes(self, payload):
        return [one for one in payload["objects"] if one["type"] == "LabeledRect"]

    def move(self, laid, payload, number, box):
        chosen = self._boxes(payload)[number]
        moved = self._object(laid, box, type="LabeledRect", label=chosen["label"])
        return {**payload, "objects": [moved if one is chosen else one for one in payload["objects"]]}

    def remove(self, payload, number):
        chosen = self._boxes(payload)[number]
        return {**payload, "objects": [one for one in payload["objects"] if one is not chosen]}


HANDS = {"own": OwnHands(), "drawable": CanvasHands()}


@pytest.fixture(params=sorted(ENGINES), scope="module")
def name(request):
    return request.param


def corners(region):
    return region.x, region.y, region.x + region.width, region.y + region.height


@st.composite
def boxes(draw, size, least=2.0):
    sides = [
        sorted(draw(st.tuples(st.floats(0, most), st.floats(0, most)).filter(lambda p: abs(p[0] - p[1]) > least)))
        for most in size
    ]
    (x1, x2), (y1, y2) = sides
    return x1, y1, x2 - x1, y2 - y1


@st.composite
def drawings(draw):
    """A sheet of any size with some regions of any kind."""
    size = draw(sizes)
    found = []
    for number in range(draw(st.integers(0, 4))):
        box = draw(boxes(size))
        class_id = draw(st.sampled_from(["CRACK", "SURFACE_PIT", None]))
        ring = (box[0], box[1], box[0] + box[2], box[1], box[0], box[1] + box[3])
        mask = draw(st.sampled_from([None, Polygons((ring,)), Rle((size[1], size[0]), (size[0] * size[1],))]))
        severity = draw(st.sampled_from([None, Severity.MAJOR]))
        score = draw(st.sampled_from([None, 0.25, 0.61803398875]))
        found.append(Region(*box, "what the file said", class_id, severity, score, mask, f"{number}-{'k' * 50}"))
    return sheet(size, standing=tuple(found)), tuple(found)


def test_every_engine_has_hands_here():
    assert set(HANDS) == set(ENGINES)


@given(st.data())
def test_what_nobody_touched_comes_back_to_the_last_digit(name, data):
    laid, regions = data.draw(drawings())
    assert ENGINES[name].read(laid, regions, HANDS[name].start(laid, regions)) == regions


@given(st.data())
def test_a_box_drawn_by_hand_lands_within_half_a_pixel_in_the_chosen_class(name, data):
    laid, regions = data.draw(drawings())
    box = data.draw(boxes(laid.size_wh))
    found = ENGINES[name].read(laid, regions, HANDS[name].draw(laid, HANDS[name].start(laid, regions), box))
    assert found[:-1] == regions
    made = found[-1]
    assert all(abs(a - b) <= 0.5 for a, b in zip(corners(made), corners(Region(*box, "")), strict=True))
    assert (made.class_id, made.severity, made.score) == (laid.new_class, None, None)
    assert made.key
    assert made.key not in {one.key for one in regions}


@given(st.data())
def test_a_moved_region_keeps_key_class_and_severity_and_loses_the_models_score(name, data):
    laid, regions = data.draw(drawings().filter(lambda drawn: drawn[1]))
    number = data.draw(st.integers(0, len(regions) - 1))
    box = data.draw(boxes(laid.size_wh))
    found = ENGINES[name].read(laid, regions, HANDS[name].move(laid, HANDS[name].start(laid, regions), number, box))
    before, after = regions[number], found[number]
    assert [one for i, one in enumerate(found) if i != number] == [one for i, one in enumerate(regions) if i != number]
    assert all(abs(a - b) <= 0.5 for a, b in zip(corners(after), corners(Region(*box, "")), strict=True))
    assert (after.key, after.class_id, after.name, after.severity) == (
        before.key, before.class_id, before.name, before.severity,
    )  # fmt: skip
    if after != before:
        assert after.score is None
        assert not isinstance(after.mask, Rle)


@given(st.data())
def test_a_removed_region_is_gone_and_the_others_are_as_they_were(name, data):
    laid, regions = data.draw(drawings().filter(lambda drawn: drawn[1]))
    number = data.draw(st.integers(0, len(regions) - 1))
    found = ENGINES[name].read(laid, regions, HANDS[name].remove(HANDS[name].start(laid, regions), number))
    assert found == tuple(one for i, one in enumerate(regions) if i != number)


def test_what_a_browser_says_of_another_item_is_dropped(name):
    hands, engine = HANDS[name], ENGINES[name]
    before = sheet((640, 400), item="7.1.1.1.3")
    late = hands.draw(before, hands.start(before, ()), (10, 20, 30, 40))
    assert len(engine.read(before, (), late)) == 1
    there = (Region(1, 2, 30, 40, "CRACK", "CRACK", key="m1"),)
    for item in ("8.2.1.1.4", "7.1.2.1.3", "7.1.1.2.3", "7.1.1.1.4"):  # part and task, revision, lease, picture
        assert engine.read(sheet((640, 400), item=item, standing=there), there, late) == there


@pytest.mark.parametrize(
    "broken", [None, {}, {"item": "7.1.1.1.3"}, {"item": "7.1.1.1.3", "regions": 3, "objects": "x"}]
)
def test_a_broken_payload_changes_nothing(name, broken):
    there = (Region(1, 2, 30, 40, "CRACK", "CRACK", key="m1"),)
    assert ENGINES[name].read(sheet((640, 400), standing=there), there, broken) == there


def test_a_box_beyond_the_edge_is_cut_there(name):
    laid, hands = sheet((100, 80)), HANDS[name]
    (made,) = ENGINES[name].read(laid, (), hands.draw(laid, hands.start(laid, ()), (-10, 50, 150, 150)))
    assert corners(made) == pytest.approx((0, 50, 100, 80))


def test_a_slip_of_the_hand_is_no_region(name):
    laid, hands = sheet((400, 400)), HANDS[name]
    assert ENGINES[name].read(laid, (), hands.draw(laid, hands.start(laid, ()), (5, 5, 0.4, 60))) == ()


def test_an_outline_moves_and_stretches_with_its_box(name):
    laid, hands = sheet((900, 530)), HANDS[name]
    before = Region(10, 10, 20, 20, "pit", "SURFACE_PIT", mask=Polygons(((10, 10, 30, 10, 30, 30),)), key="1")
    payload = hands.move(laid, hands.start(laid, (before,)), 0, (110, 10, 40, 20))
    if name == "own":  # the browser moves the outline itself, as the person sees it
        payload["regions"][0]["rings"] = [[110, 10, 150, 10, 150, 30]]
    (after,) = ENGINES[name].read(laid, (before,), payload)
    assert after.mask == Polygons(((110, 10, 150, 10, 150, 30),))


@given(st.lists(st.sampled_from(["", "1", "2", "a", "a-very-long-key-that-a-file-gave-0123456789"]), max_size=8))
def test_keys_are_unique_and_kept_where_they_were_however_long(keys):
    result = keyed([Region(0, 0, 5, 5, "A", key=key) for key in keys])
    assert len({region.key for region in result}) == len(keys)
    assert all(region.key for region in result)
    first = {key: keys.index(key) for key in keys if key}
    assert all(result[number].key == key for key, number in first.items())


def test_each_region_tells_who_drew_it():
    mine = Region(5, 5, 9, 9, "CRACK", "CRACK", key="p-1")
    models, reviewed = replace(mine, score=0.4, key="m1"), replace(mine, x=50, key="i1")
    review = Source("the last review", "Tomas", (reviewed, models))
    laid = sheet((100, 100), model="small-1", sources=(Source("the model", "small-1", (models,)), review))
    asked = (models, reviewed, mine, replace(reviewed, x=51))
    assert [laid.by(one) for one in asked] == ["small-1", "Tomas", "you", "you"]

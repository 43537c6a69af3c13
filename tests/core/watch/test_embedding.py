"""Drift of what pictures look like to the net: sketches, the reference, and bets on the way that pictures move."""

import json
from datetime import datetime, timedelta

import numpy as np
import pytest

from core.watch.embedding import (
    GATHERED,
    HALF_LIFE,
    SKETCH,
    Usual,
    Way,
    gathered,
    sketch,
    sketch_of,
    spread,
    spread_reference,
    tried,
    usual_of,
)
from core.watch.facts import Picture, StreamFacts
from core.watch.rules import DEFAULTS, RuleKind
from core.watch.watched import look
from tests.core.watch.cameras import WIDE, Camera, Site

BYTES_A_CAMERA = 48 * 1024


def test_a_sketch_takes_88_letters_and_keeps_distances_about_as_they_are():
    camera = Camera(1)
    pictures = camera.pictures(60).astype(np.float32)
    kept = [sketch(one) for one in pictures]
    assert {len(one) for one in kept} == {88}
    true = np.linalg.norm(pictures[:30] - pictures[30:], axis=1) * np.sqrt(SKETCH / WIDE)
    found = np.linalg.norm(gathered(kept[:30]) - gathered(kept[30:]), axis=1)
    assert np.median(np.abs(found / true - 1)) < 0.2


def test_a_sketch_is_the_same_on_every_machine():
    assert (
        sketch(np.ones(16, np.float32))
        == "ALwAuAC8ALwAOAC4AAAAAAC+ADgAOAC8ALgAOAAAALgAPAC4ADwAvAAAAEAAAAA8AD4APAC4AAAAuAA4ALgAOA=="
    )
    assert sketch(np.arange(40, dtype=np.float32)) == sketch(np.arange(40, dtype=np.float64))


@pytest.mark.parametrize(
    "bad",
    [None, np.zeros(0, np.float32), np.zeros((2, 3), np.float32), np.array([np.nan, 1.0], np.float32),
     np.array([np.inf, 1.0], np.float32), np.full(64, 1e30, np.float32), np.array(["x"]), np.array([None])],
)  # fmt: skip
def test_what_cannot_be_kept_is_no_sketch_and_no_error(bad):
    assert sketch(bad) is None


@pytest.mark.parametrize("bad", [None, 3, "", "not base64!", "AAAA", {"a": 1}])
def test_what_is_no_sketch_is_left_out(bad):
    assert sketch_of(bad) is None
    assert len(gathered([one for one in (bad, sketch(np.ones(8, np.float32))) if isinstance(one, str)])) == 1


def test_four_hundred_sketches_are_a_reference_and_fewer_are_none():
    sketches = gathered(Camera(2).sketches(GATHERED))
    assert usual_of(sketches[:-1]) is None
    usual = usual_of(sketches)
    again = Usual.from_json(json.loads(json.dumps(usual.to_json())))
    np.testing.assert_allclose(again.turned(sketches), usual.turned(sketches), rtol=1e-5, atol=1e-5)
    assert 0.8 < usual.held.std() < 2
    assert Usual.from_json(usual.to_json() | {"held": usual.to_json()["middle"]}) is None  # of another release


def test_pictures_that_are_all_the_same_are_a_reference_too():
    usual = usual_of(np.ones((GATHERED, SKETCH), np.float32))
    lots, _ = tried(usual, Way.from_json(None), np.ones((60, SKETCH), np.float32))
    assert all(np.isfinite(values).all() for values, _ in lots)
    assert np.isfinite(spread(usual, 2 * np.ones((3, SKETCH), np.float32))).all()
    assert spread_reference(usual) is not None


def test_the_way_is_learned_from_earlier_pictures_only():
    """Whatever a block holds, what it is compared with was fixed before it."""
    camera = Camera(3)
    usual = usual_of(gathered(camera.sketches(GATHERED)))
    way = Way.from_json(None).after(usual.turned(gathered(camera.sketches(50))))
    here, there = gathered(camera.sketches(20)), gathered(Camera(4).sketches(20))
    [(_, one)], _ = tried(usual, way, here)
    [(_, other)], _ = tried(usual, way, there)
    assert one == other


def test_one_wild_picture_does_not_turn_the_way():
    camera = Camera(5)
    usual = usual_of(gathered(camera.sketches(GATHERED)))
    camera.shift = 0.3 * np.ones(WIDE)
    way = Way.from_json(None).after(usual.turned(gathered(camera.sketches(2 * HALF_LIFE))))
    after = way.after(1e4 * np.ones((1, SKETCH), np.float32))
    cosine = way.total @ after.total / np.linalg.norm(way.total) / np.linalg.norm(after.total)
    assert cosine > 0.98


def test_a_camera_whose_pictures_look_otherwise_is_named_with_its_feature_time_and_pictures():
    site = Site(Camera(6), Camera(7)).gather()
    for _ in range(30):
        assert site.look() == []
    turned = site.now
    site.cameras["cam 2"].shift = 1.5 * site.cameras["cam 2"].ways[0]
    broken = []
    while not broken:
        assert site.now - turned < timedelta(minutes=40)
        broken = site.look()
    [figure] = broken
    assert figure.subject == "cam 2"
    assert figure.more["feature"].startswith("embedding")
    assert figure.value > DEFAULTS[RuleKind.DRIFT].limit
    assert abs(datetime.fromisoformat(figure.more["began"]) - turned) <= timedelta(minutes=10)
    assert figure.since == datetime.fromisoformat(figure.more["began"])
    assert len(figure.more["before"]) == len(figure.more["after"]) == 12
    assert max(figure.more["before"]) < min(figure.more["after"])


def test_pictures_that_spread_wider_about_the_same_middle_are_seen():
    site = Site(Camera(8)).gather()
    site.cameras["cam 1"].wider = 2.0
    broken = next((found for _ in range(40) if (found := site.look())), [])
    assert [one.more["feature"] for one in broken] == ["embedding spread"]


def test_cameras_that_stay_as_they_are_raise_nothing_and_keep_to_their_budget():
    """20 cameras over 120 looks: the stated rate makes a false alarm of any of them less likely than 1 in 10,000."""
    site = Site(*(Camera(100 + number) for number in range(20)))
    most = 0
    for _ in range(120):
        assert site.look() == []
        most = max(most, len(json.dumps(site.state["kinds"]["drift"]["cam 1"])))
    assert most < BYTES_A_CAMERA
    assert all(one.more["distances"]["embedding"] < 0.2 for one in site.figures.values())


def test_a_change_within_the_limit_raises_nothing():
    site = Site(Camera(9)).gather()
    site.cameras["cam 1"].shift = 0.15 * site.cameras["cam 1"].ways[0]
    for _ in range(60):
        assert site.look() == []


def test_a_closed_alarm_takes_the_pictures_as_they_are_now_for_usual():
    site = Site(Camera(10)).gather()
    camera = site.cameras["cam 1"]
    camera.shift = 1.2 * camera.ways[1]
    while not site.look():
        pass
    site.open = {(RuleKind.DRIFT, "cam 1"): 1}
    site.look()
    site.open = {}
    for _ in range(60):
        assert site.look() == []
    assert site.figures["cam 1"].more["distances"]["embedding"] < 0.2


def test_another_model_begins_with_another_reference():
    site = Site(Camera(11)).gather()
    facts = StreamFacts(site.now, "net-2", [], [], [], None, site.number, 0)
    state, _ = look(facts, site.state, site.rules, {}, "2026-03-02")
    assert not state.get("kinds", {}).get("drift")


def test_sketches_that_are_damaged_stop_nothing():
    site = Site(Camera(12)).gather()
    pictures = [Picture(n, site.now, "", "cam 1", True, False, 0.2, 5.0, {}, True, bad)
                for n, bad in enumerate(["", "AAAA", "?", None] * 200)]  # fmt: skip
    state = json.loads(json.dumps(site.state))
    state["kinds"]["drift"]["cam 1"]["looks"]["usual"]["held"] = "AAAA"
    facts = StreamFacts(site.now + timedelta(minutes=1), "net-1", pictures, [], [], None, 10_000, 0)
    _, figures = look(facts, state, site.rules, {}, "2026-03-02")
    [figure] = [one for one in figures if one.kind is RuleKind.DRIFT]
    assert not figure.broken

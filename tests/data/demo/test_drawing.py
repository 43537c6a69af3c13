import hashlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from core.records import Rle, Severity
from data.demo.drawing import LABEL_FAULTS, Drawn, Flaw, Scene, draw, mask_of, run_lengths, severity_of
from data.demo.files import encoded
from data.demo.optics import Mishap
from data.demo.plant import CAMERAS, LINES
from data.taxonomies import shipped

VIEWS = {view.drawn: view.camera for line in LINES for view in line.views}
METAL = ("SURFACE_SCRATCH", "BURR", "SURFACE_PIT", "CRACK", "DIMENSIONAL_OOS")
BOX = ("TORN_COVER", "BENT_BOX", "BROKEN_SEAL", "LEAKAGE")
EVERY = [
    *((kind, class_id) for kind in ("shaft", "end_face", "plate", "strip") for class_id in METAL),
    *((kind, class_id) for kind in ("box_top", "box_side") for class_id in BOX),
    *(("box_top", class_id) for class_id in LABEL_FAULTS),
]


def scene(kind: str, class_id: str | None = None, size: float = 0.6, seed: int = 3) -> Scene:
    flaws = () if class_id is None else (Flaw(class_id, size, seed),)
    return Scene(kind, CAMERAS[VIEWS[kind]], seed, seed, seed, flaws, "55120-007")


@cache
def drawn(kind: str, class_id: str | None = None, size: float = 0.6, seed: int = 3) -> Drawn:
    return draw(scene(kind, class_id, size, seed))


@pytest.mark.parametrize("kind", VIEWS)
def test_the_same_scene_gives_the_same_bytes_and_another_seed_gives_others(kind):
    first, again = draw(scene(kind)), draw(scene(kind))
    assert hashlib.sha256(encoded(first.pixels)).digest() == hashlib.sha256(encoded(again.pixels)).digest()
    assert (draw(scene(kind, seed=4)).pixels != first.pixels).mean() > 0.5


@pytest.mark.parametrize("kind", VIEWS)
def test_a_picture_has_the_size_of_its_camera_and_uses_the_range_without_drowning_in_it(kind):
    pixels = drawn(kind).pixels
    width, height = CAMERAS[VIEWS[kind]].size_wh
    assert pixels.shape == (height, width, 3)
    assert pixels.dtype == np.uint8
    assert 35 < pixels.mean() < 170
    assert (pixels > 250).mean() < 0.03
    assert pixels.std() > 25
    assert not drawn(kind).regions


@pytest.mark.parametrize(("kind", "class_id"), EVERY)
def test_a_region_lies_exactly_where_the_picture_differs_from_the_clean_one(kind, class_id):
    flawed, clean = drawn(kind, class_id), drawn(kind)
    changed = (flawed.pixels != clean.pixels).any(axis=2)
    (region,) = flawed.regions
    mask = mask_of(region.mask)
    assert region.class_id == class_id
    assert not (changed & ~mask).any()
    assert changed[mask].mean() > (0.25 if class_id in ("DIMENSIONAL_OOS", *LABEL_FAULTS) else 0.8)
    rows, columns = np.nonzero(mask)
    assert (region.x, region.y) == (columns.min(), rows.min())
    assert (region.x + region.width, region.y + region.height) == (columns.max() + 1, rows.max() + 1)


@pytest.mark.parametrize(("kind", "class_id"), EVERY)
def test_a_glaring_flaw_is_found_on_every_part_and_its_severity_is_one_the_class_may_have(kind, class_id):
    taxonomy = shipped("fulfilment" if kind.startswith("box") else "machined")
    for seed in range(40, 44):
        for region in draw(scene(kind, class_id, 0.9, seed)).regions:
            assert mask_of(region.mask).sum() > 40
            taxonomy.check_severity(region.class_id, region.severity)


def test_severity_follows_size_within_what_the_taxonomies_allow():
    for name in ("machined", "fulfilment"):
        for one in shipped(name).classes:
            for size in (0.05, 0.5, 0.95):
                if one.id in {class_id for _, class_id in EVERY}:
                    assert severity_of(Flaw(one.id, size, 0)) in one.severities
    assert severity_of(Flaw("SURFACE_SCRATCH", 0.1, 0)) is Severity.MINOR
    assert severity_of(Flaw("CRACK", 0.9, 0)) is Severity.CRITICAL


def test_a_small_flaw_is_smaller_and_fainter_than_a_large_one():
    small, large = (drawn("plate", "SURFACE_PIT", size).regions[0] for size in (0.3, 0.9))
    assert mask_of(small.mask).sum() * 4 < mask_of(large.mask).sum()


def test_a_flaw_that_nobody_could_see_is_neither_drawn_nor_claimed():
    clean = drawn("plate").pixels
    for seed in range(40):
        faint = draw(replace(scene("plate"), flaws=(Flaw("SURFACE_PIT", 0.0, seed),)))
        assert bool(faint.regions) == bool((faint.pixels != clean).any())


def test_a_bent_corner_marks_that_corner_alone():
    for seed in range(3, 9):
        for kind in ("box_top", "box_side"):
            (region,) = draw(scene(kind, "BENT_BOX", 0.55, seed)).regions
            assert region.width * region.height < 0.2 * 640 * 480


def test_two_exposures_of_one_view_show_the_same_flaw_in_the_same_place():
    short = replace(scene("plate", "CRACK"), stops=-0.7, shot_seed=1)
    long = replace(scene("plate", "CRACK"), stops=0.5, shot_seed=2)
    one, other = draw(short), draw(long)
    assert one.regions == other.regions
    assert other.pixels.mean() > one.pixels.mean() + 15


def test_several_flaws_keep_a_region_each():
    flaws = (Flaw("SURFACE_SCRATCH", 0.7, 1), Flaw("SURFACE_PIT", 0.7, 2), Flaw("DIMENSIONAL_OOS", 0.7, 3))
    regions = draw(replace(scene("end_face"), flaws=flaws)).regions
    assert {region.class_id for region in regions} == {flaw.class_id for flaw in flaws}
    assert len({region.key for region in regions}) == len(flaws)


@pytest.mark.parametrize("mishap", [Mishap(blur_px=4), Mishap(stops=-4), Mishap(stops=3), Mishap(cover=0.5)])
def test_a_mishap_spoils_the_picture_and_leaves_the_truth(mishap):
    good = scene("plate", "CRACK")
    spoilt = draw(replace(good, mishap=mishap))
    assert spoilt.regions == draw(good).regions
    assert np.abs(spoilt.pixels.astype(int) - drawn("plate", "CRACK").pixels).mean() > 3


@pytest.mark.parametrize("shape", [(1, 1), (4, 7), (30, 20)])
def test_run_lengths_come_back_as_the_mask_they_were(shape):
    for seed in range(5):
        mask = np.random.default_rng(seed).random(shape) < 0.4
        rle = run_lengths(mask)
        assert sum(rle.counts) == mask.size
        assert (mask_of(rle) == mask).all()
    assert run_lengths(np.ones(shape, dtype=bool)) == Rle(shape, (0, shape[0] * shape[1]))
    assert run_lengths(np.zeros(shape, dtype=bool)) == Rle(shape, (shape[0] * shape[1],))

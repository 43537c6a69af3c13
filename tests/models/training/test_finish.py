from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import torch

from core.pictures.heatmaps import to_grid
from core.pictures.tiling import Look, plan
from core.records import Prediction, Region
from models import nets
from models.checkpoint import card_of, load
from models.engine import Observation
from models.training.examples import Example
from models.training.finish import Seen, calibrated, finish, judge, region_threshold
from models.training.loop import Recipe

LOOK = Look(tile=64, stride=32)
PIT = Region(32.0, 16.0, 16.0, 16.0, "pit", "PIT")


@pytest.fixture(scope="module")
def card():
    torch.manual_seed(0)
    net = nets.build("test_resnet", ("PIT", "CRACK"), True, "scratch", size=64)
    return card_of(net, "m", datetime(2026, 1, 1, tzinfo=UTC), look=LOOK)


def seen(defective, logit, where, regions=None, classes=("PIT",), why=0.1):
    """One tile of 64x64, its dense map in 8x8 cells."""
    drawn = ((PIT,) if defective else ()) if regions is None else regions
    example = Example("a", "a", "val", "g", defective, 64, 64, None, classes if defective else (), drawn)
    observation = Observation(
        plan(64, 64, LOOK),
        np.array([logit], np.float32),
        np.array([[1.0, -1.0]], np.float32),
        np.full((4, 4), why, np.float32),
        where,
        float(where.max()),
        1.0,
    )
    return Seen(example, observation)


def spot(value, row=2, column=4):
    where = np.full((8, 8), 0.12, np.float32)
    where[row : row + 2, column : column + 2] = value
    return where


def test_the_region_threshold_covers_what_was_drawn_and_nothing_else(card):
    threshold = region_threshold(card, [seen(True, 2.0, spot(0.6)), seen(False, -2.0, spot(0.3))])
    assert 0.3 < threshold <= 0.6


def test_without_drawn_regions_the_threshold_stays(card):
    undrawn = seen(True, 2.0, spot(0.6), regions=())
    assert region_threshold(card, [undrawn, seen(False, -2.0, spot(0.3))]) == card.region_threshold


def test_a_clean_picture_does_not_glow(card):
    pictures = [seen(True, 2.0, spot(0.6), why=0.9), seen(False, -2.0, spot(0.3), why=0.2)] * 4
    measured = calibrated(card, pictures)
    assert 0.2 / measured.heatmap_scale < 0.34
    assert 0.9 / measured.heatmap_scale >= 1.0


def test_scores_are_calibrated_on_the_pictures(card):
    pictures = [seen(i % 2 == 0, 3.0 if i % 4 else -3.0, spot(0.6)) for i in range(40)]
    measured = calibrated(card, pictures)
    assert measured.calibration.fitted == 40
    assert measured.calibration.temperature > 1.5  # as sure as it was, it was wrong too often
    assert measured.calibration.class_temperature > 0


@pytest.mark.parametrize(("row", "column", "hit"), [(2, 4, True), (6, 0, False)])
def test_pointing_is_judged_on_the_drawn_region(row, column, hit):
    example = seen(True, 1.0, spot(0.5)).example
    said = Prediction("m", 0.9, {"PIT": 1.0}, where=to_grid(spot(0.9, row, column)))
    assert judge(example, said).pointed is hit


def test_without_a_dense_map_pointing_is_judged_on_the_heatmap():
    example = seen(True, 1.0, spot(0.5)).example
    assert judge(example, Prediction("m", 0.9, {}, heatmap=to_grid(spot(0.9)))).pointed is True


def test_a_picture_without_regions_is_not_part_of_the_pointing_game():
    example = replace(seen(True, 1.0, spot(0.5)).example, regions=(), part="Lyon/7", view="top")
    verdict = judge(example, Prediction("m", 0.9, {}, where=to_grid(spot(0.9))))
    assert (verdict.pointed, verdict.group, verdict.view) == (None, "Lyon/7", "top")


def other_net():
    torch.manual_seed(1)
    return nets.build("test_resnet", ("PIT", "CRACK"), True, "scratch", size=64).eval()


@pytest.mark.parametrize("pictures", [0, 8])
def test_the_net_that_saw_all_pictures_is_written_with_the_calibration_of_the_one_that_did_not(pictures, tmp_path):
    torch.manual_seed(0)
    elder = nets.build("test_resnet", ("PIT", "CRACK"), True, "scratch", size=64).eval()
    rng = np.random.default_rng(0)
    held = [seen(i % 2 == 0, 0.0, spot(0.5)).example for i in range(pictures)]
    pixels = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in held]

    def made(name, shipped):
        order = iter(pixels)
        return finish(
            tmp_path / name,
            elder,
            Recipe(look=LOOK),
            held,
            lambda e: next(order),
            now=datetime(2026, 1, 1, tzinfo=UTC),
            summary=lambda judged, classes: {"log_loss": sum(j.score for j in judged)},
            facts={},
            shipped=shipped,
        )

    alone, again = made("alone", None), made("again", other_net())
    assert again.calibration == alone.calibration
    assert again.calibration.fitted == pictures
    assert again.metrics == alone.metrics
    assert again.sha256 != alone.sha256
    written, wanted = load(tmp_path / "again").state, other_net().state_dict()
    assert all(torch.equal(written[name], wanted[name]) for name in wanted)

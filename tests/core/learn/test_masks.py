"""Figures of pixels and masks, and when outlines may stand for boxes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from core.errors import BadInput
from core.learn.boxes import Boxed, hits, matched
from core.learn.masks import Covered, covered, f1_of, mask_figures, mean_f1_of, pixel_figures, pixels_against

MASKS = arrays(np.bool_, (6, 7))


def rng():
    return np.random.default_rng(0)


@given(MASKS, MASKS)
def test_counts_are_those_of_the_pixels(found, drawn):
    one = covered("a", found, drawn)
    figures = pixel_figures([one], rng())
    joint = int((found | drawn).sum())
    assert figures["iou"] == (pytest.approx((found & drawn).sum() / joint) if joint else None)
    assert f1_of([one]) == figures["f1"]
    if figures["f1"] is not None:
        assert figures["iou"] == pytest.approx(figures["f1"] / (2 - figures["f1"]))


def test_large_defects_weigh_by_their_pixels_and_good_pictures_by_what_is_found_there():
    rows = [Covered("a", 90, 100, 100), Covered("b", 0, 0, 0), Covered("c", 0, 100, 0)]
    assert f1_of(rows[:2]) == pytest.approx(0.9)
    assert f1_of(rows) == pytest.approx(0.6)
    assert f1_of([Covered("a", 0, 0, 0)]) is None
    assert pixel_figures([], rng())["f1"] is None


def test_an_interval_needs_groups_and_holds_the_figure():
    rows = [Covered(f"g{i}", 50 + i, 100, 100) for i in range(12)]
    figures = pixel_figures(rows, rng())
    low, high = figures["f1_interval"]
    assert low <= figures["f1"] <= high
    assert pixel_figures(rows[:2], rng())["f1_interval"] is None


def test_outlines_stand_for_boxes_only_where_they_are_shown_to_be_better():
    boxes = [Covered(f"g{i}", 60, 140 + 3 * i, 100) for i in range(12)]
    better = [replace(one, hits=90, found=100) for one in boxes]
    shown = pixels_against(better, boxes, rng())
    assert (shown.refusal, shown.new, shown.new_pooled) == ("", pytest.approx(0.9), pytest.approx(0.9))
    assert shown.to_json()["interval"][0] > 0
    assert "is not shown to be above" in pixels_against(boxes, boxes, rng()).refusal
    assert "is not shown to be above" in pixels_against(boxes, better, rng()).refusal
    assert "2 groups with outlined defects cannot tell" in pixels_against(better[:2], boxes[:2], rng()).refusal


def test_many_small_defects_are_not_outweighed_by_a_large_one_nor_hide_it():
    small = [Covered(f"g{i}", 60, 140, 100) for i in range(12)]
    finer = [replace(one, hits=90, found=100) for one in small]
    large = Covered("large", 90_000, 100_000, 100_000)
    worse = replace(large, hits=20_000, found=20_000)
    found = pixels_against([*finer, worse], [*small, large], rng())
    assert found.new > found.old
    assert "over all pixels together their F1 is lower" in found.refusal
    assert mean_f1_of([*small, large]) == pytest.approx((12 * 0.5 + 0.9) / 13)


def test_good_pictures_are_no_evidence_that_outlines_are_better():
    good = [Covered(f"g{i}", 0, 0, 0) for i in range(40)]
    one = Covered("bad", 90, 100, 100)
    found = pixels_against([*good, one], [*good, replace(one, hits=60)], rng())
    assert "1 group with outlined defects cannot tell" in found.refusal


def test_other_pictures_cannot_be_compared():
    with pytest.raises(BadInput, match="the same pictures"):
        pixels_against([Covered("a", 1, 2, 3)], [Covered("a", 1, 2, 4)], rng())


def boxed(overlaps, scores, group="a"):
    n, m = len(overlaps[0]), len(overlaps)
    box = (0.0, 0.0, 10.0, 10.0)
    return Boxed(
        group, np.array([box] * n), np.zeros(n, np.int64), np.array([box] * m), np.array(scores),
        np.zeros(m, np.int64), np.array(overlaps),
    )  # fmt: skip


def test_where_masks_are_compared_boxes_do_not_count():
    one = boxed([[0.2], [0.7]], [0.9, 0.4])
    right, got = hits(one, 0.5)
    assert (right.tolist(), got.tolist()) == ([False, True], [True])
    assert matched([one.above(0.5)], 0.5).hits == 0
    assert matched([one.above(0.3)], 0.5).hits == 1


def test_average_precision_of_masks_ranks_by_score():
    assert mask_figures([boxed([[0.9]], [0.9])], rng())["ap50"] == 1.0
    assert mask_figures([boxed([[0.9], [0.0]], [0.4, 0.9])], rng())["ap50"] == 0.5
    assert mask_figures([boxed([[0.4]], [0.9])], rng())["ap50"] == 0.0
    assert mask_figures([], rng())["ap50"] is None

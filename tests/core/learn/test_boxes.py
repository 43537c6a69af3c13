"""Figures of boxes: matching, F, average precision, intervals, and when one way to draw may replace another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.learn.boxes import (
    Boxed,
    against,
    average_precision,
    best_threshold,
    box_figures,
    hits,
    matched,
    mean_average_precision,
)
from core.learn.over_groups import interval
from core.pictures.seams import Finds


def picture(group, true, found=(), classes=None, true_classes=None, scores=None):
    def boxes(rows):
        return np.array(rows, np.float64).reshape(-1, 4)

    n, m = len(true), len(found)
    return Boxed(
        group, boxes(true), np.array(true_classes or [0] * n, np.int64), boxes(found),
        np.array(scores if scores is not None else [0.9] * m), np.array(classes or [0] * m, np.int64),
    )  # fmt: skip


BOX, FAR = (10, 10, 20, 20), (60, 60, 20, 20)


def test_each_drawn_box_counts_once_and_the_surest_find_takes_it():
    one = picture("a", [BOX], [(12, 10, 20, 20), BOX], scores=[0.9, 0.4])
    right, got = hits(one)
    assert (right.tolist(), got.tolist()) == ([True, False], [True])
    assert matched([one]).precision == 0.5


def test_a_find_of_another_class_is_wrong_unless_classes_are_ignored():
    one = picture("a", [BOX], [BOX], classes=[1])
    assert matched([one]).hits == 0
    assert matched([one], named=False).hits == 1


def test_a_drawn_box_of_an_unknown_class_can_only_be_found_by_place():
    one = picture("a", [BOX], [BOX], true_classes=[-1], classes=[0])
    assert matched([one]).hits == 0
    assert matched([one], named=False).hits == 1


def test_the_best_threshold_parts_right_finds_from_wrong_ones():
    pictures = [picture("a", [BOX], [BOX, FAR], scores=[0.8, 0.3]), picture("b", [FAR], [FAR], scores=[0.6])]
    at = best_threshold(pictures)
    assert 0.3 < at.threshold < 0.6
    assert at.f1 == 1.0
    assert matched([one.above(at.threshold) for one in pictures]).f1 == 1.0


def test_no_find_gives_no_precision_and_no_box_no_recall():
    assert matched([picture("a", [BOX])]).precision is None
    assert matched([picture("a", [], [BOX])]).recall is None
    assert matched([]).f1 == 0.0
    assert best_threshold([picture("a", [BOX])]).f1 == 0.0


def test_average_precision_of_a_known_ranking():
    pictures = [picture("a", [BOX, FAR], [BOX, (100, 0, 9, 9), FAR], scores=[0.9, 0.8, 0.7])]
    assert average_precision(pictures, 0) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision(pictures, 1) is None


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_average_precision_agrees_with_coco(seed):
    import contextlib
    import io

    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    rng = np.random.default_rng(seed)
    pictures, boxes, results = [], [], []
    for i in range(4):
        true = np.concatenate([rng.uniform(0, 80, (3, 2)), rng.uniform(8, 30, (3, 2))], axis=1)
        found = np.concatenate([true + rng.normal(0, 2, true.shape), rng.uniform(5, 60, (2, 4))])
        found[:, 2:] = np.maximum(found[:, 2:], 2)
        scores, classes = rng.uniform(0.1, 1, 5), rng.integers(0, 2, 5)
        kinds = rng.integers(0, 2, 3)
        pictures.append(Boxed(str(i), true, kinds, found, scores, classes))
        boxes += [
            {"id": len(boxes) + n + 1, "image_id": i, "category_id": int(k) + 1, "bbox": b.tolist(),
             "area": float(b[2] * b[3]), "iscrowd": 0}
            for n, (b, k) in enumerate(zip(true, kinds, strict=True))
        ]  # fmt: skip
        results += [
            {"image_id": i, "category_id": int(k) + 1, "bbox": b.tolist(), "score": float(s)}
            for b, k, s in zip(found, classes, scores, strict=True)
        ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {}, "images": [{"id": i} for i in range(4)], "annotations": boxes,
            "categories": [{"id": 1}, {"id": 2}],
        }  # fmt: skip
        truth.createIndex()
        scored = COCOeval(truth, truth.loadRes(results), "bbox")
        scored.params.iouThrs = np.array([0.5])
        scored.evaluate()
        scored.accumulate()
    theirs = scored.eval["precision"][0, :, :, 0, 2]
    expected = np.mean([theirs[:, k].mean() for k in range(2) if (theirs[:, k] > -1).any()])
    assert mean_average_precision(pictures, 0.5) == pytest.approx(expected, abs=0.02)  # they read 101 points


def test_intervals_count_groups_and_not_pictures():
    rng = np.random.default_rng(0)
    rate = lambda w: float(w[:20].sum() / w.sum()) if w.sum() else None  # noqa: E731
    apart = interval([str(i) for i in range(40)], rate, rng)
    together = interval([str(i // 5) for i in range(40)], rate, rng)
    assert together[1] - together[0] > 1.5 * (apart[1] - apart[0])
    assert interval(["a", "b", "c"] * 4, rate, rng) is None


def test_figures_hold_their_own_intervals():
    pictures = [picture(str(i), [BOX, FAR], [BOX] if i % 3 else [FAR, BOX, (0, 0, 9, 9)]) for i in range(12)]
    found = box_figures(pictures, ["pit"], np.random.default_rng(1), ranked=pictures)
    right = found["class_right"]
    assert (right["hits"], right["found"], right["drawn"]) == (16, 20, 24)
    for key in ("recall", "precision", "f1"):
        assert right[f"{key}_interval"][0] <= right[key] <= right[f"{key}_interval"][1]
    assert found["per_class"]["pit"]["drawn"] == 24
    assert found["map50_interval"][0] <= found["map50"] <= found["map50_interval"][1]


def ways(better, worse, n=12, wrong=0):
    extra = [(200 + 30 * i, 0, 9, 9) for i in range(wrong)]
    new = [picture(str(i), [BOX, FAR], [BOX, FAR, *extra] if i < better else [BOX, *extra]) for i in range(n)]
    old = [picture(str(i), [BOX, FAR], [BOX, FAR] if i < worse else [BOX]) for i in range(n)]
    return new, old


def test_a_detector_that_finds_clearly_more_boxes_may_take_the_heatmaps_place():
    found = against(*ways(10, 1), np.random.default_rng(0))
    assert (found.gained, found.lost, found.refusal) == (9, 0, "")
    assert found.difference == pytest.approx(9 / 24)


def test_one_that_finds_a_box_more_is_refused_with_the_figures():
    found = against(*ways(2, 1), np.random.default_rng(0))
    assert "not shown to be above" in found.refusal
    assert found.to_json()["recall"] == pytest.approx(14 / 24)


def test_one_that_draws_everything_is_refused():
    found = against(*ways(12, 1, wrong=8), np.random.default_rng(0))
    assert found.low > 0
    assert "so many wrong ones" in found.refusal


def test_three_parts_are_too_few_to_tell():
    assert "too few" in against(*ways(3, 0, n=3), np.random.default_rng(0)).refusal


def test_other_pictures_cannot_be_compared():
    new, old = ways(3, 1)
    with pytest.raises(BadInput, match="same pictures"):
        against(new[1:] + new[:1], old, np.random.default_rng(0))


def test_finds_become_what_was_found():
    finds = Finds(np.array([BOX], float), np.array([0.7]), np.array([0]), np.array([0]))
    assert matched([picture("a", [BOX]).with_found(finds)]).hits == 1
    assert matched([picture("a", [BOX]).with_found(finds).above(0.8)]).found == 0

"""The arithmetic around the measurement on real pictures; the measurement itself takes minutes and is run by hand."""

import json
from collections import Counter

import numpy as np
import pytest

from core.learn.metrics import Interval
from tests.benchmarks.bench_real import (
    FOLDS,
    Mean,
    by_part,
    by_picture,
    freeze,
    jackknife,
    main,
    mean,
    mean_row,
    means,
    number,
    ranged,
    table,
    together,
    told,
)

GROUPS = 12  # of three pictures each


@pytest.fixture
def datasets(tmp_path):
    """A plant's folder with the dataset of everything: every other group is defective."""
    items = [
        {"path": f"{group}-{i}.png", "sha256": "", "group": f"g{group:02}", "split": "train", "defective": bad}
        | {"classes": ["pit"] if bad else []}
        for group in range(GROUPS)
        for bad in [group % 2 == 0]
        for i in range(3)
    ]
    (tmp_path / "all.json").write_text(json.dumps({"name": "all", "hash": "", "classes": ["pit"], "items": items}))
    return tmp_path


def sides_of(datasets, fold):
    """Groups by side, in the dataset of one fold."""
    items = json.loads((datasets / f"{freeze(datasets, fold)}.json").read_text())["items"]
    return {side: {i["group"] for i in items if i["split"] == side} for side in ("train", "val", "test")}


def test_every_group_is_tested_in_exactly_one_fold(datasets):
    tested = Counter(group for fold in range(FOLDS) for group in sides_of(datasets, fold)["test"])
    assert len(tested) == GROUPS
    assert set(tested.values()) == {1}


@pytest.mark.parametrize("fold", range(FOLDS))
def test_no_group_is_on_two_sides_of_a_fold(datasets, fold):
    sides = sides_of(datasets, fold)
    assert sum(map(len, sides.values())) == GROUPS
    assert set.union(*sides.values()) == {f"g{n:02}" for n in range(GROUPS)}
    assert all(sides.values())


def test_a_fold_is_the_same_whenever_it_is_frozen(datasets):
    first = (datasets / f"{freeze(datasets, 1)}.json").read_text()
    assert (datasets / f"{freeze(datasets, 1)}.json").read_text() == first


def measured(fold, scores):
    """One fold with a good and a defective picture for each pair of scores, each of a group of its own."""
    pictures = [
        {"file": f"{fold}-{n}-{bad}", "group": f"{fold}-{n}-{bad}", "defective": bad, "classes": [], "score": score}
        | {"pointed": True if bad else None}
        for n, pair in enumerate(scores)
        for bad, score in zip((False, True), pair, strict=True)
    ]
    ranked = sum(defect > good for good, _ in scores for _, defect in scores) / len(scores) ** 2
    evaluation = {
        "images": len(pictures),
        "defective": len(scores),
        "auroc": ranked,
        "auroc_interval": None,
        "part_auroc": None,
        "recall_at_5_percent_frr": 0.5,
        "recall_at_5_percent_frr_interval": [0.25, 0.75],
        "pointing_game": 1.0,
        "pointing_game_interval": None,
        "flag_all": {"f2": 0.83},
    }
    names = ("fold", "best_epoch", "epochs", "minutes", "groups")
    return {**dict(zip(names, (fold, 7, 12, 2.26, len(pictures)), strict=True)), "evaluation": evaluation} | {
        "pictures": pictures
    }


TWO = [measured(0, [(0.1, 0.9), (0.2, 0.8)]), measured(1, [(0.6, 0.4), (0.1, 0.9)])]


def test_all_folds_together_count_every_picture_once_beside_the_mean_of_the_folds():
    found = together(TWO)
    assert (found["images"], found["defective"], found["parts"]) == (8, 4, 8)
    assert found["mean_auroc"] == pytest.approx((1 + 0.75) / 2)
    assert found["auroc"] == pytest.approx(15 / 16)
    assert found["mean_part_auroc"] is None


def test_a_set_has_a_row_for_each_fold_for_their_mean_and_for_all_of_them():
    rows = table("elpv", {"folds": TWO, "together": together(TWO)}, 3)
    first = "| elpv | 0, seed 3 | 4 (2), 4 | 7 of 12 | 2.3 | 1.00 | – | 0.50 (0.25–0.75) | 1.00 | 0.83 |"
    assert rows[0] == first
    assert [row.split(" | ")[1] for row in rows] == ["0, seed 3", "1, seed 3", "mean", "together"]
    assert {row.count("|") for row in rows} == {first.count("|")}


def test_scores_that_mean_nothing_are_not_claimed():
    rows = table("bsdata", {"folds": TWO, "together": together(TWO)}, 0)
    assert all(row.count("confounded") == (1 if "mean" in row else 2) for row in rows)


OTHER = [measured(0, [(0.1, 0.9), (0.9, 0.2)]), measured(1, [(0.6, 0.7), (0.1, 0.9)])]


def test_the_mean_is_over_folds_and_then_over_seeds():
    found = means([TWO, OTHER])["auroc"]
    assert found.seeds == (pytest.approx(0.875), pytest.approx(0.8125))
    assert found.value == pytest.approx(0.84375)


def test_pointing_has_the_interval_of_as_many_pictures_as_there_are_whatever_the_seeds():
    missed = [{**fold, "pictures": [{**row, "pointed": None} for row in fold["pictures"]]} for fold in TWO]
    for fold in missed:
        for row in fold["pictures"]:
            if row["defective"]:
                row["pointed"] = row["score"] > 0.5
    one, three = means([missed])["pointing_game"], means([missed] * 3)["pointing_game"]
    assert one.value == three.value == 0.75
    assert one.interval == three.interval


def noisy(rng, groups=4, pictures=9):
    """Four folds of groups whose pictures share a shift, some of them defective."""
    folds = []
    for fold in range(FOLDS):
        rows = []
        for group in range(groups):
            shift = rng.normal() / 2
            for _ in range(pictures):
                bad = bool(rng.random() < 0.4)
                logit = 1.3 * bad + shift + rng.normal() * 0.87
                rows.append({"group": f"{fold}-{group}", "defective": bad, "score": 1 / (1 + np.exp(-logit))})
        folds.append({"pictures": rows})
    return folds


def test_the_interval_of_the_mean_holds_what_it_promises():
    rng = np.random.default_rng(0)
    values, intervals = [], []
    for _ in range(200):
        folds = noisy(rng)
        values.append(mean([by_picture(fold["pictures"]) for fold in folds]))
        intervals.append(jackknife([folds], by_picture, values[-1]))
    true = sum(values) / len(values)
    assert sum(one.low <= true <= one.high for one in intervals) >= 184  # of 200; 190 expected, three deviations less


def test_no_interval_is_claimed_of_a_fold_that_hangs_on_one_group():
    rows = [{"group": str(n), "defective": n == 0, "score": n / 5} for n in range(4)]
    assert jackknife([[{"pictures": rows}] * 2], by_picture, 0.5) is None


def test_exposures_of_one_part_are_averaged_before_parts_are_ranked():
    rows = [
        {"group": group, "defective": group == "bad", "score": score}
        for group, score in (("bad", 0.4), ("bad", 0.9), ("good", 0.5), ("good", 0.6))
    ]
    assert by_part(rows) == 1.0


def test_a_set_has_one_row_over_all_seeds_with_what_it_may_claim():
    found = {"auroc": Mean(0.8125, (0.875, 0.75), None), "pointing_game": Mean(0.9, (0.9,), Interval(0.8, 0.95))}
    assert mean_row("elpv", found) == "| elpv | 0.81; 0.88, 0.75 | – | 0.90 (0.80–0.95); 0.90 |"
    assert mean_row("bsdata", found).startswith("| bsdata | – | – | 0.90")
    assert told(None) == "–"


def test_a_number_that_is_not_there_is_a_dash_and_no_part_of_a_mean():
    assert number(None) == "–"
    assert mean([None, 0.5, 1.0]) == 0.75
    assert mean([None]) is None
    assert ranged({"auroc": 0.876, "auroc_interval": [0.8, 0.9]}, "auroc") == "0.88 (0.80–0.90)"


def test_without_a_folder_of_pictures_it_says_that_nothing_was_measured(monkeypatch):
    monkeypatch.delenv("REAL_PICTURES", raising=False)
    assert "not measured" in main()["skipped"]

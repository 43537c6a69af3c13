import json

import numpy as np
import pytest

from core.learn.evaluation import SEVERAL, UNMAPPED, Judged, summarise
from core.records import NO_DEFECT


def picture(score, defective, group="p", classes=("A",), pointed=None, **scores):
    return Judged(
        f"{group}.png", group, defective, classes if defective else (), score, scores or {"A": 0.7, "B": 0.3}, pointed
    )


def summed(judged, classes=("A", "B"), averaged=()):
    return summarise(judged, classes, np.random.default_rng(0), averaged)


def test_exposures_of_a_part_are_joined_before_parts_are_ranked():
    pictures = [
        picture(0.9, True, "bad"),
        picture(0.3, True, "bad"),
        picture(0.5, False, "good"),
        picture(0.1, False, "good"),
    ]
    found = summed(pictures, averaged=("bad", "good"))
    assert found["auroc"] == 0.75
    assert found["part_auroc"] == 1.0
    assert (found["images"], found["parts"]) == (4, 2)
    assert "exposures of one view" in found["part_rule"]


def test_parts_are_joined_as_the_line_joins_them_and_the_number_says_how():
    pictures = [picture(0.8, True, "bad"), picture(0.7, True, "bad"), picture(0.9, False, "good"),
                picture(0.1, False, "good")]  # fmt: skip
    assert summed(pictures)["part_auroc"] == 0.0  # the largest counts
    assert "a view of its own" in summed(pictures)["part_rule"]
    assert summed(pictures, averaged=("good",))["part_auroc"] == 1.0
    assert "in 1 of 2 parts" in summed(pictures, averaged=("good",))["part_rule"]


def test_every_prevalence_says_of_what():
    pictures = [picture(0.9, True, "a"), picture(0.9, False, "b"), picture(0.2, False, "b"), picture(0.2, False, "b")]
    assert summed(pictures)["prevalence"] == {"per_image": 0.25, "per_part": 0.5}


def test_good_pictures_alone_leave_what_needs_both_kinds_open():
    found = summed([picture(0.2, False, str(i)) for i in range(3)])
    for key in ("auroc", "auroc_interval", "part_auroc", "recall_at_5_percent_frr", "pr_auc", "pointing_game"):
        assert found[key] is None
    assert found["confusion"]["matrix"][0][0] == 3


def test_no_pictures_at_all_are_summed_without_numbers():
    found = summed([])
    assert (found["images"], found["auroc"], found["prevalence"]["per_image"]) == (0, None, None)


def test_a_class_is_claimed_only_of_a_flagged_picture():
    found = summed([picture(0.9, True, "a"), picture(0.4, True, "b"), picture(0.8, False, "c")])
    assert found["per_class"]["A"]["recall"] == 0.5
    assert found["per_class"]["A"]["precision"] == 0.5
    assert found["per_class"]["B"]["n"] == 0


def test_unmapped_and_several_classes_have_their_own_row():
    pictures = [
        picture(0.9, True, "a", ()),
        picture(0.9, True, "b", ("A", "B")),
        picture(0.9, True, "c", ("B",), A=0.2, B=0.8),
    ]
    found = summed(pictures)
    names, matrix = found["confusion"]["names"], found["confusion"]["matrix"]
    assert names == [NO_DEFECT, "A", "B", SEVERAL, UNMAPPED]
    assert matrix[names.index(UNMAPPED)][names.index("A")] == 1
    assert matrix[names.index(SEVERAL)][names.index("A")] == 1
    assert matrix[names.index("B")][names.index("B")] == 1


def test_a_model_without_classes_says_unmapped_of_what_it_flags():
    flagged = Judged("a", "a", True, ("A",), 0.9)
    assert flagged.said == UNMAPPED


def test_the_pointing_game_counts_only_pictures_with_a_region():
    pictures = [picture(0.9, True, "a", pointed=True), picture(0.9, True, "b", pointed=False), picture(0.1, False, "c")]
    found = summed(pictures)
    assert found["pointing_game"] == 0.5
    assert found["pointing_game_images"] == 2


@pytest.mark.parametrize(("scores", "beats"), [((0.9, 0.8, 0.2, 0.1), True), ((0.9, 0.9, 0.9, 0.9), False)])
def test_a_model_that_flags_everything_does_not_beat_flagging_everything(scores, beats):
    pictures = [picture(s, i < 2, str(i)) for i, s in enumerate(scores)]
    assert summed(pictures)["beats_flag_all"] is beats


def test_the_summary_is_json():
    json.dumps(summed([picture(0.9, True, "a"), picture(0.1, False, "b")]), allow_nan=False)

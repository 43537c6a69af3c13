import numpy as np

from core.learn.datasets.suspects import (
    Labelled,
    Suspect,
    Why,
    by_model,
    kinds_and_probabilities,
    odd_boxes,
    ranked,
    twins,
)
from core.records import Region


def box(x, y, width, height):
    return Region(x, y, width, height, "scratch", "SCRATCH")


def picture(number, *regions, defective=True, classes=("SCRATCH",)):
    return Labelled(number, number, f"/p{number}.png", (200, 100), defective, classes if defective else (), regions)


def test_each_kind_of_odd_box_is_named():
    pictures = [
        picture(1, box(190, 10, 30, 20)),
        picture(2, box(10, 10, 0, 20)),
        picture(3, box(10, 10, 2, 40)),
        picture(4, box(0, 0, 200, 96)),
        picture(5, box(10, 10, 30, 20)),
        picture(6, box(-0.4, 0, 30, 20)),
    ]
    found = {one.image: one.why for one in odd_boxes(pictures)}
    assert found == {1: Why.OUTSIDE, 2: Why.EMPTY, 3: Why.TINY, 4: Why.HUGE}


def test_the_same_picture_with_another_label_is_doubted_on_both_sides():
    pictures = [picture(1), picture(2, defective=False), picture(3), picture(4)]
    found = twins(pictures, [(0, 1), (2, 3)])
    assert [(one.image, one.others) for one in found] == [(1, (2,)), (2, (1,))]
    assert "NO_DEFECT" in found[0].sentence


def test_confident_learning_is_asked_about_single_known_classes_only():
    pictures = [
        picture(1),
        picture(2, defective=False),
        picture(3, classes=("SCRATCH", "PIT")),
        picture(4, classes=()),
        picture(5, classes=("UNHEARD",)),
    ]
    scores = [{"SCRATCH": 0.8, "PIT": 0.2}] * 5
    kinds, labels, rows, numbers = kinds_and_probabilities(pictures, [0.9, 0.2, 0.9, 0.9, 0.9], scores)
    assert kinds == ["NO_DEFECT", "SCRATCH"]
    assert (labels.tolist(), numbers) == ([1, 0], [0, 1])
    np.testing.assert_allclose(rows, [[0.1, 0.9], [0.8, 0.2]])
    found = by_model(pictures, kinds, rows, numbers, np.array([False, True]), np.array([0.9, 0.1]))
    assert [(one.image, one.why) for one in found] == [(2, Why.MODEL)]
    assert found[0].sentence == "Labelled NO_DEFECT; the model says NO_DEFECT with 80%."


def test_nothing_labelled_is_nothing_to_ask():
    kinds, labels, rows, numbers = kinds_and_probabilities([], [], [])
    assert (kinds, labels.tolist(), rows.shape, numbers) == (["NO_DEFECT"], [], (0, 1), [])


def test_an_image_comes_once_for_each_reason_the_most_worth_first():
    found = ranked(
        [Suspect(1, 1, Why.TINY, "a", 0.5), Suspect(1, 1, Why.TINY, "b", 0.5), Suspect(2, 2, Why.TWINS, "c", 0.9),
         Suspect(1, 1, Why.TWINS, "d", 0.2)]
    )  # fmt: skip
    assert [(one.image, one.sentence) for one in found] == [(2, "c"), (1, "a"), (1, "d")]

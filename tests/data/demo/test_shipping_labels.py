"""Box tops with and without their shipping label."""

import cv2
import numpy as np

from data.demo.shipping_labels import LABEL, MISSING, label_pictures


def test_the_label_is_where_its_box_says_and_nowhere_when_it_is_missing():
    made = list(label_pictures(12, 3))
    assert {one.label is None for one in made} == {True, False}
    for one in made:
        assert (one.label is None) == (one.flaw == MISSING)
        if one.label is None:
            continue
        pixels = cv2.imdecode(np.frombuffer(one.data, np.uint8), cv2.IMREAD_COLOR)
        box = one.label
        assert box.class_id == LABEL
        inside = pixels[int(box.y) : int(box.y + box.height), int(box.x) : int(box.x + box.width), 0].mean()
        top = pixels[int(box.y) - 24 : int(box.y) - 10, int(box.x) : int(box.x + box.width), 0].mean()
        assert inside > top + 25  # paper is bluer than cardboard
        assert 0.2 < box.width / one.size_wh[0] < 0.5


def test_the_same_seed_draws_the_same_pictures_and_another_one_others():
    first, again, other = (next(iter(label_pictures(1, seed))).data for seed in (3, 3, 4))
    assert first == again
    assert first != other

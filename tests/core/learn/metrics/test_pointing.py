import numpy as np
import pytest

from core.errors import BadInput
from core.learn import metrics


def test_the_hottest_spot_must_lie_on_the_region():
    heat = np.zeros((4, 8))
    heat[1, 6] = 1  # the cell over x 60 to 70, y 10 to 20 of an 80x40 picture
    mask = np.zeros((40, 80), bool)
    mask[12:18, 62:68] = True
    assert metrics.points_inside(heat, (80, 40), mask)
    assert not metrics.points_inside(heat, (80, 40), np.roll(mask, 10, axis=1))
    assert metrics.points_inside(heat, (80, 40), np.roll(mask, 10, axis=1), slack_px=8)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(BadInput, match="Mask is 40x40 but the image is 64x64"):
        metrics.points_inside(np.zeros((2, 2)), (64, 64), np.zeros((40, 40), bool))

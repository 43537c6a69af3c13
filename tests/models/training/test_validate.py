import numpy as np
import pytest

from core.pictures.tiling import Look, plan
from core.records import Region
from models.joining import Join
from models.training.examples import Example
from models.training.validate import Observed, progress_of

LOOK = Look(tile=64, stride=64)
PIT = Region(16.0, 16.0, 16.0, 16.0, "pit", "PIT")
INSIDE, BESIDE = (2, 2), (6, 6)


def seen(defective, logit, peak=None, regions=None):
    """One tile of 64x64; its dense map is hot in the cell `peak`, and missing where that is None."""
    drawn = ((PIT,) if defective else ()) if regions is None else regions
    example = Example("a", "a", "val", "g", defective, 64, 64, None, (), drawn)
    dense = None
    if peak is not None:
        dense = np.full((1, 8, 8), -3.0, np.float32)
        dense[0][peak] = 3.0
    return Observed(example, plan(64, 64, LOOK), np.array([logit], np.float32), np.zeros((1, 0)), None, dense)


def test_scores_and_map_both_count_where_there_is_something_to_tell_apart():
    scores = [(True, 2.0), (True, -1.0), (False, -2.0), (False, 0.5)]
    alone = progress_of([seen(*one) for one in scores], Join())
    assert alone.pointed is None
    assert alone.worth == -alone.log_loss
    right, wrong = (progress_of([seen(*one, peak) for one in scores], Join()) for peak in (INSIDE, BESIDE))
    assert (right.pointed, wrong.pointed) == (1.0, 0.0)
    assert right.log_loss == wrong.log_loss == alone.log_loss
    assert right.worth > wrong.worth > alone.worth


def test_pictures_of_one_kind_are_judged_by_where_the_map_points_and_not_by_their_scores():
    unsure, sure = (
        progress_of([seen(True, score, INSIDE), seen(True, score, BESIDE)], Join()) for score in (-1.0, 9.0)
    )
    assert unsure.auroc is None
    assert unsure.log_loss > sure.log_loss
    assert unsure.worth == sure.worth
    assert progress_of([seen(True, -1.0, INSIDE)] * 2, Join()).worth > sure.worth


@pytest.mark.parametrize("defective", [True, False])
def test_pictures_of_one_kind_without_a_drawn_region_tell_no_epoch_from_another(defective):
    assert progress_of([seen(defective, 1.0, INSIDE, regions=())] * 3, Join()).worth is None

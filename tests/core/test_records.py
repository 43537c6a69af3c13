"""Facts that a plant has millions of."""

import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from core.records import Polygons, Region, Severity, quick_region

ALL = (1.0, 2.0, 3.5, 4.25, "crack", "CRACK", Severity.MAJOR, 0.5, Polygons(((0.0, 0.0, 1.0, 0.0, 1.0, 1.0),)), "k")


@pytest.mark.parametrize("given", [ALL, ALL[:5]])
def test_a_region_made_quickly_is_like_any_other(given):
    slow, quick = Region(*given), quick_region(*given)
    assert type(quick) is Region
    assert (quick, hash(quick), repr(quick)) == (slow, hash(slow), repr(slow))
    assert replace(quick, x=9.0) == replace(slow, x=9.0)
    assert pickle.loads(pickle.dumps(quick)) == copy.deepcopy(quick) == slow
    with pytest.raises(FrozenInstanceError):
        quick.x = 2.0

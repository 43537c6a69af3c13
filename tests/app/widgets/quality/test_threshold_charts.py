"""What the figures of the thresholds page are drawn from."""

import json

import numpy as np
import pytest

from app.widgets.quality.threshold_charts import distributions, over_thresholds
from core.decide.rates import Curve
from core.decide.replay import Past


@pytest.fixture
def found():
    """Four parts: a good one, a defective one, one that nobody knows, and one without a score."""
    return Past(
        part_ids=np.arange(4),
        scores=np.array([0.1, 0.9, 0.5, np.nan]),
        given=np.zeros((4, 3), np.int8),
        was=np.zeros(4, np.int8),
        known=np.array([True, True, False, True]),
        defective=np.array([False, True, False, True]),
        weights=np.ones(4),
    )


def test_each_kind_is_drawn_as_shares_of_itself_and_what_has_no_score_is_left_out(found):
    drawn = distributions(found, 0.2, 0.8, {"least cost": 0.3})
    assert [sum(one["counts"]) for one in drawn["kinds"]] == [3, 1, 1]
    assert [sum(one["shares"]) for one in drawn["kinds"]] == pytest.approx([1, 1, 1], abs=1e-4)
    assert drawn["marks"] == [{"name": "least cost", "at": 0.3}]
    assert drawn["band"] == "0.2000 0.8000"
    json.dumps(drawn, allow_nan=False)


def test_a_curve_names_the_edge_it_depends_on_and_what_is_no_number_is_left_out():
    line = np.array([0.5, np.nan, 1.0])
    curve = Curve(np.array([0.0, 0.5, 1.0]), line, line - 0.1, line + 0.1, 30, "fail above")
    drawn = over_thresholds({"false rejects": curve}, 0.2, 0.8)
    (one,) = drawn["curves"]
    assert (one["edge"], one["n"], one["share"], one["value"]) == (0.8, 30, True, [0.5, None, 1.0])
    json.dumps(drawn, allow_nan=False)

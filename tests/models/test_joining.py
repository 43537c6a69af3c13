import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from core.errors import BadInput
from models.joining import Calibration, Join, class_probabilities, class_shares, joined

logits = arrays(np.float32, st.integers(1, 40), elements=st.floats(-20, 20, width=32))
joins = st.sampled_from([Join(), Join(k=3), Join("lse"), Join("lse", sharpness=4)])


@given(logits, joins)
def test_a_joined_logit_lies_between_the_mean_and_the_largest(values, join):
    score = joined(values, join)
    assert values.mean() - 1e-3 <= score <= values.max() + 1e-3


@given(logits, joins, st.integers(0, 2**32 - 1))
def test_the_order_of_tiles_does_not_matter(values, join, seed):
    shuffled = np.random.default_rng(seed).permutation(values)
    assert_allclose(joined(shuffled, join), joined(values, join), rtol=1e-5, atol=1e-5)


@given(logits, joins, st.floats(0, 5))
def test_a_tile_that_looks_worse_never_makes_the_picture_look_better(values, join, more):
    worse = values.copy()
    worse[0] += np.float32(more)
    assert joined(worse, join) >= joined(values, join) - 1e-5


def test_the_default_is_the_worst_tile():
    assert joined(np.array([-3.0, 2.0, 1.0], np.float32), Join()) == 2.0
    assert joined(np.array([-3.0, 2.0, 1.0], np.float32), Join(k=2)) == 1.5


def test_the_dense_map_adds_its_share():
    assert joined(np.array([1.0], np.float32), Join(dense=0.5), 4.0) == 3.0
    assert joined(np.array([1.0], np.float32), Join(dense=0.5), None) == 1.0


def test_one_clear_tile_names_the_class_among_hundreds_of_clean_ones():
    defect = np.full(713, -5.0, np.float32)
    classes = np.tile(np.array([[3.0, 0.0]], np.float32), (713, 1))
    defect[100], classes[100] = 4.0, (0.0, 3.0)
    shares = class_shares(defect, classes, 1.0, one_of=True)
    assert shares.argmax() == 1
    assert shares.sum() == pytest.approx(1)


def test_classes_that_may_appear_together_are_judged_each_by_itself():
    both = class_probabilities(np.array([[4.0, 4.0]], np.float32), 1.0, one_of=False)
    assert (both > 0.9).all()
    assert_allclose(class_probabilities(np.array([[4.0, 4.0]], np.float32), 2.0, one_of=True), 0.5)


def test_no_classes_have_no_shares():
    assert class_shares(np.zeros(2, np.float32), np.zeros((2, 0), np.float32), 1.0, one_of=True).shape == (0,)


def test_calibration_bends_logits_into_probabilities():
    calibration = Calibration(temperature=2.0, bias=1.0)
    assert calibration.probability(-2.0) == pytest.approx(0.5)
    assert calibration.probability(np.array([-2.0, 50.0]))[1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    "make",
    [lambda: Join(k=0), lambda: Join("lse", sharpness=0), lambda: Join("mean"), lambda: Calibration(temperature=0)],
)
def test_what_joins_nothing_is_refused(make):
    with pytest.raises(BadInput):
        make()


def test_no_tiles_have_no_score():
    with pytest.raises(BadInput):
        joined(np.zeros(0, np.float32), Join())

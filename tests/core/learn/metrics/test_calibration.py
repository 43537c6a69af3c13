import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from numpy.testing import assert_allclose
from sklearn import metrics as oracle

from core.errors import BadInput
from core.learn import metrics
from tests.core.learn.metrics.cases import scored


def test_an_honest_model_has_no_calibration_error(rng):
    said = rng.random(20000)
    assert metrics.calibration_error(said, rng.random(20000) < said) < 0.02
    assert metrics.calibration_error(said, np.ones(20000)) > 0.45


def test_logits_are_no_probabilities():
    with pytest.raises(BadInput, match="calibrate"):
        metrics.reliability([-2.0, 3.0], [True, False])


@given(scored())
@limits(max_examples=25, deadline=None)
def test_log_loss_equals_scikit_learn(case):
    scores, defective = case
    p = 0.05 + 0.9 * scores
    assert_allclose(metrics.log_loss(p, defective), oracle.log_loss(defective, p))

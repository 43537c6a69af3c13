import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from core.errors import BadInput
from core.learn import metrics
from models.calibrate import class_temperature, fit_calibration
from models.joining import Calibration


def overconfident(n, rng):
    """Logits four times too large and off by one."""
    true = rng.normal(0, 1.5, n)
    return 4 * (true - 1), rng.random(n) < expit(true)


def test_an_overconfident_model_becomes_honest(rng):
    z, d = overconfident(20_000, rng)
    fitted = fit_calibration(z, d)
    assert fitted.temperature == pytest.approx(4, rel=0.1)
    assert fitted.bias == pytest.approx(1, abs=0.1)
    assert metrics.calibration_error(expit(z), d) > 0.15
    assert metrics.calibration_error(fitted.probability(z), d) < 0.02
    assert fitted.fitted == 20_000


def test_it_agrees_with_logistic_regression(rng):
    z, d = overconfident(5000, rng)
    fitted = fit_calibration(z, d)
    oracle = LogisticRegression(C=1e9).fit(z[:, None], d)
    assert 1 / fitted.temperature == pytest.approx(oracle.coef_[0, 0], rel=0.02)
    assert fitted.bias == pytest.approx(oracle.intercept_[0], abs=0.02)


def test_the_order_of_pictures_stays(rng):
    z, d = overconfident(200, rng)
    p = fit_calibration(z, d).probability(z)
    assert_allclose(metrics.auroc(p, d), metrics.auroc(z, d))


def test_a_perfect_split_of_few_pictures_is_not_certainty():
    p = fit_calibration([-3, -2, 2, 3], [0, 0, 1, 1]).probability(np.array([-3.0, 3.0]))
    assert 0.01 < p[0] < 0.5 < p[1] < 0.99


def test_soft_targets_are_honoured(rng):
    z = rng.normal(0, 2, 4000)
    fitted = fit_calibration(z, expit(0.5 * z - 0.3))
    assert fitted.temperature == pytest.approx(2, rel=0.1)
    assert fitted.bias == pytest.approx(-0.3, abs=0.05)


@pytest.mark.parametrize(
    ("logits", "targets"), [([], []), ([1, 2, 3], [1, 1, 1]), ([1, 2, 3], [0, 0, 1]), ([1, 1, 1, 1], [0, 0, 1, 1])]
)
def test_with_too_little_to_go_by_logits_stay_as_they_are(logits, targets):
    assert fit_calibration(logits, targets) == Calibration()


def test_a_model_that_is_always_wrong_does_not_turn_around(rng):
    z = rng.normal(0, 1, 500)
    fitted = fit_calibration(z, z < 0)
    assert fitted.temperature > 1
    assert np.ptp(fitted.probability(z)) < 0.3


def test_logits_without_targets_are_refused():
    with pytest.raises(BadInput, match="2 logits but 1 targets"):
        fit_calibration([1, 2], [1])


def test_class_logits_are_cooled_down(rng):
    true = rng.normal(0, 1, (4000, 3))
    shares = np.exp(true) / np.exp(true).sum(1, keepdims=True)
    classes = np.array([rng.choice(3, p=row) for row in shares])
    assert class_temperature(5 * true, classes) == pytest.approx(5, rel=0.1)


def test_one_class_needs_no_temperature():
    assert class_temperature(np.zeros((10, 1)), np.zeros(10)) == 1.0


@pytest.fixture
def rng():
    return np.random.default_rng(0)

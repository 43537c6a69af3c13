"""From logits to probabilities that mean what they say, fitted on pictures the net has not learned from."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from core.errors import BadInput
from models.joining import Calibration

_LEAST_PER_KIND = 2  # of good and of defective pictures, or nothing is fitted
_TEMPERATURES = (0.05, 20.0)
_BIASES = (-10.0, 10.0)


def fit_calibration(logits: npt.ArrayLike, targets: npt.ArrayLike) -> Calibration:
    """Fit expit(logit / temperature + bias) by maximum likelihood.

    Hard targets are pulled in by Platt's rule, so that a perfect split of few pictures does not end in certainty.
    With too few of either kind the logits stay as they are.

    Args:
        logits: (n,) joined, one for each picture.
        targets: (n,) probabilities of a defect.

    Source: Platt 1999, section 2.2; Guo et al. 2017.
    """
    z, t = np.asarray(logits, np.float64).ravel(), np.asarray(targets, np.float64).ravel()
    if len(z) != len(t):
        raise BadInput(f"{len(z)} logits but {len(t)} targets: give one target for each.")
    bad, good = float(t.sum()), float((1 - t).sum())
    if min((t > 0.5).sum(), (t <= 0.5).sum()) < _LEAST_PER_KIND or not np.ptp(z) > 0:
        return Calibration()
    high, low = (bad + 1) / (bad + 2), 1 / (good + 2)
    soft = low + t * (high - low)

    def loss(free: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        slope, bias = np.exp(free[0]), free[1]
        a = slope * z + bias
        value = float(np.mean(np.logaddexp(0, a) - soft * a))
        wrong = expit(a) - soft
        return value, np.array([np.mean(wrong * z) * slope, np.mean(wrong)])

    found = minimize(
        loss,
        np.zeros(2),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-np.log(_TEMPERATURES[1]), -np.log(_TEMPERATURES[0])), _BIASES],
    )
    return Calibration(float(np.exp(-found.x[0])), float(found.x[1]), fitted=len(z))


def class_temperature(logits: npt.ArrayLike, classes: npt.ArrayLike, exclusive: bool = True) -> float:
    """Divide class logits by this before their softmax (or sigmoid); 1 with too little to go by.

    Args:
        logits: (n, k).
        classes: (n,) index of the true class.
        exclusive: softmax where they exclude each other, else a sigmoid each.
    """
    z, c = np.asarray(logits, np.float64), np.asarray(classes, np.int64).ravel()
    if len(z) < 2 * _LEAST_PER_KIND or z.shape[1] < 2:
        return 1.0

    def loss(free: npt.NDArray[np.float64]) -> float:
        scaled = z * np.exp(-free[0])
        if exclusive:
            return float(-np.mean(log_softmax(scaled, axis=1)[np.arange(len(c)), c]))
        wanted = np.eye(z.shape[1])[c]
        return float(np.mean(np.logaddexp(0, scaled) - wanted * scaled))

    bounds = [(float(np.log(_TEMPERATURES[0])), float(np.log(_TEMPERATURES[1])))]
    return float(np.exp(minimize(loss, np.zeros(1), method="L-BFGS-B", bounds=bounds).x[0]))

"""A linear head on frozen features: what a few labels are worth before any net is trained."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, xlogy

from core.errors import BadInput
from core.records import Floats

Wide = npt.NDArray[np.float64]
STRENGTH = 1.0  # of the pull towards nothing, against the mean loss times the examples


@dataclass(frozen=True, eq=False)
class Head:
    """Weights over features as they are.

    Attributes:
        weights: (d,); bias: one number.
    """

    weights: Wide
    bias: float

    def logits(self, features: Floats) -> Wide:
        """(n,) of a defect."""
        found: Wide = features @ self.weights + self.bias
        return found

    def probabilities(self, features: Floats) -> Wide:
        """(n,) of a defect, in [0, 1]."""
        found: Wide = expit(self.logits(features))
        return found


def fit_head(
    features: Floats,
    defective: npt.ArrayLike,
    strength: float = STRENGTH,
    middle: Floats | None = None,
    scale: Floats | None = None,
) -> Head:
    """Ridge logistic regression with both kinds weighing the same.

    The fit happens in the span of the examples, so that a thousand features of thirty examples cost thirty weights.

    Args:
        features: (n, d).
        defective: (n,); with one kind only, the head says the same of everything.
        strength: of the ridge.
        middle: (d,) taken off the features, such as the whole pool's mean; the examples' own where None.
        scale: (d,) by which they are divided, such as the whole pool's deviation; the examples' own where None.

    Source: representer theorem, Schölkopf et al. 2001; King and Zeng 2001 for the weights of rare kinds.
    """
    d = np.asarray(defective, bool)
    if len(d) != len(features):
        raise BadInput(f"{len(features)} feature vectors but {len(d)} labels: give one label for each.")
    centre = np.asarray(features.mean(axis=0) if middle is None else middle, np.float64)
    spread = np.asarray(features.std(axis=0) if scale is None else scale, np.float64)
    spread = np.where(spread > 1e-6 * max(1e-12, float(spread.max(initial=0.0))), spread, np.inf)
    if len(d) == 0 or d.all() or not d.any():
        known = float(np.log((d.sum() + 0.5) / ((~d).sum() + 0.5)))
        return Head(np.zeros(features.shape[1]), known)
    x = (features - centre) / spread / np.sqrt(features.shape[1])
    _left, sizes, right = np.linalg.svd(x, full_matrices=False)
    basis = right[sizes > 1e-9 * sizes[0]]
    z = x @ basis.T
    weight = np.where(d, 0.5 / d.sum(), 0.5 / (~d).sum()) * len(d)

    def loss(parameters: Wide) -> tuple[float, Wide]:
        p = expit(z @ parameters[:-1] + parameters[-1])
        value = -(weight * (xlogy(d, np.maximum(p, 1e-300)) + xlogy(~d, np.maximum(1 - p, 1e-300)))).sum()
        gap = weight * (p - d)
        gradient = np.r_[z.T @ gap + strength * parameters[:-1], gap.sum()]
        return float(value + strength * (parameters[:-1] @ parameters[:-1]) / 2), gradient

    found = minimize(loss, np.zeros(len(basis) + 1), jac=True, method="L-BFGS-B").x
    weights = (found[:-1] @ basis) / spread / np.sqrt(features.shape[1])
    return Head(weights, float(found[-1] - weights @ centre))

"""From tiles to the picture: how a picture's score and classes follow from its tiles.

Plain arithmetic on logits, shared by the engine and by whoever fits the calibration.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import expit, logsumexp, softmax

from core.errors import BadInput
from core.records import Floats

CLASS_SHARPNESS = 2.0  # squared odds: one clear tile outweighs hundreds of clean ones


@dataclass(frozen=True)
class Join:
    """How tile logits become one logit of the picture.

    Attributes:
        kind: "top" is the mean of the k largest (k=1: the largest); "lse" is the soft maximum
            log(mean(exp(sharpness · logit))) / sharpness, between mean and maximum.
        dense: weight of the dense map's largest logit, added to the tiles' joined logit; 0 leaves it out.
    """

    kind: Literal["top", "lse"] = "top"
    k: int = 1
    sharpness: float = 1.0
    dense: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in ("top", "lse") or self.k < 1 or self.sharpness <= 0:
            raise BadInput(f"{self} joins nothing: take top with k of 1 or more, or lse with a sharpness above 0.")


@dataclass(frozen=True)
class Calibration:
    """From a joined logit to a probability: expit(logit / temperature + bias).

    Attributes:
        class_temperature: divides class logits.
        fitted: on how many pictures; 0 where nothing was fitted.
    """

    temperature: float = 1.0
    bias: float = 0.0
    class_temperature: float = 1.0
    fitted: int = 0

    def __post_init__(self) -> None:
        if self.temperature <= 0 or self.class_temperature <= 0:
            raise BadInput(f"{self}: temperatures must be above 0.")

    def probability(self, logits: Floats | float) -> Any:
        """Of a defect; same shape as given."""
        return expit(np.asarray(logits, np.float64) / self.temperature + self.bias)


def joined(logits: Floats, join: Join, dense_peak: float | None = None) -> float:
    """One logit for a picture, from the (n,) of its tiles, the whole-picture branch among them.

    `dense_peak` is the largest logit of its dense map, where there is one.
    """
    if logits.size == 0:
        raise BadInput("A picture without tiles has no score.")
    values = logits.astype(np.float64)
    if join.kind == "top":
        k = min(join.k, values.size)
        score = float(np.partition(values, values.size - k)[values.size - k :].mean())
    else:
        score = float((logsumexp(values * join.sharpness) - np.log(values.size)) / join.sharpness)
    return score + join.dense * dense_peak if join.dense and dense_peak is not None else score


def class_shares(logits: Floats, class_logits: Floats, temperature: float, one_of: bool) -> Floats:
    """Probability of each class given a defect, from the tiles that look defective.

    Classes exclude each other where `one_of` (softmax), else they may appear together.

    Returns:
        (k,) in [0, 1], from (n,) defect logits and (n, k) class logits.
    """
    weights = softmax(CLASS_SHARPNESS * logits.astype(np.float64))
    shares: Floats = (weights @ class_probabilities(class_logits, temperature, one_of)).astype(np.float32)
    return shares


def class_probabilities(class_logits: Floats, temperature: float, one_of: bool) -> Floats:
    """(n, k) logits to (n, k) probabilities."""
    scaled = class_logits.astype(np.float64) / temperature
    if scaled.shape[1] == 0:
        return scaled.astype(np.float32)
    probabilities: Floats = (softmax(scaled, axis=1) if one_of else expit(scaled)).astype(np.float32)
    return probabilities


def to_json(part: Join | Calibration) -> dict[str, Any]:
    """As the card has it."""
    return asdict(part)


def join_from_json(values: Mapping[str, Any]) -> Join:
    """The reverse of to_json."""
    return Join(**values)


def calibration_from_json(values: Mapping[str, Any]) -> Calibration:
    """The reverse of to_json."""
    return Calibration(**values)

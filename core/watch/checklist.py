"""What an investigation looks at, as sentences from figures: then against now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FEATURES: Mapping[str, str] = {
    "exposure": "shutter time in seconds",
    "iso": "ISO",
    "aperture": "aperture",
    "sharpness": "variance of the Laplacian",
    "brightness": "mean grey, 0 to 1",
    "contrast": "spread of grey, 0 to 1",
    "red": "mean red, 0 to 255",
    "green": "mean green, 0 to 255",
    "blue": "mean blue, 0 to 255",
    "confidence": "0.5 to 1",
    "score": "0 to 1",
    "novelty": "1 is the model's own limit",
}
LEAST = 8  # values on either side before two distributions are compared
FAR = 0.3  # Kolmogorov-Smirnov distance that nobody overlooks in a picture


@dataclass(frozen=True)
class Difference:
    """One feature, then and now.

    Attributes:
        distance: Kolmogorov-Smirnov, 0 to 1; None with fewer than 8 values on a side.
        p_value: of the two-sample test, once, not for continuous looking; None likewise.
    """

    feature: str
    then: float | None
    now: float | None
    n_then: int
    n_now: int
    distance: float | None
    p_value: float | None

    @property
    def stands_out(self) -> bool:
        """Whether a person should look here first."""
        return self.distance is not None and self.distance >= FAR and (self.p_value or 0.0) < 0.01


def differences(
    then: Mapping[str, Sequence[float | None]], now: Mapping[str, Sequence[float | None]]
) -> list[Difference]:
    """Every feature that either side has, the largest distance first.

    Source: scipy's two-sample Kolmogorov-Smirnov test (Hodges 1958), exact for small samples.
    """
    found = []
    for feature in FEATURES:
        a, b = _known(then.get(feature, ())), _known(now.get(feature, ()))
        if not len(a) and not len(b):
            continue
        distance = p_value = None
        if min(len(a), len(b)) >= LEAST:
            test = stats.ks_2samp(a, b)
            distance, p_value = float(test.statistic), float(test.pvalue)
        found.append(Difference(feature, _median(a), _median(b), len(a), len(b), distance, p_value))
    return sorted(found, key=lambda one: -(one.distance if one.distance is not None else -1.0))


def _known(values: Sequence[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    kept = np.asarray([value for value in values if value is not None], np.float64)
    return kept[np.isfinite(kept)]


def _median(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float | None:
    return float(np.median(values)) if len(values) else None


CHECKS: Sequence[tuple[str, str]] = (
    ("pictures", "Compare the pictures side by side: lamp, focus, background, another part?"),
    ("exposure", "Exposure: shutter, ISO and aperture as they were?"),
    ("sharpness", "Sharpness: lens clean, distance and vibration as they were?"),
    ("colour", "Colour: white balance and lamp as they were?"),
    ("drift", "Which feature moved most, and at which camera?"),
    ("model", "Did the model change shortly before?"),
    ("policy", "Did the policy, its thresholds or audits change shortly before?"),
    ("material", "Did material, tool or supplier change? Ask the line."),
)

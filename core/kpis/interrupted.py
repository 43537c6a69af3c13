"""Before and after: what a change did to a weekly series, beyond where it was going anyway."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]
_CORRELATIONS = np.linspace(0.0, 0.9, 46)
EACH_SIDE = 4  # periods, with fewer of which no level and slope can be told apart


@dataclass(frozen=True)
class Change:
    """What changed at a moment.

    Attributes:
        level: step at the change, in the unit of the series.
        slope: change of the step from one period to the next.
        average: mean difference, over the periods since, between the fitted line and the one before carried on.
        low, high: 95% interval of `average`.
        p: of no average difference, two-sided.
        before, after: periods on each side.
        places: (n,) of the periods that were measured; the lines below stand at them.
        fitted: (n,) the fitted line, with its step.
        carried: (after,) the line before carried on over the periods since, as if nothing had changed.
        carried_low, carried_high: (after,) 95% band of that line.
    """

    level: float
    slope: float
    average: float
    low: float
    high: float
    p: float
    before: int
    after: int
    places: tuple[int, ...] = ()
    fitted: tuple[float, ...] = ()
    carried: tuple[float, ...] = ()
    carried_low: tuple[float, ...] = ()
    carried_high: tuple[float, ...] = ()


def interrupted(values: Sequence[float | None], first_after: int, confidence: float = 0.95) -> Change | None:
    """Segmented regression with errors that may follow each other; None with too few periods on either side.

    Args:
        values: one for each period in order; None where nothing was measured.
        first_after: place of the first period after the change.
        confidence: of the interval.

    Source: Wagner et al. 2002 (segmented regression of interrupted time series); first-order autoregressive errors by
    the method of moments, with Student's t. Newey and West's covariance was tried: at 52 weeks its 95% intervals
    covered 86%.
    """
    there = [(place, value) for place, value in enumerate(values) if value is not None]
    time = np.array([place for place, _ in there], float)
    y = np.array([value for _, value in there], float)
    after = time >= first_after
    if after.sum() < EACH_SIDE or (~after).sum() < EACH_SIDE:
        return None
    since = np.where(after, time - first_after, 0.0)
    x = np.column_stack([np.ones_like(time), time, after, since])
    inverse = np.linalg.inv(x.T @ x)
    b = inverse @ x.T @ y
    covariance = inverse @ x.T @ _errors(x, y - x @ b, time) @ x @ inverse
    contrast = np.array([0.0, 0.0, 1.0, float(since[after].mean())])
    average = float(contrast @ b)
    error = float(np.sqrt(max(0.0, contrast @ covariance @ contrast)))
    freedom = len(y) - x.shape[1]
    reach = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
    p = float(2 * stats.t.sf(abs(average) / error, freedom)) if error > 0 else float(average == 0)
    onward = np.column_stack([np.ones(int(after.sum())), time[after]])
    carried = onward @ b[:2]
    band = float(stats.t.ppf((1 + confidence) / 2, freedom)) * np.sqrt(
        np.maximum(0.0, np.einsum("ij,jk,ik->i", onward, covariance[:2, :2], onward))
    )
    return Change(
        float(b[2]), float(b[3]), average, average - reach, average + reach, p, int((~after).sum()), int(after.sum()),
        tuple(int(one) for one in time), *(tuple(map(float, one)) for one in (x @ b, carried, carried - band,
                                                                             carried + band)),
    )  # fmt: skip


def _errors(x: Array, residuals: Array, time: Array) -> Array:
    """Covariance of the errors, each resembling the one before as much as the residuals say, and never less than not.

    Residuals resemble each other less than errors do, because the line was fitted to them; so the correlation is the
    one under which residuals of this very design would look as these do, on average.
    """
    hat = x @ np.linalg.inv(x.T @ x) @ x.T
    rest = np.eye(len(time)) - hat
    steps = np.abs(time[:, None] - time[None, :])
    neighbours = (steps == 1) / 2
    seen = float(residuals @ neighbours @ residuals) / max(float(residuals @ residuals), 1e-300)
    inner = rest @ neighbours @ rest
    shapes = [np.power(rho, steps) for rho in _CORRELATIONS]  # 0 to the power of 0 is 1
    expected = [float(np.sum(inner * shape) / np.sum(rest * shape)) for shape in shapes]
    shape = shapes[int(np.argmin(np.abs(np.array(expected) - seen)))]
    scale = float(residuals @ residuals) / float(np.sum(rest * shape))
    errors: Array = scale * shape
    return errors

"""How sure one can be of a recall whose threshold the same pictures chose, where some of them show one part."""

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.learn.metrics.groups import FEWEST_GROUPS, Kinds, kinds_of, numbered
from core.learn.metrics.proportions import Interval, binomial_interval
from core.learn.metrics.ranking import distinct
from core.learn.metrics.scored import Array, Flags, checked

DRAWS = 400
CELLS = 4_000_000  # of one table of draws; more pictures are drawn in several tables


def recall_interval(
    scores: npt.ArrayLike,
    defective: npt.ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    rng: np.random.Generator,
    rate: float = 0.05,
    confidence: float = 0.95,
) -> Interval | None:
    """Interval of the recall at a false-reject rate, whose threshold these same good pictures chose.

    The exact binomial interval of as many independent defective pictures as these are worth. How many that is
    follows from the variance over draws of whole groups, with the threshold found again in every draw; it is never
    more than there are, so that the interval is never narrower than Clopper and Pearson's, and few groups count for
    less by Student's t. Where no draw differs (a recall of 0 or 1), a group is worth one picture.

    A threshold that rejects at most `rate` of the good pictures at hand rejects more of those to come. So the lower
    end starts from the recall at a higher threshold: the one that the next good picture, which counts for as many
    as are needed to say something new, reaches with a chance of at most `rate`.

    Returns:
        None with too few groups of either kind, and where there are too few good pictures (19 for 5%) for any
        threshold to promise that rate.

    Source: Korn and Graubard 1998, "Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data"; Platt et al. 2000 for drawing good and defective examples alike; the next
    good picture by exchangeability, as in conformal prediction (Vovk et al. 2005).
    """
    s, d = checked(scores, defective)
    number = numbered(groups, len(s))
    kinds = kinds_of(number, d)
    if kinds.fewest < FEWEST_GROUPS or rate * (int((~d).sum()) + 1) < 1 - 1e-9:
        return None
    order, last = distinct(s)
    d, number = d[order], number[order]
    next_one = _next_picture(s[order][~d], number[~d])
    recalls = _recalls(np.ones((1, len(s))), d, last, rate, next_one)[0]
    drawn = np.concatenate([_recalls(weights, d, last, rate, 1.0) for weights in _draws(number, kinds, rng)])
    variances = drawn[~np.isnan(drawn).any(axis=1)].var(axis=0, ddof=1) * kinds.fewest / (kinds.fewest - 1)
    bad = int(d.sum())
    high = _exact(float(recalls[0]), float(variances[0]), bad, kinds, confidence).high
    low = _exact(float(recalls[1]), float(variances.max()), bad, kinds, confidence).low
    return Interval(low, high)


def _recalls(weights: Array, d: Flags, last: npt.NDArray[np.intp], rate: float, next_one: float) -> Array:
    """Recall at the threshold for the good pictures at hand, and at the one for the next good picture as well.

    Args:
        weights: (draws, n); how often each picture was drawn, from the highest score down.
        d: (n,) in the same order.
        last: the places after which a threshold may lie.
        rate: of false rejects.
        next_one: for how many pictures the next good one counts.

    Returns:
        (draws, 2) not a number in draws without a picture of either kind.
    """
    first = np.zeros((len(weights), 1))
    stopped = np.hstack([first, np.cumsum(weights * ~d, axis=1)[:, last]])  # (draws, thresholds + 1) good ones
    caught = np.hstack([first, np.cumsum(weights * d, axis=1)[:, last]])
    good, bad = stopped[:, -1:], caught[:, -1:]
    found = []
    for allowed in (rate * good, rate * (good + next_one) - next_one):
        at = np.maximum((stopped <= allowed + 1e-9).sum(axis=1, keepdims=True) - 1, 0)
        found.append(np.take_along_axis(caught, at, axis=1))
    ratio = np.divide(np.hstack(found), bad, out=np.full((len(weights), 2), np.nan), where=(bad > 0) & (good > 0))
    return np.asarray(ratio, np.float64)


def _draws(number: npt.NDArray[np.intp], kinds: Kinds, rng: np.random.Generator) -> Iterator[Array]:
    """How often each picture is drawn when whole groups are, with and without a defective picture apart."""
    at_once = max(1, CELLS // len(number))
    for begin in range(0, DRAWS, at_once):
        times = np.zeros((min(at_once, DRAWS - begin), kinds.n))
        for those in (kinds.bad, ~kinds.bad):
            if n := int(those.sum()):
                times[:, those] = rng.multinomial(n, np.full(n, 1 / n), size=len(times))
        yield times[:, number]


def _next_picture(values: Array, number: npt.NDArray[np.intp]) -> float:
    """For how many good pictures one of a new group counts, when it comes to the highest scores; 1 without groups.

    Kish's design effect, 1 + (pictures of a group - 1) x correlation, with the square of the correlation of ranks:
    pictures of a group agree less about being among the highest 5% than about where they lie at all (0.47 for 0.8
    and 0.15 for 0.4 where scores are normal).

    Source: Kish 1965; the intraclass correlation by analysis of variance, as in Donner 1986.
    """
    ranks = stats.rankdata(values)
    _, at, sizes = np.unique(number, return_inverse=True, return_counts=True)
    n, groups = len(values), len(sizes)
    typical = (n - float((sizes**2).sum()) / n) / (groups - 1)
    if groups == n:
        return 1.0
    means = np.bincount(at, ranks) / sizes
    between = float((sizes * (means - ranks.mean()) ** 2).sum()) / (groups - 1)
    within = float(((ranks - means[at]) ** 2).sum()) / (n - groups)
    whole = between + (typical - 1) * within
    alike = (between - within) / whole if whole > 0 else 0.0
    return 1 + (float((sizes**2).sum()) / n - 1) * min(1.0, max(0.0, alike)) ** 2


def _exact(recall: float, variance: float, bad: int, kinds: Kinds, confidence: float) -> Interval:
    """The binomial interval of as many independent defective pictures as would know the recall so well."""
    worth = float(kinds.with_bad)
    if 0 < recall < 1 and variance > 0:
        worth = min(float(bad), recall * (1 - recall) / variance)
    tail = 0.5 + confidence / 2
    worth *= min(1.0, float(stats.t.ppf(tail, bad - 1) / stats.t.ppf(tail, kinds.fewest - 1)) ** 2)
    return binomial_interval(recall * worth, worth, confidence)

"""Which of two nets tells planted defects from good parts better, on the same pictures.

    held-out good pictures ─┬─▶ distances ──────────────────┐
                            └─ a defect planted ─▶ distances ┴─▶ AUROC of each net ─▶ difference, with an interval

Nobody has labelled a defect when a memory is fitted, so planted ones stand in for it: what they rank is the two nets,
and the AUROC itself is no promise about defects of another kind.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import BadInput

Wide = npt.NDArray[np.float64]
FEWEST_PARTS = 4  # under which there is no interval
DRAWS = 1000
_CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Planted:
    """What one net measured.

    Attributes:
        parts: of each good picture that no memory has seen.
        good: (n,) distances of those pictures.
        planted: (n, k) distances of k copies of each, with a defect planted.
    """

    parts: Sequence[Hashable]
    good: Wide
    planted: Wide

    def __post_init__(self) -> None:
        """Refuse pictures without a part, and copies without a picture."""
        if not len(self.parts) == len(self.good) == len(self.planted) or not self.planted.size:
            raise BadInput(
                f"{len(self.parts)} parts, {len(self.good)} good pictures, {len(self.planted)} with planted defects: "
                "give as many of each, and one at least."
            )


@dataclass(frozen=True)
class Choice:
    """Whether the net that scores sees well enough.

    Attributes:
        shared: its AUROC; other: that of the net it was compared with.
        low, high: 95% interval of their difference, shared less other, over parts; None with too few of them.
        parts: good ones that were held out.
    """

    shared: float
    other: float
    low: float | None
    high: float | None
    parts: int

    @property
    def worse(self) -> bool:
        """Whether the net that scores is worse by more than chance explains."""
        return self.high is not None and self.high < 0

    @property
    def sentence(self) -> str:
        """What was measured and what follows, for the card."""
        found = (
            f"On {self.parts} held-out good parts and planted defects the AUROC through the net that scores is "
            f"{self.shared:.3f}, through a net of its own {self.other:.3f}"
        )
        if self.low is None or self.high is None:
            return f"{found}; too few parts for an interval, so the net that scores is shared."
        between = f"{found} (difference {self.low:+.3f} to {self.high:+.3f})"
        if self.worse:
            return f"{between}: worse by more than chance explains, so it takes a net of its own."
        return f"{between}: not worse by more than chance explains, so the net that scores is shared."


def choose(shared: Planted, other: Planted, rng: np.random.Generator, draws: int = DRAWS) -> Choice:
    """Compare two nets on the same pictures; parts are drawn anew, with everything that belongs to them.

    Args:
        shared: of the net that scores.
        other: of the one it is compared with.
        rng: draws.
        draws: of parts.

    Raises:
        BadInput: they have seen different pictures.
    """
    if list(shared.parts) != list(other.parts) or shared.planted.shape != other.planted.shape:
        raise BadInput("The two nets have not measured the same pictures: measure both on one division.")
    names = list(dict.fromkeys(shared.parts))
    number = {name: at for at, name in enumerate(names)}
    which = np.array([number[part] for part in shared.parts])
    areas = [_by_part(one, which, len(names)) for one in (shared, other)]
    (mine, pairs), (its, _) = areas
    found = [float(won.sum() / pairs.sum()) for won in (mine, its)]
    if len(names) < FEWEST_PARTS:
        return Choice(found[0], found[1], None, None, len(names))
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), draws).astype(np.float64)
    total = np.einsum("dp,pq,dq->d", weights, pairs, weights, optimize=True)
    gaps = np.einsum("dp,pq,dq->d", weights, mine - its, weights, optimize=True) / total
    low, high = np.quantile(gaps, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return Choice(found[0], found[1], float(low), float(high), len(names))


def _by_part(one: Planted, which: npt.NDArray[np.intp], parts: int) -> tuple[Wide, Wide]:
    """(parts, parts) of pairs that are told apart, a good picture's part by a planted one's; and of all pairs."""
    ordered = np.sort(one.planted.ravel())
    belongs = np.repeat(which, one.planted.shape[1])[np.argsort(one.planted.ravel(), kind="stable")]
    won = np.zeros((parts, parts))
    for part, good in zip(which.tolist(), one.good.tolist(), strict=True):
        above, same = np.searchsorted(ordered, good, "right"), np.searchsorted(ordered, good, "left")
        won[part] += np.bincount(belongs[above:], minlength=parts)
        won[part] += 0.5 * np.bincount(belongs[same:above], minlength=parts)
    pictures = np.bincount(which, minlength=parts).astype(np.float64)
    return won, np.outer(pictures, pictures * one.planted.shape[1])

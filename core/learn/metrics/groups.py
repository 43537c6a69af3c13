"""Groups of pictures that move together: a part, a tile, a run of neighbours.

With fewer than `FEWEST_GROUPS` groups that hold a defective picture, or as few that hold a good one, nothing honest
can be said of how sure a measure is, and its interval is None.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.learn.metrics.scored import Flags

FEWEST_GROUPS = 4  # of each kind; the tests simulate from here upwards


@dataclass(frozen=True)
class Kinds:
    """Which groups hold a defective picture, and which a good one; (groups,) each."""

    bad: Flags
    good: Flags

    @property
    def n(self) -> int:
        return len(self.bad)

    @property
    def with_bad(self) -> int:
        return int(self.bad.sum())

    @property
    def with_good(self) -> int:
        return int(self.good.sum())

    @property
    def fewest(self) -> int:
        """Of either kind."""
        return min(self.with_bad, self.with_good)


def kinds_of(number: npt.NDArray[np.intp], d: Flags) -> Kinds:
    n = int(number.max()) + 1 if len(number) else 0
    return Kinds(np.bincount(number[d], minlength=n) > 0, np.bincount(number[~d], minlength=n) > 0)


def numbered(groups: Sequence[Hashable] | None, n: int) -> npt.NDArray[np.intp]:
    """A number for the group of each picture, by first appearance; its own for each without groups."""
    if groups is None:
        return np.arange(n)
    if len(groups) != n:
        raise BadInput(f"{n} scores but {len(groups)} groups: give one group for each score.")
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(g, len(numbers)) for g in groups], dtype=np.intp)

"""What is chosen from, what a strategy is, and what it says of each pick."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.records import Floats

Wide = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

BLOCK_BYTES = 16 << 20  # of one matrix product


@dataclass(frozen=True, eq=False)
class Pool:
    """Pictures that may be asked about, one row each.

    Attributes:
        embeddings: (n, d) float32.
        probabilities: (n, 1 + k), each row adds up to 1; the first column is "no defect".
        names: of the columns.
        parts: (n,) number of the part that each picture shows; people are asked about parts.
        sites: of each picture.
        labelled: (m, d) of pictures that have a label; may be empty.
        novelty: (n,) beyond good pictures, 1 at the limit; None where no model measured it.
        shadow: as `probabilities`, of another model; None without one.
        given: (n,) number of each picture's label; None where the pool has no labels.
        products: of the embeddings with a few vectors, on a graphics card; None multiplies here.
    """

    embeddings: Floats
    probabilities: Wide
    names: tuple[str, ...]
    parts: Ints
    sites: Sequence[str]
    labelled: Floats
    novelty: Wide | None = None
    shadow: Wide | None = None
    given: Ints | None = None
    products: Callable[[Ints, Floats], Floats] | None = None

    def __post_init__(self) -> None:
        """Refuse columns that do not belong together."""
        n = len(self.embeddings)
        columns = [self.probabilities, self.parts, self.sites, self.novelty, self.shadow, self.given]
        if any(one is not None and len(one) != n for one in columns):
            raise BadInput("The pool's columns are of different lengths: read it anew.")
        if self.probabilities.shape != (n, len(self.names)):
            raise BadInput(f"The pool names {len(self.names)} classes for probabilities of another shape.")

    @property
    def n(self) -> int:
        """How many pictures."""
        return len(self.embeddings)

    def likeliest_defect(self) -> Ints:
        """(n,) column of the likeliest class of defect; 0 where the model has no classes."""
        if len(self.names) < 2:
            return np.zeros(self.n, np.intp)
        found: Ints = 1 + self.probabilities[:, 1:].argmax(axis=1)
        return found


class Ranked(NamedTuple):
    """Picks in order, and what each was worth to the strategy."""

    rows: Ints
    values: Wide


Choose = Callable[[Pool, int, Flags, Ints, np.random.Generator], Ranked]


@dataclass(frozen=True)
class Strategy:
    """One way to choose.

    Attributes:
        name: on the command line.
        title: on the page.
        says: one sentence on what it looks for.
        why: what a pick's value means, in a few words.
        choose: (pool, how many at most, what is allowed, what is in the batch already, chance) to picks in order.
        needs: any of "labelled", "novelty", "shadow", "given": the pool must have them.
    """

    name: str
    title: str
    says: str
    why: Callable[[float], str]
    choose: Choose
    needs: frozenset[str] = frozenset()


def by_value(values: Wide, n: int, allowed: Flags, rng: np.random.Generator) -> Ranked:
    """The allowed rows with the largest values first; chance settles ties."""
    rows = np.flatnonzero(allowed)
    order = np.lexsort((rng.random(len(rows)), -values[rows]))[:n]
    return Ranked(rows[order], values[rows[order]])


def nearest_squared(points: Floats, others: Floats) -> Wide:
    """(n,) squared distance of each point to the nearest of others, (m, d) with m of 1 or more."""
    squares = np.einsum("ij,ij->i", others, others, dtype=np.float64)
    found = np.full(len(points), np.inf)
    wide = max(1, min(len(others), BLOCK_BYTES // 8 // 256))
    step = max(1, BLOCK_BYTES // (8 * wide))
    for start in range(0, len(points), step):
        part = points[start : start + step]
        own = np.einsum("ij,ij->i", part, part, dtype=np.float64)
        for at in range(0, len(others), wide):
            gap = squares[at : at + wide] - 2.0 * (part @ others[at : at + wide].T)
            found[start : start + step] = np.minimum(found[start : start + step], own + gap.min(axis=1))
    nearest: Wide = np.maximum(found, 0.0)
    return nearest

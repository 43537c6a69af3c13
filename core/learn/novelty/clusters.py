"""Novel parts that look alike: what may be a class that nobody has named yet.

Whether pictures look alike is only to be said beside others: good ones are put among them. The tree of average linkage
is cut where pictures lie best with their own group and worst with the next one, and groups of novel pictures stay.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from core.errors import BadInput
from core.learn.novelty.memory import Wide
from core.records import Floats

FEWEST_PARTS = 3  # of a class: fewer may be chance
MOST = 1000  # pictures that are compared
OWN = 0.8  # share of a group that has to be novel
APART = 0.2  # of a picture's silhouette: under it the picture belongs to no group
_CUTS = 40  # of the tree that are tried


@dataclass(frozen=True)
class Cluster:
    """Pictures that look alike.

    Attributes:
        rows: of the novel pictures, the most typical first.
        parts: how many parts they show.
        apart: mean silhouette, up to 1: how much nearer they lie to each other than to anything else.
    """

    rows: tuple[int, ...]
    parts: int
    apart: float


def clusters(
    vectors: Floats, parts: Sequence[Hashable], good: Floats | None = None, fewest: int = FEWEST_PARTS
) -> list[Cluster]:
    """Groups of novel pictures that lie together, the largest first.

    Args:
        vectors: (n, d) what each novel picture looks like.
        parts: of each.
        good: (g, d) some good pictures, to compare with.
        fewest: parts that a group needs.

    Raises:
        BadInput: vectors that are no numbers, or as many as nobody could compare.

    Source: Sokal and Michener 1958 for average linkage, by scipy; Rousseeuw 1987 for silhouettes.
    """
    if len(vectors) != len(parts):
        raise BadInput(f"{len(vectors)} vectors but {len(parts)} parts: give one part for each picture.")
    beside = np.empty((0, vectors.shape[1]), np.float32) if good is None else good
    every: Wide = np.concatenate([vectors, beside]).astype(np.float64)
    if len(every) > MOST:
        raise BadInput(f"{len(every):,} pictures are too many to compare each with each: give {MOST:,} at most.")
    if not np.isfinite(every).all():
        raise BadInput("An embedding is not finite: compute it again.")
    if len(vectors) < fewest or len(every) < 3:
        return []
    lengths = np.linalg.norm(every, axis=1)
    unit = every / np.where(lengths > 0, lengths, 1.0)[:, None]
    distance = np.clip(1 - unit @ unit.T, 0.0, 2.0)
    np.fill_diagonal(distance, 0.0)
    distance = (distance + distance.T) / 2
    numbers, lies = _best_cut(distance)
    found = []
    for number in np.unique(numbers):
        rows = np.flatnonzero(numbers == number)
        rows = rows[lies[rows] >= APART]  # what lies as near to another group belongs to none
        mine = rows[rows < len(vectors)]
        many = len({parts[row] for row in mine.tolist()})
        apart = float(lies[rows].mean()) if len(rows) else 0.0
        if many < fewest or len(mine) < OWN * len(rows):
            continue
        typical = mine[np.argsort(distance[np.ix_(mine, mine)].mean(axis=1), kind="stable")]
        found.append(Cluster(tuple(typical.tolist()), many, apart))
    return sorted(found, key=lambda one: (-one.parts, one.rows))


def _best_cut(distance: Wide) -> tuple[npt.NDArray[np.intp], Wide]:
    """The group of each picture, and its silhouette, at the cut of the tree with the largest mean silhouette."""
    tree = linkage(squareform(distance, checks=False), "average")
    heights = np.unique(tree[:-1, 2])  # the whole tree as one group says nothing
    if len(heights) > _CUTS:
        heights = heights[np.linspace(0, len(heights) - 1, _CUTS).round().astype(int)]
    numbers = np.arange(len(distance))
    lies = np.zeros(len(distance))
    for height in heights.tolist():
        groups = np.unique(fcluster(tree, height, "distance"), return_inverse=True)[1]
        if groups.max() == 0:
            continue
        found = silhouettes(distance, groups)
        if found.mean() > lies.mean():
            numbers, lies = groups, found
    return numbers, lies


def silhouettes(distance: Wide, groups: npt.NDArray[np.intp]) -> Wide:
    """How much nearer each picture lies to its own group than to the next one; -1 to 1, 0 for one alone.

    Args:
        distance: (n, n).
        groups: (n,) numbers from 0, at least two of them.
    """
    member = np.eye(int(groups.max()) + 1)[groups]  # (n, k)
    sizes = member.sum(axis=0)
    sums = distance @ member
    own = sizes[groups]
    here = np.arange(len(groups))
    inside = sums[here, groups] / np.maximum(own - 1, 1)
    means = sums / sizes
    means[here, groups] = np.inf
    outside = means.min(axis=1)
    larger = np.maximum(inside, outside)
    return np.where((own > 1) & (larger > 0), (outside - inside) / np.where(larger > 0, larger, 1.0), 0.0)

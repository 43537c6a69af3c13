"""From pictures to parts, by the rule that decides about them."""

from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.decide.decision import join
from core.errors import BadInput
from core.learn.metrics.scored import Array, Flags, checked


class Grouped(NamedTuple):
    """One row for each group, in the order of first appearance."""

    groups: tuple[Hashable, ...]
    scores: Array
    defective: Flags


def by_group(
    probabilities: npt.ArrayLike,
    defective: npt.ArrayLike,
    groups: Sequence[Hashable],
    views: Sequence[str | None] | None = None,
    averaged: Collection[Hashable] = (),
) -> Grouped:
    """Join the pictures of each part by the rule that decides about it on the line (core.decide.decision.join).

    A part is defective where any of its pictures is.

    Args:
        probabilities: calibrated, in [0, 1].
        defective: one label for each.
        groups: the part of each.
        views: the named view of each; None where nobody named one.
        averaged: parts whose pictures without a named view are exposures of one view.
    """
    p, d = checked(probabilities, defective)
    if len(groups) != len(p):
        raise BadInput(f"{len(p)} scores but {len(groups)} groups: give one group for each score.")
    parts: dict[Hashable, list[int]] = {}
    for i, group in enumerate(groups):
        parts.setdefault(group, []).append(i)
    together = frozenset(averaged)
    joined = [
        join(((None if views is None else views[i], float(p[i])) for i in rows), group in together)
        for group, rows in parts.items()
    ]
    bad = [bool(d[rows].any()) for rows in parts.values()]
    return Grouped(tuple(parts), np.array(joined, np.float64), np.array(bad, dtype=bool))

"""Dividing by time: learn from the past, measure on what came after."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from core.errors import BadInput
from core.learn.datasets.rows import SIDES
from core.learn.splits import checked


def cut_by_time(
    groups: Sequence[str], times: Sequence[datetime], shares: Mapping[str, float]
) -> tuple[dict[str, str], list[str]]:
    """Side of each group: train before val before test, with nothing across a cut.

    Args:
        groups: of each picture.
        times: when each was taken.
        shares: of the pictures; the sides are train, val and test.

    Returns:
        Side by group, and the groups that reach over a cut: they are on no side.

    Raises:
        BadInput: for other sides, or when a side would be empty.
    """
    strange = sorted(set(shares) - set(SIDES))
    if strange:
        raise BadInput(f"A split by time knows train, val and test, not {strange[0]!r}.")
    wanted = [(side, shares[side]) for side in SIDES if checked(shares).get(side, 0) > 0]
    ordered = sorted(times)
    cuts, done = [], 0.0
    for _, share in wanted[:-1]:
        done += share
        cuts.append(ordered[min(len(ordered) - 1, math.floor(done * len(ordered) + 1e-9))])
    first: dict[str, datetime] = {}
    last: dict[str, datetime] = {}
    for group, time in zip(groups, times, strict=True):
        first[group] = min(time, first.get(group, time))
        last[group] = max(time, last.get(group, time))
    sides: dict[str, str] = {}
    across = []
    for group in first:
        places = {sum(time >= cut for cut in cuts) for time in (first[group], last[group])}
        if len(places) == 1:
            sides[group] = wanted[places.pop()][0]
        else:
            across.append(group)
    empty = [side for side, _ in wanted if side not in set(sides.values())]
    if empty:
        raise BadInput(
            f"Cut by time, {empty[0]} would be empty: {len(across)} of {len(first)} groups reach over a cut. "
            "Take other shares, or keep less together (--keep part)."
        )
    return sides, sorted(across)

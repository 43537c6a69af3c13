"""What a model finds, by how large it is: small defects are the first that a coarser look loses."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.learn import metrics
from core.pictures.boxes import array_of, iou
from core.records import Region

EDGES = (10.0, 25.0, 50.0, 100.0)  # px of the longer side; a size on an edge belongs to the larger bin
FALSE_REJECTS = 0.05
LEAST_OVERLAP = 0.1  # IoU; a proposed region is cut from a coarse map, so more would ask for luck
DEFINITION = (
    "Size is the longer side of the drawn box, in the picture's own pixels. A region counts as stopped where its "
    "picture's score reaches the threshold that rejects at most 5% of the good pictures seen the same way. It counts "
    f"as found where, besides, the hottest cell of the map touches its box, or a proposed region shares at least "
    f"{LEAST_OVERLAP:.0%} of their joint area with it. Intervals are 95% and count a part once."
)


class Drawn(NamedTuple):
    """One region that somebody drew, beside what the model showed.

    Attributes:
        size_px: longer side of its box, in the picture's own pixels.
        hit: the map or a proposed region points at it.
    """

    size_px: float
    hit: bool


def drawn_regions(
    regions: Sequence[Region],
    proposed: Sequence[Region],
    heat: npt.NDArray[np.floating] | None,
    size_wh: tuple[int, int],
) -> tuple[Drawn, ...]:
    """Each drawn region with its size and whether it was pointed at; see `DEFINITION`.

    Args:
        regions: as drawn.
        proposed: by the model.
        heat: (rows, columns) over the whole picture; None without a map.
        size_wh: of the picture, in pixels.
    """
    if not regions:
        return ()
    boxes = array_of(regions)
    hit: npt.NDArray[np.bool_] = np.asarray((iou(array_of(proposed), boxes) >= LEAST_OVERLAP).any(axis=0))
    if heat is not None and heat.max() > 0:
        row, column = metrics.hottest_cell(heat)
        across, down = size_wh[0] / heat.shape[1], size_wh[1] / heat.shape[0]
        left, top = column * across, row * down
        low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
        hit |= (low < [left + across, top + down]).all(axis=1) & (high > [left, top]).all(axis=1)
    return tuple(Drawn(float(max(r.width, r.height)), bool(h)) for r, h in zip(regions, hit, strict=True))


@dataclass(frozen=True)
class SizeBin:
    """The drawn regions of one size.

    Attributes:
        low, high: px of the longer side; high is excluded and None for the largest.
        n, parts: how many regions, on how many parts.
        stopped: regions whose picture the threshold stops.
        found: of those, regions that the model points at too.
    """

    low: float
    high: float | None
    n: int
    parts: int
    stopped: int
    found: int

    @property
    def name(self) -> str:
        """As people say it."""
        if self.high is None:
            return f"{self.low:g} px and more"
        return f"{self.low:g} to {self.high:g} px" if self.low else f"under {self.high:g} px"

    def as_json(self) -> dict[str, Any]:
        """Counts, rates and their intervals; null without a region."""
        return {
            "size": self.name,
            "from_px": self.low,
            "below_px": self.high,
            "n": self.n,
            "parts": self.parts,
            "stopped": self.stopped,
            "found": self.found,
            "stopped_recall": self.stopped / self.n if self.n else None,
            "stopped_interval": self._interval(self.stopped),
            "recall": self.found / self.n if self.n else None,
            "interval": self._interval(self.found),
        }

    def _interval(self, successes: int) -> list[float] | None:
        """Regions of one part are no independent evidence: the interval is that of as many parts."""
        if not self.n:
            return None
        between = metrics.proportion_interval(round(successes / self.n * self.parts), self.parts)
        return None if between is None else list(between)


def recall_by_size(
    scores: npt.ArrayLike,
    defective: npt.ArrayLike,
    groups: Sequence[Hashable],
    drawn: Sequence[Sequence[Drawn]],
    rate: float = FALSE_REJECTS,
) -> dict[str, Any] | None:
    """Recall of drawn regions by size, at the threshold that rejects at most `rate` of these good pictures.

    Args:
        scores: of each picture.
        defective: its label.
        groups: its part.
        drawn: its regions.
        rate: of false rejects.

    Returns:
        JSON: threshold, false_reject_rate, good (pictures the threshold rests on), bins, all (every size) and
        the definition; None where nothing is drawn or no picture is good.
    """
    s, bad = np.asarray(scores, np.float64), np.asarray(defective, bool)
    if not len(s) == len(bad) == len(groups) == len(drawn):
        raise BadInput(f"{len(s)} scores, {len(bad)} labels, {len(groups)} parts, {len(drawn)} lists of regions.")
    point = metrics.recall_at_false_reject_rate(s, bad, rate)
    rows = [
        (one.size_px, group, score >= (np.inf if point is None else point.threshold), one.hit)
        for score, group, regions in zip(s, groups, drawn, strict=True)
        for one in regions
    ]
    if point is None or not rows:
        return None
    bins = [
        _bin(low, high, [r for r in rows if r[0] >= low and (high is None or r[0] < high)])
        for low, high in zip((0.0, *EDGES), (*EDGES, None), strict=True)
    ]
    return {
        "threshold": point.threshold if np.isfinite(point.threshold) else None,
        "false_reject_rate": point.false_reject_rate,
        "good": int((~bad).sum()),
        "bins": [one.as_json() for one in bins],
        "all": {**_bin(0.0, None, rows).as_json(), "size": "every size"},
        "definition": DEFINITION,
    }


def _bin(low: float, high: float | None, rows: Sequence[tuple[float, Hashable, bool, bool]]) -> SizeBin:
    return SizeBin(
        low,
        high,
        len(rows),
        len({group for _, group, _, _ in rows}),
        sum(bool(stopped) for _, _, stopped, _ in rows),
        sum(bool(stopped and hit) for _, _, stopped, hit in rows),
    )

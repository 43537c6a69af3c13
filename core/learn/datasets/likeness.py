"""Do the sides of a dataset show the same kind of pictures: cameras in the same shares, nothing tells them apart?"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.learn import metrics
from core.learn.datasets.checks import Check, Detail, Result, judged, spoken
from core.learn.datasets.rows import TRAIN, Row, sides_of

CAMERA_POINTS = 0.03  # by which a camera's share of a side may differ from its share of the whole
_CHANCE = 0.01  # of calling a fair split unbalanced, over all cameras and sides together
APART = 0.60  # AUROC; at 0.5 nothing tells the sides apart
NO_CAMERA = "no camera named"


def camera_balance(rows: Sequence[Row], points: float = CAMERA_POINTS) -> Check:
    """Each camera has about the same share of every side.

    Whole groups leave a small set little choice. A share that is further off than `points` fails only where dealing
    the groups by chance would hardly ever put it so far off; else it is missing evidence.

    Args:
        rows: of the dataset.
        points: allowed difference of shares.
    """
    name = "camera balance"
    sides = sides_of(rows)
    if len(sides) < 2 or all(row.camera is None for row in rows):
        why = "There is only one side." if len(sides) < 2 else "No picture names its camera."
        return Check(name, Result.ABSENT, why)
    cameras = sorted({row.camera or NO_CAMERA for row in rows})
    details = _camera_details(rows, cameras, sides, points)
    worst = max(details, key=lambda one: abs(one.value or 0.0))
    results = {one.result for one in details}
    off = [one for one in details if one.result is not Result.PASS]
    common = {"value": worst.value, "limit": points, "n": len({row.group for row in rows})}
    if not off:
        sentence = (
            f"Every camera's share of a side is within {points:.0%} of its share of all ({len(cameras)} cameras)."
        )
        return Check(name, Result.PASS, sentence, details=tuple(details), **common)  # type: ignore[arg-type]
    told = f"{worst.name} is off by {abs(worst.value or 0.0):.1%}; {points:.0%} is allowed."
    if Result.FAIL not in results:
        sentence = f"{told} With so few groups chance alone can do that: more parts would tell."
        return Check(name, Result.UNSURE, sentence, details=tuple(details), **common)  # type: ignore[arg-type]
    wrong = {one.name for one in off if one.result is Result.FAIL}
    check = Check(name, Result.FAIL, f"{told} A model can learn the camera instead of the defect: build it anew.",
                  details=tuple(details), **common)  # type: ignore[arg-type]  # fmt: skip
    return check.naming(row.path for row in rows if _camera_name(row.camera or NO_CAMERA, row.side) in wrong)


def _camera_name(camera: str, side: str) -> str:
    return f"{camera} in {side}"


def _camera_details(rows: Sequence[Row], cameras: list[str], sides: list[str], points: float) -> list[Detail]:
    """One figure for each camera and side: its share there less its share of all."""
    at_camera = {camera: number for number, camera in enumerate(cameras)}
    groups: dict[str, int] = {}
    group = np.array([groups.setdefault(row.group, len(groups)) for row in rows])
    side = np.array([sides.index(row.side) for row in rows])
    camera = np.array([at_camera[row.camera or NO_CAMERA] for row in rows])
    size = np.bincount(group, minlength=len(groups)).astype(float)
    dealt = [len(set(group[side == place].tolist())) for place in range(len(sides))]
    z = float(stats.norm.ppf(1 - _CHANCE / (2 * max(1, len(cameras) * len(sides)))))
    found = []
    for number, told in enumerate(cameras):
        mine = np.bincount(group[camera == number], minlength=len(groups)).astype(float)
        share = mine.sum() / size.sum()
        spread = float((mine - share * size).var(ddof=1)) if len(groups) > 1 else math.inf
        for place, where in enumerate(sides):
            n = int((side == place).sum())
            off = float((camera[side == place] == number).mean() - share)
            # Groups dealt to this side at random, without putting any back.
            error = math.sqrt(spread * dealt[place] * max(0.0, 1 - dealt[place] / len(groups))) / n
            result = Result.PASS
            if abs(off) > points:
                result = Result.FAIL if abs(off) > points + z * error else Result.UNSURE
            bounds = (off - z * error, off + z * error) if math.isfinite(error) else None
            found.append(Detail(_camera_name(told, where), result, off, bounds, points, n))
    return found


def told_apart(
    scores: npt.ArrayLike | None,
    held_out: npt.ArrayLike,
    groups: Sequence[Hashable],
    cut: bool,
    by: Sequence[str] = (),
    limit: float = APART,
) -> Check:
    """Adversarial validation: can simple features tell training pictures from the others?

    Args:
        scores: of a classifier that was asked which side a picture is on, each from a turn in which its group was
            left out; None where there is nothing to ask with.
        held_out: whether each picture is outside training.
        groups: of each picture.
        cut: the sides were cut by time; then they may differ, which is drift and no leak, and stops nothing.
        by: features that tell most, the strongest first.
        limit: of the AUROC.
    """
    name = "adversarial validation"
    if scores is None:
        return Check(name, Result.ABSENT, "Too few pictures on two sides have measured features.")
    area = metrics.auroc(scores, held_out)
    bounds = metrics.auroc_interval(scores, held_out, groups)
    if area is None or bounds is None:
        return Check(name, Result.ABSENT, f"Nothing to compare: there is only one side beside {TRAIN}.")
    result, _ = judged(bounds.low, bounds.high, limit, value=area, higher_is_better=False)
    told = f"Sharpness, light, size and layout tell training pictures from the others with AUROC {area:.2f}"
    if result is Result.PASS:
        sentence = f"{told}: hardly better than a coin."
    elif result is Result.UNSURE:
        sentence = f"{told}; too few groups to say whether that is below {limit}."
    elif cut:
        result = Result.UNSURE
        sentence = (
            f"{told}, mostly by {spoken(by)}. The sides are cut by time, so this is drift: newer pictures differ."
        )
    else:
        sentence = f"{told}, mostly by {spoken(by)}: the sides differ in more than chance. Look at the pictures there."
    return Check(name, result, sentence, area, (bounds.low, bounds.high), limit, len(groups))


def mixture(rows: Sequence[Row], what: str) -> dict[str, float]:
    """Shares of cameras, part types or sites among rows, the largest first.

    Args:
        rows: any.
        what: an attribute of Row.
    """
    counts = Counter(str(getattr(row, what) or "not known") for row in rows)
    return {name: number / len(rows) for name, number in counts.most_common()} if rows else {}

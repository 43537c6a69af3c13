"""What seeing the heatmap goes with: how often people agree with the model, and how long they take."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from core.learn.metrics import proportion_interval
from core.learn.showing import Answered

CAUTION = (
    "Nobody drew by lot who saw the heatmap: people look at it when they are unsure, so a difference here is not its "
    "effect alone."
)


def effect(answers: Sequence[Answered]) -> dict[str, Any]:
    """Answers with and without the heatmap, side by side; JSON.

    Returns:
        {groups: [{heatmap, n, agreed, share, interval, to_defective, to_good, seconds}], caution}; shares are of
        answers that agree with what the model leaned to.
    """
    return {"groups": [_group(seen, [one for one in answers if one.heatmap is seen]) for seen in (True, False)],
            "caution": CAUTION}  # fmt: skip


def _group(seen: bool, mine: Sequence[Answered]) -> dict[str, Any]:
    agreed = sum(one.defective == one.leaned for one in mine)
    between = proportion_interval(agreed, len(mine))
    times = [one.seconds for one in mine if one.seconds is not None]
    return {
        "heatmap": seen,
        "n": len(mine),
        "agreed": agreed,
        "share": agreed / len(mine) if mine else None,
        "interval": None if between is None else list(between),
        "to_defective": sum(one.defective and not one.leaned for one in mine),
        "to_good": sum(one.leaned and not one.defective for one in mine),
        "seconds": median(times) if times else None,
    }

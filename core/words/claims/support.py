"""How strongly a model speaks for a claim of damage: one number from its score, its classes and its maps.

The number is no probability of anything by itself: `limits` says from where on it counts.
"""

from collections.abc import Sequence

import numpy as np

from core.records import Floats, Prediction, Region
from core.words.claims.places import Place, inside, share_there
from core.words.claims.records import Seen


def support(seen: Sequence[Seen], class_id: str | None, place: Place | None = None) -> float | None:
    """The strongest word of the model over some images, 0 to 1; None where it has not looked at one of them.

    Args:
        seen: images that the claim may be about.
        class_id: None for any damage.
        place: in the picture; the word then counts by how hot its map is there beside its hottest.
    """
    said = [None if one.prediction is None else _of_image(one, one.prediction, class_id, place) for one in seen]
    numbers = [one for one in said if one is not None]
    if not numbers or len(numbers) < len(said) or not all(np.isfinite(numbers)):
        return None
    return max(numbers)


def _of_image(seen: Seen, prediction: Prediction, class_id: str | None, place: Place | None) -> float | None:
    base = prediction.score
    if class_id is not None:
        base *= prediction.class_scores.get(class_id, 0.0)
    if place is None:
        return base
    there = [one for one in seen.regions if class_id in (None, one.class_id) and one.score is not None]
    if there:
        most = max(one.score or 0.0 for one in there)
        best = max((one.score or 0.0 for one in there if inside(place, one, seen.size_wh)), default=0.0)
        return base * (best / most if most > 0 else 0.0)
    grid = heat(prediction)
    return None if grid is None else base * share_there(place, grid)


def heat(prediction: Prediction) -> Floats | None:
    """Where the model looks: its dense map, or else the map of why; None where it kept neither."""
    grid = prediction.where if prediction.where is not None else prediction.heatmap
    return None if grid is None else grid.values.astype(np.float32) / np.float32(255)


def shown(seen: Seen, class_id: str | None, place: Place | None) -> tuple[Region, ...]:
    """The model's regions that a claim of damage points to, the surest first; the others where it has none there."""
    mine = [one for one in seen.regions if class_id in (None, one.class_id)]
    there = [one for one in mine if place is None or inside(place, one, seen.size_wh)]
    return tuple(sorted(there or mine, key=lambda one: -(one.score or 0.0))[:3])

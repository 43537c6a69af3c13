"""Which heatmaps are shown unasked, from what was measured of them; light enough for the desk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answered:
    """One answer of a person to a part.

    Attributes:
        heatmap: it was on the screen before the answer.
        defective: what the person said.
        leaned: what the model leaned to: defective or not.
        seconds: that the person took; None where nobody measured.
    """

    heatmap: bool
    defective: bool
    leaned: bool
    seconds: float | None = None


def hidden_because(document: Mapping[str, Any] | None, class_scores: Mapping[str, float]) -> str:
    """Why the heatmap of a picture stays hidden until somebody asks for it; empty where it need not.

    Args:
        document: what was measured of the model's heatmaps at the site; None where nothing was.
        class_scores: of the prediction; its likeliest class decides.
    """
    if document is None or not class_scores:
        return ""
    if not document.get("follows_the_weights", True):
        return "it hardly changes when the net's weights are replaced by chance"
    likeliest = max(sorted(class_scores), key=lambda name: class_scores[name])
    row = next((one for one in document.get("classes", ()) if one["class"] == likeliest), None)
    if row is None or row["shown"]:
        return ""
    return f"for {likeliest} it points right in {row['pointing']:.0%} of {row['n']:,} pictures"

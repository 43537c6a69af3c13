"""The answer of the endpoint, of `holdpoint score` and of the Inspect page: one JSON document about one picture."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.pictures.boxes import area_percentage
from core.records import NO_DEFECT, Outcome, Prediction, Reason, Region, Route

DEFECT = "DEFECT"


def answer(
    image_id: str,
    prediction: Prediction | None,
    size_wh: tuple[int, int] | None,
    outcome: Outcome,
    reasons: Sequence[Reason],
    route: Route,
    at: datetime,
    camera: str | None = None,
    policy: int | None = None,
) -> dict[str, Any]:
    """One answer.

    Args:
        image_id: the store's id; the hash of the bytes where nothing is stored.
        prediction: None where the picture could not be read or scored.
        size_wh: of the picture after orientation, in pixels.
        outcome: of the part the picture belongs to.
        reasons: of that decision.
        route: where the part goes.
        at: of the decision; aware UTC.
        camera: that took it.
        policy: number of the policy in force.
    """
    score = None if prediction is None else prediction.score
    regions = [] if prediction is None or size_wh is None else [defect(one, *size_wh) for one in prediction.regions]
    return {
        "image_id": image_id,
        "prediction": None if score is None else DEFECT if score >= 0.5 else NO_DEFECT,
        "defects": regions,
        "overall_confidence": None if score is None else round(max(score, 1 - score), 6),
        "inference_time_ms": None if prediction is None else round(prediction.milliseconds, 3),
        "recommended_action": route.value,
        "model_version": None if prediction is None else prediction.model,
        "camera_id": camera,
        "timestamp": at.isoformat(timespec="milliseconds"),
        "decision": outcome.value,
        "reasons": [{"code": reason.code, "text": reason.text} for reason in reasons],
        "policy_version": policy,
        "coordinates": "image",
    }


def defect(region: Region, width: int, height: int) -> dict[str, Any]:
    """One region, its box in the image's own pixels."""
    return {
        "class": region.class_id or region.name,
        "confidence": None if region.score is None else round(region.score, 6),
        "severity": None if region.severity is None else region.severity.value,
        "bounding_box": {
            "x": round(region.x, 2),
            "y": round(region.y, 2),
            "width": round(region.width, 2),
            "height": round(region.height, 2),
        },
        "area_percentage": round(area_percentage(region, width, height), 4),
    }

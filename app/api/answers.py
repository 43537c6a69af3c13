"""What the endpoint answers: its documented shape, and the answer about an image that the store has."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.jobs.intake.documents import answer
from core.records import Decision, Image, Outcome, Prediction, Reason, Route

WAITING = Reason("waiting", "The part waits for its other views.")


class Box(BaseModel):
    """In the image's own pixels, after EXIF orientation."""

    x: float
    y: float
    width: float
    height: float


class Defect(BaseModel):
    """One region that the model proposes."""

    class_: str = Field(alias="class", description="Class id of the site's taxonomy, or of the model.")
    confidence: float | None
    severity: str | None
    bounding_box: Box
    area_percentage: float = Field(description="Of the picture's area that the box covers.")


class Why(BaseModel):
    """One reason behind the decision."""

    code: str
    text: str


class Answer(BaseModel):
    """What was decided about the part, and what the model saw in this picture."""

    image_id: str = Field(description="The store's id; the SHA-256 of the bytes where no site was named.")
    prediction: str | None = Field(description="DEFECT, NO_DEFECT, or null where nothing could be scored.")
    defects: list[Defect]
    overall_confidence: float | None = Field(description="Of the prediction, 0.5 to 1.")
    inference_time_ms: float | None
    recommended_action: Route
    model_version: str | None
    camera_id: str | None
    timestamp: datetime
    decision: Outcome = Field(description="About the part; HOLD whenever anything is missing or went wrong.")
    reasons: list[Why]
    policy_version: int | None
    coordinates: str = Field(description="Always 'image'.")


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


def stored_answer(
    image: Image, prediction: Prediction | None, decision: Decision | None, now: datetime
) -> dict[str, Any]:
    """The answer about an image as the store has it."""
    size = (image.width, image.height) if image.width and image.height else None
    camera = image.capture.camera
    if decision is None:
        return answer(str(image.id), prediction, size, Outcome.HOLD, (WAITING,), Route.HOLD, now, camera)
    return answer(
        str(image.id),
        prediction,
        size,
        decision.outcome,
        decision.reasons,
        decision.route,
        decision.decided_at,
        camera,
        decision.policy,
    )

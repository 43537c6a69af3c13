from datetime import UTC, datetime

from app.jobs.intake.documents import answer, defect
from core.records import Outcome, Prediction, Reason, Region, Route, Severity


def test_the_answer_is_the_designs_document():
    region = Region(112, 88, 85, 12, "scratch", "SURFACE_SCRATCH", Severity.MINOR, 0.9412345678)
    prediction = Prediction("m12", 0.94, {"SURFACE_SCRATCH": 0.97}, (region,), milliseconds=71.23456)
    at = datetime(2026, 3, 2, 8, 0, 1, 500000, tzinfo=UTC)
    reasons = (Reason("fail", "Score .94 is above .80."),)
    assert answer("17", prediction, (380, 380), Outcome.FAIL, reasons, Route.REWORK, at, "cam 3", 4) == {
        "image_id": "17",
        "prediction": "DEFECT",
        "defects": [
            {
                "class": "SURFACE_SCRATCH",
                "confidence": 0.941235,
                "severity": "minor",
                "bounding_box": {"x": 112, "y": 88, "width": 85, "height": 12},
                "area_percentage": 0.7064,
            }
        ],
        "overall_confidence": 0.94,
        "inference_time_ms": 71.235,
        "recommended_action": "rework",
        "model_version": "m12",
        "camera_id": "cam 3",
        "timestamp": "2026-03-02T08:00:01.500+00:00",
        "decision": "FAIL",
        "reasons": [{"code": "fail", "text": "Score .94 is above .80."}],
        "policy_version": 4,
        "coordinates": "image",
    }


def test_a_picture_that_was_not_scored_has_the_same_keys():
    at = datetime(2026, 3, 2, tzinfo=UTC)
    scored = answer("1", Prediction("m", 0.2, {}), (10, 10), Outcome.PASS, (), Route.SHIP, at)
    broken = answer("1", None, None, Outcome.HOLD, (), Route.HOLD, at)
    assert scored.keys() == broken.keys()
    assert scored["overall_confidence"] == 0.8
    assert broken["prediction"] is None


def test_a_region_of_an_unmapped_name_keeps_its_name():
    assert defect(Region(0, 0, 5, 5, "odd spot"), 10, 10)["class"] == "odd spot"

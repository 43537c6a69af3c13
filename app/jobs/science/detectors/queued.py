"""Detectors as jobs of the worker: train, measure, try, climb the ladder, draw on what was filed before."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress
from app.settings import Settings

if TYPE_CHECKING:
    from data.store import Store


def _train(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.detectors.training import train_detector

    return train_detector(store, current, progress=progress, **given)


def _evaluate(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.detectors.trial import evaluate_detector

    return evaluate_detector(store, current, progress=progress, **given)


def _try(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.detectors.trial import try_detector

    return try_detector(store, current, progress=progress, **given)


def _ladder(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.detectors.ladder import climb

    return climb(store, current, progress=progress, **given)


def _draw(store: "Store", current: Settings, given: Mapping[str, Any], progress: Progress) -> Any:
    from app.jobs.science.detectors.line import draw_again

    progress(0, 1, "drawing on what was filed before")
    return draw_again(store, current, **given)


DETECTOR_KINDS: Mapping[str, Callable[["Store", Settings, Mapping[str, Any], Progress], Any]] = {
    "detector": _train,
    "detector evaluate": _evaluate,
    "detector try": _try,
    "ladder": _ladder,
    "draw": _draw,
}

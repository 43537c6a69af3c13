"""Fitting a site's scores anew from its own labelled parts: what a recalibration finds, and what two people confirm."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from core.audits.refit import Better, Reading, Refit, refit
from core.decide.requests import Matrix
from core.decide.score_map import ScoreMap, in_words, read_map
from core.errors import BadInput

if TYPE_CHECKING:
    from data.store import Store

DAYS = 90
_SEED = 20_260_301  # of the folds: the same parts get the same answer


def fit(store: "Store", site: str, now: datetime, days: float = DAYS) -> Refit:
    """Fit the reading of scores anew from the parts that chance drew and people labelled.

    Args:
        store: bound to somebody who may set the site's policy, or to a process of the plant.
        site: its name.
        now: aware UTC.
        days: how far to look back.

    Raises:
        BadInput: with too few labelled parts, or without a model.
    """
    found = store.sites.get(site)
    if found.model is None:
        raise BadInput(f"{site} has no model in use: there are no scores to fit.")
    present = _present(found.score_map, found.model)
    drawn = [
        one
        for one in store.replays.parts(site, now - timedelta(days=days), now)
        if one.defective is not None and one.probability is not None and one.score is not None
        and all(picture.prediction is None or picture.prediction.model == found.model
                for picture in one.evidence.pictures)
    ]  # fmt: skip
    read = np.array([one.score for one in drawn], np.float64)
    scores = read if present is None else np.array([present.unread(float(score)) for score in read])
    defective = np.array([bool(one.defective) for one in drawn], bool)
    weights = np.array([1 / (one.probability or 1.0) for one in drawn], np.float64)
    return refit(scores, defective, weights, found.model, np.random.default_rng(_SEED), present)


def _present(document: Any, model: str) -> ScoreMap | None:
    try:
        return read_map(document, model)
    except BadInput:  # nothing passes by it, so there is nothing to compare with but the model's own scores
        return None


def sentence(found: Refit) -> str:
    """What the comparison says."""
    gain = f"log loss {found.old.loss:.3f} now, {found.new.loss:.3f} fitted anew; saved {found.gain:+.3f} for a part"
    interval = f"95%: {found.low:+.3f} to {found.high:+.3f}"
    verdict = {
        Better.YES: "Fitted anew the scores are better on parts that the fit has not seen",
        Better.NO: "Fitted anew the scores are worse on parts that the fit has not seen",
        Better.UNSURE: "Whether scores fitted anew are better cannot be told from these parts",
    }[found.better]
    return f"{verdict}: {gain} ({interval}), from {found.defective:,} defective and {found.good:,} good ones."


def document(found: Refit) -> dict[str, Any]:
    """As JSON: for a follow-up, a request and the command line."""
    return {
        "fitted": found.fitted.to_json(),
        "fitted_in_words": in_words(found.fitted),
        "present": None if found.present is None else found.present.to_json(),
        "present_in_words": in_words(found.present),
        "answer": str(found.better),
        "sentence": sentence(found),
        "gain": found.gain, "low": found.low, "high": found.high,
        "defective": found.defective, "good": found.good,
        "new": _reading(found.new), "old": _reading(found.old),
    }  # fmt: skip


def matrix_of(found: Refit) -> Matrix:
    """What a second person is asked to confirm: the new reading with its confusion matrix on unseen parts."""
    source = (
        f"{found.defective + found.good:,} parts of the last {DAYS} days that chance drew, each judged by a fit that "
        "had not seen it; scores fitted anew"
    )
    return Matrix(found.new.counts, found.fitted.model, source, found.new.bins, found.fitted, document(found))


def _reading(found: Reading) -> Mapping[str, Any]:
    return {"loss": found.loss, "gap": found.gap, "confusion": asdict(found.counts),
            "bars": [bar._asdict() for bar in found.bins]}  # fmt: skip

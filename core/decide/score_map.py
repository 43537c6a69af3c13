"""A site's own reading of a model's scores: two numbers that turn what the model says into a probability here.

The log-odds of a score are stretched and moved: `expit(slope · logit(score) + intercept)`. With a slope above nought no
two scores ever change places, and joining the pictures of a part before or after gives the same: exposures are averaged
in log-odds, and of views the largest counts.

Source: Platt 1999; on scores that are probabilities already, Kull, Silva Filho and Flach 2017 (beta calibration, with
its two shapes tied).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.errors import BadInput
from core.records import Prediction

EDGE = 1e-9  # a score of exactly 0 or 1 has no log-odds
SLOPES = (0.05, 20.0)
INTERCEPTS = (-10.0, 10.0)


@dataclass(frozen=True)
class ScoreMap:
    """How the scores of one model are read at one site.

    Attributes:
        model: whose scores; those of any other are not read so.
        slope: above 1 the model was too timid here, under 1 too sure.
        intercept: above 0 parts are more often defective than the model says.
    """

    model: str
    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what would turn scores round or say nothing any more."""
        if not self.model:
            raise BadInput("A reading of scores is about one model: name it.")
        for name, value, (low, high) in (("slope", self.slope, SLOPES), ("intercept", self.intercept, INTERCEPTS)):
            if not low <= value <= high:  # false for what is no number, too
                raise BadInput(f"A {name} of {value} is outside {low:g} to {high:g}.")

    def read(self, score: float) -> float:
        """The probability that a score means here."""
        if not 0 <= score <= 1:
            return score  # whoever decides says what is wrong with it
        return _expit(self.slope * _logit(score) + self.intercept)

    def unread(self, probability: float) -> float:
        """The model's own score that means this."""
        return _expit((_logit(probability) - self.intercept) / self.slope)

    def applied(self, prediction: Prediction) -> Prediction:
        """A prediction with its score read so; what another model has said stays as it is."""
        return prediction if prediction.model != self.model else replace(prediction, score=self.read(prediction.score))

    def to_json(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)


def read_map(document: Any, model: str | None) -> ScoreMap | None:
    """What the store keeps for the model in use; None where its scores are taken as they are.

    Raises:
        BadInput: it cannot be understood, or is about another model; nothing may pass by it.
    """
    if document is None:
        return None
    if not isinstance(document, Mapping) or set(document) != {"model", "slope", "intercept"}:
        raise BadInput("The site's reading of scores cannot be understood: fit it anew.")
    try:
        found = ScoreMap(str(document["model"]), float(document["slope"]), float(document["intercept"]))
    except (TypeError, ValueError) as error:
        raise BadInput("The site's reading of scores holds no numbers: fit it anew.") from error
    if found.model != model:
        raise BadInput(f"The site reads scores of {found.model}, but {model or 'no model'} is in use: fit it anew.")
    return found


def in_words(found: ScoreMap | None) -> str:
    """As a person reads it."""
    if found is None:
        return "the model's own scores, as they are"
    shift = f"{'+' if found.intercept >= 0 else '−'}{abs(found.intercept):.2f}"
    return f"log-odds × {found.slope:.2f} {shift}: a score of .50 means {found.read(0.5):.2f} here"


def _logit(value: float) -> float:
    safe = min(1 - EDGE, max(EDGE, value))
    return math.log(safe) - math.log1p(-safe)


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))

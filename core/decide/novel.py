"""Parts that resemble nothing known good: which those are."""

from collections.abc import Iterable

from core.decide.policy import Policy
from core.records import Prediction

OWN_LIMIT = 1.0  # the memory's own; a policy may set another


def beyond(predictions: Iterable[Prediction | None], policy: Policy | None) -> float | None:
    """The largest novelty above the limit in force; None where every picture resembles something known good.

    Args:
        predictions: of a part's pictures; None where there is none.
        policy: that decides the part; None, or one without a novelty limit, leaves the memory's own.
    """
    limit = OWN_LIMIT if policy is None or policy.novelty_limit is None else policy.novelty_limit
    over = [one.novelty for one in predictions if one is not None and one.novelty is not None and one.novelty > limit]
    return max(over, default=None)

"""Where "resembles nothing known good" begins: a distance that good parts exceed as rarely as was asked for.

Good parts that the memory has not seen say how far good parts lie. With n of them, and a next good part that is one of
the same kind, every place of it among the n is as likely. So a limit with at most k of n + 1 places above it holds a
good part with a probability of at most k / (n + 1), whatever the distances look like. Pictures of one part move
together, so a part counts once, by its farthest picture: that is the one which would hold it.

Source: Vovk et al. 2005, "Algorithmic learning in a random world"; Papadopoulos et al. 2002 for the split.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import BadInput, ModelError
from core.learn.novelty.records import RATE

Wide = npt.NDArray[np.float64]
FEWEST = 2  # good parts: one to remember, one to compare with
_LEAST = 1e-6  # of a distance: good parts that are all alike leave no other measure of what is far
_SLACK = 1e-9  # so that 0.05 of 20 is one


@dataclass(frozen=True)
class Limit:
    """What novelty is measured in.

    Attributes:
        distance: novelty 1; what is farther is held.
        parts: good ones that it rests on, none of them in the memory.
        asked: the rate of good parts that may be held.
        rate: the one it keeps; above `asked` where there are too few good parts.
        more_needed: further good parts to be held out until it can keep what was asked.
    """

    distance: float
    parts: int
    asked: float
    rate: float
    more_needed: int

    @property
    def sentence(self) -> str:
        """What may be promised."""
        if self.more_needed:
            return (
                f"Too few good parts: {self.parts} were held out, {self.parts + self.more_needed} are needed for "
                f"{self.asked:.1%}. The farthest of them is the limit, which holds up to {self.rate:.1%} of good parts."
            )
        return f"At most {self.rate:.1%} of good parts like the {self.parts} held out are held for their novelty."


def by_part(values: Sequence[float], parts: Sequence[Hashable]) -> Wide:
    """The farthest picture of each part, ascending.

    Args:
        values: distance of each picture.
        parts: of each picture.

    Raises:
        ModelError: a distance that is no number.
    """
    if len(values) != len(parts):
        raise BadInput(f"{len(values)} distances but {len(parts)} parts: give one part for each picture.")
    largest: dict[Hashable, float] = {}
    for value, part in zip(values, parts, strict=True):
        if not (math.isfinite(value) and value >= 0):
            raise ModelError(f"A distance of {value} is none: look at the net that gave it.")
        largest[part] = max(value, largest.get(part, 0.0))
    return np.sort(np.array(list(largest.values()), np.float64))


def limit_of(held_out: Wide, rate: float = RATE) -> Limit:
    """The smallest distance that keeps the rate, or the largest seen where nothing can.

    Args:
        held_out: (n,) distance of each held-out good part.
        rate: of good parts that may be held, above 0 and under 1.

    Raises:
        BadInput: no part, or no rate.
    """
    if not 0 < rate < 1:
        raise BadInput(f"A false-hold rate of {rate} means nothing: give one above 0 and under 1, such as 0.05.")
    n = len(held_out)
    if n < 1:
        raise BadInput("No good part was held out, so nobody can say what is far: give more good parts.")
    ordered = np.sort(np.asarray(held_out, np.float64))
    above = min(n, math.floor((n + 1) * rate + _SLACK))  # of the n + 1 places
    needed = needed_for(rate)
    place = n - max(1, above)
    distance = max(float(ordered[place]), _LEAST)
    return Limit(distance, n, rate, max(1, above) / (n + 1), max(0, needed - n))


def needed_for(rate: float) -> int:
    """How many held-out good parts a rate takes."""
    return math.ceil(1 / rate - 1 - _SLACK)


def held_out_parts(parts: Sequence[Hashable], rate: float, rng: np.random.Generator) -> set[Hashable]:
    """Parts whose pictures stay out of the memory: as many as the rate takes, at least a third, at most half of them.

    Raises:
        BadInput: fewer than two parts.
    """
    names = list(dict.fromkeys(parts))
    if len(names) < FEWEST:
        raise BadInput(
            f"{len(names)} good part{'' if len(names) == 1 else 's'}: a memory takes pictures of {FEWEST} at least, "
            "one to remember and one to compare with."
        )
    wanted = min(len(names) // 2, max(needed_for(rate), len(names) // 3))
    return {names[at] for at in rng.permutation(len(names))[: max(1, wanted)].tolist()}


def p_value(held_out: Wide, distance: float) -> float:
    """How often a good part would lie as far, at most; in (0, 1].

    Args:
        held_out: (n,) distance of each held-out good part.
        distance: of the part in question.
    """
    return (1 + int((held_out >= distance).sum())) / (len(held_out) + 1)


def novelty(distance: float, limit: Limit) -> float:
    """1 at the limit; above it a part is held.

    Raises:
        ModelError: the distance is no number.
    """
    if not (math.isfinite(distance) and distance >= 0):
        raise ModelError(f"A distance of {distance} is none: look at the net that gave it.")
    return min(distance / limit.distance, 1e6)


def as_score(value: float) -> float:
    """Novelty as a number in [0, 1) that sorts a queue where no model gives a score; 0.5 at the limit.

    It is no probability of a defect, and nothing passes by it.
    """
    return value / (1 + value)

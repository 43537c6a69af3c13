"""Pictures that a net sees as the same: their features are closer than unrelated pictures of that camera ever come.

How close unrelated pictures come depends on the net: one that learned to tell defects apart sees most good parts nearly
alike. So the limit is read from the set itself. Directions in which its pictures differ most are shrunk to the others,
and of the likeness of all pairs the upper tail is carried on, as the cap of a sphere has it, to where fewer than
FALSE_PAIRS of the unrelated pairs would lie. Where that is at one, these features cannot tell, and nothing is said.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from core.learn.near_duplicates import FALSE_PAIRS, LEAST, Pairs, pairs_beyond
from core.records import Floats

FEWEST = 40  # pictures of one look; of fewer no tail can be read
SURE = 0.9999  # a limit above it is none: rounding alone is as large
_PER_DIRECTION = 4  # pictures for each direction that is looked at
_MOST_DIRECTIONS = 128
_FLOOR = 0.02  # of the mean variance: a direction with less is noise
_SAMPLE = 4000  # pictures whose pairs show the tail
_BLOCK = 8192  # pictures looked at together
_IN_TAIL = 2  # times the pictures: pairs beyond its outer point. One copy of each would be half as many
_INNER = 10  # times as many beyond its inner point


def alike(features: Floats, looks: Sequence[Hashable]) -> Pairs:
    """Pairs of pictures of one look whose features are the same but for little.

    Args:
        features: (n, d) of one net, as it gives them.
        looks: what makes pictures alike without being the same: site, camera and part type.

    Returns:
        Numbers of pictures, the smaller first, in order.
    """
    places: dict[Hashable, list[int]] = defaultdict(list)
    for number, look in enumerate(looks):
        places[look].append(number)
    pairs = [np.empty((0, 2), np.int64)]
    for mine in places.values():
        if len(mine) < FEWEST:
            continue
        own = np.array(mine, np.intp)
        unit = _directions(features, own)
        limit = max(LEAST, tail_limit(unit))
        if limit <= SURE:
            pairs.append(np.sort(own[pairs_beyond(unit, limit)[0]], axis=1))
    found = np.concatenate(pairs)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def _directions(features: Floats, own: npt.NDArray[np.intp]) -> Floats:
    """(n, k) unit vectors: from the middle of the set, the directions that vary most shrunk to the others.

    Args:
        features: of all pictures; they are not copied as a whole, for they may be most of what memory holds.
        own: numbers of the set's pictures.
    """
    parts = [own[start : start + _BLOCK] for start in range(0, len(own), _BLOCK)]
    total = np.sum([features[part].sum(axis=0, dtype=np.float64) for part in parts], axis=0)
    middle = (total / len(own)).astype(np.float32)
    sample = (features[own[:: -(-len(own) // _SAMPLE)]] - middle).astype(np.float64)
    values, vectors = np.linalg.eigh(sample.T @ sample / len(sample))
    kept = min(len(own) // _PER_DIRECTION, _MOST_DIRECTIONS, features.shape[1])
    values, vectors = values[::-1][:kept].clip(min=0), vectors[:, ::-1][:, :kept]
    shrunk = (vectors / np.sqrt(np.maximum(values + _FLOOR * values.mean(), 1e-12))).astype(np.float32)
    found = np.empty((len(own), kept), np.float32)
    for start, part in zip(range(0, len(own), _BLOCK), parts, strict=True):
        found[start : start + _BLOCK] = (features[part] - middle) @ shrunk
    length: npt.NDArray[np.float32] = np.linalg.norm(found, axis=1, keepdims=True)
    found /= np.maximum(length, np.float32(1e-12))
    return found


def tail_limit(unit: Floats) -> float:
    """The likeness that fewer than FALSE_PAIRS of all unrelated pairs of a set reach, read from its own pairs.

    On a sphere of k dimensions the share of pairs beyond t falls as (1 - t^2) to the power (k - 1) / 2. Two points of
    the tail give the power, and the power the limit. Copies among the pairs make it a little higher.

    Args:
        unit: (n, d), each of length one; 40 or more.
    """
    sample = unit[:: -(-len(unit) // _SAMPLE)]
    likeness = (sample @ sample.T)[np.triu_indices(len(sample), 1)]
    outer_share = _IN_TAIL * len(sample) / 2 / len(likeness)
    inner, outer = (float(one) for one in np.quantile(likeness, [1 - _INNER * outer_share, 1 - outer_share]))
    if not 0 < inner < outer < 1:
        return 1.0
    power = math.log(_INNER) / (math.log1p(-inner * inner) - math.log1p(-outer * outer))
    every = len(unit) * (len(unit) - 1) / 2
    left = math.log1p(-outer * outer) + math.log(min(1.0, FALSE_PAIRS / every / outer_share)) / power
    return math.sqrt(max(0.0, 1 - math.exp(left)))

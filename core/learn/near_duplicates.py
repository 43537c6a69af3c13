"""Pictures that show the same thing, found by what is left of them when what all pictures of a camera share is gone.

A fixed camera sees the same jig, light and part over and over: every two of its pictures look alike, and a plain
perceptual hash calls them all duplicates. So from each signature the mean of its camera is taken, and the few
directions in which that camera's pictures vary most (light, position of the part) are flattened. What is left is the
picture's own. Two pictures are near-duplicates where that correlates beyond what chance reaches among so many pairs,
as they are or with one of them turned or mirrored (core.learn.turned_duplicates).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from core.learn import turned_duplicates

Floats = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.int64]  # (pairs, 2), the smaller number first

LEAST = 0.90  # correlation of what is left; copies in another quality or size reach 0.95 and more
MOST = 0.995
FALSE_PAIRS = 0.01  # expected by chance in the whole set
OWN_LEVELS = 0.35  # grey levels of a picture's own that are left; below, rounding is all there is
_LOOK = 8  # pictures of one camera before its own mean is taken
_PER_DIRECTION = 10  # pictures for each direction that is flattened
_MOST_DIRECTIONS = 48
_SAMPLE = 4000
_EXACT = 6000  # pictures of one camera that are compared each with each
_FEWER = 96  # projections that the codes are made of
_MISSED = 0.003  # of the pairs that only just reach LEAST may share no code
_BLOCK = 1024


@dataclass(frozen=True)
class Found:
    """Near-duplicates of a set.

    Attributes:
        pairs: numbers of pictures that look the same.
        likeness: correlation of each pair.
        plain: pictures with nothing of their own to compare: featureless, or like every other one of their camera.
    """

    pairs: Pairs
    likeness: Floats
    plain: int


def near_duplicates(signatures: npt.NDArray[np.uint8], looks: Sequence[Hashable]) -> Found:
    """Pairs of pictures of one look that show the same.

    Args:
        signatures: (n, d), see core.pictures.signature.
        looks: what makes pictures alike without being the same: site, camera and part type.
    """
    places: dict[Hashable, list[int]] = defaultdict(list)
    for number, look in enumerate(looks):
        places[look].append(number)
    small = [number for own in places.values() if len(own) < _LOOK for number in own]
    sets = [np.array(own) for own in places.values() if len(own) >= _LOOK] + ([np.array(small)] if small else [])
    pairs, likeness, plain = [np.empty((0, 2), np.int64)], [np.empty(0, np.float32)], 0
    for own in sets:
        some, how, without = _within(signatures[own], few=len(own) < _LOOK)
        pairs.append(np.sort(own[some], axis=1))
        likeness.append(how)
        plain += without
    joined, alike = np.concatenate(pairs), np.concatenate(likeness)
    order = np.lexsort((joined[:, 1], joined[:, 0]))
    return Found(joined[order], alike[order], plain)


def _within(signatures: npt.NDArray[np.uint8], few: bool) -> tuple[Pairs, Floats, int]:
    own, directions, made_own = _own(signatures, few)
    strength = np.sqrt(np.einsum("nd,nd->n", own, own) / own.shape[1])
    told = np.flatnonzero(strength >= OWN_LEVELS)
    plain = len(own) - len(told)
    if len(told) < 2:
        return np.empty((0, 2), np.int64), np.empty(0, np.float32), plain
    unit = _unit(own[told])
    limit = MOST if few else beyond_chance(len(told), directions)
    pairs, likeness = pairs_beyond(unit, limit)
    if not few:  # among so few nobody can say what is usual
        every = len(told) * math.sqrt(1 + 2 * turned_duplicates.WAYS)  # as if there were so many more pictures
        beyond = max(turned_duplicates.LEAST, beyond_chance(round(every), directions))
        turned, alike = turned_duplicates.turned_pairs(
            signatures[told], unit, lambda others: _unit(made_own(others)), beyond
        )
        pairs, likeness = _together(pairs, likeness, turned, alike)
    return told[pairs], likeness, plain


def _together(pairs: Pairs, likeness: Floats, more: Pairs, alike: Floats) -> tuple[Pairs, Floats]:
    """Both lists, each pair once; of the first where both have it."""
    if not len(more):
        return pairs, likeness
    every = np.concatenate([np.sort(pairs, axis=1), more])
    kept, which = np.unique(every, axis=0, return_index=True)
    return kept, np.concatenate([likeness, alike])[which]


def _unit(own: Floats) -> Floats:
    found: Floats = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), np.float32(1e-9))
    return found


def _own(
    signatures: npt.NDArray[np.uint8], few: bool
) -> tuple[Floats, float, Callable[[npt.NDArray[np.uint8]], Floats]]:
    """What is left of each signature, in grey levels, in how many directions it varies, and how others are seen so.

    Light that changes all over, and contrast, are no picture's own: levels are first brought to the set's usual ones.
    """
    levels, usual = _lit_alike(signatures)
    if few:
        return levels, float(levels.shape[1]), lambda others: _lit_alike(others, usual)[0]
    middle = levels.mean(axis=0)
    levels -= middle
    sample = levels[:: max(1, len(levels) // _SAMPLE)]
    values, vectors = np.linalg.eigh(sample.T @ sample / len(sample))
    values, vectors = values[::-1].clip(min=0), vectors[:, ::-1]
    flat = min(len(levels) // _PER_DIRECTION, _MOST_DIRECTIONS)
    top, shrink = vectors[:, :flat], np.zeros(flat, np.float32)
    if flat:
        level = max(float(values[flat]), 1e-9)
        shrink = (1 - np.sqrt(np.minimum(1, level / np.maximum(values[:flat], 1e-12)))).astype(np.float32)
        levels -= (levels @ top * shrink) @ top.T
        values[:flat] = np.minimum(values[:flat], level)
    total = float(values.sum())

    def made_own(others: npt.NDArray[np.uint8]) -> Floats:
        lit, _ = _lit_alike(others, usual)
        lit -= middle
        lit -= (lit @ top * shrink) @ top.T
        return lit

    return levels, total * total / float((values**2).sum()) if total > 0 else 1.0, made_own


def _lit_alike(signatures: npt.NDArray[np.uint8], usual: float | None = None) -> tuple[Floats, float]:
    """Grey levels around 0 with the usual spread of the set, and that; their own median where it is not given."""
    levels = signatures.astype(np.float32)
    levels -= levels.mean(axis=1, keepdims=True)
    spread = levels.std(axis=1, keepdims=True)
    wanted = float(np.median(spread)) if usual is None else usual
    levels *= wanted / np.maximum(spread, max(wanted / 4, 1e-3))
    return levels, wanted


def beyond_chance(n: int, directions: float) -> float:
    """The correlation that fewer than FALSE_PAIRS of all pairs of n unrelated pictures reach.

    Args:
        n: pictures.
        directions: in which they vary independently; a sphere of that many dimensions.
    """
    wanted = 2 * FALSE_PAIRS / max(1.0, n * (n - 1) / 2)
    inside = float(special.betaincinv(max(directions - 1, 0.5) / 2, 0.5, min(1.0, wanted)))
    return min(MOST, max(LEAST, math.sqrt(max(0.0, 1 - inside))))


def pairs_beyond(unit: Floats, limit: float) -> tuple[Pairs, Floats]:
    """Pairs of directions that correlate by a limit of LEAST or more, and how much.

    Args:
        unit: (n, d), each of length one.
        limit: at least LEAST, for which the codes of many are made.
    """
    return _exact(unit, limit) if len(unit) <= _EXACT else _by_bands(unit, limit)


def _exact(unit: Floats, limit: float) -> tuple[Pairs, Floats]:
    """Each with each, in blocks."""
    found, how = [np.empty((0, 2), np.int64)], [np.empty(0, np.float32)]
    for start in range(0, len(unit), _BLOCK):
        alike = unit[start : start + _BLOCK] @ unit[start:].T
        rows, columns = np.nonzero(alike >= limit)
        later = columns > rows
        rows, columns = rows[later], columns[later]
        found.append(np.column_stack([rows + start, columns + start]))
        how.append(alike[rows, columns])
    return np.concatenate(found), np.concatenate(how)


def _by_bands(unit: Floats, limit: float) -> tuple[Pairs, Floats]:
    """Pairs that share one of many short codes, each code the signs of random projections; then compared exactly.

    A code has as many signs as leave a picture about a quarter of another by chance. Two pictures with a correlation of
    0.9 differ in 14% of the signs; there are as many codes as let 99.7% of such pairs share one. Likelier pairs, as
    copies are, hardly ever share none.

    Source: Charikar 2002, "Similarity estimation techniques from rounding algorithms".
    """
    rng = np.random.default_rng(24)  # the same pictures always give the same pairs
    fewer = unit @ rng.standard_normal((unit.shape[1], _FEWER), dtype=np.float32)  # keeps angles, costs a sixth
    seen = [np.empty(0, np.int64)]
    n = len(unit)
    bits = math.ceil(math.log2(n)) + 2
    shared = (1 - math.acos(LEAST) / math.pi) ** bits
    weights = (1 << np.arange(bits, dtype=np.int64)).astype(np.float64)
    for _ in range(math.ceil(math.log(_MISSED) / math.log1p(-shared))):
        planes = rng.standard_normal((_FEWER, bits), dtype=np.float32)
        codes = ((fewer @ planes > 0) @ weights).astype(np.int64)
        one, other = _same_codes(codes)
        alike = np.einsum("nd,nd->n", unit[one], unit[other])
        kept = alike >= limit
        first, second = np.minimum(one[kept], other[kept]), np.maximum(one[kept], other[kept])
        seen.append(first * n + second)
    keys = np.unique(np.concatenate(seen))
    pairs = np.column_stack([keys // n, keys % n])
    return pairs, np.einsum("nd,nd->n", unit[pairs[:, 0]], unit[pairs[:, 1]])


def _same_codes(codes: npt.NDArray[np.int64], most: int = 16) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of equal codes; of a crowd each is compared with the `most` that follow it."""
    order = np.argsort(codes, kind="stable")
    ranked = codes[order]
    one, other = [], []
    for step in range(1, most + 1):
        same = np.flatnonzero(ranked[step:] == ranked[:-step])
        if not len(same):
            break
        one.append(order[same])
        other.append(order[same + step])
    if not one:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(one), np.concatenate(other)


def clusters(n: int, pairs: Pairs) -> npt.NDArray[np.int64]:
    """(n,) the smallest number of each picture's cluster: pictures tied by others are one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return np.arange(n, dtype=np.int64)
    ties = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, number = connected_components(ties, directed=False)
    first = np.full(number.max() + 1, n, np.int64)
    np.minimum.at(first, number, np.arange(n, dtype=np.int64))
    return np.asarray(first[number], np.int64)

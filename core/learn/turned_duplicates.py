"""Near-duplicates of which one was turned or mirrored: what no plain comparison of two pictures shows.

    signature ─▶ turned back ─▶ what is its own, as for pictures that are the right way up ─▶ compared with all others

A picture that was turned fits its camera's usual picture better when it is turned back; where nothing is usual, such as
before a bare surface, every picture may have been. Two pictures of a pair have to agree both ways, the one turned onto
the other and back, because before a fixed camera all turned pictures share what the jig looks like upside down.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Signatures = npt.NDArray[np.uint8]
Pairs = npt.NDArray[np.int64]
Own = Callable[[Signatures], Floats]  # (m, d) signatures to unit vectors of what is each one's own

LEAST = 0.95  # likeness of a turned copy; those in another quality and light reached 0.97 and more
WAYS = 7  # turns that are tried
_FITS = 0.1  # a correlation that a picture may lose by being turned back and yet have been turned
_EXACTLY = 25_000_000  # comparisons of two pictures that are made one by one
_MISSED = 0.01
_BLOCK = 1024


class Turn(NamedTuple):
    """A way of turning a square of cells, and the way back."""

    there: Callable[[npt.NDArray[np.generic]], npt.NDArray[np.generic]]
    back: Callable[[npt.NDArray[np.generic]], npt.NDArray[np.generic]]


def _both(way: Callable[[npt.NDArray[np.generic]], npt.NDArray[np.generic]]) -> Turn:
    return Turn(way, way)


TURNS = (  # of (m, side, side)
    _both(lambda cells: cells[:, ::-1, ::-1]),
    _both(lambda cells: cells[:, :, ::-1]),
    _both(lambda cells: cells[:, ::-1]),
    _both(lambda cells: cells.transpose(0, 2, 1)),
    _both(lambda cells: cells[:, ::-1, ::-1].transpose(0, 2, 1)),
    Turn(lambda cells: cells.transpose(0, 2, 1)[:, ::-1], lambda cells: cells[:, ::-1].transpose(0, 2, 1)),
    Turn(lambda cells: cells[:, ::-1].transpose(0, 2, 1), lambda cells: cells.transpose(0, 2, 1)[:, ::-1]),
)


def turned_pairs(signatures: Signatures, unit: Floats, own: Own, limit: float) -> tuple[Pairs, Floats]:
    """Pairs of which one shows the other turned or mirrored, the smaller number first, and how alike they are.

    Args:
        signatures: (n, side * side) of pictures that have something of their own.
        unit: (n, d) of them as they are.
        own: makes such rows of other signatures.
        limit: of likeness, LEAST or more.
    """
    side = math.isqrt(signatures.shape[1])
    nothing = np.empty((0, 2), np.int64), np.empty(0, np.float32)
    if side * side != signatures.shape[1]:
        return nothing
    cells = signatures.reshape(-1, side, side)
    usual = cells.mean(axis=0, dtype=np.float64)[None]
    # How a picture turned back fits what is usual is how it fits that turned the other way.
    ways = np.concatenate([usual, *(turn.back(usual) for turn in TURNS)]).reshape(1 + len(TURNS), -1)
    fits = _correlation(signatures, ways)
    pairs, likeness = [nothing[0]], [nothing[1]]
    for turn, fit in zip(TURNS, fits[:, 1:].T, strict=True):
        rows = np.flatnonzero(fit >= fits[:, 0] - _FITS)
        if not len(rows):
            continue
        found, alike = _matching(unit, own(_flat(turn.there(cells[rows]))), limit)
        first, second = found[:, 0], rows[found[:, 1]]
        other = first != second
        first, second, alike = first[other], second[other], alike[other]
        if not len(first):
            continue
        again = np.einsum("nd,nd->n", unit[second], own(_flat(turn.back(cells[first]))))
        agree = again >= limit
        pairs.append(np.sort(np.column_stack([first[agree], second[agree]]), axis=1))
        likeness.append(np.minimum(alike[agree], again[agree]))
    every, which = np.unique(np.concatenate(pairs), axis=0, return_index=True)
    return every, np.concatenate(likeness)[which]


def _flat(cells: npt.NDArray[np.generic]) -> Signatures:
    return np.ascontiguousarray(cells, np.uint8).reshape(len(cells), -1)


def _correlation(signatures: Signatures, wanted: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(m, k) of each signature with each of (k, d) pictures; 0 where either is the same all over."""
    other = wanted - wanted.mean(axis=1, keepdims=True)
    other /= np.maximum(np.linalg.norm(other, axis=1, keepdims=True), 1e-9)
    found = np.empty((len(signatures), len(wanted)))
    for start in range(0, len(signatures), _BLOCK):
        some = signatures[start : start + _BLOCK].astype(np.float32)
        some -= some.mean(axis=1, keepdims=True)
        length = np.linalg.norm(some, axis=1, keepdims=True)
        found[start : start + _BLOCK] = (some @ other.T.astype(np.float32)) / np.maximum(length, np.float32(1e-6))
    return found


def _matching(one: Floats, other: Floats, limit: float) -> tuple[Pairs, Floats]:
    """Rows of one and of another set that correlate by a limit, and how much."""
    if len(one) * len(other) > _EXACTLY:
        return _by_codes(one, other, limit)
    found, how = [np.empty((0, 2), np.int64)], [np.empty(0, np.float32)]
    for start in range(0, len(one), _BLOCK):
        alike = one[start : start + _BLOCK] @ other.T
        rows, columns = np.nonzero(alike >= limit)
        found.append(np.column_stack([rows + start, columns]))
        how.append(alike[rows, columns])
    return np.concatenate(found), np.concatenate(how)


def _by_codes(one: Floats, other: Floats, limit: float) -> tuple[Pairs, Floats]:
    """Pairs that share one of several short codes, the signs of random projections; then compared exactly.

    Source: Charikar 2002, as core.learn.near_duplicates has it.
    """
    rng = np.random.default_rng(25)
    bits = math.ceil(math.log2(max(len(one), len(other)))) + 2
    shared = (1 - math.acos(LEAST) / math.pi) ** bits
    weights = (1 << np.arange(bits, dtype=np.int64)).astype(np.float64)
    seen = [np.empty(0, np.int64)]
    for _ in range(math.ceil(math.log(_MISSED) / math.log1p(-shared))):
        planes = rng.standard_normal((one.shape[1], bits), dtype=np.float32)
        mine, its = (((rows @ planes > 0) @ weights).astype(np.int64) for rows in (one, other))
        order = np.argsort(its, kind="stable")
        start, stop = (np.searchsorted(its[order], mine, way) for way in ("left", "right"))
        for step in range(int(min(16, (stop - start).max(initial=0)))):  # of a crowd, each with a few
            there = np.flatnonzero(start + step < stop)
            matched = order[start[there] + step]
            alike = np.einsum("nd,nd->n", one[there], other[matched])
            kept = alike >= limit
            seen.append(there[kept] * len(other) + matched[kept])
    keys = np.unique(np.concatenate(seen))
    pairs = np.column_stack([keys // len(other), keys % len(other)])
    return pairs, np.einsum("nd,nd->n", one[pairs[:, 0]], other[pairs[:, 1]])

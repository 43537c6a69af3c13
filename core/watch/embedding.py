"""What a camera's pictures look like to the net, and whether that drifts.

An embedding has hundreds of numbers. Kept of it is a sketch: a fixed projection by random signs to 32, which leaves
distances about as they are (Achlioptas 2003, "Database-friendly random projections: Johnson-Lindenstrauss with binary
coins"). 64 bytes a picture, and some 25 kB a camera, are all that this costs the store.

The first 400 sketches of a camera are its reference. Half of them say what is usual, a middle and how far pictures
spread in each direction; the other half is held out, and everything later is compared with it. Two figures are:

- embedding: where a picture lies along the way in which the pictures before it have moved from the middle;
- embedding spread: how far it lies from the middle, whichever way.

The way is learned from pictures that came before those it is tried on, so betting on those stays fair, and the
detector's promise holds although nobody said beforehand which way to look (Podkopaev and Ramdas 2023, "Sequential
predictive two-sample and independence testing").
"""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import shake_256
from typing import Any

import numpy as np
import numpy.typing as npt

from core.records import Floats
from core.watch.detector import Array
from core.watch.streams import REFERENCE, Reference, reference_of

SKETCH = 32  # numbers
GATHERED = 2 * REFERENCE  # sketches before a camera has a reference
HALF_LIFE = 100  # pictures after which one counts half in the way that pictures move
BLOCK = 25  # pictures tried on one way, before it takes them in


def sketch(embedding: Floats | None) -> str | None:
    """What is kept of an embedding, as text; None where there is nothing that could be kept.

    Args:
        embedding: (c,).
    """
    if embedding is None or embedding.ndim != 1 or not embedding.size or embedding.dtype.kind != "f":
        return None
    with np.errstate(all="ignore"):  # what does not fit is found below
        values = (np.asarray(embedding, np.float32) @ _signs(embedding.size)).astype("<f2")
    return _packed(values) if np.isfinite(values).all() else None


def sketch_of(text: object) -> Floats | None:
    """(32,) the opposite of `sketch`; None for anything that is no sketch."""
    found = _unpacked(text, "<f2")
    return None if found is None or found.size != SKETCH else found


@lru_cache(maxsize=8)
def _signs(size: int) -> Floats:
    """(size, 32) the same on every machine and for every version of numpy."""
    bits = np.unpackbits(np.frombuffer(shake_256(b"holdpoint sketch").digest(size * SKETCH // 8), np.uint8))
    found: Floats = ((2.0 * bits.reshape(size, SKETCH) - 1) / math.sqrt(size)).astype(np.float32)
    return found


@dataclass(frozen=True, eq=False)
class Usual:
    """What is usual at a camera.

    Attributes:
        middle: (32,) of half of the reference.
        narrow: (32, 32) turns a distance from the middle into one in which each direction varies by about 1.
        held: (200, 32) the other half, so turned.
    """

    middle: Floats
    narrow: Floats
    held: Floats

    def turned(self, sketches: Floats) -> Floats:
        """(n, 32) as far from the middle as pictures usually spread."""
        found: Floats = ((sketches - self.middle) @ self.narrow).astype(np.float32, copy=False)
        return found

    def to_json(self) -> dict[str, str]:
        """As text; the held-out half in 16 bits."""
        return {
            "middle": _packed(self.middle.astype("<f4")),
            "narrow": _packed(self.narrow.astype("<f4")),
            "held": _packed(self.held.astype("<f2")),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, str]) -> "Usual | None":
        """The opposite of `to_json`; None for what is damaged or another release kept, and is gathered anew."""
        found: list[Floats] = []
        for name, kind, size in (("middle", "<f4", 1), ("narrow", "<f4", SKETCH), ("held", "<f2", REFERENCE)):
            values = _unpacked(document.get(name), kind)
            if values is None or values.size != size * SKETCH:
                return None
            found.append(values.reshape(size, SKETCH))
        middle, narrow, held = found
        return cls(middle[0], narrow, held)


def usual_of(sketches: Floats) -> Usual | None:
    """What is usual, of a camera's first 400 sketches; None for fewer.

    Args:
        sketches: (n, 32), in the order of arrival; every other one is held out.
    """
    if len(sketches) < GATHERED:
        return None
    first = sketches[:GATHERED].astype(np.float64)
    known, held = first[0::2], first[1::2]
    middle = known.mean(axis=0)
    variances, ways = np.linalg.eigh(np.cov(known, rowvar=False))
    least = 1e-6 * float(middle @ middle) / SKETCH + 1e-12  # of pictures that are all the same
    narrow = ways / np.sqrt(np.maximum(_shrunk(np.maximum(variances, 0.0), len(known)), least))
    return Usual(middle.astype(np.float32), narrow.astype(np.float32), _within((held - middle) @ narrow))


def _shrunk(variances: Array, n: int) -> Array:
    """Variances along principal ways, drawn to their mean as far as n pictures leave them uncertain.

    Source: Chen, Wiesel, Eldar and Hero 2010, "Shrinkage algorithms for MMSE covariance estimation" (OAS).
    """
    size, total, squares = len(variances), float(variances.sum()), float(variances @ variances)
    beyond = squares - total * total / size
    share = ((1 - 2 / size) * squares + total * total) / ((n + 1 - 2 / size) * beyond) if beyond > 0 else 1.0
    share = min(1.0, share)
    found: Array = (1 - share) * variances + share * total / size
    return found


def _within(turned: Array) -> Floats:
    """Nothing so far out that 16 bits could not hold it."""
    return np.clip(turned, -6e4, 6e4).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Way:
    """The way in which pictures have moved lately.

    Attributes:
        total: (32,) of their turned sketches, the older the less.
        weight: how many pictures that is.
    """

    total: Array
    weight: float

    def after(self, turned: Floats) -> "Way":
        """With some more pictures, none of which counts for more than a few."""
        far = np.linalg.norm(turned, axis=1, keepdims=True)
        kept = turned * np.minimum(1.0, 2 * math.sqrt(SKETCH) / np.maximum(far, 1e-12))
        ages = 0.5 ** (np.arange(len(kept))[::-1] / HALF_LIFE)
        old = 0.5 ** (len(kept) / HALF_LIFE)
        return Way(old * self.total + ages @ kept.astype(np.float64), old * self.weight + float(ages.sum()))

    def to_json(self) -> dict[str, Any]:
        """As text and numbers."""
        return {"total": [round(float(one), 5) for one in self.total], "weight": round(self.weight, 5)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | None) -> "Way":
        """The opposite of `to_json`; nowhere at first."""
        if document is None:
            return cls(np.zeros(SKETCH), 0.0)
        return cls(np.asarray(document["total"], np.float64), float(document["weight"]))


def tried(usual: Usual, way: Way, sketches: Floats) -> tuple[list[tuple[Array, Reference]], Way]:
    """Pictures along the way in which those before them had moved, block by block.

    Args:
        usual: of the camera.
        way: as the pictures before these left it.
        sketches: (n, 32).

    Returns:
        Values and the reference that they are to be compared with, for each block; and the way after all of them.
    """
    found: list[tuple[Array, Reference]] = []
    turned = usual.turned(sketches)
    for start in range(0, len(turned), BLOCK):
        block = turned[start : start + BLOCK]
        reference = reference_of(usual.held @ way.total)
        if way.weight > 0 and reference is not None:
            found.append(((block @ way.total).astype(np.float64), reference))
        way = way.after(block)
    return found, way


def spread(usual: Usual, sketches: Floats) -> Array:
    """(n,) how far pictures lie from the middle."""
    found: Array = np.linalg.norm(usual.turned(sketches), axis=1).astype(np.float64)
    return found


def spread_reference(usual: Usual) -> Reference | None:
    """How far pictures of the held-out half lie from it."""
    return reference_of(np.linalg.norm(usual.held, axis=1))


def gathered(texts: Sequence[str]) -> Floats:
    """(n, 32) of kept sketches; what is none is left out."""
    known = [found for text in texts if (found := sketch_of(text)) is not None]
    return np.stack(known) if known else np.empty((0, SKETCH), np.float32)


def _packed(values: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _unpacked(text: object, kind: str) -> Floats | None:
    """Finite numbers from text; None where it holds no such thing."""
    if not isinstance(text, str):
        return None
    try:
        found = np.frombuffer(base64.b64decode(text, validate=True), kind).astype(np.float32)
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None

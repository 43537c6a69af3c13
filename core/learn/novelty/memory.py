"""A bounded memory of good patches, and how far other patches lie from it.

    patches of good pictures ─▶ a share of each picture ─▶ coreset (k-center) ─▶ memory
    patches of a picture     ─▶ distance of each to the nearest in memory ─▶ the farthest few ─▶ the picture's distance

A patch is what a net's middle layers say of one place. What covers the good patches best in few bytes are those that
k-center greedy picks: none of them is farther from the memory than the last pick was.

Source: Roth et al. 2022, "Towards total recall in industrial anomaly detection" (PatchCore), arXiv:2106.08265.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.errors import BadInput, ModelError
from core.learn.select.farthest import Products, greedy_k_center
from core.records import Floats

Wide = npt.NDArray[np.float64]
MakeProducts = Callable[[Floats], Products | None]
NEIGHBOURS = 9  # of the nearest patch in memory, that say how usual its place is
FARTHEST = 3  # patches whose mean is a picture's distance: one may be noise, and a defect of three is small
LOOKED_AT = 32  # times the memory's own size: patches that the coreset is chosen from
BUDGET_BYTES = 4 << 20
_OUTLINE = 16  # one in so many patches of a memory bounds how far a patch lies from all of them
_AT_FIRST = 32  # patches of a picture that are measured first: the farthest ones are nearly always among them
_ROUNDING = 1e-3  # of a distance: products of float32 may name another patch that is as near
_BLOCK_BYTES = 8 << 20  # of distances computed together


@dataclass(frozen=True, eq=False)
class Memory:
    """Patches that good pictures show.

    Attributes:
        vectors: (m, d) float32, the most different ones first.
    """

    vectors: Floats

    def __post_init__(self) -> None:
        """Refuse what nothing can be compared with."""
        if self.vectors.ndim != 2 or 0 in self.vectors.shape:
            raise BadInput(f"A memory of shape {self.vectors.shape} holds no patches: give good pictures.")
        if not np.isfinite(self.vectors).all():
            raise ModelError("The memory of good patches holds what is no number: fit it again.")

    @property
    def bytes(self) -> int:
        """Of its vectors."""
        return int(self.vectors.nbytes)

    @cached_property
    def centred(self) -> tuple[Floats, Floats, Floats]:
        """Their mean (d,), the vectors less that (m, d), and the squared lengths of those (m,).

        Products of vectors that lie far from zero would round away what tells them apart.
        """
        mean = self.vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        shifted = self.vectors - mean
        return mean, shifted, np.einsum("ij,ij->i", shifted, shifted)

    @cached_property
    def outline(self) -> "Memory":
        """Its first patches: the most different ones, so they are near to everything it holds."""
        return Memory(self.vectors[: max(1, len(self.vectors) // _OUTLINE)])


@dataclass(frozen=True, eq=False)
class Distances:
    """How far a picture lies from a memory.

    Attributes:
        patches: (n,) distance of each patch to the nearest one in memory.
        picture: mean of the farthest few, weighed by how usual the one nearest to the farthest is.
    """

    patches: Floats
    picture: float


def some_of(patches: Floats, most: int, rng: np.random.Generator) -> Floats:
    """At most so many patches of a picture, drawn at random, in their order.

    Args:
        patches: (n, d).
        most: at least 1.
        rng: draws.
    """
    if len(patches) <= most:
        return patches
    return patches[np.sort(rng.choice(len(patches), most, replace=False))]


def share_of_each(pictures: int, width: int, budget_bytes: int = BUDGET_BYTES) -> int:
    """How many patches of each good picture are looked at, so that all of them together stay bounded.

    Args:
        pictures: good ones.
        width: numbers in a patch.
        budget_bytes: of the memory.
    """
    return max(1, LOOKED_AT * room_for(width, budget_bytes) // max(1, pictures))


def room_for(width: int, budget_bytes: int) -> int:
    """How many patches a memory has room for.

    Raises:
        BadInput: none.
    """
    room = budget_bytes // (4 * width)
    if room < 1:
        raise BadInput(f"A memory of {budget_bytes} bytes has no room for a patch of {width} numbers: give it more.")
    return room


def memory_of(
    patches: Sequence[Floats], budget_bytes: int = BUDGET_BYTES, products: MakeProducts = lambda _: None
) -> Memory:
    """The coreset: as many of the patches as the budget has room for, chosen so that they cover all of them.

    Args:
        patches: (n, d) of each good picture.
        budget_bytes: of the memory.
        products: makes matrix products elsewhere, such as on a graphics card, from all patches.

    Raises:
        BadInput: no patches, or no room.
        ModelError: patches that are no numbers.
    """
    if not patches or not sum(len(one) for one in patches):
        raise BadInput("No good picture, no memory: give pictures of parts that are known to be good.")
    every = np.ascontiguousarray(np.concatenate(list(patches)), np.float32)
    _check(every)
    picks, values = greedy_k_center(every, room_for(every.shape[1], budget_bytes), products=products(every))
    new = np.r_[True, values[1:] > 0]  # what lies exactly on a pick says nothing more
    return Memory(np.ascontiguousarray(every[picks[new]]))


def distances(memory: Memory, patches: Floats, neighbours: int = NEIGHBOURS, farthest: int = FARTHEST) -> Distances:
    """How far a picture's patches lie from everything good.

    Args:
        memory: of good patches.
        patches: (n, d) of one picture.
        neighbours: that weigh the largest distance: where the nearest good patch is itself an odd one, being far from
            it means less. 0 and 1 weigh nothing.
        farthest: patches whose mean counts; 1 is the largest alone.

    Raises:
        BadInput: none, or of another width.
        ModelError: patches that are no numbers.

    Source: arXiv:2106.08265, equations 6 and 7; the exponents are taken as distances in units of their own typical
        size (the root of the width), because exp of a raw distance overflows.
    """
    held = _held(memory, patches)
    near, which = nearest(memory, held)
    return Distances(near, _of_picture(memory, held, near, which, neighbours, farthest))


def distance_of(memory: Memory, patches: Floats, neighbours: int = NEIGHBOURS, farthest: int = FARTHEST) -> float:
    """`distances(...).picture` alone, without measuring patches that cannot be among the farthest.

    The distance to a few patches of the memory is never less than that to all of them. So a patch that lies nearer to
    the few than the farthest ones lie to all of it does not count, and is not compared with the rest.
    """
    held = _held(memory, patches)
    few = min(max(1, farthest), len(held))
    if len(held) <= _AT_FIRST:
        near, which = nearest(memory, held)
        return _of_picture(memory, held, near, which, neighbours, farthest)
    near, which = nearest(memory.outline, held)
    ordered = np.argsort(-near, kind="stable")
    at_first, later = ordered[: max(_AT_FIRST, few)], ordered[max(_AT_FIRST, few) :]
    near[at_first], which[at_first] = nearest(memory, held[at_first])
    counts = np.sort(near[at_first])[-few] * (1 - _ROUNDING)
    later = later[near[later] >= counts]
    if len(later):
        near[later], which[later] = nearest(memory, held[later])
    return _of_picture(memory, held, near, which, neighbours, farthest)


def _held(memory: Memory, patches: Floats) -> Floats:
    held = np.ascontiguousarray(patches, np.float32)
    if held.ndim != 2 or not len(held) or held.shape[1] != memory.vectors.shape[1]:
        raise BadInput(f"Patches of {held.shape} do not fit a memory of {memory.vectors.shape}: fit it with this net.")
    _check(held)
    return held


def _of_picture(
    memory: Memory, patches: Floats, near: Floats, which: npt.NDArray[np.intp], neighbours: int, farthest: int
) -> float:
    at = int(near.argmax())
    few = min(max(1, farthest), len(near))
    most = float(np.sort(np.partition(near, len(near) - few)[len(near) - few :]).mean())
    return most * _weight(memory, patches[at], int(which[at]), neighbours)


def nearest(memory: Memory, patches: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Distance of each patch to the nearest in memory, and which that is; (n,) each.

    Products of float32 find the nearest one; its distance is computed by subtraction, so that a small one is not lost
    in rounding.
    """
    mean, shifted, squares = memory.centred
    which = np.empty(len(patches), np.intp)
    step = max(1, _BLOCK_BYTES // (4 * len(memory.vectors)))
    for start in range(0, len(patches), step):
        some = patches[start : start + step] - mean
        which[start : start + step] = (squares - 2 * (some @ shifted.T)).argmin(axis=1)
    apart = patches - memory.vectors[which]
    found: Floats = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    return found, which


def _weight(memory: Memory, patch: Floats, at: int, neighbours: int) -> float:
    """1 less the nearest patch's share among its own neighbours, as the patch in question sees them.

    Between 1 - 1 / neighbours, where all of them are as near, and 1 where the nearest one stands alone.
    """
    count = min(neighbours, len(memory.vectors))
    if count < 2:
        return 1.0
    _, shifted, squares = memory.centred
    around = squares - 2 * (shifted @ shifted[at])  # in the order of their distance
    rows = np.argpartition(around, count - 1)[:count]
    rows = np.r_[at, rows[rows != at]][:count]
    seen = np.linalg.norm(memory.vectors[rows].astype(np.float64) - patch, axis=1) / np.sqrt(len(patch))
    shares = np.exp(seen - seen.max())
    return float(1 - shares[0] / shares.sum())


def _check(patches: Floats) -> None:
    if not np.isfinite(patches).all():
        raise ModelError("The net answers with what is no number, so nobody can say what the picture resembles.")

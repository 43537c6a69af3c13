"""A memory from good pictures: what is remembered, what is held out, and where the limit lies.

    good parts ─┬─ remembered ─▶ a share of each picture's patches ─▶ scale, projection, coreset ─▶ memory
                └─ held out   ─▶ distance of each part to that memory ─▶ limit

Pictures are seen one after the other, so what is in memory does not grow with their number.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import BadInput
from core.learn.novelty.limit import Limit, Wide, by_part, held_out_parts, limit_of
from core.learn.novelty.memory import (
    BUDGET_BYTES,
    NEIGHBOURS,
    MakeProducts,
    Memory,
    distance_of,
    memory_of,
    share_of_each,
    some_of,
)
from core.learn.novelty.planted import Planted
from core.learn.novelty.records import RATE
from core.records import Floats, Pixels
from models.novelty.eye import Eye
from models.novelty.patches import Lens, brought, scaled

Pictures = Callable[[Sequence[int]], Iterable[Pixels]]  # rows to their pixels, in order
Look = Callable[[Lens], Eye]
Plant = Callable[[int, Pixels], Sequence[Pixels]]  # a row and its picture


@dataclass(frozen=True, eq=False)
class Fitted:
    """What came of it.

    Attributes:
        held_out: (n,) distances of the parts that the limit rests on, ascending.
        remembered: rows of the pictures that the memory has seen.
        planted: distances of the held-out pictures and of copies with planted defects; None where not asked for.
    """

    memory: Memory
    lens: Lens
    limit: Limit
    held_out: Wide
    remembered: tuple[int, ...]
    planted: Planted | None = None


def fit(
    open_eye: Look,
    lens: Lens,
    parts: Sequence[Hashable],
    pictures: Pictures,
    rng: np.random.Generator,
    *,
    rate: float = RATE,
    budget_bytes: int = BUDGET_BYTES,
    neighbours: int = NEIGHBOURS,
    products: MakeProducts = lambda _: None,
    told: Callable[[int, int, str], None] = lambda *_: None,
    plant: Plant | None = None,
) -> Fitted:
    """Fit memory and limit on pictures of good parts.

    Args:
        open_eye: the net with a lens.
        lens: as `lens_of` makes it: every channel as it is.
        parts: of each picture; a part is remembered or held out, never both.
        pictures: gives the pixels of rows.
        rng: draws.
        rate: of good parts that may be held for their novelty.
        budget_bytes: of the memory.
        neighbours: that weigh a distance.
        products: matrix products elsewhere.
        told: progress.
        plant: copies of a held-out picture with a defect planted, as many of each; nothing is planted where None.

    Raises:
        BadInput: fewer than two good parts, a rate or a budget that means nothing.
        ModelError: the net failed.
    """
    out = held_out_parts(parts, rate, rng)
    held = [row for row, part in enumerate(parts) if part in out]
    kept = [row for row, part in enumerate(parts) if part not in out]
    total = len(parts)
    most = share_of_each(len(kept), lens.width, budget_bytes)
    plain = open_eye(replace(lens, projection=None))
    sample: list[Floats] = []
    for row, pixels in zip(kept, pictures(kept), strict=True):
        sample.append(some_of(plain.see(pixels).patches, most, rng))
        told(len(sample), total, f"remembering picture {row + 1}")
    if not sample:
        raise BadInput("No good picture is left to be remembered: give more good parts.")
    ready = replace(lens, scale=scaled(lens, sample))
    told(len(sample), total, "choosing what to remember")
    patches = [brought(ready, one) for one in sample]
    del sample
    memory = memory_of(patches, budget_bytes, products)
    eye = open_eye(ready)
    lies: list[float] = []
    with_defect: list[list[float]] = []
    for row, pixels in zip(held, pictures(held), strict=True):
        lies.append(distance_of(memory, eye.see(pixels).patches, neighbours))
        if plant is not None:
            copies = plant(row, pixels)
            with_defect.append([distance_of(memory, eye.see(one).patches, neighbours) for one in copies])
        told(len(kept) + len(lies), total, f"measuring picture {row + 1}")
    of = [parts[row] for row in held]
    apart = by_part(lies, of)
    planted = Planted(of, np.array(lies), np.array(with_defect)) if with_defect else None
    return Fitted(memory, ready, limit_of(apart, rate), apart, tuple(kept), planted)

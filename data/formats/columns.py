"""Boxes of an export as columns: a million are sorted, rounded and spelt by Arrow, without a dict or tuple for each.

What is written is the same to the byte as when each box is spelt by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.records import Region
from data.formats.provenance import DECIMALS, Entry, px, region_order

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

AT_ONCE = 500  # pictures whose boxes are in memory as text; more are no faster
_HUNDRED = 10**DECIMALS
_PLAINLY = 1e12  # larger numbers are spelt one by one: Python writes some of them with an exponent


@dataclass(frozen=True)
class Boxes:
    """The boxes of some pictures, in the order in which they are written.

    Attributes:
        regions: each of them.
        entry: (n,) which picture of those given.
        xywh: (n, 4) to a hundredth of a pixel.
        category: (n,) number of the class.
        plain: (n,) whether there is nothing to say beyond box and class.
    """

    regions: list[Region]
    entry: Ints
    xywh: Floats
    category: Ints
    plain: npt.NDArray[np.bool_]


def boxes_of(entries: Sequence[Entry], number: Mapping[str, int]) -> Boxes:
    """Put the boxes of pictures into columns, sorted within each picture as `region_order` sorts them.

    Args:
        entries: of the export, or some of them.
        number: of each class, and of each name without one.
    """
    regions = [region for entry in entries for region in entry.label.regions]
    counts = np.fromiter((len(entry.label.regions) for entry in entries), np.int64, len(entries))
    entry = np.repeat(np.arange(len(entries), dtype=np.int64), counts)
    names = [region.class_id if region.class_id in number else region.name for region in regions]
    category = np.fromiter((number[str(name)] for name in names), np.int64, len(regions))
    plain = np.fromiter(
        (
            region.mask is None and region.severity is None and region.score is None and region.name == name
            for region, name in zip(regions, names, strict=True)
        ),
        bool,
        len(regions),
    )
    flat = np.fromiter((v for r in regions for v in (r.x, r.y, r.width, r.height)), np.float64, 4 * len(regions))
    xywh = rounded(flat).reshape(-1, 4)
    x, y, width, height = xywh.T
    order = np.lexsort((category, width, height, x, y, entry))
    made = Boxes([regions[n] for n in order], entry[order], xywh[order], category[order], plain[order])
    return _settled(made, number)


def _settled(boxes: Boxes, number: Mapping[str, int]) -> Boxes:
    """Boxes that are equal so far are ordered by what else they say."""
    if len(boxes.regions) < 2:
        return boxes
    same = (
        (boxes.entry[1:] == boxes.entry[:-1])
        & (boxes.xywh[1:] == boxes.xywh[:-1]).all(axis=1)
        & (boxes.category[1:] == boxes.category[:-1])
    )
    if not same.any():
        return boxes
    order = np.arange(len(boxes.regions))
    key = region_order(number)
    edges = np.flatnonzero(np.concatenate([[True], ~same, [True]]))
    for start, stop in pairwise(edges.tolist()):
        if stop - start > 1:
            order[start:stop] = sorted(range(start, stop), key=lambda n: key(boxes.regions[n]))
    return Boxes([boxes.regions[n] for n in order], boxes.entry, boxes.xywh, boxes.category, boxes.plain[order])


def rounded(values: Floats) -> Floats:
    """`px` of every value.

    The nearest double to a whole number of hundredths is that number divided by 100. Only where a value lies half way
    between two hundredths can the product with 100 fall on the wrong side: those are rounded one by one.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = values * _HUNDRED
        found: Floats = np.rint(scaled) / _HUNDRED + 0.0
        doubtful = ~(np.abs(np.abs(scaled - np.floor(scaled)) - 0.5) > 1e-3) | ~(np.abs(values) < _PLAINLY)
    for place in np.flatnonzero(doubtful).tolist():
        value = float(values[place])
        found[place] = px(value) if np.isfinite(value) else value
    return found


def spelt(values: Floats) -> pa.Array:
    """Numbers of whole hundredths as Python spells floats: 12.0, 0.05, -3.5.

    Raises:
        ValueError: one of them is not finite, which JSON cannot say.
    """
    if not np.isfinite(values).all():
        raise ValueError("Out of range float values are not JSON compliant")
    large = np.abs(values) >= _PLAINLY
    if large.any():
        return _words([repr(value) for value in values.tolist()])
    hundredths = np.rint(values * _HUNDRED).astype(np.int64)
    size = np.abs(hundredths)
    tail = _TAILS.take(_numbers(size % _HUNDRED))
    if (hundredths < 0).any():
        sign = _SIGNS.take(_numbers((hundredths < 0).astype(np.int64)))
        return _row_by_row(sign, whole(size // _HUNDRED), tail)
    return _row_by_row(whole(size // _HUNDRED), tail)


def fixed(values: Floats, decimals: int) -> pa.Array:
    """Numbers with so many decimals, as `f"{value:.8f}"` writes them."""
    power = 10**decimals
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = values * power
        doubtful = ~(np.abs(np.abs(scaled - np.floor(scaled)) - 0.5) > 1e-3) | ~((values >= 0) & (scaled < 1e15))
        number = np.where(doubtful, 0, np.rint(scaled)).astype(np.int64)
    tail = pc.utf8_lpad(whole(number % power), decimals, "0")
    text = _row_by_row(whole(number // power), ".", tail)
    if not doubtful.any():
        return text
    one_by_one = [f"{value:.{decimals}f}" for value in values[doubtful].tolist()]
    return pc.replace_with_mask(text, _numbers(doubtful.astype(np.int64)).cast(pa.bool_()), _words(one_by_one))


def joined(*pieces: pa.Array | str) -> list[str]:
    """Columns and words put together row by row."""
    found: list[str] = _row_by_row(*pieces).to_pylist()
    return found


def whole(numbers: Ints) -> pa.Array:
    """Whole numbers as text."""
    return _numbers(numbers).cast(pa.string())


def _row_by_row(*pieces: pa.Array | str) -> pa.Array:
    words = (_words([piece])[0] if isinstance(piece, str) else piece for piece in (*pieces, ""))
    return pc.binary_join_element_wise(*words)


def _numbers(values: Ints) -> pa.Array:
    """A column of whole numbers, not copied; `pa.array` would load pandas first, which takes 40 MB."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def _words(texts: Sequence[str]) -> pa.Array:
    """A column of ASCII texts, made in the same way."""
    ends = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    return pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(ends), pa.py_buffer("".join(texts).encode("ascii"))]
    )


_TAILS = _words([f".{n // 10}" if n % 10 == 0 else f".{n:02}" for n in range(_HUNDRED)])
_SIGNS = _words(["", "-"])

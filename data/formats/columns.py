"""Boxes of an export as columns: a million are sorted, rounded and spelt by Arrow, without a dict or tuple for each.

What is written is the same to the byte as when each box is spelt by itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from operator import attrgetter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.records import Region
from data.formats.provenance import DECIMALS, Entry, px, region_order

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

AT_ONCE = 1000  # pictures whose boxes are in memory as text; more are no faster
_HUNDRED = 10**DECIMALS
_PLAINLY = 1e12  # larger numbers are spelt one by one: Python writes some of them with an exponent
_NARROW, _FEW = 1 << 26, 1 << 11  # hundredths of a pixel, and pictures, that fit into a number together
_SIDES = attrgetter("x", "y", "width", "height")
_NAMED = attrgetter("class_id", "name")
_MORE, _NOTHING_MORE = attrgetter("mask", "severity", "score"), (None, None, None)


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """AT_ONCE at a time."""
    some = iter(entries)
    while batch := list(islice(some, AT_ONCE)):
        yield batch


@dataclass(frozen=True)
class Boxes:
    """The boxes of some pictures, in the order in which they are written.

    Attributes:
        entry: (n,) which picture of the export, counted from 0.
        xywh: (n, 4) to a hundredth of a pixel.
        category: (n,) number of the class.
        named: (n,) which of `names` each box has: (class id, name as given).
        plain: (n,) whether there is nothing to say beyond box and class.
        first, pictures: the first picture, and how many there are.
        odd: by place, those with a mask, severity or score.
    """

    entry: Ints
    xywh: Floats
    category: Ints
    named: Ints
    plain: npt.NDArray[np.bool_]
    first: int
    pictures: int
    names: Sequence[tuple[str | None, str]]
    odd: Mapping[int, Region]

    def region(self, place: int) -> Region:
        """One of them; a box alone is made anew."""
        if place in self.odd:
            return self.odd[place]
        x, y, width, height = self.xywh[place].tolist()
        class_id, name = self.names[int(self.named[place])]
        return Region(x, y, width, height, name, class_id)


@dataclass(frozen=True)
class _Page:
    """Boxes of some pictures as they came: how many each picture has, sides, which name, and the odd ones by place."""

    counts: Ints
    xywh: Floats
    named: npt.NDArray[np.int32]
    odd: dict[int, Region]


class Held:
    """The boxes of an export while its pictures go by, 36 bytes each: numbers of classes are known at the end only."""

    def __init__(self, known: Iterable[str]) -> None:
        """Begin with none.

        Args:
            known: ids of the classes, in the taxonomy's order.
        """
        self.known = list(known)
        self._names = _Numbered()
        self._pages: list[_Page] = []

    def add(self, entries: Sequence[Entry]) -> None:
        """The boxes of the next pictures."""
        regions = [region for entry in entries for region in entry.label.regions]
        counts = np.fromiter((len(entry.label.regions) for entry in entries), np.int64, len(entries))
        named = np.fromiter(map(self._names.__getitem__, map(_NAMED, regions)), np.int32, len(regions))
        sides = np.fromiter(chain.from_iterable(map(_SIDES, regions)), np.float64, 4 * len(regions))
        odd = {place: regions[place] for place, more in enumerate(map(_MORE, regions)) if more != _NOTHING_MORE}
        self._pages.append(_Page(counts, rounded(sides).reshape(-1, 4), named, odd))

    def names(self) -> list[str]:
        """The classes, and after them, sorted, the names of boxes that have none of these."""
        strange = {name for class_id, name in self._names if class_id not in set(self.known)}
        return [*self.known, *sorted(strange - set(self.known))]

    def boxes(self, number: Mapping[str, int]) -> Iterator[Boxes]:
        """The boxes of so many pictures as were added together, sorted within each as `region_order` sorts them.

        Args:
            number: of each of `names`.
        """
        names = list(self._names)
        meant = [class_id if class_id in number else name for class_id, name in names]
        category = np.array([number[str(name)] for name in meant], np.int64)
        plainly = np.array([name == given for name, (_, given) in zip(meant, names, strict=True)], bool)
        first = 0
        for page in self._pages:
            pictures = len(page.counts)
            entry = first + np.repeat(np.arange(pictures, dtype=np.int64), page.counts)
            plain = plainly[page.named]
            plain[list(page.odd)] = False
            order = _order(entry - first, page.xywh, category[page.named])
            place = {int(old): new for new, old in enumerate(order.tolist()) if old in page.odd} if page.odd else {}
            named = page.named[order].astype(np.int64)
            made = Boxes(entry[order], page.xywh[order], category[named], named, plain[order], first, pictures, names,
                         {place[old]: region for old, region in page.odd.items()})  # fmt: skip
            yield _settled(made, number)
            first += pictures


class _Numbered(dict[tuple[str | None, str], int]):
    """Each of what it is asked for gets the next number."""

    def __missing__(self, key: tuple[str | None, str]) -> int:
        self[key] = len(self)
        return self[key]


def _order(entry: Ints, xywh: Floats, category: Ints) -> Ints:
    """By picture, top, left, height, width and class. Two numbers that hold all but the class are sorted quicker."""
    if len(xywh) and xywh.min() >= 0 and xywh.max() < _NARROW / _HUNDRED and entry[-1] < _FEW:
        x, y, width, height = np.rint(xywh * _HUNDRED).astype(np.int64).T
        return np.lexsort((category, height * _NARROW + width, (entry * _NARROW + y) * _NARROW + x))
    x, y, width, height = xywh.T
    return np.lexsort((category, width, height, x, y, entry))


def _settled(boxes: Boxes, number: Mapping[str, int]) -> Boxes:
    """Boxes that are equal so far are ordered by what else they say."""
    if boxes.plain.all():  # then they say the same
        return boxes
    same = (
        (boxes.entry[1:] == boxes.entry[:-1])
        & (boxes.xywh[1:] == boxes.xywh[:-1]).all(axis=1)
        & (boxes.category[1:] == boxes.category[:-1])
    )
    if not same.any():
        return boxes
    order = np.arange(len(boxes.plain))
    key = region_order(number)
    edges = np.flatnonzero(np.concatenate([[True], ~same, [True]]))
    for start, stop in pairwise(edges.tolist()):
        if stop - start > 1:
            order[start:stop] = sorted(range(start, stop), key=lambda n: key(boxes.region(n)))
    odd = {new: boxes.odd[old] for new, old in enumerate(order.tolist()) if old in boxes.odd}
    return replace(boxes, named=boxes.named[order], plain=boxes.plain[order], odd=odd)


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


def fractions(values: Floats, decimals: int) -> pa.Array | None:
    """Rows (n, k) of fractions below 1 as text, with spaces between and a line's end behind, as `fixed` spells each.

    Of a product its rounding error is known exactly, so that a fraction half way between two goes where Python lets it
    go; and with sides of 64 pixels half of them are that.

    Returns:
        None where one of them is no such fraction.

    Source: Dekker 1971, "A floating-point technique for extending the available precision".
    """
    if not ((values >= 0) & (values < 1)).all():  # never true of NaN
        return None
    power = float(10**decimals)
    product = values * power
    (high, low), (most, least) = _halves(values), _halves(np.array(power))
    error = ((high * most - product) + high * least + low * most) + low * least
    whole_part = np.floor(product)
    beyond = (product - whole_part - 0.5) + error
    left = (whole_part + ((beyond > 0) | ((beyond == 0) & (whole_part % 2 == 1)))).astype(np.uint32)
    if (left >= 10**decimals).any():
        return None
    spelt = np.empty((*values.shape, decimals + 3), np.uint8)
    spelt[..., 0], spelt[..., 1], spelt[..., -1] = ord("0"), ord("."), ord(" ")
    for place in range(decimals + 1, 1, -1):
        left, digit = np.divmod(left, np.uint32(10))
        spelt[..., place] = digit
        spelt[..., place] += ord("0")
    spelt[:, -1, -1] = ord("\n")
    ends = np.arange(len(values) + 1, dtype=np.int32) * (values.shape[1] * (decimals + 3))
    return pa.Array.from_buffers(pa.string(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(spelt)])


def _halves(values: Floats) -> tuple[Floats, Floats]:
    """Two numbers of half as many digits each, which together are the number."""
    large = values * (2.0**27 + 1)
    high = large - (large - values)
    return high, values - high


def joined(*pieces: pa.Array | str) -> list[str]:
    """Columns and words put together row by row."""
    found: list[str] = _row_by_row(*pieces).to_pylist()
    return found


def together(*pieces: pa.Array | str) -> tuple[str, Ints]:
    """The same as one text, and where each row begins in it, and it ends."""
    found = _row_by_row(*pieces)
    _, ends, text = found.buffers()
    edges = np.frombuffer(ends, np.int32)[found.offset : found.offset + len(found) + 1].astype(np.int64)
    made: bytes = text.to_pybytes()[edges[0] : edges[-1]]
    return made.decode("ascii"), edges - edges[0]


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

"""Plain boxes of a COCO file as columns, without a dict for each of a million of them.

A program writes its annotations one like the other: only the numbers differ. So what is left of the text without its
numbers is one pattern over and over, which a comparison of memory shows; and when everything but numbers and commas is
taken away, what is left is a table, which Arrow reads. Whatever is not exactly so is left to the reader of JSON.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

_FEWEST = 100  # annotations alike in a row; below, JSON is read as quickly
_LONGEST_REST = 64  # texts that are left to JSON before columns are tried again
_BOX, _IMAGE, _CATEGORY = "bbox", "image_id", "category_id"
_DECODER = json.JSONDecoder()
_KEY = re.compile(r"[A-Za-z_]+")
_LOWEST, _KINDS = ord("-"), 13  # numbers are made of these characters: -./0123456789
_OF_NUMBERS = bytes(range(_LOWEST, _LOWEST + _KINDS))
_TABLE = bytes.maketrans(b"}", b"\n")
_NOT_OF_A_TABLE = bytes(set(range(256)) - set(_OF_NUMBERS + b",}"))


class Columns(NamedTuple):
    """Plain boxes.

    Attributes:
        image, category: (n,) ids.
        xywh: (n, 4) as written.
    """

    image: npt.NDArray[np.int64]
    category: npt.NDArray[np.int64]
    xywh: npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Pattern:
    """One annotation.

    Attributes:
        text: it with what divides it from the next, less its numbers.
        places: (numbers,) where in that each number was.
        names: of its cells; a list of numbers is a cell for each, an empty list one without a number.
        empty: how many are such.
    """

    text: bytes
    places: npt.NDArray[np.int64]
    names: tuple[str, ...]
    empty: int


class Reader:
    """Reads annotations for as long as one is like the other."""

    def __init__(self) -> None:
        """Begin without a pattern."""
        self._pattern: _Pattern | None = None
        self._rest = self._longest = 0

    def __call__(self, text: str) -> tuple[Columns, int] | None:
        """The first annotations as columns, and how many characters they take; None where JSON has to read them.

        Args:
            text: of a list of objects, from the beginning of one to the end of one.
        """
        if self._rest:
            self._rest -= 1
            return None
        found = self._read(text) if text.isascii() else None
        self._longest = 0 if found else min(_LONGEST_REST, max(1, 2 * self._longest))
        self._rest = self._longest
        return found

    def _read(self, text: str) -> tuple[Columns, int] | None:
        data = text.encode("ascii")
        bare = data.translate(None, _OF_NUMBERS)
        if self._pattern is None or not bare.startswith(self._pattern.text):
            self._pattern = _pattern_of(text)
        if self._pattern is None:
            return None
        data = data[: _alike(data, bare, self._pattern.text)]
        rows = data.count(b"}")
        if rows < _FEWEST:
            return None
        columns = _columns_of(data, rows, self._pattern)
        return None if columns is None else (columns, len(data))


def _alike(data: bytes, bare: bytes, pattern: bytes) -> int:
    """How many bytes of the beginning are one annotation like the other, to the brace of the last of them."""
    whole = pattern * (len(bare) // len(pattern) + 1)
    if whole.startswith(bare):
        return len(data)
    differs = np.frombuffer(bare, np.uint8) != np.frombuffer(whole, np.uint8, len(bare))
    rows = int(differs.argmax()) // len(pattern)
    return int(np.flatnonzero(np.frombuffer(data, np.uint8) == ord("}"))[rows - 1]) + 1 if rows else 0


def _pattern_of(text: str) -> _Pattern | None:
    """What the first annotation is made of; None where that is more than a box, a class and other numbers."""
    try:
        first, end = _DECODER.raw_decode(text)
        divider = text[end : text.index("{", end)]
    except (ValueError, RecursionError):
        return None
    if not isinstance(first, dict) or not _plain(first) or text.count("}", 0, end) > 1 or divider.strip() != ",":
        return None
    names: list[str] = []
    for key, value in first.items():
        names += [f"{key} {n}" for n in range(max(1, len(value)))] if isinstance(value, list) else [key]
    data = (text[:end] + divider).encode("ascii")
    starts, ends = _numbers_in(np.frombuffer(data, np.uint8))
    empty = sum(value == [] for value in first.values())
    if len(starts) != len(names) - empty:  # an exponent
        return None
    return _Pattern(data.translate(None, _OF_NUMBERS), _places(starts, ends), tuple(names), empty)


def _plain(first: dict[str, Any]) -> bool:
    """Whether an annotation is a box with a class, and nothing but numbers and empty lists beside them."""
    box = first.get(_BOX)
    if not isinstance(box, list) or len(box) != 4 or first.get("segmentation") or "score" in first:
        return False
    if type(first.get(_IMAGE)) is not int or type(first.get(_CATEGORY)) is not int:
        return False
    values = [one for value in first.values() for one in (value if isinstance(value, list) else [value])]
    return all(type(value) in (int, float) for value in values) and all(map(_KEY.fullmatch, first))


def _columns_of(data: bytes, rows: int, pattern: _Pattern) -> Columns | None:
    """The table that is left when everything but numbers and commas is taken away, if that is all there is to it."""
    held = np.frombuffer(data, np.uint8)
    starts, ends = _numbers_in(held)
    if len(starts) != rows * len(pattern.places) or not _spelt(held, starts, ends):
        return None
    places = len(pattern.text) * np.arange(rows, dtype=np.int64)[:, None] + pattern.places
    if not np.array_equal(_places(starts, ends), places.ravel()):
        return None
    table = b"," + data.translate(_TABLE, _NOT_OF_A_TABLE)  # each line but the first has the comma before it anyhow
    kind = {name: pa.int64() if name in (_IMAGE, _CATEGORY) else pa.float64() for name in pattern.names}
    try:
        found = csv.read_csv(
            pa.BufferReader(table),
            csv.ReadOptions(use_threads=False, block_size=len(table) + 1, column_names=["", *pattern.names]),
            csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(column_types=kind, include_columns=list(kind), null_values=[""]),
        )
    except pa.ArrowInvalid:
        return None
    if found.num_rows != rows or sum(column.null_count for column in found.columns) != rows * pattern.empty:
        return None
    image, category = (_values(found[name], np.int64) for name in (_IMAGE, _CATEGORY))
    sides = [_values(found[f"{_BOX} {n}"], np.float64) for n in range(4)]
    return Columns(image, category, np.stack(sides, axis=1))


def _values(column: pa.ChunkedArray, kind: type[np.generic]) -> npt.NDArray[Any]:
    """A column without gaps; `to_numpy` would load pandas first, which takes 40 MB and a third of a second."""
    parts = [(one.buffers()[1], len(one), one.offset) for one in column.chunks]
    return np.concatenate([np.frombuffer(part, kind, n + start)[start:] for part, n, start in parts])


def _numbers_in(held: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where numbers begin in a text that neither begins nor ends with one, and where each ends."""
    inside = (held - np.uint8(_LOWEST)) < _KINDS
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    return edges[::2], edges[1::2]


def _places(starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where numbers begin when those before them are taken away."""
    found: npt.NDArray[np.int64] = starts - (np.cumsum(ends - starts) - (ends - starts))
    return found


def _spelt(held: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> bool:
    """Whether numbers are spelt as JSON spells them: without a needless 0, and with digits around every point.

    What else could be wrong with one is refused by whoever reads it.
    """
    first = starts + (held[starts] == ord("-"))
    digit, following = held[first], held[first + 1]
    return bool(
        (digit >= ord("0")).all()
        and (held[ends - 1] >= ord("0")).all()
        and not ((digit == ord("0")) & (following >= ord("0")) & (following <= ord("9"))).any()
    )

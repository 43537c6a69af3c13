"""YOLO: a text file for each picture, a line for each box or outline, in fractions of width and height."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from core.errors import BadInput, QuarantineReason, Unreadable
from core.records import Polygons, Region
from data.formats import columns, provenance
from data.formats.provenance import Entry, px
from data.formats.record import Problem, Reading, Record, box, polygon
from data.formats.sources import Folder, text_of, yaml_of

NAME = "yolo"
TITLE = "YOLO text files"
DECIMALS = 8  # of a fraction: a hundredth of a pixel on any picture
SPLITS = ("train", "val", "valid", "test")
_LISTS = ("classes.txt", "obj.names", "labels.txt", "names.txt")
_NOT_LABELS = frozenset({*_LISTS, "train.txt", "val.txt", "test.txt", "readme.txt", "requirements.txt", "notes.txt"})


def found(source: Path) -> bool:
    """Whether there is a class list, or a text file that goes with a picture."""
    if source.is_file():
        return source.suffix.lower() in (".yaml", ".yml") and bool(_yaml_names(source))
    folder = Folder(source)
    if any(_yaml_names(path) for path in folder.files({".yaml", ".yml"})):
        return True
    return any(_is_box_line(path) for path in _label_files(folder))


def read(source: Path) -> Reading:
    """Every picture below the source, with the boxes of its text file where it has one."""
    folder = Folder(source)
    names = _class_names(folder)
    pictures = list(folder.pictures())
    if not pictures:
        raise BadInput(f"No pictures below {source}: YOLO labels lie beside their pictures.")

    def entries() -> Iterator[Record | Problem]:
        known = provenance.beside(folder)
        unused = set(_label_files(folder))
        for path in pictures:
            label = _label_of(path)
            unused.discard(label)
            file = folder.relative(path)
            yield _entry(path, label, file, names, folder, known.get(file, {}))
        for label in sorted(unused):
            text = f"{label.name} has no picture beside it or in an images folder: copy the picture there."
            yield Problem(folder.relative(label), folder.relative(label), QuarantineReason.MISSING, text)

    return Reading(NAME, len(pictures), tuple((name, "") for name in names.values()), entries)


def write(entries: Iterable[Entry], classes: Sequence[tuple[str, str | None]]) -> Iterator[tuple[str, Iterable[str]]]:
    """The provenance, data.yaml, and a text file for each picture below labels/; entries are gone through once."""
    held = columns.Held(name for name, _ in classes)
    stems: list[str] = []
    sizes: list[tuple[int, int]] = []

    def passing() -> Iterator[Entry]:
        for some in columns.batches(entries):
            held.add(some)
            stems.extend(_stem(one.file) for one in some)
            sizes.extend((one.image.width, one.image.height) for one in some)
            yield from some

    table = provenance.table(passing())
    yield provenance.FILE, table
    deque(table, 0)  # whoever passed over that file gets the others all the same
    number = {name: n for n, name in enumerate(held.names())}
    yield "data.yaml", [_yaml(list(number))]
    for boxes in held.boxes(number):
        last = boxes.first + boxes.pictures
        texts = _texts(boxes, sizes[boxes.first : last], number)
        for stem, text in zip(stems[boxes.first : last], texts, strict=True):
            yield f"labels/{stem}.txt", [text]


def _texts(boxes: columns.Boxes, sizes: Sequence[tuple[int, int]], number: Mapping[str, int]) -> Iterator[str]:
    """The whole text of each picture's file.

    Args:
        boxes: of some pictures.
        sizes: (width, height) of each picture.
        number: of each class and name.
    """
    if not len(boxes.plain):
        yield from ("" for _ in sizes)
        return
    entry = boxes.entry - boxes.first
    whole = np.array(sizes, np.float64)[entry]
    first = boxes.xywh[:, :2]
    second = columns.rounded((first + boxes.xywh[:, 2:]).ravel()).reshape(-1, 2)
    middle, extent = (first + second) / 2 / whole, (second - first) / whole
    edges = np.searchsorted(entry, np.arange(len(sizes) + 1))
    usual = columns.fractions(np.hstack([middle, extent]), DECIMALS) if boxes.plain.all() else None
    if usual is not None:
        text, begins = columns.together(columns.whole(boxes.category), " ", usual)
        yield from (text[start:stop] for start, stop in pairwise(begins[edges].tolist()))
        return
    cells = [columns.fixed(np.ascontiguousarray(values), DECIMALS) for values in (*middle.T, *extent.T)]
    lines = columns.joined(
        columns.whole(boxes.category), " ", cells[0], " ", cells[1], " ", cells[2], " ", cells[3], "\n"
    )
    for place in np.flatnonzero(~boxes.plain).tolist():
        lines[place] = _line(boxes.region(place), sizes[int(entry[place])], number)
    yield from ("".join(lines[start:stop]) for start, stop in pairwise(edges.tolist()))


def _stem(file: str) -> str:
    """The name without its last ending, as pathlib has it; a Path each is slow."""
    name = file.rsplit("/", 1)[-1]
    dot = name.rfind(".")
    return name[:dot] if 0 < dot < len(name) - 1 else Path(file).with_suffix("").name


def _yaml(names: Sequence[str]) -> str:
    document = {"path": ".", "train": "images", "val": "images", "nc": len(names), "names": dict(enumerate(names))}
    return str(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))


def _line(region: Region, size: tuple[int, int], number: Mapping[str, int]) -> str:
    width, height = size
    x1, y1, x2, y2 = provenance.corners(region)
    values = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height]
    if isinstance(region.mask, Polygons) and len(region.mask.rings) == 1:
        ring = [px(value) for value in region.mask.rings[0]]
        if (min(ring[::2]), min(ring[1::2]), max(ring[::2]), max(ring[1::2])) == (x1, y1, x2, y2):
            values = [value / (height if i % 2 else width) for i, value in enumerate(ring)]
    name = region.class_id if region.class_id in number else region.name
    return " ".join([str(number[str(name)]), *(f"{value:.{DECIMALS}f}" for value in values)]) + "\n"


def _entry(
    path: Path, label: Path, file: str, names: Mapping[int, str], folder: Folder, known: Mapping[str, Any]
) -> Record | Problem:
    try:
        real = folder.checked(path)
        regions = tuple(_regions(folder.checked(label), names)) if label.is_file() else ()
    except Unreadable as problem:
        return Problem(file, file, problem.reason, str(problem))
    except BadInput as problem:
        return Problem(file, folder.relative(label), QuarantineReason.BAD_RECORD, str(problem), path)
    parts = [part.lower() for part in Path(file).parts[:-1]]
    split = next((part for part in reversed(parts) if part in SPLITS), None)
    return replace(Record(file, real, file, regions=regions, fractions=True, split=split), **known)


def _regions(label: Path, names: Mapping[int, str]) -> Iterator[Region]:
    for number, line in enumerate(text_of(label).splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield _region(line.split(), names)
        except (BadInput, ValueError) as error:
            raise BadInput(f"{label.name} line {number}: {error}") from error


def _region(cells: list[str], names: Mapping[int, str]) -> Region:
    index, values = int(cells[0]), [float(cell) for cell in cells[1:]]
    if names and index not in names:
        raise BadInput(f"Class {index} is not among the {len(names)} that are listed: add it to the list.")
    name = names.get(index, str(index))
    if len(values) in (4, 5):
        x, y, width, height = values[:4]
        region = box((x - width / 2, y - height / 2, x + width / 2, y + height / 2), name)
        return replace(region, score=provenance.probability(values[4])) if len(values) == 5 else region
    if len(values) < 6 or len(values) % 2:
        raise BadInput(f"{len(values)} numbers after the class: four make a box, six and more, in pairs, an outline.")
    return polygon((tuple(values),), name, None)


def _label_of(path: Path) -> Path:
    """The text file of a picture: in a labels folder beside images, or right beside it."""
    parts = list(path.with_suffix(".txt").parts)
    for i in range(len(parts) - 2, 0, -1):
        if parts[i].lower() == "images":
            other = Path(*parts[:i], "labels", *parts[i + 1 :])
            return other if other.is_file() or not path.with_suffix(".txt").is_file() else path.with_suffix(".txt")
    return path.with_suffix(".txt")


def _label_files(folder: Folder) -> Iterator[Path]:
    return (path for path in folder.files({".txt"}) if path.name.lower() not in _NOT_LABELS)


def _is_box_line(path: Path) -> bool:
    """Whether the first line of a text file is a class number and fractions."""
    with path.open("rb") as file:
        cells = file.readline(4096).split()
    try:
        int(cells[0])
        return len(cells) >= 5 and all(-0.5 <= float(cell) <= 1.5 for cell in cells[1:])
    except (ValueError, IndexError):
        return False


def _class_names(folder: Folder) -> dict[int, str]:
    for path in folder.files({".yaml", ".yml"}):
        if names := _yaml_names(path):
            return names
    for path in folder.files({".txt", ".names"}):
        if path.name.lower() in _LISTS:
            return dict(enumerate(line.strip() for line in text_of(path).splitlines() if line.strip()))
    return {}


def _yaml_names(path: Path) -> dict[int, str]:
    """The names in a data.yaml, as list or by number; empty where the file is something else."""
    try:
        document = yaml_of(path)
    except BadInput:
        return {}
    names = document.get("names") if isinstance(document, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return {}
    return {
        int(key): str(name)
        for key, name in names.items()
        if str(key).isdecimal() and isinstance(name, str | int | float) and str(name).strip()
    }

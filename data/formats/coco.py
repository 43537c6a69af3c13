"""COCO: one JSON file with images, annotations (boxes, outlines, run lengths) and categories.

What Holdpoint knows beyond that lies in a `holdpoint` object on images and annotations; other tools ignore it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import BadInput, QuarantineReason, Unreadable
from core.records import Polygons, Region, Rle
from data.formats import columns
from data.formats.coco_document import Document
from data.formats.provenance import Entry, facts_of, px
from data.formats.record import Problem, Reading, Record
from data.formats.runs import area_of
from data.formats.sources import Folder

NAME = "coco"
TITLE = "COCO JSON"
FILE = "annotations.json"
SPLITS = ("train", "val", "valid", "validation", "test")
_PEEK = 1 << 20


def found(source: Path) -> bool:
    """Whether a JSON file here looks like COCO."""
    return bool(_label_files(source))


def read(source: Path) -> Reading:
    """Every image of every COCO file below the source."""
    files = _label_files(source)
    if not files:
        raise BadInput(f"No COCO file in {source}: a JSON file with 'images' and 'annotations' is needed.")
    folder = Folder(source)
    documents = [Document(path) for path in files]
    declared = tuple(dict.fromkeys((name, "") for document in documents for name in document.names.values()))
    total = sum(len(document.images) for document in documents)

    def entries() -> Iterator[Record | Problem]:
        for document in documents:
            yield from _records(document, folder)

    return Reading(NAME, total, declared, entries)


def write(entries: Iterable[Entry], classes: Sequence[tuple[str, str | None]]) -> Iterator[tuple[str, Iterable[str]]]:
    """The files of an export: (path below its folder, pieces of text).

    Args:
        entries: in the order of the export; gone through once, so that nobody has to hold them.
        classes: (id, parent) of every class, in the taxonomy's order; names that are unmapped follow by themselves.
    """
    yield FILE, _pieces(entries, classes)


def _pieces(entries: Iterable[Entry], classes: Sequence[tuple[str, str | None]]) -> Iterator[str]:
    known = dict(classes)
    held = columns.Held(known)
    yield '{\n"info": {"description": "Holdpoint labels", "version": "1"},\n"images": [\n'
    count = 0
    for some in columns.batches(entries):
        yield ("" if count == 0 else ",\n") + _images(some, count + 1)
        held.add(some)
        count += len(some)
    number = {name: n for n, name in enumerate(held.names(), 1)}
    yield '\n],\n"annotations": [\n'
    count = 0
    for boxes in held.boxes(number):
        if len(boxes.plain):
            yield ("" if count == 0 else ",\n") + _annotations(boxes, number, count + 1)
        count += len(boxes.plain)
    yield '\n],\n"categories": [\n'
    yield ",\n".join(
        _dumped(
            {
                "id": number[name],
                "name": name,
                "supercategory": known.get(name) or ("" if name in known else "unmapped"),
            }
        )
        for name in number
    )
    yield "\n]\n}\n"


def _images(entries: Sequence[Entry], count: int) -> str:
    """A line for each picture, numbered from `count`."""
    listed = _dumped(
        [
            {"id": n, "file_name": one.file, "width": one.image.width, "height": one.image.height,
             "holdpoint": one.facts}
            for n, one in enumerate(entries, count)
        ]
    )  # fmt: skip
    # All at once takes half the time. Inside of a text a quote has a backslash before it, so none is broken here.
    return listed[1:-1].replace('}, {"id": ', '},\n{"id": ')


def _annotations(boxes: columns.Boxes, number: Mapping[str, int], count: int) -> str:
    """A line for each box of some pictures, numbered from `count`."""
    n, (width, height) = len(boxes.plain), boxes.xywh.T[2:]
    area = columns.rounded(np.where(np.isfinite(width * height), width * height, 0.0))
    ids, images = count + np.arange(n), 1 + boxes.entry
    counted = columns.whole(np.concatenate([ids, images, boxes.category]))
    measured = columns.spelt(np.concatenate([*boxes.xywh.T, area]))
    number_of, image_of, category_of = (counted.slice(start, n) for start in range(0, 3 * n, n))
    left, top, wide, high, filled = (measured.slice(start, n) for start in range(0, 5 * n, n))
    pieces = (
        '{"id": ', number_of, ', "image_id": ', image_of, ', "category_id": ', category_of, ', "bbox": [', left, ", ",
        top, ", ", wide, ", ", high, '], "area": ', filled, ', "segmentation": [], "iscrowd": 0}',
    )  # fmt: skip
    if boxes.plain.all():
        return columns.together(*pieces, ",\n")[0].removesuffix(",\n")
    lines = columns.joined(*pieces)
    for place in np.flatnonzero(~boxes.plain).tolist():
        lines[place] = _dumped(_annotation(int(ids[place]), int(images[place]), boxes.region(place), number))
    return ",\n".join(lines)


def _annotation(count: int, image: int, region: Region, number: Mapping[str, int]) -> dict[str, Any]:
    category = region.class_id if region.class_id in number else region.name
    segmentation, area = _segmentation(region)
    own = {
        **({"name": region.name} if region.name != category else {}),
        **({"severity": str(region.severity)} if region.severity else {}),
        **({"score": round(region.score, 6)} if region.score is not None else {}),
    }
    return {
        "id": count,
        "image_id": image,
        "category_id": number[str(category)],
        "bbox": [px(region.x), px(region.y), px(region.width), px(region.height)],
        "area": area,
        "segmentation": segmentation,
        "iscrowd": int(isinstance(region.mask, Rle)),
        **({"holdpoint": own} if own else {}),
    }


def _segmentation(region: Region) -> tuple[Any, float]:
    if isinstance(region.mask, Rle):
        return {"size": list(region.mask.size_hw), "counts": list(region.mask.counts)}, area_of(region.mask)
    if isinstance(region.mask, Polygons):
        rings = [[px(value) for value in ring] for ring in region.mask.rings]
        return rings, px(sum(_ring_area(ring) for ring in rings))
    return [], px(px(region.width) * px(region.height))


def _ring_area(ring: Sequence[float]) -> float:
    xs, ys = ring[::2], ring[1::2]
    return abs(sum(xs[i - 1] * ys[i] - xs[i] * ys[i - 1] for i in range(len(xs)))) / 2


# Made once: json.dumps makes one for each call.
_dumped = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False).encode


def _label_files(source: Path) -> list[Path]:
    if source.is_file():
        return [source] if source.suffix.lower() == ".json" and _looks_like_coco(source) else []
    return [path for path in Folder(source).files({".json"}) if _looks_like_coco(path)]


def _looks_like_coco(path: Path) -> bool:
    """Judged by its beginning and end: large files are not read twice."""
    with path.open("rb") as file:
        head = file.read(_PEEK)
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _PEEK))
        ends = head + file.read(_PEEK)
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and all(
        key in ends for key in (b'"images"', b'"annotations"' if b'"annotations"' in ends else b'"categories"')
    )


def _records(document: Document, folder: Folder) -> Iterator[Record | Problem]:
    path, unused = document.path, dict.fromkeys(document.keys)
    split = next((word for word in SPLITS if word in path.stem.lower() or word == path.parent.name.lower()), None)
    bases = _bases(path, folder, split)
    for number, listed in enumerate(document.images, 1):
        where = f"{path.name} image {number}"
        file = str(listed.get("file_name", "")) if isinstance(listed, dict) else ""
        try:
            key = listed.get("id") if isinstance(listed, dict) else None
            if not isinstance(key, int | str):
                raise BadInput(f"{where} has no id: every image needs one.")
            regions: tuple[Region, ...] = ()
            if key in unused:
                del unused[key]
                regions = document.regions(key)
            yield _record(listed, regions, where, _located(file, folder, bases), split)
        except Unreadable as problem:
            yield Problem(file, where, problem.reason, str(problem))
        except BadInput as problem:
            yield Problem(file, where, QuarantineReason.BAD_RECORD, str(problem))
    for key in unused:
        text = f"{document.count(key)} annotations name image {key!r}, which is not listed: export the file again."
        yield Problem(str(key), f"{path.name} annotations", QuarantineReason.BAD_RECORD, text)


def _bases(path: Path, folder: Folder, split: str | None) -> list[Path]:
    places = [path.parent, folder.root]
    years = path.stem.removeprefix("instances_")
    for place in (path.parent, path.parent.parent, folder.root):
        places += [place / "images", place / years, place / "images" / years, place / (split or "images")]
    there = (place for place in dict.fromkeys(places) if place.is_dir())  # looking where nothing lies takes as long
    return [place for place in there if place.resolve().is_relative_to(folder.root)]


def _located(file: str, folder: Folder, bases: Sequence[Path]) -> Path:
    try:
        return folder.inside(file, *bases)
    except Unreadable as problem:
        if problem.reason is QuarantineReason.MISSING and (only := folder.named(file)):
            return folder.checked(only)
        raise


def _record(
    listed: Mapping[str, Any],
    regions: tuple[Region, ...],
    where: str,
    path: Path,
    split: str | None,
) -> Record:
    width, height = listed.get("width"), listed.get("height")
    size = (width, height) if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0 else None
    own = listed.get("holdpoint")
    return Record(
        file=str(listed["file_name"]),
        path=path,
        where=where,
        regions=regions,
        listed_size=size,
        **({"split": split} | facts_of(own) if isinstance(own, dict) else {"split": split}),
    )

"""COCO: one JSON file with images, annotations (boxes, outlines, run lengths) and categories.

What Holdpoint knows beyond that lies in a `holdpoint` object on images and annotations; other tools ignore it.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import BadInput, QuarantineReason, Unreadable
from core.records import Polygons, Region, Rle, Severity
from data.formats.provenance import Entry, facts_of, px, region_order
from data.formats.record import Problem, Reading, Record, box, polygon
from data.formats.runs import area_of, bounds_of, counts_of
from data.formats.sources import Folder, json_of

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
    documents = [(path, _document(path)) for path in files]
    declared = tuple(dict.fromkeys((name, "") for _, document in documents for name in _categories(document).values()))
    total = sum(len(document["images"]) for _, document in documents)

    def entries() -> Iterator[Record | Problem]:
        for path, document in documents:
            yield from _records(path, document, folder)

    return Reading(NAME, total, declared, entries)


def write(entries: Sequence[Entry], classes: Sequence[tuple[str, str | None]]) -> Iterator[tuple[str, Iterable[str]]]:
    """The files of an export: (path below its folder, pieces of text).

    Args:
        entries: in the order of the export.
        classes: (id, parent) of every class, in the taxonomy's order; names that are unmapped follow by themselves.
    """
    yield FILE, _pieces(entries, classes)


def _pieces(entries: Sequence[Entry], classes: Sequence[tuple[str, str | None]]) -> Iterator[str]:
    known = dict(classes)
    strange = {region.name for entry in entries for region in entry.label.regions if region.class_id not in known}
    names = [*known, *sorted(strange - set(known))]
    number = {name: n for n, name in enumerate(names, 1)}
    yield '{\n"info": {"description": "Holdpoint labels", "version": "1"},\n"images": [\n'
    for n, entry in enumerate(entries, 1):
        yield ("" if n == 1 else ",\n") + _dumped(
            {
                "id": n,
                "file_name": entry.file,
                "width": entry.image.width,
                "height": entry.image.height,
                "holdpoint": entry.facts,
            }
        )
    yield '\n],\n"annotations": [\n'
    count = 0
    for n, entry in enumerate(entries, 1):
        for region in sorted(entry.label.regions, key=region_order(number)):
            count += 1
            yield ("" if count == 1 else ",\n") + _dumped(_annotation(count, n, region, number))
    yield '\n],\n"categories": [\n'
    yield ",\n".join(
        _dumped(
            {
                "id": number[name],
                "name": name,
                "supercategory": known.get(name) or ("" if name in known else "unmapped"),
            }
        )
        for name in names
    )
    yield "\n]\n}\n"


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


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


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


def _document(path: Path) -> dict[str, Any]:
    document = json_of(path)
    if not isinstance(document, dict) or not isinstance(document.get("images"), list):
        raise BadInput(f"{path.name} has no list of images: it is not COCO.")
    if not isinstance(document.setdefault("annotations", []), list):
        raise BadInput(f"'annotations' in {path.name} is not a list: it is not COCO.")
    return document


def _categories(document: Mapping[str, Any]) -> dict[Any, str]:
    """Category id to name; a category without a name keeps its id."""
    listed = document.get("categories") or []
    if not isinstance(listed, list):
        raise BadInput("'categories' is not a list: it is not COCO.")
    return {
        entry["id"]: str(entry.get("name") or entry["id"])
        for entry in listed
        if isinstance(entry, dict) and isinstance(entry.get("id"), int | str)
    }


def _records(path: Path, document: Mapping[str, Any], folder: Folder) -> Iterator[Record | Problem]:
    names = _categories(document)
    by_image: dict[Any, list[Any]] = {}
    for annotation in document["annotations"]:
        key = annotation.get("image_id") if isinstance(annotation, dict) else None
        by_image.setdefault(key if isinstance(key, int | str) else None, []).append(annotation)
    split = next((word for word in SPLITS if word in path.stem.lower() or word == path.parent.name.lower()), None)
    bases = _bases(path, folder, split)
    for number, listed in enumerate(document["images"], 1):
        where = f"{path.name} image {number}"
        file = str(listed.get("file_name", "")) if isinstance(listed, dict) else ""
        try:
            key = listed.get("id") if isinstance(listed, dict) else None
            if not isinstance(key, int | str):
                raise BadInput(f"{where} has no id: every image needs one.")
            yield _record(listed, by_image.pop(key, []), names, where, _located(file, folder, bases), split)
        except Unreadable as problem:
            yield Problem(file, where, problem.reason, str(problem))
        except BadInput as problem:
            yield Problem(file, where, QuarantineReason.BAD_RECORD, str(problem))
    for key, orphans in by_image.items():
        text = f"{len(orphans)} annotations name image {key!r}, which is not listed: export the file again."
        yield Problem(str(key), f"{path.name} annotations", QuarantineReason.BAD_RECORD, text)


def _bases(path: Path, folder: Folder, split: str | None) -> list[Path]:
    places = [path.parent, folder.root]
    years = path.stem.removeprefix("instances_")
    for place in (path.parent, path.parent.parent, folder.root):
        places += [place / "images", place / years, place / "images" / years, place / (split or "images")]
    return [place for place in dict.fromkeys(places) if place.resolve().is_relative_to(folder.root)]


def _located(file: str, folder: Folder, bases: Sequence[Path]) -> Path:
    try:
        return folder.inside(file, *bases)
    except Unreadable as problem:
        if problem.reason is QuarantineReason.MISSING and (only := folder.named(file)):
            return folder.checked(only)
        raise


def _record(
    listed: Mapping[str, Any],
    annotations: Sequence[Any],
    names: Mapping[Any, str],
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
        regions=tuple(_region(annotation, names) for annotation in annotations),
        listed_size=size,
        **({"split": split} | facts_of(own) if isinstance(own, dict) else {"split": split}),
    )


def _region(annotation: Any, names: Mapping[Any, str]) -> Region:
    key = annotation.get("category_id")
    if key not in names:
        raise BadInput(f"Annotation {annotation.get('id')} has category {key!r}, which is not listed: list it.")
    own = annotation.get("holdpoint")
    own = own if isinstance(own, dict) else {}
    region = _shape(annotation, names[key])
    severity, score = own.get("severity"), own.get("score", annotation.get("score"))
    try:
        return Region(
            region.x,
            region.y,
            region.width,
            region.height,
            name=str(own.get("name") or region.name)[:200],
            class_id=region.name if own.get("name") else None,  # the category, where the name as given is another
            severity=Severity(severity) if severity else None,
            score=None if score is None else _number(score),
            mask=region.mask,
        )
    except ValueError as error:
        raise BadInput(f"Annotation {annotation.get('id')}: {error}.") from error


def _shape(annotation: Mapping[str, Any], name: str) -> Region:
    given, outline = annotation.get("bbox"), annotation.get("segmentation")
    corners = None
    if given:
        if not isinstance(given, list) or len(given) != 4:
            raise BadInput(f"Annotation {annotation.get('id')} has box {given!r}: x, y, width, height are needed.")
        x, y, width, height = (_number(value) for value in given)
        corners = (x, y, x + width, y + height)
    if isinstance(outline, dict):
        mask = _rle(outline)
        region = box(corners or bounds_of(mask), name)
        return _exact(Region(region.x, region.y, region.width, region.height, region.name, mask=mask), given)
    if isinstance(outline, list) and outline:
        rings = outline if isinstance(outline[0], list) else [outline]
        if not all(isinstance(ring, list) for ring in rings):
            raise BadInput(f"Annotation {annotation.get('id')} has an outline that is no list of rings.")
        return _exact(polygon(tuple(tuple(_number(value) for value in ring) for ring in rings), name, corners), given)
    if corners is None:
        raise BadInput(f"Annotation {annotation.get('id')} has neither box nor outline: draw one.")
    return _exact(box(corners, name), given)


def _exact(region: Region, given: Any) -> Region:
    """Width and height as written, not as the difference of two sums."""
    if not given:
        return region
    return Region(region.x, region.y, float(given[2]), float(given[3]), region.name, mask=region.mask)


def _rle(outline: Mapping[str, Any]) -> Rle:
    size, counts = outline.get("size"), outline.get("counts")
    if (
        not isinstance(size, list)
        or len(size) != 2
        or not all(isinstance(side, int) and 0 < side < 1 << 20 for side in size)
    ):
        raise BadInput(f"A mask has size {size!r}: height and width are needed.")
    if isinstance(counts, str):
        runs = counts_of(counts)
    elif isinstance(counts, list) and all(isinstance(count, int) and count >= 0 for count in counts):
        runs = tuple(counts)
    else:
        raise BadInput("A mask needs run lengths, as a list or as COCO's text.")
    if sum(runs) != size[0] * size[1]:
        raise BadInput(f"Run lengths add up to {sum(runs)}, the picture has {size[0] * size[1]} pixels.")
    return Rle((size[0], size[1]), runs)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(f"{value!r} is not a finite number: mend the record.")
    return float(value)

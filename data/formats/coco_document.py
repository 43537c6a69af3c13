"""What a COCO file says, read: images as they are listed, boxes in columns, everything odd as it was written."""

import math
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.pictures.masks import bounds_of
from core.records import Region, Rle, Severity, quick_region
from data.formats.coco_columns import Columns, Reader
from data.formats.json_pieces import members
from data.formats.record import MAX_SIDE, box, polygon
from data.formats.runs import counts_of
from data.formats.sources import MAX_JSON_BYTES, json_of

_KEYS = frozenset({int, str})
_NUMBERS = frozenset({int, float})
_LISTS = frozenset({list})


class Document:
    """One COCO file. Plain boxes lie in columns: a dict for each of a million would take a gigabyte.

    Attributes:
        images: as listed.
        names: category id to name.
        keys: image ids that annotations name, in the order in which they come; None stands for no usable id.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        document, annotations = _in_pieces(path) or _whole(path)
        self.images: list[Any] = document["images"]
        self.names = _categories(document)
        self.keys: tuple[Any, ...] = tuple(annotations.images)
        self._numbers = annotations.images
        self._odd = annotations.odd
        images = np.frombuffer(annotations.image, np.int64)
        self._order = np.argsort(images, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(images, minlength=len(self.keys)))])
        self._xywh = np.frombuffer(annotations.xywh, np.float64).reshape(-1, 4)[self._order]
        self._category = np.frombuffer(annotations.category, np.int64)[self._order]
        self._categories = list(annotations.categories)
        self._named = [self.names.get(category, "").strip()[:200] for category in self._categories]

    def count(self, key: Any) -> int:
        """How many annotations name an image."""
        number = self._numbers[key]
        return int(self._starts[number + 1] - self._starts[number]) + len(self._odd.get(number, ()))

    def regions(self, key: Any) -> tuple[Region, ...]:
        """The annotations of one image.

        Raises:
            BadInput: for one that cannot be used.
        """
        number = self._numbers[key]
        odd = self._odd.get(number, ())
        start, stop = int(self._starts[number]), int(self._starts[number + 1])
        if not odd:
            return self._plain(start, stop)
        found: list[Region] = []
        plain = self._order[start:stop]
        for before, annotation in odd:
            middle = start + int(np.searchsorted(plain, before))
            first, start, plain = start, middle, plain[middle - start :]
            found += self._plain(first, middle)
            found.append(_region(annotation, self.names))
        return (*found, *self._plain(start, stop))

    def _plain(self, start: int, stop: int) -> tuple[Region, ...]:
        names = [self._named[number] for number in self._category[start:stop].tolist()]
        if not all(names):
            key = self._categories[int(self._category[start + names.index("")])]
            if key not in self.names:
                raise BadInput(f"An annotation has category {key!r}, which is not listed: list it.")
            raise BadInput(f"Category {key!r} has no name: name it.")
        return tuple(map(quick_region, *self._xywh[start:stop].T.tolist(), names)) if names else ()


class _Annotations:
    """Annotations as they are read: plain boxes in columns, the others as they are written.

    Attributes:
        xywh, image, category: of the plain boxes; images and categories by their number among those below.
        images, categories: the ids and their numbers.
        odd: for each image number the other annotations, each with how many plain boxes came before it.
    """

    def __init__(self) -> None:
        self.xywh, self.image, self.category = array("d"), array("q"), array("q")
        self.images: dict[Any, int] = {}
        self.categories: dict[Any, int] = {}
        self.odd: dict[int, list[tuple[int, Any]]] = defaultdict(list)

    def add(self, some: Sequence[Any]) -> None:
        """The next ones: all at once where all of them are plain boxes."""
        if not some or self._columns(some):
            return
        for one in some:
            if isinstance(one, dict) and _is_plain(one):
                self.xywh.extend(one["bbox"])
                self._name([one["image_id"]], [one["category_id"]])
                continue
            key = one.get("image_id") if isinstance(one, dict) else None
            key = key if isinstance(key, int | str) else None
            self.odd[self.images.setdefault(key, len(self.images))].append((len(self.image), one))

    def add_columns(self, some: Columns) -> None:
        """The next ones, which are plain but for their sides."""
        sound = _sound(some.xywh)
        if sound.all():
            self.xywh.frombytes(np.ascontiguousarray(some.xywh).tobytes())
            self.image.frombytes(_numbered(some.image, self.images).tobytes())
            self.category.frombytes(_numbered(some.category, self.categories).tobytes())
            return
        for place in range(len(sound)):
            self.add([{"image_id": int(some.image[place]), "category_id": int(some.category[place]),
                       "bbox": some.xywh[place].tolist()}])  # fmt: skip

    def _columns(self, some: Sequence[Any]) -> bool:
        """Take them in if all of them are plain, and nothing otherwise."""
        try:
            given = [one["bbox"] for one in some]
            images, categories = [one["image_id"] for one in some], [one["category_id"] for one in some]
            more = any(one.get("segmentation") or "holdpoint" in one or "score" in one for one in some)
        except (KeyError, TypeError, AttributeError):
            return False
        if more or not (_LISTS.issuperset(map(type, given)) and set(map(len, given)) == {4}):
            return False
        values = list(chain.from_iterable(given))
        if not (_NUMBERS.issuperset(map(type, values)) and _KEYS.issuperset(map(type, chain(images, categories)))):
            return False
        try:
            xywh = np.array(values, np.float64).reshape(-1, 4)
        except OverflowError:
            return False
        if not _sound(xywh).all():
            return False
        self.xywh.frombytes(xywh.tobytes())
        self._name(images, categories)
        return True

    def _name(self, images: Sequence[Any], categories: Sequence[Any]) -> None:
        known = self.images
        self.image.extend([known.setdefault(key, len(known)) for key in images])
        known = self.categories
        self.category.extend([known.setdefault(key, len(known)) for key in categories])


def _sound(xywh: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """(n,) which boxes have sides that can be."""
    near = xywh[:, :2]
    with np.errstate(over="ignore", invalid="ignore"):
        far = near + xywh[:, 2:]
    return np.asarray(((near >= -MAX_SIDE) & (far > near) & (far <= MAX_SIDE)).all(axis=1))  # never true of NaN


def _numbered(keys: npt.NDArray[np.int64], known: dict[Any, int]) -> npt.NDArray[np.int64]:
    """(n,) the number of each key; new ones get the next numbers in the order in which they come."""
    unique, first, which = np.unique(keys, return_index=True, return_inverse=True)
    numbers = np.empty(len(unique), np.int64)
    for place in np.argsort(first).tolist():
        numbers[place] = known.setdefault(int(unique[place]), len(known))
    return numbers[which]


def _is_plain(found: Mapping[str, Any]) -> bool:
    """Whether an annotation is a box with a class and nothing else."""
    try:
        image, category = found["image_id"], found["category_id"]
        x, y, width, height = found["bbox"]
    except (KeyError, TypeError, ValueError):
        return False
    if (
        type(image) not in _KEYS
        or type(category) not in _KEYS
        or not _NUMBERS.issuperset(map(type, (x, y, width, height)))
        or found.get("segmentation")
        or "holdpoint" in found
        or "score" in found
    ):
        return False
    # Beyond these the long way says what is wrong; a comparison with NaN is never true.
    return bool(-MAX_SIDE <= x < x + width <= MAX_SIDE and -MAX_SIDE <= y < y + height <= MAX_SIDE)


def _in_pieces(path: Path) -> tuple[dict[str, Any], _Annotations] | None:
    """The document without its annotations, and those; None where it has to be read whole to say what is wrong."""
    if path.stat().st_size > MAX_JSON_BYTES:
        return None
    document: dict[str, Any] = {}
    annotations = _Annotations()
    try:
        for key, value, listed in members(path, {"annotations": Reader()}):
            if isinstance(value, Columns):
                document[key] = []
                annotations.add_columns(value)
            elif not listed:
                document[key] = value
            elif key == "annotations":
                document[key] = []
                annotations.add(value)
            else:
                document.setdefault(key, []).extend(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document.get("images"), list) or not isinstance(document.get("annotations", []), list):
        return None
    return document, annotations


def _whole(path: Path) -> tuple[dict[str, Any], _Annotations]:
    document = json_of(path)
    if not isinstance(document, dict) or not isinstance(document.get("images"), list):
        raise BadInput(f"{path.name} has no list of images: it is not COCO.")
    if not isinstance(document.setdefault("annotations", []), list):
        raise BadInput(f"'annotations' in {path.name} is not a list: it is not COCO.")
    annotations = _Annotations()
    annotations.add(document.pop("annotations"))
    return document, annotations


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

"""Mask folders: pictures with a black and white picture of each defect, as in MVTec AD or in image and mask pairs.

ground_truth/<class>/<stem>_mask.png goes with a picture of that stem; masks/<stem>.png with images/<stem>.*;
<stem>_mask.png or <stem>.png lies beside <stem>.jpg. The connected parts of a mask are its regions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.errors import BadInput, Unreadable
from core.taxonomy import is_good
from data.formats import provenance
from data.formats.provenance import Entry
from data.formats.record import MaskFile, Problem, Reading, Record
from data.formats.runs import layers
from data.formats.sources import Folder

NAME = "masks"
TITLE = "mask folders"
_TRUTH = ("ground_truth", "masks", "mask", "gt", "annotations_png")
_PICTURES = ("images", "image", "imgs", "img", "test", "train", "val", "rgb", "data")
_SPLITS = ("train", "val", "valid", "validation", "test")
_ENDINGS = ("_mask", "_label", "_gt", "-mask", "_seg")


def found(source: Path) -> bool:
    """Whether a picture here has a mask."""
    if source.is_file():
        return False
    folder = Folder(source)
    return any(True for _ in _pairs(folder))


def read(source: Path) -> Reading:
    """Every picture below the source with its masks; a folder named good is evidence."""
    if source.is_file():
        raise BadInput(f"{source.name} is a file: mask folders are read from the folder that holds pictures and masks.")
    folder = Folder(source)
    masks: dict[Path, list[tuple[Path, str]]] = {}
    is_mask = set()
    for picture, mask, name in _pairs(folder):
        masks.setdefault(picture, []).append((mask, name))
        is_mask.add(mask)
    pictures = [path for path in folder.pictures() if path not in is_mask and not _in_truth(path, folder)]
    if not pictures:
        raise BadInput(
            f"No pictures below {source}: their masks lie in ground_truth/<class> or masks, named as they are."
        )

    def entries() -> Iterator[Record | Problem]:
        known = provenance.beside(folder)
        for path in pictures:
            file = folder.relative(path)
            yield _entry(path, file, masks.get(path, []), folder, known.get(file, {}))

    return Reading(NAME, len(pictures), (), entries)


def write(
    entries: Iterable[Entry], classes: Sequence[tuple[str, str | None]]
) -> Iterator[tuple[str, Iterable[str] | Iterable[bytes]]]:
    """The provenance, and ground_truth/<class>/<stem>_mask.png, with a second file where two regions touch.

    Entries are gone through twice.
    """
    yield provenance.FILE, provenance.table(entries)
    known = {name for name, _ in classes}
    for entry in entries:
        names = [str(r.class_id) if r.class_id in known else r.name for r in entry.label.regions]
        for name in sorted(set(names)):
            regions = [region for region, own in zip(entry.label.regions, names, strict=True) if own == name]
            regions.sort(key=lambda region: (region.y, region.x, region.height, region.width))
            for number, mask in enumerate(layers(regions, entry.image.width, entry.image.height), 1):
                ending = "_mask.png" if number == 1 else f"_mask_{number}.png"
                stem = Path(entry.file).stem
                yield f"ground_truth/{folder_name(name)}/{stem}{ending}", [png(mask)]


def png(mask: np.typing.NDArray[np.bool_]) -> bytes:
    """A mask as a black and white PNG file."""
    _, data = cv2.imencode(".png", mask.astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1])
    return bytes(data)


def folder_name(name: str) -> str:
    """A class name that is safe as the name of a folder."""
    kept = "".join(c if c.isalnum() or c in " -_.()" else "_" for c in name).strip(" .")
    return kept[:100] or "_"


def _entry(
    path: Path, file: str, masks: Sequence[tuple[Path, str]], folder: Folder, known: Mapping[str, Any]
) -> Record | Problem:
    parts = Path(file).parts[:-1]
    label = next((part for part in reversed(parts) if part.lower() not in (*_PICTURES, *_SPLITS)), "")
    last = parts[-1] if parts else ""
    # In test/broken/x.png of MVTec's layout the folder says what the picture shows, also where a mask is missing.
    named = bool(label) and label == last and len(parts) > 1 and parts[-2].lower() in _SPLITS and not is_good(last)
    try:
        record = Record(
            file,
            folder.checked(path),
            file,
            masks=tuple(MaskFile(folder.checked(mask), name) for mask, name in masks),
            names=(label,) if named and not masks else (),
            good=not masks and is_good(last),
            split=next((part for part in parts if part.lower() in _SPLITS), None),
            part_type=_part_type(parts, label),
        )
    except Unreadable as problem:
        return Problem(file, file, problem.reason, str(problem))
    return replace(record, **known) if known else record


def _part_type(parts: Sequence[str], label: str) -> str | None:
    """In bottle/test/broken/x.png it is the bottle."""
    split = next((i for i, part in enumerate(parts) if part.lower() in _SPLITS), 0)
    above = parts[split - 1] if split else ""
    return above if above and above != label else None


def _pairs(folder: Folder) -> Iterator[tuple[Path, Path, str]]:
    """(picture, mask, class name) in order of the mask's path."""
    files = list(folder.pictures())
    by_folder: dict[Path, dict[str, list[Path]]] = {}
    for path in files:
        by_folder.setdefault(path.parent, {}).setdefault(path.stem, []).append(path)
    plain = {path for path in files if not _in_truth(path, folder)}
    by_stem: dict[str, list[Path]] = {}
    for path in sorted(plain):
        by_stem.setdefault(path.stem, []).append(path)
    for path in files:
        if path in plain:
            yield from _beside(path, by_folder[path.parent], folder)
        elif picture := _picture_of(path, by_stem, folder):
            yield picture, path, _class_of(path, picture, folder)


def _in_truth(path: Path, folder: Folder) -> bool:
    return _truth_of(path, folder) is not None


def _truth_of(path: Path, folder: Folder) -> int | None:
    """Which part of the path is the folder of masks."""
    parts = path.relative_to(folder.root).parts[:-1]
    return next((i for i in range(len(parts) - 1, -1, -1) if parts[i].lower() in _TRUTH), None)


def _beside(path: Path, stems: Mapping[str, list[Path]], folder: Folder) -> Iterator[tuple[Path, Path, str]]:
    """A mask in the same folder: x_mask.png beside x.png, or x.png beside x.jpg."""
    if path.suffix.lower() != ".png":
        return
    stem = _bare_stem(path.stem)
    others = [
        other
        for other in stems.get(stem, [])
        if other != path and (stem != path.stem or other.suffix.lower() != ".png")
    ]
    if len(others) == 1:
        yield others[0], path, _class_of(path, others[0], folder)


def _picture_of(mask: Path, by_stem: Mapping[str, list[Path]], folder: Folder) -> Path | None:
    """The picture of a mask in a folder of masks: the one whose path is otherwise most alike."""
    at = _truth_of(mask, folder) or 0
    parts = mask.relative_to(folder.root).parts
    above, below = parts[:at], parts[at + 1 : -1]
    candidates = by_stem.get(mask.stem, []) or by_stem.get(_bare_stem(mask.stem), [])
    near = [path for path in candidates if path.relative_to(folder.root).parts[: len(above)] == above]
    ranked = sorted(
        near, key=lambda path: (-_shared(path.relative_to(folder.root).parts[len(above) : -1], below), path)
    )
    if len(ranked) > 1 and below:
        best = _shared(ranked[0].relative_to(folder.root).parts[len(above) : -1], below)
        if best == _shared(ranked[1].relative_to(folder.root).parts[len(above) : -1], below):
            return None
    return ranked[0] if ranked else None


def _shared(parts: Sequence[str], below: Sequence[str]) -> int:
    return sum(a == b for a, b in zip(reversed(parts), reversed(below), strict=False))


def _bare_stem(stem: str) -> str:
    """Without _mask or _mask_2 at its end."""
    head, _, tail = stem.rpartition("_")
    stem = head if tail.isdecimal() and head.endswith(_ENDINGS) else stem
    return next((stem.removesuffix(ending) for ending in _ENDINGS if stem.endswith(ending)), stem)


def _class_of(mask: Path, picture: Path, folder: Folder) -> str:
    """The folder below the folder of masks, else the picture's own, else only 'defect'."""
    at = _truth_of(mask, folder)
    parts = mask.relative_to(folder.root).parts[:-1]
    below = [part for part in (parts[at + 1 :] if at is not None else ()) if part.lower() not in _SPLITS]
    if below:
        return below[-1]
    own = picture.relative_to(folder.root).parts[:-1]
    plain = [part for part in own if part.lower() not in (*_PICTURES, *_SPLITS) and not is_good(part)]
    return plain[-1] if plain else "defect"

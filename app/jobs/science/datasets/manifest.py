"""The manifest of a dataset: one JSON document, hashed, the same bytes for the same labels, name and seed."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.settings import Settings
from core.errors import BadInput, Conflict, NotFound
from core.plant import LabelledImage
from core.records import Polygons, Region, Rle
from data.formats.files import write_file

if TYPE_CHECKING:
    from data.store import Store

VERSION = 2  # 1 knew neither camera, order, time, weight nor repeat; it is read all the same
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PIECE = 2000  # items encoded together


def check_name(name: str) -> None:
    """Refuse a name that could leave the folder.

    Raises:
        BadInput: saying which letters may be used.
    """
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} cannot name a dataset: use letters, digits, dots, dashes and underscores.")


def manifest_path(settings: Settings, name: str) -> Path:
    """Where a dataset's manifest lies."""
    check_name(name)
    return settings.datasets / f"{name}.json"


def manifest_hash(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of everything but the hash itself."""
    plain = {key: value for key, value in manifest.items() if key != "hash"}
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def item_of(one: LabelledImage, group: str, side: str) -> dict[str, Any]:
    """One picture as a manifest lists it; `weight` and `repeat` are what it counts for in training."""
    image, label = one.image, one.label
    capture, quality = image.capture, image.quality
    return {
        "path": image.path,
        "sha256": image.sha256,
        "image": image.id,
        "split": side,
        "group": group,
        "site": image.site,
        "part": capture.part,
        "order": capture.order,
        "source_group": label.source.get("group"),
        "camera": capture.camera,
        "view": capture.view,
        "part_type": capture.part_type,
        "taken_at": None if capture.taken_at is None else capture.taken_at.isoformat(),
        "width": image.width,
        "height": image.height,
        "quality": [] if quality is None else list(quality.flags),
        "defective": label.defective,
        "probability": label.probability,
        "classes": list(label.classes),
        "unmapped": list(label.unmapped),
        "status": str(label.status),
        "by": label.by,
        "weight": 1.0,
        "repeat": 1,
        "pseudo": False,
        "regions": [_region(region) for region in label.regions],
    }


def _region(region: Region) -> dict[str, Any]:
    mask: dict[str, Any] | None = None
    if isinstance(region.mask, Rle):
        mask = {"size": list(region.mask.size_hw), "counts": list(region.mask.counts)}
    elif isinstance(region.mask, Polygons):
        mask = {"rings": [list(ring) for ring in region.mask.rings]}
    return {
        "x": region.x,
        "y": region.y,
        "width": region.width,
        "height": region.height,
        "name": region.name,
        "class_id": region.class_id,
        "severity": None if region.severity is None else str(region.severity),
        "mask": mask,
    }


def counts_of(items: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By side: images, groups, defective ones, regions, and images of each class."""
    own: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        own.setdefault(item["split"], []).append(item)
    return {side: _counted(own[side]) for side in sorted(own)}


def _counted(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    classes = Counter(name for item in items for name in (*item["classes"], *item["unmapped"]))
    return {
        "images": len(items),
        "groups": len({item["group"] for item in items}),
        "defective": sum(item["defective"] for item in items),
        "regions": sum(len(item["regions"]) for item in items),
        "classes": dict(sorted(classes.items())),
    }


def keep(store: "Store", settings: Settings, manifest: Mapping[str, Any]) -> None:
    """In the store and as a file; the name may exist already only with the very same content.

    Raises:
        Conflict: the name is taken by other labels.
    """
    name = manifest["name"]
    try:
        old = store.datasets.get(name)
    except NotFound:
        store.datasets.add(name, dict(manifest), manifest["hash"])
    else:
        if old.sha256 != manifest["hash"]:
            raise Conflict(f"Dataset {name} exists with other labels and never changes: choose another name.")
    write_file(manifest_path(settings, name), _text(manifest))


def _text(manifest: Mapping[str, Any]) -> Iterator[str]:
    """The head for people to read, then a line for each picture: quick to write, and to compare line by line."""
    head = {key: value for key, value in manifest.items() if key != "items"}
    text = json.dumps(head, ensure_ascii=False, indent=1, allow_nan=False)
    yield text[: text.rindex("\n}")] + ',\n "items": [\n'
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False).encode
    items = manifest["items"]
    for start in range(0, len(items), _PIECE):
        lines = ",\n".join(encode(item) for item in items[start : start + _PIECE])
        yield ("" if start == 0 else ",\n") + lines
    yield "\n ]\n}\n"


def manifest_in(settings: Settings, name: str, stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """The file is what a training reads, so it is what is looked at; the store's copy where there is none.

    Raises:
        BadInput: the file is no manifest any more.
    """
    path = manifest_path(settings, name)
    if not path.is_file():
        return stored
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"{path.name} is no JSON ({error}): build the dataset under another name.") from error
    if not isinstance(read, dict) or not isinstance(read.get("items"), list):
        raise BadInput(f"{path.name} is no manifest any more: build the dataset under another name.")
    return read


def leaking(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """Groups and files that are on more than one side."""
    from core.learn import splits

    return splits.leaks((item["split"], [item["group"], f"sha256 {item['sha256']}"]) for item in items)

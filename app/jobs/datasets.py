"""Datasets: a frozen, hashed list of labelled pictures, divided by groups and never by rows."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.line import Progress, quiet
from app.settings import Settings
from core.errors import BadInput, Conflict, NotFound, Unreadable
from core.learn import splits
from core.pictures.decode import Limits, sha256_of
from core.pictures.decode import read as bytes_of
from core.plant import LabelledImage
from core.records import NO_DEFECT, ImageState, Polygons, Region, Rle
from core.taxonomy import DEFECTIVE
from data.formats.files import write_file
from data.formats.provenance import time_of

if TYPE_CHECKING:
    from data.store import Store

VERSION = 1
STEP = 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_Test = Callable[[LabelledImage, str], bool]
FILTERS: Mapping[str, _Test] = {
    "camera": lambda one, value: one.image.capture.camera == value,
    "line": lambda one, value: one.image.capture.line == value,
    "machine": lambda one, value: one.image.capture.machine == value,
    "order": lambda one, value: one.image.capture.order == value,
    "part_type": lambda one, value: one.image.capture.part_type == value,
    "stage": lambda one, value: one.image.capture.stage == value,
    "view": lambda one, value: one.image.capture.view == value,
    "status": lambda one, value: str(one.label.status) == value,
    "by": lambda one, value: one.label.by == value,
    "defective": lambda one, value: one.label.defective is (value.lower() in ("yes", "true", "1")),
    "split": lambda one, value: one.label.source.get("split") == value,
}
ASKED = ("site", "since", "until", "class", "corrected", "as_of")  # the store chooses by these itself


def build_dataset(
    store: "Store",
    settings: Settings,
    name: str,
    filters: Mapping[str, str] | None = None,
    split: Mapping[str, float] | str | None = None,
    seed: int = 0,
    *,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Freeze the labels that the filters choose under a name.

    Args:
        store: bound to whoever builds.
        settings: of the plant; the manifest lies in its datasets folder and in the store.
        name: letters, digits, dot, dash and underscore.
        filters: of FILTERS and ASKED; a repeated value is divided by bars, as in site=Lyon|Graz.
        split: shares of train, val and test; without it, sides that an import listed are kept, and the rest is
            divided 70 : 15 : 15.
        seed: of the division.
        progress: told every few pictures.

    Returns:
        The manifest. The same labels, name and seed give the same bytes.

    Raises:
        BadInput: for a name, filter or split that makes no sense, or when nothing is left to learn from.
        Conflict: where the name is taken by other labels: a dataset never changes.
    """
    _check_name(name)
    filters = dict(filters or {})
    shares = splits.parse(split) if isinstance(split, str) else None if split is None else splits.checked(split)
    progress(0, 0, "reading labels")
    found = [one for one in _chosen(store, filters) if one.image.width > 0]
    usable = [one for one in found if one.image.state is ImageState.OK]
    if not usable:
        raise BadInput(
            f"No labelled picture is left for dataset {name}: loosen the filters, or import and review first."
        )
    usable.sort(key=lambda one: (one.image.site, one.image.path, one.image.sha256, one.image.id))
    groups = splits.joined_groups([_keys(one) for one in usable])
    sides, moved = _sides(usable, groups, shares, seed)
    manifest: dict[str, Any] = {
        "format": VERSION,
        "name": name,
        "hash": "",
        "seed": seed,
        "split": shares or "kept",
        "filters": dict(sorted(filters.items())),
        "classes": _classes(store, {one.image.site for one in usable}),
        "left_out": dict(Counter(str(one.image.state) for one in found if one.image.state is not ImageState.OK)),
        "certificate": {
            "groups": len(set(groups)),
            "brought_together": moved,
            "groups_on_two_sides": 0,
            "files_on_two_sides": 0,
        },
        "counts": {},
        "items": [_item(one, group, sides[group]) for one, group in zip(usable, groups, strict=True)],
    }
    manifest["counts"] = _counts(manifest["items"])
    leaking = _leaks(manifest["items"])
    if leaking:
        raise BadInput(f"{leaking[0]} would be on two sides of the split: this is a bug, please report it.")
    manifest["hash"] = manifest_hash(manifest)
    _keep(store, settings, manifest)
    progress(len(usable), len(usable), "frozen")
    return manifest


def show_dataset(store: "Store", name: str) -> dict[str, Any]:
    """A dataset without its items."""
    manifest = store.datasets.get(name).manifest
    return {key: value for key, value in manifest.items() if key != "items"}


def check_dataset(store: "Store", settings: Settings, name: str, *, progress: Progress = quiet) -> dict[str, Any]:
    """Whether a dataset still is what was frozen: its own hash, every file's, and nothing on two sides.

    Returns:
        {name, ok, hash_ok, files: {ok, missing, changed}, problems (the first few), leaks}.
    """
    version = store.datasets.get(name)
    manifest = _stored_or_file(settings, name, version.manifest)
    items = manifest["items"]
    files: Counter[str] = Counter({"ok": 0, "missing": 0, "changed": 0})
    problems: list[str] = []
    for number, item in enumerate(items):
        if number % STEP == 0:
            progress(number, len(items), "checking files")
        state = _state_of(item)
        files[state] += 1
        if state != "ok" and len(problems) < 20:
            problems.append(f"{item['path']}: {state}")
    hash_ok = manifest_hash(manifest) == manifest["hash"] == version.sha256
    leaking = _leaks(items)
    return {
        "name": name,
        "ok": hash_ok and not leaking and files["ok"] == len(items),
        "hash_ok": hash_ok,
        "files": dict(files),
        "problems": problems,
        "leaks": leaking[:20],
    }


def manifest_path(settings: Settings, name: str) -> Path:
    """Where a dataset's manifest lies."""
    _check_name(name)
    return settings.datasets / f"{name}.json"


def manifest_hash(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of everything but the hash itself."""
    plain = {key: value for key, value in manifest.items() if key != "hash"}
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} cannot name a dataset: use letters, digits, dots, dashes and underscores.")


def _chosen(store: "Store", filters: Mapping[str, str]) -> Iterable[LabelledImage]:
    unknown = sorted(filters.keys() - FILTERS.keys() - set(ASKED))
    if unknown:
        raise BadInput(f"No filter {unknown[0]!r}: use {', '.join(sorted((*FILTERS, *ASKED)))}.")
    times = {key: time_of(filters[key]) for key in ("since", "until", "as_of") if key in filters}
    corrected = filters.get("corrected", "no").lower() in ("yes", "true", "1")
    tests = [(FILTERS[key], value.split("|")) for key, value in filters.items() if key in FILTERS]
    for site in filters["site"].split("|") if "site" in filters else [None]:
        for class_id in filters["class"].split("|") if "class" in filters else [None]:
            for one in store.labels.find(site=site, class_id=class_id, only_corrected=corrected, **times):
                if all(any(test(one, value) for value in values) for test, values in tests):
                    yield one


def _keys(one: LabelledImage) -> list[str]:
    """What ties a picture to others: its part, its source's group, its bytes."""
    site = one.image.site
    keys = [f"part {site}/{one.image.capture.part}", f"sha256 {one.image.sha256}"]
    group = one.label.source.get("group")
    return [*keys, f"group {site}/{group}"] if group else keys


def _sides(
    usable: Sequence[LabelledImage], groups: Sequence[str], shares: Mapping[str, float] | None, seed: int
) -> tuple[dict[str, str], int]:
    """Side by group, and how many groups the source had torn apart."""
    kept: dict[str, str] = {}
    moved: list[str] = []
    if shares is None:
        kept, moved = splits.kept_sides(groups, [one.label.source.get("split") for one in usable])
    rest = [number for number, group in enumerate(groups) if group not in kept]
    if rest:
        drawn = splits.split_groups(
            [groups[n] for n in rest], [_strata(usable[n]) for n in rest], shares or splits.DEFAULT, seed
        )
        kept = {**kept, **drawn}
    return kept, len(moved)


def _strata(one: LabelledImage) -> tuple[str, ...]:
    """What is to be divided evenly: good pictures, each class, and the site."""
    label = one.label
    names = (*label.classes, *label.unmapped) or (DEFECTIVE,)
    return (f"site {one.image.site}", *(names if label.defective else (NO_DEFECT,)))


def _classes(store: "Store", sites: set[str]) -> list[str]:
    """Of every site of the dataset, in their own order: the order of the class heads."""
    found: dict[str, None] = {}
    for site in sorted(sites):
        found.update(dict.fromkeys(store.taxonomies.of(site).ids))
    return list(found)


def _item(one: LabelledImage, group: str, side: str) -> dict[str, Any]:
    image, label = one.image, one.label
    return {
        "path": image.path,
        "sha256": image.sha256,
        "split": side,
        "group": group,
        "site": image.site,
        "part": image.capture.part,
        "view": image.capture.view,
        "part_type": image.capture.part_type,
        "width": image.width,
        "height": image.height,
        "defective": label.defective,
        "probability": label.probability,
        "classes": list(label.classes),
        "unmapped": list(label.unmapped),
        "status": str(label.status),
        "by": label.by,
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


def _counts(items: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By side: images, groups, defective ones, regions, and images of each class."""
    counts: dict[str, dict[str, Any]] = {}
    for side in sorted({item["split"] for item in items}):
        own = [item for item in items if item["split"] == side]
        classes = Counter(name for item in own for name in (*item["classes"], *item["unmapped"]))
        counts[side] = {
            "images": len(own),
            "groups": len({item["group"] for item in own}),
            "defective": sum(item["defective"] for item in own),
            "regions": sum(len(item["regions"]) for item in own),
            "classes": dict(sorted(classes.items())),
        }
    return counts


def _leaks(items: Iterable[Mapping[str, Any]]) -> list[str]:
    return splits.leaks((item["split"], [item["group"], f"sha256 {item['sha256']}"]) for item in items)


def _keep(store: "Store", settings: Settings, manifest: Mapping[str, Any]) -> None:
    """In the store and as a file; the name may exist already only with the very same content."""
    name = manifest["name"]
    try:
        old = store.datasets.get(name)
    except NotFound:
        store.datasets.add(name, dict(manifest), manifest["hash"])
    else:
        if old.sha256 != manifest["hash"]:
            raise Conflict(f"Dataset {name} exists with other labels and never changes: choose another name.")
    text = json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False)
    write_file(manifest_path(settings, name), [text, "\n"])


def _stored_or_file(settings: Settings, name: str, stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """The file is what a training reads, so it is what is checked; the store's copy where there is none."""
    path = manifest_path(settings, name)
    if not path.is_file():
        return stored
    read = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(read, dict) or not isinstance(read.get("items"), list):
        raise BadInput(f"{path.name} is no manifest any more: build the dataset under another name.")
    return read


def _state_of(item: Mapping[str, Any]) -> str:
    try:
        data = bytes_of(Path(item["path"]), Limits())
    except Unreadable:
        return "missing"
    return "ok" if sha256_of(data) == item["sha256"] else "changed"

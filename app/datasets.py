"""What the datasets page asks for and what its buttons do."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from app import context
from app.jobs.science.datasets import manifest
from app.state import FormState, told
from core.errors import BadInput, NotFound
from core.learn.datasets.diff import differences
from core.learn.datasets.likeness import mixture
from core.learn.datasets.overview import Overview, overview
from core.learn.datasets.rows import TRAIN, rows_of
from core.pictures.tiling import Look, look_of
from core.plant import DatasetVersion


@dataclass
class DatasetsState(FormState):
    """Datasets page."""


@dataclass(frozen=True)
class Opened:
    """One dataset as the page shows it; a dataset never changes, so it is read once.

    Attributes:
        head: the manifest without its items.
        whole, training: figures of all of it, and of its training side.
        mixtures: shares of cameras and part types in training.
        images: the store's id by path.
    """

    head: Mapping[str, Any]
    whole: Overview
    training: Overview
    mixtures: Mapping[str, Mapping[str, float]]
    images: Mapping[str, int]


def opened(version: DatasetVersion) -> Opened:
    """A dataset, read once."""
    looks = tuple(sorted((site.name, kind.name, look_of(kind)) for site in context.store().sites.all()
                         for kind in context.store().part_types.all(site.name)))  # fmt: skip
    found = _opened(context.settings().home, version.name, version.sha256, looks)
    if found is None:
        stored = context.store().datasets.get(version.name).manifest
        return _figures(stored, looks)
    return found


@lru_cache(maxsize=8)
def _opened(home: Path, name: str, sha256: str, looks: tuple[tuple[str, str, Look], ...]) -> Opened | None:
    """From its file; None where that is gone, for then the store is asked in the name of whoever looks."""
    settings = context.settings()
    if settings.home != home or not manifest.manifest_path(settings, name).is_file():
        return None
    read = manifest.manifest_in(settings, name, {})
    if read.get("hash") != sha256:
        raise BadInput(f"The file of {name} is not what was frozen: see `holdpoint dataset check {name}`.")
    return _figures(read, looks)


def _figures(read: Mapping[str, Any], looks: tuple[tuple[str, str, Look], ...]) -> Opened:
    known = {(site, kind): look for site, kind, look in looks}

    def planned(site: str, kind: str | None) -> Look:
        return known.get((site, kind or ""), Look())

    items = read["items"]
    training = [item for item in items if item["split"] == TRAIN]
    rows = rows_of(training)
    return Opened(
        head={key: value for key, value in read.items() if key != "items"},
        whole=overview(items, planned),
        training=overview(training, planned),
        mixtures={what: mixture(rows, what) for what in ("camera", "part_type")},
        images={str(item["path"]): int(item["image"]) for item in items if item.get("image") is not None},
    )


def differs(one: str, other: str) -> Mapping[str, Any]:
    """How the second differs from the first."""
    store, settings = context.store(), context.settings()
    first, second = (manifest.manifest_in(settings, name, store.datasets.get(name).manifest) for name in (one, other))
    return differences(first, second)


def site_shares(sites: list[str]) -> dict[str, dict[str, float]]:
    """Shares of cameras and part types among all pictures of some sites, labelled or not."""
    counts: dict[str, dict[str, int]] = {"camera": {}, "part_type": {}}
    for site in sites:
        try:
            found = context.store().datasets.shares(site)
        except NotFound:  # renamed since
            continue
        for what, own in found.items():
            for name, number in own.items():
                told_as = "not known" if name == "not known" else f"{site}/{name}" if what == "camera" else name
                counts[what][told_as] = counts[what].get(told_as, 0) + number
    return {
        what: {name: number / sum(own.values()) for name, number in own.items()} for what, own in counts.items() if own
    }


def submit_build(view: DatasetsState, name: str, arguments: Mapping[str, Any]) -> None:
    """Leave the building to the worker."""
    with told(view):
        manifest.check_name(name.strip())
        given = {key: value for key, value in arguments.items() if value not in (None, "", {})}
        view.job = context.store().jobs.submit("dataset", {"name": name.strip(), **given}, now=context.now())
        view.message = "The worker builds it now: leave this page if you like."

"""Do a model's heatmaps earn their place: measured on the boxes that people keep, and checked against chance."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.intake.line import Progress, decoders, find_model, quiet
from app.jobs.science.evaluate import write
from app.jobs.science.measured import heatmaps_place
from app.settings import Settings
from core.errors import BadInput, Unreadable
from core.learn.located import POINTING, Pointed, by_class, pointed_at
from core.pictures.heatmaps import from_grid
from core.records import Image, Pixels, Region

if TYPE_CHECKING:
    from data.store import Store

AT_ONCE = 200
SANITY_PICTURES = 8


def measure_heatmaps(
    store: "Store",
    settings: Settings,
    model: str,
    site: str,
    *,
    limit: float = POINTING,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Compare the maps that a model has made at a site with the boxes that people drew, corrected or accepted.

    Args:
        store: bound to whoever asks.
        settings: home of the plant.
        model: whose maps.
        site: where.
        limit: share of a class's pictures in which the map has to point at the defect.
        now: for the document.
        progress: told after each few pictures.

    Returns:
        The document that the page and the queue read: {model, site, limit, classes: [...], pictures, alike,
        follows_the_weights, measured_at}.

    Raises:
        NotFound: no such site or model.
        BadInput: nobody has kept a box on a picture that this model has scored.
    """
    folder = find_model(store, settings, model)
    store.sites.get(site)
    boxed = {one.image.id: one for one in store.labels.find(site=site) if one.label.defective and one.label.regions}
    found: list[Pointed] = []
    pictures: list[tuple[Image, Region]] = []
    ids = sorted(boxed)
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        for image_id, prediction in store.images.predictions(some).items():
            image, label = boxed[image_id].image, boxed[image_id].label
            if prediction.model != model or prediction.heatmap is None or not image.width:
                continue
            heat = from_grid(prediction.heatmap)
            found += pointed_at(heat, label.regions, (image.width, image.height), image.part_id)
            pictures.append((image, label.regions[0]))
        progress(min(start + AT_ONCE, len(ids)), len(ids), f"heatmaps of {model}")
    if not found:
        raise BadInput(f"Nobody has kept a box on a picture that {model} scored at {site}: correct some first.")
    alike = _alike(settings, folder, pictures)
    document = {
        "model": model,
        "site": site,
        "limit": limit,
        "pictures": len(pictures),
        "classes": [one.to_json() for one in by_class(found, limit)],
        "alike": None if alike is None else alike[0],
        "follows_the_weights": True if alike is None else alike[1],
        "measured_at": (now or datetime.now(UTC)).isoformat(),
    }
    write(heatmaps_place(folder, settings, site), json.dumps(document, indent=1) + "\n")
    return document


def _alike(
    settings: Settings, folder: Path, pictures: list[tuple[Image, Region]]
) -> tuple[dict[str, float], bool] | None:
    """The parameter-randomisation check on a few defects; None where none of their pictures can be read."""
    from models.checkpoint import load
    from models.explain.sanity import randomised
    from models.preprocess import to_input

    checkpoint = load(folder)
    side = checkpoint.card.look.tile
    chosen = [pictures[int(at)] for at in np.unique(np.linspace(0, len(pictures) - 1, SANITY_PICTURES).round())]
    with decoders(settings) as pool:
        reads = pool.decode(Path(image.path) for image, _ in chosen)
        tiles = [
            _around(one.decoded.pixels, region, side)
            for (_, region), one in zip(chosen, reads, strict=True)
            if not isinstance(one, Unreadable)
        ]
    if not tiles:
        return None
    net = checkpoint.net().requires_grad_(False)
    found = randomised(net, to_input(np.stack(tiles), checkpoint.card.preprocessing))
    return found.alike, found.follows


def _around(pixels: Pixels, region: Region, side: int) -> Pixels:
    """(side, side, 3) around the middle of a region; a smaller picture is repeated at its edges."""
    height, width = pixels.shape[:2]
    top = min(max(0, int(region.y + region.height / 2 - side / 2)), max(0, height - side))
    left = min(max(0, int(region.x + region.width / 2 - side / 2)), max(0, width - side))
    cut = pixels[top : top + side, left : left + side]
    return np.pad(cut, ((0, side - cut.shape[0]), (0, side - cut.shape[1]), (0, 0)), mode="edge")

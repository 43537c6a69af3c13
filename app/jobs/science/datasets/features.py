"""Look-alikes by what the model in use sees: where it has embedded every picture of a site, those are compared, too.

They are made by `holdpoint select` and by whatever else looks at the pool; a build makes none. Which model's were used
stands in the dataset, and the same name is built again with the same ones.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from app.jobs.intake.line import Progress, quiet
from app.jobs.science.datasets.looking import look_of
from app.settings import Settings
from core.errors import NotFound
from core.learn.alike_features import alike
from core.learn.near_duplicates import Pairs
from core.plant import LabelledImage
from data.embeddings import BUDGET_BYTES, Embeddings

if TYPE_CHECKING:
    from data.store import Store

Seers = Mapping[str, str]  # the model whose embeddings were compared, by site


def recorded(store: "Store", name: str) -> Seers | None:
    """Which models' embeddings a dataset of this name was built with; None where there is none yet."""
    try:
        return dict(store.datasets.get(name).manifest.get("seen_by") or {})
    except NotFound:
        return None


def duplicates(
    store: "Store", settings: Settings, chosen: Sequence[LabelledImage], asked: Seers | None, progress: Progress = quiet
) -> tuple[Pairs, Seers]:
    """Numbers of pictures that a model sees as the same, two and two, and which model that is at each site.

    Args:
        store: knows which model is in use where.
        settings: of the plant.
        chosen: the pictures.
        asked: models by site, as a dataset of the same name has them; None takes those in use.
        progress: told once for each site.
    """
    by_site: dict[str, list[int]] = {}
    for number, one in enumerate(chosen):
        by_site.setdefault(one.image.site, []).append(number)
    pairs, used = [np.empty((0, 2), np.int64)], {}
    for site, numbers in sorted(by_site.items()):
        model = store.sites.get(site).model if asked is None else asked.get(site)
        if model is None:
            continue
        try:
            kept = Embeddings(settings.home / "embeddings", store.models.get(model).sha256)
        except NotFound:
            continue
        images = {chosen[number].image.id: chosen[number].image.sha256 for number in numbers}
        room = kept.room(BUDGET_BYTES)
        if room is None or room < len(images) or kept.missing(images):
            continue
        progress(0, len(chosen), "comparing what the model sees")
        read = kept.read([chosen[number].image.id for number in numbers])
        found = alike(read.vectors, [look_of(chosen[number]) for number in numbers])
        pairs.append(np.array(numbers, np.int64)[found])
        used[site] = model
    return np.concatenate(pairs), used


def joined(one: Pairs, other: Pairs) -> Pairs:
    """Pairs of either list, each once, in order."""
    if not len(other):
        return one
    return np.unique(np.sort(np.concatenate([one, other]), axis=1), axis=0)

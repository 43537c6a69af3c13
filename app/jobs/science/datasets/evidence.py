"""What a certificate rests on beside the list: second answers of people, and a classifier that guesses the side."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from app.jobs.science.datasets.looking import Seen
from core.learn.datasets.agreement import TwoLooks
from core.learn.datasets.opinions import Opinion, two_looks
from core.learn.datasets.rows import TRAIN, Row
from core.pictures.signature import SIDE
from core.plant import LabelledImage
from core.taxonomy import Taxonomy

if TYPE_CHECKING:
    from data.store import Store

ADVERSARIES = 20_000  # pictures asked about at most
FEWEST = 40
_FOLDS = 5
_COARSE = 4  # cells a side of the layout that the adversary sees
FEATURES = ("sharpness", "brightness", "contrast", "dark pixels", "burnt pixels", "width", "height")


class Adversary(NamedTuple):
    """A classifier's out-of-fold scores for being outside training.

    Attributes:
        asked: numbers of the rows.
        scores: one for each; None where there was too little to ask about.
        told_by: the strongest features.
    """

    asked: tuple[int, ...]
    scores: tuple[float, ...] | None
    told_by: tuple[str, ...]


def looks_of(store: "Store", chosen: Sequence[LabelledImage], opinions: dict[int, list[Opinion]]) -> list[TwoLooks]:
    """What two people said of the same part, in the classes of its site today."""
    paths: dict[int, list[LabelledImage]] = defaultdict(list)
    for one in chosen:
        paths[one.image.part_id].append(one)
    taxonomies: dict[str, Taxonomy] = {}
    found = []
    for part_id, own in paths.items():
        said = opinions.get(part_id, ())
        if len({one.by for one in said}) < 2:
            continue
        site = own[0].image.site
        if site not in taxonomies:
            taxonomies[site] = store.taxonomies.of(site)
        by_image: dict[int | None, list[Opinion]] = defaultdict(list)
        for opinion in said:
            by_image[opinion.image].append(opinion)
        for image, given in by_image.items():
            names = [one.image.path for one in own if image in (None, one.image.id)]
            both = two_looks(given, names, taxonomies[site].match) if names else None
            if both is not None:
                found.append(both)
    return found


def adversary(chosen: Sequence[LabelledImage], rows: Sequence[Row], seen: Seen, seed: int) -> Adversary:
    """Ask a logistic regression which side each picture is on; whole groups are left out of each turn.

    It sees measured quality, size, and the picture in 4 by 4 cells: enough for another camera, another light or another
    part, too little for a defect.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.preprocessing import StandardScaler

    features, names = _features(chosen, seen)
    usable = [number for number, row in enumerate(rows) if not row.pseudo and np.isfinite(features[number]).all()]
    usable = _sample(usable, rows, seed)
    outside = np.array([rows[number].side != TRAIN for number in usable])
    group = [rows[number].group for number in usable]
    kinds = [
        len({g for g, far in zip(group, outside, strict=True) if far is one}) for one in map(np.bool_, (True, False))
    ]
    if len(usable) < FEWEST or min(kinds, default=0) < _FOLDS:
        return Adversary((), None, ())
    x = StandardScaler().fit_transform(features[usable])
    x = np.hstack([x, x**2])
    scores = np.zeros(len(usable))
    weight = np.zeros(x.shape[1])
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    for learned, asked in folds.split(x, outside, group):
        if outside[learned].all() or not outside[learned].any():
            return Adversary((), None, ())
        net = LogisticRegression(C=0.05, max_iter=300, class_weight="balanced").fit(x[learned], outside[learned])
        scores[asked] = net.decision_function(x[asked])
        weight += np.abs(net.coef_[0])
    strength = weight[: len(names)] + weight[len(names) :]
    told = tuple(dict.fromkeys(names[number] for number in np.argsort(-strength)))[:3]
    return Adversary(tuple(usable), tuple(map(float, scores)), told)


def _features(chosen: Sequence[LabelledImage], seen: Seen) -> tuple[npt.NDArray[np.float64], list[str]]:
    """(pictures, features), not a number where something was not measured."""
    table = np.full((len(chosen), len(FEATURES)), np.nan)
    for number, one in enumerate(chosen):
        quality = one.image.quality
        if quality is not None:
            table[number] = (
                np.log1p(max(quality.sharpness, 0.0)), quality.brightness, quality.contrast, quality.dark,
                quality.bright, np.log(one.image.width), np.log(one.image.height),
            )  # fmt: skip
    if len(seen.at) < len(chosen):  # a layout that some lack would only tell who lacks it
        return table, list(FEATURES)
    step = SIDE // _COARSE
    cells = seen.signatures.reshape(-1, _COARSE, step, _COARSE, step).mean(axis=(2, 4), dtype=np.float64)
    layout = np.empty((len(chosen), _COARSE * _COARSE))
    layout[seen.at] = cells.reshape(len(cells), -1)
    return np.hstack([table, layout]), [*FEATURES, *["layout"] * layout.shape[1]]


def _sample(usable: list[int], rows: Sequence[Row], seed: int) -> list[int]:
    """Up to ADVERSARIES pictures by chance, of every group about as many: groups are what the evidence counts by."""
    if len(usable) <= ADVERSARIES:
        return usable
    own: dict[str, list[int]] = {}
    for number in np.random.default_rng(seed).permutation(np.array(usable)).tolist():
        own.setdefault(rows[number].group, []).append(number)
    most = -(-ADVERSARIES // len(own))
    chosen = [number for group in sorted(own) for number in own[group][:most]]
    return sorted(np.random.default_rng(seed).permutation(np.array(chosen)).tolist()[:ADVERSARIES])

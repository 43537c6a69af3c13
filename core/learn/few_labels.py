"""What a handful of labels is worth on frozen features, and what is worth as much without any label of a defect.

Each seed divides the groups into a side that is labelled and one that is tested. Labels come at random, more with each
step, at least one of each kind; each way of learning sees the same ones:

    head          a linear head on the labelled pictures
    nearest       nearer to a labelled defect than to a labelled good picture
    synthetic     the head again, with the labelled good pictures after pieces were cut and pasted in them as defects
    novelty       distance to a memory of the labelled good pictures alone
    novelty, all good   the same of every good picture of that side: what good parts alone are worth, on the first day
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.learn.backtest import rows_to_test
from core.learn.curves import DRAWS, FEWEST_GROUPS, weighted_auroc
from core.learn.linear_head import fit_head
from core.learn.metrics.groups import numbered
from core.records import Floats

Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Wide = npt.NDArray[np.float64]
Novelty = Callable[[Ints, Ints], Wide]  # rows of good pictures, rows to be tested: a distance of each of these

LABELS = (5, 10, 20, 50)
METHODS = ("head", "nearest", "synthetic", "novelty", "novelty, all good")


@dataclass(frozen=True, eq=False)
class Band:
    """AUROC by picture of one way of learning with so many labels.

    Attributes:
        mean: over the seeds.
        low, high: 95% over seeds and groups drawn again together; None with too few groups.
        seeds: each one's own.
    """

    mean: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...]


def compare_few(
    features: Floats,
    synthetic: Floats,
    defective: npt.ArrayLike,
    groups: Sequence[str],
    novelty: Novelty,
    labels: Sequence[int] = LABELS,
    seeds: int = 5,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> dict[str, dict[int, Band]]:
    """Every way of learning at every number of labels.

    Args:
        features: (n, d) of frozen features.
        synthetic: (n, k, d) of each good picture with pieces pasted; what stands at a defective one is not used.
        defective: (n,).
        groups: (n,) pictures of one group stay on one side.
        novelty: distances of some pictures to a memory of others.
        labels: ascending; what the smallest labelled side does not have is left out.
        seeds: how many divisions.
        progress: told after each step of each seed.

    Returns:
        By method and number of labels.

    Raises:
        BadInput: too few groups to divide, or no number of labels that fits.
    """
    d, number = np.asarray(defective, bool), numbered(groups, len(features))
    tests = [rows_to_test(number, d, seed) for seed in range(seeds)]
    room = min(int((~test).sum()) for test in tests)
    steps = [n for n in sorted(set(labels)) if 2 <= n <= room]
    if not steps:
        raise BadInput(f"{room} pictures on the labelled side are fewer than any of {list(labels)} labels: add some.")
    said = {(name, n): np.full((seeds, len(d)), np.nan) for name in METHODS for n in steps}
    for seed, test in enumerate(tests):
        mine, theirs = np.flatnonzero(~test), np.flatnonzero(test)
        middle, scale = features[mine].mean(axis=0), features[mine].std(axis=0)
        order = _order(mine, d, np.random.default_rng([seed, 91]))
        every = novelty(mine[~d[mine]], theirs)
        for place, n in enumerate(steps):
            chosen = order[:n]
            good = chosen[~d[chosen]]
            head = fit_head(features[chosen], d[chosen], middle=middle, scale=scale)
            made = synthetic[good].reshape(-1, features.shape[1])
            more = np.concatenate([features[chosen], made])
            wider = fit_head(more, np.r_[d[chosen], np.ones(len(made), bool)], middle=middle, scale=scale)
            said["head", n][seed, theirs] = head.logits(features[theirs])
            said["synthetic", n][seed, theirs] = wider.logits(features[theirs])
            said["nearest", n][seed, theirs] = nearest_kind(features, d, chosen, theirs, middle, scale)
            said["novelty", n][seed, theirs] = novelty(good, theirs)
            said["novelty, all good", n][seed, theirs] = every
            progress(seed * len(steps) + place + 1, seeds * len(steps), f"seed {seed + 1}, {n} labels")
    found: dict[str, dict[int, Band]] = {name: {} for name in METHODS}
    for (name, n), scores in said.items():
        found[name][n] = band(scores, d, number)
    return found


def nearest_kind(features: Floats, d: Flags, known: Ints, rows: Ints, middle: Floats, scale: Floats) -> Wide:
    """(r,) distance to the nearest labelled good picture, less that to the nearest labelled defect."""
    spread = np.where(scale > 1e-6 * max(1e-12, float(scale.max(initial=0.0))), scale, np.inf)
    mine, theirs = ((features[some] - middle) / spread for some in (known, rows))
    apart = np.linalg.norm(theirs[:, None].astype(np.float64) - mine[None], axis=2)
    bad = d[known]
    found: Wide = apart[:, ~bad].min(axis=1) - apart[:, bad].min(axis=1)
    return found


def band(scores: Wide, d: Flags, number: Ints, draws: int = DRAWS) -> Band:
    """Mean AUROC over seeds, and how sure that is.

    Args:
        scores: (seeds, n); NaN for what was not tested.
        d: (n,) defective.
        number: (n,) of the groups.
        draws: of groups and seeds together.
    """
    groups, seeds = int(number.max()) + 1, len(scores)
    rng = np.random.default_rng(0)
    weights = np.ones((1 + draws, groups))
    weights[1:] = rng.multinomial(groups, np.full(groups, 1 / groups), size=draws)
    areas = np.empty((seeds, 1 + draws))
    for seed, row in enumerate(scores):
        there = ~np.isnan(row)
        areas[seed] = weighted_auroc(row[there], d[there], weights[:, number[there]])
    drawn = rng.integers(0, seeds, (draws, seeds))
    again = np.array([areas[drawn[at], 1 + at] for at in range(draws)])  # (draws, seeds)
    known = ~np.isnan(again)  # a draw of groups without both kinds says nothing
    means = np.where(known, again, 0.0).sum(axis=1)[known.any(axis=1)] / known.sum(axis=1)[known.any(axis=1)]
    low, high = np.percentile(means, [2.5, 97.5]) if groups >= FEWEST_GROUPS and len(means) else (None, None)
    return Band(
        float(areas[:, 0].mean()), None if low is None else float(low), None if high is None else float(high),
        tuple(float(one) for one in areas[:, 0]),
    )  # fmt: skip


def _order(rows: Ints, d: Flags, rng: np.random.Generator) -> Ints:
    """Rows in the order in which they are labelled: at random, but one of each kind first."""
    order = rng.permutation(rows)
    first = [int(order[~d[order]][0]), int(order[d[order]][0])]
    found: Ints = np.concatenate([np.array(first, np.intp), order[~np.isin(order, first)]])
    return found

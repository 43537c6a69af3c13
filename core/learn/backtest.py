"""Replaying the rounds of active learning on pictures whose labels are known: what would each strategy have been worth?

Each seed divides the groups anew into a pool and a test part. From no label at all each strategy chooses a few
pictures of the pool, is told their labels, and a linear head on frozen features learns from what it has; then it
chooses again. What the head says of the test pictures is kept for every round.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.learn.linear_head import Head, fit_head
from core.learn.metrics.groups import numbered
from core.learn.select import strategy_named
from core.learn.select.pool import Flags, Ints, Pool, Wide
from core.records import Floats

COMPARED = ("random", "entropy", "margin", "k-center", "diversity-uncertainty")
TEST_SHARE = 1 / 3
ROUNDS = 40  # that a whole pool takes, at most
_TRIES = 200


@dataclass(frozen=True, eq=False)
class Replay:
    """What every round said.

    Attributes:
        labels: (r,) how many labels each round had; the last is the whole pool.
        logits: by strategy, (seeds, r, n): what the head said of each picture; NaN for those of the pool.
        defective: (n,); groups: (n,) numbers.
    """

    labels: Ints
    logits: dict[str, npt.NDArray[np.float32]]
    defective: Flags
    groups: Ints

    @property
    def seeds(self) -> int:
        """How many divisions."""
        return len(next(iter(self.logits.values())))


def replay(
    features: Floats,
    defective: npt.ArrayLike,
    groups: Sequence[str],
    strategies: Sequence[str] = COMPARED,
    seeds: int = 10,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> Replay:
    """Play all rounds of all strategies.

    Args:
        features: (n, d) of frozen features.
        defective: (n,) of the pictures.
        groups: (n,) pictures of one group stay on one side.
        strategies: by name, of those that need neither a shadow nor labels of the pool.
        seeds: how many divisions.
        progress: told after each strategy of each seed.

    Raises:
        BadInput: too few groups to divide, or a strategy that cannot be replayed.
    """
    d, number = np.asarray(defective, bool), numbered(groups, len(features))
    for name in strategies:
        if strategy_named(name).needs:
            raise BadInput(f"{name} cannot be replayed: it needs {' and '.join(sorted(strategy_named(name).needs))}.")
    if not len(d) or not len(strategies) or seeds < 1:
        raise BadInput("A replay needs pictures, a strategy and a seed.")
    tests = [rows_to_test(number, d, seed) for seed in range(seeds)]
    least = min(int((~test).sum()) for test in tests)
    labels = _schedule(least)
    shape = (seeds, len(labels), len(d))
    logits = {name: np.full(shape, np.nan, np.float32) for name in strategies}
    for seed, test in enumerate(tests):
        for place, name in enumerate(strategies):
            logits[name][seed][:, test] = _rounds(features, d, test, name, labels, seed)
            progress(seed * len(strategies) + place + 1, seeds * len(strategies), f"seed {seed + 1}, {name}")
    return Replay(labels, logits, d, number)


def replay_arms(
    features: Floats,
    defective: npt.ArrayLike,
    groups: Sequence[str],
    arms: Sequence[str],
    seeds: int = 10,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> Replay:
    """What labels that were bought under each arm add to those that were there anyway.

    Each seed divides the groups of the latter into two halves, one to learn from and one to be tested on; each arm
    then adds as many of its labels as every arm has, in a random order. The last round has them all.

    Args:
        features: (n, d) of labelled pictures.
        defective: (n,) their labels.
        groups: (n,) pictures of one group stay on one side.
        arms: (n,) "random", the name of a strategy, or "" for what no batch asked for.
        seeds: how many divisions.
        progress: told after each.

    Raises:
        BadInput: no random arm, no other, or too little outside the batches to be tested on.
    """
    d, number, arm = np.asarray(defective, bool), numbered(groups, len(features)), np.asarray(arms, object)
    names = sorted(set(arms) - {""}, key=lambda name: (name != "random", name))
    if "random" not in names or len(names) < 2:
        raise BadInput("Compare needs labels of a random arm and of a choice beside it: answer a batch first.")
    free = arm == ""
    if not free.any():
        raise BadInput(
            "Every label was asked for in a batch, so nothing is left to be tested on: import a labelled set."
        )
    divided = []
    for seed in range(seeds):
        tested = rows_to_test(_from_nought(number[free]), d[free], seed, 1 / 2)
        divided.append(np.isin(number, number[free][tested]))
    room = min(int((~test & (arm == name)).sum()) for test in divided for name in names)
    if room < 1:
        raise BadInput("One of the arms has no label of its own yet: answer more of the batch.")
    step = max(1, room // 12)
    labels = np.append(np.arange(step, room + 1, step), max(int((~free).sum()), room + 1)).astype(np.intp)
    logits = {name: np.full((seeds, len(labels), len(d)), np.nan, np.float32) for name in names}
    for seed, test in enumerate(divided):
        known = np.flatnonzero(free & ~test)
        every = np.flatnonzero(~test)
        middle, scale = features[every].mean(axis=0), features[every].std(axis=0)
        asked = test & free
        for name in names:
            rng = np.random.default_rng([seed, 73])
            mine = rng.permutation(np.flatnonzero(~test & (arm == name)))
            for place, count in enumerate(labels.tolist()):
                rows = every if place == len(labels) - 1 else np.concatenate([known, mine[:count]])
                head = fit_head(features[rows], d[rows], middle=middle, scale=scale)
                logits[name][seed, place, asked] = head.logits(features[asked]).astype(np.float32)
        progress(seed + 1, seeds, f"division {seed + 1}")
    return Replay(labels, logits, d, number)


def _from_nought(number: Ints) -> Ints:
    found: Ints = np.unique(number, return_inverse=True)[1]
    return found


def _schedule(pool: int) -> Ints:
    """Numbers of labels: a step is a fortieth of the pool, and the last is all of it."""
    step = max(2, round(pool / ROUNDS))
    found = np.arange(step, pool, step)
    return np.append(found[found <= pool - step], pool).astype(np.intp)


def rows_to_test(number: Ints, d: Flags, seed: int, share: float = TEST_SHARE) -> Flags:
    """(n,) a share of the groups, such that both sides have both kinds.

    Raises:
        BadInput: there is no such division.
    """
    rng, count = np.random.default_rng([seed, 71]), int(number.max()) + 1
    wanted = max(1, round(share * count))
    for _ in range(_TRIES):
        chosen = rng.permutation(count)[:wanted]
        test = np.isin(number, chosen)
        sides = (d[test], d[~test])
        if all(len(side) and side.any() and not side.all() for side in sides):
            return np.asarray(test, bool)
    raise BadInput(f"{count} groups cannot be divided so that both sides have good and defective pictures: label more.")


def _rounds(features: Floats, d: Flags, test: Flags, name: str, labels: Ints, seed: int) -> npt.NDArray[np.float32]:
    """(r, tests) what the head says after each round."""
    strategy = strategy_named(name)
    rng = np.random.default_rng([seed, 72])
    mine, truth = np.ascontiguousarray(features[~test]), d[~test]
    middle, scale = mine.mean(axis=0), mine.std(axis=0)
    said: Wide = np.full((len(mine), 2), 0.5)  # before the first label, everything is as likely
    chosen = np.empty(0, np.intp)
    free = np.ones(len(mine), bool)
    found = []
    none = np.empty(0, np.intp)
    for wanted in labels.tolist():
        wanted = len(mine) if wanted == labels[-1] else wanted
        pool = Pool(mine, said, ("good", "defective"), np.arange(len(mine)), [""] * len(mine), mine[chosen])
        picks = strategy.choose(pool, wanted - len(chosen), free, none, rng).rows
        chosen = np.concatenate([chosen, picks])
        free[picks] = False
        head: Head = fit_head(mine[chosen], truth[chosen], middle=middle, scale=scale)
        p = head.probabilities(mine)
        said = np.column_stack([1 - p, p])
        found.append(head.logits(features[test]).astype(np.float32))
    return np.stack(found)

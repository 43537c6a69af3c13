"""A batch: a random arm first, then quotas, then the strategy's choice; no part twice and nothing nearly the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from core.errors import BadInput
from core.learn.select import strategy_named
from core.learn.select.pool import Flags, Ints, Pool, Strategy
from core.learn.select.similar import Similar

CONTROL = 0.2  # of a batch is drawn at random unless somebody says otherwise
LEAST_CONTROL = 0.05
SIMILAR = 0.99  # correlation of two embeddings from which two pictures count as one

Arm = Literal["strategy", "quota", "random"]


@dataclass(frozen=True)
class Quota:
    """How many pictures of a site, or of a likely class of defect, a batch has.

    Attributes:
        kind: "site", or "class": the likeliest class of defect, be a defect likely or not.
        least: at least so many, as far as there are any.
        most: at most so many; None for no limit.
    """

    kind: Literal["site", "class"]
    name: str
    least: int = 0
    most: int | None = None


@dataclass(frozen=True)
class Ask:
    """What is wanted of a batch.

    Attributes:
        items: how many pictures.
        control: share of the batch that is drawn at random, to compare with; at least one picture is.
        similar: correlation from which two pictures are nearly the same; None excludes none but equal parts.
        seed: of everything random.
    """

    strategy: str
    items: int
    control: float = CONTROL
    quotas: tuple[Quota, ...] = ()
    similar: float | None = SIMILAR
    seed: int = 0


@dataclass(frozen=True)
class Pick:
    """One chosen picture.

    Attributes:
        row: of the pool.
        arm: "random" was drawn, "quota" fills a quota, "strategy" is the strategy's own choice.
        value: what it was worth to the strategy.
        why: the same for people.
    """

    row: int
    arm: Arm
    value: float
    why: str


@dataclass(frozen=True)
class Choice:
    """A whole batch.

    Attributes:
        picks: in order of choice, the random arm first.
        left_out: how many pictures were passed over, by reason.
        short: how many are missing, by the name of the quota that could not be filled.
    """

    picks: tuple[Pick, ...]
    left_out: Mapping[str, int]
    short: Mapping[str, int]

    @property
    def rows(self) -> list[int]:
        """Of the pool."""
        return [one.row for one in self.picks]


def choose(pool: Pool, ask: Ask) -> Choice:
    """Choose a batch.

    Raises:
        BadInput: an empty pool, a share or a quota that makes no sense, or a strategy that this pool cannot feed.
        NotFound: no such strategy.
    """
    strategy = strategy_named(ask.strategy)
    _check(pool, ask, strategy)
    rng = np.random.default_rng(ask.seed)
    batch = _Batch.of(pool, ask)
    control = ask.items if strategy.name == "random" else control_items(ask.items, ask.control)
    everything = np.ones(pool.n, bool)
    batch.draw(rng.permutation(pool.n), control)
    short = {}
    # Classes before sites: a rare defect that is dangerous comes before an even share.
    for quota, members in sorted(zip(ask.quotas, batch.members, strict=True), key=lambda pair: pair[0].kind):
        missing = quota.least - sum(bool(members[pick.row]) for pick in batch.picks)
        if missing > 0:
            room = min(missing, ask.items - len(batch.picks))
            left = batch.fill(strategy, members, room, rng, "quota", f"quota of {quota.name}; ")
            if left + missing - room:
                short[quota.name] = left + missing - room
    batch.fill(strategy, everything, ask.items - len(batch.picks), rng, "strategy")
    return Choice(tuple(batch.picks), dict(batch.left_out), short)


def control_items(items: int, share: float) -> int:
    """How many of a batch are drawn at random: at least one, unless the batch is a single picture."""
    return 0 if items < 2 else min(items - 1, max(1, round(share * items)))


def _check(pool: Pool, ask: Ask, strategy: Strategy) -> None:
    if pool.n == 0:
        raise BadInput("Nothing is left to choose from: every picture is labelled, asked about, or not readable.")
    if ask.items < 1:
        raise BadInput(f"A batch of {ask.items}: ask for 1 or more.")
    if not LEAST_CONTROL <= ask.control <= 1:
        raise BadInput(f"A random arm of {ask.control:g}: give {LEAST_CONTROL:g} to 1, or nothing can be compared.")
    if ask.similar is not None and not 0 < ask.similar <= 1:
        raise BadInput(f"A similarity of {ask.similar:g} is outside 0 to 1.")
    for need, column in (("shadow", pool.shadow), ("given", pool.given)):
        if need in strategy.needs and column is None:
            what = "a second model" if need == "shadow" else "labelled pictures"
            raise BadInput(f"The strategy {strategy.name} needs {what}: name {what}, or choose another.")
    for kind in ("site", "class"):
        asked = sum(quota.least for quota in ask.quotas if quota.kind == kind)
        room = ask.items - (0 if strategy.name == "random" else control_items(ask.items, ask.control))
        if asked > room:
            raise BadInput(f"The quotas ask for {asked} pictures and the batch has room for {room} beside its random "
                           "arm: ask for fewer, or for a larger batch.")  # fmt: skip
    known = {"site": set(pool.sites), "class": set(pool.names[1:])}
    for quota in ask.quotas:
        if quota.least < 0 or (quota.most is not None and quota.most < quota.least):
            raise BadInput(f"A quota of {quota.least} to {quota.most} for {quota.name} makes no sense.")
        if quota.kind == "class" and quota.name not in known["class"]:
            raise BadInput(f"The model knows no class {quota.name}: it knows {', '.join(pool.names[1:]) or 'none'}.")


@dataclass
class _Batch:
    """What is in the batch so far, and what may still come in.

    Attributes:
        members: of each quota, which rows count for it.
        free: (n,) what has not been taken, passed over or ruled out.
    """

    pool: Pool
    quotas: tuple[Quota, ...]
    members: list[Flags]
    similar: Similar | None
    free: Flags
    picks: list[Pick] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, pool: Pool, ask: Ask) -> "_Batch":
        likeliest, sites = pool.likeliest_defect(), np.asarray(pool.sites, object)
        members = [
            sites == quota.name if quota.kind == "site" else likeliest == pool.names.index(quota.name)
            for quota in ask.quotas
        ]
        similar = None if ask.similar is None else Similar.to(pool, ask.similar, ask.items)
        made = cls(pool, ask.quotas, members, similar, np.ones(pool.n, bool))
        made._close_full()
        return made

    def draw(self, order: Iterable[int], count: int) -> None:
        """Take the first rows of a random order that are free: a plain random sample of what may be asked."""
        for row in order:
            if len(self.picks) >= count:
                return
            if self.free[row]:
                self._take(Pick(int(row), "random", 0.0, "drawn at random, to compare with"))

    def fill(
        self, strategy: Strategy, within: Flags, count: int, rng: np.random.Generator, arm: Arm, because: str = ""
    ) -> int:
        """Take up to `count` of the strategy's choice.

        Returns:
            How many are missing.
        """
        while count > 0:
            allowed = self.free & within
            if not allowed.any():
                break
            ranked = strategy.choose(self.pool, count, allowed, self._rows(), rng)
            known = self._known(strategy, ranked.rows)
            for row, value, there in zip(ranked.rows.tolist(), ranked.values.tolist(), known, strict=True):
                if not self.free[row]:
                    continue  # of a part, or for a quota, that an earlier pick has used up
                if there or (self.similar is not None and self.similar.known(row)):
                    self.free[row] = False
                    self._count("nearly the same as another")
                    continue
                random = strategy.name == "random"
                text = "drawn at random" if random else strategy.why(value)
                self._take(Pick(row, "random" if random else arm, float(value), because + text))
                count -= 1
            if not len(ranked.rows):
                break
        return count

    def _known(self, strategy: Strategy, rows: Ints) -> list[bool]:
        """Which rows are nearly one that is labelled; a suspect is labelled itself."""
        if self.similar is None or "given" in strategy.needs:
            return [False] * len(rows)
        return [bool(one) for one in self.similar.labelled(rows)]

    def _rows(self) -> Ints:
        return np.array([one.row for one in self.picks], np.intp)

    def _take(self, pick: Pick) -> None:
        self.picks.append(pick)
        same = self.free & (self.pool.parts == self.pool.parts[pick.row])
        self.free[same] = False
        if same.sum() > 1:
            self._count("another picture of a chosen part", int(same.sum()) - 1)
        if self.similar is not None:
            self.similar.add(pick.row)
        self._close_full()

    def _close_full(self) -> None:
        """Rule out whatever would break an upper limit."""
        for quota, members in zip(self.quotas, self.members, strict=True):
            if quota.most is not None and sum(members[one.row] for one in self.picks) >= quota.most:
                self.free &= ~members

    def _count(self, why: str, number: int = 1) -> None:
        self.left_out[why] = self.left_out.get(why, 0) + number

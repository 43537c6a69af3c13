"""Which orders, batches, sellers, machines or lines are complained about more than the others, and how sure that is.

Two questions, each asked of every name at once:

- *rate*: of its parts that left, are more complained about than of the others' parts? Asked where the number of parts
  is known: of orders, machines, lines and part types from the plant itself, of sellers and batches from a file.
- *mix*: of its complaints, are more about one thing than of the others' complaints? Needs no number of parts, and says
  nothing about how many complaints there are. What each is about is as people have corrected it, or else as the text
  model read it; a model that errs alike for all hides patterns and makes none.

Each test is exact and one-sided (Fisher 1935: the hypergeometric distribution given both totals). All of them together
are held to a share of false discoveries (Benjamini and Hochberg 1995). A name without a single complaint is tested,
too: leaving it out because of what was seen would break the promise. Only what stands out is given back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from core.kpis.trends import controlled
from core.learn.metrics.proportions import Interval
from core.words.complaints.trend import ratio_interval

FALSE_SHARE = 0.10  # of what is shown, at most this share is expected to be chance
FEWEST = 2  # complaints: one alone is an incident, however few parts there were


@dataclass(frozen=True)
class Group:
    """One name with its counts.

    Attributes:
        about: what kind of name: order, machine, line, part type, seller or batch.
        what: what its complaints are about; empty for a rate.
        hits: parts complained about, or complaints about `what`.
        of: parts that left, or complaints in all.
    """

    about: str
    name: str
    hits: int
    of: int
    what: str = ""


@dataclass(frozen=True)
class Pattern:
    """A name that stands out.

    Attributes:
        share, elsewhere: its own share and that of the others of its kind.
        ratio, within: of the two, with its 95% interval, which is not corrected for the choice of what is shown.
        p_adjusted: for everything that was tested.
    """

    group: Group
    share: float
    elsewhere: float
    ratio: float | None
    within: Interval | None
    p: float
    p_adjusted: float

    @property
    def sentence(self) -> str:
        """In words."""
        one = self.group
        times = "" if self.ratio is None or not np.isfinite(self.ratio) else f", {self.ratio:.1f} times as much"
        if one.what:
            return (f"{one.hits} of the {one.of} complaints about {one.about} {one.name} are about {one.what} "
                    f"({self.share:.0%}; elsewhere {self.elsewhere:.0%}{times}).")  # fmt: skip
        return (f"{one.hits} of the {one.of:,} parts of {one.about} {one.name} that left are complained about "
                f"({1000 * self.share:.1f} per thousand; elsewhere {1000 * self.elsewhere:.1f}{times}).")  # fmt: skip


@dataclass(frozen=True)
class Tested:
    """What was looked at and what came of it."""

    tests: int
    patterns: tuple[Pattern, ...]
    q: float


def find_patterns(groups: Sequence[Group], q: float = FALSE_SHARE) -> Tested:
    """Every name against the others of its kind, those that stand out first.

    Args:
        groups: each name once for each `what`; those of one `about` and `what` are compared with each other.
        q: the largest expected share of chance among what is given back.
    """
    kinds: dict[tuple[str, str], list[Group]] = {}
    for one in groups:
        if one.of > 0:
            kinds.setdefault((one.about, one.what), []).append(one)
    asked: list[tuple[Group, float, float]] = []
    for mine in kinds.values():
        hits = np.array([min(one.hits, one.of) for one in mine])
        sizes = np.array([one.of for one in mine])
        all_hits, all_sizes = int(hits.sum()), int(sizes.sum())
        if len(mine) < 2 or not all_hits:
            continue
        p_values = stats.hypergeom.sf(hits - 1, all_sizes, all_hits, sizes)
        others = (all_hits - hits) / (all_sizes - sizes)
        asked += [(one, float(p), float(rest)) for one, p, rest in zip(mine, p_values, others, strict=True)]
    adjusted = controlled([p for _, p, _ in asked])
    found = [
        _pattern(one, p, p_adjusted, elsewhere, kinds[one.about, one.what])
        for (one, p, elsewhere), p_adjusted in zip(asked, adjusted, strict=True)
        if p_adjusted is not None and p_adjusted <= q and one.hits >= FEWEST
    ]
    return Tested(len(asked), tuple(sorted(found, key=lambda one: (one.p_adjusted, one.p))), q)


def _pattern(one: Group, p: float, p_adjusted: float, elsewhere: float, kind: Sequence[Group]) -> Pattern:
    rest_hits = sum(min(other.hits, other.of) for other in kind) - min(one.hits, one.of)
    rest = sum(other.of for other in kind) - one.of
    ratio, within, _ = ratio_interval(rest_hits, rest, min(one.hits, one.of), one.of)
    return Pattern(one, min(one.hits, one.of) / one.of, elsewhere, ratio, within, p, p_adjusted)

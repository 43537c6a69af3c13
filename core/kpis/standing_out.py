"""Which classes of defects are more frequent on one line than on the others, and where to look first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

from core.kpis.trends import controlled
from core.learn.metrics.proportions import Interval, proportion_interval

FALSE_SHARE = 0.10  # of what is marked, at most this share is expected to be chance

# What a quality engineer looks at first for a kind of defect; matched by the words of a class id.
_HINTS: Mapping[str, str] = {
    "BURR": "check tool wear",
    "SCRATCH": "check guides and handling",
    "PIT": "check the blank and the coolant",
    "CRACK": "check heat treatment and feed",
    "DIMENSIONAL": "check offsets and clamping",
    "TORN": "check knives and edges on the way",
    "BENT": "check pressure and stacking",
    "SEAL": "check temperature and dwell of the sealer",
    "LEAKAGE": "check the filler and the seal",
    "LABEL": "check the labeller and its roll",
    "EXPIRED": "check the date set at the printer",
}
_OTHERWISE = "look at its pictures"


@dataclass(frozen=True)
class OnLine:
    """One class on one line against the other lines of its site.

    Attributes:
        count: parts with the class, of `parts`.
        share, within: and its 95% interval.
        elsewhere: the share on the other lines; None where there are none.
        p: that the line is like the others or better; None without other lines.
        p_adjusted: for all classes and lines that are looked at together.
        stands_out: more frequent here, at the controlled rate of false discoveries.
    """

    line: int
    class_id: str
    count: int
    parts: int
    share: float
    within: Interval
    elsewhere: float | None
    p: float | None
    p_adjusted: float | None
    stands_out: bool


def standing_out(
    counts: Mapping[tuple[int, str], int], parts: Mapping[int, int], sites: Mapping[int, int], q: float = FALSE_SHARE
) -> list[OnLine]:
    """Every class on every line, those that stand out first.

    Args:
        counts: parts with a class, by line and class.
        parts: decided on each line.
        sites: of each line; lines are compared within theirs.
        q: the largest expected share of chance among what is marked.

    Source: Fisher's exact test; Benjamini and Hochberg 1995.
    """
    keys = [
        (line, class_id)
        for class_id in sorted({class_id for _, class_id in counts})
        for line in sorted(parts)
        if parts[line] and any(counts.get((other, class_id)) for other in parts if sites[other] == sites[line])
    ]
    tests = [_against_others(counts, parts, sites, *key) for key in keys]
    adjusted = controlled([p for p, _ in tests])
    found = []
    for (line, class_id), (p, elsewhere), p_adjusted in zip(keys, tests, adjusted, strict=True):
        count, all_parts = counts.get((line, class_id), 0), parts[line]
        within = proportion_interval(min(count, all_parts), all_parts) or Interval(0, 1)
        out = p_adjusted is not None and p_adjusted <= q
        found.append(OnLine(line, class_id, count, all_parts, count / all_parts, within, elsewhere, p, p_adjusted, out))
    return sorted(found, key=lambda one: (not one.stands_out, one.p_adjusted is None, one.p_adjusted or 0, -one.count))


def _against_others(
    counts: Mapping[tuple[int, str], int], parts: Mapping[int, int], sites: Mapping[int, int], line: int, class_id: str
) -> tuple[float | None, float | None]:
    others = [other for other in parts if other != line and sites[other] == sites[line]]
    all_there = sum(parts[other] for other in others)
    if not all_there:
        return None, None
    here = min(counts.get((line, class_id), 0), parts[line])
    there = min(sum(counts.get((other, class_id), 0) for other in others), all_there)
    table = [[here, parts[line] - here], [there, all_there - there]]
    return float(stats.fisher_exact(table, alternative="greater").pvalue), there / all_there


def hint(class_id: str, known: Sequence[str] = tuple(_HINTS)) -> str:
    """Where to look first; its pictures, for a class that nobody has written a hint for."""
    word = next((one for one in known if one in class_id.upper()), None)
    return _HINTS[word] if word is not None else _OTHERWISE

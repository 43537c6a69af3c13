"""What a gate asks: rates by class, site and size, baselines, calibration, time; made from counts or from pictures."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.errors import BadInput
from core.gates.limits import Limits
from core.gates.rates import Estimate, Question, Tally, bounds, plain, rate_question, tally
from core.learn.evaluation import Judged
from core.learn.metrics import FEWEST_GROUPS, Counts, flag_all
from core.learn.metrics.groups import numbered
from core.learn.paired import Paired
from core.records import NO_DEFECT, Quality

SIZES: Sequence[tuple[str, float, float]] = (
    ("under 50 px", 0.0, 50.0),
    ("50 to 100 px", 50.0, 100.0),
    ("100 px and more", 100.0, math.inf),
)
TENTH = 0.1  # of the pictures stand for "blurry" and "dark" where few were flagged so
BINS = 10
DRAWS = 4000
GOOD, BAD, FLAGGED = "good pictures", "defective pictures", "flagged pictures"


@dataclass(frozen=True)
class Where:
    """Of one picture, what slices are made of."""

    site: str = ""
    quality: Quality | None = None


def of_counts(
    counts: Counts, limits: Limits, about: str = "", good: Tally | None = None, bad: Tally | None = None,
    flagged: Tally | None = None, *, decides: bool = True,
) -> list[Question]:  # fmt: skip
    """Precision, recall and false rejects of a confusion matrix.

    Args:
        counts: of pictures.
        limits: to keep.
        about: what they are counted on, such as "at Lyon".
        good: flagged ones among the good pictures; each picture by itself where None.
        bad: flagged ones among the defective pictures, likewise.
        flagged: defective ones among the flagged pictures, likewise.
        decides: the gate hangs on them.
    """
    words = f" {about}" if about else ""
    return [
        rate_question(f"precision{words}", flagged or plain(counts.tp, counts.tp + counts.fp), limits.precision,
                      FLAGGED, decides=decides),
        rate_question(f"recall{words}", bad or plain(counts.tp, counts.tp + counts.fn), limits.recall, BAD,
                      decides=decides),
        rate_question(f"false rejects{words}", good or plain(counts.fp, counts.fp + counts.tn), limits.false_rejects,
                      GOOD, at_least=False, decides=decides),
    ]  # fmt: skip


def of_class(class_id: str, claimed: Tally, present: Tally, limits: Limits) -> list[Question]:
    """Precision and recall of one class, or of NO_DEFECT.

    Args:
        class_id: of the class.
        claimed: rightly claimed among those claimed.
        present: rightly claimed among those that show it.
        limits: to keep.
    """
    return [
        rate_question(f"precision of {class_id}", claimed, limits.precision, f"pictures called {class_id}"),
        rate_question(f"recall of {class_id}", present, limits.recall_of(class_id), f"pictures of {class_id}"),
    ]


def beyond_baselines(counts: Counts, good: Tally | None = None, bad: Tally | None = None) -> list[Question]:
    """Better, by F2, than flagging everything and than passing everything.

    F2 counts recall twice as much as precision. At the pictures' own share of defects it rises with recall and falls
    with false rejects, so its bounds come from theirs, each at half the level.
    """
    good = good or plain(counts.fp, counts.fp + counts.tn)
    bad = bad or plain(counts.tp, counts.tp + counts.fn)
    everything = flag_all(counts).f(2) or 0.0

    def f2(recall: float, rejects: float) -> float:
        share = recall * bad.n
        return 5 * share / (5 * share + 4 * (bad.n - share) + rejects * good.n) if bad.n else 0.0

    def above(baseline: float, name: str) -> Question:
        def estimate(level: float) -> Estimate:
            if not bad.n or not good.n:
                return Estimate(None, -1.0, 1.0)
            (low, high), (least, most) = bounds(bad, level / 2), bounds(good, level / 2)
            value = (counts.f(2) or 0.0) - baseline
            needed = None
            if value > 0:
                gap = value - (f2(low, most) - baseline)
                needed = math.ceil(counts.n * ((gap / value) ** 2 - 1)) if gap > value else 0
            return Estimate(value, f2(low, most) - baseline, f2(high, least) - baseline, needed)

        return Question(name, 0.0, True, counts.n, "pictures", estimate, strictly=True)

    return [above(everything, "F2 above flagging everything"), above(0.0, "F2 above passing everything")]


def beyond_prior(judged: Sequence[Judged]) -> Question:
    """Brier score below that of saying the share of defects to every picture; bounds by Student's t over parts."""
    said = np.array([j.score for j in judged], np.float64)
    so = np.array([j.defective for j in judged], np.float64)
    gain = (so.mean() - so) ** 2 - (said - so) ** 2 if len(so) else so
    return mean_question("Brier score below the prior's", gain, [j.group for j in judged], "pictures")


def mean_question(name: str, values: npt.ArrayLike, groups: Sequence[Hashable], unit: str) -> Question:
    """Ask whether a mean is above zero; pictures of one part move together.

    Source: the sandwich variance over clusters, as in Liang and Zeger 1986, with G - 1 degrees of freedom.
    """
    found = np.asarray(values, np.float64)
    number = numbered(groups, len(found))
    many = int(number.max()) + 1 if len(found) else 0

    def estimate(level: float) -> Estimate:
        if many < FEWEST_GROUPS:
            return Estimate(float(found.mean()) if len(found) else None, -1.0, 1.0)
        mean = float(found.mean())
        sums = np.bincount(number, found - mean, many)
        error = float(np.sqrt((sums**2).sum() * many / (many - 1)) / len(found))
        gap = float(stats.t.ppf(1 - level, many - 1)) * error
        needed = max(0, math.ceil(len(found) * ((gap / mean) ** 2 - 1))) if mean > 0 else None
        return Estimate(mean, mean - gap, mean + gap, needed)

    return Question(name, 0.0, True, len(found), unit, estimate, strictly=True)


def calibrated(judged: Sequence[Judged], limit: float, rng: np.random.Generator) -> Question:
    """Whether scores mean what they say; bounds by drawing whole parts anew.

    A drawn calibration error is larger than the one it was drawn from, as that one is larger than the truth: so the
    upper bound errs to the safe side, and the lower one is mirrored at the value for it.
    """
    said = np.array([j.score for j in judged], np.float64)
    so = np.array([j.defective for j in judged], np.float64)
    number = numbered([j.group for j in judged], len(said))
    many = int(number.max()) + 1 if len(said) else 0
    at = np.minimum((said * BINS).astype(int), BINS - 1)
    gaps, sizes = np.zeros((many, BINS)), np.bincount(number, minlength=many).astype(np.float64)
    np.add.at(gaps, (number, at), said - so)

    @lru_cache(1)
    def drawn() -> npt.NDArray[np.float64]:
        """(DRAWS,) calibration errors of as many parts drawn with replacement, in order."""
        found = []
        for _ in range(0, DRAWS, 500):
            times = rng.multinomial(many, np.full(many, 1 / many), size=500).astype(np.float64)
            found.append(np.abs(times @ gaps).sum(axis=1) / (times @ sizes))
        return np.sort(np.concatenate(found))

    def estimate(level: float) -> Estimate:
        if many < FEWEST_GROUPS:
            return Estimate(None, 0.0, 1.0)
        value = float(np.abs(gaps.sum(axis=0)).sum() / sizes.sum())
        high = float(np.quantile(drawn(), 1 - level, method="higher"))
        room = limit - value
        needed = max(0, math.ceil(len(said) * (((high - value) / room) ** 2 - 1))) if room > 0 else None
        return Estimate(value, max(0.0, 2 * value - high), high, needed)

    return Question("calibration error", limit, False, len(said), "pictures", estimate)


def fast(milliseconds: Sequence[float], limits: Limits) -> Question:
    """Whether few enough pictures take long."""
    slow = [one > limits.slow_ms for one in milliseconds]
    name = f"share slower than {limits.slow_ms:g} ms"
    typical = f"median {np.median(milliseconds):.1f} ms" if len(milliseconds) else ""
    return rate_question(name, tally(slow), limits.slow_share, "timed pictures", at_least=False, note=typical)


def of_pictures(
    judged: Sequence[Judged], classes: Sequence[str], limits: Limits, *, rng: np.random.Generator,
    where: Sequence[Where] | None = None, milliseconds: Sequence[float] = (),
) -> list[Question]:  # fmt: skip
    """Everything a gate asks of a model by itself; what it is compared with in production is asked by `paired`.

    Args:
        judged: labelled pictures that the model did not learn from.
        classes: the model's.
        limits: to keep.
        rng: of the draws behind the calibration's bounds.
        where: of each picture; no slices by site and quality where None.
        milliseconds: how long the engine took for pictures; not asked where empty.
    """
    if where is not None and len(where) != len(judged):
        raise BadInput(f"{len(judged)} pictures but {len(where)} places: give one for each.")
    places = list(where or [Where()] * len(judged))
    found = [*_rates(judged, limits), *beyond_baselines(_counts(judged), *_tallies(judged)[:2]), beyond_prior(judged)]
    for name in (NO_DEFECT, *classes):
        found += of_class(name, *_class(judged, name), limits)
    sites = sorted({one.site for one in places if one.site})
    if len(sites) > 1:
        for site in sites:
            found += _rates([j for j, one in zip(judged, places, strict=True) if one.site == site], limits,
                            f"at {site}")  # fmt: skip
    for name, low, high in SIZES:
        if asked := _of_size(judged, name, low, high, limits):
            found.append(asked)
    found.append(calibrated(judged, limits.calibration_error, rng))
    if milliseconds:
        found.append(fast(milliseconds, limits))
    for name, chosen in _qualities(places).items():
        if chosen.any():
            some = [j for j, one in zip(judged, chosen, strict=True) if one]
            found += _rates(some, limits, f"on {name} pictures", decides=False)
    return found


def _counts(judged: Sequence[Judged]) -> Counts:
    cells = [(j.flagged, j.defective) for j in judged]
    return Counts(cells.count((True, True)), cells.count((False, True)), cells.count((True, False)),
                  cells.count((False, False)))  # fmt: skip


def _tallies(judged: Sequence[Judged]) -> tuple[Tally, Tally, Tally]:
    """Flagged among the good, flagged among the defective, defective among the flagged."""
    good = [j for j in judged if not j.defective]
    bad = [j for j in judged if j.defective]
    flagged = [j for j in judged if j.flagged]
    return (
        tally([j.flagged for j in good], [j.group for j in good]),
        tally([j.flagged for j in bad], [j.group for j in bad]),
        tally([j.defective for j in flagged], [j.group for j in flagged]),
    )


def _rates(judged: Sequence[Judged], limits: Limits, about: str = "", *, decides: bool = True) -> list[Question]:
    return of_counts(_counts(judged), limits, about, *_tallies(judged), decides=decides)


def _class(judged: Sequence[Judged], name: str) -> tuple[Tally, Tally]:
    """Right among those the model calls so, and among those that are; a class is claimed where it is the likeliest."""
    claimed = [j for j in judged if j.said == name]
    present = [j for j in judged if _shows(j, name)]
    return (
        tally([_shows(j, name) for j in claimed], [j.group for j in claimed]),
        tally([j.said == name for j in present], [j.group for j in present]),
    )


def _shows(one: Judged, name: str) -> bool:
    return not one.defective if name == NO_DEFECT else name in one.classes


def _of_size(judged: Sequence[Judged], name: str, low: float, high: float, limits: Limits) -> Question | None:
    """Recall of drawn regions of one size; a region is found where its picture is flagged. None without any."""
    rows = [(j.flagged, j.group) for j in judged for one in j.drawn if low <= one.size_px < high]
    if not rows:
        return None
    found = tally([flagged for flagged, _ in rows], [group for _, group in rows])
    return rate_question(f"recall of defects {name}", found, limits.recall, f"drawn defects {name}")


def _qualities(places: Sequence[Where]) -> Mapping[str, npt.NDArray[np.bool_]]:
    """Pictures flagged as blurry, dark or partial; the blurriest and darkest tenth count as such, too."""
    known = np.array([one.quality is not None for one in places], bool)
    flags = [() if one.quality is None else one.quality.flags for one in places]
    found = {name: np.array([name in one for one in flags], bool) for name in ("blurry", "dark", "partial")}
    for name, figure in (("blurry", "sharpness"), ("dark", "brightness")):
        values = np.array([np.nan if one.quality is None else getattr(one.quality, figure) for one in places])
        if known.any():
            found[name] |= known & (values <= np.nanquantile(values, TENTH))
    return found


def beyond_production(pair: Paired, name: str) -> Question:
    """Better than the model in use: of the parts that only one of the two gets right, the new one gets more.

    Both fare alike on all other parts, so only these say anything: McNemar's exact test as a rate against one half.
    """
    differ = pair.gained + pair.lost
    return rate_question(
        f"right where it and {name} differ", plain(pair.gained, differ), 0.5, "parts", strictly=True,
        per_example=pair.n / differ if differ else 1.0,
        note=f"{pair.gained:,} parts gained, {pair.lost:,} lost, of {pair.n:,}",
    )  # fmt: skip

"""The HOLD bands of the demo sites: chosen by a rule on parts drawn for it, examined on others.

`pass_below` is the highest edge below which, with 95% confidence, lies no more than a stated share of the defective
parts; `fail_above` the lowest one above which lies no more than a stated share of the good parts. Both shares grow
with their edge alone, so the edge may be chosen on the very parts that bound it (Bates et al. 2021, theorem 1). What
came out is then counted once more on parts that had no say.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.jobs.intake.line import Progress, look_of, open_model, quiet
from app.settings import Settings
from core.decide.decision import join
from core.errors import ModelError
from core.learn.metrics import Interval, proportion_interval
from core.pictures.decode import decode
from data.demo.plan import taken
from data.demo.plant import LINES, SITES, TOLD_BY_READING, Band, Line
from data.demo.study import fresh_parts

CONFIDENCE = 0.95
EACH = 130  # defective parts in a draw, and good ones
_LIKELY = 0.5  # what is likelier defective than not never passes by itself, nor does what is likelier good fail
_DIGITS = 4
_CHOICE, _EXAMINATION = 1001, 2005  # added to the study's seed


@dataclass(frozen=True)
class Scored:
    """One part as the line would score it.

    Attributes:
        by_reading: it is defective, and only reading would tell.
    """

    score: float
    defective: bool
    by_reading: bool = False


@dataclass(frozen=True)
class Edges:
    """Of a HOLD band; a score below the first passes, one above the second fails."""

    pass_below: float
    fail_above: float


def bands(
    model: str, folder: Path, settings: Settings, seed: int, progress: Progress = quiet, each: int = EACH
) -> dict[str, Any]:
    """Choose and examine the band of every site that the model serves and that has a policy.

    Args:
        model: name of a shipped one.
        folder: where it lies.
        settings: of this machine.
        seed: of the study; the two draws have seeds of their own.
        progress: told after every part.
        each: defective parts in a draw, and good ones.

    Returns:
        {site: {pass_below, fail_above, rule: {...}, chosen_on: {...}, examined_on: {...}}}, ready for the card.
    """
    found = {}
    for site in SITES:
        if site.model != model or site.band is None:
            continue
        lines = [line for line in LINES if line.site == site.name]
        seeds = (seed + _CHOICE, seed + _EXAMINATION)
        first, second = (list(scored(lines, folder, settings, one, each, progress)) for one in seeds)
        edges = chosen(first, site.band)
        found[site.name] = {
            "pass_below": edges.pass_below,
            "fail_above": edges.fail_above,
            "rule": {"miss": site.band.miss, "false_fail": site.band.false_fail, "confidence": CONFIDENCE},
            "chosen_on": {"seed": seeds[0], **counted(first, edges, defective_share(lines))},
            "examined_on": {"seed": seeds[1], **counted(second, edges, defective_share(lines))},
        }
    return found


def scored(
    lines: Sequence[Line], folder: Path, settings: Settings, seed: int, each: int, progress: Progress = quiet
) -> Iterator[Scored]:
    """Draw parts, and score each as the line would: by its part type's look, joined over its views.

    Raises:
        ModelError: the model gave no score.
    """
    engine = open_model(None, settings, str(folder))
    for count, part in enumerate(fresh_parts(lines, each, seed), start=1):
        files = [taken(part, shot) for shot in part.shots]
        look = look_of(part.line.part) or engine.card.look
        said = engine.score([decode(data).pixels for data, _ in files], look)
        score = join((shot.view.name, one.score) for shot, one in zip(part.shots, said, strict=True))
        if score is None:
            raise ModelError(f"{folder} gave no score for part {part.name}: train it again.")
        names = {region.name for _, regions in files for region in regions}
        yield Scored(score, bool(names), bool(names) and names <= set(TOLD_BY_READING))
        progress(count, 2 * each, "parts for the HOLD band")


def chosen(parts: Sequence[Scored], band: Band) -> Edges:
    """The narrowest band that keeps the figures; where too few parts were drawn to prove one, its edge decides nothing.

    Where the two edges would cross each other or one half, they stand back: both figures are kept, with room.
    """
    bad = sorted(part.score for part in parts if part.defective and not part.by_reading)
    good = sorted((part.score for part in parts if not part.defective), reverse=True)
    misses, rejects = allowed(len(bad), band.miss), allowed(len(good), band.false_fail)
    low = 0.0 if misses is None else math.floor(bad[misses] * 10**_DIGITS) / 10**_DIGITS
    high = 1.0 if rejects is None else math.ceil(good[rejects] * 10**_DIGITS) / 10**_DIGITS
    return Edges(min(low, high, _LIKELY), max(low, high, _LIKELY))


def allowed(trials: int, figure: float) -> int | None:
    """How many may go wrong while the upper bound of their share stays within the figure; None where not even 0."""
    kept = [k for k in range(trials) if _upper(k, trials) <= figure]
    return max(kept, default=None)


def counted(parts: Sequence[Scored], edges: Edges, share: float) -> dict[str, Any]:
    """What the band does to these parts.

    Args:
        parts: as drawn.
        edges: of the band.
        share: of the line's parts that are defective, for what the inspectors will see of it.
    """
    bad = [part.score for part in parts if part.defective and not part.by_reading]
    read = [part.score for part in parts if part.by_reading]
    good = [part.score for part in parts if not part.defective]
    passed = sum(score < edges.pass_below for score in bad)
    failed = sum(score > edges.fail_above for score in good)
    held = [_held(scores, edges) for scores in (bad, good)]
    return {
        "defective": len(bad),
        "good": len(good),
        "passed_defective": passed,
        "miss_interval": _pair(proportion_interval(passed, len(bad), CONFIDENCE)),
        "failed_good": failed,
        "false_fail_interval": _pair(proportion_interval(failed, len(good), CONFIDENCE)),
        "held_share": round(share * held[0] + (1 - share) * held[1], 4),
        "told_by_reading": len(read),
        "told_by_reading_passed": sum(score < edges.pass_below for score in read),
    }


def defective_share(lines: Sequence[Line]) -> float:
    """Of the parts that these lines make."""
    return sum(line.share * line.defective for line in lines) / sum(line.share for line in lines)


def _held(scores: Sequence[float], edges: Edges) -> float:
    held = sum(edges.pass_below <= score <= edges.fail_above for score in scores)
    return held / len(scores) if scores else 0.0


def _upper(successes: int, trials: int) -> float:
    """Exact one-sided upper bound of a rate (Clopper and Pearson 1934)."""
    both = proportion_interval(successes, trials, 2 * CONFIDENCE - 1)
    return 1.0 if both is None else both.high


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]

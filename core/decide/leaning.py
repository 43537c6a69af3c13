"""Which way a model leans on a part, so that an answer against it can be asked for its reason."""

from collections.abc import Mapping

from core.records import Outcome, Verdict

EVEN = 0.5

# At most six each, so that a hand finds them without reading; the codes are what is counted.
CHIPS: Mapping[Verdict, tuple[str, ...]] = {
    Verdict.PASS: (
        "Dirt or dust",
        "Light or reflection",
        "Normal surface",
        "Within tolerance",
        "Bad picture",
        "Other",
    ),
    Verdict.FAIL: (
        "Defect not marked",
        "Very small defect",
        "New kind of defect",
        "Stricter tolerance",
        "Wrong label or part",
        "Other",
    ),
}


def leaning(outcome: Outcome | None, score: float | None, band: tuple[float, float] | None) -> Verdict | None:
    """PASS or FAIL, whichever the decision is nearer to; None where nothing leans.

    Args:
        outcome: of the decision; None before there is one.
        score: of the part, in [0, 1]; None where nothing could be scored.
        band: what is held under the policy in force; None without one, and the middle is then even odds.
    """
    if outcome is Outcome.PASS:
        return Verdict.PASS
    if outcome is Outcome.FAIL:
        return Verdict.FAIL
    if outcome is None or score is None:
        return None
    middle = EVEN if band is None else (band[0] + band[1]) / 2
    return Verdict.FAIL if score >= middle else Verdict.PASS


def overrides(verdict: Verdict, leaning: Verdict | None) -> bool:
    """Whether an answer goes against the leaning; UNSURE goes against nothing."""
    if leaning is None or verdict.defective is None:
        return False
    return verdict.defective is not leaning.defective


def chips_for(verdict: Verdict) -> tuple[str, ...]:
    """The reasons that may be given for an answer against the model."""
    return CHIPS[Verdict.FAIL if verdict.defective else Verdict.PASS]

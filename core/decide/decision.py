"""PASS, HOLD or FAIL for one part, from all its pictures, with the reasons in plain sentences.

Whatever is missing, broken or not a number is HOLD. PASS needs everything to be there and in order.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.decide.by_policy import STRICTNESS, by_policy, reported
from core.decide.by_policy import short as short
from core.decide.policy import Nobody, Policy, provisional
from core.errors import BadInput
from core.pictures.quality import flags
from core.records import ImageState, Outcome, Prediction, Quality, Reason, Route

NO_MODEL = "no model"  # the error of a picture at a site that has no model in use
NOT_COMPARED = "not compared"  # of one that a memory of good parts should have judged, and did not

_RESCAN = frozenset({"unreadable", "quality", "missing view"})
_EDGE = 1e-9  # a score of exactly 0 or 1 has no log-odds


@dataclass(frozen=True)
class PartPicture:
    """What is known of one picture of a part when it is decided.

    Attributes:
        view: which side of the part it shows; None where nobody said.
        quality: as measured on arrival; None only for a picture that could not be read.
        prediction: None where the engine gave none; `error` then says why.
        same_as: an earlier image with the same bytes from another capture.
        error: why there is no prediction; NO_MODEL where the site has no model.
    """

    image_id: int
    state: ImageState = ImageState.OK
    state_note: str = ""
    view: str | None = None
    quality: Quality | None = None
    prediction: Prediction | None = None
    same_as: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class PartEvidence:
    """Everything a part is decided on.

    Attributes:
        expected_views: their names, or how many pictures; None where the part type expects nothing.
        timed_out: the part was closed by the clock and not by its last picture.
        exposures: the part type says that pictures without a named view are exposures of one view.
        print_faults: what the check of its printed label holds it for.
    """

    pictures: Sequence[PartPicture]
    expected_views: tuple[str, ...] | int | None = None
    timed_out: bool = False
    exposures: bool = False
    print_faults: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class SiteRules:
    """What is in force at the part's site, read in the transaction that writes the decision.

    Attributes:
        policy: None where none is approved; one that still waits for approval counts as none.
        calibrated: somebody has confirmed that the model's scores are probabilities at this site.
        paused: why auto-PASS is paused; None while it is on.
        staffed: somebody is at the desk at this hour.
    """

    policy: Policy | None = None
    calibrated: bool = False
    paused: str | None = None
    staffed: bool = True


@dataclass(frozen=True)
class Decided:
    """The answer, before the store gives it a number.

    Attributes:
        score: joined from the pictures that could be scored; None where none could.
        leaning: what the score alone would give, by the policy or by .40 and .65 where none decides; it only
            sorts the queue. None without a score.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    route: Route
    score: float | None
    class_scores: Mapping[str, float] = field(default_factory=dict)
    leaning: Outcome | None = None


def decide(evidence: PartEvidence, rules: SiteRules) -> Decided:
    """Decide about one part.

    A picture that cannot be trusted holds the part even when another one would fail it: a person sees both.
    A pause holds what would pass and leaves a FAIL a FAIL. What the policy reports of single classes changes nothing
    and is said last.
    """
    decided = _decide(evidence, rules)
    policy = rules.policy if rules.policy is not None and rules.policy.approved else None
    if policy is None:
        return decided
    if decided.outcome is Outcome.HOLD and not rules.staffed:
        decided = _unattended(decided, policy)
    return replace(
        decided, reasons=(*decided.reasons, *reported((one.prediction for one in evidence.pictures), policy))
    )


def decide_strictly(evidence: PartEvidence, several: Sequence[SiteRules]) -> tuple[Decided, SiteRules]:
    """Decide a part that several policies are for, as one whose pictures come from two lines: the strictest counts.

    Args:
        evidence: of the part.
        several: at least one; the first of those that are equally strict counts.
    """
    answers = [(decide(evidence, rules), rules) for rules in several]
    return max(answers, key=lambda answer: STRICTNESS[answer[0].outcome])


def _decide(evidence: PartEvidence, rules: SiteRules) -> Decided:
    pictures = sorted(evidence.pictures, key=lambda picture: (picture.view or "", picture.image_id))
    policy = rules.policy if rules.policy is not None and rules.policy.approved else None
    holding = [*_about_parts(evidence), *_unique(reason for one in pictures for reason in _about(one, policy))]
    if policy is None:
        holding.append(Reason("no policy", "No policy is approved at this site, so nothing passes by itself."))
    if not rules.calibrated:
        holding.append(
            Reason("not calibrated", "The model is not calibrated at this site, so nothing passes by itself.")
        )

    score = score_of(evidence)
    class_scores = join_classes(prediction for _, prediction in _scored(pictures))
    if score is None:
        if not holding:  # nothing to go by and no explanation: never PASS
            holding.append(Reason("no prediction", "No picture of this part has a score."))
        return Decided(Outcome.HOLD, (*holding, *evidence.print_faults), _hold_route(holding), None, class_scores)

    sorting = policy or provisional("")
    leaning = sorting.sort(score)
    verdict, because = by_policy(score, class_scores, sorting)
    faults = evidence.print_faults  # they hold what would pass, and stand beside the reasons of what fails anyway
    if policy is not None and verdict is Outcome.FAIL and not holding:
        return Decided(verdict, (*because, *faults), policy.fail_route, score, class_scores, leaning)
    holding += faults
    if policy is None or holding:
        if policy is not None and verdict is not Outcome.PASS:
            holding += because
        return Decided(Outcome.HOLD, tuple(holding), _hold_route(holding), score, class_scores, leaning)
    if verdict is Outcome.PASS and rules.paused is not None:
        paused = Reason("paused", f"Auto-PASS is paused at this site: {rules.paused.strip() or 'no reason was given'}.")
        return Decided(Outcome.HOLD, (paused,), Route.HOLD, score, class_scores, leaning)
    route = Route.SHIP if verdict is Outcome.PASS else Route.HOLD
    return Decided(verdict, tuple(because), route, score, class_scores, leaning)


def score_of(evidence: PartEvidence) -> float | None:
    """A part's score, joined from the pictures that could be scored; None where none could."""
    return join(((view, prediction.score) for view, prediction in _scored(evidence.pictures)), evidence.exposures)


def _scored(pictures: Iterable[PartPicture]) -> list[tuple[str | None, Prediction]]:
    return [
        (one.view, one.prediction) for one in pictures if one.prediction is not None and not _faults(one.prediction)
    ]


def supersede(before: Outcome, fresh: Decided) -> Decided:
    """A later decision about the same part, which is never looser than the one before unless a person said so."""
    if STRICTNESS[fresh.outcome] >= STRICTNESS[before]:
        return fresh
    kept = Reason("kept", f"It was {before} before: only a person can loosen that.")
    route = Route.HOLD if before is Outcome.HOLD else Route.REWORK
    return replace(fresh, outcome=before, reasons=(kept, *fresh.reasons), route=route)


def join(scores: Iterable[tuple[str | None, float]], exposures: bool = False) -> float | None:
    """One defect score for a part.

    Pictures of one view are exposures of the same surface: their log-odds are averaged. Views show different
    surfaces: the largest counts. A picture whose view nobody named is a view of its own, because an average could
    hide the one side with the defect; unless the part type says that such pictures are exposures of one view.

    Args:
        scores: (view, calibrated score in [0, 1]) of each picture, in any order.
        exposures: pictures whose view nobody named are exposures of one view.

    Returns:
        In [0, 1]; None without a picture.

    Raises:
        BadInput: for a score that is not in [0, 1].
    """
    views: dict[object, list[float]] = defaultdict(list)
    for number, (view, score) in enumerate(scores):
        if not 0 <= score <= 1:
            raise BadInput(f"A score of {score} is no probability: it has to lie in 0 to 1.")
        views[number if view is None and not exposures else view].append(score)
    if not views:
        return None
    return max(_mean_log_odds(exposures) for exposures in views.values())


def join_classes(predictions: Iterable[Prediction]) -> dict[str, float]:
    """Class scores of a part: of its pictures, weighted by how defective each one looks."""
    weights: dict[str, float] = defaultdict(float)
    total = 0.0
    for prediction in sorted(predictions, key=lambda one: (one.score, sorted(one.class_scores.items()))):
        weight = max(prediction.score, _EDGE)
        total += weight
        for name, value in prediction.class_scores.items():
            weights[name] += weight * value
    return {name: min(1.0, weights[name] / total) for name in sorted(weights)}


def _mean_log_odds(scores: Sequence[float]) -> float:
    if min(scores) == max(scores):
        return scores[0]
    safe = sorted(min(1 - _EDGE, max(_EDGE, score)) for score in scores)
    mean = math.fsum(math.log(score) - math.log1p(-score) for score in safe) / len(safe)
    return min(max(scores), max(min(scores), 1 / (1 + math.exp(-mean))))  # rounding never leaves the range


def _unattended(decided: Decided, policy: Policy) -> Decided:
    """A held part while nobody is at the desk goes where the policy says."""
    if policy.when_nobody is Nobody.HOLD:
        return decided
    if policy.when_nobody is Nobody.STOP:
        reason = Reason("nobody there", "Nobody is at the desk at this hour: the line stops until somebody is.")
        return replace(decided, reasons=(*decided.reasons, reason), route=Route.STOP)
    reason = Reason("nobody there", "Nobody is at the desk at this hour: scan the part a second time.")
    return replace(decided, reasons=(*decided.reasons, reason), route=Route.SECOND_SCAN)


def _about_parts(evidence: PartEvidence) -> list[Reason]:
    if not evidence.pictures:
        return [Reason("missing view", "No picture of this part has arrived: scan it.")]
    expected = evidence.expected_views
    when = "within the time-out" if evidence.timed_out else "yet"
    if expected is None:
        return []
    if isinstance(expected, int):
        found = len(evidence.pictures)
        if found >= expected:
            return []
        return [
            Reason("missing view", f"Only {found} of {expected} expected pictures arrived {when}: scan the part again.")
        ]
    absent = [view for view in expected if view not in {picture.view for picture in evidence.pictures}]
    return [Reason("missing view", f"View '{view}' has not arrived {when}: scan the part again.") for view in absent]


def _about(picture: PartPicture, policy: Policy | None) -> list[Reason]:
    """What keeps one picture from being trusted, whatever its score."""
    note = f" ({picture.state_note})" if picture.state_note else ""
    seen = f"View '{picture.view}'" if picture.view else "A picture"
    if picture.state is ImageState.QUARANTINED:
        return [Reason("unreadable", f"picture unreadable: rescan{note}")]
    if picture.state is ImageState.MISSING:
        return [Reason("missing file", f"file missing: the picture that was scored is no longer there{note}")]
    if picture.state is ImageState.CHANGED:
        return [Reason("changed", f"evidence changed: the file is not the one that was scored{note}")]
    reasons = []
    if picture.same_as is not None:
        reasons.append(
            Reason(
                "same picture",
                f"same picture as image {picture.same_as}: the camera may be frozen, or a file was copied",
            )
        )
    reasons += _about_quality(picture.quality, policy, seen)
    prediction = picture.prediction
    if picture.error == NO_MODEL:
        reasons.append(Reason("no model", "No model is in use at this site, so a person decides."))
    elif picture.error == NOT_COMPARED:
        reasons.append(Reason("not compared", f"{seen} was not compared with good parts, as all are here."))
    elif picture.error is not None:
        reasons.append(Reason("model error", f"The model failed on this picture: {picture.error}"))
    elif prediction is None:
        reasons.append(Reason("no prediction", f"{seen} has no prediction, so a person decides."))
    if prediction is not None:
        reasons += _about_prediction(prediction, policy, seen)
    return reasons


def _about_quality(quality: Quality | None, policy: Policy | None, seen: str) -> list[Reason]:
    if quality is None:
        return [Reason("quality", f"{seen} was never checked for sharpness and light.")]
    measured = (quality.sharpness, quality.brightness, quality.contrast, quality.dark, quality.bright)
    if not all(math.isfinite(value) for value in measured):
        return [Reason("quality", f"{seen} has no usable measure of sharpness and light.")]
    raised = set(quality.flags)
    if policy is not None and policy.quality_limits is not None:
        raised = set(flags(quality, policy.quality_limits))
    return [Reason("quality", f"{seen} is of poor quality: {flag}.") for flag in sorted(raised)]


def _about_prediction(prediction: Prediction, policy: Policy | None, seen: str) -> list[Reason]:
    faults = _faults(prediction)
    if faults:
        return [Reason("model error", f"The model's answer is no number: {faults}.")]
    limit = policy.novelty_limit if policy is not None else None
    if prediction.novelty is None:
        if limit is None:
            return []
        return [Reason("novelty", "The policy limits novelty, but the model in use does not measure it.")]
    allowed = 1.0 if limit is None else limit
    if prediction.novelty <= allowed:
        return []
    return [
        Reason(
            "novelty", f"{seen} resembles nothing known good: novelty {prediction.novelty:.2f}, limit {allowed:.2f}."
        )
    ]


def _faults(prediction: Prediction) -> str:
    """What in a prediction is not a number in its range; empty where all is well."""
    if not 0 <= prediction.score <= 1:  # false for NaN too
        return f"score {prediction.score}"
    for name, value in prediction.class_scores.items():
        if not 0 <= value <= 1:
            return f"{name} {value}"
    if prediction.novelty is not None and not math.isfinite(prediction.novelty):
        return f"novelty {prediction.novelty}"
    return ""


def _hold_route(reasons: Sequence[Reason]) -> Route:
    return Route.SECOND_SCAN if any(reason.code in _RESCAN for reason in reasons) else Route.HOLD


def _unique(reasons: Iterable[Reason]) -> list[Reason]:
    return list(dict.fromkeys(reasons))

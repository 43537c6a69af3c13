"""What a policy's thresholds make of a score and its classes, in plain sentences."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from core.decide.policy import Policy
from core.records import Outcome, Prediction, Reason

STRICTNESS = {Outcome.PASS: 0, Outcome.HOLD: 1, Outcome.FAIL: 2}


def by_policy(score: float, class_scores: Mapping[str, float], policy: Policy) -> tuple[Outcome, list[Reason]]:
    """What the thresholds give, those of single classes too: the strictest counts, and says why."""
    leaning = policy.sort(score)
    answers = [(leaning, _by_score(score, leaning, policy))]
    answers += (_by_class(name, score, class_scores.get(name), policy) for name in sorted(policy.classes))
    verdict = max((outcome for outcome, _ in answers), key=STRICTNESS.__getitem__)
    because = [reason for outcome, reason in answers if outcome is verdict]
    if verdict is Outcome.FAIL and policy.minimum_confidence is not None:
        doubt = _doubt(class_scores, policy.minimum_confidence)
        if doubt is not None:
            return Outcome.HOLD, [doubt, *because]
    return verdict, because if verdict is not Outcome.PASS else because[:1]


def _by_class(name: str, score: float, share: float | None, policy: Policy) -> tuple[Outcome, Reason]:
    """What the limits of one class give; a class that the model does not name keeps the part from passing."""
    rule = policy.classes[name]
    if not rule.decides:
        return Outcome.PASS, Reason("pass", f"{name} is only reported.")
    if share is None:
        return Outcome.HOLD, Reason(
            "class unknown", f"The policy limits {name}, but the model in use does not name it."
        )
    risk = score * share
    if rule.fail_above is not None and risk > rule.fail_above:
        return Outcome.FAIL, Reason(
            "class fail", f"Risk of {name} {short(risk, rule.fail_above)} is above {short(rule.fail_above)}."
        )
    if rule.pass_below is not None and not risk < rule.pass_below:
        return Outcome.HOLD, Reason(
            "class band", f"Risk of {name} {short(risk, rule.pass_below)} is not below {short(rule.pass_below)}."
        )
    return Outcome.PASS, Reason("pass", f"Risk of {name} {short(risk)} is within its limits.")


def _doubt(class_scores: Mapping[str, float], least: float) -> Reason | None:
    """Why a person has to name the defect of a part that would fail; None where its class is sure enough."""
    if not class_scores:
        return Reason("class unsure", "The policy asks for a sure class, but the model in use names none.")
    name, share = max(class_scores.items(), key=lambda pair: (pair[1], pair[0]))
    if share >= least:
        return None
    return Reason(
        "class unsure",
        f"The likeliest class is {name} with {short(share, least)}, and the policy asks for {short(least)}.",
    )


def reported(predictions: Iterable[Prediction | None], policy: Policy) -> list[Reason]:
    """Every region above its class's report limit, one sentence for each class."""
    found: dict[str, list[float]] = defaultdict(list)
    for prediction in predictions:
        for region in prediction.regions if prediction is not None else ():
            rule = policy.classes.get(region.class_id or region.name)
            above = None if rule is None else rule.report_above
            if above is not None and region.score is not None and region.score > above:
                found[region.class_id or region.name].append(region.score)
    return [Reason("reported", _report(name, found[name], policy)) for name in sorted(found)]


def _report(name: str, scores: Sequence[float], policy: Policy) -> str:
    limit = policy.classes[name].report_above or 0.0
    listed = ", ".join(short(score, limit) for score in sorted(scores, reverse=True))
    regions = "1 region" if len(scores) == 1 else f"{len(scores)} regions"
    return f"{regions} of {name} above the report limit {short(limit)}: {listed}."


def short(value: float, *edges: float) -> str:
    """A score as people write it: .61, with as many digits as tell it apart from the edges it is compared with."""
    for digits in (2, 3, 4):
        text = f"{value:.{digits}f}"
        if value < 1 <= float(text):
            text = "0.9999"  # a score below 1 never reads 1.00
        elif all(value == edge or text != f"{edge:.{digits}f}" for edge in edges):
            break
    return text.removeprefix("0") if text.startswith("0.") else text


def _by_score(score: float, leaning: Outcome, policy: Policy) -> Reason:
    low, high = policy.band
    shown = short(score, low, high)
    if leaning is Outcome.PASS:
        return Reason("pass", f"Score {shown} is below {short(low)}.")
    if leaning is Outcome.FAIL:
        return Reason("fail", f"Score {shown} is above {short(high)}.")
    return Reason("band", f"Score {shown} lies in the HOLD band {short(low)}–{short(high)}.")

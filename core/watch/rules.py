"""The rules of an alarm: what is watched, the limit, how often it may be wrong, and what it sets off."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from core.errors import BadInput


class RuleKind(StrEnum):
    """What is watched."""

    MISSES = "misses"
    FALSE_REJECTS = "false rejects"
    OVERRIDES = "overrides"
    CONFIDENCE = "confidence"
    DRIFT = "drift"
    LABELS = "labels"
    THROUGHPUT = "throughput"
    LATENCY = "latency"
    SPEED = "speed"
    AVAILABILITY = "availability"
    STALLED = "stalled camera"
    BACKLOG = "backlog"
    GATE = "gate"
    PIPELINE = "pipeline"


class Step(StrEnum):
    """What an alarm sets off."""

    PAUSE = "pause"
    NOTIFY = "notify"
    INVESTIGATE = "investigation"
    PROPOSE = "policy"
    RECALIBRATE = "recalibration"
    RETRAIN = "retraining"
    SCALE_UP = "scale-up"


STEPS: Mapping[Step, str] = {
    Step.PAUSE: "pause auto-PASS",
    Step.NOTIFY: "tell people",
    Step.INVESTIGATE: "open an investigation",
    Step.PROPOSE: "propose a stricter policy",
    Step.RECALIBRATE: "start a recalibration",
    Step.RETRAIN: "ask for a retraining",
    Step.SCALE_UP: "ask for more capacity",
}


@dataclass(frozen=True)
class Meaning:
    """What a kind of rule is about, the same for every site.

    Attributes:
        says: the rule as a sentence, with {limit}.
        definition: how the figure is made.
        unit: of the limit: "share", "/min", "ms", "/s", "min", "h" or "distance".
        about: whether each site, line or camera has its own figure.
        most: the limit lies between 0 and this.
        upper: an alarm is about figures above the limit, not below.
        tested: it is a rate with a promised number of false alarms; the others are plain conditions.
    """

    says: str
    definition: str
    unit: str
    about: str
    most: float
    upper: bool = True
    tested: bool = True


MEANING: Mapping[RuleKind, Meaning] = {
    RuleKind.MISSES: Meaning(
        "More than {limit} of the defective parts pass",
        "Miss rate, P(PASS | defective), from audits only: an audited PASS counts 1 / its audit share, a HOLD counts "
        "as defective until a person says good, and so does a FAIL where none is audited.",
        "share", "site", 1.0,
    ),
    RuleKind.FALSE_REJECTS: Meaning(
        "More than {limit} of the good parts fail",
        "False-reject rate, P(FAIL | good): an audited FAIL that a person finds good counts 1 / its audit share; every "
        "other part counts as good unless a person has found it defective.",
        "share", "site", 1.0,
    ),
    RuleKind.OVERRIDES: Meaning(
        "Inspectors override more than {limit} of the PASS and FAIL they see",
        "Standing answers that contradict the PASS or FAIL they saw, among all answers that saw one.",
        "share", "site", 1.0,
    ),
    RuleKind.CONFIDENCE: Meaning(
        "The mean confidence is below {limit}",
        "Of every picture scored: the larger of its score and 1 minus it.",
        "share", "site", 1.0, upper=False,
    ),
    RuleKind.DRIFT: Meaning(
        "A camera's pictures or scores differ by more than {limit} from its reference",
        "The largest difference of two distribution functions (Kolmogorov-Smirnov distance) from the camera's first "
        "pictures under this model: of confidence, sharpness, brightness, contrast, novelty where the model gives it, "
        "and of the embedding, along the way in which the pictures just before have moved and by how far they lie from "
        "the middle.",
        "distance", "camera", 0.9,
    ),
    RuleKind.LABELS: Meaning(
        "The share of a class among the labels differs by more than {limit} from its reference",
        "Of each class, and of good, among people's labels; the reference is the site's first labels under this model.",
        "distance", "site", 0.9,
    ),
    RuleKind.THROUGHPUT: Meaning(
        "A line that runs sends fewer than {limit} parts a minute",
        "Parts whose first picture arrives from a line; a minute without any, five or more in a row, is a line that "
        "does not run.",
        "/min", "line", 10_000.0, upper=False,
    ),
    RuleKind.LATENCY: Meaning(
        "P99 is above {limit} in 5 minutes in a row",
        "Of every minute with pictures: the 99th percentile of the engine's milliseconds. A minute is slow where more "
        "of its pictures take longer than chance gives one minute in twenty while 1% do; five in a row, and evidence "
        "over all minutes that more than 1% take longer.",
        "ms", "site", 60_000.0,
    ),
    RuleKind.SPEED: Meaning(
        "The engine does fewer than {limit} pictures a second",
        "Half of the pictures take longer than a second divided by the limit.",
        "/s", "site", 10_000.0, upper=False,
    ),
    RuleKind.AVAILABILITY: Meaning(
        "The engine answers for less than {limit} of the readable pictures",
        "Readable pictures at a site with a model, whether the engine gave a score or an error.",
        "share", "site", 1.0, upper=False,
    ),
    RuleKind.STALLED: Meaning(
        "A camera has sent nothing for {limit} while others of the site did",
        "Time since the last picture of a camera, while another one has sent some in the meantime; a camera that has "
        "rested for a day is taken out of service.",
        "min", "camera", 1440.0, tested=False,
    ),
    RuleKind.BACKLOG: Meaning(
        "A held part has waited longer than {limit}",
        "Age of the oldest open task about a held part; audits and gold items hold nothing up.",
        "h", "site", 1000.0, tested=False,
    ),
    RuleKind.GATE: Meaning(
        "A model is not let through its gate, which lets one through that breaks a limit with a chance of {limit}",
        "Of all limits of the gate together; raised by the gate itself, not by looking.",
        "share", "model", 0.5, tested=False,
    ),
    RuleKind.PIPELINE: Meaning(
        "A step of a training pipeline fails, or a run begins more than {limit} after its time",
        "Raised by the run itself, or by the worker that finds it ended; a gate that says no is no failed step.",
        "h", "pipeline", 1000.0, tested=False,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One rule of one site; a change is a new number, never an edit.

    Attributes:
        limit: in the unit of its kind.
        rate: false alarms a quarter and site that its evidence may cost in expectation; unused by plain conditions.
        number: 0 for what comes with Holdpoint.
        waits: it is looser than the one in force, and nobody else has approved it yet.
    """

    kind: RuleKind
    limit: float
    steps: tuple[Step, ...]
    rate: float = 0.05
    on: bool = True
    number: int = 0
    by: str = ""
    reason: str = ""
    waits: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        meaning = MEANING[self.kind]
        if not (math.isfinite(self.limit) and 0 < self.limit < meaning.most * (1 + 1e-12)):
            raise BadInput(f"A limit of {self.limit:g} for {self.kind} means nothing: give more than 0, up to "
                           f"{meaning.most:g}.")  # fmt: skip
        if meaning.unit in ("share", "distance") and not self.limit < 1:
            raise BadInput(f"A limit of {self.limit:g} for {self.kind} is always or never kept: give less than 1.")
        if not 0.0001 <= self.rate <= 10:
            raise BadInput(f"{self.rate:g} false alarms a quarter: give between 0.0001 and 10.")
        if len(set(self.steps)) != len(self.steps):
            raise BadInput("A step stands twice in the rule: name each once.")

    @property
    def pauses(self) -> bool:
        """Whether its alarm stops auto-PASS."""
        return self.on and Step.PAUSE in self.steps

    @property
    def sentence(self) -> str:
        """The rule in words, such as "More than 1% of the defective parts pass"."""
        return MEANING[self.kind].says.format(limit=spoken_limit(self.kind, self.limit))


_NOTIFY = Step.NOTIFY
DEFAULTS: Mapping[RuleKind, Rule] = {
    rule.kind: rule
    for rule in (
        Rule(RuleKind.MISSES, 0.01, (Step.PAUSE, _NOTIFY, Step.INVESTIGATE, Step.PROPOSE)),
        Rule(RuleKind.FALSE_REJECTS, 0.05, (_NOTIFY, Step.INVESTIGATE, Step.RECALIBRATE)),
        Rule(RuleKind.OVERRIDES, 0.10, (_NOTIFY, Step.INVESTIGATE, Step.RECALIBRATE)),
        Rule(RuleKind.CONFIDENCE, 0.85, (_NOTIFY, Step.INVESTIGATE)),
        Rule(RuleKind.DRIFT, 0.20, (_NOTIFY, Step.INVESTIGATE, Step.RETRAIN)),
        Rule(RuleKind.LABELS, 0.15, (_NOTIFY, Step.RETRAIN)),
        Rule(RuleKind.THROUGHPUT, 20.0, (_NOTIFY, Step.SCALE_UP)),
        Rule(RuleKind.LATENCY, 200.0, (_NOTIFY, Step.SCALE_UP)),
        Rule(RuleKind.SPEED, 1.0, (_NOTIFY, Step.SCALE_UP)),
        Rule(RuleKind.AVAILABILITY, 0.999, (_NOTIFY, Step.INVESTIGATE)),
        Rule(RuleKind.STALLED, 30.0, (_NOTIFY,)),
        Rule(RuleKind.BACKLOG, 8.0, (_NOTIFY, Step.SCALE_UP)),
        Rule(RuleKind.GATE, 0.05, (_NOTIFY, Step.RETRAIN)),
        Rule(RuleKind.PIPELINE, 24.0, (_NOTIFY,)),
    )
}


def spoken_limit(kind: RuleKind, value: float) -> str:
    """A figure of a rule with its unit, as people write it."""
    unit = MEANING[kind].unit
    if unit == "share":
        return f"{100 * value:.3g}%"
    if unit == "distance":
        return f"{value:.2g}"
    if unit in ("/min", "/s"):
        return f"{value:.4g}"
    return f"{value:,.4g} {unit}"


def looser(before: Rule, after: Rule) -> str:
    """What a change loosens, in words; empty where it only tightens or changes nothing that protects.

    Raises:
        BadInput: for two rules about different things.
    """
    if before.kind is not after.kind:
        raise BadInput(f"A rule about {before.kind} cannot become one about {after.kind}.")
    found = []
    if before.on and not after.on:
        found.append("switches the rule off")
    if after.limit != before.limit and (after.limit > before.limit) == MEANING[before.kind].upper:
        found.append(f"moves the limit to {spoken_limit(after.kind, after.limit)}")
    if MEANING[before.kind].tested and after.rate < before.rate:
        found.append("asks for more evidence before an alarm")
    gone = [step for step in before.steps if step not in after.steps]
    if gone:
        found.append(f"no longer does this: {', '.join(STEPS[step] for step in gone)}")
    if not before.on:
        return ""  # nothing was protected, so nothing is loosened
    return "; ".join(found)


def stated_rate(rules: Mapping[RuleKind, Rule]) -> float:
    """Expected false pauses of a site in a quarter, at most: of all rules that pause."""
    return sum(rule.rate for rule in rules.values() if rule.pauses and MEANING[rule.kind].tested)


def numbered(rule: Rule, number: int, by: str, reason: str, waits: bool) -> Rule:
    """The same rule as it is entered."""
    return replace(rule, number=number, by=by, reason=reason, waits=waits)

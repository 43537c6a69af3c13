"""What a look at a site has before it, and what it finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.records import Outcome
from core.watch.judged import Judged
from core.watch.rules import RuleKind


@dataclass(frozen=True)
class Picture:
    """One picture that has come since the last look.

    Attributes:
        readable: its file is fine; only such pictures are scored.
        failed: the engine was to score it and gave an error.
        milliseconds: the engine took for it; None without a score.
        features: sharpness, brightness, contrast and novelty, as far as they are known.
        starts: it is the first picture of its part.
        sketch: of its embedding by the model in use; see core.watch.embedding.
    """

    id: int
    at: datetime
    line: str
    camera: str
    readable: bool
    failed: bool
    score: float | None
    milliseconds: float | None
    features: Mapping[str, float] = field(default_factory=dict)
    starts: bool = True
    sketch: str | None = None

    @property
    def confidence(self) -> float | None:
        """0.5 to 1; None without a score."""
        return None if self.score is None else max(self.score, 1 - self.score)


@dataclass(frozen=True)
class StreamFacts:
    """What has come since the last look, oldest first.

    Attributes:
        model: in use at the site; None while there is none.
        overrides: of each new answer that saw a PASS or FAIL: whether it contradicts that.
        labels: of each new label by a person: its first class, "good" or "unmapped".
        oldest_task: when the oldest open task about a held part was made.
        image, review: the last ids that were read.
    """

    now: datetime
    model: str | None
    pictures: Sequence[Picture]
    overrides: Sequence[bool]
    labels: Sequence[str]
    oldest_task: datetime | None
    image: int
    review: int


@dataclass(frozen=True)
class Decided:
    """One decided part that a person has to, or might, look at."""

    id: int
    part: Judged


@dataclass(frozen=True)
class DecidedFacts:
    """Decided parts since the oldest bucket that is kept.

    Attributes:
        decided: all that are held, failed or asked about; by id.
        passes: parts that passed unasked, by the bucket they belong to; only of buckets that were asked for.
        fail_share: smallest share of FAIL that is audited at this time; 0 for none.
        decision, review: the last ids that were read.
    """

    now: datetime
    decided: Sequence[Decided]
    passes: int
    fail_share: float
    decision: int
    review: int


@dataclass(frozen=True)
class Figure:
    """What a rule looks at, as it is now.

    Attributes:
        subject: line or camera; empty for the site.
        value: in the rule's unit; None while there is nothing to go by.
        low, high: of its confidence sequence since `since`; None for plain conditions.
        level: evidence, as a share of what an alarm takes: 1 is an alarm.
        broken: an alarm is due.
        note: what should be known about it.
    """

    kind: RuleKind
    subject: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    since: datetime | None
    level: float
    broken: bool = False
    note: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SiteAudit:
    """How a decision counts as automatic: kept here so that store and simulation agree."""

    outcome: Outcome
    leaning: Outcome | None
    codes: Sequence[str]

    @property
    def automatic(self) -> Outcome:
        """A part that only a pause has held would have passed."""
        if self.outcome is Outcome.HOLD and self.leaning is Outcome.PASS and list(self.codes) == ["paused"]:
            return Outcome.PASS
        return self.outcome

"""A training pipeline: steps in one order, each with its state, so that whoever comes next goes on where it stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.errors import Conflict


class StepName(StrEnum):
    """What a run does, in this order."""

    VALIDATE = "validate labels"
    AUGMENT = "augment"
    TRAIN = "train"
    EVALUATE = "evaluate"
    GATE = "gate"
    SHADOW = "shadow"


ORDER: tuple[StepName, ...] = tuple(StepName)


class StepState(StrEnum):
    """Where a step is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    NOT_RUN = "not run"
    CANCELLED = "cancelled"


class RunState(StrEnum):
    """Where a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Nothing more happens unless somebody asks for it."""
        return self not in (RunState.WAITING, RunState.RUNNING)


class Cause(StrEnum):
    """Why a run began."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch-up"
    HAND = "by hand"


@dataclass(frozen=True)
class Step:
    """One step of one run.

    Attributes:
        tries: how often it was begun; more than 1 after a kill, or where somebody let the run go on.
        result: JSON of what it found; None before its end.
        reason: why it failed, or why it was not run.
    """

    name: StepName
    state: StepState
    tries: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: Mapping[str, Any] | None = field(default=None, hash=False)
    reason: str = ""

    @property
    def seconds(self) -> float | None:
        """From its last beginning to its end; None before that."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class Run:
    """One run of a pipeline.

    Attributes:
        number: of the configuration it runs by.
        due_at: when the schedule asked for it; None for one that somebody started.
        missed: further times of the schedule that passed meanwhile, for which this one run makes up.
        job: the job that works on it.
        said: how it began or ended, in a sentence.
    """

    id: int
    pipeline: str
    site: str
    number: int
    cause: Cause
    state: RunState
    by: str
    job: int
    created_at: datetime
    due_at: datetime | None = None
    missed: int = 0
    ended_at: datetime | None = None
    said: str = ""
    steps: tuple[Step, ...] = ()

    @property
    def model(self) -> str:
        """The name that its model gets."""
        return f"{self.pipeline}-{self.id}"

    def step(self, name: StepName) -> Step:
        """One of its steps."""
        return next(one for one in self.steps if one.name is name)


@dataclass(frozen=True)
class Pipeline:
    """A pipeline and the configuration in force.

    Attributes:
        number: of the configuration; earlier ones are kept.
        on: the schedule is obeyed.
        schedule: a cron line on the site's clock; empty where it only runs by hand.
        next_at: when it is due; None without a schedule or while it is off.
        document: the configuration, as JSON.
    """

    id: int
    name: str
    site: str
    timezone: str
    number: int
    on: bool
    schedule: str
    next_at: datetime | None
    document: Mapping[str, Any] = field(hash=False)
    by: str = ""
    reason: str = ""
    made_at: datetime | None = None


def next_step(steps: Sequence[Step]) -> StepName | None:
    """The step to go on with: the one that ran when its process died, else the first that waits; None at the end."""
    return next((one.name for one in steps if one.state in (StepState.RUNNING, StepState.WAITING)), None)


def stopped(steps: Sequence[Step], state: StepState, reason: str, later: str) -> dict[StepName, tuple[StepState, str]]:
    """What becomes of each step where a run ends early: the present one ends in `state`, those after it are not run.

    Args:
        steps: of the run.
        state: failed or cancelled.
        reason: of the present one.
        later: why those after it are not run.
    """
    at = next_step(steps)
    found: dict[StepName, tuple[StepState, str]] = {}
    for one in steps:
        if one.name is at:
            found[one.name] = (state, reason)
        elif one.state is StepState.WAITING:
            found[one.name] = (StepState.NOT_RUN, later)
    return found


def again(state: RunState, steps: Sequence[Step]) -> list[StepName]:
    """The steps that wait once more when a run goes on: whatever was not done.

    Raises:
        Conflict: it has not ended early.
    """
    if state not in (RunState.FAILED, RunState.CANCELLED):
        raise Conflict(f"The run is {state}: only one that failed or was cancelled can go on.")
    return [one.name for one in steps if one.state is not StepState.DONE]

"""What the store keeps of a batch, and what it knows of the pictures that may be asked about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from core.learn.select.choosing import Arm


class BatchState(StrEnum):
    """How far a batch is."""

    PROPOSED = "proposed"
    SENDING = "sending"
    SENT = "sent"
    DISCARDED = "discarded"


class Candidate(NamedTuple):
    """A picture that may be asked about, or one that has a label.

    Attributes:
        defective, classes: of its label; None and nothing where it has none.
        labelled_at: when its label was given.
        novelty: as the model in question measured it.
        asked_by: "random" or the strategy under which a batch asked about it; None where none did.
    """

    image_id: int
    part_id: int
    site: str
    camera: str | None
    part_type: str | None
    path: str
    sha256: str
    width: int
    height: int
    defective: bool | None = None
    classes: tuple[str, ...] = ()
    labelled_at: datetime | None = None
    novelty: float | None = None
    asked_by: str | None = None


class Proposed(NamedTuple):
    """A picture as it goes into a batch.

    Attributes:
        chance: with which it was drawn; None for what nobody drew.
        point: where it lies on the map of the pool.
    """

    image_id: int
    arm: Arm
    value: float | None
    why: str
    chance: float | None = None
    point: tuple[float, float] | None = None


@dataclass(frozen=True)
class Item:
    """One picture of a batch, and what has become of it.

    Attributes:
        task_id: None until it was sent, and for one that was skipped.
        skipped: why no task was opened.
        state: of its task: open, done, withdrawn; empty without one.
        defective, classes, labelled_at: of its label, if that was given after it was sent.
    """

    image_id: int
    part_id: int
    site: str
    camera: str | None
    arm: Arm
    value: float | None
    why: str
    chance: float | None
    point: tuple[float, float] | None
    task_id: int | None
    skipped: str
    state: str
    defective: bool | None
    classes: tuple[str, ...]
    labelled_at: datetime | None


@dataclass(frozen=True)
class Batch:
    """A batch without its pictures.

    Attributes:
        asked: what was wanted: items, quotas, control, similar, seed, site.
        facts: of the pool it was chosen from: how many, left out, balance, points of the map.
        price, seconds: what one label costs.
        chosen, done: how many pictures, and how many of their tasks were answered.
    """

    id: int
    state: BatchState
    strategy: str
    model: str
    asked: Mapping[str, Any]
    facts: Mapping[str, Any]
    price: float
    seconds: float
    by: str
    made_at: datetime
    sent_by: str | None
    sent_at: datetime | None
    chosen: int
    done: int

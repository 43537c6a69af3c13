"""Pictures on their way into the store: what is wanted, in which batch, and what each becomes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.jobs.intake.sources import Naming, Source
from core.errors import QuarantineReason
from core.pictures.covering import Covering
from core.pictures.sandbox import Read
from core.plant import Arrival
from core.records import Capture, Exposure, ImageState, Prediction
from core.words.prints import Reading


@dataclass(frozen=True)
class Origin:
    """What is known about every picture of one delivery; a file's own name may say more."""

    camera: str | None = None
    line: str | None = None
    machine: str | None = None
    order: str | None = None
    stage: str | None = None
    part_type: str | None = None


@dataclass(frozen=True)
class Wanted:
    """One picture to be filed.

    Attributes:
        naming: read from the file's name, or given with an upload.
        needs_part: a part id has to be known, because --part-from asks for one.
    """

    source: Source
    naming: Naming = field(default_factory=Naming)
    origin: Origin = field(default_factory=Origin)
    needs_part: bool = False

    @property
    def part(self) -> str:
        """The part this picture is of; the picture's own name where nobody says."""
        return self.naming.part or self.source.name

    def capture(self, read: Read | None = None) -> Capture:
        """As the store files it."""
        return Capture(
            source=self.source.name,
            part=self.part,
            order=self.naming.order or self.origin.order,
            machine=self.origin.machine,
            line=self.origin.line,
            camera=self.naming.camera or self.origin.camera,
            stage=self.naming.stage or self.origin.stage,
            view=self.naming.view,
            part_type=self.origin.part_type,
            taken_at=None if read is None else read.decoded.taken_at,
            exposure=Exposure() if read is None else read.decoded.exposure,
        )


@dataclass
class Batch:
    """Pictures that are filed together; all pictures of a part are in one.

    Attributes:
        model: that scores them, once somebody has asked the store.
    """

    wanted: list[Wanted]
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    listed: bool = False
    asked: bool = False
    model: str | None = None

    @property
    def complete(self) -> bool:
        return self.listed and len(self.arrivals) + len(self.known) == len(self.wanted)


def divided(wanted: Sequence[Wanted], size: int) -> Iterator[list[Wanted]]:
    """Lists of about `size`, never dividing a part."""
    parts: dict[str, list[Wanted]] = {}
    for one in wanted:
        parts.setdefault(one.part, []).append(one)
    batch: list[Wanted] = []
    for pictures in parts.values():
        if batch and len(batch) + len(pictures) > size:
            yield batch
            batch = []
        batch += pictures
    if batch:
        yield batch


def refusal(one: Wanted, reason: QuarantineReason, note: str, sha256: str | None) -> Arrival:
    """A picture that could not be read; its part is held."""
    return Arrival(
        capture=one.capture(),
        path=str(one.source.path),
        sha256=sha256 or "",
        state=ImageState.QUARANTINED,
        state_note=note,
        reason=reason,
    )


def arrived(
    one: Wanted, read: Read, prediction: Prediction | None, error: str | None, reading: Reading | None = None,
    covering: Covering | None = None,
) -> Arrival:  # fmt: skip
    """A picture that was decoded, what is printed on it and personal; where nothing usable was said of it, why."""
    if prediction is not None and not _usable(prediction):
        prediction, error = None, "its answer is not a number"
    return Arrival(
        capture=one.capture(read),
        path=str(one.source.path),
        sha256=read.sha256,
        width=read.decoded.width,
        height=read.decoded.height,
        quality=read.quality,
        prediction=prediction,
        error=error,
        reading=reading,
        covering=covering,
        **_without_part(one),
    )


def _without_part(one: Wanted) -> dict[str, Any]:
    """A picture of nobody knows which part is scored and kept, but can only be taken in by a person."""
    if not one.needs_part or one.naming.part is not None:
        return {}
    return {
        "state": ImageState.QUARANTINED,
        "state_note": f"nothing in '{one.source.path.name}' says which part it shows",
        "reason": QuarantineReason.UNKNOWN_ID,
    }


def _usable(prediction: Prediction) -> bool:
    numbers = [prediction.score, *prediction.class_scores.values()]
    return all(0 <= number <= 1 for number in numbers) and (
        prediction.novelty is None or math.isfinite(prediction.novelty)
    )

"""The course of a training so far, and which of its epochs is kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.nets import DefectNet
from models.training import resume
from models.training.examples import Example
from models.training.validate import Progress


@dataclass(frozen=True)
class Epoch:
    """One line of the history."""

    number: int
    loss: float
    seconds: float
    validation: Progress | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def too_few(validation: Sequence[Example], least: int) -> str:
    """Why these pictures do not choose the epoch, in words; empty where they do.

    A measure of three groups says more of the three than of the epochs: nobody would draw an interval from it.
    """
    if not validation:
        return "the last one, without validation pictures"
    kinds = {kind: len({e.group for e in validation if e.defective is kind}) for kind in (True, False)}
    if min(kinds.values()) >= least:
        return ""
    return (
        f"the last one: of the validation groups {kinds[True]} hold a defective picture and {kinds[False]} a good one, "
        f"and fewer than {least} of each cannot choose"
    )


def _worth(epoch: Epoch) -> float | None:
    """None where the validation pictures cannot say."""
    return None if epoch.validation is None else epoch.validation.worth


class Course:
    """What has happened so far.

    Attributes:
        name: the training's fingerprint.
        settled: epochs that are lucky rather than good: a later one always takes their place.
        chooses: whether the validation pictures may tell one epoch from another.
        best: number of the epoch whose weights are `kept`, from 1.
    """

    def __init__(self, name: str, settled: int, chooses: bool) -> None:
        self.name, self.settled, self.chooses = name, settled, chooses
        self.history: list[Epoch] = []
        self.best = 0
        self.kept: resume.Tensors = {}

    def add(self, epoch: Epoch, net: DefectNet) -> None:
        """Note an epoch; keep its weights where it is the best so far, or nothing told it from the others."""
        best = _worth(self.history[self.best - 1]) if self.best else None
        self.history.append(epoch)
        early, worth = epoch.number <= self.settled, _worth(epoch) if self.chooses else None
        if early or best is None or worth is None or worth > best:
            self.best = epoch.number
            self.kept = {k: v.detach().clone() for k, v in net.state_dict().items()}

    def over(self, waits: int) -> bool:
        """Whether it is time to stop early."""
        return bool(self.history) and len(self.history) - self.best >= waits

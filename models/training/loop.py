"""The loop: draw, step, average, look at the validation pictures, keep the best, be ready to be killed.

All chance in an epoch follows from (seed, epoch), and everything else it depends on is written after every
epoch, so a training that was killed ends with the same weights as one that was not.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from core.errors import BadInput, ModelError
from core.learn.metrics import FEWEST_GROUPS
from core.pictures.tiling import Look
from models.joining import Join
from models.nets import DefectNet
from models.preprocess import to_input
from models.training import resume
from models.training.average import Average
from models.training.course import Course, Epoch, too_few
from models.training.examples import Example, TileRule
from models.training.pictures import Pictures, Read
from models.training.sampling import Augmentation, Window, draw, epoch_order, windows_of
from models.training.schedule import Schedule, optimiser, set_rates, trunk_norms
from models.training.step import LossRule, class_weights, loss_of, targets_of
from models.training.strides import quick_strides
from models.training.transplant import transplanted
from models.training.validate import Progress, autocast, coarser, observe, progress_of

Report = Callable[[int, int, str], None]  # done, total, message

CONTROLS = 1 / 3  # of the pieces set into good windows come from good pictures


@dataclass(frozen=True)
class Recipe:
    """Everything a training depends on beside its pictures and first weights.

    Attributes:
        batch: windows in a step.
        least_windows: in an epoch; smaller sets are gone through several times.
        whole: share of windows that show all of a picture even where its defects were drawn.
        transplant: share of good windows that get a region drawn elsewhere, or a piece of a good picture.
        average: how much of the averaged weights stays at each step.
        patience: epochs without a better one before stopping; a third of the epochs where None.
        tells: groups with a defective validation picture, and as many with a good one, from which on validation
            chooses the epoch; from fewer it is chance that chooses, so the schedule runs to its end.
        dropout: of pooled features.
        augmentations: of part types that are augmented in a way of their own.
        clip: largest norm of a gradient.
        precision: "bf16" (mixed) or "float32".
    """

    epochs: int = 30
    batch: int = 16
    least_windows: int = 256
    seed: int = 0
    look: Look = field(default_factory=Look)
    rule: TileRule = field(default_factory=TileRule)
    augmentation: Augmentation = field(default_factory=Augmentation)
    augmentations: tuple[tuple[str, Augmentation], ...] = ()
    schedule: Schedule = field(default_factory=Schedule)
    loss: LossRule = field(default_factory=LossRule)
    join: Join = field(default_factory=Join)
    whole: float = 0.0
    transplant: float = 0.0
    average: float = 0.98
    patience: int | None = None
    tells: int = FEWEST_GROUPS
    dropout: float = 0.2
    clip: float = 5.0
    precision: Literal["bf16", "float32"] = "bf16"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1 or self.least_windows < 1:
            raise BadInput(f"{self.epochs} epochs of batches of {self.batch}: both must be 1 or more.")

    def augmented(self, example: Example) -> Augmentation:
        """What may be done to a picture: its part type's own, else what holds for all."""
        return next((how for name, how in self.augmentations if name == example.part_type), self.augmentation)

    @property
    def settled(self) -> int:
        """Number of the first epoch that may be the best: earlier ones are lucky, not good."""
        return max(1, self.epochs // 3)

    @property
    def waits(self) -> int:
        """Epochs without a better one before stopping."""
        return max(5, self.epochs // 3) if self.patience is None else self.patience


@dataclass(frozen=True)
class Fitted:
    """A training that has ended.

    Attributes:
        net: with the averaged weights of the best epoch, in evaluation mode.
        best: number of that epoch, from 1.
        chosen: by what, in words.
        cut: the time was up before even the first epoch was over; it is kept all the same.
        prevalence: share of defective windows among those trained on (per tile).
    """

    net: DefectNet
    best: int
    history: tuple[Epoch, ...]
    seconds: float
    prevalence: float
    chosen: str = ""
    cut: bool = False


def fit(
    net: DefectNet,
    train: Sequence[Example],
    validation: Sequence[Example],
    read: Read,
    recipe: Recipe,
    *,
    device: torch.device | None = None,
    state: Path | None = None,
    until: int | None = None,
    limit_s: float | None = None,
    progress: Report = lambda done, total, message: None,
) -> Fitted:
    """Train a net.

    Args:
        net: as built; it is changed.
        train: the pictures to learn from.
        validation: for choosing the epoch and stopping early; the last epoch is kept where they cannot tell, being
            of one kind or of too few groups.
        read: decodes one example.
        recipe: everything else that the result depends on.
        device: the CPU where None.
        state: file to continue from and to write after each epoch; a training of other pictures or settings
            found there is refused.
        until: the last epoch to run of the recipe's; all where None.
        limit_s: seconds of training, those before a kill among them; then the best epoch so far is kept, and an epoch
            that is not over counts for nothing unless it is the first.
        progress: told at most once a second.

    Raises:
        BadInput: nothing to train on, or nothing to tell apart.
        ModelError: the loss is not a number, or the state is another training's.
    """
    _check(train)
    place = device or torch.device("cpu")
    net.to(place).to(memory_format=torch.channels_last)
    net.drop.p = recipe.dropout
    pictures = Pictures(train, read, net.classes, recipe.look)
    windows = [windows_of(e, recipe.look) * e.repeat for e in train]
    weights = np.array([e.weight for e in train])
    adam = optimiser(net, recipe.schedule)
    average = Average(net, recipe.average)
    learning = resume.Learning(net, average, adam)
    few = too_few(validation, recipe.tells)
    run = Course(fingerprint(net, train, validation, recipe), recipe.settled, chooses=not few)
    if state is not None and state.exists():
        run = _go_on(state, run, learning)
    prevalence = drawn_prevalence(pictures, windows, recipe, weights)
    rule = LossRule(**{**vars(recipe.loss), "weights": class_weights(prevalence)})
    keep_norms = recipe.schedule.kept_stages > 0 or net.norms_folded
    slow_strides = place.type == "cpu" and recipe.precision == "bf16"
    done = len(run.history)
    clock = _Clock(done, recipe.epochs, progress)
    up = cut = False
    for epoch in range(done, until or recipe.epochs):
        left = math.inf if limit_s is None else limit_s - sum(e.seconds for e in run.history)
        up = left <= 0
        if run.over(recipe.waits) or up:
            break
        started = time.monotonic()
        rng = np.random.default_rng([recipe.seed, epoch])
        torch.manual_seed(int(rng.integers(2**31)))
        net.train()
        if keep_norms:
            for norm in trunk_norms(net):
                norm.eval()
        order = epoch_order(windows, recipe.least_windows, rng, weights)
        steps = -(-len(order) // recipe.batch)
        total = 0.0
        with quick_strides(net, slow_strides):
            for i, batch in enumerate(_batches(pictures, order, recipe, epoch)):
                set_rates(adam, recipe.schedule, epoch * steps + i, recipe.epochs * steps)
                total += step(net, batch, adam, rule, recipe, place)
                average.add(net)
                clock.tick(epoch, (i + 1) / steps, run)
                if time.monotonic() - started > left:
                    break
        cut = i + 1 < steps
        if cut and run.history:
            up, cut = True, False
            break
        seen = None
        if validation:
            looked = ((e, read(e)) for e in validation)
            seen = progress_of(observe(average.net, looked, coarser(recipe.look), place, recipe.precision), recipe.join)
        run.add(Epoch(epoch + 1, total / (i + 1), time.monotonic() - started, seen), average.net)
        if state is not None:
            history = [e.as_json() for e in run.history]
            resume.keep(state, learning, resume.Half(run.name, run.best, run.kept, history))
    chosen = (few or "chosen by the validation pictures") + ("; the time was up" if up else "")
    progress(recipe.epochs, recipe.epochs, f"trained; epoch {run.best} is kept, {chosen}")
    average.net.load_state_dict(run.kept)
    seconds = sum(e.seconds for e in run.history)
    return Fitted(average.net.eval(), run.best, tuple(run.history), seconds, prevalence, chosen, cut)


def step(
    net: DefectNet,
    windows: Sequence[Window],
    adam: torch.optim.Optimizer,
    rule: LossRule,
    recipe: Recipe,
    device: torch.device,
) -> float:
    """One training step; returns its loss.

    Raises:
        ModelError: the loss is not a number.
    """
    x = to_input(torch.stack([w.pixels for w in windows]).numpy(), net.preprocessing)
    x = x.to(device, memory_format=torch.channels_last)
    with autocast(device, recipe.precision):
        output = net(x)
    loss = loss_of(output, targets_of(windows).to(device), rule).total
    value = float(loss.detach())
    if not np.isfinite(value):
        raise ModelError(f"The loss became {value}: lower the learning rate, or train in float32.")
    adam.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([p for p in net.parameters() if p.grad is not None], recipe.clip)
    adam.step()
    return value


def drawn_prevalence(
    pictures: Pictures, windows: Sequence[int], recipe: Recipe, weights: npt.NDArray[np.float64] | None = None
) -> float:
    """Share of defective windows (per tile), from a first draw of up to 256."""
    rng = np.random.default_rng([recipe.seed, 2**31])
    still = replace(recipe, augmentation=Augmentation.none(), augmentations=())
    order = epoch_order(windows, recipe.least_windows, rng, weights)[:256]
    return float(np.mean([window_of(pictures, i, still, rng).defect for i in order]))


def window_of(pictures: Pictures, index: int, recipe: Recipe, rng: np.random.Generator) -> Window:
    """A window of one picture; a good one may get what was drawn on another."""

    def cut(at: int) -> Window:
        how = recipe.augmented(pictures.examples[at])
        return draw(pictures[at], recipe.look.tile, recipe.rule, how, rng, recipe.whole)

    window = cut(index)
    wanted = recipe.transplant > 0 and window.defect == 0 and bool((window.marked == 0).any())
    if not wanted or not pictures.drawn or rng.random() >= recipe.transplant:
        return window
    donor = cut(pictures.drawn[rng.integers(len(pictures.drawn))])
    if not donor.defect:
        return window
    control = bool(pictures.good) and rng.random() < CONTROLS
    source = cut(pictures.good[rng.integers(len(pictures.good))]) if control else donor
    return transplanted(window, source, (donor.marked == 1).numpy())


def _batches(pictures: Pictures, order: npt.NDArray[np.int64], recipe: Recipe, epoch: int) -> Iterator[list[Window]]:
    """Batches in order, the next one drawn by a thread while this one is learned from."""

    def make(at: int) -> list[Window]:
        rng = np.random.default_rng([recipe.seed, epoch, at])
        chosen = order[at : at + recipe.batch]
        return [window_of(pictures, i, recipe, rng) for i in chosen]

    with ThreadPoolExecutor(1, "draw") as thread:
        ahead = thread.submit(make, 0)
        for at in range(recipe.batch, len(order) + recipe.batch, recipe.batch):
            now, ahead = ahead, thread.submit(make, at) if at < len(order) else ahead
            yield now.result()


def _check(train: Sequence[Example]) -> None:
    """Refuse what nothing can be learned from.

    Raises:
        BadInput: no pictures, or only one kind of them and nothing drawn.
    """
    if not train:
        raise BadInput("The train part of the dataset is empty: label more pictures or change the split.")
    targets = {e.target > 0.5 for e in train}
    if len(targets) < 2 and not any(e.regions for e in train):
        kind = "defective" if True in targets else "good"
        raise BadInput(
            f"All {len(train)} training pictures are {kind} and none has a region: add the other kind, or draw regions."
        )


def fingerprint(net: DefectNet, train: Sequence[Example], validation: Sequence[Example], recipe: Recipe) -> str:
    """Names a training: the same pictures, labels, first weights and settings give the same one."""
    facts = [
        net.arch,
        net.classes,
        net.weights,
        asdict(recipe),
        len(train),  # so that no picture may change sides
        *([e.sha256, e.target, e.classes, [asdict(r) for r in e.regions]] for e in (*train, *validation)),
        *([e.sha256, e.weight, e.repeat] for e in train if (e.weight, e.repeat) != (1.0, 1)),
    ]
    return sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _go_on(path: Path, run: Course, learning: resume.Learning) -> Course:
    """Put a half-finished training back.

    Raises:
        ModelError: it is another training's.
    """
    _, run.best, run.kept, rows = resume.go_on(path, learning, run.name)
    run.history = [
        Epoch(e["number"], e["loss"], e["seconds"], None if e["validation"] is None else Progress(**e["validation"]))
        for e in rows
    ]
    return run


class _Clock:
    """Says how far the training is and how long it will take."""

    def __init__(self, done: int, epochs: int, progress: Report) -> None:
        self._from, self._epochs, self._progress = done, epochs, progress
        self._started = self._said = time.monotonic()

    def tick(self, epoch: int, share: float, run: Course) -> None:
        """Say so, at most once a second."""
        now = time.monotonic()
        if now - self._said < 1 and share < 1:
            return
        self._said = now
        done = epoch - self._from + share
        left = (self._epochs - epoch - share) * (now - self._started) / done
        last = run.history[-1].validation if run.history else None
        quality = "" if last is None or last.auroc is None else f", AUROC {last.auroc:.3f} on validation pictures"
        at = f"epoch {epoch + 1} of {self._epochs}, {round(share * 100)}%"
        self._progress(epoch, self._epochs, f"{at}{quality}, about {spoken(left)} left")


def spoken(seconds: float) -> str:
    """A duration as one says it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

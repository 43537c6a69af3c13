"""Training a detector: draw windows that show every box whole, step, average, look at the validation pictures.

All chance in an epoch follows from (seed, epoch), and everything else it depends on is written after every epoch, so
a training that was killed ends as one that was not. Where it has only so many minutes of the processor, the rate falls
with the minutes instead of the epochs, and what was best until then is kept.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, cast

import numpy as np
import torch
from torch import nn

from core.errors import BadInput, ModelError
from core.learn.boxes import Boxed, best_threshold, mean_average_precision
from core.learn.masks import covered, f1_of
from core.pictures.tiling import Look
from core.records import Pixels
from models.detector.net import BoxNet
from models.detector.serve import fill_of, inputs, look_over
from models.detector.windows import Beside, Drawn, Place, Window, cut_window, drawn_of, epoch_places
from models.nets import DefectNet
from models.training import resume
from models.training.average import Average
from models.training.examples import Example, labels_of
from models.training.sampling import Augmentation
from models.training.schedule import Schedule, kept_parameters
from models.training.strides import quick_strides
from models.training.validate import autocast

Read = Callable[[Example], Pixels]
Report = Callable[[int, int, str], None]  # done, total, message

HALF = 0.5  # of a map, while it learns: where it is cut is chosen at the end
FINE = 10_000  # steps that the schedule is divided into, however many there will be


@dataclass(frozen=True)
class BoxRecipe:
    """Everything a training depends on beside its pictures and first weights.

    Attributes:
        window: side of a training window; a multiple of 32.
        batch: windows in a step.
        clean: windows without a box for each one with boxes, at most.
        look: how pictures are cut when serving; also the working scale.
        average: how much of the averaged weights stays at each step.
        check_every: epochs from one look at the validation pictures to the next; the last epoch is always looked at.
        minutes: of processor time; None for no limit.
        clip: largest norm of a gradient.
        precision: "bf16" (mixed) or "float32".
    """

    epochs: int = 40
    batch: int = 4
    window: int = 320
    clean: float = 0.25
    seed: int = 0
    look: Look = field(default_factory=lambda: Look(320, 160))
    augmentation: Augmentation = field(default_factory=Augmentation)
    schedule: Schedule = field(default_factory=lambda: Schedule(trunk=3e-4, heads=1.5e-3, frozen=0.0, warm_up=0.05))
    average: float = 0.995
    check_every: int = 5
    minutes: float | None = None
    clip: float = 10.0
    precision: Literal["bf16", "float32"] = "bf16"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1 or self.check_every < 1:
            raise BadInput(f"{self.epochs} epochs of batches of {self.batch}: both must be 1 or more.")
        if not 64 <= self.window <= 1024 or self.window % 32:
            raise BadInput(f"Windows of {self.window} px: take a multiple of 32 between 64 and 1024.")
        if self.minutes is not None and self.minutes <= 0:
            raise BadInput(f"{self.minutes} minutes to train in: give more than 0.")


@dataclass(frozen=True)
class BoxEpoch:
    """One line of the history; what was measured on the validation pictures is None where nobody looked."""

    number: int
    loss: float
    cpu_seconds: float
    map50: float | None = None
    f1: float | None = None
    pixel_f1: float | None = None

    @property
    def worth(self) -> float | None:
        """What the best epoch has most of."""
        return None if self.map50 is None else self.map50 + (self.f1 or 0.0) + (self.pixel_f1 or 0.0)


@dataclass(frozen=True)
class BoxFitted:
    """A training that has ended.

    Attributes:
        net: with the averaged weights of the best epoch, in evaluation mode.
        best: number of that epoch, from 1.
        cpu_seconds: of the processor, over all threads.
        stopped: the minutes were over before the epochs.
    """

    net: BoxNet
    best: int
    history: tuple[BoxEpoch, ...]
    cpu_seconds: float
    stopped: bool


def fit_boxes(
    net: BoxNet,
    train: Sequence[Example],
    validation: Sequence[Example],
    read: Read,
    recipe: BoxRecipe,
    *,
    beside: Beside = lambda example: None,
    device: torch.device | None = None,
    state: Path | None = None,
    clock: Callable[[], float] = time.process_time,
    progress: Report = lambda done, total, message: None,
) -> BoxFitted:
    """Train a detector.

    Args:
        net: as built; it is changed.
        train: good pictures and those whose defects were drawn; others are left out.
        validation: for choosing the epoch; the last one is kept where there are none.
        read: decodes one example.
        recipe: everything else that the result depends on.
        beside: a picture's template; None where it has none.
        device: the CPU where None.
        state: file to continue from and to write after each epoch.
        clock: seconds of the processor; the minutes are counted by it.
        progress: told about once a second.

    Raises:
        BadInput: no box to learn from.
        ModelError: the loss is not a number, or the state is another training's.
    """
    learned, checked = placed(train), placed(validation)
    if not any(e.regions for e in learned):
        raise BadInput("No training picture has a region: draw some on the correction page, then build the dataset.")
    if net.masks and not any(r.mask is not None for e in learned for r in e.regions):
        raise BadInput("No training region has an outline: draw some on the canvas, or train without masks.")
    place = device or torch.device("cpu")
    net.to(place).to(memory_format=torch.channels_last)
    pictures = [drawn_of(e, read(e), beside(e), net.classes, recipe.look, net.masks) for e in learned]
    adam = _optimiser(net, recipe.schedule)
    average = Average(net, recipe.average)
    learning = resume.Learning(net, average, adam)
    run = _Run(fingerprint(net, learned, checked, recipe))
    if state is not None and state.exists():
        _, run.best, run.kept, rows = resume.go_on(state, learning, run.name)
        run.history = [BoxEpoch(**e) for e in rows]
    limit = math.inf if recipe.minutes is None else 60 * recipe.minutes
    teller = _Teller(recipe, progress)
    for epoch in range(len(run.history), recipe.epochs):
        spent = sum(e.cpu_seconds for e in run.history)
        if spent >= limit:
            break
        began = clock()
        rng = np.random.default_rng([recipe.seed, epoch])
        torch.manual_seed(int(rng.integers(2**31)))
        net.train()
        places = epoch_places(
            pictures, recipe.window, recipe.augmentation, recipe.clean, rng, [e.repeat for e in learned]
        )
        steps = -(-len(places) // recipe.batch)
        total, taken = 0.0, 0
        with quick_strides(net, place.type == "cpu" and recipe.precision == "bf16"):
            for windows in _batches(pictures, places, recipe, epoch, fill_of(net.preprocessing)):
                used = spent + clock() - began
                done = max((epoch + taken / steps) / recipe.epochs, min(1.0, used / limit))
                _set_rates(adam, recipe.schedule, done)
                total += _step(net, windows, adam, recipe, place)
                average.add(net)
                taken += 1
                teller.tick(epoch, taken / steps, done, run)
                if spent + clock() - began >= limit:
                    break
        over = spent + clock() - began >= limit
        seen = _Seen()
        if checked and (over or (epoch + 1) % recipe.check_every == 0 or epoch + 1 == recipe.epochs):
            seen = _look(average.net, checked, read, beside, recipe, place)
        run.add(BoxEpoch(epoch + 1, total / max(1, taken), clock() - began, *seen), average.net)
        if state is not None:
            history = [asdict(e) for e in run.history]
            resume.keep(state, learning, resume.Half(run.name, run.best, run.kept, history))
    progress(recipe.epochs, recipe.epochs, f"trained; epoch {run.best} is kept")
    average.net.load_state_dict(run.kept)
    spent = sum(e.cpu_seconds for e in run.history)
    return BoxFitted(average.net.eval(), run.best, tuple(run.history), spent, len(run.history) < recipe.epochs)


def placed(examples: Sequence[Example]) -> list[Example]:
    """Pictures of which every place is known: good ones, and those whose defects were drawn."""
    return [e for e in examples if e.placed]


def truth_of(example: Example, classes: Sequence[str]) -> Boxed:
    """The drawn boxes of a picture, with nothing found yet; boxes of other classes have number -1."""
    at = {name: i for i, name in enumerate(classes)}
    boxes = np.array([(r.x, r.y, r.width, r.height) for r in example.regions], np.float64).reshape(-1, 4)
    labels = np.array([at.get(r.class_id or "", -1) for r in example.regions], np.int64)
    return Boxed(example.part or example.group, boxes, labels)


class _Seen(NamedTuple):
    """What validation pictures say of an epoch; None where nobody looked."""

    map50: float | None = None
    f1: float | None = None
    pixel_f1: float | None = None


def _look(
    net: BoxNet, examples: Sequence[Example], read: Read, beside: Beside, recipe: BoxRecipe, device: torch.device
) -> _Seen:
    """Mean average precision at IoU 0.5, the best F1 of boxes, and that of the map's pixels where it is at a half."""
    net.eval()
    seen, pixels = [], []
    for example in examples:
        finds, values = look_over(net, read(example), recipe.look, device, beside(example))
        seen.append(truth_of(example, net.classes).with_found(finds))
        if values is not None and example.outlined:
            rows, columns = values.shape
            drawn = labels_of(example.regions, (example.width, example.height), (columns, rows)) > 0
            pixels.append(covered(example.group, np.asarray(values >= HALF), drawn))
    at = best_threshold(seen, 0.5)
    return _Seen(mean_average_precision(seen, 0.5) or 0.0, at.f1, f1_of(pixels) if pixels else None)


def _step(
    net: BoxNet, windows: Sequence[Window], adam: torch.optim.Optimizer, recipe: BoxRecipe, device: torch.device
) -> float:
    """One training step; returns its loss.

    Raises:
        ModelError: the loss is not a number.
    """
    templates = [w.template for w in windows]
    x, beside = inputs([w.pixels for w in windows], templates if net.template else None, net.preprocessing, device)
    targets = [type(w.target)(*(t.to(device) for t in w.target)) for w in windows]
    with autocast(device, recipe.precision):
        said = net.outputs(x, beside)
    loss = net.loss_of(x, said.features, said.places, targets).total
    if said.mask is not None:
        marked = torch.from_numpy(np.stack([w.marked for w in windows if w.marked is not None])).to(device)
        loss = loss + net.mask_loss_of(said, marked)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise ModelError(f"The loss became {value}: lower the learning rate, or train in float32.")
    adam.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([p for p in net.parameters() if p.grad is not None], recipe.clip)
    adam.step()
    return value


def _batches(
    pictures: Sequence[Drawn], places: Sequence[Place], recipe: BoxRecipe, epoch: int, fill: tuple[int, int, int]
) -> Iterator[list[Window]]:
    """Batches in order, the next one cut by a thread while this one is learned from."""

    def make(at: int) -> list[Window]:
        rng = np.random.default_rng([recipe.seed, epoch, at])
        return [
            cut_window(pictures[p.picture], p, recipe.window, fill, recipe.augmentation, rng)
            for p in places[at : at + recipe.batch]
        ]

    with ThreadPoolExecutor(1, "draw") as thread:
        ahead = thread.submit(make, 0)
        for at in range(recipe.batch, len(places) + recipe.batch, recipe.batch):
            now, ahead = ahead, thread.submit(make, at) if at < len(places) else ahead
            yield now.result()


def _optimiser(net: BoxNet, schedule: Schedule) -> torch.optim.AdamW:
    """AdamW with four groups: trunk and the rest, each with and without weight decay; kept stages never learn."""
    kept = kept_parameters(cast(DefectNet, net), schedule.kept_stages)  # which asks for the trunk and nothing else
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        of_trunk = name.startswith("backbone.trunk.")
        learns = not (of_trunk and name.removeprefix("backbone.") in kept)
        parameter.requires_grad_(learns)
        if learns:
            groups.setdefault(("trunk" if of_trunk else "heads", parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "part": part, "weight_decay": schedule.weight_decay if decays else 0.0}
            for (part, decays), parameters in groups.items()
        ],
        lr=0.0,
    )


def _set_rates(adam: torch.optim.Optimizer, schedule: Schedule, done: float) -> None:
    """Give each group its rate, `done` being the share of the training that is behind it."""
    for group in adam.param_groups:
        group["lr"] = schedule.rate(group["part"], int(min(done, 1.0) * (FINE - 1)), FINE)


def fingerprint(net: BoxNet, train: Sequence[Example], validation: Sequence[Example], recipe: BoxRecipe) -> str:
    """Names a training: the same pictures, boxes, first weights and settings give the same one."""
    facts = [
        "boxes",
        net.arch,
        net.classes,
        net.weights,
        net.template,
        asdict(recipe),
        *(["masks"] if net.masks else []),  # so that those without are called what they were always called
        *([e.sha256, e.repeat, [asdict(r) for r in e.regions]] for e in (*train, None, *validation) if e),
    ]
    return sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


class _Run:
    """What has happened so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.history: list[BoxEpoch] = []
        self.best = 0
        self.kept: resume.Tensors = {}

    def add(self, epoch: BoxEpoch, net: nn.Module) -> None:
        """Note an epoch; keep its weights where it is the best that was looked at, or none was looked at yet."""
        best = self.history[self.best - 1].worth if self.best else None
        self.history.append(epoch)
        if best is None or (epoch.worth is not None and epoch.worth > best):
            self.best = epoch.number
            self.kept = {k: v.detach().clone() for k, v in net.state_dict().items()}


class _Teller:
    """Says how far the training is and how long it will take, at most once a second."""

    def __init__(self, recipe: BoxRecipe, progress: Report) -> None:
        self._recipe, self._progress = recipe, progress
        self._started = self._said = time.monotonic()
        self._first: float | None = None

    def tick(self, epoch: int, share: float, done: float, run: _Run) -> None:
        """Say so."""
        from models.training.loop import spoken

        now = time.monotonic()
        if self._first is None:
            self._first = done
        if now - self._said < 1:
            return
        self._said = now
        gained = max(1e-6, done - self._first)
        left = (1 - done) * (now - self._started) / gained
        last = next((e.map50 for e in reversed(run.history) if e.map50 is not None), None)
        quality = "" if last is None else f", mAP {last:.3f} on validation pictures"
        at = f"epoch {epoch + 1} of {self._recipe.epochs}, {round(share * 100)}%"
        self._progress(epoch, self._recipe.epochs, f"{at}{quality}, about {spoken(left)} left")

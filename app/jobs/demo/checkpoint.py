"""Train a model that is shipped with the demo plant: `python -m app.jobs.demo.checkpoint demo-metal`.

Draws pictures to learn from, trains with the product's own job, and examines the model on pictures of parts that it
has not seen. Models and examination end in models/shipped/<name>; the same seed draws the same pictures.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.demo.bands import EACH, bands
from app.jobs.demo.manifest import folder_of, frozen, item_of
from app.jobs.intake.line import SHIPPED, Progress, quiet
from app.jobs.science.learning import Reader, examples_of
from app.settings import Settings, settings
from core.errors import BadInput
from core.pictures.tiling import Look
from core.records import Pixels
from data.demo.plant import BOX_MODEL, LINES, METAL_MODEL, TOLD_BY_READING, Line
from data.demo.study import SPLITS, study

if TYPE_CHECKING:
    from models.training.examples import Example
    from models.training.loop import Recipe


@dataclass(frozen=True)
class Study:
    """How much is drawn and how long is trained.

    Attributes:
        pictures: to learn from and to stop by; a tenth of them, called test, is left for whoever tries other recipes.
        seed: of these pictures and of the training; every later draw has a seed of its own.
        examined: pictures of the examination.
        each: defective parts, and good ones, that choose a HOLD band; as many others examine it.
    """

    pictures: int
    epochs: int
    seed: int
    examined: int = 400
    each: int = EACH


_EXAMINATION = 3003  # added to the seed
ARCH = "test_resnet"  # timm's smallest plain residual net: 0.4 million weights, a linear head, quick to learn
TILE = 128  # defects are small and local; a quarter of the pixels is four times the steps in the same minutes
LOOKS = {
    METAL_MODEL: Look(TILE, TILE // 2),
    BOX_MODEL: Look(TILE, TILE // 2, scale=0.5, whole_picture=True),
}
RECIPES = {
    METAL_MODEL: Study(pictures=2800, epochs=9, seed=2026),
    BOX_MODEL: Study(pictures=1000, epochs=9, seed=2027),
}


def lines_of(model: str) -> tuple[Line, ...]:
    """Whose parts the model looks at.

    Raises:
        BadInput: no such model is shipped.
    """
    if model not in RECIPES:
        raise BadInput(f"No model '{model}' is shipped: name one of {', '.join(RECIPES)}.")
    return tuple(line for line in LINES if (line.part.name == "carton") == (model == BOX_MODEL))


def draw_dataset(
    home: Path,
    model: str,
    pictures: int,
    seed: int,
    splits: Sequence[tuple[str, float]] = SPLITS,
    *,
    name: str | None = None,
) -> dict[str, Any]:
    """Draw the pictures and their manifest into a home folder.

    Args:
        home: takes study/<name> and datasets/<name>.json.
        model: whose parts are drawn.
        pictures: at least this many.
        seed: of the draw.
        splits: as `study` takes them.
        name: of the dataset; the model's own where None.

    Returns:
        The manifest, as `dataset build` writes it.
    """
    lines, called = lines_of(model), name or model
    folder = folder_of(home, called)
    items = [
        item_of(folder / one.file, one.data, one.split, one.group, one.view, one.size_wh, one.regions)
        for one in study(lines, pictures, seed, splits)
    ]
    classes = [name for name in dict.fromkeys(n for line in lines for n in line.flaws) if name not in TOLD_BY_READING]
    return frozen(home, called, classes, items)


def make_checkpoint(
    model: str, out: Path, *, base: Settings, study_of: Study | None = None, progress: Progress = quiet
) -> dict[str, Any]:
    """Draw, train, examine, and put the model into `out`. Killed and run again, it goes on after its last epoch.

    Args:
        model: name of a shipped one.
        out: its folder; a model that lies there is replaced at the end.
        base: settings of this machine; pictures and half-done training lie in `home`/study-<model>, to be deleted
            once drawing or training code has changed.
        study_of: other numbers than those of the shipped model.
        progress: told how far it is.

    Returns:
        What the examination found, and the HOLD bands.
    """
    from models.checkpoint import CARD, read_card
    from models.folder import WEIGHTS

    lines_of(model)
    plan = study_of or RECIPES[model]
    home = base.home / f"study-{model}"
    here = base.model_copy(update={"home": home})
    made = here.models / model
    if not (made / CARD).exists():
        progress(0, 1, "drawing")
        _train(model, plan, here, draw_dataset(home, model, plan.pictures, plan.seed), progress)
    metrics = examine(model, plan, here, progress)
    card = read_card(made)
    card = replace(card, metrics={**card.metrics, **metrics})
    (made / CARD).write_text(json.dumps(card.to_json(), indent=1, sort_keys=True) + "\n")
    out.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, CARD):
        shutil.copyfile(made / name, out / name)
    return {"model": model, **metrics["examination"], "bands": metrics["bands"]}


def examine(model: str, plan: Study, here: Settings, progress: Progress = quiet) -> dict[str, Any]:
    """Measure the trained model on pictures that no training and no choice has seen, and find the sites' bands.

    Returns:
        {examination, bands}, for the card.
    """
    from app.jobs.science.evaluate import evaluate

    seed = plan.seed + _EXAMINATION
    progress(0, 1, "drawing the examination")
    drawn = draw_dataset(here.home, model, plan.examined, seed, splits=(("test", 1.0),), name=f"{model}-examination")
    found = _plain(evaluate(None, here, model, str(drawn["name"]), "test", progress=progress))
    band = bands(model, here.models / model, here, plan.seed, progress, plan.each)
    return {"examination": {**found, "seed": seed}, "bands": band}


def _train(model: str, plan: Study, here: Settings, manifest: dict[str, Any], progress: Progress) -> None:
    import torch

    from app.jobs.science.train import facts_of, summary
    from models.nets import build
    from models.training.finish import finish
    from models.training.loop import fit

    learned, checked = examples_of(manifest, "train"), examples_of(manifest, "val")
    torch.manual_seed(plan.seed)
    net = build(ARCH, manifest["classes"], True, "scratch", size=TILE)
    recipe = recipe_of(model, plan)
    state = here.home / "training.safetensors"
    with Reader(here) as read:
        fitted = fit(net, learned, checked, _Kept(read), recipe, state=state, progress=progress)
        facts = facts_of(manifest, model, learned, checked, fitted, recipe, net.weights)
        facts["dataset"] |= {
            "drawn_by": "app.jobs.demo.checkpoint",
            "seed": plan.seed,
            "pictures": len(manifest["items"]),
            "drawn": sha256("".join(item["sha256"] for item in manifest["items"]).encode()).hexdigest(),
        }
        finish(
            here.models / model,
            fitted.net,
            recipe,
            checked,
            read,
            now=datetime.now(UTC),
            summary=summary,
            facts=facts,
        )


class _Kept:
    """Every picture decoded once: each is cut dozens of times, and four windows of one are never drawn together."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._pixels: dict[str, Pixels] = {}

    def __call__(self, example: "Example") -> Pixels:
        if example.path not in self._pixels:
            self._pixels[example.path] = self._read(example)
        return self._pixels[example.path]


def recipe_of(model: str, plan: Study) -> "Recipe":
    """From scratch in minutes on one core: many short steps on small windows."""
    from models.joining import Join
    from models.training.loop import Recipe
    from models.training.sampling import Augmentation
    from models.training.schedule import Schedule
    from models.training.step import LossRule

    mirrored = model == METAL_MODEL
    return Recipe(
        epochs=plan.epochs,
        batch=8,
        seed=plan.seed,
        look=LOOKS[model],
        augmentation=Augmentation(mirrored, mirrored, turn=0.0, scale=1.15, light=0.08, noise=0.0),
        schedule=replace(Schedule.from_scratch(), trunk=3e-3, heads=3e-3),
        loss=LossRule(classes=1.0),  # the first screen names what it found
        join=Join(dense=0.5),  # the map sees what is too small to move a tile's pooled features
        average=0.99,
        dropout=0.0,
    )


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """Without the paths of this machine."""
    return {name: value for name, value in document.items() if name != "report"}


def main(arguments: list[str]) -> None:
    """Make each model that is named."""

    def say(done: int, total: int, message: str) -> None:
        sys.stderr.write(f"\r{done}/{total} {message:<100}")

    for model in arguments or list(RECIPES):
        metrics = make_checkpoint(model, SHIPPED / model, base=settings(), progress=say)
        sys.stdout.write(json.dumps(metrics, indent=1, default=str) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

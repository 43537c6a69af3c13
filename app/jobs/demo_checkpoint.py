"""Train a model that is shipped with the demo plant: `python -m app.jobs.demo_checkpoint demo-metal`.

Draws pictures to learn from, trains with the product's own job, and examines the model on pictures of parts that it
has not seen. Models and examination end in models/shipped/<name>; the same seed draws the same pictures.
"""

import json
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.datasets import manifest_hash
from app.jobs.learning import Reader, examples_of
from app.jobs.line import SHIPPED, Progress, quiet
from app.settings import Settings, settings
from core.errors import BadInput
from core.pictures.tiling import Look
from core.records import Region, Rle
from data.demo.plant import BOX_MODEL, LINES, METAL_MODEL, Line
from data.demo.study import study

if TYPE_CHECKING:
    from models.training.loop import Recipe


@dataclass(frozen=True)
class Study:
    """How many pictures are drawn, how long is trained, and from which seed."""

    pictures: int
    epochs: int
    seed: int


ARCH = "test_resnet"  # timm's smallest plain residual net: 0.4 million weights, a linear head, quick to learn
TILE = 128  # defects are small and local; a quarter of the pixels is four times the steps in the same minutes
LOOKS = {
    METAL_MODEL: Look(TILE, TILE // 2),
    BOX_MODEL: Look(TILE, TILE // 2, scale=0.5, whole_picture=True),
}
RECIPES = {
    METAL_MODEL: Study(pictures=1000, epochs=14, seed=2026),
    BOX_MODEL: Study(pictures=800, epochs=12, seed=2027),
}


def lines_of(model: str) -> tuple[Line, ...]:
    """Whose parts the model looks at.

    Raises:
        BadInput: no such model is shipped.
    """
    if model not in RECIPES:
        raise BadInput(f"No model '{model}' is shipped: name one of {', '.join(RECIPES)}.")
    return tuple(line for line in LINES if (line.part.name == "carton") == (model == BOX_MODEL))


def draw_dataset(home: Path, model: str, pictures: int, seed: int) -> dict[str, Any]:
    """Draw the pictures and their manifest into a home folder.

    Returns:
        The manifest, as `dataset build` writes it.
    """
    lines = lines_of(model)
    folder = home / "study" / model
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for picture in study(lines, pictures, seed):
        path = folder / picture.file
        path.write_bytes(picture.data)
        items.append(
            {
                "path": str(path),
                "sha256": sha256(picture.data).hexdigest(),
                "split": picture.split,
                "group": picture.group,
                "defective": bool(picture.regions),
                "probability": None,
                "classes": sorted({region.name for region in picture.regions}),
                "regions": [_values(region) for region in picture.regions],
                "width": picture.size_wh[0],
                "height": picture.size_wh[1],
            }
        )
    classes = list(dict.fromkeys(name for line in lines for name in line.flaws))
    manifest: dict[str, Any] = {"name": model, "classes": classes, "items": items}
    manifest["hash"] = manifest_hash(manifest)
    (home / "datasets").mkdir(parents=True, exist_ok=True)
    (home / "datasets" / f"{model}.json").write_text(json.dumps(manifest))
    return manifest


def make_checkpoint(
    model: str, out: Path, *, base: Settings, study_of: Study | None = None, progress: Progress = quiet
) -> dict[str, Any]:
    """Draw, train, examine, and put the model into `out`. Killed and run again, it goes on after its last epoch.

    Args:
        model: name of a shipped one.
        out: its folder; it must not exist.
        base: settings of this machine; pictures and half-done training lie in `home`/study-<model>.
        study_of: other numbers than those of the shipped model.
        progress: told how far it is.

    Returns:
        What the examination found.
    """
    import torch

    from app.jobs.evaluate import evaluate
    from app.jobs.train import facts_of, summary
    from models.checkpoint import CARD, WEIGHTS, read_card
    from models.nets import build
    from models.training.finish import finish
    from models.training.loop import fit

    lines_of(model)
    plan = study_of or RECIPES[model]
    home = base.home / f"study-{model}"
    here = base.model_copy(update={"home": home})
    progress(0, 1, "drawing")
    manifest = draw_dataset(home, model, plan.pictures, plan.seed)
    learned, checked = examples_of(manifest, "train"), examples_of(manifest, "val")
    torch.manual_seed(plan.seed)
    net = build(ARCH, manifest["classes"], True, "scratch", size=TILE)
    recipe = recipe_of(model, plan)
    made = here.models / model
    if not made.exists():
        with Reader(here) as read:
            fitted = fit(net, learned, checked, read, recipe, state=home / "training.safetensors", progress=progress)
            finish(
                made,
                fitted.net,
                recipe,
                checked,
                read,
                now=datetime.now(UTC),
                summary=summary,
                facts=facts_of(manifest, model, learned, checked, fitted, recipe, net.weights),
            )
    found = _plain(evaluate(None, here, model, model, "test", progress=progress))
    card = read_card(made)
    drawn = sha256("".join(item["sha256"] for item in manifest["items"]).encode()).hexdigest()
    how = {
        "drawn_by": "app.jobs.demo_checkpoint",
        "seed": plan.seed,
        "pictures": len(manifest["items"]),
        "drawn": drawn,
    }
    metrics = {**card.metrics, "examination": found}
    card = replace(card, dataset={**card.dataset, **how}, metrics=metrics)
    (made / CARD).write_text(json.dumps(card.to_json(), indent=1, sort_keys=True) + "\n")
    out.mkdir(parents=True)
    for name in (CARD, WEIGHTS):
        shutil.copy2(made / name, out / name)
    return {"model": model, **found}


def recipe_of(model: str, plan: Study) -> "Recipe":
    """From scratch in minutes on one core: many short steps on small windows."""
    from models.training.loop import Recipe
    from models.training.sampling import Augmentation
    from models.training.schedule import Schedule

    mirrored = model == METAL_MODEL
    return Recipe(
        epochs=plan.epochs,
        batch=8,
        seed=plan.seed,
        look=LOOKS[model],
        augmentation=Augmentation(mirrored, mirrored, turn=0.0, scale=1.15, light=0.08, noise=0.0),
        schedule=replace(Schedule.from_scratch(), trunk=3e-3, heads=3e-3),
        average=0.99,
        dropout=0.0,
    )


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """Without the paths of this machine."""
    return {name: value for name, value in document.items() if name != "report"}


def _values(region: Region) -> dict[str, Any]:
    mask = region.mask if isinstance(region.mask, Rle) else None
    return {
        "x": region.x,
        "y": region.y,
        "width": region.width,
        "height": region.height,
        "name": region.name,
        "class_id": region.class_id,
        "severity": region.severity,
        "mask": None if mask is None else {"size_hw": list(mask.size_hw), "counts": list(mask.counts)},
    }


def main(arguments: list[str]) -> None:
    """Make each model that is named."""

    def say(done: int, total: int, message: str) -> None:
        sys.stderr.write(f"\r{done}/{total} {message:<100}")

    for model in arguments or list(RECIPES):
        metrics = make_checkpoint(model, SHIPPED / model, base=settings(), progress=say)
        sys.stdout.write(json.dumps(metrics, indent=1, default=str) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Site adapters: a model's last layers, taught a site's small set; what it came from is on its card, and measured."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress, find_model, open_model, quiet
from app.settings import Settings
from core.errors import BadInput
from core.learn.pipeline_experiment import figures, paired

if TYPE_CHECKING:
    from data.store import Store
    from models.checkpoint import Card

AGAINST = "against-parent.json"


@dataclass(frozen=True)
class Parent:
    """The model that an adapter starts from."""

    folder: Path
    card: "Card"


def parent_of(store: "Store | None", settings: Settings, name: str) -> Parent:
    """A model to adapt.

    Raises:
        NotFound: no such model.
        ModelError: its files are not those the store knows.
    """
    from models.checkpoint import read_card

    folder = find_model(store, settings, name)
    return Parent(folder, read_card(folder))


def at_site(manifest: Mapping[str, Any], site: str | None) -> Mapping[str, Any]:
    """The dataset as far as it is of one site; all of it where None.

    Raises:
        BadInput: it has no picture of that site.
    """
    if site is None:
        return manifest
    items = [one for one in manifest["items"] if one.get("site") == site]
    if not items:
        raise BadInput(f"Dataset {manifest.get('name')} has no picture of {site}: choose another site or dataset.")
    return {**manifest, "items": items}


def adapted(facts: dict[str, Any], parent: Parent | None, site: str | None) -> dict[str, Any]:
    """The card's facts, with where the model comes from."""
    if site is not None:
        facts["dataset"]["site"] = site
    if parent is not None:
        facts["training"]["adapted"] = {
            "from": parent.card.name,
            "sha256": parent.card.sha256,
            "site": site,
            "layers": "all but the trunk",
        }
    return facts


def against_parent(
    store: "Store | None", settings: Settings, model: str, dataset: str, site: str | None = None, *,
    now: datetime | None = None, progress: Progress = quiet,
) -> dict[str, Any]:  # fmt: skip
    """Measure an adapter and the model it came from on the site's own pictures, part by part; kept beside the adapter.

    Test pictures where the dataset has some of the site, else those of validation, which helped to choose the
    adapter's epoch: the document says so.

    Returns:
        {model, parent, dataset, split, site, images, own, parents, paired, caution, made_at}.

    Raises:
        BadInput: the model is no adapter, or there is no picture to measure on.
    """
    from app.jobs.science.evaluate import rows, write
    from app.jobs.science.learning import Reader, check_files, examples_of, manifest_of
    from app.jobs.science.measured import place_of
    from app.jobs.science.train import averaged_parts, part_types_of
    from models.training.finish import judge

    mine = parent_of(store, settings, model)
    origin = mine.card.training.get("adapted")
    if not isinstance(origin, Mapping):
        raise BadInput(f"{model} was not adapted from another model: there is nothing to compare it with.")
    manifest = at_site(manifest_of(store, settings, dataset), site)
    split = "test" if examples_of(manifest, "test") else "val"
    examples = examples_of(manifest, split)
    if not examples:
        raise BadInput(f"Dataset {dataset} has neither test nor validation pictures to measure {model} on.")
    check_files(examples, progress)
    look = part_types_of(store, manifest)[0]
    seen = []
    with Reader(settings) as read:
        for name in (model, str(origin["from"])):
            engine = open_model(store, settings, name)
            if name != model and engine.card.sha256 != origin["sha256"]:
                raise BadInput(f"{name} has other weights than those {model} came from: it cannot be compared.")
            found = []
            for example, prediction in zip(examples, engine.stream(read.stream(examples), look), strict=True):
                found.append(judge(example, prediction))
                progress(len(found), len(examples), f"{name}: {Path(example.path).name}")
            seen.append(rows(found))
    averaged = averaged_parts(store, manifest)
    own, parents = seen
    document = {
        "model": model,
        "parent": str(origin["from"]),
        "dataset": dataset,
        "split": split,
        "site": site,
        "images": len(examples),
        "own": figures(own, averaged),
        "parents": figures(parents, averaged),
        "paired": paired(own, parents, averaged).to_json(),
        "caution": "" if split == "test" else "Validation pictures helped to choose the adapter's epoch.",
        "made_at": (now or datetime.now(UTC)).isoformat(),
    }
    write(place_of(mine.folder, settings) / AGAINST, json.dumps(document, indent=1) + "\n")
    return document

"""What the Training page keeps and does: configure a pipeline, run it, let it go on, and preview its augmentation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
import yaml

from app import context
from app.jobs.science.datasets import manifest
from app.jobs.science.pipelines import configuration as files
from app.jobs.science.pipelines.configuration import Configuration
from app.jobs.science.pipelines.experiments import Experiment, experiments, measured_on
from app.jobs.science.pipelines.preview import Preview, preview
from app.jobs.science.pipelines.steps import flips_of
from app.state import FormState, told
from core.errors import BadInput, HoldpointError, NotFound
from core.learn.pipeline import Pipeline, Run
from core.learn.pipeline_schedule import next_times
from core.pictures.tiling import Look, look_of
from core.plant import ModelVersion, Site

NEW = ""  # stands for a pipeline that is not there yet
TEMPLATE: Mapping[str, Any] = {
    "architecture": "efficientnet_b0",
    "epochs": 12,
    "batch": 16,
    "optimiser": {"name": "adamw"},
    "early_stopping": {"patience": 5},
    "time_limit": "3h",
    "augmentation": {
        "all": {"rotation": 180, "noise": 0.02, "brightness": 0.2, "contrast": 0.2, "crop": [0.8, 1.0]},
        "judged_by": {"size": ["DIMENSIONAL_OOS"]},
    },
    "shadow": {"hours": 48},
}


@dataclass
class TrainingState(FormState):
    """Training page.

    Attributes:
        previewed: what the preview was asked, and what came of it.
    """

    previewed: tuple[Any, Preview] | None = None


@dataclass(frozen=True)
class Draft:
    """What the form holds.

    Attributes:
        made: the configuration; None where it cannot be used.
        trouble: why not, in a sentence.
        times: the next times of its schedule, in UTC.
    """

    made: Configuration | None
    trouble: str = ""
    times: tuple[Any, ...] = ()


def pipelines(site: str) -> list[Pipeline]:
    """Of a site, by name."""
    return context.store().pipelines.all(site)


def runs(site: str, most: int = 8) -> list[Run]:
    """The newest of a site."""
    return [one for one in context.store().pipelines.runs(limit=50) if one.site == site][:most]


def text_of(pipeline: Pipeline | None, site: str, datasets: Sequence[str]) -> str:
    """The configuration as YAML without its schedule, which has a field of its own; a template for a new one."""
    if pipeline is None:
        dataset = {"name": datasets[0]} if datasets else {"build": {"filters": {"site": site}}}
        return yaml.safe_dump({"experiment": "weekly", "dataset": dataset, **TEMPLATE}, sort_keys=False)
    document = yaml.safe_load(files.written(files.from_store(pipeline.document)))
    for name in ("schedule", "site"):
        document.pop(name, None)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def draft(text: str, line: str, site: Site) -> Draft:
    """Check what the form holds."""
    try:
        document = yaml.safe_load(text)
        if isinstance(document, Mapping):
            document = {**document, "schedule": line, "site": site.name}
        made = files.configuration(document)
        times = next_times(made.schedule, site.timezone, context.now(), 5) if made.schedule else []
        return Draft(made, times=tuple(times))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f" in line {mark.line + 1}" if mark is not None else ""
        return Draft(None, f"The text is no YAML{at}: {getattr(error, 'problem', None) or error}.")
    except HoldpointError as error:
        return Draft(None, str(error))


def save(view: TrainingState, text_key: str, line_key: str, on_key: str, site: Site, seen: Pipeline | None) -> None:
    """Put the configuration in force, as the form holds it at this moment."""
    with told(view):
        found = draft(str(st.session_state.get(text_key) or ""), str(st.session_state.get(line_key) or ""), site)
        if found.made is None:
            raise BadInput(found.trouble)
        made = found.made
        if seen is not None and made.experiment != seen.name:
            raise BadInput(f"The experiment is called {seen.name}: begin a new one to give it another name.")
        kept = context.store().pipelines.configure(
            made.experiment, site.name, made.to_json(), made.schedule, based_on=None if seen is None else seen.number,
            on=bool(st.session_state.get(on_key)) and bool(made.schedule), now=context.now(),
        )  # fmt: skip
        state = "runs by its schedule" if kept.on else "runs when somebody starts it"
        view.message = f"{kept.name}: configuration {kept.number} is in force; it {state}."


def start(view: TrainingState, name: str) -> None:
    """Run a pipeline now."""
    with told(view):
        run = context.store().pipelines.start(name, now=context.now())
        view.message = f"Run {run.id} of {name} waits for the worker: leave this page if you like."


def resume(view: TrainingState, run: int) -> None:
    """Let a run go on."""
    with told(view):
        context.store().pipelines.resume(run, now=context.now())
        view.message = f"Run {run} goes on with the step that did not end well."


def measured() -> list[tuple[str, str]]:
    """Every dataset and side on which a model was measured."""
    return measured_on(context.store().models.all(), context.settings())


def table(dataset: str, split: str, production: str | None) -> list[Experiment]:
    """The experiments on one set of pictures."""
    return experiments(context.store().models.all(), context.settings(), dataset, split, production)


def taught() -> list[ModelVersion]:
    """Models whose training is on record, the newest first."""
    return [one for one in context.store().models.all() if history(one)]


def history(version: ModelVersion) -> list[Mapping[str, Any]]:
    """The epochs of a training; empty where the card has none."""
    training = version.card.get("training")
    found = training.get("history") if isinstance(training, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, Mapping) and "loss" in one for one in found):
        return []
    return found


def kinds(dataset: str, site: str) -> dict[str, list[Mapping[str, Any]]]:
    """The training pictures of a site in a dataset, by part type; "" holds those without one."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    listed = manifest.manifest_in(context.settings(), dataset, context.store().datasets.get(dataset).manifest)
    for one in listed["items"]:
        if one.get("split") == "train" and one.get("site") == site:
            found.setdefault(str(one.get("part_type") or ""), []).append(one)
    return found


def show_preview(
    view: TrainingState, asked: tuple[str, str, str, int, int], pipeline: Pipeline | None, site: str,
    items: Sequence[Mapping[str, Any]],
) -> None:  # fmt: skip
    """Have the scoring process draw it.

    Args:
        view: of the page.
        asked: dataset, part type, configuration, picture and seed; what the preview stands for.
        pipeline: whose augmentation; the recipe's own where None.
        site: whose part types.
        items: of the part type.
    """
    with told(view):
        _, kind, _, number, seed = asked
        look: Look | None = None
        if kind:
            try:
                look = look_of(context.store().part_types.get(site, kind))
            except NotFound:
                look = None
        change = None if pipeline is None else files.from_store(pipeline.document).augmentation
        flips = flips_of(context.store(), {"items": items}).get(kind, True)
        drawn = context.scorer().run(
            preview, context.settings(), list(items), number, change, kind, flips, look, seed=seed
        )  # fmt: skip
        view.previewed = (asked, drawn)

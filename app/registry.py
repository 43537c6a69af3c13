"""What the models page does: gates, shadows, promotions, the way back; each says in the page's words how it went."""

from pathlib import Path

import streamlit as st

from app import context
from app.jobs.science.promoting import check_weights
from app.state import ModelsState, told
from core.errors import NotFound


def _typed(key: str) -> str:
    """What a field holds at this moment: a callback's arguments are as old as the last run of the page."""
    return str(st.session_state.get(key) or "")


def submit_gate(view: ModelsState, model: str, site: str, dataset: str, split: str) -> None:
    """Let the worker measure a model against its limits."""
    with told(view):
        given = {"model": model, "site": site, "dataset": dataset, "split": split}
        view.job = context.store().jobs.submit("gate", given, now=context.now())
        view.message = "The worker measures it now: leave this page if you like."


def submit_heatmaps(view: ModelsState, model: str, site: str) -> None:
    """Let the worker compare a model's heatmaps with the boxes that people keep."""
    with told(view):
        view.job = context.store().jobs.submit("heatmaps", {"model": model, "site": site}, now=context.now())
        view.message = "The worker measures them now: leave this page if you like."


def start_shadow(view: ModelsState, site: str, model: str, hours_key: str, why_key: str) -> None:
    """Let a model look on."""
    with told(view):
        hours = float(st.session_state.get(hours_key) or 0)
        made = context.store().shadows.start(site, model, hours, _typed(why_key), now=context.now())
        view.message = f"{model} looks on at {site} until {made.until:%d %b, %H:%M} UTC. It decides nothing."


def stop_shadow(view: ModelsState, site: str) -> None:
    """End what looks on; its figures stay."""
    with told(view):
        ended = context.store().shadows.stop(site, now=context.now())
        view.message = f"{ended.model} looks on no longer."


def promote(view: ModelsState, site: str, model: str, why_key: str) -> None:
    """Put a model in use, its weights looked at first."""
    with told(view):
        _check(model)
        context.store().promotions.promote(site, model, _typed(why_key), now=context.now())
        view.message = (
            f"{model} decides at {site} from the next batch on. Until two people have confirmed its calibration, "
            "nothing passes by itself."
        )


def ask_override(view: ModelsState, site: str, model: str, why_key: str) -> None:
    """Ask a second person to let a model decide that its gate does not let through."""
    with told(view):
        _check(model)
        context.store().promotions.ask_override(site, model, _typed(why_key), now=context.now())
        view.message = "Asked. Nothing changes until somebody else agrees."


def roll_back(view: ModelsState, site: str, why_key: str) -> None:
    """Put the model back in use that the present one replaced."""
    with told(view):
        model = context.store().promotions.way_back(site)
        if model is None:
            raise NotFound(f"{site} has had no other model before this one.")
        _check(model)
        made = context.store().promotions.rollback(site, _typed(why_key), now=context.now())
        after = "with its calibration" if made.restored else "and passes nothing by itself until it is calibrated"
        view.message = f"{made.model} decides at {site} again from the next batch on, {after}."


def _check(model: str) -> None:
    """Read a model's files in the scoring process, so that this one need not know what weights are."""
    folder = context.model_folder(model)
    if folder is None:
        raise NotFound(f"There is no model '{model}'.")
    context.scorer().run(check_weights, Path(folder), context.store().models.get(model).sha256)

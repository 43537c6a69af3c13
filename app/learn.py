"""What the Learn page does: have a batch chosen, look at it, send it into the queue or throw it away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import context
from app.jobs.science.backtest import LABELS_SO_FAR as LABELS_SO_FAR
from app.jobs.science.backtest import kept_backtests
from app.jobs.science.backtest import sentence as sentence
from app.state import FormState, told
from app.widgets.text import count
from core.learn.select import STRATEGIES
from core.learn.select.batches import Batch, Item
from core.plant import Job, JobState

SENT_AT_ONCE = 60  # a larger batch goes into the queue by the worker, so that the page answers at once
FIRST_SHOWN = 18


@dataclass
class LearnState(FormState):
    """Learn page.

    Attributes:
        batch: on the page; the newest where None.
        shown: how many of its pictures.
        comparing: the job that compares strategies.
        why_not: why the last comparison came to nothing.
    """

    batch: int | None = None
    shown: int = FIRST_SHOWN
    comparing: int | None = None
    why_not: str = ""


def choose(view: LearnState, question: Mapping[str, Any]) -> None:
    """Let the worker choose; the page shows the batch when it is there."""
    with told(view):
        view.job = context.store().jobs.submit("select", dict(question))
        view.message = ""


def arrived(view: LearnState, job: Job) -> bool:
    """Take over what the job chose; whether the page has to be drawn anew."""
    if job.state is not JobState.DONE or not isinstance(job.result, dict) or "selection" not in job.result:
        return False
    view.batch, view.job, view.shown = int(job.result["selection"]), None, FIRST_SHOWN
    return True


def send(view: LearnState, batch: Batch) -> None:
    """Put a batch into the queue."""
    with told(view):
        store = context.store()
        if batch.chosen > SENT_AT_ONCE:
            view.job = store.jobs.submit("ask", {"selection": batch.id})
            view.message = "The worker puts them into the queue now."
            return
        sent = store.selections.send(batch.id, now=context.now())
        opened = sum(one.task_id is not None for one in store.selections.items(sent.id))
        skipped = batch.chosen - opened
        view.message = f"{opened} tasks are in the queue." + (
            f" {skipped} were not needed any more." if skipped else ""
        )


def discard(view: LearnState, batch: Batch) -> None:
    """Throw a batch away that nobody was asked about."""
    with told(view):
        context.store().selections.discard(batch.id, now=context.now())
        view.message = f"Batch {batch.id} is thrown away; nobody was asked."


def batches() -> list[Batch]:
    """The newest first."""
    return context.store().selections.all()


def on_page(view: LearnState, found: Sequence[Batch]) -> Batch | None:
    """The batch to show: the one that was just chosen or picked, else the newest."""
    return next((one for one in found if one.id == view.batch), found[0] if found else None)


def items(batch: Batch) -> list[Item]:
    """The pictures of a batch."""
    return context.store().selections.items(batch.id)


def compare(
    view: LearnState, dataset: str, strategies: Sequence[str], model: str, seeds: int, price: float
) -> None:  # fmt: skip
    """Let the worker replay the rounds on a dataset."""
    with told(view):
        given: dict[str, Any] = {"model": model, "seeds": seeds, "price": price}
        if dataset != LABELS_SO_FAR:
            given |= {"dataset": dataset, "strategies": list(strategies)}
        view.comparing, view.why_not = context.store().jobs.submit("backtest", given), ""


def comparisons() -> list[dict[str, Any]]:
    """What was compared, the newest first, of datasets that are there."""
    known = {LABELS_SO_FAR, *datasets()}
    return [one for one in kept_backtests(context.settings()) if one.get("dataset") in known]


def datasets() -> list[str]:
    """Names of all datasets, the newest first."""
    return [one.name for one in context.store().datasets.names()]


def rows(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each strategy, fewest labels first."""
    found = sorted(comparison["strategies"].items(), key=lambda pair: pair[1]["to_target"])
    return [
        {
            "strategy": STRATEGIES[name].title if name in STRATEGIES else name,
            "labels to target": _ranged(one["to_target"], one["to_target_interval"], "{:.0f}"),
            "saved against random": "–"
            if one["saved"] is None
            else _ranged(one["saved"], one["saved_interval"], "{:.0%}"),
            "money saved": "–" if one["money_saved"] is None else f"{one['money_saved']:,.2f}",
            "stop at": "not yet" if one["stop_at"] is None else f"{one['stop_at']} ({one['at_stop']:.2f})",
        }
        for name, one in found
    ]


def _ranged(value: float, between: Sequence[float] | None, form: str) -> str:
    ends = "" if between is None else f" ({form.format(between[0])}–{form.format(between[1])})"
    return form.format(value) + ends


def hours(seconds: float) -> str:
    """A time of work in words: minutes below an hour, hours from there on."""
    if seconds < 3600:
        return count(max(1, round(seconds / 60)), "minute")
    return f"{seconds / 3600:,.1f} hours"


def models() -> list[str]:
    """Names of all models, the newest first."""
    return [one.name for one in context.store().models.all()]


def time_of(text: str) -> datetime:
    """When a comparison was made."""
    return datetime.fromisoformat(text)

"""One run of a pipeline: the step that is next, until none is left; killed anywhere, the next job goes on from there.

    validate labels ─▶ augment ─▶ train ─▶ evaluate ─▶ gate ─▶ shadow
          │               │         │          │         │        └ only where the gate did not refuse
          └───────────────┴─────────┴──────────┴─────────┴─▶ failed: an alarm, and the later steps are not run

Each step finds out by itself what it had done before a kill: a frozen dataset is kept, a training goes on after its
last epoch, a gate is not asked twice.
"""

from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress, quiet
from app.jobs.science.pipelines.clock import told_of_pipelines
from app.jobs.science.pipelines.configuration import Configuration, from_store
from app.jobs.science.pipelines.steps import STEPS, NotRun, Work
from app.settings import Settings
from core.errors import HoldpointError
from core.gates.records import Answer
from core.learn.pipeline import Run, RunState, StepName, StepState, next_step
from core.roles import WORKER

if TYPE_CHECKING:
    from data.store import Store


def run_pipeline(store: "Store", settings: Settings, run: int, *, progress: Progress = quiet) -> dict[str, Any]:
    """Do whatever is left of a run.

    Args:
        store: bound to whoever the run acts for; where it is, is written down by the plant itself.
        settings: of the plant.
        run: its number.
        progress: told the step, and how far it is.

    Returns:
        {run, pipeline, state, model, said, steps: {name: state}}.

    Raises:
        HoldpointError: why a step failed; the run says so, too, and an alarm is raised.
    """
    plant = store.acting_as(WORKER)
    found = plant.pipelines.run(run)
    if found.state.over:
        return told(found)
    try:
        configuration = from_store(plant.pipelines.configuration(found.pipeline, found.number))
        while (name := next_step(found.steps)) is not None:
            _step(store, settings, found, configuration, name, progress)
            found = plant.pipelines.run(run)
    except HoldpointError as error:
        plant.pipelines.fail(run, str(error), told_of_pipelines(settings))
        raise
    plant.pipelines.end(run, outcome(found))
    return told(plant.pipelines.run(run))


def _step(
    store: "Store", settings: Settings, run: Run, configuration: Configuration, name: StepName, progress: Progress
) -> None:
    plant = store.acting_as(WORKER)
    plant.pipelines.begin(run.id, name)

    def say(done: int, total: int, message: str) -> None:
        progress(done, total, f"{name}: {message}")

    say(0, 0, "begins")
    tries = run.step(name).tries + 1
    try:
        result = STEPS[name](Work(store, settings, run, configuration, tries, say))
    except NotRun as reason:
        plant.pipelines.skip(run.id, name, str(reason))
    else:
        plant.pipelines.done(run.id, name, result)


def outcome(run: Run) -> str:
    """What came of a run, in a sentence."""
    gate = run.step(StepName.GATE).result or {}
    answer = str(gate.get("answer") or "")
    model = str((run.step(StepName.TRAIN).result or {}).get("model") or run.model)
    verdict = {
        str(Answer.PASS): "passed its gate",
        str(Answer.FAIL): "was refused by its gate",
        str(Answer.UNSURE): "showed too little for its gate",
    }.get(answer, "was not gated")
    looks_on = run.step(StepName.SHADOW).state is StepState.DONE
    return f"{model} {verdict} and {'looks on' if looks_on else 'does not look on'}."


def told(run: Run) -> dict[str, Any]:
    """The JSON document of a run."""
    return {
        "run": run.id,
        "pipeline": run.pipeline,
        "site": run.site,
        "number": run.number,
        "cause": str(run.cause),
        "state": str(run.state),
        "by": run.by,
        "due_at": None if run.due_at is None else run.due_at.isoformat(),
        "missed": run.missed,
        "model": run.model if run.step(StepName.TRAIN).state is StepState.DONE else None,
        "said": run.said,
        "job": run.job,
        "steps": {
            str(one.name): {
                "state": str(one.state), "tries": one.tries, "seconds": one.seconds, "reason": one.reason,
                "result": None if one.result is None else dict(one.result),
            }
            for one in run.steps
        },
        "done": run.state is RunState.DONE,
    }  # fmt: skip

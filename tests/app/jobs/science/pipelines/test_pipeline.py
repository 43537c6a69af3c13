"""A pipeline as a job: every step in order, a kill in each of them, failures that alarm, and a shadow only by leave."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.jobs.runner import Clockwork
from app.jobs.science import gate as gate_module
from app.jobs.science.pipelines.configuration import read_text
from app.jobs.science.pipelines.running import run_pipeline
from app.settings import Settings
from core.errors import BadInput, Conflict, GateFailed
from core.gates.limits import Limits
from core.gates.rates import Answer
from core.gates.records import Criterion, Verdict
from core.learn.pipeline import ORDER, RunState, StepName, StepState
from core.pictures.tiling import Look
from core.roles import WORKER
from core.watch.rules import RuleKind
from data.store import Store
from data.taxonomies import shipped
from models.checkpoint import load
from tests.app.jobs.small_dataset import drawn, short_epochs

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT = """
experiment: pits
site: Lyon
dataset: {name: pits}
architecture: test_resnet
weights: scratch
epochs: 2
batch: 8
augmentation:
  all: {rotation: 90, noise: 0.02, brightness: 0.2, contrast: 0.2, crop: [0.8, 1.0]}
"""


class Killed(BaseException):
    """Stands for a kill: nothing between handles it."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    """Small tiles, short epochs, no time spent on the gate's timing."""
    from models.training import recipes

    monkeypatch.setattr(recipes, "look_for", lambda examples, tile=64: Look(64, 32))
    monkeypatch.setattr(gate_module, "TIMING_S", 0.0)
    with short_epochs():
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, device="cpu", offline=True, decoders=1)


@pytest.fixture
def plant(store: Store, settings: Settings) -> Store:
    store.sites.add("Lyon", shipped("machined"), now=NOW)
    drawn(settings)
    return store


def begin(store: Store, text: str = TEXT) -> int:
    made = read_text(text)
    store.pipelines.configure(made.experiment, made.site, made.to_json(), made.schedule)
    return store.pipelines.start(made.experiment).id


def states(store: Store, run: int) -> dict[str, str]:
    return {str(one.name): str(one.state) for one in store.pipelines.run(run).steps}


def tries(store: Store, run: int) -> list[int]:
    return [one.tries for one in store.pipelines.run(run).steps]


def test_every_step_runs_in_order_and_leaves_what_it_found(plant: Store, settings: Settings) -> None:
    run = begin(plant)
    said: list[str] = []
    told = run_pipeline(plant, settings, run, progress=lambda *one: said.append(one[2]))
    assert told["model"] == f"pits-{run}"
    steps = {name: one["result"] for name, one in told["steps"].items()}
    assert steps["validate labels"]["pictures"] == {"train": 12, "val": 8, "test": 8}
    assert steps["augment"]["part_types"][""]["how"]["noise"] == 0.02
    assert steps["train"]["epochs"] == 2
    assert steps["evaluate"]["images"] == 8
    assert steps["gate"]["answer"] in ("fail", "not enough evidence")
    expected = StepState.NOT_RUN if steps["gate"]["answer"] == "fail" else StepState.DONE
    assert plant.pipelines.run(run).step(StepName.SHADOW).state is expected
    assert plant.pipelines.run(run).state is RunState.DONE
    recipe = plant.models.get(f"pits-{run}").card["training"]["recipe"]
    assert (recipe["batch"], recipe["augmentation"]["crop"]) == (8, [0.8, 1.0])
    assert [name for name in ORDER if any(one.startswith(f"{name}: ") for one in said)] == list(ORDER)


@pytest.mark.parametrize("at", [name for name in ORDER if name is not StepName.SHADOW])
def test_killed_in_any_step_it_goes_on_with_that_step(plant: Store, settings: Settings, at: StepName) -> None:
    run = begin(plant)

    def kill(done: int, total: int, message: str) -> None:
        if message.startswith(f"{at}: ") and (at is not StepName.TRAIN or "epoch 2" in message):
            raise Killed

    with pytest.raises(Killed):
        run_pipeline(plant, settings, run, progress=kill)
    before = ORDER.index(at)
    assert list(states(plant, run).values()) == [*["done"] * before, "running", *["waiting"] * (5 - before)]
    told = run_pipeline(plant, settings, run)
    assert told["state"] == "done"
    assert tries(plant, run) == [2 if name is at else 1 for name in ORDER]


def test_a_model_that_was_whole_before_a_kill_is_not_trained_again(plant: Store, settings: Settings) -> None:
    run = begin(plant)
    enter = plant.models.add.__func__
    with pytest.MonkeyPatch.context() as patch:

        def die(*_: Any, **__: Any) -> None:
            raise Killed

        patch.setattr(type(plant.models), "add", die)
        with pytest.raises(Killed):
            run_pipeline(plant, settings, run)
    assert type(plant.models).add is enter
    made = load(settings.models / f"pits-{run}").card.sha256
    run_pipeline(plant, settings, run)
    assert plant.models.get(f"pits-{run}").sha256 == made


def test_a_failed_step_alarms_and_the_run_goes_on_once_it_is_mended(plant: Store, settings: Settings) -> None:
    picture = settings.home / "pictures" / "val3.png"
    kept = picture.read_bytes()
    picture.unlink()
    run = begin(plant)
    with pytest.raises(BadInput, match=r"val3\.png is gone"):
        run_pipeline(plant, settings, run)
    assert list(states(plant, run).values()) == ["failed", *["not run"] * 5]
    [alarm] = plant.alarms.find("Lyon")
    assert alarm.kind is RuleKind.PIPELINE
    assert "val3.png is gone" in alarm.text
    picture.write_bytes(kept)
    plant.pipelines.resume(run)
    assert run_pipeline(plant, settings, run)["state"] == "done"


def _gate(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """The gate says what a test tells it to."""

    def say(store: Store, _settings: Settings, model: str, site: str, dataset: str, split: str, **_: Any) -> Any:
        criterion = Criterion("recall", 0.93, True, 0.9, 0.8, 0.99, 40, "parts", answer)
        version = store.models.get(model)
        return store.gates.add(site, model, version.sha256, dataset, split, None, Verdict((criterion,), 0.05),
                               Limits(), {"cautions": []})  # fmt: skip

    monkeypatch.setattr(gate_module, "run_gate", say)


def test_a_refused_model_never_looks_on(plant: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _gate(monkeypatch, Answer.FAIL)
    run = begin(plant)
    told = run_pipeline(plant, settings, run)
    assert told["state"] == "done"
    last = plant.pipelines.run(run).step(StepName.SHADOW)
    assert last.state is StepState.NOT_RUN
    assert last.reason.startswith("The gate refused the model: broken: recall")
    assert plant.shadows.latest("Lyon") is None
    assert "was refused by its gate and does not look on" in told["said"]


@pytest.mark.parametrize("answer", [Answer.PASS, Answer.UNSURE])
def test_a_model_that_was_not_refused_looks_on(
    plant: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    _gate(monkeypatch, answer)
    run = begin(plant, f"{TEXT}\nshadow: {{hours: 6}}")
    told = run_pipeline(plant, settings, run)
    looks_on = plant.shadows.latest("Lyon")
    assert (looks_on.model, looks_on.until - looks_on.started_at) == (f"pits-{run}", timedelta(hours=6))
    assert "looks on." in told["said"]


def test_another_shadow_is_not_ended_unless_the_configuration_says_so(
    plant: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _gate(monkeypatch, Answer.PASS)
    first = begin(plant)
    run_pipeline(plant, settings, first)
    second = begin(plant)
    with pytest.raises(Conflict, match=f"pits-{first} looks on"):
        run_pipeline(plant, settings, second)
    assert states(plant, second)["shadow"] == "failed"
    third = begin(plant, f"{TEXT}\nshadow: {{replace: true}}")
    run_pipeline(plant, settings, third)
    assert plant.shadows.latest("Lyon").model == f"pits-{third}"


def test_without_a_shadow_in_the_configuration_none_is_started(
    plant: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _gate(monkeypatch, Answer.PASS)
    run = begin(plant, f"{TEXT}\nshadow: off")
    run_pipeline(plant, settings, run)
    assert plant.pipelines.run(run).step(StepName.SHADOW).reason == "The configuration asks for no shadow."


def test_too_many_doubtful_labels_stop_it(plant: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    report = {"labels": 10, "counts": {"tiny box": 2}, "suspects": [{"image": 1}, {"image": 2}, {"image": 2}]}
    monkeypatch.setattr("app.jobs.science.suspects.find_suspects", lambda *_, **__: report)
    run = begin(plant, f"{TEXT}\nlabels: {{most_doubted: 0.1}}")
    with pytest.raises(GateFailed, match=r"2 of 10 labels of Lyon are doubtful \(20\.0%\), more than 10\.0%"):
        run_pipeline(plant, settings, run)


def test_at_its_time_limit_the_best_epoch_is_kept_and_it_is_said(plant: Store, settings: Settings) -> None:
    run = begin(plant, f"{TEXT.replace('epochs: 2', 'epochs: 50')}\ntime_limit: 0.001")
    run_pipeline(plant, settings, run)
    result = plant.pipelines.run(run).step(StepName.TRAIN).result
    assert result["epochs"] == 1
    assert "the time was up" in result["chosen"]


def test_a_refit_is_asked_for_in_the_file_and_told_by_the_step(plant: Store, settings: Settings) -> None:
    run = begin(plant, f"{TEXT}\nrefit: true")
    run_pipeline(plant, settings, run)
    assert plant.pipelines.run(run).step(StepName.TRAIN).result["refit"] is True
    assert plant.models.get(f"pits-{run}").card["dataset"]["learned"] == ["train", "val"]
    late = begin(plant, f"{TEXT}\nrefit: true\ntime_limit: 0.001")
    run_pipeline(plant, settings, late)
    assert plant.pipelines.run(late).step(StepName.TRAIN).result["refit"] is False


@pytest.mark.parametrize("where", ["evaluate: val", "gate: {split: val}"])
def test_a_refitted_model_is_not_measured_on_what_taught_it(where: str) -> None:
    with pytest.raises(BadInput, match="evaluate and gate need the test ones"):
        read_text(f"{TEXT}\nrefit: true\n{where}")


def test_a_run_that_is_over_is_not_run_again(plant: Store, settings: Settings) -> None:
    run = begin(plant)
    plant.acting_as(WORKER).pipelines.fail(run, "why")
    assert run_pipeline(plant, settings, run)["state"] == "failed"
    assert tries(plant, run) == [0] * 6


def test_the_worker_begins_what_is_due_and_ends_what_died(plant: Store, settings: Settings) -> None:
    made = read_text(f'{TEXT}\nschedule: "0 2 * * 6"')
    plant.pipelines.configure(made.experiment, "Lyon", made.to_json(), made.schedule, on=True, now=NOW)
    worker = plant.acting_as(WORKER)
    Clockwork(worker, lambda: datetime(2026, 3, 7, 2, 1, tzinfo=UTC), settings).tick()
    [run] = plant.pipelines.runs()
    job = worker.jobs.claim("w")
    assert (job.kind, job.id) == ("pipeline", run.job)
    worker.jobs.fail(job.id, "The job's process ended unexpectedly (SIGKILL).", "w")
    Clockwork(worker, lambda: datetime(2026, 3, 7, 2, 2, tzinfo=UTC), settings).tick()
    assert plant.pipelines.run(run.id).state is RunState.FAILED

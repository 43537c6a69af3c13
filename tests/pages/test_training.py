"""The page science/training, on the small plant."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from app import training
from app.jobs.science.pipelines.configuration import read_text
from app.jobs.science.pipelines.preview import Drawn, Preview
from core.learn.pipeline import RunState, StepName
from core.roles import WORKER, Actor
from data.store import open_store
from tests.small_plant import SITE

TEXT = """
experiment: weekly
dataset: {name: first}
architecture: test_resnet
epochs: 2
"""
NOW = datetime.now(UTC)


@pytest.fixture
def store(plant):
    opened = open_store(plant.url)
    yield opened
    opened.close()


def words(page) -> str:
    kinds = ("markdown", "caption", "info", "warning", "success", "error", "subheader")
    return " ".join(str(one.value) for kind in kinds for one in getattr(page, kind)).replace("\\", "")


def button(page, label):
    return next(one for one in page.button if one.label == label)


def field(page, label):
    return next(one for one in page.text_input if one.label == label)


def weekly(store, line: str = "0 2 * * 6") -> None:
    made = read_text(f"{TEXT}\nsite: {SITE}\nschedule: '{line}'")
    dora = store.acting_as(Actor("Dora"))
    dora.pipelines.configure("weekly", SITE, made.to_json(), made.schedule, on=True)


def test_without_a_pipeline_the_page_offers_a_template_with_its_next_times(app):
    page = app("Dora", "science/training")
    assert not page.exception
    assert "No run yet" in words(page)
    assert "noise: 0.02" in page.text_area[0].value
    assert "Next on the clock of Europe/Paris:" in words(page)


def test_what_is_wrong_in_the_form_is_said_and_cannot_be_saved(app):
    page = app("Dora", "science/training")
    page.text_area[0].set_value("experiment: a b\nepochs: 0").run()
    said = words(page)
    assert "experiment is 'a b': use letters" in said
    assert "epochs is 0" in said
    assert "dataset is missing" in said
    assert button(page, "Save").disabled
    page.text_area[0].set_value("[1").run()
    assert "is no YAML in line 1" in words(page)


def test_a_schedule_that_is_none_is_refused_before_it_is_kept(app):
    page = app("Dora", "science/training")
    field(page, "Schedule").set_value("0 2 * * 9").run()
    assert "no cron line" in words(page)
    field(page, "Schedule").set_value("").run()
    assert "It runs only when somebody starts it" in words(page)


def test_saving_puts_it_in_force_and_running_it_files_a_job(app, store):
    page = app("Dora", "science/training")
    page.text_area[0].set_value(TEXT).run()
    button(page, "Save").click().run()
    assert not page.exception
    kept = store.pipelines.get("weekly")
    assert (kept.by, kept.on, kept.schedule, kept.document["epochs"]) == ("Dora", True, "0 2 * * 6", 2)
    button(page, "Run it now").click().run()
    assert not page.exception
    [run] = store.pipelines.runs("weekly")
    assert store.jobs.get(run.job).kind == "pipeline"
    said = words(page)
    assert "waits for the worker" in said
    assert "No worker is running, so jobs wait." in said
    button(page, "Cancel").click().run()
    assert store.jobs.get(run.job).state.value == "cancelled"


def test_somebody_elses_change_is_not_overwritten(app, store):
    weekly(store)
    page = app("Dora", "science/training")
    store.pipelines.configure("weekly", SITE, {"experiment": "weekly"}, "0 3 * * 6")
    button(page, "Save").click().run()
    assert "has changed weekly since you saw it" in words(page)


def test_each_step_shows_where_it_is_and_why_it_failed_and_a_run_goes_on(app, store):
    weekly(store)
    run = store.acting_as(Actor("Dora")).pipelines.start("weekly")
    worker = store.acting_as(WORKER)
    worker.pipelines.begin(run.id, StepName.VALIDATE, NOW)
    worker.pipelines.done(run.id, StepName.VALIDATE, {"dataset": "first", "labels": 3}, NOW + timedelta(seconds=12))
    worker.pipelines.begin(run.id, StepName.AUGMENT, NOW)
    job = worker.jobs.claim("w")
    worker.pipelines.fail(run.id, "a picture is gone")
    worker.jobs.fail(job.id, "a picture is gone", "w")
    page = app("Dora", "science/training")
    said = words(page)
    assert "validate labels: done 12 s" in said
    assert "**augment** failed: a picture is gone" in said
    assert "shadow: not run" in said
    button(page, "Go on").click().run()
    assert not page.exception
    assert store.pipelines.run(run.id).state is RunState.WAITING
    assert "goes on with the step" in words(page)


def test_a_run_on_its_way_shows_how_far_its_job_is(app, store):
    weekly(store)
    run = store.acting_as(Actor("Dora")).pipelines.start("weekly")
    worker = store.acting_as(WORKER)
    worker.jobs.claim("w")
    worker.pipelines.begin(run.id, StepName.TRAIN)
    worker.jobs.progress(run.job, 1, 4, "train: epoch 2 of 4")
    page = app("Dora", "science/training")
    assert not page.exception
    assert "train: running" in words(page)
    assert button(page, "Cancel")


def evaluated(home: Path, store, name: str, right: int, arch: str = "test_resnet") -> None:
    """A model of which an evaluation on 40 parts is kept, so many of them right."""
    folder = home / "models" / name
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"0" * 2_000_000)
    history = [{"number": n, "loss": 1 / n, "seconds": 1.0, "validation": {"log_loss": abs(n - 4) / 10 + 0.2}}
               for n in range(1, 11)]  # fmt: skip
    card = {"name": name, "arch": arch, "training": {"history": history, "best_epoch": 4, "chosen": "by them"}}
    store.models.add(card, f"models/{name}", name.encode().hex().ljust(64, "0")[:64])
    pictures = [
        {"file": f"{n}.png", "group": f"g{n}", "defective": n < 20, "classes": ["CRACK"] if n < 20 else [],
         "score": 0.9 if (n < 20) == (n < right) or n >= 40 else 0.1, "said": "CRACK", "view": None,
         "milliseconds": 10.0 + n}
        for n in range(40)
    ]  # fmt: skip
    for n, one in enumerate(pictures):
        truth = one["defective"]
        one["score"] = (0.9 if truth else 0.1) if n < right else (0.1 if truth else 0.9)
    document = {"dataset": "first", "split": "test", "sha256": None, "evaluated_at": "2026-03-02T09:00:00+00:00",
                "pictures": pictures, "averaged": []}  # fmt: skip
    (folder / "evaluation-first-test.json").write_text(json.dumps(document))


def test_experiments_stand_side_by_side_with_intervals_and_a_paired_test(app, plant, store):
    evaluated(plant.home, store, "old", 30)
    evaluated(plant.home, store, "new", 38)
    store.sites.set_model(SITE, "old", "set up")
    page = app("Dora", "science/training")
    assert not page.exception
    table = next(one.value for one in page.dataframe if "against the one in use" in one.value.columns)
    rows = {row["model"]: row for row in table.to_dict("records")}
    assert set(rows) == {"new", "old (in use)"}
    assert rows["new"]["accuracy"].startswith(".95 (.83")
    assert rows["new"]["against the one in use"].startswith("+20.0 points (")
    assert "p = 0.0078, n = 40" in rows["new"]["against the one in use"]
    assert rows["new"]["size"] == "2.0 MB"
    assert "open above" in rows["new"]["P99"]
    assert rows["old (in use)"]["against the one in use"] == "this is it"


def test_curves_that_part_are_warned_about(app, plant, store):
    evaluated(plant.home, store, "new", 38)
    page = app("Dora", "science/training")
    assert not page.exception
    assert "learns these pictures by heart" in words(page)
    assert "Kept: epoch 4 of 10, by them" in words(page)


def test_the_preview_shows_windows_and_what_was_switched_off(app, store, monkeypatch):
    item = {"split": "train", "site": SITE, "part_type": "bracket", "path": "a.png", "regions": [{}]}
    monkeypatch.setattr(training, "kinds", lambda dataset, site: {"bracket": [item]})
    store.datasets.add("first", {"name": "first", "items": []}, "0" * 64)
    weekly(store)
    png = _png()
    made = Preview(Drawn(png, 1, 1.0), (Drawn(png, 1, 0.4), Drawn(png, 0, 1.0)),
                   (("noise", "it hides 20% of 15 drawn regions"),), 15)  # fmt: skip

    class Asked:
        def run(self, *given, **named):
            return made

    monkeypatch.setattr(training.context, "scorer", Asked)
    page = app("Dora", "science/training")
    next(one for one in page.selectbox if one.label == "As").set_value("weekly").run()
    button(page, "Show").click().run()
    assert not page.exception
    said = words(page)
    assert "**noise** is off: it hides 20% of 15 drawn regions" in said
    assert "Measured on 15 drawn regions" in said


def test_who_may_not_train_does_not_get_the_page(app):
    with pytest.raises(ValueError, match="navigation page"):
        app("Quentin", "science/training")


def _png() -> bytes:
    import cv2

    return cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()

"""Part types and models over a model that was really trained, evaluated and compared."""

import json
import shutil

import pytest

from app import context
from app.jobs.runner import run_job
from app.jobs.science.evaluate import evaluate
from app.jobs.science.looks import compare_looks
from app.jobs.science.train import train
from app.settings import Settings
from app.widgets.science.model_card import measurements
from app.widgets.text import share
from core.pictures.tiling import Look
from core.plant import JobState, ModelVersion
from core.roles import Actor
from data.store import open_store
from tests.app.jobs.small_dataset import drawn, short_epochs
from tests.small_plant import SITE, Made, make_plant, sign_in

LOOK = Look(tile=64, stride=32)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A plant whose site uses a tiny model, with the dataset it was trained on."""
    plant = make_plant(tmp_path_factory.mktemp("measured") / "home")
    settings = settings_of(plant)
    store = open_store(plant.url)
    manifest = drawn(settings)
    store.datasets.add("pits", manifest, manifest["hash"])
    with short_epochs():
        train(store, settings, "pits", "test_resnet", "scratch", 2, name="m", look=LOOK)
    store.sites.set_model(SITE, "m")
    store.close()
    return plant


@pytest.fixture
def plant(made, tmp_path, monkeypatch):
    """A copy of it, and the app pointed at it."""
    home = tmp_path / "home"
    shutil.copytree(made.home, home)
    for name, value in (("HOME", str(home)), ("DEVICE", "cpu"), ("DECODERS", "1")):
        monkeypatch.setenv(f"HOLDPOINT_{name}", value)
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    yield Made(home, f"sqlite:///{home / 'holdpoint.sqlite3'}")
    context._open.cache_clear()


def settings_of(plant):
    return Settings(home=plant.home, device="cpu", offline=True, decoders=1)


def words(page):
    kinds = ("markdown", "caption", "info", "warning", "subheader")
    return " ".join(one.value for kind in kinds for one in getattr(page, kind)).replace("\\", "")


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def table(page, column):
    return next(one.value for one in page.dataframe if column in one.value.columns)


# --- part types -----------------------------------------------------------------------------------


def test_before_a_comparison_the_page_says_how_to_start_one(plant, open_page):
    page = open_page(sign_in(plant.url, "Quentin"), "quality/parttypes")
    assert "Nothing is measured yet of how m finds defects" in words(page)
    assert "Compare the choices" in [button.label for button in page.button]
    assert "As chosen: scale 1, tiles of 64 px every 32" in words(page)  # nobody set anything: the model's own


def test_a_comparison_started_on_the_page_is_shown_for_each_choice(plant, open_page):
    token = sign_in(plant.url, "Quentin")
    page = press(open_page(token, "quality/parttypes"), "Compare the choices")
    assert "The worker compares them now" in page.success[0].value
    assert "No worker is running" in page.warning[0].value
    store = open_store(plant.url, Actor("w1", system=True))
    job = store.jobs.claim("w1")
    assert (job.kind, job.by, job.arguments["dataset"], job.arguments["split"]) == ("looks", "Quentin", "pits", "test")
    assert job.arguments["looks"][0] == {"tile": 64, "stride": 32, "scale": 1.0, "whole_picture": False}
    assert run_job(store, settings_of(plant), job, "w1") == 0
    assert store.jobs.get(job.id).state is JobState.DONE
    page = open_page(token, "quality/parttypes")
    shown = table(page, "10 to 25 px")
    assert list(shown["choice"]) == list(table(page, "smallest sharp detail, px")["choice"])
    assert (shown["ms per picture"] > 0).all()
    assert all("/4 (" in cell for cell in shown["10 to 25 px"])
    assert set(shown["under 10 px"]) == {"–"}
    assert "longer side of the drawn box" in words(page)
    assert "of 4 parts" in words(page)
    assert "not compared yet" not in words(page)


def test_a_choice_that_was_not_compared_is_counted_and_never_guessed(plant, open_page):
    store = open_store(plant.url)
    compare_looks(store, settings_of(plant), "m", "pits", "test", [LOOK])
    page = open_page(sign_in(plant.url, "Quentin"), "quality/parttypes")
    assert list(table(page, "10 to 25 px")["choice"]) == ["as chosen"]
    assert "5 choices not compared yet" in words(page)
    next(one for one in page.select_slider if one.label == "Working scale").set_value(0.25).run()
    assert "none of those above" in words(page)


def test_exposures_are_set_on_the_page(plant, open_page):
    page = open_page(sign_in(plant.url, "Quentin"), "quality/parttypes")
    next(one for one in page.toggle if "exposures" in one.label).set_value(True).run()
    press(page, "Save")
    assert open_store(plant.url).part_types.get(SITE, "bracket").exposures is True


def test_the_time_of_each_choice_is_measured_with_the_sites_own_model(plant, open_page, monkeypatch):
    class Here:
        """Runs in this process what the page runs in its scoring process."""

        def run(self, function, *given):
            return function(*given)

    monkeypatch.setattr(context, "scorer", Here)
    page = press(open_page(sign_in(plant.url, "Quentin"), "quality/parttypes"), "Measure on this machine")
    shown = table(page, "smallest sharp detail, px")
    assert (shown["ms per picture"] > 0).all()


# --- models ---------------------------------------------------------------------------------------


def test_a_fresh_model_shows_what_training_measured(plant, open_page):
    page = open_page(sign_in(plant.url, "Dora"), "science/models")
    assert not page.exception
    card = json.loads((plant.home / "models" / "m" / "card.json").read_text())
    (chosen,) = [one for one in page.selectbox if one.label == "Measured on"]
    assert chosen.options == ["validation pictures of the data set pits, while it was trained"]
    shown = {one.label: one.value for one in page.metric}
    assert shown["AUROC by picture"] == share(card["metrics"]["auroc"])
    assert shown["AUROC by part"] == share(card["metrics"]["part_auroc"])
    rules = table(page, "rule")
    assert list(rules["rule"]) == ["this model", "flag everything", "pass everything"]
    assert list(rules["defects stopped"]) == [
        str(card["metrics"][one]["tp"]) for one in ("at_threshold", "flag_all", "pass_all")
    ]
    assert list(table(page, "pr_auc")["class"]) == card["classes"]
    assert list(table(page, "stopped")["regions"]) == [0, 4, 0, 0, 0, 4]
    assert "in use at Lyon" in words(page)
    assert f"Kept: epoch {card['training']['best_epoch']} of 2" in words(page)


def test_the_curves_and_the_confusion_matrix_are_those_of_the_card(plant, open_page):
    page = open_page(sign_in(plant.url, "Dora"), "science/models")
    card = json.loads((plant.home / "models" / "m" / "card.json").read_text())
    drawn_ones = [json.loads(one.proto.spec) for one in page.get("plotly_chart")]
    (matrix,) = [one["data"][0] for one in drawn_ones if one["data"][0]["type"] == "heatmap"]
    assert matrix["z"] == card["metrics"]["confusion"]["matrix"]
    assert matrix["x"] == card["metrics"]["confusion"]["names"]
    (lines,) = [one["data"] for one in drawn_ones if one["data"][0]["type"] == "scatter"]
    history = card["training"]["history"]
    named = {one["name"]: one["y"] for one in lines}
    assert named["training loss"] == [epoch["loss"] for epoch in history]
    assert named["validation AUROC by picture"] == [epoch["validation"]["auroc"] for epoch in history]


def test_an_evaluation_comes_before_what_training_measured(plant, open_page):
    store = open_store(plant.url)
    document = evaluate(store, settings_of(plant), "m", "pits", "test")
    page = open_page(sign_in(plant.url, "Dora"), "science/models")
    chosen = next(one for one in page.selectbox if one.label == "Measured on")
    assert chosen.options == [
        "test pictures of the data set pits",
        "validation pictures of the data set pits, while it was trained",
    ]
    assert {one.label: one.value for one in page.metric}["AUROC by picture"] == share(document["auroc"])
    assert "are exposures of one view" in words(page)


def test_an_evaluation_on_training_pictures_is_shown_with_its_caution(plant, open_page):
    evaluate(open_store(plant.url), settings_of(plant), "m", "pits", "train")
    assert "no measure of anything" in words(open_page(sign_in(plant.url, "Dora"), "science/models"))


def test_a_model_of_which_nothing_was_measured_says_how_to_measure_it():
    blind = ModelVersion("blind", "", "", {"metrics": {"measured_on": None}}, "", None)
    assert measurements(blind, []) == {}

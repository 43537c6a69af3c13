import json

import pytest

from app.jobs.demo.checkpoint import RECIPES, Study, draw_dataset, lines_of, make_checkpoint
from app.jobs.intake.line import SHIPPED, open_model
from app.jobs.science.evaluate import evaluate
from app.settings import Settings
from core.errors import BadInput
from data.demo.plant import SITES, TOLD_BY_READING
from models.checkpoint import load

FRESH = 40  # pictures of a draw that no training and no choice has seen
FLOORS = {"auroc": 0.85, "pointing_game": 0.5, "named": 0.5}  # far below what was measured: 40 pictures scatter


@pytest.mark.parametrize("model", RECIPES)
def test_a_shipped_model_is_small_and_its_card_says_how_it_was_made_and_examined(model):
    checkpoint = load(SHIPPED / model)
    drawn = {name for line in lines_of(model) for name in line.flaws}
    assert set(checkpoint.card.classes) == drawn - set(TOLD_BY_READING)
    assert sum(file.stat().st_size for file in (SHIPPED / model).iterdir()) < 3_000_000
    assert checkpoint.card.dataset["seed"] == RECIPES[model].seed
    examined = checkpoint.card.metrics["examination"]
    assert examined["split"] == "test"
    assert examined["seed"] != RECIPES[model].seed
    assert "scratch" in checkpoint.card.weights


@pytest.mark.parametrize("model", RECIPES)
def test_the_card_of_a_shipped_model_holds_the_band_of_every_site_that_passes_parts_by_it(model):
    bands = load(SHIPPED / model).card.metrics["bands"]
    assert set(bands) == {site.name for site in SITES if site.model == model and site.band is not None}
    for found in bands.values():
        assert 0 < found["pass_below"] <= found["fail_above"] < 1
        assert found["chosen_on"]["seed"] != found["examined_on"]["seed"]
        assert found["examined_on"]["defective"] > 50
        assert found["examined_on"]["good"] > 50


@pytest.mark.parametrize("model", RECIPES)
def test_a_shipped_model_passes_its_own_check_and_beats_its_floors_on_a_fresh_draw(model, tmp_path):
    settings = Settings(home=tmp_path, offline=True, threads=1, decoders=1)
    open_model(None, settings, model)  # refuses a net that answers otherwise than its card says
    draw_dataset(tmp_path, model, FRESH, seed=90_210, splits=(("test", 1.0),))
    found = evaluate(None, settings, model, model, "test")
    classes = [one for one in found["per_class"].values() if one["n"]]
    named = sum(one["recall"] * one["n"] for one in classes) / sum(one["n"] for one in classes)
    assert found["images"] >= FRESH
    assert found["auroc"] > FLOORS["auroc"]
    assert found["pointing_game"] > FLOORS["pointing_game"]
    assert named > FLOORS["named"]


def test_the_script_makes_a_model_that_the_line_can_open(tmp_path):
    made = make_checkpoint(
        "demo-boxes",
        tmp_path / "shipped" / "demo-boxes",
        base=Settings(home=tmp_path / "home", offline=True, decoders=1),
        study_of=Study(pictures=24, epochs=1, seed=5, examined=8, each=3),
    )
    folder = tmp_path / "shipped" / "demo-boxes"
    assert made["images"] > 0
    assert {file.name for file in folder.iterdir()} == {"card.json", "weights.safetensors"}
    assert str(tmp_path) not in (folder / "card.json").read_text()
    assert json.loads((folder / "card.json").read_text())["metrics"]["bands"]["Rotterdam"]["chosen_on"]["good"] >= 3


def test_only_the_plants_models_are_shipped():
    with pytest.raises(BadInput, match="No model 'lacquer' is shipped"):
        lines_of("lacquer")

import json
import re
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import numpy as np
import pytest

from app.jobs.science.evaluate import evaluate
from app.jobs.science.measured import place_of
from app.jobs.science.report import number, report
from app.jobs.science.train import train
from app.settings import Settings
from core.decide.decision import join
from core.errors import BadInput, NotFound
from core.learn.evaluation import Judged, summarise
from core.learn.metrics import auroc
from core.pictures.tiling import Look
from core.plant import PartType
from tests.app.jobs.small_dataset import drawn, keep, short_epochs

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DESIGN = (
    "images, defective, auroc, auroc_interval, part_auroc, part_auroc_interval, recall_at_5_percent_frr, per_class, "
    "confusion, pointing_game, flag_all"
)


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("plant"), device="cpu", offline=True, decoders=1)
    drawn(settings)
    with short_epochs():
        train(None, settings, "pits", "test_resnet", "scratch", 2, name="m", look=Look(tile=64, stride=32), now=NOW)
    return settings, evaluate(None, settings, "m", "pits", "test", now=NOW)


def test_the_document_has_what_others_rely_on(plant):
    _, document = plant
    assert set(DESIGN.split(", ")) <= document.keys()
    assert (document["images"], document["defective"], document["parts"]) == (8, 4, 4)
    assert document["per_class"]["SURFACE_PIT"].keys() >= {"precision", "recall", "f1", "n"}
    assert document["pointing_game_images"] == 4
    low, high = document["part_auroc_interval"]
    assert low <= document["part_auroc"] <= high
    json.dumps(document, allow_nan=False)


def test_two_parts_of_a_kind_have_no_interval_and_the_report_says_why(plant):
    _, document = plant
    assert document["auroc_interval"] is None
    assert document["recall_at_5_percent_frr_interval"] is None
    assert Path(document["report"]).read_text().count("too few groups to say how sure") == 2


def test_recall_by_size_of_defect_is_in_document_and_report(plant):
    _, document = plant
    found = document["recall_by_size"]
    assert [one["n"] for one in found["bins"]] == [0, 4, 0, 0, 0]  # pits of 14 px
    assert (found["good"], found["all"]["parts"]) == (4, 2)
    text = Path(document["report"]).read_text()
    assert "10 to 25 px" in text
    assert "longer side of the drawn box" in text


def exposures(settings, store, together):
    manifest = json.loads((settings.datasets / "pits.json").read_text())
    for item in manifest["items"]:
        item["part_type"] = "tile"
    manifest["name"] = "tiles"
    keep(settings, manifest)
    store.part_types.put("Lyon", PartType("tile", tile=64, stride=32, exposures=together))
    return evaluate(store, settings, "m", "tiles", "test", now=NOW)


def test_parts_are_joined_as_their_type_says_and_the_report_says_how(plant, store):
    settings, _ = plant
    store.sites.add("Lyon")
    largest, averaged = (exposures(settings, store, together) for together in (False, True))
    assert largest["auroc"] == averaged["auroc"]
    assert "a view of its own" in largest["part_rule"]
    assert "are exposures of one view" in averaged["part_rule"]
    pictures = json.loads(Path(averaged["report"]).with_suffix(".json").read_text())["pictures"]
    parts = {p["group"]: p["defective"] for p in pictures}
    scores = [join([(None, p["score"]) for p in pictures if p["group"] == part], exposures=True) for part in parts]
    assert averaged["part_auroc"] == auroc(scores, list(parts.values()))
    assert escape(averaged["part_rule"]) in Path(averaged["report"]).read_text()


def test_the_same_model_and_pictures_give_the_same_numbers(plant):
    settings, document = plant
    again = evaluate(None, settings, "m", "pits", "test", now=NOW)
    assert again["part_auroc_interval"] == document["part_auroc_interval"]


def test_the_report_lies_in_the_models_folder_and_needs_no_network(plant):
    settings, document = plant
    page = Path(document["report"])
    assert page.parent == settings.models / "m"
    text = page.read_text()
    assert text.count("<svg") >= 5
    assert not re.search(r"(src|href)\s*=|https?://|@import|<script", text)
    assert "flag everything" in text
    assert json.loads(page.with_suffix(".json").read_text())["pictures"][0]["file"]


def test_a_measure_on_training_pictures_says_that_it_is_none(plant):
    settings, _ = plant
    document = evaluate(None, settings, "m", "pits", "train", now=NOW)
    assert "no measure of anything" in document["caution"]
    assert "no measure of anything" in Path(document["report"]).read_text()


def test_progress_is_told_picture_by_picture(plant):
    settings, _ = plant
    told = []
    evaluate(None, settings, "m", "pits", "val", now=NOW, progress=lambda *s: told.append(s))
    assert told[-1][:2] == (8, 8)


@pytest.mark.parametrize(
    ("model", "dataset", "split", "error", "said"),
    [
        ("m", "pits", "exam", BadInput, "train, val, test"),
        ("none", "pits", "test", NotFound, "There is no model 'none'"),
        ("m", "none", "test", NotFound, "there are pits"),
    ],
)
def test_what_is_not_there_is_named(plant, model, dataset, split, error, said):
    with pytest.raises(error, match=said):
        evaluate(None, plant[0], model, dataset, split)


def test_an_empty_part_is_named_with_those_that_are_not(plant):
    settings, _ = plant
    drawn(settings, "half", {"train": 4, "val": 4})
    with pytest.raises(BadInput, match="test part of half is empty: it has train, val"):
        evaluate(None, settings, "m", "half", "test")


def test_the_report_of_a_model_from_elsewhere_stays_in_the_home_folder(tmp_path):
    settings = Settings(home=tmp_path / "home")
    assert place_of(Path("/somewhere/shipped/metal"), settings) == settings.home / "reports" / "metal"


def judged(count=20, kind=lambda i: i % 2 == 0):
    rng = np.random.default_rng(0)
    return [
        Judged(f"<b>{i}</b>.png", f"p{i // 2}", kind(i), ("A",) if kind(i) else (), float(rng.random()), {"A": 1.0})
        for i in range(count)
    ]


def page_of(pictures):
    document = {
        "model": "m",
        "dataset": "d",
        "split": "test",
        "back_end": "none",
        "evaluated_at": "now",
        **summarise(pictures, ["A"], np.random.default_rng(0)),
    }
    return report(document, pictures)


def test_file_names_cannot_write_into_the_report():
    assert "<b>1</b>" not in page_of(judged())
    assert "&lt;b&gt;1&lt;/b&gt;" in page_of(judged())


def test_one_kind_of_picture_is_not_applicable_and_never_zero():
    text = page_of(judged(kind=lambda i: False))
    assert "AUROC by picture<b>not applicable</b>" in text
    assert "ROC: not applicable" in text


@pytest.mark.parametrize(("value", "said"), [(None, "not applicable"), (0.98765, "0.988"), (12, "12")])
def test_numbers_are_written_as_people_read_them(value, said):
    assert number(value) == said

"""The preview of augmentation, and the experiments table, on real files."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.jobs.science.pipelines.configuration import Augmentation
from app.jobs.science.pipelines.experiments import experiments, measured_on
from app.jobs.science.pipelines.preview import COLOUR, preview
from app.settings import Settings
from core.pictures.tiling import Look
from core.plant import ModelVersion
from tests.app.jobs.small_dataset import drawn

ASKED = Augmentation.model_validate(
    {"all": {"rotation": 90, "noise": 0.02, "brightness": 0.2, "contrast": 0.2, "crop": [0.8, 1.0]},
     "judged_by": {"size": ["SURFACE_PIT"]}}
)  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, device="cpu", offline=True, decoders=1)


def items(settings: Settings) -> list[dict]:
    return [one for one in drawn(settings)["items"] if one["split"] == "train"]


def test_a_picture_and_its_windows_are_drawn_with_the_boxes_that_moved_along(settings):
    made = preview(settings, items(settings), 0, ASKED, "", True, Look(64, 32), n=6, seed=1)
    assert made.original.boxes == 1
    assert len(made.samples) == 6
    assert any(one.boxes for one in made.samples)
    for one in (made.original, *made.samples):
        pixels = cv2.imdecode(np.frombuffer(one.png, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
        drawn_in = (pixels == COLOUR).all(2).any()
        assert drawn_in == bool(one.boxes)


def test_what_is_switched_off_says_why(settings):
    plates = [{**one, "part_type": "plate"} for one in items(settings)]
    made = preview(settings, plates, 0, ASKED, "plate", False, Look(64, 32))
    why = dict(made.off)
    assert why["crop and resize"] == "SURFACE_PIT is judged by size"
    assert "has a way up" in why["flip left-right"]
    assert made.regions == 6


def test_without_a_configuration_the_recipes_own_is_shown(settings):
    made = preview(settings, items(settings), 0, None, "", True, None)
    assert (made.off, made.regions, len(made.samples)) == ((), 0, 6)


def evaluation(settings: Settings, name: str, right: int, **more: object) -> ModelVersion:
    folder = settings.models / name
    folder.mkdir(parents=True)
    pictures = [
        {"file": f"{n}.png", "group": f"g{n}", "defective": n % 2 == 0, "classes": ["PIT"] if n % 2 == 0 else [],
         "score": 0.9 if (n % 2 == 0) == (n < right) else 0.1, "said": "PIT", "view": None, "milliseconds": 5.0}
        for n in range(30)
    ]  # fmt: skip
    document = {"dataset": "first", "split": "test", "sha256": "0" * 64, "pictures": pictures, "averaged": [], **more}
    (folder / "evaluation-first-test.json").write_text(json.dumps(document))
    return ModelVersion(name, f"models/{name}", "0" * 64, {"name": name, "arch": "resnet18"}, "dora", None)


def test_models_are_compared_on_the_pictures_that_both_were_measured_on(settings):
    versions = [evaluation(settings, "new", 29), evaluation(settings, "old", 20)]
    assert measured_on(versions, settings) == [("first", "test")]
    new, old = experiments(versions, settings, "first", "test", "old")
    assert (new.against.gained, new.against.lost, new.against.n) == (9, 0, 30)
    assert old.in_use
    assert old.against is None
    assert new.figures["accuracy"]["value"] == pytest.approx(29 / 30)
    assert new.figures["p99"]["value"] == 5.0


def test_an_evaluation_of_other_weights_or_a_damaged_one_is_no_experiment(settings):
    versions = [evaluation(settings, "new", 29, sha256="1" * 64), evaluation(settings, "old", 20)]
    (settings.models / "old" / "evaluation-first-test.json").write_text("{")
    assert experiments(versions, settings, "first", "test", "old") == []
    assert measured_on(versions[1:], settings) == []


def test_models_that_saw_other_pictures_are_not_compared_and_it_is_said(settings):
    versions = [evaluation(settings, "new", 29), evaluation(settings, "old", 20)]
    path = settings.models / "old" / "evaluation-first-test.json"
    document = json.loads(path.read_text())
    document["pictures"] = document["pictures"][1:]
    path.write_text(json.dumps(document))
    new, _ = experiments(versions, settings, "first", "test", "old")
    assert new.against is None
    assert new.caution == "The model in use was measured on other pictures."

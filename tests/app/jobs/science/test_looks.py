import json
from datetime import UTC, datetime, timedelta

import pytest

from app.cli import main
from app.jobs.runner import run_job
from app.jobs.science.looks import compare_looks
from app.jobs.science.measured import comparisons
from app.jobs.science.train import train
from app.settings import Settings
from core.errors import BadInput
from core.pictures.tiling import Look, neighbours
from core.plant import JobState
from tests.app.jobs.small_dataset import drawn, keep, short_epochs

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWN = Look(tile=64, stride=32)
COARSE = Look(tile=64, stride=64, scale=0.5, whole_picture=True)


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("plant"), device="cpu", offline=True, decoders=1)
    drawn(settings)
    with short_epochs():
        train(None, settings, "pits", "test_resnet", "scratch", 3, name="m", look=OWN, now=NOW)
    return settings, compare_looks(None, settings, "m", "pits", "test", [OWN, COARSE], now=NOW)


def test_each_look_has_its_time_its_rank_and_its_recall_by_size(plant):
    _, document = plant
    own, coarse = document["looks"]
    assert (own["look"], coarse["look"]["scale"]) == ({"tile": 64, "stride": 32, "scale": 1.0, "whole_picture": False},
                                                      0.5)  # fmt: skip
    assert (own["tiles"], coarse["tiles"]) == (2, 1)
    assert document["picture_wh"] == [80, 60]
    for row in (own, coarse):
        assert row["milliseconds"] > 0
        assert 0 <= row["auroc"] <= 1
        assert [one["n"] for one in row["recall_by_size"]["bins"]] == [0, 4, 0, 0, 0]
    assert document["counted"]["with_regions"] == 4
    json.dumps(document, allow_nan=False)


def test_a_look_is_judged_as_an_evaluation_with_that_look_judges_it(plant):
    from app.jobs.science.evaluate import evaluate

    settings, document = plant
    alone = evaluate(None, settings, "m", "pits", "test", look=COARSE, now=NOW)
    row = document["looks"][1]
    assert row["auroc"] == alone["auroc"]
    assert row["recall_by_size"]["bins"] == alone["recall_by_size"]["bins"]


def test_the_file_lies_with_the_model_and_can_be_read_again(plant):
    settings, document = plant
    (found,) = comparisons(settings.models / "m", settings)
    assert found == json.loads(json.dumps(document))


def test_looks_compared_before_stay_until_weights_or_pictures_change(plant):
    settings, _ = plant
    later = compare_looks(None, settings, "m", "pits", "val", [OWN], now=NOW)
    assert len(later["looks"]) == 1
    more = compare_looks(None, settings, "m", "pits", "val", [COARSE], now=NOW + timedelta(hours=1))
    assert [row["look"]["scale"] for row in more["looks"]] == [0.5, 1.0]
    again = compare_looks(None, settings, "m", "pits", "val", [OWN], now=NOW + timedelta(hours=2))
    assert [row["compared_at"][11:13] for row in again["looks"]] == ["14", "13"]
    manifest = json.loads((settings.datasets / "pits.json").read_text())
    manifest["items"].pop()
    keep(settings, manifest)
    changed = compare_looks(None, settings, "m", "pits", "val", [OWN], now=NOW)
    assert len(changed["looks"]) == 1
    drawn(settings)


def test_a_comparison_on_training_pictures_says_that_it_is_none(plant):
    assert "no measure" in compare_looks(None, plant[0], "m", "pits", "train", [OWN], now=NOW)["caution"]


def test_a_damaged_file_is_as_good_as_none(plant, tmp_path):
    settings, _ = plant
    place = settings.models / "m" / "looks-broken-test.json"
    place.write_text("{")
    assert [one["dataset"] for one in comparisons(settings.models / "m", settings) if one["split"] == "test"] == [
        "pits"
    ]
    place.unlink()


@pytest.mark.parametrize("count", [0, 17])
def test_the_number_of_looks_is_bounded(plant, count):
    looks = [Look(tile=64, stride=1 + i) for i in range(count)]
    with pytest.raises(BadInput, match=f"{count} looks to compare: give 1 to 16"):
        compare_looks(None, plant[0], "m", "pits", "test", looks)


def test_the_worker_runs_it_for_who_may_set_part_types(plant, store):
    settings, _ = plant
    arguments = {"model": "m", "dataset": "pits", "split": "test", "looks": [vars(COARSE)]}
    store.models.add(json.loads((settings.models / "m" / "card.json").read_text()), "models/m", card_hash(settings))
    store.datasets.add("pits", json.loads((settings.datasets / "pits.json").read_text()), "0" * 64)
    number = store.jobs.submit("looks", arguments)
    job = store.jobs.claim("w1")
    run_job(store, settings, job, "w1")
    done = store.jobs.get(number)
    assert (done.state, done.error) == (JobState.DONE, "")
    assert done.result["looks"][0]["look"] == vars(COARSE)


def card_hash(settings):
    return json.loads((settings.models / "m" / "card.json").read_text())["sha256"]


def test_the_command_compares_the_models_own_look_with_its_neighbours(plant, monkeypatch, capsys):
    settings, _ = plant
    monkeypatch.setenv("HOLDPOINT_HOME", str(settings.home))
    monkeypatch.setenv("HOLDPOINT_DEVICE", "cpu")
    monkeypatch.setenv("HOLDPOINT_DECODERS", "1")
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    assert main(["models", "looks", "--model", "m", "--dataset", "pits"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["look", "tiles", "ms", "auroc"]
    assert "under 10 px" in lines[0]
    assert len(lines) >= 1 + len(neighbours(OWN))

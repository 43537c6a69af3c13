"""The worked example of presence is drawn by a command, the same each time."""

import json

from app.jobs.demo.labels import draw_labels, main
from app.jobs.science.learning import examples_of
from app.settings import Settings
from data.demo.shipping_labels import LABEL


def test_the_same_seed_draws_the_same_dataset(tmp_path):
    def made(name, seed):
        return draw_labels(Settings(home=tmp_path / name), pictures=6, seed=seed)

    first, again, other = made("a", 3), made("b", 3), made("c", 4)
    assert [one["sha256"] for one in first["items"]] == [one["sha256"] for one in again["items"]]
    assert [one["sha256"] for one in first["items"]] != [one["sha256"] for one in other["items"]]
    assert first["classes"] == [LABEL]


def test_a_label_is_no_defect_and_that_it_is_missing_is_told_by_its_absence(tmp_path):
    manifest = draw_labels(Settings(home=tmp_path), pictures=12)
    found = [one for split in ("train", "val", "test") for one in examples_of(manifest, split)]
    assert len(found) == 12
    assert not any(one.defective or one.classes for one in found)
    for item in manifest["items"]:
        assert bool(item["regions"]) == (item["flaw"] != "MISSING_LABEL")


def test_a_command_draws_them_into_the_plants_home(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOLDPOINT_HOME", str(tmp_path))
    main(["--pictures", "4", "--name", "labels"])
    told = json.loads(capsys.readouterr().out)
    assert told["pictures"] == 4
    kept = json.loads((tmp_path / "datasets" / "labels.json").read_text())
    assert kept["hash"] == told["hash"]
    assert told["without_label"] == sum(not one["regions"] for one in kept["items"])

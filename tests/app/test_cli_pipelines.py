"""The pipeline commands: check, run, schedule, list and resume."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.jobs.science import gate as gate_module
from app.settings import Settings
from core.pictures.tiling import Look
from data.store import Store
from tests.app.jobs.small_dataset import drawn, short_epochs

TEXT = """
experiment: pits
site: lyon
dataset: {name: pits}
architecture: test_resnet
weights: scratch
epochs: 1
shadow: off
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    from models.training import recipes

    monkeypatch.setattr(recipes, "look_for", lambda examples, tile=64: Look(64, 32))
    monkeypatch.setattr(gate_module, "TIMING_S", 0.0)
    with short_epochs():
        yield


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., str]:
    """A configuration file with further lines."""

    def write(more: str = "", text: str = TEXT) -> str:
        path = tmp_path / "pits.yaml"
        path.write_text(f"{text}\n{more}\n")
        return str(path)

    return write


@pytest.fixture
def document(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    def run(*arguments: str) -> Any:
        assert main(["pipeline", *arguments, "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        assert main(["pipeline", *arguments]) == 1
        return capsys.readouterr().err

    return run


def test_a_good_file_is_checked_and_nothing_is_stored(held: Store, config, document):
    held.sites.set_timezone("lyon", "Europe/Paris")
    found = document("check", config("schedule: '0 2 * * 6'"))
    assert (found["experiment"], found["timezone"], len(found["next"])) == ("pits", "Europe/Paris", 3)
    assert held.pipelines.all() == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("epoch: 3", "epoch is not a field of it"),
        ("batch: 0", "batch is 0: it should be greater than or equal to 1"),
        ("schedule: '0 2 * * 9'", "bad day-of-week"),
        ("time_limit: soon", "'soon' is no duration"),
        ("augmentation: {all: {crop: [1, 0.8]}}", "augmentation.all.crop is wrong: give the smaller share first"),
        ("optimiser: {name: lion}", "optimiser.name is 'lion'"),
        ("gate: {limits: {recal: 0.9}}", "'recal' is no limit of a gate"),
        ("site: [1", "is no YAML in line"),
    ],
)
def test_each_bad_field_is_told_in_a_sentence(held: Store, config, refused, more, said):
    assert said in refused("check", config(more))


def test_a_file_that_is_not_there_and_a_site_that_nobody_knows_are_named(held: Store, config, refused):
    assert "cannot be read" in refused("check", "nowhere.yaml")
    assert "There is no site 'oslo'" in refused("check", config(text=TEXT.replace("lyon", "oslo")))


def test_a_schedule_is_kept_and_switched_off_again(held: Store, config, document, refused):
    path = config("schedule: '0 2 * * 6'")
    kept = document("schedule", path, "--reason", "weekly")
    assert (kept["number"], kept["on"]) == (1, True)
    assert document("list")["pipelines"][0]["next_at"] == kept["next"][0]
    assert document("schedule", path, "--off")["on"] is False
    assert document("list")["pipelines"][0]["next_at"] is None
    assert "has no schedule" in refused("schedule", config())


def test_a_run_goes_from_its_first_step_to_its_last(held: Store, current: Settings, config, document):
    drawn(current)
    done = document("run", config())
    assert done["state"] == "done"
    assert list(done["steps"]) == ["validate labels", "augment", "train", "evaluate", "gate", "shadow"]
    assert done["steps"]["shadow"]["reason"] == "The configuration asks for no shadow."
    assert held.models.get(done["model"]).card["arch"] == "test_resnet"
    listed = document("list")
    assert listed["runs"][0]["run"] == done["run"]
    assert held.jobs.get(done["job"]).state.value == "done"


def test_a_run_that_failed_says_why_and_goes_on(held: Store, current: Settings, config, document, refused):
    drawn(current)
    picture = current.home / "pictures" / "train1.png"
    kept = picture.read_bytes()
    picture.write_bytes(b"")
    said = refused("run", config())
    assert "train1.png is changed" in said
    assert "holdpoint pipeline resume 1 goes on" in said
    assert len(held.alarms.find("lyon")) == 1
    picture.write_bytes(kept)
    assert document("resume", "1")["state"] == "done"


def test_people_read_lines(held: Store, config, capsys):
    assert main(["pipeline", "check", config("schedule: '0 2 * * 6'")]) == 0
    out = capsys.readouterr().out
    assert "pits can be used." in out
    assert "architecture: test_resnet" in out
    assert main(["pipeline", "list"]) == 0

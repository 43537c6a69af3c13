"""The whole way by commands: gate, shadow, promote, the next ingest obeys, roll back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.jobs.science.models import add_model
from app.settings import Settings
from core.gates.gate import gate
from core.gates.limits import Limits
from core.gates.rates import plain, rate_question
from core.roles import Role
from data.store import Store
from tests.app.conftest import PASSWORD
from tests.app.jobs.small_dataset import drawn

Pictures = Callable[..., list[Path]]
Document = Callable[..., Any]
Refused = Callable[..., str]


@pytest.fixture
def document(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """What a command prints as JSON; it ends as it should."""

    def run(*arguments: str, exits: int = 0) -> Any:
        assert main([*arguments, "--json"]) == exits, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The sentence of a command that fails."""

    def run(*arguments: str) -> str:
        assert main(list(arguments)) != 0
        return capsys.readouterr().err

    return run


@pytest.fixture
def plant(line_ready: Store, current: Settings, model_folder: Path, tmp_path: Path) -> Store:
    """Lyon with `tiny` in use and `second` beside it, a small frozen set, and a data scientist."""
    folder = tmp_path / "second"
    shutil.copytree(model_folder, folder)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "name": "second"}))
    add_model(line_ready, current, folder)
    manifest = drawn(current, per_split={"train": 2, "val": 2, "test": 12})
    line_ready.datasets.add("pits", manifest, manifest["hash"])
    line_ready.people.add("dora", PASSWORD, Role.DATA_SCIENTIST)
    return line_ready


def ingested(document: Document, store: Store, file: Path) -> str:
    assert document("ingest", str(file), "--site", "lyon")["images"] == 1
    (image,) = store.images.find(source=str(file.resolve()))
    said = store.images.prediction(image.id)
    assert said is not None
    return said.model


def test_gate_shadow_promote_ingest_and_roll_back(
    plant: Store, pictures: Pictures, document: Document, refused: Refused
) -> None:
    first, second, third, fourth = pictures("a.png", "b.png", "c.png", "d.png")
    kept = document("models", "gate", "second", "--site", "lyon", "--dataset", "pits", "--by", "dora", exits=1)
    assert kept["answer"] in ("fail", "not enough evidence")
    assert kept["against"] == "tiny"
    assert {"name", "value", "low", "high", "limit", "answer", "more_needed"} <= set(kept["criteria"][0])

    assert document("models", "shadow", "second", "--site", "lyon", "--hours", "1")["state"] == "running"
    assert ingested(document, plant, first) == "tiny"
    seen = document("models", "shadow", "--site", "lyon", "--score")
    assert (seen["pictures"], seen["differ"]) == (1, 0)
    assert document("models", "shadow", "--site", "lyon", "--stop")["state"] == "ended"

    said = refused("models", "promote", "second", "--site", "lyon", "--reason", "try it")
    assert "Two people may override that" in said
    assert ingested(document, plant, second) == "tiny"

    asked = document(
        "models", "promote", "second", "--site", "lyon", "--reason", "try it", "--override", "--by", "dora"
    )
    document("thresholds", "agree", str(asked["request"]), "--reason", "looked at it", "--by", "ada")
    assert ingested(document, plant, third) == "second"

    back = document("models", "rollback", "--site", "lyon", "--reason", "no better", "--by", "ada")
    assert (back["model"], back["before"], back["calibration_restored"]) == ("tiny", "second", True)
    assert ingested(document, plant, fourth) == "tiny"
    acts = [one["act"] for one in document("models", "history", "--site", "lyon")]
    assert acts == ["rollback", "promotion", "set"]


def test_a_passed_gate_lets_one_person_promote(plant: Store, document: Document, capsys: Any) -> None:
    verdict = gate([rate_question("recall", plain(990, 1000), 0.93, "defective pictures")], 0.05)
    sha256 = plant.models.get("second").sha256
    plant.gates.add("lyon", "second", sha256, "pits", "test", "tiny", verdict, Limits(), {})
    made = document("models", "promote", "second", "--site", "lyon", "--reason", "finds more", "--by", "dora")
    assert (made["act"], made["model"], made["alternatives"][0]["model"]) == ("promotion", "second", "tiny")
    assert main(["models", "rollback", "--site", "lyon", "--reason", "worse"]) == 0
    assert "tiny decides at lyon from the next batch on, with its calibration" in capsys.readouterr().out


def test_weights_that_are_not_those_of_the_store_are_not_put_in_use(
    plant: Store, current: Settings, refused: Refused
) -> None:
    weights = current.models / "second" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    verdict = gate([rate_question("recall", plain(990, 1000), 0.93, "defective pictures")], 0.05)
    plant.gates.add("lyon", "second", plant.models.get("second").sha256, "pits", "test", "tiny", verdict, Limits(), {})
    assert "sha256" in refused("models", "promote", "second", "--site", "lyon", "--reason", "finds more")
    assert plant.promotions.in_use("lyon") == "tiny"


def test_limits_come_from_a_file_and_must_be_limits(
    plant: Store, tmp_path: Path, document: Document, refused: Refused
) -> None:
    path = tmp_path / "limits.json"
    path.write_text('{"recall": 0.5, "precision": 0.5}')
    kept = document("models", "gate", "second", "--site", "lyon", "--dataset", "pits", "--limits", str(path), exits=1)
    assert kept["limits"]["recall"] == 0.5
    path.write_text('{"accuracy": 0.9}')
    said = refused("models", "gate", "second", "--site", "lyon", "--dataset", "pits", "--limits", str(path))
    assert "'accuracy' is no limit of a gate" in said


def test_an_override_needs_a_name(plant: Store, refused: Refused) -> None:
    assert "two people" in refused("models", "promote", "second", "--site", "lyon", "--reason", "x", "--override")

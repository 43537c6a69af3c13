"""Site adapters: the trunk stays, the last layers learn a site's own pictures, and the parent is compared with."""

import json
from datetime import UTC, datetime

import pytest
import torch

from app.jobs.science.adapting import AGAINST, against_parent
from app.jobs.science.train import train
from app.settings import Settings
from core.errors import BadInput, NotFound
from core.pictures.tiling import Look
from models.checkpoint import load
from tests.app.jobs.small_dataset import drawn, keep, short_epochs

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOOK = Look(tile=64, stride=32)


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    """A model of all sites, and one that was adapted to Graz."""
    settings = Settings(home=tmp_path_factory.mktemp("plant"), device="cpu", offline=True, decoders=1)
    manifest = drawn(settings)
    for number, item in enumerate(manifest["items"]):
        item["site"] = "Graz" if number // 2 % 4 < 2 else "Lyon"
    keep(settings, manifest)
    with short_epochs():
        train(None, settings, "pits", "test_resnet", "scratch", 1, 0, "parent", look=LOOK, now=NOW)
        train(None, settings, "pits", epochs=2, name="graz", adapt="parent", site="Graz", now=NOW)
    return settings, load(settings.models / "parent"), load(settings.models / "graz")


def test_the_trunk_is_the_parents_and_the_last_layers_are_not(adapted):
    _, parent, own = adapted
    trunk = [name for name in parent.state if name.startswith("trunk.")]
    assert len(trunk) > 10
    assert all(torch.equal(parent.state[name], own.state[name]) for name in trunk)
    assert any(not torch.equal(parent.state[name], own.state[name]) for name in parent.state if name not in trunk)


def test_it_is_a_model_like_any_other_whose_card_says_where_it_comes_from(adapted):
    _, parent, own = adapted
    assert own.card.training["adapted"] == {
        "from": "parent", "sha256": parent.card.sha256, "site": "Graz", "layers": "all but the trunk",
    }  # fmt: skip
    assert (own.card.arch, own.card.look, own.card.classes) == ("test_resnet", LOOK, parent.card.classes)
    assert own.card.dataset["site"] == "Graz"
    assert own.card.dataset["train"]["images"] < parent.card.dataset["train"]["images"]
    assert own.card.training["recipe"]["schedule"]["only_heads"] is True


def test_it_is_measured_against_its_parent_part_by_part_on_the_sites_pictures(adapted):
    settings, _, _ = adapted
    told = against_parent(None, settings, "graz", "pits", "Graz", now=NOW)
    assert (told["parent"], told["split"], told["caution"]) == ("parent", "test", "")
    assert told["paired"]["n"] == told["own"]["parts"] == told["parents"]["parts"] == 2
    assert told["paired"]["p_value"] <= 1
    assert json.loads((settings.models / "graz" / AGAINST).read_text())["made_at"] == NOW.isoformat()


def test_what_was_not_adapted_has_no_parent(adapted):
    settings, _, _ = adapted
    with pytest.raises(BadInput, match="was not adapted"):
        against_parent(None, settings, "parent", "pits", "Graz")


def test_a_site_without_pictures_and_a_parent_that_is_not_there_are_named(adapted):
    settings, _, _ = adapted
    with pytest.raises(BadInput, match="no picture of Oslo"):
        train(None, settings, "pits", name="oslo", adapt="parent", site="Oslo", now=NOW)
    with pytest.raises(NotFound, match="nobody"):
        train(None, settings, "pits", name="graz-2", adapt="nobody", site="Graz", now=NOW)

import json
import pickle
import shutil
from dataclasses import replace

import pytest
import torch

from core.errors import BadInput, Conflict, ModelError, NotFound
from core.pictures.tiling import Look
from models import nets
from models.checkpoint import Card, card_of, load, probe_of, probe_tiles, read_card, save
from models.joining import Calibration, Join
from tests.models.conftest import NOW, tiny_card, tiny_net


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A copy to damage."""
    return shutil.copytree(tiny_folder, tmp_path / "tiny")


def change_card(folder, **values):
    path = folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_model_comes_back_as_it_was_saved(tiny_folder):
    net, loaded = tiny_net(), load(tiny_folder)
    again = loaded.net()
    assert not again.training
    assert again.classes == net.classes
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in net.state_dict().items())
    assert probe_of(again, 64) == loaded.card.probe


def test_a_card_comes_back_as_it_was_written():
    card = Card(
        "m-1.0",
        "test_resnet",
        ("A", "B"),
        tiny_net().preprocessing,
        look=Look(64, 32, 0.5, whole_picture=True),
        join=Join("lse", sharpness=2.0, dense=0.3),
        calibration=Calibration(1.5, -0.2, 0.9, 40),
        trunk={"pad_type": "same"},
        metrics={"auroc": 0.91, "per_class": {"A": {"recall": 1.0}}},
        dataset={"name": "d", "hash": "0f"},
        created_at=NOW.isoformat(),
    )
    assert Card.from_json(json.loads(json.dumps(card.to_json()))) == card


def test_a_card_keeps_what_is_said_about_the_net():
    net = tiny_net("test_vit", classes=())
    card = card_of(net, "m", NOW, metrics={"auroc": 0.5})
    assert (card.arch, card.classes, card.linear, card.region_map) == ("test_vit", (), False, "where")
    assert card_of(tiny_net(dense=False), "m", NOW).region_map == "why"


def test_a_model_is_never_overwritten(tiny_folder):
    net = tiny_net()
    with pytest.raises(Conflict):
        save(tiny_folder, net, tiny_card(net))


def test_a_failed_save_leaves_nothing_behind(tmp_path):
    net = tiny_net()
    with torch.no_grad():
        net.head.bias[0] = float("nan")
    with pytest.raises(ModelError, match="NaN"):
        save(tmp_path / "bad", net, tiny_card(net))
    assert list(tmp_path.iterdir()) == []


def test_one_changed_bit_of_the_weights_is_found(folder):
    path = folder / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="not those of its card"):
        load(folder)


def test_pickled_weights_are_refused_unopened(folder, tmp_path):
    (folder / "weights.safetensors").unlink()
    trap = tmp_path / "ran"

    class Trap:
        def __reduce__(self):
            return (open, (str(trap), "w"))

    (folder / "weights.pt").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelError, match="pickled"):
        load(folder)
    with pytest.raises(ModelError, match="pickle"):
        load(folder / "weights.pt")
    (folder / "weights.safetensors").write_bytes((folder / "weights.pt").read_bytes())
    with pytest.raises(ModelError):
        load(folder)
    assert not trap.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 99}', "[" * 100_000])
def test_a_damaged_card_is_refused_in_words(folder, text):
    (folder / "card.json").write_text(text)
    with pytest.raises(ModelError):
        load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"look": {"tile": 100}},
        {"classes": ["A", "A"]},
        {"heatmap_scale": 0},
        {"region_threshold": 1.5},
        {"name": "../up"},
        {"preprocessing": {"mean": [0, 0], "std": [1, 1]}},
        {"calibration": {"temperature": -1}},
        {"join": {"kind": "mean"}},
    ],
)
def test_a_card_with_senseless_values_is_refused(folder, change):
    change_card(folder, **change)
    with pytest.raises(ModelError):
        read_card(folder)


def test_weights_that_do_not_fit_the_card_are_refused(folder):
    change_card(folder, arch="test_efficientnet")
    with pytest.raises(ModelError, match="do not fit"):
        load(folder).net()


def test_no_model_is_not_a_broken_model(tmp_path):
    with pytest.raises(NotFound):
        load(tmp_path)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "a b"])
def test_a_name_that_is_no_folder_name_is_refused(name):
    net = tiny_net()
    with pytest.raises(BadInput):
        tiny_card(net, name)


def test_the_probe_is_the_same_bytes_everywhere():
    tiles = probe_tiles(64)
    assert tiles.shape == (2, 64, 64, 3)
    assert tiles[0, 0, 0].tolist() == [194, 73, 197]
    assert tiles[1, 0, -1].tolist() == [255, 0, 90]


def test_probing_leaves_the_net_in_its_mode():
    net = tiny_net().train()
    probe_of(net, 64)
    assert net.training


def test_training_may_go_on_from_a_model_with_other_classes(tiny_folder):
    old = load(tiny_folder)
    net = nets.build("test_resnet", ["CRACK", "PIT"], weights=tiny_folder, size=64)
    assert "continued from tiny" in net.weights
    assert torch.equal(net.head.weight[0], old.state["head.weight"][0])
    assert torch.equal(net.head.weight[1], old.state["head.weight"][2])
    assert torch.equal(net.dense.out.weight, old.state["dense.out.weight"])
    assert replace(old.card, classes=()).classes == ()
